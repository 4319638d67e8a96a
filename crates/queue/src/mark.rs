//! Which numbers of one stream are closed.

use crate::rows::MarkRow;
use std::collections::BTreeMap;

/// A contiguous mark and what is closed above it, as ranges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Mark {
    contiguous: u64,
    // First number of each range → its last one.
    above: BTreeMap<u64, u64>,
}

impl Mark {
    pub(crate) fn contiguous(&self) -> u64 {
        self.contiguous
    }

    pub(crate) fn contains(&self, seq: u64) -> bool {
        if seq <= self.contiguous {
            return true;
        }
        let before = self.above.range(..=seq).next_back();
        before.is_some_and(|(_, &last)| seq <= last)
    }

    /// Closes a number; false when it was closed before.
    pub(crate) fn insert(&mut self, seq: u64) -> bool {
        if self.contains(seq) {
            return false;
        }
        let mut first = seq;
        let mut last = seq;
        if let Some(end) = self.above.remove(&seq.saturating_add(1)) {
            last = end;
        }
        if let Some((&start, &end)) = self.above.range(..seq).next_back()
            && end + 1 == seq
        {
            self.above.remove(&start);
            first = start;
        }
        if first == self.contiguous + 1 {
            self.contiguous = last;
        } else {
            self.above.insert(first, last);
        }
        true
    }

    /// The gaps below the highest closed number, as inclusive ranges.
    pub(crate) fn gaps(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut next = self.contiguous + 1;
        self.above.iter().map(move |(&first, &last)| {
            let gap = (next, first - 1);
            next = last + 1;
            gap
        })
    }
}

impl From<&MarkRow> for Mark {
    fn from(row: &MarkRow) -> Self {
        Self {
            contiguous: row.contiguous,
            above: row.above.iter().copied().collect(),
        }
    }
}

impl From<&Mark> for MarkRow {
    fn from(mark: &Mark) -> Self {
        Self {
            contiguous: mark.contiguous,
            above: mark.above.iter().map(|(&f, &l)| (f, l)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_mark_is_the_set_of_its_numbers(seqs in proptest::collection::vec(1u64..40, 0..60)) {
            let (mut mark, mut set) = (Mark::default(), BTreeSet::new());
            for seq in seqs {
                prop_assert_eq!(mark.insert(seq), set.insert(seq));
                for n in 1..42 {
                    prop_assert_eq!(mark.contains(n), set.contains(&n), "{}", n);
                }
                let open: BTreeSet<u64> = mark.gaps().flat_map(|(f, l)| f..=l).collect();
                let top = set.last().copied().unwrap_or(0);
                let missing: BTreeSet<u64> = (1..top).filter(|n| !set.contains(n)).collect();
                prop_assert_eq!(open, missing);
                // The row refuses ranges that touch, so it also checks the mark's own form.
                let row = MarkRow::decode(&MarkRow::from(&mark).encode()).unwrap();
                prop_assert_eq!(&Mark::from(&row), &mark);
            }
        }
    }
}
