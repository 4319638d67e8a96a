//! Roots, rosters with their entries, freshness.

use super::{Keys, read};
use crate::{
    file::{Against, Given},
    reason,
};
use abeng_keys::SignatureType;
use abeng_roster::{Freshness, Root, Roster, Trust, TrustError};
use abeng_wire::v1;
use bytes::Bytes;

fn held(name: &str, given: &Given) -> v1::Signed {
    read(&given.bytes(name).into()).unwrap()
}

/// The root that is held.
pub fn root_of(against: &Against, given: &Given) -> Root {
    let name = against.root.as_deref().expect("a root is held");
    Root::first(&held(name, given), 0).unwrap()
}

/// The rosters that are held, walked.
pub fn roster_of(root: &Root, against: &Against, given: &Given) -> Option<Roster> {
    let mut roster: Option<Roster> = None;
    for name in &against.rosters {
        let signed = held(name, given);
        let then = read::<v1::Roster>(&signed.bytes).unwrap().issued;
        let next = Roster::adopt(root, roster.as_ref(), &signed, then);
        roster = Some(next.unwrap_or_else(|e| panic!("{name}: {e}")));
    }
    roster
}

fn said<T>(result: Result<T, TrustError>) -> Result<(), String> {
    result.map(|_| ()).map_err(|e| reason::trust(&e))
}

pub fn root(input: &Bytes, against: &Against, given: &Given) -> Result<(), String> {
    let signed = read(input)?;
    said(match against.root {
        Some(_) => root_of(against, given).next(&signed, against.now),
        None => Root::first(&signed, against.now),
    })
}

pub fn roster(input: &Bytes, against: &Against, given: &Given) -> Result<(), String> {
    let root = root_of(against, given);
    let before = roster_of(&root, against, given);
    said(Roster::adopt(
        &root,
        before.as_ref(),
        &read(input)?,
        against.now,
    ))
}

/// Whether it comes into force at a node that holds what it is held against, or nothing. Of what
/// is refused the reason is not compared: a node may have it for older, or for the other side of
/// an equivocation.
pub fn comes_into_force(subject: &str, input: &Bytes, against: &Against, given: &Given) -> bool {
    let Ok(signed) = read::<v1::Signed>(input) else {
        return false;
    };
    let named = |names: &[String]| names.iter().map(|n| held(n, given)).collect::<Vec<_>>();
    let mut node = v1::TrustBundle {
        roots: named(against.root.as_slice()),
        rosters: named(&against.rosters),
        ..Default::default()
    };
    let mut brought = v1::TrustBundle::default();
    match subject {
        "root" => brought.roots.push(signed.clone()),
        _ => brought.rosters.push(signed.clone()),
    }
    if subject == "root" {
        node.rosters.push(held("roster-1", given));
    }
    let trust = match (node.roots.is_empty(), node.rosters.is_empty()) {
        (false, false) => {
            let held = Trust::from_bundle(&node, None, against.now).unwrap();
            held.merge(&brought, against.now).unwrap_or_default()
        }
        // The first of its kind.
        _ => {
            node.roots.extend(brought.roots);
            node.rosters.extend(brought.rosters);
            Trust::from_bundle(&node, None, against.now).ok()
        }
    };
    trust.is_some_and(|t| *t.roster.signed() == signed || *t.root.signed() == signed)
}

pub fn freshness(input: &Bytes, against: &Against, given: &Given) -> Result<(), String> {
    let root = root_of(against, given);
    said(Freshness::verify(&root, &read(input)?, against.now))
}

/// The roster's signatures, and those of its entries and overrides, as far as it can be read.
pub fn signatures(keys: &Keys, signed: &v1::Signed) -> Result<(), String> {
    keys.hold(SignatureType::ROSTER, signed)?;
    let Ok(roster) = read::<v1::Roster>(&signed.bytes) else {
        return Ok(());
    };
    for word in &roster.overrides {
        keys.hold(SignatureType::OVERRIDE, word)?;
    }
    for entry in &roster.parties {
        keys.hold(SignatureType::PARTY, entry)?;
    }
    Ok(())
}
