//! What the worker does at one of its looks: a function of what happened before and of the time.

use super::{Doubt, Round, Take};
use abeng_audit_log::OpenOptions;
use abeng_wire::{Mono, Now};

/// From one round to the next, so that a segment is written anew at most once in that time; and
/// from an error to whatever is tried next.
const HOUR_MS: u64 = 3_600_000;
/// From one sealing of the current segment for what falls due to the next.
const DAY_MS: u64 = 24 * HOUR_MS;

/// When the worker last did what it must not do too often. Lost at a restart: the first look
/// after it may do anything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pace {
    rewrote: Option<Mono>,
    sealed: Option<Mono>,
    failed: Option<Mono>,
}

impl Pace {
    /// What is to be done now; nothing at all until an hour after an error, since whatever it is,
    /// it needs somebody or some time, and a copy on a full disk harms the journal.
    pub fn next(&self, now: Now, clock: Result<(), Doubt>) -> Option<Take> {
        let rested = |last: Option<Mono>, ms| last.is_none_or(|l| now.mono >= l.plus_ms(ms));
        if !rested(self.failed, HOUR_MS) {
            return None;
        }
        Some(match clock {
            _ if !rested(self.rewrote, HOUR_MS) => Take::Begun,
            Err(_) => Take::Recalled,
            Ok(()) if rested(self.sealed, DAY_MS) => Take::DueSealing(now.wall),
            Ok(()) => Take::Due(now.wall),
        })
    }

    /// A round that began at `at` came to its end.
    pub fn ended(&mut self, at: Mono, take: Take, round: &Round) {
        self.failed = None;
        if round.segments > 0 {
            self.rewrote = Some(at);
        }
        if matches!(take, Take::DueSealing(_)) && *round != Round::default() {
            self.sealed = Some(at);
        }
    }

    /// A round came to no end.
    pub fn failed(&mut self, at: Mono) {
        self.failed = Some(at);
    }
}

/// Bytes that must be free before a segment is copied: the copy, and as much again for the
/// journal, which must not run out of room because of it.
pub fn room_for_a_copy() -> u64 {
    OpenOptions::default().segment_bytes.saturating_mul(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: u64 = 1_790_000_000_000;

    fn at(ms: u64) -> Now {
        Now {
            mono: Mono(0).plus_ms(ms),
            wall: WALL + ms,
        }
    }

    fn rewrote() -> Round {
        Round {
            records: 3,
            segments: 1,
            recalled: 0,
        }
    }

    /// Looks every five seconds while every attempt fails: 1 now, and 1 an hour.
    #[test]
    fn what_fails_is_tried_once_an_hour() {
        for clock in [Ok(()), Err(Doubt::Young)] {
            let mut pace = Pace::default();
            let mut tried = Vec::new();
            for look in (0..=3 * HOUR_MS).step_by(5000) {
                if let Some(take) = pace.next(at(look), clock) {
                    tried.push((look, take));
                    pace.failed(at(look).mono);
                }
            }
            let times: Vec<u64> = tried.iter().map(|(look, _)| *look).collect();
            assert_eq!(times, [0, HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS]);
            // And then it is tried in full, also what was not begun yet.
            assert!(tried.iter().all(|(_, take)| *take != Take::Begun));
        }
    }

    /// Carrying on with what was begun writes segments anew as well.
    #[test]
    fn an_error_after_a_rewrite_gates_also_what_was_begun() {
        let mut pace = Pace::default();
        pace.ended(at(0).mono, Take::Recalled, &rewrote());
        assert_eq!(pace.next(at(5000), Ok(())), Some(Take::Begun));
        pace.failed(at(5000).mono);
        assert_eq!(pace.next(at(10_000), Ok(())), None);
        assert_eq!(pace.next(at(5000 + HOUR_MS - 1), Ok(())), None);
        assert!(pace.next(at(5000 + HOUR_MS), Ok(())).is_some());
        pace.ended(at(5000 + HOUR_MS).mono, Take::Begun, &Round::default());
        assert!(pace.next(at(10_000 + HOUR_MS), Ok(())).is_some());
    }

    #[test]
    fn a_segment_is_written_anew_once_an_hour_and_sealed_once_a_day() {
        let mut pace = Pace::default();
        let sealing = Take::DueSealing(WALL);
        assert_eq!(pace.next(at(0), Ok(())), Some(sealing));
        assert_eq!(pace.next(at(0), Err(Doubt::Alone)), Some(Take::Recalled));
        // Nothing was to be done: the next look asks again.
        pace.ended(at(0).mono, sealing, &Round::default());
        assert_eq!(
            pace.next(at(5000), Ok(())),
            Some(Take::DueSealing(WALL + 5000))
        );
        pace.ended(at(5000).mono, sealing, &rewrote());
        assert_eq!(pace.next(at(10_000), Ok(())), Some(Take::Begun));
        let hour = 5000 + HOUR_MS;
        assert_eq!(pace.next(at(hour - 1), Ok(())), Some(Take::Begun));
        assert_eq!(pace.next(at(hour), Ok(())), Some(Take::Due(WALL + hour)));
        let day = 5000 + DAY_MS;
        assert_eq!(
            pace.next(at(day - 1), Ok(())),
            Some(Take::Due(WALL + day - 1))
        );
        assert_eq!(
            pace.next(at(day), Ok(())),
            Some(Take::DueSealing(WALL + day))
        );
    }

    #[test]
    fn a_copy_leaves_room_for_the_journal() {
        let segment = OpenOptions::default().segment_bytes;
        assert!(super::super::room(2 * segment).is_ok());
        let refused = super::super::room(2 * segment - 1);
        let word = refused.map_err(|e| e.to_string()).err();
        assert!(word.is_some_and(|w| w.contains("free") && w.contains("134217728")));
    }
}
