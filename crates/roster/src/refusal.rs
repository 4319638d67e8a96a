//! Why a notice may not go where it should, in words: which rule, and whom to ask.

use crate::{Party, Roster, Tlp};
use abeng_wire::{Millis, PartyCode};

/// Why a notice may not go where it should. Says which rule, and whom to ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No party or group has that code.
    #[error("nobody here is called `{code}`{}", did_you_mean.as_ref().map(|d| format!("; did you mean {d}?")).unwrap_or_default())]
    UnknownRecipient {
        /// As given, cut to 32 characters.
        code: String,
        /// The nearest party or group.
        did_you_mean: Option<String>,
    },
    /// Named twice.
    #[error("{code} is named twice as a recipient; name it once")]
    RepeatedRecipient {
        /// The party.
        code: PartyCode,
    },
    /// The originator itself.
    #[error("{code} is yourself; your own copy stays under `sent`")]
    Yourself {
        /// The originator.
        code: PartyCode,
    },
    /// Suspended, or has left.
    #[error("{code} does not take part at the moment (it is suspended or has left); ask {ask}")]
    Inactive {
        /// The party.
        code: PartyCode,
        /// Whom to ask.
        ask: String,
    },
    /// Too new here.
    #[error(
        "{code} is new to this network and gains its grants here only on {}; ask an administrator of this node, who can accept it before: abeng roster accept --party {code}",
        utc(*until)
    )]
    Newcomer {
        /// The party.
        code: PartyCode,
        /// When its waiting time ends.
        until: Millis,
    },
    /// Covered only by a grant of a group in which it is too new here.
    #[error(
        "{code} is new to the group {group} and gains that group's grants here only on {}; ask an administrator of this node, who can accept it before: abeng roster accept --group {group}",
        utc(*until)
    )]
    NewInGroup {
        /// The party.
        code: PartyCode,
        /// The group that the grant speaks of.
        group: PartyCode,
        /// When its waiting time ends.
        until: Millis,
    },
    /// No grant covers it.
    #[error("{from} may not send {ty} with {tlp} to {to}: {}; ask {ask}", rule(*highest, *roster))]
    NotGranted {
        /// The originator.
        from: PartyCode,
        /// The recipient.
        to: PartyCode,
        /// The notice's type.
        ty: String,
        /// Its label.
        tlp: Tlp,
        /// The highest label that a grant reaches up to; `None`: no grant is about it.
        highest: Option<Tlp>,
        /// The version of the roster that says so.
        roster: u64,
        /// Whom to ask.
        ask: String,
    },
    /// No key to seal to.
    #[error(
        "no seal key of {code} is held that is good now; it comes with the next contact, or ask {code}"
    )]
    NoSealKey {
        /// The recipient.
        code: PartyCode,
    },
    /// More recipients than an envelope has.
    #[error("{found} recipients are too many, at most {limit}; send it in parts")]
    TooMany {
        /// Found.
        found: usize,
        /// Allowed.
        limit: usize,
    },
    /// No recipient.
    #[error("no recipient is left; name at least one other party")]
    Nobody,
}

impl Refusal {
    /// Whether it ends by itself, or by a local administrator's word: then what comes is not
    /// refused for good.
    pub fn waits(&self) -> bool {
        matches!(self, Self::Newcomer { .. } | Self::NewInGroup { .. })
    }
}

/// What the roster allows.
fn rule(highest: Option<Tlp>, roster: u64) -> String {
    match highest {
        Some(highest) => format!("grants reach up to {highest}"),
        None => format!("no grant of roster {roster} covers it"),
    }
}

/// A moment for people: `2026-12-05 14:30 UTC`.
fn utc(at: Millis) -> String {
    let (days, minutes) = (at / 86_400_000, at / 60_000 % 1440);
    // Days since 0000-03-01, in eras of 400 years (the proleptic Gregorian calendar).
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let in_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * in_year + 2) / 153;
    let date = in_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = era * 400 + year + next;
    let (hour, minute) = (minutes / 60, minutes % 60);
    format!("{year:04}-{month:02}-{date:02} {hour:02}:{minute:02} UTC")
}

/// Whom to ask: the coordination parties, which keep the roster's secretariat.
pub(crate) fn ask(roster: &Roster) -> String {
    let names: Vec<_> = roster
        .coordination()
        .map(|p| format!("{} ({})", p.name, p.code))
        .collect();
    if names.is_empty() {
        "the Secretariat".to_owned()
    } else {
        names.join(" or ")
    }
}

/// The party or group that a mistyped code most likely means: the same in capitals, a name that
/// holds it, or the code with the fewest letters to change.
pub(crate) fn nearest(roster: &Roster, text: &str) -> Option<String> {
    let text: String = text.trim().chars().take(64).collect();
    let capital = text.to_uppercase();
    let codes = || roster.parties().map(|p| p.code).chain(roster.group_codes());
    if let Some(code) = codes().find(|c| c.as_str() == capital) {
        return Some(code.to_string());
    }
    let by_name =
        |p: &&Party| text.chars().count() >= 3 && p.name.to_uppercase().contains(&capital);
    if let Some(party) = roster.parties().find(by_name) {
        return Some(party.code.to_string());
    }
    codes()
        .map(|c| (strsim::damerau_levenshtein(c.as_str(), &capital), c))
        .filter(|(distance, c)| *distance <= (c.as_str().len() / 3).max(1))
        .min()
        .map(|(_, c)| c.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_as_dates() {
        for (at, text) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_400_000, "2000-02-29 00:00 UTC"),
            (1_700_000_000_123, "2023-11-14 22:13 UTC"),
            (4_107_542_399_999, "2100-02-28 23:59 UTC"),
            (4_107_542_400_000, "2100-03-01 00:00 UTC"),
        ] {
            assert_eq!(utc(at), text);
        }
    }
}
