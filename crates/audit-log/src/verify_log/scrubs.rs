//! Holds what is zeroed against what the log says was scrubbed. Two bits a leaf, since the leaf
//! that says so comes later.

use crate::{
    Record,
    journal::{
        OpenError,
        frame::Frame,
        walk::{At, Visitor},
    },
};
use abeng_wire::{limits, v1};
use bytes::Bytes;
use std::collections::BTreeSet;

#[derive(Default)]
pub(super) struct Scrubs {
    // Records with a zeroed part that no SCRUB_BEGUN leaf has named so far.
    unnamed: Bits,
    // Records with a private or body part that can be read.
    left: Bits,
    // The subjects of SCRUB_BEGUN leaves.
    begun: BTreeSet<Bytes>,
    zeroed: u64,
    fault: Option<(u64, &'static str)>,
}

impl Scrubs {
    pub(super) fn seen(&mut self, index: u64, record: &Record) {
        if record.is_scrubbed() {
            self.unnamed.set(index);
            self.zeroed += 1;
        }
        if record.private_bytes().is_some() || record.body_bytes().is_some() {
            self.left.set(index);
        }
    }

    pub(super) fn begun(
        &mut self,
        index: u64,
        leaf: &v1::Leaf,
        scrub: &v1::Scrub,
    ) -> Result<(), String> {
        let named = &scrub.indexes;
        let ascending = named.is_sorted_by(|a, b| a < b);
        if named.is_empty() || !ascending || named.len() > limits::SCRUB_INDEXES {
            return Err("the scrub names no leaves in order, or too many".into());
        }
        if named.last().is_some_and(|&last| last >= index) {
            return Err("the scrub names a leaf that is not older than its own".into());
        }
        for &index in named {
            self.unnamed.clear(index);
        }
        self.begun.insert(leaf.subject.clone());
        Ok(())
    }

    pub(super) fn done(&mut self, leaf: &v1::Leaf, scrub: &v1::Scrub) -> Result<(), String> {
        if !self.begun.contains(&leaf.subject) {
            return Err("a scrub is said to be done that was not begun".into());
        }
        if let Some(&index) = scrub.indexes.iter().find(|&&i| self.left.get(i)) {
            let what = "a SCRUBBED leaf names this record, but its parts are still there";
            self.fault = Some((index, what));
            return Err(what.into());
        }
        Ok(())
    }

    /// A leaf that a later one, or the `whole` log, shows to be wrong.
    pub(super) fn fault(&self, whole: bool) -> Option<(u64, &'static str)> {
        let what = "the record's private or body part is zeroed, and no SCRUB_BEGUN leaf names it";
        let unnamed = || Some((self.unnamed.first()?, what));
        self.fault.or_else(|| whole.then(unnamed).flatten())
    }

    pub(super) fn count(&self) -> u64 {
        self.zeroed
    }
}

#[derive(Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn set(&mut self, index: u64) {
        let word = (index / 64) as usize;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (index % 64);
    }

    fn clear(&mut self, index: u64) {
        if let Some(word) = self.0.get_mut((index / 64) as usize) {
            *word &= !(1 << (index % 64));
        }
    }

    fn get(&self, index: u64) -> bool {
        let word = self.0.get((index / 64) as usize);
        word.is_some_and(|word| word & 1 << (index % 64) != 0)
    }

    fn first(&self) -> Option<u64> {
        let word = self.0.iter().position(|&word| word != 0)?;
        Some(word as u64 * 64 + u64::from(self.0[word].trailing_zeros()))
    }
}

/// Finds the place of a leaf of which something is known to be wrong.
pub(super) struct Locate {
    pub(super) index: u64,
    pub(super) what: &'static str,
}

impl Visitor for Locate {
    fn record(&mut self, at: At<'_>, frame: &Frame, _data: &[u8]) -> Result<(), OpenError> {
        if frame.in_tree && frame.index == self.index {
            return Err(OpenError::damage(at.path, at.offset, self.what.to_owned()));
        }
        Ok(())
    }
}
