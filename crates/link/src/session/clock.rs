use abeng_wire::{Millis, Mono, Now, v1};
use std::collections::VecDeque;

/// Samples among which the one with the shortest round trip is believed.
const SAMPLES: usize = 8;

/// Compares the peer's wall clock with ours by pings.
#[derive(Debug, Default)]
pub(super) struct Clock {
    nonce: u64,
    asked: Option<Now>,
    samples: VecDeque<Sample>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    round_trip: u64,
    /// The middle of the round trip, and the peer's clock then.
    at: Mono,
    time: Millis,
}

impl Clock {
    pub(super) fn ping(&mut self, now: Now) -> v1::Ping {
        self.nonce += 1;
        self.asked = Some(now);
        v1::Ping {
            nonce: self.nonce,
            time: now.wall,
        }
    }

    /// Answers to anything but the newest ping are passed over.
    pub(super) fn pong(&mut self, now: Now, pong: &v1::Pong) {
        if pong.nonce != self.nonce {
            return;
        }
        let Some(asked) = self.asked.take() else {
            return;
        };
        let round_trip = since(asked.mono, now.mono);
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(Sample {
            round_trip,
            at: Mono(asked.mono.0.saturating_add(round_trip / 2)),
            time: pong.time,
        });
    }

    /// The peer's wall clock now. It rests on what passed since, not on the own wall clock, which
    /// may have been set meanwhile.
    pub(super) fn peer_time(&self, now: Mono) -> Option<Millis> {
        let best = self.samples.iter().min_by_key(|s| s.round_trip)?;
        Some(best.time.saturating_add(since(best.at, now) / 1_000_000))
    }
}

fn since(earlier: Mono, later: Mono) -> u64 {
    later.0.saturating_sub(earlier.0)
}
