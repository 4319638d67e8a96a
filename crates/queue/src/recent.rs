//! What was handled lately: what a look-up in the view may not have seen yet.
//!
//! A look-up covers the leaves below some index. An answer that rests on "not found" is sound
//! only if nothing that could have been found has been forgotten here since. So entries stay
//! until they are durable *and* pushed out by newer ones, and what was forgotten is remembered
//! as one index: a look-up that covers it may be believed, an older one is asked again.

use abeng_wire::LeafIndex;
use std::collections::{BTreeMap, VecDeque};

/// Durable entries that are kept, so that a look-up is asked again only after a long wait. Few in
/// tests, so that they meet look-ups that came too early.
pub(crate) const KEPT: usize = if cfg!(test) { 2 } else { 4096 };

#[derive(Debug)]
pub(crate) struct Recent<K: Ord + Copy> {
    known: BTreeMap<K, LeafIndex>,
    oldest_first: VecDeque<K>,
    forgotten: LeafIndex,
}

impl<K: Ord + Copy> Recent<K> {
    /// Nothing is known; everything below `from` can be looked up.
    pub(crate) fn new(from: LeafIndex) -> Self {
        Self {
            known: BTreeMap::new(),
            oldest_first: VecDeque::new(),
            forgotten: from,
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<LeafIndex> {
        self.known.get(key).copied()
    }

    /// Leaves must come in order.
    pub(crate) fn insert(&mut self, key: K, leaf: LeafIndex) {
        if self.known.insert(key, leaf).is_none() {
            self.oldest_first.push_back(key);
        }
    }

    /// Everything below `durable` can be looked up now.
    pub(crate) fn durable(&mut self, durable: LeafIndex) {
        while self.oldest_first.len() > KEPT {
            let Some(leaf) = self.oldest_first.front().and_then(|key| self.get(key)) else {
                return;
            };
            if leaf >= durable {
                return;
            }
            if let Some(key) = self.oldest_first.pop_front() {
                self.known.remove(&key);
            }
            self.forgotten = self.forgotten.max(LeafIndex(leaf.0 + 1));
        }
    }

    /// Whether a look-up that covered the leaves below `looked` saw all that is forgotten here.
    pub(crate) fn covered_by(&self, looked: LeafIndex) -> bool {
        looked >= self.forgotten
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.known.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_durable_is_never_forgotten() {
        let mut recent = Recent::new(LeafIndex(0));
        for i in 0..40 {
            recent.insert(i, LeafIndex(i));
        }
        recent.durable(LeafIndex(10));
        assert_eq!(recent.len(), 30);
        assert_eq!(recent.get(&9), None);
        assert_eq!(recent.get(&10), Some(LeafIndex(10)));
        assert!(recent.covered_by(LeafIndex(10)));
        assert!(!recent.covered_by(LeafIndex(9)));
        recent.durable(LeafIndex(u64::MAX));
        assert_eq!(recent.len(), KEPT);
        assert!(recent.covered_by(LeafIndex(38)) && !recent.covered_by(LeafIndex(37)));
    }
}
