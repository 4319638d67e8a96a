//! Whether the files with secrets that a configuration names are there and closed to others: what
//! `--check-config` looks at, so that a start does not find out first.

use crate::{
    config::{Config, KeysConfig, PinConfig},
    identity::{OTHERS, mode},
    layout::Layout,
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// In a credential's mode the group is the mask of an access list, which names the service alone.
const ANYBODY: u32 = 0o007;

/// Something about a file with a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFault {
    /// What is wrong, with the file.
    pub what: String,
    /// What to do.
    pub try_this: String,
    /// Whether a start is refused for it now, and not only perhaps later.
    pub refused: bool,
}

/// Looks at each file. Nothing in them is read.
pub fn check(config: &Config) -> Vec<SecretFault> {
    let mut out = Vec::new();
    match &config.keys {
        KeysConfig::InsecurePlain => {
            let plain = Layout::new(&config.data).keys().join("keyring.plain.toml");
            if plain.exists() {
                out.extend(fault(&plain, OTHERS, true, "make new keys"));
            }
        }
        KeysConfig::PassphraseFile(file) => {
            out.extend(fault(file, OTHERS, true, "choose another passphrase"));
        }
        KeysConfig::PassphraseCredential(name) => out.extend(credential(name)),
    }
    match config.token.as_ref().map(|token| &token.pin) {
        Some(PinConfig::File(file)) => out.extend(fault(file, OTHERS, true, "choose another PIN")),
        Some(PinConfig::Credential(name)) => out.extend(credential(name)),
        None => {}
    }
    if let Some((_, file)) = &config.api.tcp {
        out.extend(fault(file, OTHERS, false, "write another token into it"));
    }
    out
}

/// Only the service itself is told where they are.
fn credential(name: &str) -> Option<SecretFault> {
    let dir = PathBuf::from(std::env::var_os("CREDENTIALS_DIRECTORY")?);
    fault(&dir.join(name), ANYBODY, false, "choose another passphrase")
}

fn fault(file: &Path, forbidden: u32, refused: bool, then: &str) -> Option<SecretFault> {
    let (what, try_this, refused) = match mode(file) {
        Ok(mode) if mode & forbidden == 0 => return None,
        Ok(mode) => (
            format!(
                "{} has mode {mode:04o}: others could read it",
                file.display()
            ),
            format!("`chmod 600 {}`, and {then}", file.display()),
            refused,
        ),
        Err(e) if e.kind() == io::ErrorKind::NotFound => (
            format!("{} is not there", file.display()),
            "write it before the node starts, and `chmod 600` it".to_owned(),
            false,
        ),
        Err(e) => (
            format!("cannot look at {}: {e}", file.display()),
            "check it as the node's user".to_owned(),
            false,
        ),
    };
    Some(SecretFault {
        what,
        try_this,
        refused,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn a_mode_is_judged_for_all_but_the_owner_and_what_is_not_there_is_told() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("secret");
        let told = |bits, forbidden| {
            fs::write(&file, "x").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(bits)).unwrap();
            fault(&file, forbidden, true, "choose another")
        };
        for fine in [0o600, 0o400] {
            assert_eq!(told(fine, OTHERS), None);
        }
        for open in [0o640, 0o604, 0o620, 0o644] {
            let told = told(open, OTHERS).unwrap();
            assert!(told.refused && told.what.contains(&format!("{open:04o}")));
            assert!(told.try_this.contains("chmod 600"));
        }
        assert_eq!(told(0o440, ANYBODY), None);
        assert!(told(0o444, ANYBODY).is_some());
        fs::remove_file(&file).unwrap();
        let absent = fault(&file, OTHERS, true, "choose another").unwrap();
        assert!(!absent.refused && absent.what.contains("is not there"));
    }
}
