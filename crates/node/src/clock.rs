//! The two clocks, read in one place, and what is believed of them.

use crate::timekeeper::{Believed, Jump, Timekeeper, between};
use abeng_wire::{Millis, Mono, Now};
use rustix::time::{ClockId, clock_gettime};
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// One clock of the machine, so one keeper: see [`crate::timekeeper`].
static KEEPER: Mutex<Option<Kept>> = Mutex::new(None);

struct Kept {
    keeper: Timekeeper,
    jumps: Vec<Jump>,
}

/// Jumps that wait to be told; more are of one broken clock.
const JUMPS: usize = 16;

/// Asks the keeper, which every reading keeps up to date: a jump is found before anything is
/// decided by it.
fn ask<T>(question: impl FnOnce(&mut Kept, Now) -> T) -> T {
    let read = Now {
        mono: passed(),
        wall: raw_wall(),
    };
    let mut kept = KEEPER.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = kept.get_or_insert_with(|| Kept {
        keeper: Timekeeper::new(read, 0),
        jumps: Vec::new(),
    });
    if let Some(jump) = kept.keeper.read(read)
        && kept.jumps.len() < JUMPS
    {
        kept.jumps.push(jump);
    }
    question(kept, read)
}

/// What is believed of the time.
pub fn believed() -> Believed {
    ask(|kept, read| kept.keeper.believed(read))
}

/// Both clocks now, the wall clock as far as it is believed. The monotonic one is CLOCK_MONOTONIC,
/// so that processes on one machine agree.
pub fn now() -> Now {
    Now {
        mono: mono(),
        wall: wall(),
    }
}

/// The same, with the earliest time that it can be: nothing ends by a clock that is in doubt.
pub fn cautious() -> Now {
    Now {
        mono: mono(),
        wall: believed().earliest,
    }
}

/// The time as far as it is known, for what arrives.
pub fn span() -> abeng_wire::Clock {
    let Believed { earliest, now, .. } = believed();
    abeng_wire::Clock { earliest, now }
}

/// The time by which waits that protect from others end: see [`Timekeeper::waited`].
pub fn waited() -> Millis {
    ask(|kept, read| kept.keeper.waited(read))
}

/// The same as the earliest time, for what policy decides.
pub fn waits() -> abeng_wire::Clock {
    ask(|kept, read| abeng_wire::Clock {
        earliest: kept.keeper.waited(read),
        now: kept.keeper.believed(read).now,
    })
}

/// Something is past without doubt.
pub fn know(past: Millis) {
    ask(|kept, _| kept.keeper.know(past));
}

/// What the wall clocks of linked peers say now, in Unix milliseconds. Jumps of the own since the
/// last call.
pub fn hear(peers: &[Millis]) -> Vec<Jump> {
    ask(|kept, read| {
        let ahead = |peer: &Millis| between(read.wall, *peer);
        let offsets: Vec<i64> = peers.iter().map(ahead).collect();
        kept.keeper.hear(read, &offsets);
        std::mem::take(&mut kept.jumps)
    })
}

/// What passed, also while the machine was suspended.
fn passed() -> Mono {
    nanos(ClockId::Boottime)
}

/// CLOCK_MONOTONIC in nanoseconds.
pub fn mono() -> Mono {
    nanos(ClockId::Monotonic)
}

fn nanos(clock: ClockId) -> Mono {
    let t = clock_gettime(clock);
    Mono(
        (t.tv_sec as u64)
            .saturating_mul(1_000_000_000)
            .saturating_add(t.tv_nsec as u64),
    )
}

/// The time in Unix milliseconds, as far as it is believed.
pub fn wall() -> Millis {
    believed().now
}

/// The wall clock as the system has it; 0 while it stands before 1970.
fn raw_wall() -> Millis {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_millis()
        .try_into()
        .unwrap_or(Millis::MAX)
}

/// A moment as people and JSON read it: RFC 3339, UTC, milliseconds.
pub fn rfc3339(at: Millis) -> String {
    i64::try_from(at)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .map_or_else(|| "beyond the calendar".to_owned(), |t| t.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_as_rfc_3339() {
        assert_eq!(rfc3339(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
        assert_eq!(rfc3339(u64::MAX), "beyond the calendar");
        assert!(mono() <= mono());
    }

    #[test]
    fn a_clock_that_nothing_speaks_against_is_believed() {
        let before = raw_wall();
        let believed = believed();
        assert!(before <= believed.now && believed.now <= raw_wall());
        assert_eq!(cautious().wall.abs_diff(wall()) / 1000, 0);
    }
}
