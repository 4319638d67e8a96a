//! `abeng keys`: what rests where, its backup, and its shares. Works on the files of a data
//! directory, whether its node runs or not.

mod backup;
mod list;
mod sheet;
mod split;
mod there;

pub use backup::{Kept, KeysBackup, NewerKeyring, Stays, keep_backup, last_kept};
pub(crate) use backup::{backed_up, look_again, newer_keyrings, note, replaceable, stays};
pub use list::{KeyItem, KeyList, list};
pub use sheet::{Sheet, SheetError, read_sheet};
pub use split::{SplitReport, SplitRequest, split};
pub use there::named;

use crate::{
    config::{Config, KeysConfig},
    identity::passphrase,
    layout::Layout,
    node_error::NodeError,
};
use abeng_keys::{Keyring, KeyringError, Passphrase, Protection, RecoveryError, ShareError};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why nothing, or not everything, was done with keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The directory or its trust data is not in order.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// Keys cannot be read or written.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// A set of shares that cannot be.
    #[error(transparent)]
    Shares(#[from] ShareError),
    /// What was written does not come back.
    #[error("what was written does not come back as it was: {0}")]
    Recovery(#[from] RecoveryError),
    /// A file cannot be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    File {
        /// The operation.
        doing: &'static str,
        /// What.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// Keys lie in the clear.
    #[error(
        "the keys of this node rest without a passphrase, and whoever has the backup would have them"
    )]
    PlainKeys,
    /// It lies inside the data directory.
    #[error("{} lies inside the data directory: it would be lost with it", dir.display())]
    Inside {
        /// The directory.
        dir: PathBuf,
    },
    /// A directory that is no backup of keys of this party.
    #[error("{} is no backup of the keys of {party}: {found}", dir.display())]
    Foreign {
        /// The directory.
        dir: PathBuf,
        /// Whose keys were to go there.
        party: abeng_wire::PartyCode,
        /// What is there.
        found: String,
    },
    /// The copy there holds seal keys that the keyring lacks.
    #[error("{} holds a newer copy of these keys: {} is only there", dir.display(), named(kids))]
    Newer {
        /// The directory.
        dir: PathBuf,
        /// The keys, newest last.
        kids: Vec<abeng_wire::Kid>,
    },
    /// The copy there cannot be opened, so that nobody knows what would be lost with it.
    #[error("the keyring in {} cannot be opened, and is not written over: {why}", dir.display())]
    Closed {
        /// The directory.
        dir: PathBuf,
        /// Why not.
        why: String,
    },
    /// A backup that does not hold what it should.
    #[error("{} does not hold the keys that were copied there", dir.display())]
    Differs {
        /// The directory.
        dir: PathBuf,
    },
}

impl KeysError {
    /// What to try.
    pub fn hint(&self) -> String {
        match self {
            Self::Node(error) => error.hint(),
            Self::Keyring(_) => "run it as the node's user; the passphrase is asked for, or read where node.toml says".into(),
            Self::Shares(_) => "for example --shares 5 --threshold 3".into(),
            Self::Recovery(_) | Self::Differs { .. } => "check the disk, and run the same command again".into(),
            Self::File { .. } => "check owner, mode and free space; run it as the node's user".into(),
            Self::PlainKeys => "give the keys a passphrase, or add --include-plain-keys and lock the backup away".into(),
            Self::Inside { .. } => "name a directory on another disk".into(),
            Self::Newer { dir, .. } => format!("keep what lies there: it alone opens what was sealed to that. Name another directory with --out; to go on with the newer keys, restore from {}", dir.display()),
            Self::Closed { .. } => "keep what lies there until somebody has opened it, and name another directory with --out".into(),
            Self::Foreign { dir, party, .. } => format!("name a new directory in it, such as {}, or the one of an earlier `abeng keys backup`", dir.join(format!("keys-{party}")).display()),
        }
    }
}

pub(crate) fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeysError {
    let path = path.to_owned();
    move |source| KeysError::File {
        doing,
        path,
        source,
    }
}

/// Reads the keyring with the passphrase that the configuration names, or else with the one that
/// `ask` gives; and says how it rests.
pub fn unlock(
    config: &Config,
    ask: impl FnOnce() -> Result<Passphrase, String>,
) -> Result<(Keyring, Protection), KeysError> {
    let mut used = None;
    let keyring = Keyring::load(&Layout::new(&config.data).keys(), || {
        let found = match (passphrase(config), &config.keys) {
            (Ok(found), _) => found,
            // Only the service itself has the credential; a person may know the passphrase.
            (Err(_), KeysConfig::PassphraseCredential(_) | KeysConfig::PassphraseFile(_)) => ask()?,
            (Err(why), KeysConfig::InsecurePlain) => return Err(why),
        };
        used = Some(found.clone());
        Ok::<_, String>(found)
    })?
    .expect_party(config.party)?;
    let protection = used.map_or(Protection::InsecurePlain, Protection::Passphrase);
    Ok((keyring, protection))
}
