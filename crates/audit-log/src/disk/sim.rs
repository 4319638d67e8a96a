//! A disk in memory that loses what a real one may lose.
//!
//! Of what was written and not synced a crash keeps any subset of 512-byte sectors, and of each
//! file's length any state since its last sync; of a directory's changes since its last sync it
//! keeps any number of the oldest. An operation can be made to fail, and all later ones with it.

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
    operations: u64,
    fail_at: Option<u64>,
}

#[derive(Clone, Default)]
struct Content {
    live: Vec<u8>,
    durable: Vec<u8>,
    dirty: BTreeSet<usize>,
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

/// SplitMix64: the same seed, the same crash.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True in `part` of 8 cases.
    fn eighths(&mut self, part: u64) -> bool {
        self.next() % 8 < part
    }
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
        self.state().operations
    }

    /// Lets the operation with this number, counted as [`Self::operations`] does from 0, and
    /// every later one fail. A failing write may still have written some of its sectors.
    pub fn fail_from(&self, operation: u64) {
        self.state().fail_at = Some(operation);
    }

    /// The disk as it may be after a power cut now. This one goes on unchanged.
    pub fn crash(&self, seed: u64) -> Self {
        let state = self.state();
        let mut random = Random(seed);
        // Some crashes lose everything, some nothing, most of them some.
        let kept = random.next() % 9;
        let files: Vec<Content> = state
            .files
            .iter()
            .map(|content| crashed(content, &mut random, kept))
            .collect();
        let mut names = state.durable_names.clone();
        let dirs: BTreeSet<&str> = state.changes.iter().map(Change::dir).collect();
        for dir in dirs {
            for change in state.changes.iter().filter(|c| c.dir() == dir) {
                if !random.eighths(kept) {
                    break;
                }
                change.apply(&mut names);
            }
        }
        let state = State {
            files,
            durable_names: names.clone(),
            names,
            ..State::default()
        };
        let state = Arc::new(Mutex::new(state));
        Self { state }
    }

    /// An independent copy, with what is not synced.
    pub fn copy(&self) -> Self {
        let state = self.state();
        let copy = State {
            files: state.files.clone(),
            names: state.names.clone(),
            durable_names: state.durable_names.clone(),
            changes: state.changes.clone(),
            operations: 0,
            fail_at: None,
        };
        let state = Arc::new(Mutex::new(copy));
        Self { state }
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

fn crashed(content: &Content, random: &mut Random, kept: u64) -> Content {
    let mut after = content.durable.clone();
    if random.eighths(kept) {
        after.resize(content.live.len(), 0);
    }
    for &sector in &content.dirty {
        let at = sector * SECTOR;
        let end = (at + SECTOR).min(after.len()).min(content.live.len());
        if at < end && random.eighths(kept) {
            after[at..end].copy_from_slice(&content.live[at..end]);
        }
    }
    Content {
        live: after.clone(),
        durable: after,
        dirty: BTreeSet::new(),
    }
}

impl State {
    /// Counts an operation; an error where it is to fail.
    fn operate(&mut self) -> io::Result<()> {
        let number = self.operations;
        self.operations += 1;
        if self.fail_at.is_some_and(|at| number >= at) {
            return Err(io::Error::other("the simulated disk fails"));
        }
        Ok(())
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
        let mut state = self.state();
        state.operate()?;
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
        let content = &mut state.files[file];
        content.live.clear();
        // Emptied, then written: each old sector may also be there still.
        content
            .dirty
            .extend(0..content.durable.len().div_ceil(SECTOR));
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
        state.operate()?;
        if !state.names.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let (from, to) = (from.to_owned(), to.to_owned());
        state.change(Change::Rename { from, to });
        Ok(())
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
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
        let mut state = self.disk.state();
        let outcome = state.operate();
        let content = &mut state.files[self.file];
        let end = offset + bytes.len();
        if content.live.len() < end {
            content.live.resize(end, 0);
        }
        content.live[offset..end].copy_from_slice(bytes);
        content.dirty.extend(offset / SECTOR..end.div_ceil(SECTOR));
        outcome
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        // A failed sync keeps any of it, or none: it stays dirty.
        state.operate()?;
        let Content {
            live,
            durable,
            dirty,
        } = &mut state.files[self.file];
        durable.resize(live.len(), 0);
        for sector in std::mem::take(dirty) {
            let at = sector * SECTOR;
            let end = (at + SECTOR).min(live.len());
            if at < end {
                durable[at..end].copy_from_slice(&live[at..end]);
            }
        }
        Ok(())
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.disk.state();
        let live = &state.files[self.file].live;
        let from = (offset as usize).min(live.len());
        let length = buf.len().min(live.len() - from);
        buf[..length].copy_from_slice(&live[from..from + length]);
        Ok(length)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write(bytes, offset as usize)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        state.operate()?;
        let content = &mut state.files[self.file];
        let (old, new) = (content.live.len(), length as usize);
        content.live.resize(new, 0);
        content
            .dirty
            .extend(old.min(new) / SECTOR..old.max(new).div_ceil(SECTOR));
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
