//! Envelopes: what is on the outside, and what opens.

use super::{Keys, read};
use crate::{
    file::{Against, Given},
    reason,
};
use abeng_keys::{SealSecret, SignatureType};
use abeng_roster::Trust;
use abeng_seal::{Arrived, OpenedBoxes, Verified, VerifyFault};
use abeng_wire::{Kid, PartyCode, v1};
use bytes::Bytes;
use std::sync::Arc;

fn trust_of(against: &Against, given: &Given) -> Trust {
    let signed = |name: &str| read::<v1::Signed>(&given.bytes(name).into()).unwrap();
    let bundle = v1::TrustBundle {
        roots: against.root.iter().map(|name| signed(name)).collect(),
        rosters: against.rosters.iter().map(|name| signed(name)).collect(),
        ..Default::default()
    };
    Trust::from_bundle(&bundle, None, against.now).unwrap()
}

fn me(against: &Against) -> PartyCode {
    PartyCode::new(against.me.as_deref().expect("somebody reads it")).unwrap()
}

fn verified(input: &Bytes, against: &Against, given: &Given) -> Result<Verified, String> {
    let arrived = Arrived::parse(input).map_err(|e| reason::verify(&VerifyFault::from(e)))?;
    abeng_seal::verify(arrived, &trust_of(against, given), me(against), against.now)
        .map_err(|e| reason::verify(&e))
}

pub fn verify(input: &Bytes, against: &Against, given: &Given) -> Result<(), String> {
    verified(input, against, given).map(|_| ())
}

/// Twice with one memory of BOXes: what is refused is refused again.
pub fn open(input: &Bytes, against: &Against, given: &Given) -> Result<(), String> {
    let verified = verified(input, against, given)?;
    let seed = |name: &String| <[u8; 32]>::try_from(&given.bytes(name)[..]).unwrap();
    let held = against
        .seal_keys
        .iter()
        .map(|name| SealSecret::from_seed(&seed(name)).unwrap());
    let held: Vec<_> = held.map(Arc::new).collect();
    let secrets = |kid: &Kid| held.iter().find(|s| s.kid() == *kid).cloned();
    let mut boxes = OpenedBoxes::default();
    let mut open = || {
        let opened = abeng_seal::open(&verified, &secrets, me(against), &mut boxes);
        opened.map(|_| ()).map_err(|e| reason::open(&e))
    };
    let first = open();
    assert_eq!(first, open());
    first
}

/// SIG, where the frame can be read.
pub fn signatures(keys: &Keys, input: &Bytes) -> Result<(), String> {
    let Ok(envelope) = read::<v1::Envelope>(input) else {
        return Ok(());
    };
    match keys.signed(&SignatureType::ENVELOPE.pae(&envelope.hdr), &envelope.sig) {
        true => Ok(()),
        false => Err("SIG".into()),
    }
}
