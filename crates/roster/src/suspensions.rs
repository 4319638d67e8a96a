use crate::{TrustError, signed::check_reason};
use abeng_wire::{Millis, PartyCode, limits, v1};
use std::collections::BTreeMap;

/// Why a party is suspended or has left, by the Secretariat's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspension {
    /// Since when, by the Secretariat's word; the roster that says so is what ends the party's
    /// part.
    pub effective_at: Millis,
    /// Why, in words.
    pub reason: String,
}

/// The reasons in a roster: sorted, one a party, and only for parties that take no part.
pub(crate) fn suspensions(
    list: &[v1::Suspension],
    is_out: &dyn Fn(PartyCode) -> bool,
) -> Result<BTreeMap<PartyCode, Suspension>, TrustError> {
    if list.len() > limits::PARTIES {
        return Err(TrustError::rule("the roster", "at most 256 suspensions"));
    }
    let mut out = BTreeMap::new();
    for m in list {
        let code = PartyCode::new(&m.party)?;
        let rule = |rule| TrustError::rule(format!("the suspension of {code}"), rule);
        check_reason(&m.reason).map_err(rule)?;
        if !is_out(code) {
            return Err(rule("it is of a party that is suspended or has left"));
        }
        if out.last_key_value().is_some_and(|(&last, _)| last >= code) {
            return Err(rule("suspensions are sorted, one a party"));
        }
        let suspension = Suspension {
            effective_at: m.effective_at,
            reason: m.reason.clone(),
        };
        out.insert(code, suspension);
    }
    Ok(out)
}
