//! Parties that publish seal keys with a half in common: one of them has copied the other's.

use abeng_roster::Trust;
use std::collections::BTreeSet;

/// Such sets that `status` names; the rest is counted.
const NAMED: usize = 4;

/// What people must be told.
pub(crate) fn told(trust: &Trust) -> Vec<String> {
    let mut sets = trust.seal_keys.shared_halves();
    let more = sets.len().saturating_sub(NAMED);
    sets.truncate(NAMED);
    let mut told: Vec<String> = sets
        .iter()
        .map(|parties| {
            let codes: Vec<String> = parties.iter().map(ToString::to_string).collect();
            format!(
                "THE SEAL KEYS OF {} HAVE A HALF IN COMMON: one of them has published another's key as its own, and who holds the key may read what is sealed to the one that copied it. Each is sealed to as it says itself. Ask them by telephone, and tell the Secretariat; whose key it is makes another with `abeng keys rotate --seal`",
                codes.join(" AND ")
            )
        })
        .collect();
    if more > 0 {
        told.push(format!("so it is with {more} more sets of parties"));
    }
    told
}

/// Says in the log what was not so before.
pub(crate) fn tell(before: &Trust, now: &Trust) {
    let known: BTreeSet<_> = told(before).into_iter().collect();
    for alarm in told(now).iter().filter(|alarm| !known.contains(*alarm)) {
        tracing::error!("{alarm}");
    }
}
