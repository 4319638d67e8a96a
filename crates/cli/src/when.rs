//! Moments and spans for people. Always UTC, and it says so.

use crate::texts::Texts;
use jiff::{
    Span, Timestamp, ToSpan,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// Which end of a span a text names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    /// From here on.
    Since,
    /// Up to here; a date counts whole.
    Until,
}

/// A moment as people name it, as RFC 3339: a moment, a date (UTC), or how long before `now`.
pub(crate) fn moment(text: &str, bound: Bound, now: Timestamp) -> Option<String> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.to_string());
    }
    // Without a zone: UTC, like every other time here.
    if text.contains(':') {
        let at: DateTime = text.parse().ok()?;
        return Some(TimeZone::UTC.to_timestamp(at).ok()?.to_string());
    }
    if let Ok(day) = text.parse::<Date>() {
        let day = match bound {
            Bound::Since => day,
            Bound::Until => day.checked_add(1.day()).ok()?,
        };
        let midnight = day.at(0, 0, 0, 0);
        return Some(TimeZone::UTC.to_timestamp(midnight).ok()?.to_string());
    }
    let ago: Span = text.parse().ok()?;
    let then = TimeZone::UTC.to_datetime(now).checked_sub(ago.abs()).ok()?;
    Some(TimeZone::UTC.to_timestamp(then).ok()?.to_string())
}

/// `24 Nov 06:05`. A text that is no moment is shown as it is.
pub(crate) fn short(rfc3339: &str, texts: &Texts) -> String {
    rfc3339.parse::<Timestamp>().map_or_else(
        |_| abeng_notice::printable(rfc3339),
        |at| {
            let at = TimeZone::UTC.to_datetime(at);
            let month = texts.months[usize::from(at.month().unsigned_abs() - 1) % 12];
            format!("{:2} {month} {:02}:{:02}", at.day(), at.hour(), at.minute())
        },
    )
}

/// `24 Nov 2026 06:05:16Z`.
pub(crate) fn full(rfc3339: &str, texts: &Texts) -> String {
    rfc3339.parse::<Timestamp>().map_or_else(
        |_| abeng_notice::printable(rfc3339),
        |at| {
            let at = TimeZone::UTC.to_datetime(at);
            let month = texts.months[usize::from(at.month().unsigned_abs() - 1) % 12];
            format!(
                "{} {month} {} {:02}:{:02}:{:02}Z",
                at.day(),
                at.year(),
                at.hour(),
                at.minute(),
                at.second()
            )
        },
    )
}

/// `06:05:16.123`, for steps of one day.
pub(crate) fn clock(rfc3339: &str) -> String {
    rfc3339.parse::<Timestamp>().map_or_else(
        |_| abeng_notice::printable(rfc3339),
        |at| {
            let at = TimeZone::UTC.to_datetime(at);
            format!(
                "{:02}:{:02}:{:02}.{:03}",
                at.hour(),
                at.minute(),
                at.second(),
                at.millisecond()
            )
        },
    )
}

/// How long ago, seen at `now`: `5 s`, `3 min`, `7 h`, `12 d`. None where either is no moment.
pub(crate) fn ago(rfc3339: &str, now: &str) -> Option<String> {
    let then: Timestamp = rfc3339.parse().ok()?;
    let now: Timestamp = now.parse().ok()?;
    let seconds = now.as_second().saturating_sub(then.as_second()).max(0);
    Some(match seconds {
        0..100 => format!("{seconds} s"),
        100..6_000 => format!("{} min", seconds / 60),
        6_000..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    })
}

/// The present, as RFC 3339.
pub(crate) fn now() -> String {
    Timestamp::now().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use abeng_notice::Lang;

    #[test]
    fn moments_read_in_the_readers_language() {
        let at = "2026-08-04T06:05:16.042Z";
        assert_eq!(short(at, Texts::of(Lang::En)), " 4 Aug 06:05");
        assert_eq!(short(at, Texts::of(Lang::Es)), " 4 ago 06:05");
        assert_eq!(full(at, Texts::of(Lang::Fr)), "4 aoû 2026 06:05:16Z");
        assert_eq!(clock(at), "06:05:16.042");
        assert_eq!(short("\x1b[2J", Texts::of(Lang::En)), "\u{fffd}[2J");
    }

    #[test]
    fn spans_use_one_unit() {
        let ago = |then| ago(then, "2026-11-24T12:00:00Z").unwrap();
        assert_eq!(ago("2026-11-24T11:59:01Z"), "59 s");
        assert_eq!(ago("2026-11-24T11:57:00Z"), "3 min");
        assert_eq!(ago("2026-11-24T05:00:00Z"), "7 h");
        assert_eq!(ago("2026-11-12T11:00:00Z"), "12 d");
        assert_eq!(ago("2027-01-01T00:00:00Z"), "0 s");
    }

    #[test]
    fn times_are_taken_as_people_name_them() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let since = |text| moment(text, Bound::Since, now);
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(
            since("2026-11-24T06:00:00-04:00"),
            is("2026-11-24T10:00:00Z")
        );
        assert_eq!(since("2026-11-01"), is("2026-11-01T00:00:00Z"));
        assert_eq!(
            moment("2026-11-30", Bound::Until, now),
            is("2026-12-01T00:00:00Z")
        );
        assert_eq!(since("2026-11-24T13:08"), is("2026-11-24T13:08:00Z"));
        assert_eq!(since("2026-11-24 13:08:30"), is("2026-11-24T13:08:30Z"));
        assert_eq!(since("2h"), is("2026-11-24T10:00:00Z"));
        assert_eq!(since("3 days"), is("2026-11-21T12:00:00Z"));
        assert_eq!(since("3 days ago"), is("2026-11-21T12:00:00Z"));
        for text in [
            "",
            "soon",
            "2026-13-01",
            "2026-11-24T25:00",
            "24.11.2026",
            "3",
        ] {
            assert_eq!(since(text), None, "{text}");
        }
    }
}
