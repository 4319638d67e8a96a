//! Roots, rosters with their entries, freshness.

use super::{Keys, read};
use crate::{
    file::{Against, Given},
    reason,
};
use abeng_keys::SignatureType;
use abeng_roster::{Freshness, Root, Roster, TrustError};
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
        let next = Roster::adopt(root, roster.as_ref(), &held(name, given), 0);
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
