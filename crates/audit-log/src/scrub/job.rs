//! One segment after the other is written anew, with zeros where something is scrubbed.

use super::ScrubError;
use crate::{
    Access, Disk, DiskFile, Fatal, ReadError, Reader,
    journal::{
        OpenError,
        format::PAGE,
        frame::{FRAME, Frame},
        segments::{DIR, Segment},
        walk::{At, End, Visitor, walk_sealed},
    },
    reader::Shared,
};
use abeng_wire::LeafIndex;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    ops::Range,
    sync::{Arc, PoisonError},
};

/// Where a segment is written anew. Never the name of a segment.
const COPY: &str = "journal/scrub.tmp";
/// Bytes copied before a sync and a pause.
const PIECE: u64 = 256 * 1024;

/// Scrubs records of sealed segments; made by [`Reader::scrub_job`].
pub struct ScrubJob<D: Disk> {
    shared: Arc<Shared<D>>,
    // By the segment's place in the list.
    targets: BTreeMap<usize, BTreeSet<u64>>,
    segments: Vec<Segment>,
}

/// What a [`ScrubJob`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScrubDone {
    /// Records that were scrubbed now; those that were before, or had nothing to scrub, are not
    /// among them.
    pub records: u64,
    /// Bytes that are zeros now.
    pub bytes: u64,
    /// Segments that were written anew.
    pub segments: u64,
}

/// Zeros for one record: its new header, and where its private and body parts lie.
struct Patch {
    at: u64,
    frame: [u8; FRAME],
    zeros: Range<u64>,
}

impl<D: Disk> Reader<D> {
    /// A job that scrubs the private and body parts of these records, whose SCRUB_BEGUN leaf must
    /// be durable. Changes nothing yet.
    pub fn scrub_job(&self, indexes: &[LeafIndex]) -> Result<ScrubJob<D>, ScrubError> {
        let size = self.size();
        let segments = self.shared.segments();
        let mut targets: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
        let mut open = Vec::new();
        for &index in indexes {
            let wanted = index.0;
            if wanted >= size {
                return Err(ReadError::Beyond { wanted, size }.into());
            }
            // Those without leaves share their first index with the one after them.
            let after = segments.partition_point(|s| s.first_index() <= wanted);
            if after == segments.len() {
                open.push(index);
            }
            let place = after.saturating_sub(1);
            targets.entry(place).or_default().insert(wanted);
        }
        if !open.is_empty() {
            return Err(ScrubError::NotSealed { indexes: open });
        }
        Ok(ScrubJob {
            shared: Arc::clone(&self.shared),
            targets,
            segments,
        })
    }
}

impl<D: Disk> ScrubJob<D> {
    /// Does the work, one segment after the other, beside the running journal; `pause` runs after
    /// each piece of 256 KiB, so that the journal's own syncs are not held up. All that was asked
    /// for is durably scrubbed when it returns, also what an earlier job had begun. Jobs wait for
    /// each other.
    ///
    /// A segment is copied only if every byte of it holds, and takes its place only once the copy
    /// was read back and holds too. Readers go on all the time and see a record as it was or
    /// scrubbed.
    pub fn run(self, mut pause: impl FnMut()) -> Result<ScrubDone, ScrubError> {
        let shared = Arc::clone(&self.shared);
        let turn = shared.scrubbing.lock();
        let _turn = turn.unwrap_or_else(PoisonError::into_inner);
        let mut done = ScrubDone::default();
        for (&place, targets) in &self.targets {
            self.segment(place, targets, &mut done, &mut pause)?;
        }
        self.leave_nothing_behind()?;
        // Of a segment that a job before a crash had written anew, the name may not be durable.
        sync_names(&shared.disk)?;
        Ok(done)
    }

    fn segment(
        &self,
        place: usize,
        targets: &BTreeSet<u64>,
        done: &mut ScrubDone,
        pause: &mut dyn FnMut(),
    ) -> Result<(), ScrubError> {
        let disk = &self.shared.disk;
        let segment = &self.segments[place];
        let failed = |e| ReadError::io(&segment.path, e);
        let old = Arc::new(disk.open(&segment.path, Access::Write).map_err(failed)?);
        let (end, found) = self.find(place, targets, Arc::clone(&old))?;
        let patches = found.patches;
        if patches.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.copy(place, targets, &old, &end, &patches, pause) {
            // Gives the room back; what is left of the copy is emptied by the next job otherwise.
            let _ = self.empty_copy();
            return Err(error);
        }
        let renamed = disk.rename(COPY, &segment.path);
        renamed.map_err(|e| refused("renaming", COPY, e))?;
        self.shared.forget(segment);
        sync_names(disk)?;
        // Nothing leads to the old file any more, but its blocks would keep what they hold: also
        // what is still kept, since nobody could scrub it there later. Where the file system
        // cannot do this, it could not have been done.
        let mut written = 0;
        for content in &found.content {
            if wipe(&*old, content).is_err() {
                break;
            }
            written += content.end - content.start;
            if written >= PIECE {
                old.sync_data().map_err(|e| fatal(&segment.path, e))?;
                written = 0;
                pause();
            }
        }
        old.sync_data().map_err(|e| fatal(&segment.path, e))?;
        done.segments += 1;
        done.records += patches.len() as u64;
        done.bytes += patches
            .iter()
            .map(|p| p.zeros.end - p.zeros.start)
            .sum::<u64>();
        Ok(())
    }

    /// Reads a segment whole and says what is to change in it.
    fn find<'a>(
        &self,
        place: usize,
        targets: &'a BTreeSet<u64>,
        file: Arc<D::File>,
    ) -> Result<(End, Find<'a>), ScrubError> {
        let mut found = Find {
            targets,
            patches: Vec::new(),
            content: Vec::new(),
        };
        let (segment, next) = (&self.segments[place], &self.segments[place + 1].header);
        let end = walk_sealed(file, &self.shared.keys, segment, next, &mut found);
        let end = end.map_err(|e| ReadError::from_walk(segment, e))?;
        Ok((end, found))
    }

    /// Writes the segment anew under another name, and believes it only when read back.
    fn copy(
        &self,
        place: usize,
        targets: &BTreeSet<u64>,
        old: &Arc<D::File>,
        end: &End,
        patches: &[Patch],
        pause: &mut dyn FnMut(),
    ) -> Result<(), ScrubError> {
        let segment = &self.segments[place];
        let failed = |doing| move |e| refused(doing, COPY, e);
        let copy = self.shared.disk.create(COPY).map_err(failed("creating"))?;
        // Whatever is not written is a hole, which reads as zeros and takes no room.
        let bytes = segment.header.bytes;
        copy.set_len(bytes).map_err(failed("lengthening"))?;
        let mut buf = vec![0; PIECE as usize];
        let mut at = 0;
        while at < end.offset {
            let piece = &mut buf[..(end.offset - at).min(PIECE) as usize];
            let read = old.read_at(piece, at);
            if read.map_err(|e| ReadError::io(&segment.path, e))? < piece.len() {
                let short = io::ErrorKind::UnexpectedEof.into();
                return Err(ReadError::io(&segment.path, short).into());
            }
            for patch in patches {
                patch.apply(piece, at);
            }
            write_pages(&copy, piece, at).map_err(failed("writing"))?;
            copy.sync_data().map_err(copy_unsynced)?;
            at += piece.len() as u64;
            pause();
        }
        copy.sync_all().map_err(copy_unsynced)?;
        let copy = self.shared.disk.open(COPY, Access::Read);
        let copy = copy.map_err(failed("opening"))?;
        let (after, left) = self.find(place, targets, Arc::new(copy))?;
        if after != *end || !left.patches.is_empty() {
            let what = "a scrubbed segment is not the one that it was copied from";
            return Err(Fatal::Invariant(what.into()).into());
        }
        Ok(())
    }

    /// A copy that a crash cut short may hold what this job was to scrub.
    fn leave_nothing_behind(&self) -> Result<(), ScrubError> {
        let disk = &self.shared.disk;
        let names = disk.list(DIR).map_err(|e| refused("listing", DIR, e))?;
        if names.iter().any(|name| format!("{DIR}/{name}") == COPY) {
            self.empty_copy()?;
        }
        Ok(())
    }

    /// Zeros first, as far as that can be done, so that the blocks do not keep it; then nothing.
    fn empty_copy(&self) -> Result<(), ScrubError> {
        let disk = &self.shared.disk;
        if let Ok(copy) = disk.open(COPY, Access::Write) {
            let length = copy.len().unwrap_or(0);
            let _ = blank(&copy, length).and_then(|()| copy.sync_data());
        }
        let emptied = disk.create(COPY);
        let emptied = emptied.map_err(|e| refused("emptying", COPY, e))?;
        emptied.sync_all().map_err(|e| fatal(COPY, e))
    }
}

struct Find<'a> {
    targets: &'a BTreeSet<u64>,
    patches: Vec<Patch>,
    /// Where private and body parts lie, those of the targets too.
    content: Vec<Range<u64>>,
}

impl Visitor for Find<'_> {
    fn record(&mut self, at: At<'_>, frame: &Frame, _data: &[u8]) -> Result<(), OpenError> {
        if frame.in_tree
            && let Some((after, zeros)) = frame.scrubbed()
        {
            let data = at.offset + FRAME as u64;
            let zeros = data + zeros.start as u64..data + zeros.end as u64;
            self.content.push(zeros.clone());
            if self.targets.contains(&frame.index) {
                self.patches.push(Patch {
                    at: at.offset,
                    frame: after.encode(),
                    zeros,
                });
            }
        }
        Ok(())
    }
}

impl Patch {
    /// Changes what of it lies in a piece of the segment that begins at `start`.
    fn apply(&self, piece: &mut [u8], start: u64) {
        if let Some((range, from)) = overlap(piece, start, &(self.at..self.at + FRAME as u64)) {
            let length = range.len();
            piece[range].copy_from_slice(&self.frame[from..from + length]);
        }
        if let Some((range, _)) = overlap(piece, start, &self.zeros) {
            piece[range].fill(0);
        }
    }
}

/// Which bytes of a piece at `start` belong to `range`, and how far into it they begin.
fn overlap(piece: &[u8], start: u64, range: &Range<u64>) -> Option<(Range<usize>, usize)> {
    let from = range.start.max(start);
    let to = range.end.min(start + piece.len() as u64);
    (from < to).then(|| {
        let inside = (from - start) as usize..(to - start) as usize;
        (inside, (from - range.start) as usize)
    })
}

/// Writes the runs of pages that are not all zeros.
fn write_pages<F: DiskFile>(file: &F, bytes: &[u8], at: u64) -> io::Result<()> {
    let zero = |page: &&[u8]| page.iter().all(|&b| b == 0);
    let mut start = 0;
    while start < bytes.len() {
        let pages = bytes[start..].chunks(PAGE as usize);
        let skipped = pages.take_while(zero).map(<[u8]>::len).sum::<usize>();
        start += skipped;
        let pages = bytes[start..].chunks(PAGE as usize);
        let length = pages
            .take_while(|page| !zero(page))
            .map(<[u8]>::len)
            .sum::<usize>();
        if length > 0 {
            file.write_at(&bytes[start..start + length], at + start as u64)?;
        }
        start += length;
    }
    Ok(())
}

/// Overwrites what is not zeros, so that holes stay holes.
fn blank<F: DiskFile>(file: &F, length: u64) -> io::Result<()> {
    let mut buf = vec![0; PIECE as usize];
    let mut at = 0;
    while at < length {
        let read = file.read_at(&mut buf, at)?;
        if read == 0 {
            break;
        }
        if buf[..read].iter().any(|&b| b != 0) {
            buf[..read].fill(0);
            file.write_at(&buf[..read], at)?;
        }
        at += read as u64;
    }
    Ok(())
}

fn wipe<F: DiskFile>(file: &F, range: &Range<u64>) -> io::Result<()> {
    let zeros = vec![0; (range.end - range.start).min(PIECE) as usize];
    let mut at = range.start;
    while at < range.end {
        let length = (range.end - at).min(PIECE) as usize;
        file.write_at(&zeros[..length], at)?;
        at += length as u64;
    }
    Ok(())
}

fn sync_names<D: Disk>(disk: &D) -> Result<(), ScrubError> {
    disk.sync_dir(DIR).map_err(|e| fatal(DIR, e))
}

fn refused(doing: &'static str, file: &str, source: io::Error) -> ScrubError {
    let file = file.to_owned();
    ScrubError::Refused {
        doing,
        file,
        source,
    }
}

fn fatal(file: &str, source: io::Error) -> ScrubError {
    let file = file.to_owned();
    let doing = "syncing";
    ScrubError::Fatal(Fatal::Io {
        doing,
        file,
        source,
    })
}

/// A full disk may show only at the sync. What was to be synced is a copy that is thrown away.
fn copy_unsynced(source: io::Error) -> ScrubError {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    match source.kind() {
        StorageFull | QuotaExceeded => refused("syncing", COPY, source),
        _ => fatal(COPY, source),
    }
}
