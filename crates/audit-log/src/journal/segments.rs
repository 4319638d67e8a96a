//! Segment files: their names, their chain, and those that are ready ahead of use.

use super::{
    OpenError,
    format::{Keys, PAGE, SegmentHeader},
};
use crate::{Access, Disk, DiskFile, reader::Shared};
use abeng_wire::Digest;
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub(crate) const DIR: &str = "journal";
const PIECE: u64 = 256 * 1024;
const AHEAD: usize = 2;

/// A segment in use.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) path: String,
    pub(crate) header: SegmentHeader,
    pub(crate) digest: Digest,
}

impl Segment {
    pub(crate) fn first_index(&self) -> u64 {
        self.header.frontier.size()
    }
}

/// The name of a segment: its first index. Where the segment before held no leaf, and so has that
/// name already, the number of the first batch is added.
pub(crate) fn name(header: &SegmentHeader, previous: Option<&Segment>) -> String {
    let first = header.frontier.size();
    if previous.is_some_and(|p| p.first_index() == first) {
        format!("{DIR}/{first:020}-{:020}.seg", header.first_batch)
    } else {
        format!("{DIR}/{first:020}.seg")
    }
}

/// All segments, checked to be a chain without gaps.
pub(crate) fn load<D: Disk>(disk: &D, keys: &Keys) -> Result<Vec<Segment>, OpenError> {
    let mut names = disk
        .list(DIR)
        .map_err(|e| OpenError::io("listing", DIR, e))?;
    names.retain(|name| name.ends_with(".seg"));
    // `.` sorts after `-`, but the plain name comes first.
    names.sort_by_key(|name| name.trim_end_matches(".seg").to_owned());
    let mut segments: Vec<Segment> = Vec::with_capacity(names.len());
    for file_name in names {
        let path = format!("{DIR}/{file_name}");
        let failed = |e| OpenError::io("reading", &path, e);
        let file = disk.open(&path, Access::Read).map_err(failed)?;
        let mut page = vec![0; PAGE as usize];
        let read = file.read_at(&mut page, 0).map_err(failed)?;
        let wrong = |what: &str| Err(OpenError::damage(&path, 0, what.into()));
        let Some(header) = SegmentHeader::decode(&page[..read], keys) else {
            return wrong("the segment's header is wrong, or `journal/key` is another journal's");
        };
        let length = file.len().map_err(failed)?;
        if length != header.bytes {
            let what = format!(
                "the segment is {length} bytes long instead of {}",
                header.bytes
            );
            return Err(OpenError::damage(&path, length.min(header.bytes), what));
        }
        let previous = segments.last();
        if name(&header, previous) != path {
            return wrong("the segment bears another's name");
        }
        let expected =
            previous.map_or((0, Digest::default()), |p| (p.header.ordinal + 1, p.digest));
        if (header.ordinal, header.previous_header) != expected {
            return wrong(
                "the segment does not follow the one before it: one is missing or foreign",
            );
        }
        let digest = SegmentHeader::digest(&page);
        segments.push(Segment {
            path,
            header,
            digest,
        });
    }
    Ok(segments)
}

/// Slots of segments ahead of use, shared with the jobs that fill them.
#[derive(Clone, Default)]
pub(crate) struct Ahead {
    slots: Arc<Mutex<[Slot; AHEAD]>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Slot {
    #[default]
    Empty,
    Busy,
    Ready,
}

impl Ahead {
    /// Finds the segments that are ready. One half written has another name.
    pub(crate) fn find<D: Disk>(disk: &D, bytes: u64) -> io::Result<Self> {
        let ahead = Self::default();
        let names = disk.list(DIR)?;
        for slot in 0..AHEAD {
            if names.contains(&format!("spare-{slot}")) {
                let length = disk.open(&spare(slot), Access::Read)?.len()?;
                if length == bytes {
                    ahead.slots()[slot] = Slot::Ready;
                }
            }
        }
        Ok(ahead)
    }

    fn slots(&self) -> MutexGuard<'_, [Slot; AHEAD]> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn missing(&self) -> usize {
        AHEAD - self.ready()
    }

    pub(crate) fn ready(&self) -> usize {
        self.slots().iter().filter(|&&s| s == Slot::Ready).count()
    }

    fn take(&self, from: Slot, to: Slot) -> Option<usize> {
        let mut slots = self.slots();
        let slot = slots.iter().position(|&s| s == from)?;
        slots[slot] = to;
        Some(slot)
    }

    pub(crate) fn job<D: Disk>(&self, shared: Arc<Shared<D>>, bytes: u64) -> Option<AheadJob<D>> {
        let slot = self.take(Slot::Empty, Slot::Busy)?;
        let ahead = self.clone();
        Some(AheadJob {
            shared,
            ahead,
            slot,
            bytes,
            done: Slot::Empty,
        })
    }

    /// The path of a zero-written segment: one that is ready, or one written now, under a name of
    /// its own, so that a job that runs is not disturbed.
    pub(crate) fn obtain<D: Disk>(&self, disk: &D, bytes: u64) -> io::Result<String> {
        if let Some(slot) = self.take(Slot::Ready, Slot::Empty) {
            return Ok(spare(slot));
        }
        let path = format!("{DIR}/next.tmp");
        write_zeros(disk, &path, bytes, &mut || {})?;
        Ok(path)
    }
}

fn spare(slot: usize) -> String {
    format!("{DIR}/spare-{slot}")
}

fn write_zeros<D: Disk>(
    disk: &D,
    path: &str,
    bytes: u64,
    pause: &mut dyn FnMut(),
) -> io::Result<()> {
    let file = disk.create(path)?;
    let written = fill_with_zeros(&file, bytes, pause);
    if written.is_err() {
        // What a full disk still has is for index and tiles; a failure here changes nothing.
        let _ = file.set_len(0);
    }
    written
}

fn fill_with_zeros(file: &impl DiskFile, bytes: u64, pause: &mut dyn FnMut()) -> io::Result<()> {
    let zeros = vec![0; PIECE.min(bytes) as usize];
    let mut at = 0;
    while at < bytes {
        let length = (bytes - at).min(PIECE) as usize;
        file.write_at(&zeros[..length], at)?;
        file.sync_data()?;
        pause();
        at += length as u64;
    }
    file.sync_all()
}

/// Writes one segment with zeros ahead of its use.
pub struct AheadJob<D: Disk> {
    shared: Arc<Shared<D>>,
    ahead: Ahead,
    slot: usize,
    bytes: u64,
    done: Slot,
}

impl<D: Disk> AheadJob<D> {
    /// Does the work in pieces of 256 KiB, each synced; `pause` runs after each, so that the
    /// journal's own syncs are not held up. An error leaves the journal without this reserve.
    pub fn run(mut self, mut pause: impl FnMut()) -> io::Result<()> {
        let path = spare(self.slot);
        let temporary = format!("{path}.tmp");
        write_zeros(&self.shared.disk, &temporary, self.bytes, &mut pause)?;
        self.shared.disk.rename(&temporary, &path)?;
        self.shared.disk.sync_dir(DIR)?;
        self.done = Slot::Ready;
        Ok(())
    }
}

impl<D: Disk> Drop for AheadJob<D> {
    fn drop(&mut self) {
        self.ahead.slots()[self.slot] = self.done;
    }
}
