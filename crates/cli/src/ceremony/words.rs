//! How ceremonies name things for people.

use crate::{CliError, when};
use abeng_keys::Role;
use abeng_notice::printable;
use abeng_roster::{armour, digest};
use abeng_wire::{Millis, PartyCode, v1};

/// The fingerprint of signed bytes, in two lines to be read aloud.
pub(super) fn fingerprint(bytes: &[u8]) -> String {
    let digits = armour::fingerprint(digest(bytes));
    let (one, two) = digits.split_at(digits.len() / 2);
    format!("  {}\n  {}", one.trim(), two.trim())
}

/// A day in UTC.
pub(super) fn day(at: Millis) -> String {
    let text = abeng_node::rfc3339(at);
    text.get(..10).unwrap_or(&text).to_owned()
}

/// Names a party by code and name.
pub(super) fn party(m: &v1::Party) -> String {
    format!("{} ({})", printable(&m.code), printable(&m.name))
}

/// Codes in a row, the many counted.
pub(super) fn codes(list: &[String]) -> String {
    match list.len() {
        0 => "nobody".to_owned(),
        1..=12 => list.join(", "),
        n => format!("{} and {} more", list[..10].join(", "), n - 10),
    }
}

/// A TLP label.
pub(super) fn tlp(label: u32) -> String {
    let tlp = v1::Tlp::try_from(label as i32).map(|t| t.as_str_name().to_owned());
    tlp.map_or_else(
        |_| format!("TLP {label}"),
        |t| format!("TLP:{}", t.trim_start_matches("TLP_").replace('_', "+")),
    )
}

/// Status as people say it.
pub(super) fn status(status: v1::PartyStatus) -> &'static str {
    match status {
        v1::PartyStatus::Active => "active",
        v1::PartyStatus::Suspended => "suspended",
        v1::PartyStatus::Left => "left",
        v1::PartyStatus::Unspecified => "of no known status",
    }
}

/// The same as what is said of a party.
pub(super) fn stands(status: v1::PartyStatus) -> &'static str {
    match status {
        v1::PartyStatus::Active => "takes part",
        v1::PartyStatus::Suspended => "is suspended",
        v1::PartyStatus::Left => "has left",
        v1::PartyStatus::Unspecified => "is of no known status",
    }
}

/// Kind as people say it.
pub(super) fn kind(kind: v1::PartyKind) -> &'static str {
    match kind {
        v1::PartyKind::Member => "member",
        v1::PartyKind::Observer => "observer",
        v1::PartyKind::Partner => "partner",
        v1::PartyKind::Coordination => "coordination",
        v1::PartyKind::Unspecified => "unknown",
    }
}

/// What signers of that role sign.
pub(super) fn signer_role(role: v1::SignerRole) -> &'static str {
    match role {
        v1::SignerRole::RootSigner => "root",
        v1::SignerRole::RosterSigner => "roster",
        v1::SignerRole::FreshnessSigner => "freshness",
        v1::SignerRole::Unspecified => "unknown",
    }
}

/// The role of a key in a party's entry.
pub(super) fn key_role(role: v1::KeyRole) -> Option<Role> {
    Some(match role {
        v1::KeyRole::OrgSign => Role::OrgSign,
        v1::KeyRole::NodeTls => Role::NodeTls,
        v1::KeyRole::Log => Role::Log,
        v1::KeyRole::Witness => Role::Witness,
        v1::KeyRole::Unspecified => return None,
    })
}

/// Reads a party's code as typed.
pub(super) fn code(text: &str) -> Result<PartyCode, CliError> {
    PartyCode::new(text).map_err(|e| {
        let error = CliError::usage(e.to_string());
        match PartyCode::new(&text.to_ascii_uppercase()) {
            Ok(upper) => error.with_try(format!("write {upper}")),
            Err(_) => error,
        }
    })
}

/// Reads a time as typed: now where nothing is.
pub(super) fn moment(text: Option<&str>, now: Millis) -> Result<Millis, CliError> {
    let Some(text) = text else { return Ok(now) };
    let bad = || {
        CliError::usage(format!("`{}` is no time", printable(text)))
            .with_try("write 2026-11-24, 2026-11-24T06:00:00Z or `3 days`")
    };
    let at = when::moment(text, when::Bound::Since, jiff::Timestamp::now()).ok_or_else(bad)?;
    let at: jiff::Timestamp = at.parse().map_err(|_| bad())?;
    Millis::try_from(at.as_millisecond()).map_err(|_| bad())
}
