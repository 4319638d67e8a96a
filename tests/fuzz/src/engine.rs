//! The engine under arbitrary inputs: what a node may give it in whatever order, of what may come from
//! peers of whom each is the worst. Bytes are read as steps: submissions, envelopes that are good, damaged
//! or given a number that is taken, receipts, voids, wants, credit, reach, faults, clocks that jump,
//! batches that become durable, and starts that lose those that did not.
//!
//! The engine asserts its invariants itself; here are those that span more than it holds: what its
//! leaves say as a whole, what it sends against what the peer takes, and how much it keeps.

mod bench;
mod pool;
mod rules;

use bench::Bench;

/// Steps of one run at the most.
const STEPS: usize = 192;

/// A sequence of inputs. True where something was delivered here and something of its own was settled.
pub fn engine(data: &[u8]) -> bool {
    let mut bytes = Source(data);
    let mut bench = Bench::new();
    for _ in 0..STEPS {
        if bytes.0.is_empty() {
            break;
        }
        bench.step(&mut bytes);
    }
    bench.finish()
}

/// Sequences in which everything has its turn.
pub fn sequences() -> Vec<Vec<u8>> {
    use bench::op::*;
    let begin = vec![LINK_UP, 0, 8, LINK_UP, 1, 8];
    let take = |nth| [LOOK, nth, GIVE, 0, COMMIT, 9];
    let send = [
        RESERVE, 3, FOLLOW, 0, COMMIT, 9, PROVE, 0, 0, 0, 0, COMMIT, 9,
    ];
    let in_order: Vec<u8> = (0..6).flat_map(take).collect();
    let backwards: Vec<u8> = (0..10).rev().flat_map(take).collect();
    let odd = [
        VOID, 0, 1, 2, 1, 0, 0, VOID, 1, 3, 0, 9, 1, 99, WANT, 0, 1, 4, WANT, 3, 1, 4, CREDIT, 0,
        3, REACH, 1, 2, CARRY, 0, GIVE, 0, COMMIT, 9, TIME, 4, FOLLOW, 0, OFFER, 0, 9, REFUSE, 3,
        2, COMMIT, 9, FAULT, 0, 0, 3, ALLOW, 0, 1, ROSTER, RESTART, 0, DAMAGE, 2, 77, LINK_DOWN, 0,
        1,
    ];
    // Looked for before the same one is journalled, and given after.
    let late = [
        LOOK, 0, LOOK, 0, GIVE, 0, COMMIT, 9, GIVE, 0, FOLLOW, 0, COMMIT, 9,
    ];
    vec![
        [&begin[..], &in_order, &send, &odd].concat(),
        [&begin[..], &send, &backwards, &odd, &send].concat(),
        [&begin[..], &late, &send, &[RESTART, 0], &begin, &late, &odd].concat(),
    ]
}

/// What is left of the input.
pub(crate) struct Source<'a>(&'a [u8]);

impl Source<'_> {
    /// The next byte; 0 at the end.
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// A number, small or at an edge.
    fn number(&mut self) -> u64 {
        const EDGES: [u64; 8] = [
            4_095,
            4_096,
            65_535,
            65_536,
            65_537,
            1 << 32,
            i64::MAX as u64,
            u64::MAX,
        ];
        match self.byte() {
            small @ 0..=247 => u64::from(small),
            edge => EDGES[usize::from(edge - 248)],
        }
    }

    /// One of a list that is not empty.
    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::from(self.byte()) % all.len()]
    }
}
