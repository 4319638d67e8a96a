//! How many small frames a peer may send: a burst, and then so many a second.

use abeng_wire::{Mono, limits};

const SECOND: u64 = 1_000_000_000;

/// What is left of one peer's burst.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    left: u64,
    at: Mono,
}

impl Allowance {
    pub(super) fn new(now: Mono) -> Self {
        Self {
            left: limits::STREAM_FRAMES,
            at: now,
        }
    }

    /// Takes one; false where none is left.
    pub(super) fn take(&mut self, now: Mono) -> bool {
        let seconds = now.0.saturating_sub(self.at.0) / SECOND;
        if seconds > 0 {
            let more = seconds.saturating_mul(limits::STREAM_FRAMES_A_SECOND);
            self.left = self.left.saturating_add(more).min(limits::STREAM_FRAMES);
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
        let mut allowance = Allowance::new(Mono(0));
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
