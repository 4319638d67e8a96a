//! A new life of a node's log, opened on purpose: after a restore, or where the past of the old one
//! is proved not to be the newest. The node does not run meanwhile.
//!
//! The journal of the new life is made beside the old one: leaf 0 opens it, then every record of the
//! old one is carried over at its index. So the inbox, what was sent, holds, deadlines and what
//! was witnessed go on; envelopes keep the life and the numbers that they were sealed with, and what
//! was not delivered goes on being offered. Only when all of it is durable do the two change places.
//! The old journal stays in `lives/`, until the administrator deletes it.

use crate::{
    clock,
    config::Config,
    founding::{InitError, first_leaf},
    identity::{check_keys, load_trust, open_identity, unlock},
    layout::{Layout, replace},
    newer::{self, NewerLife},
    node_error::NodeError,
    past,
};
use abeng_audit_log::{
    Batch, CarryError, Checkpoint, Fatal, Journal, JournalIdentity, LogOrigin, OpenError,
    OpenOptions, Outside, ReadError, RealDisk, Recovery, carry_over,
    past::{OwnLog, Proved},
};
use abeng_keys::{Entropy, Keyring, SystemEntropy};
use abeng_roster::Trust;
use abeng_wire::{Incarnation, PartyCode, v1};
use bytes::Bytes;
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// Characters of a reason.
const REASON: usize = 400;
/// Room beside the journal's copy, in bytes: segments ahead, node hashes, the view.
const BESIDE: u64 = 256 << 20;
/// Where the new journal is made, and what says that it is whole.
const NEXT: &str = "next";
const COMPLETE: &str = "next/complete";
/// What changes places.
const PARTS: [&str; 2] = ["journal", "tiles"];

/// What was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifeReport {
    /// Whose log.
    pub party: PartyCode,
    /// The new life.
    pub incarnation: Incarnation,
    /// The one before; `None` where nothing was known of one.
    pub previous: Option<Incarnation>,
    /// Leaves of the new log.
    pub leaves: u64,
    /// Where the old journal lies.
    pub kept: Option<PathBuf>,
}

/// Whether a new life is opened although a newer one of this log is at work elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IfNewer {
    /// It is not: usually the copy here is the one to switch off.
    #[default]
    Refuse,
    /// The administrator insists.
    GoOn,
}

/// Why no new life was opened. The old journal is as it was.
#[derive(Debug, thiserror::Error)]
pub enum LifeError {
    /// The node could not start either.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A reason that says nothing, or too much.
    #[error("the reason has {0} characters; it needs 1 to {REASON}")]
    Reason(
        /// Characters.
        usize,
    ),
    /// Peers have shown a newer life, by this party's own key.
    #[error(
        "this is an old copy of the data of {party}: {newer}. A new life here closes that one: every peer then refuses the other copy, and what only the other one has received, sent or read is lost but for what peers still hold"
    )]
    Newer {
        /// Whose log.
        party: PartyCode,
        /// The newer life.
        newer: NewerLife,
    },
    /// Not enough room for a second journal.
    #[error(
        "the new journal needs {needed} bytes beside the old one, and {free} are free in {}",
        dir.display()
    )]
    Room {
        /// Bytes.
        needed: u64,
        /// Bytes.
        free: u64,
        /// The data directory.
        dir: PathBuf,
    },
    /// The old log does not go over.
    #[error(transparent)]
    Carry(#[from] CarryError),
    /// The new one cannot be made.
    #[error(transparent)]
    Create(#[from] InitError),
    /// A file or directory stands in the way.
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

impl From<OpenError> for LifeError {
    fn from(error: OpenError) -> Self {
        Self::Node(error.into())
    }
}

impl From<ReadError> for LifeError {
    fn from(error: ReadError) -> Self {
        Self::Node(error.into())
    }
}

impl From<Fatal> for LifeError {
    fn from(error: Fatal) -> Self {
        Self::Node(NodeError::Journal(error))
    }
}

impl LifeError {
    /// What to try.
    pub fn hint(&self) -> String {
        match self {
            Self::Node(NodeError::InUse { .. }) => "stop the node first; a new life is opened while it does not run".into(),
            Self::Node(error) => error.hint(),
            Self::Reason(_) => "say in a sentence what happened: --reason \"disk lost, restored from the backup of Monday\"".into(),
            Self::Newer { .. } => "usually this copy is the one to switch off: stop it for good, and work with the other. Where this one is to be kept, switch the other off for good and add --although-newer".into(),
            Self::Room { .. } => "free that much, or move the data directory to a larger disk".into(),
            Self::Carry(_) | Self::Create(_) => "nothing was changed: the old journal is as it was. See docs/operations.md, Damage".into(),
            Self::File { .. } => "check owner and mode of the data directory, then run the same command again".into(),
        }
    }
}

fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LifeError {
    let path = path.to_owned();
    move |source| LifeError::File {
        doing,
        path,
        source,
    }
}

/// Refuses a reason that says nothing, or too much.
pub(crate) fn check_reason(reason: &str) -> Result<(), LifeError> {
    let length = reason.trim().chars().count();
    match (1..=REASON).contains(&length) {
        true => Ok(()),
        false => Err(LifeError::Reason(length)),
    }
}

/// Opens a new life in a data directory whose node does not run. `told` hears of leaves carried
/// over, and of how many there are.
pub fn new_life(
    config: &Config,
    reason: &str,
    if_newer: IfNewer,
    told: &mut dyn FnMut(u64, u64),
) -> Result<LifeReport, LifeError> {
    check_reason(reason)?;
    let layout = Layout::new(&config.data);
    if !layout.root().is_dir() {
        return Err(NodeError::NoData {
            dir: config.data.clone(),
        }
        .into());
    }
    let disk = RealDisk::new(layout.root());
    let held = disk.lock().map_err(|source| NodeError::Directory {
        dir: config.data.clone(),
        source,
    })?;
    let _held = held.ok_or_else(|| NodeError::InUse {
        dir: config.data.clone(),
    })?;
    finish_switch(&layout)?;
    let now = clock::wall();
    let trust = load_trust(config, &layout, now)?;
    let keyring = unlock(config, &layout)?;
    check_keys(&keyring, &trust)?;
    let opening = Opening {
        layout: &layout,
        keyring: &keyring,
        trust: &trust,
        reason: reason.trim(),
        if_newer,
        now,
    };
    match layout.journal().join("key").is_file() {
        true => opening.after(told),
        false => opening.first(),
    }
}

/// What a new life is opened with.
struct Opening<'a> {
    layout: &'a Layout,
    keyring: &'a Keyring,
    trust: &'a Trust,
    reason: &'a str,
    if_newer: IfNewer,
    now: u64,
}

impl Opening<'_> {
    /// From keys alone.
    fn first(&self) -> Result<LifeReport, LifeError> {
        let (incarnation, journal) = self.create(
            self.layout.root(),
            Incarnation::default(),
            Bytes::new(),
            Incarnation::default(),
        )?;
        journal.close()?;
        Ok(LifeReport {
            party: self.keyring.party,
            incarnation,
            previous: None,
            leaves: 1,
            kept: None,
        })
    }

    /// After a life whose journal is here.
    fn after(&self, told: &mut dyn FnMut(u64, u64)) -> Result<LifeReport, LifeError> {
        let root = self.layout.root();
        let disk = RealDisk::new(root);
        let (old, found) = Journal::open(disk, OpenOptions::default())?;
        let previous = open_identity(&old, self.trust, self.keyring.party, root)?;
        let origin = self.origin(previous)?;
        let newest = self.newest_proved(&old, &found, origin);
        if let (Some(life), IfNewer::Refuse) = (newest, self.if_newer) {
            old.close()?;
            return Err(LifeError::Newer {
                party: self.keyring.party,
                newer: NewerLife::recover(life, self.layout),
            });
        }
        self.room()?;
        let last = self.last_checkpoint(&old, &found, origin)?;
        let floor = newest.unwrap_or_default();
        let next = root.join(NEXT);
        let (incarnation, new) = self.create(&next, previous, last, floor)?;
        let (reader, size) = (old.reader(), found.size);
        let new = carry_over(&reader, found.outside, new, incarnation, |n| told(n, size))?;
        let leaves = new.size();
        new.close()?;
        old.close()?;
        let complete = root.join(COMPLETE);
        replace(&complete, previous.to_string().as_bytes(), 0o600)
            .map_err(file("write", &complete))?;
        finish_switch(self.layout)?;
        newer::forget(self.layout).map_err(file("clean", root))?;
        Ok(LifeReport {
            party: self.keyring.party,
            incarnation,
            previous: Some(previous),
            leaves,
            kept: Some(lives(self.layout, &previous.to_string())),
        })
    }

    /// A journal with the leaf that opens the life.
    fn create(
        &self,
        home: &Path,
        previous: Incarnation,
        last: Bytes,
        floor: Incarnation,
    ) -> Result<(Incarnation, Journal<RealDisk>), LifeError> {
        let mut random = [0; 2];
        SystemEntropy.fill(&mut random);
        let above = previous.max(floor);
        let incarnation = Incarnation::new(self.now, u16::from_be_bytes(random), above);
        let statement = v1::Incarnation {
            party: self.keyring.party.to_string(),
            incarnation: incarnation.0,
            previous: previous.0,
            previous_checkpoint: last,
            reason: self.reason.to_owned(),
        };
        let first = first_leaf(self.keyring, self.trust, self.now, statement)?;
        let mut key = [0; 32];
        SystemEntropy.fill(&mut key);
        let disk = RealDisk::new(home);
        let (identity, options) = (JournalIdentity { key }, OpenOptions::default());
        let journal = Journal::create(disk, identity, options, Batch::from(vec![first]))?;
        Ok((incarnation, journal))
    }

    fn origin(&self, life: Incarnation) -> Result<LogOrigin, LifeError> {
        let me = self.keyring.party;
        let party = self.trust.roster.party(me);
        let origin = party.map(|party| party.log_origin(life));
        let origin = origin.and_then(|origin| LogOrigin::parse(&origin).ok());
        Ok(origin.ok_or(NodeError::NotMember { party: me })?)
    }

    /// What the statement shows of the life before: its newest checkpoint that a quorum has seen,
    /// else its last one.
    fn last_checkpoint(
        &self,
        old: &Journal<RealDisk>,
        found: &Recovery,
        origin: LogOrigin,
    ) -> Result<Bytes, LifeError> {
        let witnessed = found.outside.iter().find_map(|said| match said {
            Outside::Cosigned(note) => Some(note.clone()),
            _ => None,
        });
        if let Some(note) = witnessed {
            return Ok(note);
        }
        // Where it is proved that this log goes on elsewhere, signing its end here would be a
        // second past in the party's own hand.
        if found
            .outside
            .iter()
            .any(|said| matches!(said, Outside::Claim(_)))
        {
            return Ok(Bytes::new());
        }
        let signer = self.keyring.log().as_ref();
        let signed = Checkpoint::sign(&origin.to_string(), old.size(), old.root(), signer);
        let signed = signed.map_err(|_| NodeError::Broken("the log key does not sign"))?;
        Ok(signed.note().clone())
    }

    /// The newest life of this party's log that somebody has proved.
    fn newest_proved(
        &self,
        old: &Journal<RealDisk>,
        found: &Recovery,
        origin: LogOrigin,
    ) -> Option<Incarnation> {
        let reader = old.reader();
        let own = OwnLog {
            origin,
            size: old.size(),
            root_at: &|size| reader.root_at(size).ok(),
        };
        match past::recover(&found.outside, &own, &self.trust.roster) {
            Some(Proved::NewerLife { life }) => Some(life),
            _ => None,
        }
    }

    fn room(&self) -> Result<(), LifeError> {
        let journal = self.layout.journal();
        let needed = BESIDE + bytes_in(&journal).map_err(file("read", &journal))?;
        let root = self.layout.root();
        let free =
            rustix::fs::statvfs(root).map_or(u64::MAX, |s| s.f_bavail.saturating_mul(s.f_frsize));
        match free >= needed {
            true => Ok(()),
            false => Err(LifeError::Room {
                needed,
                free,
                dir: root.to_owned(),
            }),
        }
    }
}

fn bytes_in(dir: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

fn lives(layout: &Layout, life: &str) -> PathBuf {
    layout.root().join("lives").join(life)
}

/// Journals of earlier lives that lie here still.
pub fn kept_lives(layout: &Layout) -> usize {
    fs::read_dir(layout.root().join("lives")).map_or(0, |entries| entries.count())
}

/// Lets a whole new journal take the old one's place, also where a crash came between; clears
/// away one that is not whole.
pub fn finish_switch(layout: &Layout) -> Result<(), LifeError> {
    let root = layout.root();
    let (next, complete) = (root.join(NEXT), root.join(COMPLETE));
    if !next.exists() {
        return Ok(());
    }
    let previous = match fs::read_to_string(&complete) {
        Ok(life) => life,
        // The old journal was not touched yet, and has everything that is here.
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return fs::remove_dir_all(&next).map_err(file("clear away", &next));
        }
        Err(e) => return Err(file("read", &complete)(e)),
    };
    let kept = lives(layout, previous.trim());
    Layout::create_dir(&kept).map_err(file("make", &kept))?;
    for part in PARTS {
        let (from, to, old) = (next.join(part), root.join(part), kept.join(part));
        if to.exists() && !old.exists() {
            fs::rename(&to, &old).map_err(file("move", &to))?;
            sync(&kept)?;
        }
        if from.exists() {
            fs::rename(&from, &to).map_err(file("move", &from))?;
        }
        sync(root)?;
    }
    // Of the old journal, and built anew.
    let view = layout.view();
    if view.exists() {
        fs::remove_dir_all(&view).map_err(file("clear away", &view))?;
    }
    fs::remove_dir_all(&next).map_err(file("clear away", &next))?;
    sync(root)
}

fn sync(dir: &Path) -> Result<(), LifeError> {
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(file("sync", dir))
}

#[cfg(test)]
#[path = "life_tests.rs"]
mod tests;
