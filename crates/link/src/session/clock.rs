use abeng_wire::{Mono, Now, v1};
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
    offset_ms: i64,
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
        let middle = asked.wall.saturating_add(round_trip / 2_000_000);
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(Sample {
            round_trip,
            offset_ms: (i128::from(pong.time) - i128::from(middle))
                .clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64,
        });
    }

    pub(super) fn offset_ms(&self) -> Option<i64> {
        self.samples
            .iter()
            .min_by_key(|sample| sample.round_trip)
            .map(|sample| sample.offset_ms)
    }
}

fn since(earlier: Mono, later: Mono) -> u64 {
    later.0.saturating_sub(earlier.0)
}
