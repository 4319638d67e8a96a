//! What the data directory knows of its keyring's shares: the public key that the keyring is sealed
//! to, and how the set was made. No secret.

use crate::{
    Keyring, KeyringError, SealPublic, SetId,
    backup_secret::seal_keyring,
    replace::{put_secret, replace_secret},
    rest::io,
};
use abeng_wire::{Kid, Millis, PartyCode};
use data_encoding::HEXLOWER;
use serde::Deserialize;
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// The keyring, sealed to the key that the shares give.
pub const SEALED: &str = "keyring.sealed";
/// The same for a new set, until its sheets are safe.
const BESIDE: &str = "keyring.sealed-next";
const RECORD: &str = "backup-key.toml";
const FORMAT: &str = "abeng-backup-key-1";

/// The public half of what shares give back, and how they were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupKey {
    /// Whose keyring.
    pub party: PartyCode,
    /// How many shares are needed.
    pub threshold: u8,
    /// Of how many.
    pub shares: u8,
    /// When they were made, Unix milliseconds.
    pub at: Millis,
    /// What the keyring is sealed to.
    pub public: SealPublic,
}

impl BackupKey {
    /// What is in a directory of keys; `None` where its keyring was never split.
    ///
    /// # Errors
    /// [`KeyringError::Damaged`] for a record that cannot be read: a keyring that is saved past it
    /// would be missing in the backup.
    pub fn load(dir: &Path) -> Result<Option<Self>, KeyringError> {
        let file = dir.join(RECORD);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(io("read", &file)(e)),
        };
        let key = read(&text).ok_or_else(|| KeyringError::Damaged {
            file,
            reason: "it is not as written by `abeng keys split`".to_owned(),
        })?;
        Ok(Some(key))
    }

    /// Writes the record; from now on the keyring in `dir` is sealed to this key whenever it is
    /// saved.
    pub fn save(&self, dir: &Path) -> Result<(), KeyringError> {
        let text = format!(
            "# The public key of the printed shares of this node's keys. It is no secret.\n\
             format = \"{FORMAT}\"\nparty = \"{}\"\nthreshold = {}\nshares = {}\nat = {}\nkey = \"{}\"\n",
            self.party,
            self.threshold,
            self.shares,
            self.at,
            HEXLOWER.encode(self.public.bytes())
        );
        replace_secret(&dir.join(RECORD), text.as_bytes())
    }

    /// Which set.
    pub fn set(&self) -> SetId {
        SetId::of(&self.kid())
    }

    /// The key's identifier, whose first bytes are the set.
    pub fn kid(&self) -> Kid {
        self.public.kid()
    }

    /// Seals the keyring and writes it to `keyring.sealed` in `dir`.
    pub fn save_sealed(&self, keyring: &Keyring, dir: &Path) -> Result<(), KeyringError> {
        self.seal_into(keyring, &dir.join(SEALED))
    }

    /// Seals the keyring into a file of its own in `dir`, which is returned: `keyring.sealed` of an
    /// earlier set stays as it is until [`Self::put_in_force`].
    pub fn seal_beside(&self, keyring: &Keyring, dir: &Path) -> Result<PathBuf, KeyringError> {
        let beside = dir.join(BESIDE);
        self.seal_into(keyring, &beside)?;
        Ok(beside)
    }

    /// What [`Self::seal_beside`] made becomes `keyring.sealed`, and the record is of this key.
    /// The sealed keyring first: a record without it would be a promise only.
    pub fn put_in_force(&self, dir: &Path) -> Result<(), KeyringError> {
        let sealed = dir.join(SEALED);
        put_secret(&dir.join(BESIDE), &sealed)?;
        self.save(dir)
    }

    fn seal_into(&self, keyring: &Keyring, file: &Path) -> Result<(), KeyringError> {
        if keyring.party != self.party {
            return Err(KeyringError::OtherParty {
                expected: keyring.party,
                found: self.party,
            });
        }
        replace_secret(file, &seal_keyring(keyring, &self.public))
    }
}

fn read(text: &str) -> Option<BackupKey> {
    let file: File = toml::from_str(text).ok()?;
    let key = HEXLOWER.decode(file.key.as_bytes()).ok()?;
    let sizes = file.threshold >= 2 && file.threshold <= file.shares;
    (file.format == FORMAT && sizes).then_some(())?;
    Some(BackupKey {
        party: PartyCode::new(&file.party).ok()?,
        threshold: file.threshold,
        shares: file.shares,
        at: file.at,
        public: SealPublic::admit(&key).ok()?,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    party: String,
    threshold: u8,
    shares: u8,
    at: Millis,
    key: String,
}
