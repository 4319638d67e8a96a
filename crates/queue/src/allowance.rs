//! How many small frames somebody may send: a burst, and then so many a second.

use abeng_wire::{Mono, limits};

const SECOND: u64 = 1_000_000_000;

/// A number of frames at once, and how many more each second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameRate {
    /// At once.
    pub burst: u64,
    /// More each second.
    pub a_second: u64,
}

/// Wants and voids that are taken from one peer.
pub(crate) const OF_PEER: FrameRate = FrameRate {
    burst: limits::STREAM_FRAMES,
    a_second: limits::STREAM_FRAMES_A_SECOND,
};

/// What is left of one sender's burst.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    rate: FrameRate,
    left: u64,
    at: Mono,
}

impl Allowance {
    /// A whole burst.
    pub fn new(rate: FrameRate, now: Mono) -> Self {
        let left = rate.burst;
        Self {
            rate,
            left,
            at: now,
        }
    }

    /// Takes one; false where none is left.
    pub fn take(&mut self, now: Mono) -> bool {
        let seconds = now.0.saturating_sub(self.at.0) / SECOND;
        if seconds > 0 {
            let more = seconds.saturating_mul(self.rate.a_second);
            self.left = self.left.saturating_add(more).min(self.rate.burst);
            self.at = self.at.plus_ms(seconds.saturating_mul(1000));
        }
        let taken = self.left > 0;
        self.left -= u64::from(taken);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_so_many_a_second() {
        let mut allowance = Allowance::new(OF_PEER, Mono(0));
        let mut taken = |ms| {
            let now = Mono(0).plus_ms(ms);
            (0..5000).filter(|_| allowance.take(now)).count() as u64
        };
        assert_eq!(taken(0), limits::STREAM_FRAMES);
        assert_eq!(taken(999), 0);
        assert_eq!(taken(1500), limits::STREAM_FRAMES_A_SECOND);
        assert_eq!(taken(1999), 0);
        assert_eq!(taken(2000), limits::STREAM_FRAMES_A_SECOND);
        assert_eq!(taken(1_000_000_000), limits::STREAM_FRAMES);
    }
}
