//! What a roster does to seal keys: one is worth what the key is worth that signed it.

use super::{
    diff::{Change, danger, plain},
    now,
};
use abeng_notice::printable;
use abeng_roster::{Roster, SealKeys};

/// Whom nobody can send to any more, and who is sealed to with another key, once a roster is in force.
pub(super) fn changes(before: &SealKeys, after: &SealKeys, roster: &Roster) -> Vec<Change> {
    let now = now();
    let active = roster.parties().filter(|p| p.is_active());
    let change = |party: &abeng_roster::Party| {
        let (old, new) = (
            before.current(party.code, now)?,
            after.current(party.code, now),
        );
        let name = format!("{} ({})", party.code, printable(&party.name));
        match new.map(|key| key.kid()) {
            None => Some(danger(format!(
                "The seal key {:.16} of {name} ends with the key that signed it, or is revoked, and no other is held: nobody can send to {} until its node has published one that it signs with a key which stays. A node that has its new keys does so by itself.",
                old.kid(),
                party.code
            ))),
            Some(kid) if kid != old.kid() => Some(plain(format!(
                "What is sent to {name} is sealed to {kid:.16} from now on: {:.16} ends with the key that signed it, or is revoked.",
                old.kid()
            ))),
            Some(_) => None,
        }
    };
    active.filter_map(change).collect()
}
