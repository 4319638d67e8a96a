use super::{
    OpenError, OpenOptions,
    format::{BatchHeader, COMMIT, CleanMark, FILLER, HEADER, Keys, PAGE, SegmentHeader},
    frame::{outside_len, put_outside, put_record, record_len},
    open::write_mark,
    segments::{self, Ahead, AheadJob, DIR, Segment},
    walk::End,
};
use crate::{
    Access, Batch, Disk, DiskFile, Durable, Fatal, Outside, Reader, Record, Released, Settled,
    Step,
    merkle::{Frontier, leaf_hash},
    reader::{Head, Shared, cosigned::Spot},
    tiles::{Place, Tiles},
};
use abeng_wire::{Digest, LeafHash, LeafIndex, limits};
use bytes::Bytes;
use std::{collections::BTreeMap, io, sync::Arc};

/// The most bytes that are written before a sync.
const PIECE: u64 = 16 << 20;
/// Statements outside the tree that are carried from segment to segment.
const CARRIED: usize = 1024;

/// The journal: append-only, owned by one thread. A failed write or sync consumes it.
pub struct Journal<D: Disk> {
    shared: Arc<Shared<D>>,
    file: D::File,
    ahead: Ahead,
    options: OpenOptions,
    end: End,
    segment: Segment,
    carried: BTreeMap<String, Outside>,
    buf: Vec<u8>,
}

impl<D: Disk> Journal<D> {
    /// A journal without a batch: writes its first segment.
    pub(super) fn start(
        disk: D,
        keys: Keys,
        tiles: Tiles<D>,
        options: OpenOptions,
    ) -> Result<Self, OpenError> {
        let failed = |e| OpenError::io("creating a segment in", DIR, e);
        let ahead = Ahead::find(&disk, options.segment_bytes).map_err(failed)?;
        let end = End {
            frontier: Frontier::new(),
            batches: 0,
            commit: Digest::default(),
            last: PAGE,
            offset: PAGE,
            torn: 0,
        };
        let (segment, file) =
            add_segment(&disk, &keys, &ahead, &options, &end, None).map_err(failed)?;
        let root = end.frontier.root();
        let shared = Shared::new(disk, keys, tiles, vec![segment], Head { size: 0, root });
        Ok(Self::with(
            shared,
            file,
            ahead,
            options,
            end,
            BTreeMap::new(),
        ))
    }

    pub(super) fn with(
        shared: Shared<D>,
        file: D::File,
        ahead: Ahead,
        options: OpenOptions,
        end: End,
        carried: BTreeMap<String, Outside>,
    ) -> Self {
        let segment = shared.last_segment();
        for (subject, said) in &carried {
            shared.say(subject.clone(), said.clone());
        }
        Self {
            shared: Arc::new(shared),
            file,
            ahead,
            options,
            end,
            segment,
            carried,
            buf: Vec::new(),
        }
    }

    /// Writes and syncs a batch: one write and one `fdatasync`, none where it has neither facts
    /// nor statements. A batch above 16 MiB, or above a segment's room, is written and synced in
    /// several, split between steps. Blocks.
    pub fn append<E>(
        mut self,
        batch: impl Into<Batch<E>>,
    ) -> Result<(Self, Vec<Settled<E>>), Fatal> {
        let Batch { steps, outside } = batch.into();
        let statements: Vec<Bytes> = outside.iter().map(Outside::encode).collect();
        let mut bytes: u64 = statements.iter().map(|s| outside_len(s) as u64).sum();
        let limit = PIECE.min(largest_batch(self.options.segment_bytes)) - (HEADER + COMMIT) as u64;
        let mut settled = Vec::with_capacity(steps.len());
        let mut piece: Vec<Step<E>> = Vec::new();
        let mut statements = &statements[..];
        for step in steps {
            let length: u64 = step.facts.iter().map(|r| record_len(r) as u64).sum();
            if bytes > 0 && bytes + length > limit {
                self.write(std::mem::take(&mut piece), statements, &mut settled)?;
                (statements, bytes) = (&[], 0);
            }
            bytes += length;
            piece.push(step);
        }
        self.write(piece, statements, &mut settled)?;
        for said in outside {
            self.carry(said);
        }
        Ok((self, settled))
    }

    fn carry(&mut self, said: Outside) {
        let subject = said.subject();
        self.shared.say(subject.clone(), said.clone());
        if self.carried.contains_key(&subject) || self.carried.len() < CARRIED {
            self.carried.insert(subject, said);
        }
    }

    fn write<E>(
        &mut self,
        steps: Vec<Step<E>>,
        statements: &[Bytes],
        settled: &mut Vec<Settled<E>>,
    ) -> Result<(), Fatal> {
        let mut index = self.end.frontier.size();
        let records: Vec<&Record> = steps.iter().flat_map(|s| &s.facts).collect();
        if !records.is_empty() || !statements.is_empty() {
            self.commit(&records, statements)?;
        }
        let size = self.end.frontier.size();
        for step in steps {
            let mut facts = Vec::with_capacity(step.facts.len());
            for record in step.facts {
                let fact = record.into_leaf();
                facts.push(Durable {
                    fact,
                    index: LeafIndex(index),
                    size,
                });
                index += 1;
            }
            let gated = step.gated.into_iter();
            settled.push(Settled {
                facts,
                gated: gated.map(|effect| Released { effect }).collect(),
                position: LeafIndex(index),
            });
        }
        Ok(())
    }

    /// One batch: one write and one `fdatasync`; only then is it shown to readers.
    fn commit(&mut self, records: &[&Record], statements: &[Bytes]) -> Result<(), Fatal> {
        let content = records.iter().map(|r| record_len(r)).sum::<usize>()
            + statements.iter().map(outside_len).sum::<usize>();
        let length = (HEADER + content + COMMIT).next_multiple_of(PAGE as usize) as u64;
        check_limits(records, length, self.options.segment_bytes)?;
        if self.end.offset + length > self.segment.header.bytes {
            self.roll()?;
        }
        if self.end.offset + length > self.segment.header.bytes {
            let what = "a batch would reach beyond its segment".to_owned();
            return Err(Fatal::Invariant(what));
        }
        let header = BatchHeader {
            number: self.end.batches,
            first: self.end.frontier.size(),
            leaves: records.len() as u32,
            outside: statements.len() as u32,
            length,
            content: content as u64,
            previous_commit: self.end.commit,
        };
        let mut frontier = self.end.frontier.clone();
        let mut leaves = Vec::with_capacity(records.len());
        let cosigned = self.fill(&header, records, statements, &mut frontier, &mut leaves);
        let root = frontier.root();
        self.buf.resize(length as usize - COMMIT, FILLER);
        self.buf.extend_from_slice(&header.commit_frame(&root));
        let failed = |doing| {
            let file = self.segment.path.clone();
            move |source| Fatal::Io {
                doing,
                file,
                source,
            }
        };
        self.file
            .write_at(&self.buf, self.end.offset)
            .map_err(failed("writing"))?;
        self.file.sync_data().map_err(failed("syncing"))?;
        self.end.frontier = frontier;
        self.end.commit = header.commit(&root);
        self.end.batches += 1;
        self.end.last = self.end.offset;
        self.end.offset += length;
        if self.buf.capacity() > PIECE as usize / 4 {
            self.buf = Vec::new();
        }
        let size = self.end.frontier.size();
        self.shared.extend(&leaves, Head { size, root });
        self.shared.add_cosigned(cosigned);
        Ok(())
    }

    fn fill(
        &mut self,
        header: &BatchHeader,
        records: &[&Record],
        statements: &[Bytes],
        frontier: &mut Frontier,
        leaves: &mut Vec<(LeafHash, Place)>,
    ) -> Vec<Spot> {
        let (keys, offset) = (&self.shared.keys, self.end.offset);
        self.buf.clear();
        let ordinal = self.segment.header.ordinal;
        self.buf
            .extend_from_slice(&header.encode(keys, ordinal, offset));
        let mut cosigned = Vec::new();
        for statement in statements {
            let at = offset + self.buf.len() as u64;
            let said = Outside::decode(statement);
            cosigned.extend(said.and_then(|said| Spot::of(&said, ordinal, at)));
            put_outside(&mut self.buf, keys, header.first, statement);
        }
        for record in records {
            let place = Place {
                batch_page: (offset / PAGE) as u32,
                offset: (offset + self.buf.len() as u64) as u32,
            };
            put_record(&mut self.buf, keys, frontier.size(), record);
            let leaf = leaf_hash(record.leaf().bytes());
            frontier.push(leaf);
            leaves.push((leaf, place));
        }
        cosigned
    }

    /// Goes on in a new segment, which begins with the newest statements outside the tree.
    fn roll(&mut self) -> Result<(), Fatal> {
        let failed = |source| Fatal::Io {
            doing: "creating a segment in",
            file: DIR.into(),
            source,
        };
        let shared = &self.shared;
        let previous = Some(&self.segment);
        let (segment, file) = add_segment(
            &shared.disk,
            &shared.keys,
            &self.ahead,
            &self.options,
            &self.end,
            previous,
        )
        .map_err(failed)?;
        shared.add_segment(segment.clone());
        (self.segment, self.file) = (segment, file);
        (self.end.last, self.end.offset) = (PAGE, PAGE);
        let mut room = carried_room(self.options.segment_bytes) - (HEADER + COMMIT) as u64;
        let mut statements = Vec::new();
        for said in self.carried.values().map(Outside::encode) {
            let length = outside_len(&said) as u64;
            if length <= room {
                room -= length;
                statements.push(said);
            }
        }
        if statements.is_empty() {
            return Ok(());
        }
        self.commit(&[], &statements)
    }

    /// Goes on in a new segment, so that everything up to here can be scrubbed. Does nothing where
    /// the current one holds no leaf.
    pub fn seal_segment(mut self) -> Result<Self, Fatal> {
        if self.size() > self.segment.first_index() {
            self.roll()?;
        }
        Ok(self)
    }

    /// Work for a background thread, where fewer than two segments are ready or in the making.
    pub fn prepare_ahead(&self) -> Option<AheadJob<D>> {
        let disk = Arc::clone(&self.shared);
        self.ahead.job(disk, self.options.segment_bytes)
    }

    /// Segments ready ahead, and bytes left in the current one.
    pub fn reserve(&self) -> (usize, u64) {
        (
            self.ahead.ready(),
            self.segment.header.bytes - self.end.offset,
        )
    }

    /// Bytes of the segments that are still to be written ahead. Until they are, the room for them
    /// is no room for anything else.
    pub fn missing_ahead(&self) -> u64 {
        let missing = self.ahead.missing() as u64;
        missing.saturating_mul(self.options.segment_bytes)
    }

    /// Bytes of a new segment.
    pub fn segment_bytes(&self) -> u64 {
        self.options.segment_bytes
    }

    /// Leaves.
    pub fn size(&self) -> u64 {
        self.end.frontier.size()
    }

    /// The tree's root.
    pub fn root(&self) -> LeafHash {
        self.end.frontier.root()
    }

    /// A reader of what is durable.
    pub fn reader(&self) -> Reader<D> {
        Reader {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Writes the node hashes out and marks a clean stop.
    pub fn close(self) -> Result<(), Fatal> {
        let failed = |file: &str| {
            let file = file.to_owned();
            move |source| Fatal::Io {
                doing: "closing",
                file,
                source,
            }
        };
        self.shared.sync_tiles().map_err(failed("tiles"))?;
        let mark = CleanMark {
            batches: self.end.batches,
            size: self.end.frontier.size(),
            commit: self.end.commit,
        };
        write_mark(&self.shared.disk, &self.shared.keys, &mark).map_err(failed("journal/clean"))
    }
}

/// Bytes of a new segment that are kept for the statements it begins with.
fn carried_room(segment: u64) -> u64 {
    segment / 4 / PAGE * PAGE
}

/// The longest batch that any new segment has room for, behind its header and what is carried.
fn largest_batch(segment: u64) -> u64 {
    segment - PAGE - carried_room(segment)
}

/// What the engine hands over is within the limits of the protocol, or this program is wrong.
fn check_limits(records: &[&Record], length: u64, segment: u64) -> Result<(), Fatal> {
    if length > largest_batch(segment) {
        let what = format!("one step of {length} bytes does not fit into a segment of {segment}");
        return Err(Fatal::Invariant(what));
    }
    let longest = records.iter().map(|r| r.leaf().bytes().len()).max();
    if longest.is_some_and(|l| l > limits::LEAF) {
        let what = format!("a leaf is longer than {} bytes", limits::LEAF);
        return Err(Fatal::Invariant(what));
    }
    Ok(())
}

/// Makes the next segment: its header is durable before it bears its name.
fn add_segment<D: Disk>(
    disk: &D,
    keys: &Keys,
    ahead: &Ahead,
    options: &OpenOptions,
    end: &End,
    previous: Option<&Segment>,
) -> io::Result<(Segment, D::File)> {
    let bytes = options.segment_bytes;
    let header = SegmentHeader {
        bytes,
        ordinal: previous.map_or(0, |p| p.header.ordinal + 1),
        first_batch: end.batches,
        previous_commit: end.commit,
        previous_header: previous.map_or(Digest::default(), |p| p.digest),
        frontier: end.frontier.clone(),
    };
    let zeroed = ahead.obtain(disk, bytes)?;
    let file = disk.open(&zeroed, Access::Write)?;
    let page = header.encode(keys);
    file.write_at(&page, 0)?;
    file.sync_data()?;
    let path = segments::name(&header, previous);
    disk.rename(&zeroed, &path)?;
    disk.sync_dir(DIR)?;
    let digest = SegmentHeader::digest(&page);
    Ok((
        Segment {
            path,
            header,
            digest,
        },
        file,
    ))
}
