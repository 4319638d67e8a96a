//! Node hashes of complete subtrees, one file a level, and `places`: where each leaf's record
//! lies. A view: written after durability, never synced but at a clean stop, computed again from
//! the journal when wrong. The newest few thousand stay in memory.

use crate::{
    Access, Disk, DiskFile,
    merkle::{Frontier, node_hash},
};
use abeng_wire::LeafHash;
use std::io;

const DIR: &str = "tiles";
/// Leaves in memory beyond which they are written out.
const FULL: usize = 8192;
/// Leaves that stay in memory then.
const KEEP: usize = 4096;
/// Enough for 2^32 leaves, 400 GB of the smallest ones.
const LEVELS: usize = 33;

/// Entries of `W` bytes in a file, the newest in memory.
struct Column<F, const W: usize> {
    file: F,
    // Index of `items[0]`, and of the first that is not in the file.
    base: u64,
    flushed: u64,
    items: Vec<[u8; W]>,
}

impl<F: DiskFile, const W: usize> Column<F, W> {
    fn open<D: Disk<File = F>>(disk: &D, name: &str) -> io::Result<Self> {
        let path = format!("{DIR}/{name}");
        let file = match disk.open(&path, Access::Write) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => disk.create(&path)?,
            other => other?,
        };
        Ok(Self {
            file,
            base: 0,
            flushed: 0,
            items: Vec::new(),
        })
    }

    fn in_file(&self) -> io::Result<u64> {
        Ok(self.file.len()? / W as u64)
    }

    fn read(&self, index: u64) -> io::Result<[u8; W]> {
        let mut out = [0; W];
        if self.file.read_at(&mut out, index * W as u64)? < W {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(out)
    }

    /// The entry, and whether it came from memory.
    fn get(&self, index: u64) -> io::Result<([u8; W], bool)> {
        if index >= self.base {
            let at = (index - self.base) as usize;
            let item = self.items.get(at).ok_or(io::ErrorKind::UnexpectedEof)?;
            return Ok((*item, true));
        }
        Ok((self.read(index)?, false))
    }

    fn start_at(&mut self, index: u64, last: Option<[u8; W]>) {
        self.items.clear();
        self.items.extend(last);
        self.base = index - self.items.len() as u64;
        self.flushed = index;
    }

    fn flush(&mut self) -> io::Result<()> {
        let new = &self.items[(self.flushed - self.base) as usize..];
        if !new.is_empty() {
            self.file
                .write_at(new.as_flattened(), self.flushed * W as u64)?;
            self.flushed += new.len() as u64;
        }
        Ok(())
    }

    fn trim(&mut self, keep: usize) {
        let surplus = self.items.len().saturating_sub(keep);
        self.items.drain(..surplus);
        self.base += surplus as u64;
    }

    fn cut(&mut self) -> io::Result<()> {
        let end = (self.base + self.items.len() as u64) * W as u64;
        if self.file.len()? > end {
            self.file.set_len(end)?;
        }
        Ok(())
    }
}

/// The tree's nodes and the places of its leaves.
pub(crate) struct Tiles<D: Disk> {
    levels: Vec<Column<D::File, 32>>,
    places: Column<D::File, 8>,
    size: u64,
}

impl<D: Disk> Tiles<D> {
    pub(crate) fn open(disk: &D) -> io::Result<Self> {
        disk.create_dir(DIR)?;
        // All of them exist from the start, so that growing opens no file.
        let levels = (0..LEVELS)
            .map(|level| Column::open(disk, &format!("{level:02}")))
            .collect::<io::Result<_>>()?;
        let places = Column::open(disk, "places")?;
        Ok(Self {
            levels,
            places,
            size: 0,
        })
    }

    /// True where the files hold the tree of `frontier`, as far as its peaks tell.
    pub(crate) fn agree(&self, frontier: &Frontier) -> io::Result<bool> {
        let size = frontier.size();
        if self.places.in_file()? < size {
            return Ok(false);
        }
        let mut peaks = frontier.peaks().iter().rev();
        for (level, column) in self.levels.iter().enumerate() {
            let nodes = size >> level;
            if column.in_file()? < nodes {
                return Ok(false);
            }
            if nodes & 1 == 1 && Some(&LeafHash(column.read(nodes - 1)?)) != peaks.next() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Leaves in the files.
    pub(crate) fn in_file(&self) -> io::Result<u64> {
        self.places.in_file()
    }

    /// Goes on from a tree whose nodes the files hold.
    pub(crate) fn start_at(&mut self, frontier: &Frontier) {
        self.size = frontier.size();
        let mut peaks = frontier.peaks().iter().rev();
        for (level, column) in self.levels.iter_mut().enumerate() {
            let nodes = self.size >> level;
            let last = (nodes & 1 == 1).then(|| peaks.next()).flatten();
            column.start_at(nodes, last.map(|p| p.0));
        }
        self.places.start_at(self.size, None);
    }

    /// Appends a leaf and the nodes that it completes.
    pub(crate) fn push(&mut self, leaf: LeafHash, place: Place) {
        let mut node = leaf;
        let mut index = self.size;
        for column in &mut self.levels {
            column.items.push(node.0);
            if index & 1 == 0 {
                break;
            }
            let left = column.items[column.items.len() - 2];
            node = node_hash(&LeafHash(left), &node);
            index >>= 1;
        }
        self.places.items.push(place.encode());
        self.size += 1;
    }

    /// Writes out once enough has come together. An error is no harm: all stays in memory and the
    /// next call tries again.
    pub(crate) fn settle(&mut self) {
        if self.places.items.len() >= FULL && self.flush().is_ok() {
            for (level, column) in self.levels.iter_mut().enumerate() {
                column.trim((KEEP >> level.min(16)).max(2));
            }
            self.places.trim(KEEP);
        }
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        for column in &mut self.levels {
            column.flush()?;
        }
        self.places.flush()
    }

    /// Drops what the files hold beyond the tree.
    pub(crate) fn cut(&mut self) -> io::Result<()> {
        for column in &mut self.levels {
            column.cut()?;
        }
        self.places.cut()
    }

    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        for column in &self.levels {
            column.file.sync_data()?;
        }
        self.places.file.sync_data()
    }

    /// A node, and whether it came from memory and so needs no check.
    pub(crate) fn node(&self, level: u32, index: u64) -> io::Result<(LeafHash, bool)> {
        let column = self.levels.get(level as usize);
        let (hash, sure) = column.ok_or(io::ErrorKind::UnexpectedEof)?.get(index)?;
        Ok((LeafHash(hash), sure))
    }

    pub(crate) fn place(&self, index: u64) -> io::Result<Place> {
        Ok(Place::decode(self.places.get(index)?.0))
    }
}

/// Where a record lies in its segment: the page its batch begins on, and its own offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) batch_page: u32,
    pub(crate) offset: u32,
}

impl Place {
    fn encode(self) -> [u8; 8] {
        (u64::from(self.batch_page) << 32 | u64::from(self.offset)).to_be_bytes()
    }

    fn decode(bytes: [u8; 8]) -> Self {
        let both = u64::from_be_bytes(bytes);
        Self {
            batch_page: (both >> 32) as u32,
            offset: both as u32,
        }
    }
}
