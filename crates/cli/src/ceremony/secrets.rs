//! Secret keys of holders and parties at rest, and the passphrases that open them: from a file or
//! typed without being shown, never from an argument.

use crate::{CliError, Exit, Ui, args::RestArgs};
use abeng_keys::{DualSigner, Keyring, KeyringError, Passphrase, Protection};
use inquire::validator::Validation;
use std::{fs, os::unix::fs::PermissionsExt, path::Path};
use zeroize::Zeroizing;

const FIVE_WORDS: &str =
    "take five or more words that do not belong together, of your own choice and used nowhere else";

/// How new secrets are to rest.
pub(super) fn protection(rest: &RestArgs, ui: &Ui) -> Result<Protection, CliError> {
    if rest.insecure_plain_keys {
        return Ok(Protection::InsecurePlain);
    }
    if let Some(file) = &rest.passphrase_file {
        return Ok(Protection::Passphrase(new_from_file(file)?));
    }
    if !ui.interactive {
        return Err(CliError::usage("it must be said how the new key rests")
            .with_try("add --passphrase-file FILE; for trying things out, --insecure-plain-keys"));
    }
    ask_new("New passphrase").map(Protection::Passphrase)
}

/// A passphrase for keys that are made now, typed twice without being shown.
pub(crate) fn ask_new(what: &str) -> Result<Passphrase, CliError> {
    let long_enough = |typed: &str| {
        Ok(match Passphrase::new(typed.to_owned()).check_new() {
            Ok(()) => Validation::Valid,
            Err(e) => Validation::Invalid(format!("{e}: {FIVE_WORDS}").into()),
        })
    };
    let typed = inquire::Password::new(what)
        .with_display_mode(inquire::PasswordDisplayMode::Hidden)
        .with_validator(long_enough)
        .prompt()
        .map_err(|e| CliError::usage(e.to_string()))?;
    fit_for_new(Passphrase::new(typed), what)
}

/// A passphrase for keys that are made now, from a file that nobody else can read.
pub(crate) fn new_from_file(file: &Path) -> Result<Passphrase, CliError> {
    fit_for_new(from_file(file)?, &file.display().to_string())
}

/// Whoever has a copy of the file tries passphrases for as long as they like.
fn fit_for_new(passphrase: Passphrase, from: &str) -> Result<Passphrase, CliError> {
    let fit = passphrase.check_new();
    fit.map_err(|e| CliError::usage(format!("{from}: {e}")).with_try(FIVE_WORDS))?;
    Ok(passphrase)
}

/// Refuses a place DIR/NAME that has a holder's key; its directory.
pub(super) fn check_no_signer(place: &Path) -> Result<&Path, CliError> {
    let (dir, name) = split(place)?;
    for ending in ["age", "plain.toml"] {
        let there = dir.join(format!("{name}.{ending}"));
        if there.exists() {
            return Err(exists(&there));
        }
    }
    Ok(dir)
}

/// Keeps a holder's key at DIR/NAME, where none may be yet.
pub(super) fn save_signer(
    signer: &DualSigner,
    place: &Path,
    protection: &Protection,
) -> Result<(), CliError> {
    check_no_signer(place)?;
    let (dir, name) = split(place)?;
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
        return Err("there is nobody to ask; add --passphrase-file FILE (of `party rotate-keys`: --old-passphrase-file)".to_owned());
    }
    let prompt = inquire::Password::new("Passphrase of the key")
        .without_confirmation()
        .with_display_mode(inquire::PasswordDisplayMode::Hidden);
    let typed = prompt.prompt().map_err(|e| e.to_string())?;
    Ok(Passphrase::new(typed))
}

/// The passphrase in the first line of a file that nobody else can read.
fn from_file(file: &Path) -> Result<Passphrase, CliError> {
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
