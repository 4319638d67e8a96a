//! The gaps of one stream while they last: since when, how often asked for, when next.

use crate::{Resend, mark::Mark};
use abeng_wire::{Millis, Mono, Now, PartyCode, limits};
use std::collections::BTreeMap;

/// A gap younger than this many first waits of a sender may just be on its way.
const YOUNG: u64 = 2;
/// The least time between two looks at one stream, in milliseconds.
pub(crate) const LOOK_MS: u64 = 1_000;

/// Open numbers with closed ones above them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// When it was first seen by this process.
    pub(crate) since: Millis,
    pub(crate) asked: u32,
    pub(crate) asked_at: Option<Millis>,
    due: Mono,
    // When it is no longer young.
    ripe: Mono,
}

impl Gap {
    fn fresh(first: u64, last: u64, now: Now, resend: Resend) -> Self {
        let ripe = now.mono.plus_ms(YOUNG * resend.first_ms);
        Self {
            first,
            last,
            since: now.wall,
            asked: 0,
            asked_at: None,
            due: ripe,
            ripe,
        }
    }
}

/// One stream's gaps as they were when it was last looked at.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    // By first number. Neighbours may differ in how often they were asked for.
    known: BTreeMap<u64, Gap>,
    /// When to look again.
    pub(crate) look: Option<Mono>,
    // Whose turn it was last, where several relays may carry a question.
    turn: usize,
}

impl Gaps {
    /// Of a stream that is to be looked at as soon as may be.
    pub(crate) fn unseen() -> Self {
        Self {
            known: BTreeMap::new(),
            look: Some(Mono(0)),
            turn: 0,
        }
    }

    /// The mark has changed.
    pub(crate) fn touch(&mut self, now: Mono) {
        let soon = now.plus_ms(LOOK_MS);
        self.look = Some(self.look.map_or(soon, |look| look.min(soon)));
    }

    /// A link is up: what is not young is asked for now, and the waits begin anew.
    pub(crate) fn link_up(&mut self, now: Mono) {
        for gap in self.known.values_mut() {
            gap.asked = 0;
            gap.due = gap.ripe;
        }
        self.look = Some(now);
    }

    /// Brings what is known in line with the mark. What was part of an older gap keeps its history.
    pub(crate) fn reconcile(&mut self, mark: &Mark, now: Now, resend: Resend) {
        let before = std::mem::take(&mut self.known);
        let mut put = |gap: Gap| _ = self.known.insert(gap.first, gap);
        for (first, last) in mark.gaps() {
            let mut next = first;
            let start = before
                .range(..=first)
                .next_back()
                .map_or(first, |(&f, _)| f);
            for old in before.range(start..=last).map(|(_, gap)| gap) {
                let (from, to) = (old.first.max(next), old.last.min(last));
                if from > to {
                    continue;
                }
                if next < from {
                    put(Gap::fresh(next, from - 1, now, resend));
                }
                put(Gap {
                    first: from,
                    last: to,
                    ..*old
                });
                next = to + 1;
            }
            if next <= last {
                put(Gap::fresh(next, last, now, resend));
            }
        }
    }

    /// The relay whose turn it is, of those that reach the originator: each in turn, so that one
    /// that carries nothing costs a wait and never the answer.
    pub(crate) fn turn(&mut self, relays: &[PartyCode]) -> Option<PartyCode> {
        let turn = self.turn.checked_rem(relays.len())?;
        self.turn = turn + 1;
        relays.get(turn).copied()
    }

    /// The ranges to ask for now, marked as asked; and when to look again, if the peer stays linked.
    pub(crate) fn ask(&mut self, now: Now, resend: Resend) -> Vec<(u64, u64)> {
        let due = |gap: &&Gap| gap.due <= now.mono;
        let due: Vec<Gap> = self
            .known
            .values()
            .filter(due)
            .take(limits::WANT_RANGES)
            .copied()
            .collect();
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for gap in due {
            let last = gap.last.min(gap.first + (limits::WANT_NUMBERS - 1));
            if last < gap.last {
                // The rest is asked for at the next look.
                let rest = Gap {
                    first: last + 1,
                    ..gap
                };
                self.known.insert(rest.first, rest);
            }
            let asked = gap.asked.saturating_add(1);
            let tries = u8::try_from(asked).unwrap_or(u8::MAX);
            let gap = Gap {
                last,
                asked,
                asked_at: Some(now.wall),
                due: now.mono.plus_ms(resend.wait(tries)),
                ..gap
            };
            self.known.insert(gap.first, gap);
            ranges.push((gap.first, last));
        }
        let next = self.known.values().map(|gap| gap.due).min();
        self.look = next.map(|due| due.max(now.mono.plus_ms(LOOK_MS)));
        ranges
    }

    pub(crate) fn known(&self) -> impl Iterator<Item = &Gap> {
        self.known.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESEND: Resend = Resend {
        first_ms: 30_000,
        max_ms: 600_000,
    };

    fn at(ms: u64) -> Now {
        Now {
            mono: Mono(0).plus_ms(ms),
            wall: ms,
        }
    }

    fn mark(seqs: impl IntoIterator<Item = u64>) -> Mark {
        let mut mark = Mark::default();
        for seq in seqs {
            mark.insert(seq);
        }
        mark
    }

    #[test]
    fn a_gap_is_asked_for_once_it_is_ripe_and_then_ever_more_seldom() {
        let mut gaps = Gaps::default();
        let mark = mark([1, 5]);
        gaps.reconcile(&mark, at(0), RESEND);
        assert!(gaps.ask(at(59_999), RESEND).is_empty());
        assert_eq!(gaps.look, Some(at(60_999).mono));
        let mut asked_at = Vec::new();
        for second in 60..4_000 {
            gaps.reconcile(&mark, at(second * 1000), RESEND);
            if gaps.ask(at(second * 1000), RESEND) == [(2, 4)] {
                asked_at.push(second);
            }
        }
        assert_eq!(
            asked_at,
            [60, 120, 240, 480, 960, 1560, 2160, 2760, 3360, 3960]
        );
        gaps.link_up(at(4_000_000).mono);
        assert_eq!(gaps.look, Some(at(4_000_000).mono));
        assert_eq!(gaps.ask(at(4_000_000), RESEND), [(2, 4)]);
        assert!(gaps.ask(at(4_059_999), RESEND).is_empty());
    }

    #[test]
    fn parts_of_a_gap_keep_their_history_and_new_gaps_have_none() {
        let mut gaps = Gaps::default();
        gaps.reconcile(&mark([1, 10]), at(0), RESEND);
        assert_eq!(gaps.ask(at(60_000), RESEND), [(2, 9)]);
        gaps.reconcile(&mark([1, 5, 10, 12]), at(61_000), RESEND);
        let known: Vec<_> = gaps
            .known()
            .map(|g| (g.first, g.last, g.since, g.asked))
            .collect();
        assert_eq!(known, [(2, 4, 0, 1), (6, 9, 0, 1), (11, 11, 61_000, 0)]);
        gaps.reconcile(
            &mark([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12]),
            at(62_000),
            RESEND,
        );
        assert_eq!(gaps.known().count(), 1);
        gaps.reconcile(&Mark::default(), at(62_000), RESEND);
        assert_eq!(gaps.ask(at(63_000), RESEND), []);
        assert_eq!(gaps.look, None);
    }

    #[test]
    fn a_wide_gap_is_asked_for_in_parts_a_second_apart_and_many_in_portions() {
        let mut gaps = Gaps::default();
        let wide = mark([3 * limits::WANT_NUMBERS + 11]);
        gaps.reconcile(&wide, at(0), RESEND);
        let n = limits::WANT_NUMBERS;
        for (i, expected) in [
            (1, n),
            (n + 1, 2 * n),
            (2 * n + 1, 3 * n),
            (3 * n + 1, 3 * n + 10),
        ]
        .into_iter()
        .enumerate()
        {
            let now = at(60_000 + 1_000 * i as u64);
            gaps.reconcile(&wide, now, RESEND);
            assert_eq!(gaps.ask(now, RESEND), [expected]);
        }
        assert_eq!(gaps.look, Some(at(120_000).mono));
        let mut gaps = Gaps::default();
        gaps.reconcile(&mark((1..=20).map(|n| 2 * n)), at(0), RESEND);
        assert_eq!(gaps.ask(at(60_000), RESEND).len(), limits::WANT_RANGES);
        assert_eq!(gaps.look, Some(at(61_000).mono));
        assert_eq!(gaps.ask(at(61_000), RESEND).len(), 20 - limits::WANT_RANGES);
    }
}
