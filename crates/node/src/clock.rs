//! The two clocks, read in one place.

use abeng_wire::{Millis, Mono, Now};
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Both clocks now. The monotonic one is CLOCK_MONOTONIC, so that processes on one machine agree.
pub fn now() -> Now {
    Now {
        mono: mono(),
        wall: wall(),
    }
}

/// CLOCK_MONOTONIC in nanoseconds.
pub fn mono() -> Mono {
    let t = clock_gettime(ClockId::Monotonic);
    Mono(
        (t.tv_sec as u64)
            .saturating_mul(1_000_000_000)
            .saturating_add(t.tv_nsec as u64),
    )
}

/// The wall clock in Unix milliseconds; 0 while it stands before 1970.
pub fn wall() -> Millis {
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
}
