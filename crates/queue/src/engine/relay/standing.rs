//! How far a relay is trusted to do what it says: strikes that time takes back.

use abeng_wire::Mono;

/// A strike is taken back after so long.
const DECAY_MS: u64 = 60 * 60 * 1000;
/// From so many on a relay is used only where no other is left.
const BAD: u8 = 3;
/// More are not counted, so that a relay that was broken for weeks comes back within a day.
const MOST: u8 = 12;

/// The strikes of one relay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    strikes: u8,
    // Since when they count.
    since: Mono,
}

impl Standing {
    /// Strikes that still count.
    pub(crate) fn strikes(self, now: Mono) -> u8 {
        let passed = now.0.saturating_sub(self.since.0) / (DECAY_MS * 1_000_000);
        self.strikes
            .saturating_sub(u8::try_from(passed).unwrap_or(u8::MAX))
    }

    pub(crate) fn is_bad(self, now: Mono) -> bool {
        self.strikes(now) >= BAD
    }

    /// It took a copy and brought nothing in time, or dropped it.
    pub(crate) fn strike(&mut self, now: Mono) {
        self.strikes = self.strikes(now).saturating_add(1).min(MOST);
        self.since = now;
    }

    /// It brought an outcome.
    pub(crate) fn clear(&mut self) {
        self.strikes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strikes_add_up_decay_and_are_cleared_by_an_outcome() {
        let mut standing = Standing::default();
        let at = |hours: u64| Mono(0).plus_ms(hours * DECAY_MS);
        standing.strike(at(1));
        standing.strike(at(1));
        assert!(!standing.is_bad(at(1)));
        standing.strike(at(1));
        assert!(standing.is_bad(at(1)));
        assert_eq!(standing.strikes(at(2)), 2);
        assert_eq!(standing.strikes(at(4)), 0);
        standing.strike(at(5));
        assert_eq!(standing.strikes(at(5)), 1);
        for _ in 0..100 {
            standing.strike(at(5));
        }
        assert_eq!(standing.strikes(at(5 + u64::from(MOST))), 0);
        standing.clear();
        assert_eq!(standing.strikes(at(5)), 0);
    }
}
