//! A disk in memory that loses what a real one may lose.
//!
//! Of what was written and not synced a crash keeps any subset of 512-byte sectors, and of each
//! file's length any state since its last sync; of a directory's changes since its last sync it
//! keeps any number of the oldest. An operation can be made to fail, alone or with all later ones.
//! After a cut that tears within sectors ([`SimDisk::crash_within_sectors`]) some of what was being written
//! reads as an error until it is written anew, as a sector does whose checksum does not hold.
//! What a failed sync was to write stays readable, and no later sync makes it durable: that is what
//! Linux does with the pages, and why nothing may be retried on top of one.

mod crash;
mod fault;

pub use crash::Effects;
pub use fault::{Failure, Operation};

use super::{Access, Disk, DiskFile};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

const SECTOR: usize = 512;

/// The disk. Clones are the same disk.
#[derive(Clone, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

/// Where [`SimDisk::find`] looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traces {
    /// In files that can be opened.
    InFiles,
    /// In blocks that no name leads to as well.
    Anywhere,
}

#[derive(Default)]
struct State {
    files: Vec<Content>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    // Changes of names since the last sync of their directory, oldest first.
    changes: Vec<Change>,
    history: Vec<Operation>,
    fail_from: Option<u64>,
    fail_once: Option<(u64, Failure)>,
    full: bool,
    writes: u64,
    effects: Effects,
}

#[derive(Clone, Default)]
struct Content {
    live: Vec<u8>,
    durable: Vec<u8>,
    dirty: BTreeMap<usize, Dirty>,
    // Sectors that read as an error until all of them is written.
    unreadable: BTreeSet<usize>,
}

/// A sector that a power cut may leave old or new.
#[derive(Clone, Copy)]
struct Dirty {
    /// Number of the write.
    write: u64,
    /// True once a sync of it failed: no later one helps.
    stuck: bool,
}

impl Content {
    fn touch(&mut self, sectors: std::ops::Range<usize>, write: u64) {
        let dirty = Dirty {
            write,
            stuck: false,
        };
        self.dirty.extend(sectors.map(|sector| (sector, dirty)));
    }

    /// Whether one of the sectors that these bytes lie in reads as an error.
    fn fails(&self, bytes: std::ops::Range<usize>) -> bool {
        let sectors = bytes.start / SECTOR..bytes.end.div_ceil(SECTOR);
        !bytes.is_empty() && self.unreadable.range(sectors).next().is_some()
    }

    /// Whole sectors that are written are readable again.
    fn mend(&mut self, bytes: std::ops::Range<usize>) {
        let whole = bytes.start.div_ceil(SECTOR)..bytes.end / SECTOR;
        self.unreadable.retain(|sector| !whole.contains(sector));
    }
}

#[derive(Clone)]
enum Change {
    Create { path: String, file: usize },
    Rename { from: String, to: String },
}

impl Change {
    fn dir(&self) -> &str {
        match self {
            Self::Create { path, .. } => parent(path),
            Self::Rename { to, .. } => parent(to),
        }
    }

    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Create { path, file } => {
                names.insert(path.clone(), *file);
            }
            Self::Rename { from, to } => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
        }
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

impl SimDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Operations that write or sync, so far.
    pub fn operations(&self) -> u64 {
        self.state().history.len() as u64
    }

    /// Those operations, in order.
    pub fn history(&self) -> Vec<Operation> {
        self.state().history.clone()
    }

    /// Lets the operation with this number, counted as [`Self::operations`] does from 0, and
    /// every later one fail. A failing write may still have written some of its sectors.
    pub fn fail_from(&self, operation: u64) {
        self.state().fail_from = Some(operation);
    }

    /// Lets this operation alone fail.
    pub fn fail_once(&self, operation: u64, with: Failure) {
        self.state().fail_once = Some((operation, with));
    }

    /// No more room: whatever would make a file longer, or a new one, fails with ENOSPC. What
    /// lies inside a file can still be overwritten. Holds for copies and after a crash too.
    pub fn fill(&self) {
        self.state().full = true;
    }

    /// Room again.
    pub fn free(&self) {
        self.state().full = false;
    }

    /// True between [`Self::fill`] and [`Self::free`].
    pub fn is_full(&self) -> bool {
        self.state().full
    }

    /// An independent copy, with what is not synced: what a process finds that starts after
    /// another was killed. No operation of it fails, unless the disk is full.
    pub fn copy(&self) -> Self {
        let state = self.state();
        let copy = State {
            files: state.files.clone(),
            names: state.names.clone(),
            durable_names: state.durable_names.clone(),
            changes: state.changes.clone(),
            full: state.full,
            ..State::default()
        };
        let state = Arc::new(Mutex::new(copy));
        Self { state }
    }

    /// True where a sector of a file reads as an error.
    pub fn has_unreadable(&self) -> bool {
        let state = self.state();
        let mut named = state.names.values();
        named.any(|&file| !state.files[file].unreadable.is_empty())
    }

    /// An independent copy on a sound disk, as rescue programs make it: what cannot be read is zeros.
    pub fn image(&self) -> Self {
        let image = self.copy();
        for content in &mut image.state().files {
            for sector in std::mem::take(&mut content.unreadable) {
                let at = sector * SECTOR;
                let end = (at + SECTOR).min(content.live.len());
                if at < end {
                    content.live[at..end].fill(0);
                }
            }
            content.durable = content.live.clone();
            content.dirty.clear();
        }
        image
    }

    /// Changes a file behind everybody's back, durably: bit rot, an operator's mistake. False
    /// where there is no such file.
    pub fn corrupt(&self, path: &str, change: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mut state = self.state();
        let Some(&file) = state.names.get(path) else {
            return false;
        };
        let content = &mut state.files[file];
        change(&mut content.live);
        content.durable = content.live.clone();
        content.dirty.clear();
        true
    }

    /// Takes a file away, durably. False where there is no such file.
    pub fn remove(&self, path: &str) -> bool {
        let mut state = self.state();
        state.durable_names.remove(path);
        state.names.remove(path).is_some()
    }

    /// The files that hold these bytes, as read now or after a power cut; with `Traces::Anywhere`
    /// also those that have lost their names but not their blocks, as `(unnamed)`.
    pub fn find(&self, bytes: &[u8], traces: Traces) -> Vec<String> {
        let state = self.state();
        let holds = |content: &[u8]| content.windows(bytes.len()).any(|w| w == bytes);
        let mut found = Vec::new();
        for (file, content) in state.files.iter().enumerate() {
            let names = state.names.iter().chain(&state.durable_names);
            let name = names.filter(|(_, f)| **f == file).map(|(n, _)| n).next();
            let looked_at = name.is_some() || traces == Traces::Anywhere;
            if looked_at && (holds(&content.live) || holds(&content.durable)) {
                found.push(name.cloned().unwrap_or_else(|| "(unnamed)".into()));
            }
        }
        found
    }

    /// A file's content as it is read now.
    pub fn content(&self, path: &str) -> Option<Vec<u8>> {
        let state = self.state();
        let file = *state.names.get(path)?;
        Some(state.files[file].live.clone())
    }
}

impl State {
    /// Counts an operation; how it fails, where it is to fail.
    fn operate(&mut self, operation: Operation) -> Option<Failure> {
        let number = self.history.len() as u64;
        self.history.push(operation);
        match self.fail_once {
            Some((at, failure)) if at == number => Some(failure),
            _ => (self.fail_from.is_some_and(|at| number >= at)).then_some(Failure::Io),
        }
    }

    /// The same for what then is simply not done.
    fn refuse(&mut self, operation: Operation) -> io::Result<()> {
        let failure = self.operate(operation);
        failure.map_or(Ok(()), |failure| Err(failure.error()))
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.names);
        self.changes.push(change);
    }
}

/// A file of a [`SimDisk`].
pub struct SimFile {
    disk: SimDisk,
    file: usize,
    access: Access,
}

impl Disk for SimDisk {
    type File = SimFile;

    fn open(&self, path: &str, access: Access) -> io::Result<SimFile> {
        let disk = self.clone();
        let file = *self
            .state()
            .names
            .get(path)
            .ok_or(io::ErrorKind::NotFound)?;
        Ok(SimFile { disk, file, access })
    }

    fn create(&self, path: &str) -> io::Result<SimFile> {
        let mut guard = self.state();
        let state = &mut *guard;
        state.refuse(Operation::Create)?;
        if state.full && !state.names.contains_key(path) {
            return Err(Failure::NoSpace.error());
        }
        let file = match state.names.get(path) {
            Some(&file) => file,
            None => {
                state.files.push(Content::default());
                let file = state.files.len() - 1;
                let path = path.to_owned();
                state.change(Change::Create { path, file });
                file
            }
        };
        state.writes += 1;
        let content = &mut state.files[file];
        content.unreadable.clear();
        content.live.clear();
        // Emptied, then written: each old sector may also be there still.
        content.touch(0..content.durable.len().div_ceil(SECTOR), state.writes);
        let disk = self.clone();
        let access = Access::Write;
        Ok(SimFile { disk, file, access })
    }

    fn create_dir(&self, _path: &str) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let state = self.state();
        let paths = state.names.keys().filter(|path| parent(path) == dir);
        Ok(paths
            .map(|path| path.trim_start_matches(dir).trim_start_matches('/').into())
            .collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.refuse(Operation::Rename)?;
        if !state.names.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let (from, to) = (from.to_owned(), to.to_owned());
        state.change(Change::Rename { from, to });
        Ok(())
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        let mut state = self.state();
        state.refuse(Operation::SyncDir)?;
        let changes = std::mem::take(&mut state.changes);
        let (synced, rest): (Vec<_>, Vec<_>) = changes.into_iter().partition(|c| c.dir() == dir);
        for change in synced {
            change.apply(&mut state.durable_names);
        }
        state.changes = rest;
        Ok(())
    }
}

impl SimFile {
    fn write(&self, bytes: &[u8], offset: usize) -> io::Result<()> {
        if self.access == Access::Read {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let mut guard = self.disk.state();
        let state = &mut *guard;
        let mut failure = state.operate(Operation::Write);
        let mut bytes = match failure {
            Some(Failure::NoSpace) => &bytes[..bytes.len() / 2],
            _ => bytes,
        };
        state.writes += 1;
        let content = &mut state.files[self.file];
        let room = content.live.len().saturating_sub(offset);
        if state.full && bytes.len() > room {
            failure = failure.or(Some(Failure::NoSpace));
            bytes = &bytes[..room];
        }
        if bytes.is_empty() {
            return failure.map_or(Ok(()), |failure| Err(failure.error()));
        }
        let end = offset + bytes.len();
        content.mend(offset..end);
        if content.live.len() < end {
            content.live.resize(end, 0);
        }
        content.live[offset..end].copy_from_slice(bytes);
        content.touch(offset / SECTOR..end.div_ceil(SECTOR), state.writes);
        failure.map_or(Ok(()), |failure| Err(failure.error()))
    }

    fn sync(&self) -> io::Result<()> {
        let mut guard = self.disk.state();
        let state = &mut *guard;
        let failure = state.operate(Operation::Sync);
        let Content {
            live,
            durable,
            dirty,
            ..
        } = &mut state.files[self.file];
        if let Some(failure) = failure {
            dirty.values_mut().for_each(|sector| sector.stuck = true);
            return Err(failure.error());
        }
        durable.resize(live.len(), 0);
        dirty.retain(|&sector, how| {
            let at = sector * SECTOR;
            let end = (at + SECTOR).min(live.len());
            if at < end && !how.stuck {
                durable[at..end].copy_from_slice(&live[at..end]);
            }
            how.stuck
        });
        Ok(())
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.disk.state();
        let content = &state.files[self.file];
        let live = &content.live;
        let from = (offset as usize).min(live.len());
        let length = buf.len().min(live.len() - from);
        if content.fails(from..from + length) {
            return Err(Failure::Io.error());
        }
        buf[..length].copy_from_slice(&live[from..from + length]);
        Ok(length)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write(bytes, offset as usize)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut guard = self.disk.state();
        let state = &mut *guard;
        state.refuse(Operation::SetLength)?;
        if state.full && length as usize > state.files[self.file].live.len() {
            return Err(Failure::NoSpace.error());
        }
        state.writes += 1;
        let content = &mut state.files[self.file];
        let (old, new) = (content.live.len(), length as usize);
        content.live.resize(new, 0);
        let changed = old.min(new) / SECTOR..old.max(new).div_ceil(SECTOR);
        content.touch(changed, state.writes);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.state().files[self.file].live.len() as u64)
    }
}
