//! Which checkpoints of this log others have co-signed, and where in the journal they stand: so
//! that of a leaf the first can be found that covers it, and with it the earliest time.

use super::{Reader, Shared};
use crate::{
    Checkpoint, Disk, DiskFile, Outside,
    journal::frame::{FRAME, Frame},
};
use abeng_wire::{LeafIndex, limits};
use bytes::Bytes;
use std::sync::{MutexGuard, PoisonError};

/// Places that are kept: two years of one a minute. Then every second one is dropped, which costs
/// a little of the time's closeness.
const SPOTS: usize = 1 << 20;

/// Where a cosigned checkpoint stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot {
    size: u64,
    segment: u64,
    offset: u64,
}

impl Spot {
    /// The place of a statement outside the tree, if it is a cosigned checkpoint.
    pub(crate) fn of(said: &Outside, segment: u64, offset: u64) -> Option<Self> {
        let Outside::Cosigned(note) = said else {
            return None;
        };
        let size = Checkpoint::size_of_note(note)?;
        Some(Self {
            size,
            segment,
            offset,
        })
    }
}

/// Places in the order of their sizes, one of each size.
#[derive(Debug, Default)]
pub(crate) struct CosignedIndex {
    spots: Vec<Spot>,
}

impl CosignedIndex {
    /// Of two with one size the one that stands first in the journal is kept: what came later only
    /// repeats it, or has more lines under it.
    fn insert(&mut self, spot: Spot, most: usize) {
        let at = self.spots.partition_point(|known| known.size < spot.size);
        match self.spots.get_mut(at).filter(|k| k.size == spot.size) {
            Some(known) if (spot.segment, spot.offset) < (known.segment, known.offset) => {
                *known = spot;
            }
            Some(_) => {}
            None => self.spots.insert(at, spot),
        }
        if self.spots.len() > most {
            // The newest stays, since everything is at most as old as that.
            let last = self.spots.len() - 1;
            let mut nth = 0_usize;
            self.spots.retain(|_| {
                nth += 1;
                (last + 1 - nth).is_multiple_of(2)
            });
        }
    }

    /// The first that covers a leaf.
    fn over(&self, leaf: LeafIndex) -> Option<Spot> {
        let at = self.spots.partition_point(|known| known.size <= leaf.0);
        self.spots.get(at).copied()
    }
}

impl<D: Disk> Shared<D> {
    fn cosigned_index(&self) -> MutexGuard<'_, CosignedIndex> {
        self.cosigned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// More of them are known.
    pub(crate) fn add_cosigned(&self, spots: impl IntoIterator<Item = Spot>) {
        let mut index = self.cosigned_index();
        for spot in spots {
            index.insert(spot, SPOTS);
        }
    }

    fn cosigned_at(&self, spot: Spot) -> Option<Bytes> {
        let segment = self.segments();
        let segment = segment
            .iter()
            .find(|known| known.header.ordinal == spot.segment)?;
        let file = self.file(segment).ok()?;
        let mut buf = vec![0; FRAME + limits::OUTSIDE];
        let read = file.read_at(&mut buf, spot.offset).ok()?;
        buf.truncate(read);
        let frame = Frame::decode(&buf).filter(|frame| !frame.in_tree)?;
        let data = buf.get(FRAME..FRAME + frame.data_len())?;
        frame.check(data).ok()?;
        match frame.outside(data, &self.keys)? {
            Outside::Cosigned(note) if Checkpoint::size_of_note(&note) == Some(spot.size) => {
                Some(note)
            }
            _ => None,
        }
    }
}

impl<D: Disk> Reader<D> {
    /// The first own checkpoint over a leaf that others have co-signed, with their lines, as far as
    /// is known here: since this process began, in the newest segments, and in all of them once
    /// they were checked ([`Self::check_sealed`]). Not verified.
    pub fn cosigned_over(&self, leaf: LeafIndex) -> Option<Bytes> {
        let spot = self.shared.cosigned_index().over(leaf);
        let first = spot.and_then(|spot| self.shared.cosigned_at(spot));
        first.or_else(|| {
            let covers = |note: &Bytes| Checkpoint::size_of_note(note) > Some(leaf.0);
            self.cosigned().filter(covers)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Batch, Journal, JournalIdentity, OpenOptions, Record, Step, fixture::network, sim::SimDisk,
    };
    use abeng_wire::v1;

    const SMALL: OpenOptions = OpenOptions {
        segment_bytes: 64 * 1024,
    };

    fn batch(fill: u8, outside: Vec<Outside>) -> Batch<()> {
        let leaf = v1::Leaf {
            version: 1,
            ..Default::default()
        };
        let body = v1::BodyPart {
            stanzas: vec![],
            body: vec![fill; 9000].into(),
        };
        Batch {
            steps: vec![Step {
                facts: vec![Record::new(leaf).with_body(&body)],
                gated: vec![],
            }],
            outside,
        }
    }

    /// A checkpoint of what is there is kept beside every third batch.
    fn log() -> (SimDisk, Journal<SimDisk>) {
        let disk = SimDisk::new();
        let identity = JournalIdentity { key: [3; 32] };
        let first = batch(0, vec![]);
        let mut journal = Journal::create(disk.clone(), identity, SMALL, first).unwrap();
        let key = network().keys("JM").log().as_ref();
        for fill in 1..60 {
            let (size, root) = (journal.size(), journal.root());
            let said = Checkpoint::sign(&network().origin("JM"), size, root, key).unwrap();
            let said = Outside::Cosigned(said.note().clone());
            let said = (fill % 3 == 0).then_some(said);
            journal = journal
                .append(batch(fill, said.into_iter().collect()))
                .unwrap()
                .0;
        }
        (disk, journal)
    }

    fn over(journal: &Journal<SimDisk>) -> Vec<Option<u64>> {
        let reader = journal.reader();
        let size = |leaf| Checkpoint::size_of_note(&reader.cosigned_over(LeafIndex(leaf))?);
        (0..journal.size()).map(size).collect()
    }

    #[test]
    fn the_first_checkpoint_over_each_leaf_is_found_again_after_a_start() {
        let (disk, journal) = log();
        let expected: Vec<Option<u64>> = (0..60)
            .map(|leaf: u64| Some((leaf + 1).next_multiple_of(3)))
            .map(|size| size.filter(|size| *size <= 57))
            .collect();
        assert_eq!(over(&journal), expected);
        assert!(journal.reader().check_sealed().count() > 4);
        journal.close().unwrap();

        let (journal, _) = Journal::open(disk, SMALL).unwrap();
        // What lies in older segments is covered by something later, until they are read.
        let now = over(&journal);
        assert_ne!(now, expected);
        assert!(now.iter().zip(&expected).all(|(now, first)| now >= first));
        assert_eq!(now[50..], expected[50..]);
        assert!(
            journal
                .reader()
                .check_sealed()
                .all(|segment| segment.is_ok())
        );
        assert_eq!(over(&journal), expected);
    }

    fn spot(size: u64, offset: u64) -> Spot {
        Spot {
            size,
            segment: 0,
            offset,
        }
    }

    #[test]
    fn the_first_over_a_leaf_is_found_in_whatever_order_they_come() {
        let mut index = CosignedIndex::default();
        for (size, offset) in [(9, 3), (4, 1), (7, 2), (4, 5), (9, 2)] {
            index.insert(spot(size, offset), 100);
        }
        let over = |leaf| index.over(LeafIndex(leaf)).map(|s| (s.size, s.offset));
        assert_eq!(over(0), Some((4, 1)));
        assert_eq!(over(3), Some((4, 1)));
        assert_eq!(over(4), Some((7, 2)));
        assert_eq!(over(8), Some((9, 2)));
        assert_eq!(over(9), None);
    }

    #[test]
    fn a_full_index_stays_bounded_and_keeps_the_newest() {
        let mut index = CosignedIndex::default();
        for size in 1..=1000 {
            index.insert(spot(size, size), 16);
            assert!(index.spots.len() <= 16);
            assert_eq!(index.spots.last().unwrap().size, size);
        }
    }
}
