//! `abeng keys backup`, and which backups are known to hold the keyring as it is now.

use super::{KeysError, file, unlock};
use crate::{
    clock,
    config::Config,
    layout::{Layout, replace},
};
use abeng_keys::{BackupKey, Keyring, Passphrase, Protection, SEALED};
use abeng_wire::{Digest, Millis};
use serde::{Deserialize, Serialize};
use std::{
    convert::Infallible,
    fs,
    path::{Path, PathBuf},
};

/// In the directory of keys: the newest backup that holds the keyring.
const NOTE: &str = "kept.json";
const ENCRYPTED: &str = "keyring.age";
const PLAIN: &str = "keyring.plain.toml";
/// What shares open, and what says of which set.
const BESIDE: [&str; 2] = [SEALED, "backup-key.toml"];

/// A backup of the keyring that is known in the data directory. No secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// SHA-256 of the keyring's file as it was copied, hex.
    pub keyring: String,
    /// When, Unix milliseconds.
    pub at_ms: Millis,
    /// Where to.
    pub out: PathBuf,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeysBackup {
    /// Whose.
    pub party: String,
    /// Where: `keys/`, `trust/bundle.pb` and `node.toml` lie in it, as `abeng restore` takes them.
    pub out: PathBuf,
    /// Seal keys in it.
    pub seal_keys: usize,
    /// The set of shares that opens it too, where there is one.
    pub set: Option<String>,
}

/// Copies what a node without its data needs to begin anew, and reads the copy back.
pub fn keep_backup(
    config: &Config,
    config_file: &Path,
    out: &Path,
    plain: crate::PlainKeys,
    ask: impl FnOnce() -> Result<Passphrase, String>,
) -> Result<KeysBackup, KeysError> {
    let layout = Layout::new(&config.data);
    let name = keyring_file(&layout.keys());
    if name == PLAIN && plain == crate::PlainKeys::Refuse {
        return Err(KeysError::PlainKeys);
    }
    Layout::create_dir(out).map_err(file("make", out))?;
    let real = |path: &Path| path.canonicalize().map_err(file("find", path));
    if real(out)?.starts_with(real(layout.root())?) {
        return Err(KeysError::Inside { dir: out.into() });
    }
    own_or_empty(config, out)?;
    let (keyring, protection) = unlock(config, ask)?;
    let keys = out.join("keys");
    let copied = copy(&layout.keys().join(name), &keys.join(name))?;
    // What was sealed before says something of a set that there is no more.
    for other in BESIDE {
        match layout.keys().join(other) {
            from if from.exists() => _ = copy(&from, &keys.join(other))?,
            _ => _ = fs::remove_file(keys.join(other)),
        }
    }
    copy(&layout.trust(), &out.join("trust").join("bundle.pb"))?;
    copy(config_file, &out.join("node.toml"))?;
    same(&keys, &keyring, protection)?;
    note(&layout, &copied, out)?;
    Ok(KeysBackup {
        party: config.party.to_string(),
        out: out.to_owned(),
        seal_keys: keyring.seal.count(),
        set: BackupKey::load(&keys)?.map(|key| key.set().to_string()),
    })
}

/// What a backup of keys holds, and nothing else.
const HELD: [&str; 3] = ["keys", "trust", "node.toml"];

/// Refuses a directory with anything else in it, and the backup of another party: nothing of others is
/// written over, and nobody who looks for the keys has to search.
fn own_or_empty(config: &Config, out: &Path) -> Result<(), KeysError> {
    let foreign = |found: String| KeysError::Foreign {
        dir: out.into(),
        party: config.party,
        found,
    };
    let mut other = Vec::new();
    for entry in fs::read_dir(out).map_err(file("look into", out))? {
        let name = entry.map_err(file("look into", out))?.file_name();
        if !HELD.iter().any(|held| name == *held) {
            other.push(abeng_notice::printable(&name.to_string_lossy()));
        }
    }
    other.sort();
    match &other[..] {
        [] => {}
        [one] => return Err(foreign(format!("{one} lies in it"))),
        [one, rest @ ..] => {
            return Err(foreign(format!("{one} and {} more lie in it", rest.len())));
        }
    }
    let toml = out.join("node.toml");
    let Ok(text) = fs::read_to_string(&toml) else {
        return Ok(());
    };
    let found: Option<toml::Table> = text.parse().ok();
    let party = found.as_ref().and_then(|t| t.get("party")?.as_str());
    match party {
        Some(party) if party == config.party.as_str() => Ok(()),
        Some(party) => {
            let party = abeng_notice::printable(party);
            Err(foreign(format!("it holds those of {party}")))
        }
        None => Err(foreign("its node.toml names no party".to_owned())),
    }
}

/// Whether a backup holds the keyring as it is now. With a directory for copies it is one: the copy is
/// made where it is not up to date.
pub(crate) fn backed_up(layout: &Layout, dir: Option<&Path>) -> Result<bool, KeysError> {
    if last_kept(layout.root()).is_some() {
        return Ok(true);
    }
    let Some(out) = dir else { return Ok(false) };
    let keys = layout.keys();
    let name = keyring_file(&keys);
    let copied = copy(&keys.join(name), &out.join(name))?;
    for other in BESIDE {
        if keys.join(other).exists() {
            copy(&keys.join(other), &out.join(other))?;
        }
    }
    note(layout, &copied, out)?;
    Ok(true)
}

/// Which of its two forms the keyring has.
fn keyring_file(keys: &Path) -> &'static str {
    match keys.join(PLAIN).exists() {
        true => PLAIN,
        false => ENCRYPTED,
    }
}

/// Copies a small file as one step and reads it back; its content.
fn copy(from: &Path, to: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, KeysError> {
    let bytes = zeroize::Zeroizing::new(fs::read(from).map_err(file("read", from))?);
    if let Some(dir) = to.parent() {
        Layout::create_dir(dir).map_err(file("make", dir))?;
    }
    replace(to, &bytes, 0o600).map_err(file("write", to))?;
    let back = zeroize::Zeroizing::new(fs::read(to).map_err(file("read back", to))?);
    match back == bytes {
        true => Ok(bytes),
        false => Err(KeysError::Differs {
            dir: to.parent().unwrap_or(to).into(),
        }),
    }
}

/// Opens the copy as a restore would.
fn same(keys: &Path, keyring: &Keyring, protection: Protection) -> Result<(), KeysError> {
    let copy = Keyring::load(keys, || {
        Ok::<_, Infallible>(match protection {
            Protection::Passphrase(passphrase) => passphrase,
            Protection::InsecurePlain => Passphrase::new(String::new()),
        })
    })?;
    let kids = |keys: &Keyring| keys.seal.all().iter().map(|s| s.kid()).collect::<Vec<_>>();
    match copy.party == keyring.party && kids(&copy) == kids(keyring) {
        true => Ok(()),
        false => Err(KeysError::Differs { dir: keys.into() }),
    }
}

/// Remembers that a backup holds a keyring with this content.
pub(crate) fn note(layout: &Layout, keyring: &[u8], out: &Path) -> Result<(), KeysError> {
    let kept = Kept {
        keyring: sha256(keyring).to_string(),
        at_ms: clock::wall(),
        out: out.canonicalize().unwrap_or_else(|_| out.to_owned()),
    };
    let path = layout.keys().join(NOTE);
    let text = serde_json::to_vec_pretty(&kept).unwrap_or_default();
    replace(&path, &text, 0o600).map_err(file("write", &path))
}

/// The newest backup that is known to hold the keyring as its file is now.
pub fn last_kept(data: &Path) -> Option<Kept> {
    let keys = Layout::new(data).keys();
    let kept: Kept = serde_json::from_slice(&fs::read(keys.join(NOTE)).ok()?).ok()?;
    let now = fs::read(keys.join(keyring_file(&keys))).ok()?;
    (kept.keyring == sha256(&now).to_string()).then_some(kept)
}

fn sha256(bytes: &[u8]) -> Digest {
    let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
    Digest::from_slice(hash.as_ref()).unwrap_or_default()
}
