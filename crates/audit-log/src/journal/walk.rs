//! Reading batches one after the other, believing nothing: recovery and the check of a whole log.

use super::{
    OpenError,
    format::{BatchHeader, COMMIT, FILLER, HEADER, Keys, PAGE, SECTOR, SegmentHeader},
    frame::{FRAME, Frame},
    segments::Segment,
};
use crate::{
    Access, Disk, DiskFile,
    merkle::{Frontier, leaf_hash},
};
use abeng_wire::{Digest, LeafHash};
use std::io;

/// A moving window over a file, so that memory stays small and reads large.
pub(crate) struct Window<F> {
    file: F,
    // Nothing is read ahead from there on.
    limit: u64,
    start: u64,
    filled: usize,
    buf: Vec<u8>,
}

const WINDOW: u64 = 1 << 20;

impl<F: DiskFile> Window<F> {
    pub(crate) fn new(file: F, limit: u64) -> Self {
        Self {
            file,
            limit,
            start: 0,
            filled: 0,
            buf: Vec::new(),
        }
    }

    /// `length` bytes at `offset`; fewer at the end of the file.
    pub(crate) fn get(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        let end = offset + length as u64;
        if offset < self.start || end > self.start + self.filled as u64 {
            let length = (length as u64).max(WINDOW.min(self.limit.saturating_sub(offset)));
            // Zeros once, not for every window: only what is read is looked at.
            if self.buf.len() < length as usize {
                self.buf.resize(length as usize, 0);
            }
            self.start = offset;
            self.filled = 0;
            self.filled = self
                .file
                .read_at(&mut self.buf[..length as usize], offset)?;
        }
        let from = (offset - self.start) as usize;
        let to = (from + length).min(self.filled);
        Ok(&self.buf[from..to])
    }
}

/// Where a walk stands: everything up to here is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) frontier: Frontier,
    /// Number of the next batch.
    pub(crate) batches: u64,
    pub(crate) commit: Digest,
    /// Where the last batch of the last segment begins; where the next one goes, if there is none.
    pub(crate) last: u64,
    /// Where the next batch goes in the last segment.
    pub(crate) offset: u64,
    /// Bytes of a torn batch from there on; 0: none.
    pub(crate) torn: u64,
}

impl End {
    fn before(segment: &SegmentHeader) -> Self {
        Self {
            frontier: segment.frontier.clone(),
            batches: segment.first_batch,
            commit: segment.previous_commit,
            last: PAGE,
            offset: PAGE,
            torn: 0,
        }
    }
}

/// What a walk shows of each record: its segment, the offset of its batch, its own.
pub(crate) struct At<'a> {
    pub(crate) path: &'a str,
    pub(crate) segment: u64,
    pub(crate) batch: u64,
    pub(crate) offset: u64,
    pub(crate) leaf: LeafHash,
}

/// Who looks on while batches are read.
pub(crate) trait Visitor {
    /// A record of a batch that is whole. `at.leaf` is the hash of a leaf, default outside the tree.
    fn record(&mut self, at: At<'_>, frame: &Frame, data: &[u8]) -> Result<(), OpenError>;
    /// The batch of the records before: the size of the tree after it, and its root.
    fn batch(&mut self, _size: u64, _root: &LeafHash) {}
}

/// Walks from segment `from` to the end of the journal and applies the rules of recovery there.
/// Writes nothing.
pub(crate) fn walk<D: Disk>(
    disk: &D,
    keys: &Keys,
    segments: &[Segment],
    from: usize,
    clean_batches: u64,
    visitor: &mut dyn Visitor,
) -> Result<End, OpenError> {
    let mut end = End::before(&segments[from].header);
    for (i, segment) in segments.iter().enumerate().skip(from) {
        let next = segments.get(i + 1).map(|s| &s.header);
        let file = disk
            .open(&segment.path, Access::Read)
            .map_err(|e| OpenError::io("opening", &segment.path, e))?;
        let mut window = Window::new(file, segment.header.bytes);
        (end.last, end.offset) = (PAGE, PAGE);
        let flaw = batches(&mut window, keys, segment, &mut end, visitor)?;
        let Some(next) = next else {
            judge(&mut window, keys, segment, &mut end, clean_batches, flaw)?;
            break;
        };
        joined(&mut window, segment, next, &end, flaw)?;
    }
    Ok(end)
}

/// Reads one segment that another follows, whole, from a file that may bear another name.
pub(crate) fn walk_sealed<F: DiskFile>(
    file: F,
    keys: &Keys,
    segment: &Segment,
    next: &SegmentHeader,
    visitor: &mut dyn Visitor,
) -> Result<End, OpenError> {
    let mut end = End::before(&segment.header);
    let mut window = Window::new(file, segment.header.bytes);
    let flaw = batches(&mut window, keys, segment, &mut end, visitor)?;
    joined(&mut window, segment, next, &end, flaw)?;
    Ok(end)
}

/// A sealed segment ends where the next one begins, and holds nothing behind that.
fn joined<F: DiskFile>(
    window: &mut Window<F>,
    segment: &Segment,
    next: &SegmentHeader,
    end: &End,
    flaw: Flaw,
) -> Result<(), OpenError> {
    let joined = next.first_batch == end.batches
        && next.previous_commit == end.commit
        && next.frontier == end.frontier;
    if !joined || last_written(window, segment, end.offset)? > 0 {
        return Err(OpenError::damage(&segment.path, flaw.at, flaw.what));
    }
    Ok(())
}

/// The first thing that is not a whole batch.
struct Flaw {
    at: u64,
    what: String,
    /// True where something was found that is not a batch; false at zeros or the file's end.
    found: bool,
    /// Bytes of the batch, where its header is good.
    extent: Option<u64>,
    /// True where something in the segment was scrubbed, which is done to sealed segments alone.
    sealed: bool,
}

fn batches<F: DiskFile>(
    window: &mut Window<F>,
    keys: &Keys,
    segment: &Segment,
    end: &mut End,
    visitor: &mut dyn Visitor,
) -> Result<Flaw, OpenError> {
    let ordinal = segment.header.ordinal;
    let failed = |e| OpenError::io("reading", &segment.path, e);
    let mut sealed = false;
    loop {
        let at = end.offset;
        let head = window.get(at, SECTOR).map_err(failed)?;
        let empty = is_zero(head);
        let flaw = |what: &str, extent| Flaw {
            at,
            what: what.into(),
            found: !empty,
            extent,
            sealed,
        };
        if at >= segment.header.bytes || empty {
            return Ok(flaw("the batch that belongs here is missing", None));
        }
        let Some(header) = BatchHeader::decode(head, keys, ordinal, at) else {
            return Ok(flaw("the header of a batch is wrong", None));
        };
        let chained = header.number == end.batches
            && header.previous_commit == end.commit
            && header.first == end.frontier.size();
        let room = segment.header.bytes - at;
        if !chained || header.length > room || header.length % PAGE != 0 {
            let what = "the batch here does not follow the one before it";
            return Err(OpenError::damage(&segment.path, at, what.into()));
        }
        let extent = window.get(at, header.length as usize).map_err(failed)?;
        match check(extent, &header, keys, segment, &end.frontier, at, visitor)? {
            Ok((frontier, scrubbed)) => {
                sealed |= scrubbed;
                let root = frontier.root();
                end.commit = header.commit(&root);
                end.frontier = frontier;
                end.batches += 1;
                end.last = at;
                end.offset += header.length;
                visitor.batch(end.frontier.size(), &root);
            }
            Err((inner, what)) => {
                let extent = window.get(at, header.length as usize).map_err(failed)?;
                return Ok(Flaw {
                    at: at + inner as u64,
                    what: what.into(),
                    found: true,
                    extent: Some(header.length),
                    sealed: sealed || begins_scrubbed(extent),
                });
            }
        }
    }
}

/// True where one of the records that can be read from the batch's beginning on is scrubbed. Not
/// looked for behind the first that cannot: what a peer chose could look like one there.
fn begins_scrubbed(extent: &[u8]) -> bool {
    let mut at = HEADER;
    while let Some(frame) = extent.get(at..).and_then(Frame::decode) {
        if frame.is_scrubbed() {
            return true;
        }
        at += FRAME + frame.data_len();
    }
    false
}

/// The tree after a batch and whether any of its records is scrubbed; or what is wrong, and where.
type Checked = Result<(Frontier, bool), (usize, &'static str)>;

/// Checks one batch whole before it shows any of its records.
fn check(
    extent: &[u8],
    header: &BatchHeader,
    keys: &Keys,
    segment: &Segment,
    before: &Frontier,
    offset: u64,
    visitor: &mut dyn Visitor,
) -> Result<Checked, OpenError> {
    let content = header.content as usize;
    if extent.len() as u64 != header.length || HEADER + content + COMMIT > extent.len() {
        return Ok(Err((0, "the batch is longer than its segment")));
    }
    let mut frontier = before.clone();
    let mut at = HEADER;
    let (mut leaves, mut outside, mut scrubbed) = (0, 0, false);
    let mut hashes = Vec::with_capacity((header.leaves as usize).min(content / FRAME));
    while at < HEADER + content {
        let wrong = |at| Ok(Err((at, "a record's checksum does not hold")));
        let Some(frame) = Frame::decode(&extent[at..HEADER + content]) else {
            return wrong(at);
        };
        let data = at + FRAME..at + FRAME + frame.data_len();
        let Some(bytes) = extent[..HEADER + content].get(data.clone()) else {
            return wrong(at);
        };
        if let Err(part) = frame.check(bytes) {
            return wrong(data.start + part);
        }
        if frame.index != frontier.size() {
            return Ok(Err((at, "a record has another's place")));
        }
        scrubbed |= frame.is_scrubbed();
        if frame.in_tree {
            let leaf = leaf_hash(&frame.leaf(bytes, keys));
            frontier.push(leaf);
            hashes.push(leaf);
            leaves += 1;
        } else {
            outside += 1;
        }
        at = data.end;
    }
    let tail = extent.len() - COMMIT;
    if extent[at..tail] != [FILLER; PAGE as usize][..(tail - at).min(PAGE as usize)] {
        return Ok(Err((at, "the filler of a batch is wrong")));
    }
    if (leaves, outside) != (header.leaves, header.outside)
        || extent[tail..] != header.commit_frame(&frontier.root())
    {
        return Ok(Err((tail, "the commit frame of a batch is wrong")));
    }
    let mut at = HEADER;
    let mut hashes = hashes.into_iter();
    while at < HEADER + content {
        let Some(frame) = Frame::decode(&extent[at..]) else {
            break;
        };
        let data = at + FRAME..at + FRAME + frame.data_len();
        let leaf = frame.in_tree.then(|| hashes.next()).flatten();
        let place = At {
            path: &segment.path,
            segment: segment.header.ordinal,
            leaf: leaf.unwrap_or_default(),
            batch: offset,
            offset: offset + at as u64,
        };
        visitor.record(place, &frame, &extent[data.clone()])?;
        at = data.end;
    }
    Ok(Ok((frontier, scrubbed)))
}

/// The rules of recovery at the end of the last segment.
fn judge<F: DiskFile>(
    window: &mut Window<F>,
    keys: &Keys,
    segment: &Segment,
    end: &mut End,
    clean_batches: u64,
    flaw: Flaw,
) -> Result<(), OpenError> {
    let failed = |e| OpenError::io("reading", &segment.path, e);
    let damage = |what| Err(OpenError::damage(&segment.path, flaw.at, what));
    // (a) Something later was acknowledged, so this was too.
    if clean_batches > end.batches {
        return damage(format!("{}, and the clean stop came after it", flaw.what));
    }
    let mut later = end.offset + PAGE;
    while later < segment.header.bytes {
        let head = window.get(later, HEADER).map_err(failed)?;
        let header = BatchHeader::decode(head, keys, segment.header.ordinal, later);
        if header.is_some_and(|h| h.number > end.batches) {
            return damage(format!("{}, and a later one is there", flaw.what));
        }
        later += PAGE;
    }
    // Only what another segment follows is scrubbed, and it is not here.
    if flaw.sealed {
        return damage(format!("{}, and so is the next segment", flaw.what));
    }
    // (b) A sector was never written: the batch was never synced.
    let torn = match flaw.extent {
        Some(extent) => window
            .get(end.offset, extent as usize)
            .map_err(failed)?
            .chunks(SECTOR)
            .any(is_zero),
        None => !flaw.found,
    };
    // (c) It was whole once.
    if !torn {
        return damage(flaw.what);
    }
    end.torn = last_written(window, segment, end.offset)?;
    Ok(())
}

/// Bytes from `from` to the last one that is not zero.
fn last_written<F: DiskFile>(
    window: &mut Window<F>,
    segment: &Segment,
    from: u64,
) -> Result<u64, OpenError> {
    let (mut at, mut last) = (from, 0);
    while at < segment.header.bytes {
        let length = (segment.header.bytes - at).min(PAGE) as usize;
        let bytes = window
            .get(at, length)
            .map_err(|e| OpenError::io("reading", &segment.path, e))?;
        if !is_zero(bytes) {
            let i = bytes.iter().rposition(|&b| b != 0).unwrap_or(0);
            last = at - from + i as u64 + 1;
        }
        at += length as u64;
    }
    Ok(last)
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes
        .chunks(SECTOR)
        .all(|chunk| *chunk == [0; SECTOR][..chunk.len()])
}
