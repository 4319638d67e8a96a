//! Secrets at rest: one file, either encrypted with a passphrase (age, scrypt) or plain with
//! mode 0600, replaced as a whole.

use crate::{Passphrase, replace::replace_secret};
use abeng_wire::PartyCode;
use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// How secrets rest on disk.
#[derive(Debug, Clone)]
pub enum Protection {
    /// Encrypted with a passphrase, age format.
    Passphrase(Passphrase),
    /// In the clear, readable by the owner alone. For trying things out.
    InsecurePlain,
}

/// Why keys could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// Neither form of the file is there.
    #[error("no keys found: looked for {} and {}", looked_for[0].display(), looked_for[1].display())]
    Missing {
        /// Where.
        looked_for: [PathBuf; 2],
    },
    /// Both forms are there, and it would be a guess which one is meant.
    #[error("both {} and {} exist: move one of them away", files[0].display(), files[1].display())]
    Ambiguous {
        /// The files.
        files: [PathBuf; 2],
    },
    /// The passphrase does not open the file.
    #[error("the passphrase does not open {}", file.display())]
    WrongPassphrase {
        /// The file.
        file: PathBuf,
    },
    /// No passphrase could be had.
    #[error("no passphrase for {}: {reason}", file.display())]
    NoPassphrase {
        /// The file that needs one.
        file: PathBuf,
        /// What the caller said.
        reason: String,
    },
    /// The keys are those of another party.
    #[error("these are the keys of {found}, not of {expected}")]
    OtherParty {
        /// Whose they must be.
        expected: PartyCode,
        /// Whose they are.
        found: PartyCode,
    },
    /// A plain file that others could read.
    #[error("{} has mode {mode:04o}: others could have read it; make new keys, or `chmod 600` it if you know better", file.display())]
    Permissions {
        /// The file.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is not what we wrote.
    #[error("{} is damaged: {reason}; restore it from the backup", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it; never a secret.
        reason: String,
    },
    /// The passphrase could not be applied.
    #[error("cannot encrypt {}: {reason}", file.display())]
    Encrypt {
        /// The file.
        file: PathBuf,
        /// The library's words.
        reason: String,
    },
    /// The operating system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Its answer.
        source: io::Error,
    },
}

/// A secret file in its two possible places.
pub(crate) struct SecretFile {
    encrypted: PathBuf,
    plain: PathBuf,
}

impl SecretFile {
    pub(crate) fn new(dir: &Path, name: &str) -> Self {
        Self {
            encrypted: dir.join(format!("{name}.age")),
            plain: dir.join(format!("{name}.plain.toml")),
        }
    }

    /// Writes the content in the form asked for; refuses where the other form exists.
    pub(crate) fn save(&self, content: &str, protection: &Protection) -> Result<(), KeyringError> {
        let (file, other) = match protection {
            Protection::Passphrase(_) => (&self.encrypted, &self.plain),
            Protection::InsecurePlain => (&self.plain, &self.encrypted),
        };
        if exists(other)? {
            return Err(self.ambiguous());
        }
        match protection {
            Protection::Passphrase(passphrase) => {
                let sealed =
                    passphrase
                        .encrypt(content.as_bytes())
                        .map_err(|e| KeyringError::Encrypt {
                            file: file.clone(),
                            reason: e.to_string(),
                        })?;
                replace_secret(file, &sealed)
            }
            Protection::InsecurePlain => replace_secret(file, content.as_bytes()),
        }
    }

    /// Reads whichever form is there; asks for a passphrase only if it needs one. The path is
    /// that of the file read.
    pub(crate) fn load<E: std::fmt::Display>(
        &self,
        passphrase: impl FnOnce() -> Result<Passphrase, E>,
    ) -> Result<(PathBuf, Zeroizing<Vec<u8>>), KeyringError> {
        match (exists(&self.encrypted)?, exists(&self.plain)?) {
            (true, true) => Err(self.ambiguous()),
            (false, false) => Err(KeyringError::Missing {
                looked_for: [self.encrypted.clone(), self.plain.clone()],
            }),
            (false, true) => {
                let file = self.plain.clone();
                let mode = fs::metadata(&file).map_err(io("look at", &file))?.mode() & 0o7777;
                if mode & 0o077 != 0 {
                    return Err(KeyringError::Permissions { file, mode });
                }
                let content = fs::read(&file).map_err(io("read", &file))?;
                Ok((file, Zeroizing::new(content)))
            }
            (true, false) => {
                let file = self.encrypted.clone();
                let sealed = fs::read(&file).map_err(io("read", &file))?;
                let passphrase = passphrase().map_err(|e| KeyringError::NoPassphrase {
                    file: file.clone(),
                    reason: e.to_string(),
                })?;
                match passphrase.decrypt(&sealed) {
                    Ok(content) => Ok((file, content)),
                    // The wrapped file key does not open: nothing but the passphrase is known
                    // to be wrong.
                    Err(age::DecryptError::DecryptionFailed) => {
                        Err(KeyringError::WrongPassphrase { file })
                    }
                    Err(e) => Err(KeyringError::Damaged {
                        file,
                        reason: e.to_string(),
                    }),
                }
            }
        }
    }

    fn ambiguous(&self) -> KeyringError {
        KeyringError::Ambiguous {
            files: [self.encrypted.clone(), self.plain.clone()],
        }
    }
}

fn exists(path: &Path) -> Result<bool, KeyringError> {
    path.try_exists().map_err(io("look for", path))
}

pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyringError {
    move |source| KeyringError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}
