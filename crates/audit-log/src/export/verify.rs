//! The check of a directory of tiles, of this log or of another, with nothing but a key.

use super::{
    stack::Stack,
    tile::{HASH, Of, Tile, WIDTH},
};
use crate::{
    Access, Checkpoint, CosignedCheckpoint, Disk, DiskFile, NoteError, VerifierKey, WitnessedBy,
    disk::read_small,
    merkle::{Frontier, leaf_hash},
};
use abeng_roster::Roster;
use abeng_wire::{LeafHash, limits};
use bytes::Bytes;
use std::io;

/// How often progress is told, in bundles.
const PROGRESS: u64 = 16;

/// What the checkpoint of a directory is believed by.
#[derive(Debug, Clone, Copy)]
pub enum TilesKey<'a> {
    /// The log's key. Cosignatures are not looked at.
    Line(&'a VerifierKey),
    /// The log and witness keys that a roster gives.
    Roster(&'a Roster),
}

/// What holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TilesReport {
    /// The checkpoint that everything leads to.
    pub checkpoint: Checkpoint,
    /// Witnesses under it whose cosignatures hold; none where only a key was given.
    pub witnesses: Vec<WitnessedBy>,
    /// Witnesses that are needed; `None` where that is not known or the log has none.
    pub needed: Option<usize>,
    /// Tiles and bundles that were compared, partial ones of earlier sizes included.
    pub files: u64,
}

/// The first thing in a directory of tiles that does not hold.
#[derive(Debug, thiserror::Error)]
pub enum TilesFault {
    /// The directory has none.
    #[error("`checkpoint` is missing: this is not a directory of tiles")]
    NoCheckpoint,
    /// The checkpoint is not to be believed.
    #[error("`checkpoint`: {0}")]
    Checkpoint(#[from] NoteError),
    /// A tile or bundle that the tree has is not there.
    #[error("`{file}` is missing")]
    Missing {
        /// The file.
        file: String,
    },
    /// A file is not what the others lead to.
    #[error("`{file}`, byte {offset}: {what}")]
    Wrong {
        /// The file.
        file: String,
        /// The byte.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// All tiles fit one another, but not the checkpoint.
    #[error("the entries have root {found}, but `checkpoint` says {signed}")]
    Root {
        /// The root of the entries.
        found: LeafHash,
        /// The root that is signed.
        signed: LeafHash,
    },
    /// The disk refused.
    #[error("`{file}`: {source}")]
    Io {
        /// The file.
        file: String,
        /// The system's word.
        source: io::Error,
    },
}

/// Checks a directory of tiles whole: the checkpoint's signature and, by a roster, its
/// cosignatures; every entry against the leaf hashes; every tile against the one below; the root.
/// Takes no more memory for a long log than for a short one. `progress` is called now and then
/// with the leaves checked so far.
pub fn verify_tiles<D: Disk>(
    disk: &D,
    key: TilesKey<'_>,
    mut progress: impl FnMut(u64),
) -> Result<TilesReport, TilesFault> {
    let note = read_small(disk, "checkpoint").map_err(failed("checkpoint"))?;
    let note = Bytes::from(note.ok_or(TilesFault::NoCheckpoint)?);
    let (checkpoint, witnesses, needed) = believe(&note, key)?;
    let mut check = Check {
        disk,
        size: checkpoint.size(),
        files: 0,
        buf: Vec::new(),
    };
    let mut stack = Stack::default();
    let mut frontier = Frontier::new();
    for index in 0..check.size.div_ceil(WIDTH) {
        let width = WIDTH.min(check.size - index * WIDTH);
        for leaf in check.entries(index, width)? {
            frontier.push(leaf);
            stack.push(leaf, |tile, hashes| check.hashes(tile, hashes))?;
        }
        if index % PROGRESS == 0 {
            progress(index * WIDTH);
        }
    }
    for (tile, hashes) in stack.edge() {
        check.hashes(tile, hashes)?;
    }
    let (found, signed) = (frontier.root(), checkpoint.root());
    if found != signed {
        return Err(TilesFault::Root { found, signed });
    }
    Ok(TilesReport {
        checkpoint,
        witnesses,
        needed,
        files: check.files,
    })
}

type Believed = (Checkpoint, Vec<WitnessedBy>, Option<usize>);

fn believe(note: &Bytes, key: TilesKey<'_>) -> Result<Believed, NoteError> {
    match key {
        TilesKey::Line(line) => {
            let checkpoint = Checkpoint::verify(note, line.name(), line.key())?;
            Ok((checkpoint, Vec::new(), None))
        }
        TilesKey::Roster(roster) => {
            let cosigned = CosignedCheckpoint::verify(note, roster)?;
            let witnesses = cosigned.by().to_vec();
            Ok((cosigned.checkpoint().clone(), witnesses, cosigned.needed()))
        }
    }
}

fn failed(file: &str) -> impl FnOnce(io::Error) -> TilesFault {
    let file = file.to_owned();
    move |source| TilesFault::Io { file, source }
}

struct Check<'a, D> {
    disk: &'a D,
    size: u64,
    files: u64,
    buf: Vec<u8>,
}

impl<D: Disk> Check<'_, D> {
    /// The hashes of a bundle's entries.
    fn entries(&mut self, index: u64, width: u64) -> Result<Vec<LeafHash>, TilesFault> {
        let of = Of::Entries;
        let (file, whole) = self.load(Tile { of, index, width }, (2 + limits::LEAF) as u64)?;
        let leaves = leaves(&file, &self.buf, width)?;
        let ends: Vec<usize> = leaves.iter().map(|leaf| leaf.1).collect();
        let end = ends.last().copied().unwrap_or(0);
        if whole && end != self.buf.len() {
            return Err(wrong(&file, end, "bytes follow the last entry"));
        }
        let kept = std::mem::take(&mut self.buf);
        for earlier in self.earlier(of, index, width)? {
            let length = ends[earlier.width as usize - 1];
            self.same(earlier, &kept[..length])?;
        }
        self.buf = kept;
        Ok(leaves.into_iter().map(|leaf| leaf.0).collect())
    }

    /// Compares a tile with what is below it.
    fn hashes(&mut self, tile: Tile, hashes: &[LeafHash]) -> Result<(), TilesFault> {
        let expected = super::stack::bytes(hashes);
        let (file, whole) = self.load(tile, HASH as u64)?;
        let long = self.buf.len() > expected.len();
        if self.buf.len() < expected.len() || (whole && long) {
            let at = self.buf.len().min(expected.len());
            let what = format!(
                "a tile of {} hashes has {} bytes",
                tile.width,
                expected.len()
            );
            return Err(wrong(&file, at, &what));
        }
        if let Some(at) = differs(&self.buf[..expected.len()], &expected) {
            let place = tile.index * WIDTH + (at / HASH) as u64;
            let what = match tile.of {
                Of::Hashes(0) => format!("the hash is not that of entry {place}"),
                _ => format!("the hash is not the root of tile {place} of the level below"),
            };
            return Err(wrong(&file, at / HASH * HASH, &what));
        }
        for earlier in self.earlier(tile.of, tile.index, tile.width)? {
            self.same(earlier, &expected[..earlier.width as usize * HASH])?;
        }
        Ok(())
    }

    /// Reads a tile into the buffer. Where a partial one is gone, the full one that came after it
    /// serves: then its file is not whole to the reader.
    fn load(&mut self, tile: Tile, each: u64) -> Result<(String, bool), TilesFault> {
        let file = tile.to_string();
        if self.read(&file, tile.width * each)? {
            return Ok((file, true));
        }
        let full = Tile::full(tile.of, tile.index).to_string();
        if !tile.is_full() && self.read(&full, WIDTH * each)? {
            return Ok((full, false));
        }
        Err(TilesFault::Missing { file })
    }

    fn read(&mut self, path: &str, limit: u64) -> Result<bool, TilesFault> {
        let file = match self.disk.open(path, Access::Read) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(e) => return Err(failed(path)(e)),
        };
        let length = file.len().map_err(failed(path))?;
        if length > limit {
            return Err(wrong(path, limit as usize, "the file goes on"));
        }
        self.buf.resize(length as usize, 0);
        let read = file.read_at(&mut self.buf, 0).map_err(failed(path))?;
        self.buf.truncate(read);
        self.files += 1;
        Ok(true)
    }

    /// Partial versions of a tile for sizes before, which a log may go on to show.
    fn earlier(&self, of: Of, index: u64, width: u64) -> Result<Vec<Tile>, TilesFault> {
        let dir = Tile { of, index, width }.partials();
        let names = self.disk.list(&dir).map_err(failed(&dir))?;
        let widths = names.iter().filter_map(|name| {
            let width: u64 = name.parse().ok()?;
            (width.to_string() == *name && width > 0).then_some(width)
        });
        let before = widths.filter(|w| *w < width);
        Ok(before.map(|width| Tile { of, index, width }).collect())
    }

    fn same(&mut self, tile: Tile, expected: &[u8]) -> Result<(), TilesFault> {
        let file = tile.to_string();
        if !self.read(&file, expected.len() as u64)? {
            return Err(TilesFault::Missing { file });
        }
        match differs(&self.buf, expected) {
            Some(at) => Err(wrong(&file, at, "a later version of it says otherwise")),
            None => Ok(()),
        }
    }
}

/// The first `width` entries of a bundle: their hashes, and where each ends.
fn leaves(file: &str, bundle: &[u8], width: u64) -> Result<Vec<(LeafHash, usize)>, TilesFault> {
    let mut leaves = Vec::with_capacity(width as usize);
    let mut at = 0;
    for _ in 0..width {
        let entry = bundle[at..].split_first_chunk::<2>().and_then(|(l, rest)| {
            let length = usize::from(u16::from_be_bytes(*l));
            rest.get(..length)
        });
        let entry = entry.ok_or_else(|| wrong(file, at, "an entry is cut off or missing"))?;
        at += 2 + entry.len();
        leaves.push((leaf_hash(entry), at));
    }
    Ok(leaves)
}

fn wrong(file: &str, offset: usize, what: &str) -> TilesFault {
    TilesFault::Wrong {
        file: file.to_owned(),
        offset: offset as u64,
        what: what.to_owned(),
    }
}

/// Where two byte strings part.
fn differs(found: &[u8], expected: &[u8]) -> Option<usize> {
    let shorter = found.len().min(expected.len());
    let at = found.iter().zip(expected).position(|(a, b)| a != b);
    at.or_else(|| (found.len() != expected.len()).then_some(shorter))
}
