//! A copy of a node's directory to go on from after a loss, taken while the node runs.
//!
//! The journal only grows, batch by batch, and recovers from any prefix of itself, so a copy of
//! its segments in order is a state that it had. Scrubbing puts another file in a segment's place:
//! after the copy every segment is looked at again. What was copied counts only once the node says that
//! it is durable: else a power cut could make another of it than the copy holds. The copy is
//! verified whole, as `abeng audit verify` would, before it is called a backup.

use crate::{
    clock,
    config::Config,
    held as waiting,
    identity::load_trust,
    keys::{self, KeysError},
    layout::{Layout, lies_in, replace},
    node_error::NodeError,
};
use abeng_audit_log::{LogFault, RealDisk, verify_log};
use abeng_wire::PartyCode;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// What says what a directory is a backup of. Written last.
pub(crate) const MANIFEST: &str = "backup.json";
/// The same in the data directory that it is of: its newest backup.
const NOTE: &str = "last-backup.json";
/// Files are compared and copied in pieces of this size.
const PIECE: usize = 1 << 20;
/// How often segments that scrubbing replaces meanwhile are copied again.
const ROUNDS: usize = 16;
/// The keyring in the clear.
const PLAIN: &str = "keyring.plain.toml";

/// What a backup is of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// 1.
    pub format: u32,
    /// Whose node.
    pub party: String,
    /// The life of its log, 16 hex digits.
    pub incarnation: String,
    /// Leaves in it; 0: it was cut short before it was one.
    pub leaves: u64,
    /// The root of its log, hex.
    pub root: String,
    /// When it was begun.
    pub at: String,
    /// The same, Unix milliseconds.
    pub at_ms: u64,
    /// It lies on the file system of the data that it is of, and is lost with it.
    #[serde(default)]
    pub same_disk: bool,
    /// Segments as they were copied, by name: where the source lay on its disk, and whether it was
    /// complete. One that was and lies there still is not read again.
    #[serde(default)]
    segments: BTreeMap<String, Seen>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    inode: u64,
    modified: i64,
    complete: bool,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackupReport {
    /// Where.
    pub out: PathBuf,
    /// What it is of.
    #[serde(flatten)]
    pub manifest: Manifest,
    /// Bytes written; the rest was there already.
    pub copied: u64,
}

/// Whether keys without a passphrase may go into a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlainKeys {
    /// They may not.
    #[default]
    Refuse,
    /// The administrator insists.
    Include,
}

/// Why there is no new backup. An older one in that directory still is one.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The node's directory or trust data is not in order.
    #[error(transparent)]
    Node(#[from] NodeError),
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
    /// The directory is something else.
    #[error("{} is not empty and no backup of {party}", dir.display())]
    Foreign {
        /// The directory.
        dir: PathBuf,
        /// Whose node.
        party: PartyCode,
    },
    /// The backup there is of another life of the log.
    #[error("{} holds a backup of the life {there} of the log, and this is another", dir.display())]
    OtherLife {
        /// The directory.
        dir: PathBuf,
        /// The life that the backup there is of.
        there: String,
    },
    /// The backup there has more than the data directory.
    #[error("{} holds {there} leaves of this log, more than the data directory: that is an older copy", dir.display())]
    Older {
        /// The directory.
        dir: PathBuf,
        /// Leaves in the backup there.
        there: u64,
    },
    /// It lies inside the data directory.
    #[error("{} lies inside the data directory: it would be lost with it", dir.display())]
    Inside {
        /// The directory.
        dir: PathBuf,
    },
    /// The node did not say that what was copied is durable.
    #[error("the node does not say how far its log is durable: {0}")]
    NotDurable(
        /// Why.
        String,
    ),
    /// Segments were replaced for as long as it was tried.
    #[error("content was being deleted all the while")]
    Unsteady,
    /// The copy does not verify.
    #[error("the copy does not verify: {0}")]
    Verify(#[from] LogFault),
    /// It holds newer keys, or it cannot be remembered that these are in it.
    #[error(transparent)]
    Keys(Box<KeysError>),
}

impl BackupError {
    /// What to try.
    pub fn hint(&self) -> String {
        match self {
            Self::Node(error) => error.hint(),
            Self::File { .. } => "check owner, mode and free space; run it as the node's user".into(),
            Self::PlainKeys => "give the keys a passphrase, or add --include-plain-keys and lock the backup away".into(),
            Self::Foreign { .. } => "name a new directory, or the one of an earlier backup of this node".into(),
            Self::OtherLife { .. } => "name a new directory; delete the old one once the new backup is verified".into(),
            Self::Older { .. } => "find out where the newer data directory is; if it is lost, restore that backup into a new directory with `abeng restore`".into(),
            Self::Inside { .. } => "name a directory on another disk".into(),
            Self::NotDurable(_) => "start the node, or stop it, and run the same command again; where the backup has more than the node, the data directory is an older copy".into(),
            Self::Unsteady => "run the same command again in a minute".into(),
            Self::Keys(error) => error.hint(),
            Self::Verify(_) => "run `abeng audit verify` on the data directory: if that holds, name a new directory for the backup".into(),
        }
    }
}

fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File {
        doing,
        path,
        source,
    }
}

/// Copies a node's directory to `out`, or brings an earlier copy there up to date. `config_file`
/// goes along. `durable` waits until a running node has so many leaves durable; it is not asked where
/// none runs. What is in `out` is touched only where it is a backup of this life, and no newer.
pub fn back_up(
    config: &Config,
    config_file: &Path,
    out: &Path,
    plain: PlainKeys,
    durable: impl Fn(u64) -> Result<(), String>,
) -> Result<BackupReport, BackupError> {
    let layout = Layout::new(&config.data);
    let at = clock::wall();
    let trust = load_trust(config, &layout, at)?;
    if layout.keys().join(PLAIN).exists() && plain == PlainKeys::Refuse {
        return Err(BackupError::PlainKeys);
    }
    let disk = RealDisk::new(layout.root());
    let held = disk.lock().map_err(file("lock", layout.root()))?;
    no_newer_keys(config, out)?;
    let before = prepare(config, &layout, out)?;
    let mut copy = Copying {
        from: layout.journal(),
        to: out.join("journal"),
        seen: before.segments,
        copied: 0,
    };
    let key = copy.from.join("key");
    let there = copy.to.join("key");
    match there.exists() {
        // A new life has another key, and segments of the same names.
        true if fs::read(&key).ok() != fs::read(&there).ok() => {
            return Err(BackupError::OtherLife {
                dir: out.into(),
                there: before.incarnation,
            });
        }
        true => {}
        false => {
            Layout::create_dir(&copy.to).map_err(file("make", &copy.to))?;
            copy.whole(&key, &there)?;
        }
    }
    if before.leaves > 0 {
        let older = || BackupError::Older {
            dir: out.into(),
            there: before.leaves,
        };
        match held.is_some() {
            true => {
                let found = verify_log(&disk, &trust, config.party, |_| ())?;
                (found.leaves >= before.leaves)
                    .then_some(())
                    .ok_or_else(older)?;
            }
            false => durable(before.leaves).map_err(BackupError::NotDurable)?,
        }
    }
    // What waits for its release before the log that may say it was sent, and what came meanwhile after it.
    let waiting = |gone| {
        let dir = layout.root().join(waiting::DIR);
        waiting::copy(layout.root(), out, gone).map_err(file("copy", &dir))
    };
    copy.copied += waiting(waiting::Gone::Delete)?;
    copy.segments()?;
    copy.copied += waiting(waiting::Gone::Keep)?;
    for dir in ["keys", "trust"] {
        copy.files(&layout.root().join(dir), &out.join(dir))?;
    }
    let blobs = layout.root().join("blobs");
    if blobs.is_dir() {
        copy.grown(&blobs, &out.join("blobs"))?;
    }
    copy.whole(config_file, &out.join("node.toml"))?;
    let report = verify_log(&RealDisk::new(out), &trust, config.party, |_| ())?;
    if held.is_none() {
        durable(report.leaves).map_err(BackupError::NotDurable)?;
    }
    let manifest = Manifest {
        format: 1,
        party: config.party.to_string(),
        incarnation: report.incarnation.to_string(),
        leaves: report.leaves,
        root: report.root.to_string(),
        at: clock::rfc3339(at),
        at_ms: at,
        same_disk: same_file_system(out, layout.root()).map_err(file("look at", out))?,
        segments: copy.seen,
    };
    write(&out.join(MANIFEST), &manifest)?;
    // How old the newest backup is shows in the data directory too.
    write(&layout.root().join(NOTE), &manifest)?;
    note_keys(&layout, out)?;
    Ok(BackupReport {
        out: out.to_owned(),
        manifest,
        copied: copy.copied,
    })
}

/// Whether two paths lie on one file system (`st_dev`): what takes that disk takes both.
pub fn same_file_system(one: &Path, other: &Path) -> io::Result<bool> {
    Ok(fs::metadata(one)?.dev() == fs::metadata(other)?.dev())
}

/// A seal key is published only once a backup is known to hold it.
fn note_keys(layout: &Layout, out: &Path) -> Result<(), BackupError> {
    let name = |dir: &Path| match dir.join(PLAIN).exists() {
        true => dir.join(PLAIN),
        false => dir.join("keyring.age"),
    };
    let path = name(&out.join("keys"));
    let copied = zeroize::Zeroizing::new(fs::read(&path).map_err(file("read back", &path))?);
    keys::note(layout, &copied, out, None).map_err(|source| BackupError::Keys(Box::new(source)))
}

/// Refuses to write over a newer keyring. A backup asks nobody for a passphrase: where none can be had, what
/// keyring lies there is not known, and it is a backup of this life by its journal.
fn no_newer_keys(config: &Config, out: &Path) -> Result<(), BackupError> {
    let nobody = || Err("nobody is asked".to_owned());
    let Ok((keyring, protection)) = keys::unlock(config, nobody) else {
        return Ok(());
    };
    match keys::replaceable(config, &keyring, &protection, out) {
        Err(newer @ KeysError::Newer { .. }) => Err(BackupError::Keys(Box::new(newer))),
        _ => Ok(()),
    }
}

/// The newest backup that was taken of a data directory, as far as is known there.
pub fn last_backup(data: &Path) -> Option<Manifest> {
    serde_json::from_slice(&fs::read(data.join(NOTE)).ok()?).ok()
}

/// Makes the directory, once it is known to be the right one; what it says of an earlier backup.
fn prepare(config: &Config, layout: &Layout, out: &Path) -> Result<Manifest, BackupError> {
    let root = layout.root();
    let root = root.canonicalize().map_err(file("find", root))?;
    if lies_in(out, &root).map_err(file("find", out))? {
        return Err(BackupError::Inside { dir: out.into() });
    }
    let foreign = || BackupError::Foreign {
        dir: out.into(),
        party: config.party,
    };
    let done = out.join(MANIFEST);
    if let Ok(bytes) = fs::read(&done) {
        let of: Manifest = serde_json::from_slice(&bytes).map_err(|_| foreign())?;
        return match of.party == config.party.as_str() {
            true => Ok(of),
            false => Err(foreign()),
        };
    }
    match fs::read_dir(out).map(|mut entries| entries.next().is_some()) {
        Ok(true) => return Err(foreign()),
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(file("read", out)(e)),
        _ => {}
    }
    Layout::create_dir(out).map_err(file("make", out))?;
    // From here on it is known for what it is, also where it is cut short.
    let begun = Manifest {
        format: 1,
        party: config.party.to_string(),
        ..Default::default()
    };
    write(&done, &begun)?;
    Ok(begun)
}

fn write(path: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let text = serde_json::to_vec_pretty(manifest).unwrap_or_default();
    replace(path, &text, 0o600).map_err(file("write", path))
}

struct Copying {
    from: PathBuf,
    to: PathBuf,
    seen: BTreeMap<String, Seen>,
    copied: u64,
}

impl Copying {
    /// All segments, and again those that another file has replaced meanwhile.
    fn segments(&mut self) -> Result<(), BackupError> {
        for _ in 0..ROUNDS {
            let names = self.names()?;
            for (nth, name) in names.iter().enumerate() {
                self.segment(name, nth + 1 < names.len())?;
            }
            // A leaf in the newest segment may tell of content deleted from an older one: those
            // are looked at once more behind it.
            if self.steady(&names)? {
                let synced = File::open(&self.to).and_then(|dir| dir.sync_all());
                return synced.map_err(file("sync", &self.to));
            }
        }
        Err(BackupError::Unsteady)
    }

    fn steady(&self, names: &[String]) -> Result<bool, BackupError> {
        for name in names {
            let path = self.from.join(name);
            let meta = fs::metadata(&path).map_err(file("look at", &path))?;
            if self.seen.get(name).map(|seen| seen.inode) != Some(meta.ino()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn names(&self) -> Result<Vec<String>, BackupError> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.from).map_err(file("read", &self.from))? {
            let name = entry.map_err(file("read", &self.from))?.file_name();
            names.extend(name.into_string().ok().filter(|n| n.ends_with(".seg")));
        }
        names.sort_by_key(|name| name.trim_end_matches(".seg").to_owned());
        Ok(names)
    }

    /// One segment, unless it was complete before and lies there still.
    fn segment(&mut self, name: &str, complete: bool) -> Result<(), BackupError> {
        let (from, to) = (self.from.join(name), self.to.join(name));
        let source = File::open(&from).map_err(file("open", &from))?;
        let meta = source.metadata().map_err(file("look at", &from))?;
        let now = Seen {
            inode: meta.ino(),
            modified: meta.mtime_nsec() + meta.mtime() * 1_000_000_000,
            complete,
        };
        let before = self.seen.get(name).copied();
        if before == Some(now) && complete && to.exists() {
            return Ok(());
        }
        let same = before.is_some_and(|before| before.inode == now.inode);
        // Beside what is there, unless it is that: a backup is one at every moment.
        let target = match same && to.exists() {
            true => to.clone(),
            false => to.with_extension("new"),
        };
        self.compare(&source, meta.len(), &target)?;
        if target != to {
            fs::rename(&target, &to).map_err(file("put in place", &to))?;
        }
        self.seen.insert(name.to_owned(), now);
        Ok(())
    }

    /// Writes the pieces that differ; zeros that were never written stay holes.
    fn compare(&mut self, source: &File, length: u64, to: &Path) -> Result<(), BackupError> {
        let target = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(to)
            .map_err(file("open", to))?;
        target.set_len(length).map_err(file("make room for", to))?;
        let (mut theirs, mut ours) = (vec![0; PIECE], vec![0; PIECE]);
        let mut at = 0;
        while at < length {
            let piece = PIECE.min((length - at) as usize);
            let (theirs, ours) = (&mut theirs[..piece], &mut ours[..piece]);
            source
                .read_exact_at(theirs, at)
                .map_err(file("copy to", to))?;
            target
                .read_exact_at(ours, at)
                .map_err(file("compare", to))?;
            if theirs != ours {
                target.write_all_at(theirs, at).map_err(file("write", to))?;
                self.copied += piece as u64;
            }
            at += piece as u64;
        }
        target.sync_all().map_err(file("sync", to))
    }

    /// A small file, as one step.
    fn whole(&mut self, from: &Path, to: &Path) -> Result<(), BackupError> {
        let bytes = zeroize::Zeroizing::new(fs::read(from).map_err(file("read", from))?);
        if fs::read(to).is_ok_and(|there| there == *bytes) {
            return Ok(());
        }
        self.copied += bytes.len() as u64;
        replace(to, &bytes, 0o600).map_err(file("write", to))
    }

    /// The files of a flat directory; what is there no more goes from the copy as well.
    fn files(&mut self, from: &Path, to: &Path) -> Result<(), BackupError> {
        Layout::create_dir(to).map_err(file("make", to))?;
        for entry in fs::read_dir(from).map_err(file("read", from))? {
            let entry = entry.map_err(file("read", from))?;
            if entry.path().is_file() {
                self.whole(&entry.path(), &to.join(entry.file_name()))?;
            }
        }
        for entry in fs::read_dir(to).map_err(file("read", to))? {
            let entry = entry.map_err(file("read", to))?;
            if entry.path().is_file() && !from.join(entry.file_name()).exists() {
                let path = entry.path();
                fs::remove_file(&path).map_err(file("remove", &path))?;
            }
        }
        Ok(())
    }

    /// Files that are named by their content: those that are not there yet, with what lies below.
    fn grown(&mut self, from: &Path, to: &Path) -> Result<(), BackupError> {
        Layout::create_dir(to).map_err(file("make", to))?;
        for entry in fs::read_dir(from).map_err(file("read", from))? {
            let entry = entry.map_err(file("read", from))?;
            let (path, target) = (entry.path(), to.join(entry.file_name()));
            let Ok(meta) = entry.metadata() else { continue };
            if meta.is_dir() {
                self.grown(&path, &target)?;
            } else if fs::metadata(&target).map_or(0, |m| m.len()) != meta.len()
                && let Ok(source) = File::open(&path)
            {
                // Under its name only once it is whole: by its length it counts as done.
                let mut new = target.clone().into_os_string();
                new.push(".new");
                let new = PathBuf::from(new);
                self.compare(&source, meta.len(), &new)?;
                fs::rename(&new, &target).map_err(file("rename", &target))?;
            }
        }
        File::open(to)
            .and_then(|dir| dir.sync_all())
            .map_err(file("sync", to))
    }
}
