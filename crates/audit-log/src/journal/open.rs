use super::{
    Journal, JournalIdentity, OpenError, OpenOptions, Recovery, TornTail,
    format::PAGE,
    format::{CleanMark, Keys},
    frame::Frame,
    segments::{self, Ahead, DIR, Segment},
    walk::{At, End, Visitor, walk},
};
use crate::{
    Access, Batch, Disk, DiskFile, Outside,
    disk::{read_small, replace_small},
    reader::{Head, Shared, cosigned::Spot},
    tiles::{Place, Tiles},
};
use std::collections::BTreeMap;

pub(crate) const KEY_FILE: &str = "journal/key";
const CLEAN_FILE: &str = "journal/clean";
/// Zeros are written over a torn batch in pieces of this size.
const ZEROS: u64 = 1 << 20;
/// So much behind the end is zeroed again after anything but a clean stop: all of a torn batch
/// that an opening before this one zeroed, if the sync of that failed.
const REZEROED: u64 = 16 << 20;

/// Reads `journal/key`.
pub(crate) fn load_key<D: Disk>(disk: &D) -> Result<Keys, OpenError> {
    let bytes = read_small(disk, KEY_FILE).map_err(|e| OpenError::io("reading", KEY_FILE, e))?;
    let bytes = bytes.ok_or(OpenError::Missing)?;
    let wrong = || OpenError::damage(KEY_FILE, 0, "this is not a journal's key".into());
    Keys::from_file(&bytes).ok_or_else(wrong)
}

/// Reads the mark of a clean stop. It is never deleted: an old one names an earlier end, which
/// says nothing.
pub(crate) fn load_mark<D: Disk>(disk: &D, keys: &Keys) -> Result<Option<CleanMark>, OpenError> {
    let failed = |e| OpenError::io("reading", CLEAN_FILE, e);
    let Some(bytes) = read_small(disk, CLEAN_FILE).map_err(failed)? else {
        return Ok(None);
    };
    let mark = CleanMark::decode(&bytes, keys);
    mark.map(Some).ok_or_else(|| OpenError::Damaged {
        file: CLEAN_FILE.into(),
        offset: 0,
        what: "this is not a mark of a clean stop of this journal".into(),
        advice: "Move the file away and start again: the journal is then checked as after a power cut",
    })
}

pub(super) fn write_mark<D: Disk>(disk: &D, keys: &Keys, mark: &CleanMark) -> std::io::Result<()> {
    replace_small(disk, DIR, "clean", &mark.encode(keys))
}

/// What opening takes from the records it reads.
struct Rebuilt<'a, D: Disk> {
    keys: &'a Keys,
    tiles: Tiles<D>,
    outside: BTreeMap<String, Outside>,
    cosigned: Vec<Spot>,
}

impl<D: Disk> Visitor for Rebuilt<'_, D> {
    fn record(&mut self, at: At<'_>, frame: &Frame, data: &[u8]) -> Result<(), OpenError> {
        if frame.in_tree {
            let place = Place {
                batch_page: (at.batch / PAGE) as u32,
                offset: at.offset as u32,
            };
            self.tiles.push(at.leaf, place);
            self.tiles.settle();
        } else if let Some(said) = frame.outside(data, self.keys) {
            self.cosigned.extend(Spot::of(&said, at.segment, at.offset));
            self.outside.insert(said.subject(), said);
        }
        Ok(())
    }
}

impl<D: Disk> Journal<D> {
    /// Makes a journal whose first records are `first`. Where a crash left one without leaves, it
    /// is used, with the key it has.
    pub fn create(
        disk: D,
        identity: JournalIdentity,
        options: OpenOptions,
        first: Batch<()>,
    ) -> Result<Self, OpenError> {
        let failed = |e| OpenError::io("creating", KEY_FILE, e);
        disk.create_dir(DIR).map_err(failed)?;
        disk.sync_dir("").map_err(failed)?;
        if read_small(&disk, KEY_FILE).map_err(failed)?.is_none() {
            let names = disk.list(DIR).map_err(failed)?;
            if names.iter().any(|name| name.ends_with(".seg")) {
                let what = "the key of the segments here is missing".into();
                return Err(OpenError::damage(KEY_FILE, 0, what));
            }
            replace_small(&disk, DIR, "key", &Keys::file(&identity.key)).map_err(failed)?;
        }
        let (journal, found) = Self::open(disk, options)?;
        if found.size > 0 {
            return Err(OpenError::Exists { size: found.size });
        }
        let (journal, _) = journal.append(first)?;
        Ok(journal)
    }

    /// Opens the journal by the rules of recovery. Every segment's header is checked, and the
    /// newest two whole; a torn tail is zeroed; anything else that is wrong stops here with
    /// nothing changed.
    pub fn open(disk: D, options: OpenOptions) -> Result<(Self, Recovery), OpenError> {
        let bytes = options.segment_bytes;
        if !bytes.is_multiple_of(PAGE) || !(64 << 10..=1 << 30).contains(&bytes) {
            return Err(OpenError::SegmentLength { bytes });
        }
        let keys = load_key(&disk)?;
        let mark = load_mark(&disk, &keys)?;
        let segments = segments::load(&disk, &keys)?;
        let marked = mark.map_or(0, |m| m.batches);
        let tile_error = |e| OpenError::io("opening", "tiles", e);
        let mut tiles = Tiles::open(&disk).map_err(tile_error)?;
        let in_file = tiles.in_file().map_err(tile_error)?;
        if segments.is_empty() {
            if marked > 0 || in_file > 0 {
                let what = "all segments are missing".into();
                return Err(OpenError::damage(DIR, 0, what));
            }
            let journal = Self::start(disk, keys, tiles, options)?;
            return Ok((journal, Recovery::default()));
        }
        let newest = segments.len().saturating_sub(2);
        let mut from = newest;
        while from > 0
            && !tiles
                .agree(&segments[from].header.frontier)
                .unwrap_or(false)
        {
            from -= 1;
        }
        tiles.start_at(&segments[from].header.frontier);
        let mut rebuilt = Rebuilt {
            keys: &keys,
            tiles,
            outside: BTreeMap::new(),
            cosigned: Vec::new(),
        };
        let end = walk(&disk, &keys, &segments, from, marked, &mut rebuilt)?;
        let Rebuilt {
            mut tiles,
            outside,
            cosigned,
            ..
        } = rebuilt;
        let clean = mark.is_some_and(|m| m.batches == end.batches);
        let torn_tail = settle_end(&disk, &segments, &end, clean)?;
        let size = end.frontier.size();
        tiles.cut().map_err(tile_error)?;
        let recovery = Recovery {
            size,
            clean: clean && torn_tail.is_none(),
            torn_tail,
            tiles_rebuilt: segments[newest].first_index() - segments[from].first_index(),
            tiles_ahead: in_file.saturating_sub(size),
            outside: outside.values().cloned().collect(),
        };
        let journal = Self::resume(disk, keys, tiles, options, segments, end, outside)?;
        journal.reader().shared.add_cosigned(cosigned);
        Ok((journal, recovery))
    }

    fn resume(
        disk: D,
        keys: Keys,
        tiles: Tiles<D>,
        options: OpenOptions,
        segments: Vec<Segment>,
        end: End,
        carried: BTreeMap<String, Outside>,
    ) -> Result<Self, OpenError> {
        let path = segments.last().map_or(String::new(), |s| s.path.clone());
        let open = |e| OpenError::io("opening", &path, e);
        let file = disk.open(&path, Access::Write).map_err(open)?;
        let ahead = Ahead::find(&disk, options.segment_bytes).map_err(open)?;
        let root = end.frontier.root();
        let size = end.frontier.size();
        let shared = Shared::new(disk, keys, tiles, segments, Head { size, root });
        Ok(Self::with(shared, file, ahead, options, end, carried))
    }
}

/// After anything but a clean stop, makes durable what was found, and zeroes what a batch that was
/// never synced left behind. What is read here may be in memory alone: the process before may
/// have been killed between write and sync, or have ended because a sync failed, after which the
/// system takes the pages for written. So the last batch, the only one that can be
/// meant, is written again, and so are the zeros behind it.
fn settle_end<D: Disk>(
    disk: &D,
    segments: &[Segment],
    end: &End,
    clean: bool,
) -> Result<Option<TornTail>, OpenError> {
    let Some(last) = segments.last().filter(|_| !clean || end.torn > 0) else {
        return Ok(None);
    };
    let failed = |e| OpenError::io("making durable the end of", &last.path, e);
    disk.sync_dir(DIR)
        .map_err(|e| OpenError::io("syncing", DIR, e))?;
    let file = disk.open(&last.path, Access::Write).map_err(failed)?;
    let mut batch = vec![0; (end.offset - end.last) as usize];
    if file.read_at(&mut batch, end.last).map_err(failed)? < batch.len() {
        return Err(failed(std::io::ErrorKind::UnexpectedEof.into()));
    }
    if !batch.is_empty() {
        file.write_at(&batch, end.last).map_err(failed)?;
    }
    let room = last.header.bytes - end.offset;
    let length = room.min(REZEROED).max(end.torn);
    let zeros = vec![0; ZEROS.min(length) as usize];
    let mut done = 0;
    while done < length {
        let piece = (length - done).min(ZEROS) as usize;
        file.write_at(&zeros[..piece], end.offset + done)
            .map_err(failed)?;
        done += piece as u64;
    }
    file.sync_data().map_err(failed)?;
    Ok((end.torn > 0).then(|| TornTail {
        file: last.path.clone(),
        offset: end.offset,
        bytes: end.torn,
    }))
}
