//! Which numbers of a stream earlier files carried, so that a limited file goes on where the last
//! one ended. Lost at a restart, which only means that the most urgent goes along again.

use abeng_wire::StreamSeq;
use std::collections::BTreeSet;

/// Of one recipient.
#[derive(Debug, Default)]
pub struct Carried {
    numbers: BTreeSet<StreamSeq>,
}

impl Carried {
    /// Whether an earlier file carried it.
    pub fn has(&self, seq: StreamSeq) -> bool {
        self.numbers.contains(&seq)
    }

    /// A file with these is written.
    pub fn add(&mut self, numbers: impl IntoIterator<Item = StreamSeq>) {
        self.numbers.extend(numbers);
    }

    /// Only what is still queued is worth remembering.
    pub fn keep(&mut self, queued: &BTreeSet<StreamSeq>) {
        self.numbers.retain(|seq| queued.contains(seq));
    }

    /// The recipient misses them: they are carried again before the rest.
    pub fn missing(&mut self, first: StreamSeq, last: StreamSeq) {
        if first <= last {
            self.numbers.retain(|seq| *seq < first || *seq > last);
        }
    }

    /// The last file is lost.
    pub fn forget(&mut self) {
        self.numbers.clear();
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

    #[test]
    fn what_is_missed_or_done_with_is_not_carried() {
        let mut carried = Carried::default();
        carried.add([1, 2, 3, 9].map(seq));
        carried.missing(seq(2), seq(3));
        carried.missing(seq(9), seq(8));
        let has: Vec<u64> = (1..10).filter(|n| carried.has(seq(*n))).collect();
        assert_eq!(has, [1, 9]);
        carried.keep(&[seq(9)].into());
        assert!(!carried.has(seq(1)) && carried.has(seq(9)));
        carried.forget();
        assert!(!carried.has(seq(9)));
    }
}
