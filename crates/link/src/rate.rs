//! How fast a peer may send: token buckets, free of clocks.

use abeng_wire::{Mono, v1::control::Frame};
use std::time::Duration;

/// A rate with some to spend at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Per second, lasting.
    pub per_s: u64,
    /// At once, after a quiet time.
    pub burst: u64,
}

/// What one peer may ask of this node. Envelopes beyond it are not read until it is their turn;
/// control frames beyond it end the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerLimits {
    /// Envelopes; FLASH has as many again of its own.
    pub envelopes: Rate,
    /// Bytes of envelopes; FLASH has as many again of its own.
    pub bytes: Rate,
    /// Control frames that make this node work: a want, a claim, a wish for proof, trust data.
    pub asking: Rate,
    /// Control frames that answer: receipts, faults, credit, pings.
    pub answering: Rate,
}

impl Default for PeerLimits {
    fn default() -> Self {
        Self {
            envelopes: Rate {
                per_s: 5_000,
                burst: 20_000,
            },
            bytes: Rate {
                per_s: 64 << 20,
                burst: 256 << 20,
            },
            asking: Rate {
                per_s: 100,
                burst: 4_000,
            },
            answering: Rate {
                per_s: 10_000,
                burst: 50_000,
            },
        }
    }
}

/// What taking trust data costs in asking frames: it may mean hundreds of signatures, and marks may
/// be answered with as many statements.
const TRUST_COST: u64 = 50;

const NANOS: i128 = 1_000_000_000;

/// Tokens that come back with time. Holds at most the burst; may be overdrawn once by one taker,
/// so that nothing larger than the burst is kept out for ever.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    // In billionths.
    level: i128,
    at: Mono,
}

impl Bucket {
    pub(crate) fn new(rate: Rate, now: Mono) -> Self {
        Self {
            rate,
            level: i128::from(rate.burst) * NANOS,
            at: now,
        }
    }

    fn refill(&mut self, now: Mono) {
        let passed = i128::from(now.0.saturating_sub(self.at.0));
        self.at = Mono(self.at.0.max(now.0));
        let full = i128::from(self.rate.burst) * NANOS;
        self.level = (self.level + passed * i128::from(self.rate.per_s)).min(full);
    }

    /// Takes `tokens`, or says how long until some are there.
    pub(crate) fn take(&mut self, now: Mono, tokens: u64) -> Result<(), Duration> {
        self.refill(now);
        if self.level <= 0 {
            let nanos = (1 - self.level).div_euclid(i128::from(self.rate.per_s.max(1))) + 1;
            return Err(Duration::from_nanos(
                u64::try_from(nanos).unwrap_or(u64::MAX),
            ));
        }
        self.level -= i128::from(tokens) * NANOS;
        Ok(())
    }

    /// Whether it holds all that it can: nobody took anything for a while.
    pub(crate) fn is_full(&mut self, now: Mono) -> bool {
        self.refill(now);
        self.level == i128::from(self.rate.burst) * NANOS
    }
}

/// One peer's pace on one link.
#[derive(Debug)]
pub(crate) struct Pace {
    envelopes: [Bucket; 2],
    bytes: [Bucket; 2],
    asking: Bucket,
    answering: Bucket,
}

/// Whose tokens an envelope takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Flash,
    Other,
}

impl Pace {
    pub(crate) fn new(limits: &PeerLimits, now: Mono) -> Self {
        let two = |rate| [Bucket::new(rate, now), Bucket::new(rate, now)];
        Self {
            envelopes: two(limits.envelopes),
            bytes: two(limits.bytes),
            asking: Bucket::new(limits.asking, now),
            answering: Bucket::new(limits.answering, now),
        }
    }

    /// Takes an envelope of `length` bytes, or says how long to wait before asking again.
    pub(crate) fn envelope(
        &mut self,
        now: Mono,
        class: Class,
        length: usize,
    ) -> Result<(), Duration> {
        let i = class as usize;
        // In this order nothing is taken of the one where the other has none.
        self.bytes[i].take(now, 0)?;
        self.envelopes[i].take(now, 1)?;
        self.bytes[i].take(now, length as u64)
    }

    /// Takes a control frame; false where the peer sends too many.
    pub(crate) fn control(&mut self, now: Mono, frame: &Frame) -> bool {
        match frame {
            Frame::Receipts(_)
            | Frame::CarriedReceipts(_)
            | Frame::Fault(_)
            | Frame::Credit(_)
            | Frame::Ping(_)
            | Frame::Pong(_)
            | Frame::Void(_)
            | Frame::CarriedVoid(_) => self.answering.take(now, 1).is_ok(),
            Frame::Trust(_) | Frame::TrustMarks(_) => self.asking.take(now, TRUST_COST).is_ok(),
            _ => self.asking.take(now, 1).is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abeng_wire::v1;

    fn at(ms: u64) -> Mono {
        Mono(ms * 1_000_000)
    }

    #[test]
    fn tokens_come_back_with_time_and_never_above_the_burst() {
        let mut bucket = Bucket::new(
            Rate {
                per_s: 10,
                burst: 5,
            },
            at(0),
        );
        assert_eq!((0..9).filter(|_| bucket.take(at(0), 1).is_ok()).count(), 5);
        let wait = bucket.take(at(0), 1).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_millis(101));
        // 250 ms bring two and a half; the half may be overdrawn.
        assert_eq!(
            (0..9).filter(|_| bucket.take(at(250), 1).is_ok()).count(),
            3
        );
        assert!(!bucket.is_full(at(300)));
        assert_eq!(
            (0..99)
                .filter(|_| bucket.take(at(3_600_000), 1).is_ok())
                .count(),
            5
        );
        // A clock that stands still or goes back gives nothing.
        assert!(bucket.take(at(0), 1).is_err());
        assert!(bucket.is_full(at(7_200_000)));
    }

    #[test]
    fn what_is_larger_than_the_burst_passes_and_is_paid_for_after() {
        let mut bucket = Bucket::new(
            Rate {
                per_s: 100,
                burst: 10,
            },
            at(0),
        );
        assert_eq!(bucket.take(at(0), 110), Ok(()));
        assert!(bucket.take(at(990), 1).is_err());
        assert_eq!(bucket.take(at(1001), 1), Ok(()));
    }

    #[test]
    fn the_wait_is_enough() {
        let mut bucket = Bucket::new(Rate { per_s: 3, burst: 1 }, at(0));
        let mut now = 0;
        for _ in 0..50 {
            match bucket.take(Mono(now), 1) {
                Ok(()) => {}
                Err(wait) => {
                    now += wait.as_nanos() as u64;
                    assert_eq!(bucket.take(Mono(now), 1), Ok(()), "{wait:?}");
                }
            }
        }
    }

    #[test]
    fn flash_does_not_wait_for_routine() {
        let limits = PeerLimits {
            envelopes: Rate { per_s: 1, burst: 2 },
            ..PeerLimits::default()
        };
        let mut pace = Pace::new(&limits, at(0));
        while pace.envelope(at(0), Class::Other, 100).is_ok() {}
        assert_eq!(pace.envelope(at(0), Class::Flash, 100), Ok(()));
    }

    #[test]
    fn trust_data_costs_more_than_a_question_and_answers_have_their_own_rate() {
        let limits = PeerLimits {
            asking: Rate {
                per_s: 1,
                burst: 51,
            },
            ..PeerLimits::default()
        };
        let mut pace = Pace::new(&limits, at(0));
        assert!(pace.control(at(0), &Frame::Trust(v1::TrustBundle::default())));
        assert!(pace.control(at(0), &Frame::Want(v1::Want::default())));
        assert!(!pace.control(at(0), &Frame::Want(v1::Want::default())));
        assert!(pace.control(at(0), &Frame::Receipts(v1::Receipts::default())));
        assert!(pace.control(at(1000), &Frame::Want(v1::Want::default())));
        let mut pace = Pace::new(&limits, at(0));
        for allowed in [true, true, false] {
            let marks = Frame::TrustMarks(v1::TrustMarks::default());
            assert_eq!(pace.control(at(0), &marks), allowed);
        }
    }
}
