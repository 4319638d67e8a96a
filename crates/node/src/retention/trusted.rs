//! Whether the clock is good enough to delete by. Deleting cannot be undone, so a clock that
//! jumps, or that nobody confirms, deletes nothing; it only delays.

use abeng_wire::{Millis, Now};

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
/// So long the clock must have gone evenly, since the start or since its last jump.
const EVENLY_MS: u64 = 10 * MINUTE_MS;
/// So far the wall clock may leave the monotonic one in that time.
const DRIFT_MS: u64 = 2 * MINUTE_MS;
/// So far it may be from the clock of most linked peers.
const APART_MS: u64 = 5 * MINUTE_MS;
/// Without a peer to ask: so far it may be ahead of the newest moment that is known to be past.
const ALONE_MS: u64 = 45 * DAY_MS;

/// Why nothing is deleted by the clock now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// Not long enough.
    #[error("the clock has not run evenly for ten minutes yet")]
    Young,
    /// Peers say otherwise.
    #[error("the clock is more than five minutes from those of most linked peers")]
    PeersDisagree,
    /// Nobody says anything, and the newest known moment is long ago.
    #[error("no peer is linked, and the clock is more than 45 days ahead of what is known")]
    Alone,
}

/// Watches both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    since: Now,
    // The newest of what others signed and of the own leaves from before the start.
    past: Millis,
}

impl Watch {
    /// From the start on; `past` is known to be past.
    pub fn new(now: Now, past: Millis) -> Self {
        Self { since: now, past }
    }

    /// Judges the clock. `offsets` are those of linked peers that have been measured, in
    /// milliseconds.
    pub fn judge(&mut self, now: Now, past: Millis, offsets: &mut [i64]) -> Result<(), Doubt> {
        self.past = self.past.max(past);
        let ran = now.mono.0.saturating_sub(self.since.mono.0) / 1_000_000;
        let expected = self.since.wall.saturating_add(ran);
        if now.wall.abs_diff(expected) > DRIFT_MS {
            self.since = now;
            return Err(Doubt::Young);
        }
        if ran < EVENLY_MS {
            return Err(Doubt::Young);
        }
        offsets.sort_unstable();
        match offsets.get(offsets.len() / 2) {
            Some(median) if median.unsigned_abs() > APART_MS => Err(Doubt::PeersDisagree),
            Some(_) => Ok(()),
            None if now.wall > self.past.saturating_add(ALONE_MS) => Err(Doubt::Alone),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abeng_wire::Mono;

    const START: Millis = 1_790_000_000_000;

    fn at(ran: u64, wall: Millis) -> Now {
        Now {
            mono: Mono(0).plus_ms(ran),
            wall,
        }
    }

    #[test]
    fn a_jump_by_years_deletes_nothing() {
        let mut watch = Watch::new(at(0, START), START - DAY_MS);
        assert_eq!(
            watch.judge(at(EVENLY_MS - 1, START + EVENLY_MS - 1), 0, &mut [0]),
            Err(Doubt::Young)
        );
        assert_eq!(
            watch.judge(at(EVENLY_MS, START + EVENLY_MS), 0, &mut [0]),
            Ok(())
        );
        // Forward by three years: young again, and then alone or contradicted.
        let far = START + 3 * 365 * DAY_MS;
        let ran = 2 * EVENLY_MS;
        assert_eq!(watch.judge(at(ran, far), 0, &mut []), Err(Doubt::Young));
        let later = at(ran + EVENLY_MS, far + EVENLY_MS);
        assert_eq!(watch.judge(later, 0, &mut []), Err(Doubt::Alone));
        let years = -(3 * 365 * DAY_MS as i64);
        assert_eq!(
            watch.judge(later, 0, &mut [years, years, 0]),
            Err(Doubt::PeersDisagree)
        );
        // One liar among three is outvoted, both ways.
        assert_eq!(watch.judge(later, 0, &mut [0, years, 0]), Ok(()));
        // A clock that was wrong from the start.
        let mut watch = Watch::new(at(0, far), START);
        let later = at(EVENLY_MS, far + EVENLY_MS);
        assert_eq!(watch.judge(later, 0, &mut []), Err(Doubt::Alone));
        // What others have signed since confirms it.
        assert_eq!(watch.judge(later, far - DAY_MS, &mut []), Ok(()));
    }

    #[test]
    fn a_clock_that_goes_back_is_young_again() {
        let mut watch = Watch::new(at(0, START), START);
        let back = at(EVENLY_MS, START);
        assert_eq!(watch.judge(back, 0, &mut [0]), Err(Doubt::Young));
    }
}
