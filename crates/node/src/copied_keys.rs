//! Parties that publish seal keys with a half in common: one of them has copied the other's.

use abeng_api::{Warned, Warning};
use abeng_roster::Trust;
use std::collections::BTreeSet;

/// Such sets that `status` names; the rest is counted.
const NAMED: usize = 4;

/// What people must be told.
pub(crate) fn told(trust: &Trust) -> Vec<Warning> {
    let mut sets = trust.seal_keys.shared_halves();
    let more = sets.len().saturating_sub(NAMED);
    sets.truncate(NAMED);
    let mut told: Vec<Warning> = sets
        .iter()
        .map(|parties| {
            let codes: Vec<String> = parties.iter().map(ToString::to_string).collect();
            let told = Warning::from(format!(
                "THE SEAL KEYS OF {} HAVE A HALF IN COMMON: one of them has published another's key as its own, and who holds the key may read what is sealed to the one that copied it. Each is sealed to as it says itself. Ask them by telephone, and tell the Secretariat; whose key it is makes another with `abeng keys rotate --seal`",
                codes.join(" AND ")
            ));
            told.because(Warned::KeysCopied, [("parties", codes.join(", "))])
        })
        .collect();
    if more > 0 {
        let others = Warning::from(format!("so it is with {more} more sets of parties"));
        told.push(others.because(Warned::KeysCopiedMore, [("count", more.to_string())]));
    }
    told
}

/// Says in the log what was not so before.
pub(crate) fn tell(before: &Trust, now: &Trust) {
    let texts = |trust| told(trust).into_iter().map(Warning::into_text);
    let known: BTreeSet<_> = texts(before).collect();
    for alarm in texts(now).filter(|alarm| !known.contains(alarm)) {
        tracing::error!("{alarm}");
    }
}
