//! Bytes a day on paths that are paid for: what was spent, and who may still spend.

use crate::{layout::replace, paths::Metering};
use abeng_wire::{Millis, v1::Precedence};
use serde::{Deserialize, Serialize};
use std::{fs, io, path::Path};

const DAY_MS: u64 = 86_400_000;

/// What may be sent on metered paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// Everything.
    All,
    /// FLASH alone: the rest of the day's bytes is kept for it, or used up.
    Flash,
}

impl Leave {
    /// Whether this may be sent.
    pub fn covers(self, precedence: Precedence) -> bool {
        self == Self::All || precedence == Precedence::Flash
    }
}

/// One day's bytes, as `DATA/budget.json` keeps them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spent {
    /// Days since 1970, UTC.
    day: u64,
    /// Bytes that day, both ways.
    bytes: u64,
    /// Bytes that somebody allowed beyond the budget that day.
    allowed: u64,
}

/// A budget and what is spent of it.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    metering: Metering,
    spent: Spent,
}

impl Budget {
    /// Goes on with what was spent.
    pub fn new(metering: Metering, spent: Spent) -> Self {
        Self { metering, spent }
    }

    /// A new day begins with nothing spent. A clock that goes back begins none, so that no day's
    /// bytes are had twice.
    fn turn(&mut self, now: Millis) {
        let day = now / DAY_MS;
        if day > self.spent.day {
            self.spent = Spent {
                day,
                ..Spent::default()
            };
        }
    }

    /// Counts bytes on the wire.
    pub fn spend(&mut self, now: Millis, bytes: u64) {
        self.turn(now);
        self.spent.bytes = self.spent.bytes.saturating_add(bytes);
    }

    /// Gives back what was counted and never went out.
    pub fn give_back(&mut self, bytes: u64) {
        self.spent.bytes = self.spent.bytes.saturating_sub(bytes);
    }

    /// Lets so many more bytes be spent today.
    pub fn allow(&mut self, now: Millis, bytes: u64) {
        self.turn(now);
        self.spent.allowed = self.spent.allowed.saturating_add(bytes);
    }

    /// What may be sent now.
    pub fn leave(&mut self, now: Millis) -> Leave {
        self.turn(now);
        match self.left_for_all() {
            Some(0) => Leave::Flash,
            _ => Leave::All,
        }
    }

    fn whole(&self) -> Option<u64> {
        let budget = self.metering.budget?;
        Some(budget.saturating_add(self.spent.allowed))
    }

    fn left_for_all(&self) -> Option<u64> {
        let kept = self.metering.flash;
        Some(
            self.whole()?
                .saturating_sub(kept)
                .saturating_sub(self.spent.bytes),
        )
    }

    /// The numbers of today.
    pub fn today(&mut self, now: Millis) -> Today {
        self.turn(now);
        Today {
            spent: self.spent.bytes,
            budget: self.whole(),
            flash: self.metering.flash,
            left: self.left_for_all(),
            until: (self.spent.day + 1) * DAY_MS,
        }
    }

    /// What is to be kept on disk.
    pub fn spent(&self) -> Spent {
        self.spent
    }
}

/// A day in numbers, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Today {
    /// Spent.
    pub spent: u64,
    /// The budget with what was allowed beyond it; `None`: no bound.
    pub budget: Option<u64>,
    /// Of it, kept for FLASH.
    pub flash: u64,
    /// Left for all but FLASH; `None`: no bound.
    pub left: Option<u64>,
    /// When the next day begins.
    pub until: Millis,
}

impl Spent {
    /// Reads the file; nothing spent where there is none. A file that cannot be read is an error,
    /// since it may mean a day's bytes twice.
    pub fn read(path: &Path) -> io::Result<Self> {
        match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(e),
        }
    }

    /// Replaces the file.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        replace(path, &serde_json::to_vec(self)?, 0o600)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Millis = 20_000 * DAY_MS + DAY_MS / 2;

    fn budget() -> Budget {
        let metering = Metering {
            budget: Some(1000),
            flash: 250,
            ..Metering::default()
        };
        Budget::new(metering, Spent::default())
    }

    #[test]
    fn the_last_part_of_a_day_is_kept_for_flash() {
        let mut budget = budget();
        budget.spend(NOON, 749);
        assert_eq!(budget.leave(NOON), Leave::All);
        assert_eq!(budget.today(NOON).left, Some(1));
        budget.spend(NOON, 1);
        assert_eq!(budget.leave(NOON), Leave::Flash);
        assert!(Leave::Flash.covers(Precedence::Flash));
        assert!(!Leave::Flash.covers(Precedence::Immediate));
        // FLASH is never held back: what it takes beyond is shown.
        budget.spend(NOON, 5000);
        assert_eq!(budget.today(NOON).spent, 5750);
    }

    #[test]
    fn midnight_begins_anew_and_a_clock_that_goes_back_does_not() {
        let mut budget = budget();
        budget.spend(NOON, 900);
        budget.allow(NOON, 10);
        let midnight = 20_001 * DAY_MS;
        assert_eq!(budget.today(NOON).until, midnight);
        assert_eq!(budget.leave(midnight - 1), Leave::Flash);
        assert_eq!(budget.leave(midnight), Leave::All);
        let today = budget.today(midnight);
        assert_eq!((today.spent, today.budget), (0, Some(1000)));
        budget.spend(midnight, 800);
        assert_eq!(budget.leave(NOON), Leave::Flash, "not twice");
        assert_eq!(budget.leave(0), Leave::Flash);
    }

    #[test]
    fn what_is_allowed_is_had_beyond_the_budget_today() {
        let mut budget = budget();
        budget.spend(NOON, 750);
        budget.allow(NOON, 100);
        assert_eq!(budget.leave(NOON), Leave::All);
        budget.spend(NOON, 100);
        assert_eq!(budget.leave(NOON), Leave::Flash);
        budget.give_back(1);
        assert_eq!(budget.leave(NOON), Leave::All);
    }

    #[test]
    fn without_a_budget_nothing_is_held_back() {
        let mut budget = Budget::new(Metering::default(), Spent::default());
        budget.spend(NOON, u64::MAX);
        assert_eq!(budget.leave(NOON), Leave::All);
        assert_eq!(budget.today(NOON).left, None);
    }

    #[test]
    fn a_restart_goes_on_with_what_was_spent() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("budget.json");
        assert_eq!(Spent::read(&path).unwrap(), Spent::default());
        let mut first = budget();
        first.spend(NOON, 800);
        first.spent().write(&path).unwrap();
        let mut again = Budget::new(first.metering, Spent::read(&path).unwrap());
        assert_eq!(again.leave(NOON), Leave::Flash);
        fs::write(&path, "rubbish").unwrap();
        assert!(Spent::read(&path).is_err());
    }
}
