//! The log that is exported: read from its files, beside the node.

use super::{
    ExportError, ExportOf,
    stack::Stack,
    target::Target,
    tile::{Of, Tile, WIDTH},
};
use crate::{
    Checkpoint, Disk, LogFault, Outside,
    checkpoint::note_head,
    journal::{
        OpenError,
        format::Keys,
        frame::Frame,
        open::load_key,
        segments::{self, Segment},
        walk::{At, Visitor, walk},
    },
    merkle::Frontier,
};
use abeng_wire::LeafHash;
use bytes::Bytes;

/// How often progress is told, in leaves.
const PROGRESS: u64 = 4096;
/// A running node appends: the end of its journal is looked at again so often.
const ATTEMPTS: u32 = 3;

pub(super) struct Source<'a, S> {
    disk: &'a S,
    keys: Keys,
    segments: Vec<Segment>,
}

impl<'a, S: Disk> Source<'a, S> {
    pub(super) fn load(disk: &'a S) -> Result<Self, ExportError> {
        let keys = load_key(disk).map_err(LogFault::from)?;
        let segments = segments::load(disk, &keys).map_err(LogFault::from)?;
        Ok(Self {
            disk,
            keys,
            segments,
        })
    }

    /// The note of the wanted checkpoint. A segment begins with the newest statements of those
    /// before, so the last two hold it, even where the last one has only just begun.
    pub(super) fn checkpoint(&self, of: ExportOf) -> Result<Option<Bytes>, ExportError> {
        let mut fault = None;
        for _ in 0..ATTEMPTS {
            let mut said = Said::new(&self.keys, of);
            let Some(from) = self.segments.len().checked_sub(1) else {
                return Ok(None);
            };
            let from = from.saturating_sub(1);
            match walk(self.disk, &self.keys, &self.segments, from, 0, &mut said) {
                Ok(_) => return Ok(said.best.map(|best| best.1)),
                Err(e) => fault = Some(LogFault::from(e)),
            }
        }
        fault.map_or(Ok(None), |fault| Err(fault.into()))
    }

    /// Reads leaves until the exporter has enough.
    pub(super) fn read<T: Disk, P: FnMut(u64)>(
        &self,
        leaves: &mut Leaves<'_, '_, T, P>,
    ) -> Result<(), ExportError> {
        let after = self
            .segments
            .partition_point(|s| s.first_index() <= leaves.stack.size());
        let from = after.saturating_sub(1);
        if let Some(segment) = self.segments.get(from) {
            leaves.begin(segment.header.frontier.clone())?;
        }
        if leaves.frontier.size() == leaves.size {
            return Ok(());
        }
        let mut reading = Reading {
            keys: &self.keys,
            leaves,
            stopped: None,
        };
        let walked = walk(self.disk, &self.keys, &self.segments, from, 0, &mut reading);
        let stopped = reading.stopped.take();
        match (stopped, walked) {
            (Some(result), _) => result,
            (None, Err(e)) => Err(LogFault::from(e).into()),
            (None, Ok(_)) => Err(ExportError::Root { size: leaves.size }),
        }
    }
}

/// The newest checkpoint of the log among statements outside the tree.
struct Said<'a> {
    keys: &'a Keys,
    of: ExportOf,
    // By size, and whether it is co-signed.
    best: Option<((u64, bool), Bytes)>,
}

impl<'a> Said<'a> {
    fn new(keys: &'a Keys, of: ExportOf) -> Self {
        let best = None;
        Self { keys, of, best }
    }
}

impl Visitor for Said<'_> {
    fn record(&mut self, at: At<'_>, frame: &Frame, data: &[u8]) -> Result<(), OpenError> {
        if frame.in_tree {
            return Ok(());
        }
        let (note, cosigned) = match frame.outside(data, self.keys) {
            Some(Outside::OwnCheckpoint(note)) => (note, false),
            Some(Outside::Cosigned(note)) => (note, true),
            Some(_) => return Ok(()),
            None => {
                let what = "a statement outside the tree is not one".to_owned();
                return Err(OpenError::damage(at.path, at.offset, what));
            }
        };
        let head = note_head(&note);
        let (_, size, _) =
            head.map_err(|e| OpenError::damage(at.path, at.offset, e.to_string()))?;
        let wanted = cosigned || self.of == ExportOf::Newest;
        let newer = self.best.as_ref().is_none_or(|b| b.0 <= (size, cosigned));
        if wanted && newer {
            self.best = Some(((size, cosigned), note));
        }
        Ok(())
    }
}

/// Writes leaves, and all tiles above them, into the target.
pub(super) struct Leaves<'a, 'b, T, P> {
    target: &'a mut Target<'b, T>,
    stack: Stack,
    entries: Vec<u8>,
    // The log's own tree, apart from the tiles.
    frontier: Frontier,
    before: Option<(u64, LeafHash)>,
    size: u64,
    root: LeafHash,
    progress: P,
}

impl<'a, 'b, T: Disk, P: FnMut(u64)> Leaves<'a, 'b, T, P> {
    pub(super) fn new(
        target: &'a mut Target<'b, T>,
        stack: Stack,
        before: Option<(u64, LeafHash)>,
        checkpoint: &Checkpoint,
        progress: P,
    ) -> Self {
        Self {
            target,
            stack,
            entries: Vec::new(),
            frontier: Frontier::new(),
            before,
            size: checkpoint.size(),
            root: checkpoint.root(),
            progress,
        }
    }

    /// Begins with the leaf after those of `frontier`.
    fn begin(&mut self, frontier: Frontier) -> Result<(), ExportError> {
        self.frontier = frontier;
        self.same_root()
    }

    /// Takes the next leaf of the log, which may lie before what is to be written.
    fn take(&mut self, hash: LeafHash, leaf: &[u8]) -> Result<(), ExportError> {
        let index = self.frontier.size();
        // What the tiles say of the leaves before must be what the log says.
        if index == self.stack.size() && self.entries.is_empty() && self.before.is_some() {
            self.same_edge()?;
        }
        self.frontier.push(hash);
        self.same_root()?;
        if index < self.stack.size() {
            return Ok(());
        }
        let length = u16::try_from(leaf.len()).unwrap_or(u16::MAX);
        self.entries.extend_from_slice(&length.to_be_bytes());
        self.entries.extend_from_slice(&leaf[..usize::from(length)]);
        if index % WIDTH == WIDTH - 1 {
            let bundle = Tile::full(Of::Entries, index / WIDTH);
            self.target.put(bundle, &self.entries)?;
            self.entries.clear();
        }
        let target = &mut *self.target;
        self.stack
            .push(hash, |tile, hashes| target.tile(tile, hashes))?;
        if index.is_multiple_of(PROGRESS) {
            (self.progress)(index);
        }
        Ok(())
    }

    /// The root that the target holds, where the log has come to its size.
    fn same_root(&self) -> Result<(), ExportError> {
        match self.before {
            Some((size, root)) if size == self.frontier.size() && root != self.frontier.root() => {
                let file = "checkpoint".to_owned();
                Err(ExportError::Contradicts { file })
            }
            _ => Ok(()),
        }
    }

    fn same_edge(&self) -> Result<(), ExportError> {
        if self.stack.frontier() == self.frontier {
            return Ok(());
        }
        let edge = Tile::edge(Of::Hashes(1), self.stack.size());
        let file = edge.map_or_else(|| "tile/1".to_owned(), |tile| tile.to_string());
        Err(ExportError::Contradicts { file })
    }

    /// Writes the tiles that are not full.
    pub(super) fn finish(self) -> Result<(), ExportError> {
        if self.frontier.root() != self.root {
            return Err(ExportError::Root { size: self.size });
        }
        self.same_edge()?;
        if let Some(bundle) = Tile::edge(Of::Entries, self.size) {
            self.target.put(bundle, &self.entries)?;
        }
        for (tile, hashes) in self.stack.edge() {
            self.target.tile(tile, hashes)?;
        }
        Ok(())
    }
}

/// Shows the leaves of a walk to the exporter, and ends the walk when it has enough.
struct Reading<'r, 'a, 'b, T, P> {
    keys: &'r Keys,
    leaves: &'r mut Leaves<'a, 'b, T, P>,
    // How the export of leaves ended, where the walk is to end.
    stopped: Option<Result<(), ExportError>>,
}

impl<T: Disk, P: FnMut(u64)> Visitor for Reading<'_, '_, '_, T, P> {
    fn record(&mut self, at: At<'_>, frame: &Frame, data: &[u8]) -> Result<(), OpenError> {
        if !frame.in_tree {
            return Ok(());
        }
        let taken = self.leaves.take(at.leaf, &frame.leaf(data, self.keys));
        let enough = self.leaves.frontier.size() == self.leaves.size;
        if taken.is_err() || enough {
            self.stopped = Some(taken);
            // Any error ends the walk; this one is not looked at.
            return Err(OpenError::damage(at.path, at.offset, String::new()));
        }
        Ok(())
    }
}
