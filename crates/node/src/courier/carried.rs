//! What earlier files carried, so that a limited file goes on where the last one ended. Lost at a
//! restart, which only means that the most urgent goes along again.

use abeng_wire::{LeafIndex, StreamSeq};
use std::collections::BTreeSet;

/// One envelope that waits for a recipient. What is sent from here goes before what is carried for
/// others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Queued {
    /// By its number in the stream from here.
    Own(StreamSeq),
    /// By its Relayed leaf.
    Relayed(LeafIndex),
}

/// Of one recipient.
#[derive(Debug, Default)]
pub struct Carried {
    envelopes: BTreeSet<Queued>,
}

impl Carried {
    /// Whether an earlier file carried it.
    pub fn has(&self, queued: Queued) -> bool {
        self.envelopes.contains(&queued)
    }

    /// A file with these is written.
    pub fn add(&mut self, envelopes: impl IntoIterator<Item = Queued>) {
        self.envelopes.extend(envelopes);
    }

    /// Only what is still queued is worth remembering.
    pub fn keep(&mut self, queued: &BTreeSet<Queued>) {
        self.envelopes.retain(|one| queued.contains(one));
    }

    /// The recipient misses them: they are carried again before the rest.
    pub fn missing(&mut self, first: StreamSeq, last: StreamSeq) {
        if first <= last {
            let missed = Queued::Own(first)..=Queued::Own(last);
            self.envelopes.retain(|one| !missed.contains(one));
        }
    }

    /// The last file is lost.
    pub fn forget(&mut self) {
        self.envelopes.clear();
    }
}

/// How far files have carried an attachment to a recipient.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileMark {
    /// Pieces that the recipient said it has, by its own word.
    pub known: u64,
    /// The first piece that no file has carried since.
    pub next: u64,
    /// The recipient has asked for it, whatever it proved before.
    pub asked: bool,
}

impl FileMark {
    /// The recipient lacks it from a piece on.
    pub fn asked(first: u64) -> Self {
        Self {
            known: first,
            next: first,
            asked: true,
        }
    }

    /// A file with the pieces before `next` is written.
    pub fn written(&mut self, next: u64) {
        self.next = next;
    }

    /// Where the next file goes on; `None` where files have carried all of it, and what remains is
    /// to bring it again.
    pub fn begins(&self, pieces: u64) -> Option<u64> {
        (self.next < pieces).then_some(self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_on_where_the_last_one_ended_and_anew_where_it_was_carried_whole() {
        let mut mark = FileMark::default();
        assert_eq!(mark.begins(5), Some(0));
        mark.written(3);
        assert_eq!(mark.begins(5), Some(3));
        mark.written(5);
        assert_eq!((mark.begins(5), mark.known), (None, 0));
        mark = FileMark::asked(2);
        assert_eq!(mark.begins(5), Some(2));
        mark.written(5);
        assert_eq!((mark.begins(5), mark.known), (None, 2));
    }

    fn seq(n: u64) -> StreamSeq {
        StreamSeq::new(n).unwrap()
    }

    fn own(n: u64) -> Queued {
        Queued::Own(seq(n))
    }

    #[test]
    fn what_is_missed_or_done_with_is_not_carried() {
        let relayed = Queued::Relayed(LeafIndex(2));
        let mut carried = Carried::default();
        carried.add([own(1), own(2), own(3), own(9), relayed]);
        carried.missing(seq(2), seq(3));
        carried.missing(seq(9), seq(8));
        let has: Vec<u64> = (1..10).filter(|n| carried.has(own(*n))).collect();
        assert_eq!(has, [1, 9]);
        carried.missing(seq(1), StreamSeq::new(u64::MAX).unwrap());
        assert!(carried.has(relayed), "its number is not known here");
        carried.add([own(1), own(9)]);
        carried.keep(&[own(9)].into());
        assert!(!carried.has(own(1)) && carried.has(own(9)) && !carried.has(relayed));
        carried.forget();
        assert!(!carried.has(own(9)));
    }
}
