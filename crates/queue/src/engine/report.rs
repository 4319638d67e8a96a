//! What the engine says of itself: for status, hellos and tests.

use super::{Engine, to_precedence};
use crate::{lane::Lane, mark::Mark};
use abeng_wire::{Incarnation, Millis, PartyCode, v1};
use std::collections::BTreeMap;

impl Engine {
    /// Depth and the oldest `created_at` of every queue that is not empty, by recipient, then by
    /// precedence. Looks at every entry: for reports, not for every notice.
    pub fn queues(&self) -> impl Iterator<Item = (PartyCode, v1::Precedence, usize, Millis)> {
        let mut queues: BTreeMap<(PartyCode, v1::Precedence), (usize, Millis)> = BTreeMap::new();
        for (&peer, lane) in &self.lanes {
            for ((precedence, _), entry) in lane.iter_own() {
                let queue = queues
                    .entry((peer, to_precedence(precedence)))
                    .or_insert((0, entry.created_at));
                queue.0 += 1;
                queue.1 = queue.1.min(entry.created_at);
            }
        }
        queues.into_iter().map(|((p, c), (n, t))| (p, c, n, t))
    }

    /// Queued (notice, recipient) pairs that were sent from here.
    pub fn depth(&self) -> usize {
        let all: usize = self.lanes.values().map(Lane::len).sum();
        all.saturating_sub(self.carried_count())
    }

    /// Pairs that are on a link and have no receipt yet. Looks at what is on links alone.
    pub fn in_flight(&self) -> usize {
        self.lanes.values().map(Lane::in_flight).sum()
    }

    /// Submissions that are reserved and not yet journalled.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// How far an originator's streams to this party have come, oldest incarnation first: for
    /// the hello.
    pub fn marks(&self, originator: PartyCode) -> Vec<v1::StreamMark> {
        let marks = self.marks_of(originator);
        let mark = |(incarnation, mark): (Incarnation, &Mark)| v1::StreamMark {
            incarnation: incarnation.0,
            contiguous: mark.contiguous(),
        };
        marks.map(mark).collect()
    }

    /// Whether any stream to this party misses a number below one that came.
    pub fn has_gaps(&self) -> bool {
        self.marks.values().any(Mark::has_gaps)
    }

    /// Numbers of an originator's streams that are still missing below one that came, as
    /// (incarnation, first, last).
    pub fn gaps(&self, originator: PartyCode) -> Vec<(Incarnation, u64, u64)> {
        let gaps = |(incarnation, mark): (Incarnation, &Mark)| {
            let gaps: Vec<_> = mark.gaps().map(|(f, l)| (incarnation, f, l)).collect();
            gaps
        };
        self.marks_of(originator).flat_map(gaps).collect()
    }

    fn marks_of(&self, originator: PartyCode) -> impl Iterator<Item = (Incarnation, &Mark)> {
        let from = (originator, Incarnation(0));
        let to = (originator, Incarnation(u64::MAX));
        self.marks.range(from..=to).map(|(&(_, i), mark)| (i, mark))
    }
}
