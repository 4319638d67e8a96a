//! The ciphertext of attachments on disk, named by its root: written, synced, renamed, its
//! directory synced, before anything speaks of it.
//!
//! `blobs/ab/cdef…` is a whole one, `….list` the hashes of its pieces, `….part` one that is still
//! coming; `blobs/new/` holds what officers are giving. All calls may block.

mod partial;

pub use partial::Partial;

use crate::{
    layout::{Layout, replace},
    shared::lock,
};
use abeng_seal::{AttachmentRef, PieceHasher, Pieces};
use abeng_wire::{Hash32, LeafHash, limits};
use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

/// Why a blob cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The disk.
    #[error("the file with an attachment cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// It is not here.
    #[error("the attachment is not here")]
    Absent,
    /// It is not what was written.
    #[error("the attachment is damaged on this disk")]
    Damaged,
}

/// How the name of one ends that was put out of the way.
const DAMAGED: &str = "damaged";

/// A file as it lies on the disk: whoever writes to it or puts another one there changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Its bytes.
    pub length: u64,
    inode: u64,
    changed: (i64, i64),
}

/// The blobs of one data directory.
#[derive(Debug, Clone)]
pub struct Blobs {
    dir: PathBuf,
    // Damaged ones that were put out of the way.
    aside: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl Blobs {
    /// Of a data directory. What was being given when the node stopped is forgotten: nobody was
    /// told that it was kept.
    pub fn open(layout: &Layout) -> io::Result<Self> {
        Self::open_in(layout.root().join("blobs"))
    }

    /// Of what a relay keeps of others' files.
    pub fn open_carried(layout: &Layout) -> io::Result<Self> {
        Self::open_in(layout.root().join("carried"))
    }

    fn open_in(dir: PathBuf) -> io::Result<Self> {
        Layout::create_dir(&dir)?;
        let new = dir.join("new");
        match fs::remove_dir_all(&new) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            _ => Layout::create_dir(&new)?,
        }
        let aside = Arc::new(Mutex::new(find_damaged(&dir)?));
        Ok(Self { dir, aside })
    }

    /// Damaged ones that were put out of the way and lie here still.
    pub fn damaged(&self) -> Vec<PathBuf> {
        let mut aside = lock(&self.aside);
        aside.retain(|path| path.exists());
        aside.iter().cloned().collect()
    }

    fn path(&self, root: &Hash32) -> PathBuf {
        let hex = LeafHash(*root).to_string();
        let (first, rest) = hex.split_at(2);
        self.dir.join(first).join(rest)
    }

    fn list_path(&self, root: &Hash32) -> PathBuf {
        self.path(root).with_extension("list")
    }

    fn part_path(&self, root: &Hash32) -> PathBuf {
        self.path(root).with_extension("part")
    }

    fn new_path(&self, handle: &str) -> PathBuf {
        self.dir.join("new").join(handle)
    }

    /// Whether it is here whole.
    pub fn has(&self, of: AttachmentRef) -> bool {
        let there = fs::metadata(self.path(&of.root));
        there.is_ok_and(|there| there.is_file() && there.len() == of.length)
    }

    /// What lies in the place of a whole one, if anything.
    pub fn stamp(&self, root: &Hash32) -> Option<Stamp> {
        let there = fs::metadata(self.path(root)).ok()?;
        there.is_file().then(|| Stamp {
            length: there.len(),
            inode: there.ino(),
            changed: (there.ctime(), there.ctime_nsec()),
        })
    }

    /// Where it lies, from the data directory on.
    pub fn place(&self, root: &Hash32) -> String {
        let path = self.path(root);
        let base = self.dir.parent().unwrap_or(&self.dir);
        path.strip_prefix(base)
            .unwrap_or(&path)
            .display()
            .to_string()
    }

    /// Bytes that have come of one that is not whole.
    pub fn arrived(&self, of: AttachmentRef) -> u64 {
        let part = fs::metadata(self.part_path(&of.root));
        part.map_or(0, |part| part.len().min(of.length))
    }

    /// Bytes of it that are here, whole or not.
    pub fn bytes(&self, root: &Hash32) -> u64 {
        let size = |path: PathBuf| fs::metadata(path).map_or(0, |there| there.len());
        size(self.path(root)).saturating_add(size(self.part_path(root)))
    }

    /// Begins to take what an officer gives.
    pub fn begin_new(&self, handle: &str) -> io::Result<File> {
        create(&self.new_path(handle))
    }

    /// Makes a blob of what an officer gave; again with the same handle it does nothing.
    pub fn keep_new(&self, handle: &str, pieces: &Pieces) -> io::Result<()> {
        let of = pieces.of();
        let (from, to) = (self.new_path(handle), self.path(&of.root));
        if self.has(of) {
            touch(&to)?;
            return self.drop_new(handle);
        }
        self.write_list(pieces)?;
        touch(&from)?;
        fs::rename(&from, &to)?;
        sync_dir(&to)
    }

    /// Forgets what an officer gave.
    pub fn drop_new(&self, handle: &str) -> io::Result<()> {
        remove(&self.new_path(handle))
    }

    fn write_list(&self, pieces: &Pieces) -> io::Result<()> {
        let path = self.list_path(&pieces.of().root);
        if let Some(dir) = path.parent() {
            Layout::create_dir(dir)?;
            // The directory of the directory, so that it is still there after a crash.
            sync_dir(dir)?;
        }
        replace(&path, &pieces.hashes().concat(), 0o600)
    }

    /// The hashes of its pieces, where they are known here.
    fn read_list(&self, of: AttachmentRef) -> Option<Pieces> {
        let bytes = fs::read(self.list_path(&of.root)).ok()?;
        let (hashes, rest) = bytes.as_chunks::<32>();
        let whole = rest.is_empty() && hashes.len() as u64 == of.pieces();
        whole.then(|| Pieces::verified(of, hashes.to_vec()).ok())?
    }

    /// The hashes of the pieces of a whole one; computed again where the list is lost.
    pub fn pieces(&self, of: AttachmentRef) -> Result<Pieces, BlobError> {
        if !self.has(of) {
            return Err(BlobError::Absent);
        }
        if let Some(pieces) = self.read_list(of) {
            return Ok(pieces);
        }
        let mut file = File::open(self.path(&of.root))?;
        let mut hasher = PieceHasher::default();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                n => hasher.update(&buffer[..n]),
            }
        }
        let pieces = hasher.finish().map_err(|_| BlobError::Damaged)?;
        if pieces.of() != of {
            return Err(BlobError::Damaged);
        }
        self.write_list(&pieces)?;
        Ok(pieces)
    }

    /// Reads one piece of a whole one, and looks whether it is still what it was.
    pub fn read_piece(&self, pieces: &Pieces, index: u64) -> Result<Vec<u8>, BlobError> {
        let mut piece = Vec::new();
        self.read_into(pieces, index, &mut piece)?;
        Ok(piece)
    }

    /// The same into a buffer that is used again.
    pub fn read_into(
        &self,
        pieces: &Pieces,
        index: u64,
        piece: &mut Vec<u8>,
    ) -> Result<(), BlobError> {
        let of = pieces.of();
        let mut file = match File::open(self.path(&of.root)) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Err(BlobError::Absent),
            file => file?,
        };
        file.seek(SeekFrom::Start(index * limits::ATTACHMENT_PIECE as u64))?;
        piece.resize(of.piece_len(index), 0);
        match file.read_exact(piece) {
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Err(BlobError::Damaged),
            read => read?,
        }
        pieces.check(index, piece).map_err(|_| BlobError::Damaged)
    }

    /// Puts a damaged one out of the way, for whoever wants to look at it. Its pieces may come
    /// again.
    pub fn set_aside(&self, root: &Hash32) -> io::Result<()> {
        let path = self.path(root);
        let aside = path.with_extension(DAMAGED);
        fs::rename(&path, &aside)?;
        lock(&self.aside).insert(aside);
        sync_dir(&path)
    }

    /// Deletes it, and everything of it.
    pub fn delete(&self, root: &Hash32) -> io::Result<()> {
        let path = self.path(root);
        remove(&path)?;
        for ending in ["list", "part", DAMAGED] {
            remove(&path.with_extension(ending))?;
        }
        match path.parent().is_some_and(Path::is_dir) {
            true => sync_dir(&path),
            false => Ok(()),
        }
    }

    /// The roots of everything here that nobody has touched for so long.
    pub fn untouched(&self, age: Duration) -> io::Result<Vec<Hash32>> {
        let before = SystemTime::now().checked_sub(age);
        let mut roots = Vec::new();
        for dir in fs::read_dir(&self.dir)? {
            let dir = dir?;
            let first = dir.file_name();
            let Some(first) = first.to_str().filter(|name| name.len() == 2) else {
                continue;
            };
            for file in fs::read_dir(dir.path())? {
                let file = file?;
                let old = before.is_some_and(|before| {
                    let touched = file.metadata().and_then(|m| m.modified());
                    touched.is_ok_and(|at| at < before)
                });
                let name = file.file_name();
                let stem = name.to_str().and_then(|name| name.split('.').next());
                let root = stem.and_then(|stem| LeafHash::from_hex(&format!("{first}{stem}")));
                roots.extend(root.filter(|_| old).map(|root| root.0));
            }
        }
        roots.sort_unstable();
        roots.dedup();
        Ok(roots)
    }
}

/// What was put out of the way in earlier starts.
fn find_damaged(dir: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    for below in fs::read_dir(dir)? {
        let below = below?;
        if !below.file_type()?.is_dir() {
            continue;
        }
        for entry in fs::read_dir(below.path())? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == DAMAGED) {
                found.insert(path);
            }
        }
    }
    Ok(found)
}

/// Makes a file that was not there, for its owner alone.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)
}

/// From here on it is young, so that it is not swept before its envelope is journalled.
fn touch(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    file.set_modified(SystemTime::now())?;
    file.sync_all()
}

/// Syncs the directory that a path lies in.
fn sync_dir(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "blobs/tests.rs"]
mod tests;
