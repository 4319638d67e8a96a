mod check;
pub(crate) mod cosigned;
mod error;
mod scan;

pub use check::{CheckedSegment, SealedCheck};
pub use error::ReadError;
pub use scan::Scan;

use crate::{
    Access, Disk, DiskFile, Durable, Leaf, Outside, Record,
    journal::{
        format::{Keys, PAGE},
        frame::{FRAME, Frame},
        segments::Segment,
    },
    merkle::{
        consistency_proof, contradiction_path, empty_root, growth_nodes, inclusion_proof,
        root_from_inclusion, root_of, roots_from_consistency, verify_consistency,
    },
    tiles::{Place, Tiles},
};
use abeng_wire::{LeafHash, LeafIndex};
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// A size of the tree and its root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Leaves.
    pub size: u64,
    /// The root over them.
    pub root: LeafHash,
}

/// A record with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The leaf's index.
    pub index: LeafIndex,
    /// The record.
    pub record: Record,
}

/// Segment files that are kept open for reading.
const OPEN_FILES: usize = 16;

/// What the journal and its readers share.
pub(crate) struct Shared<D: Disk> {
    pub(crate) disk: D,
    pub(crate) keys: Keys,
    state: RwLock<State<D>>,
    // The most recently used last.
    files: Mutex<Vec<(u64, Arc<D::File>)>>,
    /// Held while segments are written anew: one job at a time.
    pub(crate) scrubbing: Mutex<()>,
    // The newest durable statement of each subject outside the tree.
    outside: Mutex<BTreeMap<String, Outside>>,
    // Where every cosigned checkpoint stands, as far as is known.
    cosigned: Mutex<cosigned::CosignedIndex>,
}

struct State<D: Disk> {
    head: Head,
    segments: Vec<Segment>,
    tiles: Tiles<D>,
}

impl<D: Disk> Shared<D> {
    pub(crate) fn new(
        disk: D,
        keys: Keys,
        tiles: Tiles<D>,
        segments: Vec<Segment>,
        head: Head,
    ) -> Self {
        let state = State {
            head,
            segments,
            tiles,
        };
        Self {
            disk,
            keys,
            state: RwLock::new(state),
            files: Mutex::default(),
            scrubbing: Mutex::default(),
            outside: Mutex::default(),
            cosigned: Mutex::default(),
        }
    }

    fn state(&self) -> RwLockReadGuard<'_, State<D>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State<D>> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    #[allow(
        clippy::expect_used,
        reason = "a journal has a segment before it is shared"
    )]
    pub(crate) fn last_segment(&self) -> Segment {
        self.state().segments.last().cloned().expect("a segment")
    }

    pub(crate) fn add_segment(&self, segment: Segment) {
        self.state_mut().segments.push(segment);
    }

    /// Shows durable leaves to the readers.
    pub(crate) fn extend(&self, leaves: &[(LeafHash, Place)], head: Head) {
        let mut state = self.state_mut();
        for &(leaf, place) in leaves {
            state.tiles.push(leaf, place);
        }
        state.tiles.settle();
        state.head = head;
    }

    /// Shows a durable statement outside the tree to the readers.
    pub(crate) fn say(&self, subject: String, said: Outside) {
        let mut outside = self.outside.lock().unwrap_or_else(PoisonError::into_inner);
        outside.insert(subject, said);
    }

    pub(crate) fn sync_tiles(&self) -> io::Result<()> {
        self.state_mut().tiles.sync()
    }

    /// All segments; none but the last one changes any more, and that one only at its end.
    pub(crate) fn segments(&self) -> Vec<Segment> {
        self.state().segments.clone()
    }

    /// Lets the next reader open the file anew that now bears the segment's name.
    pub(crate) fn forget(&self, segment: &Segment) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|(ordinal, _)| *ordinal != segment.header.ordinal);
    }

    fn file(&self, segment: &Segment) -> Result<Arc<D::File>, ReadError> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let ordinal = segment.header.ordinal;
        let found = files.iter().position(|(o, _)| *o == ordinal);
        let entry = match found {
            Some(i) => files.remove(i),
            None => {
                let file = self.disk.open(&segment.path, Access::Read);
                let file = file.map_err(|e| ReadError::io(&segment.path, e))?;
                if files.len() == OPEN_FILES {
                    files.remove(0);
                }
                (ordinal, Arc::new(file))
            }
        };
        let file = Arc::clone(&entry.1);
        files.push(entry);
        Ok(file)
    }
}

impl<D: Disk> State<D> {
    /// The place of the segment that holds a leaf. Segments without leaves share their first
    /// index with the one after them, which is the one wanted.
    fn segment_of(&self, index: u64) -> usize {
        let after = self.segments.partition_point(|s| s.first_index() <= index);
        after.saturating_sub(1)
    }

    fn check(&self, wanted: u64, size: u64) -> Result<(), ReadError> {
        if wanted >= size || size > self.head.size {
            let size = self.head.size;
            return Err(ReadError::Beyond { wanted, size });
        }
        Ok(())
    }

    /// Runs `with` over the nodes and says whether all of them came from memory.
    fn nodes<T>(
        &self,
        with: impl FnOnce(&mut dyn FnMut(u32, u64) -> io::Result<LeafHash>) -> io::Result<T>,
    ) -> Result<(T, bool), ReadError> {
        let mut sure = true;
        let out = with(&mut |level, index| {
            let (hash, from_memory) = self.tiles.node(level, index)?;
            sure &= from_memory;
            Ok(hash)
        });
        match out {
            Ok(out) => Ok((out, sure)),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Err(ReadError::Tiles),
            Err(e) => Err(ReadError::io("tiles", e)),
        }
    }

    fn root_at(&self, size: u64) -> Result<LeafHash, ReadError> {
        if size == self.head.size {
            return Ok(self.head.root);
        }
        if size == 0 {
            return Ok(empty_root());
        }
        self.check(size - 1, size)?;
        Ok(self.nodes(|mut node| root_of(size, &mut node))?.0)
    }
}

/// Reads what is durable, from any thread, beside the journal.
pub struct Reader<D: Disk> {
    pub(crate) shared: Arc<Shared<D>>,
}

impl<D: Disk> Clone for Reader<D> {
    fn clone(&self) -> Self {
        let shared = Arc::clone(&self.shared);
        Self { shared }
    }
}

impl<D: Disk> Reader<D> {
    /// Durable leaves.
    pub fn size(&self) -> u64 {
        self.shared.state().head.size
    }

    /// The durable size and its root.
    pub fn head(&self) -> Head {
        self.shared.state().head
    }

    /// One record. Its checksums hold.
    pub fn read(&self, index: LeafIndex) -> Result<Stored, ReadError> {
        let (segment, place) = {
            let state = self.shared.state();
            state.check(index.0, state.head.size)?;
            let segment = state.segments[state.segment_of(index.0)].clone();
            (segment, state.tiles.place(index.0).ok())
        };
        // A wrong place is a wrong view, not a wrong journal: look for the record then.
        let found = place.and_then(|place| self.read_at(&segment, place, index).ok().flatten());
        match found {
            Some(record) => Ok(Stored { index, record }),
            None => {
                let mut scan = self.scan_from(index, None);
                let beyond = ReadError::damage(&segment, 0, "the record is missing");
                scan.next().unwrap_or(Err(beyond))
            }
        }
    }

    fn read_at(
        &self,
        segment: &Segment,
        place: Place,
        index: LeafIndex,
    ) -> Result<Option<Record>, ReadError> {
        let file = self.shared.file(segment)?;
        let failed = |e| ReadError::io(&segment.path, e);
        let mut buf = vec![0; PAGE as usize];
        let offset = u64::from(place.offset);
        let read = file.read_at(&mut buf, offset).map_err(failed)?;
        buf.truncate(read);
        let Some(frame) = Frame::decode(&buf).filter(|f| f.in_tree && f.index == index.0) else {
            return Ok(None);
        };
        let end = FRAME + frame.data_len();
        if end as u64 > segment.header.bytes {
            return Ok(None);
        }
        if end > buf.len() {
            let have = buf.len();
            buf.resize(end, 0);
            let more = file.read_at(&mut buf[have..], offset + have as u64);
            buf.truncate(have + more.map_err(failed)?);
        }
        let Some(data) = buf.get(FRAME..end) else {
            return Ok(None);
        };
        if frame.check(data).is_err() {
            return Ok(None);
        }
        Ok(frame.record(data, &self.shared.keys).ok())
    }

    /// One leaf, as a fact that receipts can be built from.
    pub fn durable(&self, index: LeafIndex) -> Result<Durable<Leaf>, ReadError> {
        let size = self.size();
        let fact = self.read(index)?.record.into_leaf();
        Ok(Durable { fact, index, size })
    }

    /// All records from `from` to what is durable now, in order, read in large pieces.
    pub fn scan(&self, from: LeafIndex) -> Scan<D> {
        let place = self.shared.state().tiles.place(from.0).ok();
        self.scan_from(from, place)
    }

    fn scan_from(&self, from: LeafIndex, place: Option<Place>) -> Scan<D> {
        let state = self.shared.state();
        let (segment, size) = (state.segment_of(from.0), state.head.size);
        let mut scan = Scan::new(Arc::clone(&self.shared), segment, from.0, size);
        drop(state);
        if let Some(place) = place {
            scan.skip_to(u64::from(place.batch_page) * PAGE);
        }
        scan
    }

    /// The audit path of a leaf in the tree of `size` leaves (RFC 6962 §2.1.1).
    pub fn inclusion(&self, index: LeafIndex, size: u64) -> Result<Vec<LeafHash>, ReadError> {
        let state = self.shared.state();
        state.check(index.0, size)?;
        let ((leaf, proof), sure) = state.nodes(|mut node| {
            let leaf = node(0, index.0)?;
            Ok((leaf, inclusion_proof(index.0, size, &mut node)?))
        })?;
        let root = root_from_inclusion(&leaf, index.0, size, &proof);
        if !sure && root != Ok(state.root_at(size)?) {
            return Err(ReadError::Tiles);
        }
        Ok(proof)
    }

    /// The consistency proof from `old` to `new` leaves (RFC 6962 §2.1.2); empty where `old` is 0
    /// or `new`.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<LeafHash>, ReadError> {
        let state = self.shared.state();
        if old == 0 || old == new {
            return Ok(Vec::new());
        }
        state.check(old, new)?;
        let (proof, sure) = state.nodes(|mut node| consistency_proof(old, new, &mut node))?;
        let (from, to) = (state.root_at(old)?, state.root_at(new)?);
        if !sure && verify_consistency((old, &from), (new, &to), &proof).is_err() {
            return Err(ReadError::Tiles);
        }
        Ok(proof)
    }

    /// The path SUBPROOF(old, D\[new\], false) of RFC 6962 §2.1.2, by which anyone who holds two
    /// checkpoints of these sizes sees how they go together. Empty where `old` is 0 or `new`.
    pub fn contradiction_path(&self, old: u64, new: u64) -> Result<Vec<LeafHash>, ReadError> {
        let state = self.shared.state();
        if old == 0 || old == new {
            return Ok(Vec::new());
        }
        state.check(old, new)?;
        let (path, sure) = state.nodes(|mut node| contradiction_path(old, new, &mut node))?;
        let roots = (state.root_at(old)?, state.root_at(new)?);
        if !sure && roots_from_consistency(old, new, &path) != Ok(roots) {
            return Err(ReadError::Tiles);
        }
        Ok(path)
    }

    /// What a holder of the compact range of `old` leaves needs to reach the tree of `new`,
    /// beside the hashes of `leaves`, which ascend: [`growth_nodes`].
    pub fn growth(&self, old: u64, new: u64, leaves: &[u64]) -> Result<Vec<LeafHash>, ReadError> {
        let state = self.shared.state();
        if old >= new {
            return Ok(Vec::new());
        }
        state.check(old, new)?;
        Ok(state
            .nodes(|mut node| growth_nodes(old, new, leaves, &mut node))?
            .0)
    }

    /// The newest own checkpoint that others have co-signed, with their lines.
    pub fn cosigned(&self) -> Option<Bytes> {
        match self.said(&Outside::Cosigned(Bytes::new()).subject())? {
            Outside::Cosigned(note) => Some(note),
            _ => None,
        }
    }

    /// The newest durable statement outside the tree with that subject.
    pub(crate) fn said(&self, subject: &str) -> Option<Outside> {
        let outside = self.shared.outside.lock();
        outside
            .unwrap_or_else(PoisonError::into_inner)
            .get(subject)
            .cloned()
    }

    /// The root of the first `size` leaves.
    pub fn root_at(&self, size: u64) -> Result<LeafHash, ReadError> {
        self.shared.state().root_at(size)
    }
}
