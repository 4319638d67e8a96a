//! The directory that tiles are written into.

use super::{
    ExportError,
    stack::{Stack, bytes},
    tile::{HASH, LEVELS, Of, Tile, WIDTH},
};
use crate::{Access, Disk, DiskFile, disk::read_small};
use abeng_wire::LeafHash;
use std::{collections::BTreeSet, io};

/// Directories whose names are not yet durable, before they are made so.
const DIRTY: usize = 64;

pub(super) struct Target<'a, T> {
    disk: &'a T,
    dirty: BTreeSet<String>,
    // The newest directory of each kind of tile: to create each once.
    made: [String; 2],
    files: u64,
}

fn failed(file: &str) -> impl FnOnce(io::Error) -> ExportError {
    let file = file.to_owned();
    move |source| ExportError::Io { file, source }
}

impl<'a, T: Disk> Target<'a, T> {
    pub(super) fn new(disk: &'a T) -> Self {
        Self {
            disk,
            dirty: BTreeSet::new(),
            made: Default::default(),
            files: 0,
        }
    }

    pub(super) fn files(&self) -> u64 {
        self.files
    }

    /// The checkpoint that is there. Without one, nothing else but tiles may be there: those of
    /// an export that did not end, each of which is compared when its turn comes.
    pub(super) fn held(&self) -> Result<Option<Vec<u8>>, ExportError> {
        let note = read_small(self.disk, "checkpoint").map_err(failed("checkpoint"))?;
        if note.is_some() {
            return Ok(note);
        }
        let names = self.disk.list("").map_err(failed("."))?;
        let ours = ["tile", "checkpoint.tmp"];
        match names.into_iter().find(|n| !ours.contains(&n.as_str())) {
            Some(name) => Err(ExportError::NotTiles { name }),
            None => Ok(None),
        }
    }

    /// The edge of the tree of `size` leaves as the tiles there say, without the leaves of its
    /// last, partial tile: those are read again.
    pub(super) fn stack(&self, size: u64) -> Result<Stack, ExportError> {
        let mut above = Vec::new();
        for level in (1..LEVELS).take_while(|level| size >> (8 * level) > 0) {
            above.push(match Tile::edge(Of::Hashes(level), size) {
                Some(tile) => self.hashes(&tile)?,
                None => Vec::new(),
            });
        }
        Ok(Stack::resume(size / WIDTH * WIDTH, above))
    }

    fn hashes(&self, tile: &Tile) -> Result<Vec<LeafHash>, ExportError> {
        let file = tile.to_string();
        let found = read_small(self.disk, &file).map_err(failed(&file))?;
        let found = found.filter(|f| f.len() as u64 == tile.width * HASH as u64);
        let found = found.ok_or(ExportError::Contradicts { file })?;
        let hashes = found.chunks_exact(HASH).filter_map(LeafHash::from_slice);
        Ok(hashes.collect())
    }

    pub(super) fn tile(&mut self, tile: Tile, hashes: &[LeafHash]) -> Result<(), ExportError> {
        self.put(tile, &bytes(hashes))
    }

    /// Writes a tile or bundle, once for ever: what is there already must be the same.
    pub(super) fn put(&mut self, tile: Tile, bytes: &[u8]) -> Result<(), ExportError> {
        let path = tile.to_string();
        if let Some(same) = self.compare(&path, bytes).map_err(failed(&path))? {
            return if same {
                Ok(())
            } else {
                Err(ExportError::Contradicts { file: path })
            };
        }
        let dir = tile.dir();
        let made = &mut self.made[usize::from(tile.of == Of::Entries)];
        if *made != dir {
            self.disk.create_dir(&dir).map_err(failed(&dir))?;
            made.clone_from(&dir);
        }
        self.replace(&path, bytes).map_err(failed(&path))?;
        self.files += 1;
        let mut dir = dir.as_str();
        while self.dirty.insert(dir.to_owned()) {
            dir = dir.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
        if self.dirty.len() >= DIRTY {
            self.settle()?;
        }
        Ok(())
    }

    /// Whether a file holds these bytes; `None` where there is none.
    fn compare(&self, path: &str, bytes: &[u8]) -> io::Result<Option<bool>> {
        let file = match self.disk.open(path, Access::Read) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        // One byte more than there may be.
        let mut found = vec![0; bytes.len() + 1];
        let read = file.read_at(&mut found, 0)?;
        Ok(Some(found[..read] == *bytes))
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let temporary = format!("{path}.tmp");
        let file = self.disk.create(&temporary)?;
        file.write_at(bytes, 0)?;
        file.sync_data()?;
        self.disk.rename(&temporary, path)
    }

    fn settle(&mut self) -> Result<(), ExportError> {
        for dir in std::mem::take(&mut self.dirty) {
            self.disk.sync_dir(&dir).map_err(failed(&dir))?;
        }
        Ok(())
    }

    /// Replaces the checkpoint, once all tiles are durable.
    pub(super) fn checkpoint(&mut self, note: &[u8]) -> Result<(), ExportError> {
        self.settle()?;
        let path = "checkpoint";
        if self.compare(path, note).map_err(failed(path))? == Some(true) {
            return Ok(());
        }
        self.replace(path, note).map_err(failed(path))?;
        self.disk.sync_dir("").map_err(failed("."))
    }
}
