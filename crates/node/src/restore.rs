//! A node's directory from a backup, or from its keys alone. What was restored is never the same life
//! again: between the backup and the loss the old one has said more, to peers who hold proof of it.

use crate::{
    backup::{MANIFEST, Manifest},
    clock,
    config::{Config, ConfigError, KeysConfig, PinConfig},
    identity::{check_keys, load_trust_from, unlock_in},
    keys::{NewerKeyring, newer_keyrings},
    lacking::{LackingKey, lacking},
    layout::{Layout, replace},
    life::{IfNewer, LifeError, LifeReport, check_reason, new_life},
    node_error::{DENIED, NodeError, denied},
};
use abeng_audit_log::{LogFault, RealDisk, verify_log};
use abeng_keys::Keyring;
use abeng_roster::Trust;
use abeng_wire::{Millis, PartyCode};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// What goes from a backup into a data directory.
const PARTS: [&str; 5] = ["journal", "keys", "trust", "blobs", crate::held::DIR];
const CONFIG: &str = "node.toml";
/// Stands in a data directory until its restore has come to its end.
const RESTORING: &str = "restoring";

/// Where a node is restored from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The directory of a backup.
    Backup(
        /// The directory.
        PathBuf,
    ),
    /// Nothing but keys, a trust bundle of any node of the network, and a configuration.
    Keys {
        /// The directory with the keyring.
        keys: PathBuf,
        /// The bundle, which proves itself.
        trust: PathBuf,
        /// The node.toml.
        config: PathBuf,
    },
}

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// There is something already.
    #[error("{} is not empty: a node is restored into a directory of its own", dir.display())]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
    /// No backup.
    #[error("{} holds no backup: {why}", dir.display())]
    NoBackup {
        /// The directory.
        dir: PathBuf,
        /// What is missing.
        why: String,
    },
    /// The backup is not what its manifest says.
    #[error("the backup holds {found} leaves with the root {root}, and says {leaves}")]
    Other {
        /// Leaves in it.
        found: u64,
        /// Their root.
        root: String,
        /// What it says.
        leaves: u64,
    },
    /// The backup does not verify.
    #[error("the backup does not verify: {0}")]
    Verify(#[from] LogFault),
    /// Its configuration is not in order.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It is another party's, or its trust data does not hold.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The new life was not opened.
    #[error(transparent)]
    Life(#[from] LifeError),
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
}

impl RestoreError {
    /// What to try.
    pub fn hint(&self) -> String {
        match self {
            Self::NotEmpty { .. } => {
                "name a new directory; what lies there may be all that is left of the node".into()
            }
            Self::NoBackup { .. } => {
                "name the directory that `abeng backup --out DIR` wrote".into()
            }
            Self::Other { .. } | Self::Verify(_) => {
                "use an older backup, or restore from the keys alone: peers send again what they hold".into()
            }
            Self::Config(e) => e.hint(),
            Self::Node(e) => e.hint(),
            Self::Life(e @ LifeError::Reason(_)) => e.hint(),
            Self::Life(e) => format!(
                "{}. When that is mended, delete what was laid out and restore once more",
                e.hint()
            ),
            Self::File { source, .. } if denied(source) => DENIED.into(),
            Self::File { .. } => "check owner, mode and free space".into(),
        }
    }
}

fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RestoreError {
    let path = path.to_owned();
    move |source| RestoreError::File {
        doing,
        path,
        source,
    }
}

/// What a directory is a backup of.
pub fn backup_of(dir: &Path) -> Result<Manifest, RestoreError> {
    let none = |why: String| RestoreError::NoBackup {
        dir: dir.to_owned(),
        why,
    };
    let path = dir.join(MANIFEST);
    let bytes = match fs::read(&path) {
        Err(e) if denied(&e) => return Err(file("read", &path)(e)),
        bytes => bytes.map_err(|e| none(format!("{MANIFEST}: {e}")))?,
    };
    let of: Manifest =
        serde_json::from_slice(&bytes).map_err(|e| none(format!("{MANIFEST}: {e}")))?;
    match of.leaves {
        0 => Err(none("it was cut short before it was one".to_owned())),
        _ => Ok(of),
    }
}

/// What a node would be restored from, read and verified where it lies.
struct Inputs {
    config: Config,
    trust: Trust,
    keyring: Keyring,
}

impl Inputs {
    fn read(
        keys: &Path,
        trust: &Path,
        config: &Path,
        data: &Path,
    ) -> Result<(Self, Millis), RestoreError> {
        let now = clock::wall();
        let base = std::path::absolute(data).map_err(file("find", data))?;
        let config = Config::load_for(config, &base)?;
        let trust = load_trust_from(&config, trust, now)?;
        let keyring = unlock_in(&config, keys)?;
        check_keys(&keyring, &trust)?;
        let inputs = Self {
            config,
            trust,
            keyring,
        };
        Ok((inputs, now))
    }

    fn of(source: &Source, data: &Path) -> Result<(Self, Millis), RestoreError> {
        match source {
            Source::Backup(from) => {
                let trust = Layout::new(from).trust();
                Self::read(&from.join("keys"), &trust, &from.join(CONFIG), data)
            }
            Source::Keys {
                keys,
                trust,
                config,
            } => Self::read(keys, trust, config, data),
        }
    }
}

/// What the keyring of a restore does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    /// Published seal keys that it lacks, by the trust data.
    pub keys: Vec<LackingKey>,
    /// Where newer copies of it lie, of those that the node itself has made.
    pub newer: Vec<NewerKeyring>,
}

/// What the keyring of `source` lacks. Everything that a restore into `data` needs is looked at, but for
/// the log of a backup, and nothing is written.
pub fn lacking_keys(source: &Source, data: &Path) -> Result<Lacking, RestoreError> {
    let (inputs, now) = Inputs::of(source, data)?;
    Ok(Lacking {
        keys: lacking(&inputs.trust, &inputs.keyring, now),
        newer: newer_keyrings(&inputs.config, &inputs.keyring),
    })
}

/// Restores a node into `data`, which is empty or not there, and opens a new life of its log.
/// `told` hears of leaves carried over. Every input is verified before anything is written.
pub fn restore(
    source: &Source,
    data: &Path,
    reason: &str,
    told: &mut dyn FnMut(u64, u64),
) -> Result<LifeReport, RestoreError> {
    check_reason(reason)?;
    // That there is no backup is said before what else lacks.
    if let Source::Backup(from) = source {
        backup_of(from)?;
    }
    let (inputs, _) = Inputs::of(source, data)?;
    if !is_free(data, &inputs.config)? {
        return Err(RestoreError::NotEmpty { dir: data.into() });
    }
    match source {
        Source::Backup(from) => lay_out(from, &inputs, data)?,
        Source::Keys {
            keys,
            trust,
            config,
        } => {
            begin(data)?;
            copy_dir(keys, &data.join("keys"))?;
            let dir = data.join("trust");
            Layout::create_dir(&dir).map_err(file("make", &dir))?;
            copy_file(trust, &dir.join("bundle.pb"))?;
            copy_file(config, &data.join(CONFIG))?;
        }
    }
    let report = new_life(&configured(data)?, reason, IfNewer::GoOn, told)?;
    fs::remove_file(data.join(RESTORING))
        .and_then(|()| sync_dir(data))
        .map_err(file("finish", data))?;
    Ok(report)
}

/// Whether nothing lies there but the files with a passphrase or PIN that the configuration looks
/// for there: those are in no backup, and must be there before.
fn is_free(data: &Path, config: &Config) -> Result<bool, RestoreError> {
    let entries = match fs::read_dir(data) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(true),
        entries => entries.map_err(file("read", data))?,
    };
    let mut secrets = Vec::new();
    if let KeysConfig::PassphraseFile(file) = &config.keys {
        secrets.extend(file.file_name());
    }
    if let Some(PinConfig::File(file)) = config.token.as_ref().map(|token| &token.pin) {
        secrets.extend(file.file_name());
    }
    for entry in entries {
        let name = entry.map_err(file("read", data))?.file_name();
        if !secrets.contains(&name.as_os_str()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// From here on the directory is no node's, until its new life has begun.
fn begin(data: &Path) -> Result<(), RestoreError> {
    Layout::create_dir(data).map_err(file("make", data))?;
    File::create_new(data.join(RESTORING))
        .and_then(|mark| mark.sync_all())
        .and_then(|()| sync_dir(data))
        .map_err(file("mark", data))
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Refuses a data directory whose restore did not come to its end: it would go on in the life that
/// the lost machine had.
pub fn not_half_restored(data: &Path) -> Result<(), NodeError> {
    match data.join(RESTORING).exists() {
        true => Err(NodeError::HalfRestored { dir: data.into() }),
        false => Ok(()),
    }
}

/// The configuration that was restored. It may name another directory: that of the old machine.
fn configured(data: &Path) -> Result<Config, RestoreError> {
    let mut config = Config::load(&data.join(CONFIG))?;
    config.data = data.canonicalize().map_err(file("find", data))?;
    Ok(config)
}

/// Checks a backup where it lies, then copies it.
fn lay_out(from: &Path, inputs: &Inputs, data: &Path) -> Result<(), RestoreError> {
    let manifest = backup_of(from)?;
    let me = inputs.config.party;
    if PartyCode::new(&manifest.party).ok() != Some(me) {
        return Err(NodeError::OtherNode {
            dir: from.to_owned(),
            found: manifest.party,
            expected: me,
        }
        .into());
    }
    let found = verify_log(&RealDisk::new(from), &inputs.trust, me, |_| ())?;
    // A later backup that was cut short leaves more than the manifest says, and as good.
    let other_root = found.leaves == manifest.leaves && found.root.to_string() != manifest.root;
    if found.leaves < manifest.leaves || other_root {
        return Err(RestoreError::Other {
            found: found.leaves,
            root: found.root.to_string(),
            leaves: manifest.leaves,
        });
    }
    begin(data)?;
    for part in PARTS {
        let part_of = from.join(part);
        if part_of.is_dir() {
            copy_dir(&part_of, &data.join(part))?;
        }
    }
    copy_file(&from.join(CONFIG), &data.join(CONFIG))
}

fn copy_dir(from: &Path, to: &Path) -> Result<(), RestoreError> {
    Layout::create_dir(to).map_err(file("make", to))?;
    for entry in fs::read_dir(from).map_err(file("read", from))? {
        let entry = entry.map_err(file("read", from))?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(file("look at", &path))?;
        // A copy that was cut short, of an interrupted backup.
        let left = path.extension().is_some_and(|e| e == "new");
        if kind.is_dir() {
            copy_dir(&path, &target)?;
        } else if kind.is_file() && !left {
            copy_large(&path, &target)?;
        }
    }
    let synced = File::open(to).and_then(|dir| dir.sync_all());
    synced.map_err(file("sync", to))
}

fn copy_large(from: &Path, to: &Path) -> Result<(), RestoreError> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut source = File::open(from).map_err(file("open", from))?;
    let mut options = fs::OpenOptions::new();
    let target = options.write(true).create_new(true).mode(0o600).open(to);
    let mut target = target.map_err(file("make", to))?;
    io::copy(&mut source, &mut target).map_err(file("write", to))?;
    target.sync_all().map_err(file("sync", to))
}

fn copy_file(from: &Path, to: &Path) -> Result<(), RestoreError> {
    let bytes = fs::read(from).map_err(file("read", from))?;
    replace(to, &bytes, 0o600).map_err(file("write", to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_read_is_no_other_fault() {
        let may_not = file("read", Path::new("b"))(io::ErrorKind::PermissionDenied.into());
        assert_eq!(may_not.hint(), DENIED);
        let config = ConfigError::Unreadable {
            path: "node.toml".into(),
            source: io::ErrorKind::PermissionDenied.into(),
        };
        assert_eq!(config.hint(), DENIED);
        let trust = NodeError::TrustFile {
            path: "bundle.pb".into(),
            source: io::ErrorKind::PermissionDenied.into(),
        };
        assert_eq!(trust.hint(), DENIED);
        let none = file("read", Path::new("b"))(io::ErrorKind::StorageFull.into());
        assert_ne!(none.hint(), DENIED);
    }

    #[test]
    fn a_directory_that_was_half_restored_is_no_nodes() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("jm");
        assert!(not_half_restored(&data).is_ok());
        begin(&data).unwrap();
        let refused = not_half_restored(&data);
        assert!(matches!(refused, Err(NodeError::HalfRestored { dir }) if dir == data));
        assert!(begin(&data).is_err(), "nor is it begun twice");
    }
}
