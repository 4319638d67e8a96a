//! Which numbers of one stream an originator took back with a void, and why.
//!
//! A number is here only while nothing else closed it: an envelope that comes on one may still be
//! delivered, where the reason allows it, and then takes the number out.

use abeng_wire::{limits, v1};
use std::collections::BTreeMap;

/// Ranges that do not overlap; neighbours with one reason are one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Voided {
    // First number of each range → its last one and the reason.
    ranges: BTreeMap<u64, (u64, v1::VoidReason)>,
}

impl Voided {
    /// Why a number was voided.
    pub(crate) fn reason(&self, seq: u64) -> Option<v1::VoidReason> {
        let (_, &(last, reason)) = self.ranges.range(..=seq).next_back()?;
        (seq <= last).then_some(reason)
    }

    /// Adds numbers of which none is here. What an originator scatters over more than
    /// [`limits::VOIDED_RANGES`] ranges is forgotten from the lowest number on.
    pub(crate) fn insert(&mut self, first: u64, last: u64, reason: v1::VoidReason) {
        let (mut first, mut last) = (first, last);
        if let Some((&start, &(end, why))) = self.ranges.range(..first).next_back()
            && end + 1 == first
            && why == reason
        {
            first = start;
        }
        let next = last.saturating_add(1);
        if let Some(&(end, why)) = self.ranges.get(&next)
            && why == reason
        {
            self.ranges.remove(&next);
            last = end;
        }
        self.ranges.insert(first, (last, reason));
        while self.ranges.len() > limits::VOIDED_RANGES {
            self.ranges.pop_first();
        }
    }

    /// Takes a number out; false where it was not here.
    pub(crate) fn take(&mut self, seq: u64) -> bool {
        let Some((&first, &(last, reason))) = self.ranges.range(..=seq).next_back() else {
            return false;
        };
        if seq > last {
            return false;
        }
        self.ranges.remove(&first);
        if first < seq {
            self.ranges.insert(first, (seq - 1, reason));
        }
        if seq < last {
            self.ranges.insert(seq + 1, (last, reason));
        }
        true
    }

    /// How many numbers are lost at their originator.
    pub(crate) fn lost(&self) -> u64 {
        self.iter()
            .filter(|(_, _, why)| *why == v1::VoidReason::VoidLost)
            .map(|(first, last, _)| last - first + 1)
            .sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// First, last and reason, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64, v1::VoidReason)> {
        self.ranges.iter().map(|(&f, &(l, why))| (f, l, why))
    }
}

impl FromIterator<(u64, u64, v1::VoidReason)> for Voided {
    fn from_iter<I: IntoIterator<Item = (u64, u64, v1::VoidReason)>>(ranges: I) -> Self {
        Self {
            ranges: ranges
                .into_iter()
                .map(|(f, l, why)| (f, (l, why)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use v1::VoidReason::{VoidExpired, VoidFailed};

    proptest! {
        #[test]
        fn it_is_the_map_of_its_numbers(
            ops in proptest::collection::vec((1u64..40, 0u64..4, any::<bool>(), any::<bool>()), 0..60),
        ) {
            let (mut voided, mut map) = (Voided::default(), BTreeMap::new());
            for (first, more, failed, put) in ops {
                let last = first + more;
                let reason = if failed { VoidFailed } else { VoidExpired };
                if put && (first..=last).all(|n| !map.contains_key(&n)) {
                    voided.insert(first, last, reason);
                    map.extend((first..=last).map(|n| (n, reason)));
                } else {
                    prop_assert_eq!(voided.take(first), map.remove(&first).is_some());
                }
                for n in 0..46 {
                    prop_assert_eq!(voided.reason(n), map.get(&n).copied(), "{}", n);
                }
                let again: Voided = voided.iter().collect();
                prop_assert_eq!(&again, &voided);
                let ranges: Vec<_> = voided.iter().collect();
                prop_assert!(ranges.windows(2).all(|w| w[0].1 < w[1].0));
            }
        }
    }

    #[test]
    fn what_is_scattered_too_widely_is_forgotten_from_below() {
        let mut voided = Voided::default();
        for n in 0..limits::VOIDED_RANGES as u64 + 3 {
            voided.insert(2 * n + 1, 2 * n + 1, VoidExpired);
        }
        assert_eq!(voided.iter().count(), limits::VOIDED_RANGES);
        assert_eq!(voided.reason(5), None);
        assert_eq!(voided.reason(7), Some(VoidExpired));
    }
}
