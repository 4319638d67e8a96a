//! Secret keys of holders and parties at rest, and the passphrases that open them: from a file or
//! typed without being shown, never from an argument.

use crate::{CliError, Exit, Ui, args::RestArgs};
use abeng_keys::{DualSigner, Keyring, KeyringError, Passphrase, Protection};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};
use zeroize::Zeroizing;

/// How new secrets are to rest.
pub(super) fn protection(rest: &RestArgs, ui: &Ui) -> Result<Protection, CliError> {
    if rest.insecure_plain_keys {
        return Ok(Protection::InsecurePlain);
    }
    if let Some(file) = &rest.passphrase_file {
        return Ok(Protection::Passphrase(from_file(file)?));
    }
    if !ui.interactive {
        return Err(CliError::usage("it must be said how the new key rests")
            .with_try("add --passphrase-file FILE; for trying things out, --insecure-plain-keys"));
    }
    let prompt = inquire::Password::new("New passphrase")
        .with_display_mode(inquire::PasswordDisplayMode::Hidden);
    let typed = prompt
        .prompt()
        .map_err(|e| CliError::usage(e.to_string()))?;
    match typed.is_empty() {
        true => Err(CliError::usage("the passphrase is empty")),
        false => Ok(Protection::Passphrase(Passphrase::new(typed))),
    }
}

/// Keeps a holder's key at DIR/NAME, where none may be yet.
pub(super) fn save_signer(
    signer: &DualSigner,
    place: &Path,
    protection: &Protection,
) -> Result<(), CliError> {
    let (dir, name) = split(place)?;
    for ending in ["age", "plain.toml"] {
        let there = dir.join(format!("{name}.{ending}"));
        if there.exists() {
            return Err(exists(&there));
        }
    }
    signer.save(dir, &name, protection).map_err(failed)
}

/// Opens a holder's key at DIR/NAME.
pub(super) fn load_signer(
    place: &Path,
    passphrase_file: Option<&Path>,
    ui: &Ui,
) -> Result<DualSigner, CliError> {
    let (dir, name) = split(place)?;
    DualSigner::load(dir, &name, || passphrase(passphrase_file, ui)).map_err(failed)
}

/// Keeps a party's keys in a directory that has none.
pub(super) fn save_keyring(
    keyring: &Keyring,
    dir: &Path,
    protection: &Protection,
) -> Result<(), CliError> {
    check_no_keyring(dir)?;
    keyring.save(dir, protection).map_err(failed)
}

/// Refuses a directory that has a keyring.
pub(super) fn check_no_keyring(dir: &Path) -> Result<(), CliError> {
    for name in ["keyring.age", "keyring.plain.toml"] {
        if dir.join(name).exists() {
            return Err(exists(&dir.join(name)));
        }
    }
    Ok(())
}

/// Opens a party's keys.
pub(super) fn load_keyring(
    dir: &Path,
    passphrase_file: Option<&Path>,
    ui: &Ui,
) -> Result<Keyring, CliError> {
    Keyring::load(dir, || passphrase(passphrase_file, ui)).map_err(failed)
}

fn passphrase(file: Option<&Path>, ui: &Ui) -> Result<Passphrase, String> {
    if let Some(file) = file {
        return from_file(file).map_err(|e| e.message);
    }
    if !ui.interactive {
        return Err("there is nobody to ask; add --passphrase-file FILE".to_owned());
    }
    let prompt = inquire::Password::new("Passphrase of the key")
        .without_confirmation()
        .with_display_mode(inquire::PasswordDisplayMode::Hidden);
    let typed = prompt.prompt().map_err(|e| e.to_string())?;
    Ok(Passphrase::new(typed))
}

/// The passphrase in the first line of a file that nobody else can read.
pub(crate) fn from_file(file: &Path) -> Result<Passphrase, CliError> {
    let unreadable = |e| CliError::usage(format!("cannot read {}: {e}", file.display()));
    let mode = fs::metadata(file).map_err(unreadable)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(CliError::usage(format!(
            "{} has mode {:04o}: others could read it",
            file.display(),
            mode & 0o7777
        ))
        .with_try("`chmod 600` it and choose another passphrase"));
    }
    let content = Zeroizing::new(fs::read(file).map_err(unreadable)?);
    Passphrase::from_line(&content).ok_or_else(|| {
        CliError::usage(format!("the first line of {} is empty", file.display()))
            .with_try("write the passphrase into the first line")
    })
}

/// DIR/NAME, also where somebody named the file itself.
fn split(place: &Path) -> Result<(&Path, String), CliError> {
    let none = || {
        CliError::usage(format!("`{}` names no key", place.display()))
            .with_try("write --key DIR/NAME")
    };
    let name = place
        .file_name()
        .and_then(|n| n.to_str())
        .ok_or_else(none)?;
    let bare = name
        .strip_suffix(".age")
        .or(name.strip_suffix(".plain.toml"));
    let dir = place.parent().filter(|p| !p.as_os_str().is_empty());
    Ok((
        dir.unwrap_or(Path::new(".")),
        bare.unwrap_or(name).to_owned(),
    ))
}

fn exists(path: &Path) -> CliError {
    CliError::new(
        Exit::Refused,
        format!("{} exists: no secret key is written over", path.display()),
    )
    .with_try("name another place")
}

fn failed(error: KeyringError) -> CliError {
    CliError::new(Exit::of_keys(&error), error.to_string())
}
