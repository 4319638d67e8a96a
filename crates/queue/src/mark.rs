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
        self.close(seq, seq);
        true
    }

    /// Closes numbers that are all open.
    fn close(&mut self, mut first: u64, mut last: u64) {
        if let Some(end) = self.above.remove(&last.saturating_add(1)) {
            last = end;
        }
        if let Some((&start, &end)) = self.above.range(..first).next_back()
            && end + 1 == first
        {
            self.above.remove(&start);
            first = start;
        }
        if first == self.contiguous + 1 {
            self.contiguous = last;
        } else {
            self.above.insert(first, last);
        }
    }

    /// Closes numbers `first` to `last`; gives those that were open, as ranges.
    pub(crate) fn insert_range(&mut self, first: u64, last: u64) -> Vec<(u64, u64)> {
        let mut opened = Vec::new();
        let mut from = Some(first.max(self.contiguous.saturating_add(1)));
        while let Some(next) = from.filter(|&next| next <= last) {
            let held = self.above.range(..=next).next_back();
            if let Some((_, &end)) = held.filter(|&(_, &end)| end >= next) {
                from = end.checked_add(1);
                continue;
            }
            let above = self.above.range(next..).next().map(|(&start, _)| start - 1);
            let end = above.unwrap_or(last).min(last);
            opened.push((next, end));
            from = end.checked_add(1);
        }
        for &(start, end) in &opened {
            self.close(start, end);
        }
        opened
    }

    /// Whether a number below a closed one is open.
    pub(crate) fn has_gaps(&self) -> bool {
        !self.above.is_empty()
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
        fn a_mark_is_the_set_of_its_numbers(
            seqs in proptest::collection::vec((1u64..40, prop_oneof![3 => Just(0u64), 1 => 1u64..9]), 0..60),
        ) {
            let (mut mark, mut set) = (Mark::default(), BTreeSet::new());
            for (seq, more) in seqs {
                if more == 0 {
                    prop_assert_eq!(mark.insert(seq), set.insert(seq));
                } else {
                    let opened = mark.insert_range(seq, seq + more);
                    let opened: Vec<u64> = opened.into_iter().flat_map(|(f, l)| f..=l).collect();
                    let missing = (seq..=seq + more).filter(|n| set.insert(*n));
                    prop_assert_eq!(opened, missing.collect::<Vec<_>>());
                }
                for n in 1..52 {
                    prop_assert_eq!(mark.contains(n), set.contains(&n), "{}", n);
                }
                let open: BTreeSet<u64> = mark.gaps().flat_map(|(f, l)| f..=l).collect();
                let top = set.last().copied().unwrap_or(0);
                prop_assert_eq!(mark.has_gaps(), (1..top).any(|n| !set.contains(&n)));
                let missing: BTreeSet<u64> = (1..top).filter(|n| !set.contains(n)).collect();
                prop_assert_eq!(open, missing);
                // The row refuses ranges that touch, so it also checks the mark's own form.
                let row = MarkRow::decode(&MarkRow::from(&mark).encode()).unwrap();
                prop_assert_eq!(&Mark::from(&row), &mark);
            }
        }
    }
}
