//! Which receipts a peer gets again, and in what order.

use abeng_wire::LeafIndex;

/// A way once round all rows of a peer, oldest first, from where the last link was lost. Nothing
/// counts as arrived: no row is left out of a round, and what was on its way when a link was lost
/// comes at the end of the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Round {
    next: LeafIndex,
    // Where it ends, once it went on at the oldest.
    began: LeafIndex,
    second: bool,
}

impl Round {
    pub fn from(next: LeafIndex) -> Self {
        Self {
            next,
            began: next,
            second: false,
        }
    }

    /// The first leaf of the next page, and the one before which it ends.
    pub fn page(&self) -> [LeafIndex; 2] {
        match self.second {
            true => [self.next, self.began],
            false => [self.next, LeafIndex(u64::MAX)],
        }
    }

    /// A page was told whose newest row is `last`; it was full if there may be more. Says whether
    /// the round goes on.
    pub fn told(&mut self, last: Option<LeafIndex>, is_full: bool) -> bool {
        if let Some(last) = last {
            self.next = LeafIndex(last.0.saturating_add(1));
        }
        if is_full {
            return true;
        }
        self.next = LeafIndex(0);
        let goes_on = !self.second && self.began > self.next;
        self.second = true;
        goes_on
    }

    /// Where a round on the next link is to begin.
    pub fn next(&self) -> LeafIndex {
        self.next
    }
}

/// The first of `size` leaves that is not before a time, if their times ascend. What cannot be
/// read is taken for young.
pub(super) fn first_since(
    size: u64,
    since: u64,
    time: impl Fn(LeafIndex) -> Option<u64>,
) -> LeafIndex {
    let (mut low, mut high) = (0, size);
    while low < high {
        let middle = low + (high - low) / 2;
        match time(LeafIndex(middle)) {
            Some(at) if at < since => low = middle + 1,
            _ => high = middle,
        }
    }
    LeafIndex(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 256;

    /// A link that takes so many pages, the last of which is lost with it.
    fn link(rows: &[u64], next: LeafIndex, pages: usize) -> (LeafIndex, Vec<Vec<u64>>) {
        let mut round = Round::from(next);
        let mut told = Vec::new();
        while told.len() < pages {
            let [from, to] = round.page();
            let within = rows.iter().copied().filter(|r| (from.0..to.0).contains(r));
            let page: Vec<u64> = within.take(PAGE).collect();
            let last = page.last().copied().map(LeafIndex);
            let is_full = page.len() == PAGE;
            told.push(page);
            if !round.told(last, is_full) {
                break;
            }
        }
        (round.next(), told)
    }

    #[test]
    fn one_link_tells_all_oldest_first_and_the_next_all_again() {
        for count in [0, 1, 255, 256, 257, 300, 1024, 3000] {
            let rows: Vec<u64> = (0..count).map(|n| 3 * n).collect();
            let (next, told) = link(&rows, LeafIndex(0), usize::MAX);
            assert_eq!(told.concat(), rows);
            let (_, told) = link(&rows, next, usize::MAX);
            assert_eq!(told.concat(), rows, "nothing counts as arrived");
        }
    }

    #[test]
    fn links_that_are_lost_after_two_pages_lose_none() {
        let rows: Vec<u64> = (0..1300).map(|n| 3 * n + 7).collect();
        let (mut next, mut arrived) = (LeafIndex(0), Vec::new());
        for _ in 0..6 {
            let (then, mut told) = link(&rows, next, 2);
            told.pop();
            arrived.extend(told.concat());
            next = then;
        }
        // And one that holds.
        let (_, told) = link(&rows, next, usize::MAX);
        let mut last = told.concat();
        last.sort_unstable();
        assert_eq!(last, rows, "each once in a whole round");
        assert!(arrived.contains(&rows[0]) && arrived.contains(&rows[1024]));
    }

    #[test]
    fn the_first_young_leaf_is_found() {
        for young in 0..=9 {
            let time = |leaf: LeafIndex| Some(if leaf.0 < young { 10 } else { 20 });
            assert_eq!(first_since(9, 20, time), LeafIndex(young.min(9)));
        }
        assert_eq!(first_since(9, 20, |_| None), LeafIndex(0));
    }
}
