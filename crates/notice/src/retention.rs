//! How long the content of a notice is kept: what its originator asks for, within bounds.

use crate::{NoticeDate, check::DEFAULT_KEEP_DAYS, draft::length_ms};
use abeng_wire::Millis;

const DAY_MS: u64 = 86_400_000;

/// At least so long after its delivery a recipient keeps the content, whatever the originator
/// asks: people need the time to read it. A recall is the way to take it back sooner, and shows.
pub const KEEP_LEAST_MS: u64 = 7 * DAY_MS;
/// At most so long after its delivery a recipient keeps the content: ten years.
pub const KEEP_MOST_MS: u64 = 3653 * DAY_MS;
/// So long before it is deleted the owner is asked: 30 days.
pub const ASK_BEFORE_MS: u64 = 30 * DAY_MS;

/// Until when a recipient keeps what came at `now`, Unix milliseconds: the originator's date, or
/// three years where it names none, within [`KEEP_LEAST_MS`] and [`KEEP_MOST_MS`].
pub fn keep_here(asked: Option<Millis>, now: Millis) -> Millis {
    let asked = asked.unwrap_or(now.saturating_add(DEFAULT_KEEP_DAYS * DAY_MS));
    asked.clamp(
        now.saturating_add(KEEP_LEAST_MS),
        now.saturating_add(KEEP_MOST_MS),
    )
}

/// A later date as an officer writes it, Unix milliseconds: `2031-12-31`, or a length from `now`
/// such as `90d`.
pub fn parse_until(text: &str, now: Millis) -> Option<Millis> {
    let length = length_ms(text).map(|ms| now.saturating_add(ms));
    length.or_else(|| NoticeDate::parse(text).ok().map(|date| date.end_ms()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_can_neither_hurry_nor_hoard() {
        let now = 1_700_000_000_000;
        assert_eq!(keep_here(Some(1), now), now + KEEP_LEAST_MS);
        assert_eq!(keep_here(Some(u64::MAX), now), now + KEEP_MOST_MS);
        assert_eq!(keep_here(Some(now + 30 * DAY_MS), now), now + 30 * DAY_MS);
        assert_eq!(keep_here(None, now), now + DEFAULT_KEEP_DAYS * DAY_MS);
        assert_eq!(parse_until("90d", now), Some(now + 90 * DAY_MS));
        assert_eq!(parse_until("2023-11-15", now), Some(1_700_092_800_000));
        assert_eq!(parse_until("later", now), None);
    }
}
