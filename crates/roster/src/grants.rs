//! Groups, grants and revocations of a roster.

use crate::{Tlp, TrustError, policy::RECALL, signed::check_reason};
use abeng_wire::{Digest, Kid, Millis, PartyCode, limits, v1};
use std::{collections::BTreeMap, fmt};

/// Who a grant speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Side {
    Anyone,
    Party(PartyCode),
    Group(PartyCode),
}

/// A permission: from whom, to whom, what, up to which label.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) from: Side,
    pub(crate) to: Side,
    /// Empty: all types.
    pub(crate) types: Vec<String>,
    pub(crate) highest: Tlp,
}

impl Grant {
    /// Whether it is about notices of a type. What may be sent may be taken back: a recall goes
    /// where any type may go.
    pub(crate) fn speaks_of(&self, ty: &str) -> bool {
        ty == RECALL || self.types.is_empty() || self.types.iter().any(|t| t == ty)
    }

    /// Whether it reaches up to a label. One that is not known is covered by no grant.
    pub(crate) fn covers(&self, tlp: Tlp) -> bool {
        (Tlp::CLEAR..=self.highest).contains(&tlp)
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let types = match self.types.is_empty() {
            true => "every type".to_owned(),
            false => self.types.join(", "),
        };
        write!(
            f,
            "{} to {}: {types} up to {}",
            self.from, self.to, self.highest
        )
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anyone => f.write_str("*"),
            Self::Party(code) | Self::Group(code) => code.fmt(f),
        }
    }
}

pub(crate) type Groups = BTreeMap<PartyCode, Vec<PartyCode>>;

pub(crate) fn groups(
    list: &[v1::Group],
    is_party: &dyn Fn(PartyCode) -> bool,
) -> Result<Groups, TrustError> {
    if list.len() > limits::GROUPS {
        return Err(TrustError::rule("the roster", "at most 256 groups"));
    }
    let mut out = Groups::new();
    for group in list {
        let code = PartyCode::new(&group.code)?;
        let rule = |rule| TrustError::rule(format!("group {code}"), rule);
        if is_party(code) {
            return Err(rule("its code is no party's"));
        }
        let members = group
            .members
            .iter()
            .map(|m| PartyCode::new(m))
            .collect::<Result<Vec<_>, _>>()?;
        if !members.is_sorted_by(|a, b| a < b) || !members.iter().all(|&m| is_party(m)) {
            return Err(rule("members are parties, sorted, named once"));
        }
        if out.last_key_value().is_some_and(|(&last, _)| last >= code) {
            return Err(rule("groups are sorted and unique"));
        }
        out.insert(code, members);
    }
    Ok(out)
}

pub(crate) fn grants(
    list: &[v1::Grant],
    is_party: &dyn Fn(PartyCode) -> bool,
    groups: &Groups,
) -> Result<Vec<Grant>, TrustError> {
    if list.len() > limits::GRANTS {
        return Err(TrustError::rule("the roster", "at most 4096 grants"));
    }
    let side = |text: &str| {
        if text == "*" {
            return Ok(Side::Anyone);
        }
        let code = PartyCode::new(text)?;
        if is_party(code) {
            Ok(Side::Party(code))
        } else if groups.contains_key(&code) {
            Ok(Side::Group(code))
        } else {
            Err(TrustError::rule(
                format!("a grant for {code}"),
                "it names a party, a group or *",
            ))
        }
    };
    let is_type = |t: &String| {
        (1..=32).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
    };
    list.iter()
        .map(|g| {
            let name = || {
                format!(
                    "the grant {} to {}",
                    g.from.escape_debug(),
                    g.to.escape_debug()
                )
            };
            if !(Tlp::CLEAR.0..=Tlp::RED.0).contains(&g.highest_tlp) {
                return Err(TrustError::rule(name(), "the highest TLP is a known one"));
            }
            if g.notice_types.len() > limits::GRANT_TYPES {
                return Err(TrustError::rule(name(), "at most 64 notice types"));
            }
            if !g.notice_types.iter().all(is_type) {
                return Err(TrustError::rule(name(), "notice types are capital words"));
            }
            Ok(Grant {
                from: side(&g.from)?,
                to: side(&g.to)?,
                types: g.notice_types.clone(),
                highest: Tlp(g.highest_tlp),
            })
        })
        .collect()
}

/// Revoked keys and since when.
pub(crate) fn revocations(list: &[v1::Revocation]) -> Result<BTreeMap<Kid, Millis>, TrustError> {
    if list.len() > limits::REVOCATIONS {
        return Err(TrustError::rule("the roster", "at most 4096 revocations"));
    }
    let mut out = BTreeMap::new();
    for r in list {
        let kid = Kid::from_slice(&r.kid)
            .ok_or_else(|| TrustError::rule("a revocation", "a kid has 32 bytes"))?;
        check_reason(&r.reason).map_err(|rule| TrustError::rule("a revocation", rule))?;
        if out.insert(kid, r.effective_at).is_some() {
            return Err(TrustError::rule("a revocation", "a key is revoked once"));
        }
    }
    Ok(out)
}

/// The digest a roster gives for the one before it.
pub(crate) fn previous(m: &v1::Roster) -> Result<Option<Digest>, TrustError> {
    if m.previous.is_empty() {
        return Ok(None);
    }
    Digest::from_slice(&m.previous)
        .map(Some)
        .ok_or(TrustError::PreviousDigest { version: m.version })
}
