use super::Draft;
use crate::{Flaw, FlawCode, NoticeDate, Severity, codes};
use abeng_wire::{Millis, limits, v1};

/// What a draft asks of its envelope.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wishes {
    /// Codes of parties or groups, as written.
    pub to: Vec<String>,
    /// `None` where the draft leaves it to the type.
    pub precedence: Option<v1::Precedence>,
    /// Unix milliseconds; `None` where the draft leaves it to the node.
    pub expires_at: Option<Millis>,
}

impl Draft {
    /// Reads `to`, `precedence` and `expires`. Flaws: an unknown precedence; an expiry that is no
    /// date or length, lies in the past or more than 90 days ahead.
    pub fn wishes(&self, now: Millis) -> Result<Wishes, Vec<Flaw>> {
        let mut flaws = Vec::new();
        let precedence = self.precedence.as_deref().and_then(|text| {
            codes::precedence(text)
                .map_err(|flaw| flaws.push(flaw))
                .ok()
        });
        let expires_at = self
            .expires
            .as_ref()
            .and_then(|text| expiry(&text.0, now).map_err(|flaw| flaws.push(flaw)).ok());
        if flaws.is_empty() {
            Ok(Wishes {
                to: self.to.clone(),
                precedence,
                expires_at,
            })
        } else {
            Err(flaws)
        }
    }
}

fn expiry(text: &str, now: Millis) -> Result<Millis, Flaw> {
    let flaw = |code, expected: String| Flaw::new(Severity::Error, code, "expires", text, expected);
    let at = length_ms(text)
        .map(|ms| now.saturating_add(ms))
        .or_else(|| NoticeDate::parse(text).ok().map(|date| date.end_ms()))
        .ok_or_else(|| flaw(FlawCode::BadFormat, "30d, 12h, 2024-05-31".to_owned()))?;
    let latest = now.saturating_add(limits::LIFETIME_MS);
    if at <= now {
        Err(flaw(FlawCode::InPast, NoticeDate::moment(now)))
    } else if at > latest {
        Err(flaw(
            FlawCode::OutOfRange,
            format!("≤ {}", NoticeDate::moment(latest)),
        ))
    } else {
        Ok(at)
    }
}

/// `30d`, `12h`, `45m` in milliseconds.
pub(crate) fn length_ms(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let minutes = match unit {
        "d" => 24 * 60,
        "h" => 60,
        "m" => 1,
        _ => return None,
    };
    digits
        .parse::<u32>()
        .ok()
        .map(|n| u64::from(n) * minutes * 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_717_156_800_000; // 2024-05-31T12:00Z

    #[test]
    fn lengths_and_dates() {
        assert_eq!(expiry("12h", NOW), Ok(NOW + 12 * 3_600_000));
        assert_eq!(expiry("2024-06-01", NOW), Ok(NOW + 36 * 3_600_000));
        assert_eq!(expiry("soon", NOW).unwrap_err().code, FlawCode::BadFormat);
        assert_eq!(
            expiry("2024-05-30", NOW).unwrap_err().code,
            FlawCode::InPast
        );
        assert_eq!(expiry("0d", NOW).unwrap_err().code, FlawCode::InPast);
        assert_eq!(expiry("91d", NOW).unwrap_err().code, FlawCode::OutOfRange);
        assert_eq!(expiry("90d", NOW), Ok(NOW + limits::LIFETIME_MS));
    }
}
