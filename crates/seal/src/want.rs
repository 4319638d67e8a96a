//! `Want` as a relay carries it: the recipient's word that numbers of a stream have not come.
//!
//! Signed, so that a relay can ask for nothing in another's name: the answer tells the numbers of
//! a stream, which both of its ends keep to themselves.

use crate::stream::{self, STATEMENT, StreamFault};
use abeng_keys::{SignError, SignatureType, Signer};
use abeng_roster::Roster;
use abeng_wire::{SignedBytes, limits, v1};

/// Signs a `Want` that names its recipient with that recipient's org-sign key.
pub fn sign_want(org_sign: &dyn Signer, want: &v1::Want) -> Result<v1::Signed, SignError> {
    stream::sign(org_sign, SignatureType::WANT, want)
}

/// Verifies a `Want` against the recipient's org-sign keys.
pub fn verify_want(
    roster: &Roster,
    signed: &v1::Signed,
) -> Result<SignedBytes<v1::Want>, StreamFault> {
    let want = SignedBytes::<v1::Want>::parse("want", signed.bytes.clone(), STATEMENT)?;
    let recipient = &want.message().recipient;
    stream::verify(roster, recipient, SignatureType::WANT, signed)?;
    sensible(want.message()).map_err(StreamFault::Senseless)?;
    Ok(want)
}

fn sensible(want: &v1::Want) -> Result<(), &'static str> {
    let parties = (want.originator.as_str(), want.recipient.as_str());
    stream::sensible(parties, want.incarnation, (want.first, want.last))?;
    match want.last - want.first < limits::WANT_NUMBERS {
        true => Ok(()),
        false => Err("asks for too many numbers at once"),
    }
}
