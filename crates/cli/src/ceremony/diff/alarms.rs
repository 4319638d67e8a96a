//! Dangers in the dates of a roster, and in who is left.

use super::{Change, danger, id, whose};
use crate::ceremony::{
    DAY_MS,
    words::{self, day},
};
use abeng_wire::{Millis, v1};
use std::collections::BTreeMap;

type Parties = BTreeMap<String, v1::Party>;

/// What is said to begin later than this after the roster is most likely mistyped.
const AHEAD_MS: Millis = DAY_MS;

/// Suspensions and revocations that are dated ahead.
pub(super) fn dates(old: &v1::Roster, new: &v1::Roster, after: &Parties) -> Vec<Change> {
    let ahead = |at: Millis| at > new.issued.saturating_add(AHEAD_MS);
    let suspensions = new.suspensions.iter();
    let suspensions = suspensions.filter(|s| ahead(s.effective_at) && !old.suspensions.contains(s));
    let suspended = suspensions.filter_map(|s| {
        let party = after.get(&s.party)?;
        Some(danger(format!(
            "{} {} from {} on, by the word of this roster, and that is still to come: nodes end its part as soon as they take the roster. Is the date mistyped?",
            words::party(party),
            words::stands(party.status()),
            day(s.effective_at)
        )))
    });
    let revocations = new.revocations.iter();
    let revocations = revocations.filter(|r| ahead(r.effective_at) && !old.revocations.contains(r));
    let revoked = revocations.map(|r| {
        danger(format!(
            "The revocation of {} begins on {}, and that is still to come: what a thief signs until then passes for the party's own. Is the date mistyped? It is when the key may have come into wrong hands.",
            whose(r, after),
            day(r.effective_at)
        ))
    });
    suspended.chain(revoked).collect()
}

/// Nobody is left to coordinate, by suspension, by revocation, or since the office was taken away.
pub(super) fn coordination(
    old: &v1::Roster,
    before: &Parties,
    new: &v1::Roster,
    after: &Parties,
) -> Option<Change> {
    let had: Vec<&v1::Party> = before.values().filter(|p| coordinates(p, old)).collect();
    let (last, left) = (had.first()?, after.values().any(|p| coordinates(p, new)));
    (!left).then(|| {
        danger(format!(
            "NO COORDINATION PARTY IS LEFT that takes part and has keys that are good; it was {}. Nobody sees how the nodes of this network are, and who is refused something is told to ask the Secretariat.",
            words::party(last)
        ))
    })
}

/// Whether it holds the office, and can act in it.
fn coordinates(party: &v1::Party, roster: &v1::Roster) -> bool {
    let revoked = |key: &v1::PartyKey| {
        roster
            .revocations
            .iter()
            .any(|r| r.kid[..] == id(key).0[..])
    };
    let good = |role| {
        let mut keys = party.keys.iter().filter(|k| k.role() == role);
        keys.any(|k| !revoked(k))
    };
    party.kind() == v1::PartyKind::Coordination
        && party.status() == v1::PartyStatus::Active
        && good(v1::KeyRole::OrgSign)
        && good(v1::KeyRole::NodeTls)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn party(code: &str, kind: v1::PartyKind) -> (String, v1::Party) {
        let key = |role: v1::KeyRole| v1::PartyKey {
            role: role as i32,
            key: Bytes::from(format!("{code} {}", role as i32)),
            ..Default::default()
        };
        let party = v1::Party {
            code: code.into(),
            name: code.into(),
            kind: kind as i32,
            status: v1::PartyStatus::Active as i32,
            keys: vec![key(v1::KeyRole::OrgSign), key(v1::KeyRole::NodeTls)],
            ..Default::default()
        };
        (code.to_owned(), party)
    }

    fn parties() -> Parties {
        Parties::from([
            party("JM", v1::PartyKind::Member),
            party("LC", v1::PartyKind::Coordination),
        ])
    }

    fn told(new: &v1::Roster, after: &Parties) -> Option<String> {
        let old = v1::Roster::default();
        coordination(&old, &parties(), new, after).map(|c| c.text)
    }

    #[test]
    fn the_last_that_coordinates_does_not_go_unnoticed() {
        let new = v1::Roster::default();
        assert_eq!(told(&new, &parties()), None);
        let mut after = parties();
        after.get_mut("LC").unwrap().status = v1::PartyStatus::Suspended as i32;
        assert!(told(&new, &after).unwrap().contains("it was LC (LC)"));
        // Another one takes its place.
        after.extend([party("BB", v1::PartyKind::Coordination)]);
        assert_eq!(told(&new, &after), None);
        let mut after = parties();
        after.get_mut("LC").unwrap().kind = v1::PartyKind::Member as i32;
        assert!(told(&new, &after).is_some());
        // Its last key that signs.
        let revoked = v1::Roster {
            revocations: vec![v1::Revocation {
                kid: id(&parties()["LC"].keys[0]).to_bytes(),
                ..Default::default()
            }],
            ..Default::default()
        };
        assert!(told(&revoked, &parties()).is_some());
    }
}
