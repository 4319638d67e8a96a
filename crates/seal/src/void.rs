//! `Void`: the originator's word that numbers of a stream will not come.

use crate::stream::{self, STATEMENT, StreamFault};
use abeng_keys::{SignError, SignatureType, Signer};
use abeng_roster::Roster;
use abeng_wire::{SignedBytes, v1};

/// Signs a `Void` with the originator's org-sign key.
pub fn sign_void(org_sign: &dyn Signer, void: &v1::Void) -> Result<v1::Signed, SignError> {
    stream::sign(org_sign, SignatureType::VOID, void)
}

/// Verifies a `Void` against the originator's org-sign keys. It bears no time, so every key that
/// the roster still lists unrevoked for an active originator serves, as for an envelope in flight.
pub fn verify_void(
    roster: &Roster,
    signed: &v1::Signed,
) -> Result<SignedBytes<v1::Void>, StreamFault> {
    let void = SignedBytes::<v1::Void>::parse("void", signed.bytes.clone(), STATEMENT)?;
    let originator = &void.message().originator;
    stream::verify(roster, originator, SignatureType::VOID, signed)?;
    sensible(void.message()).map_err(StreamFault::Senseless)?;
    Ok(void)
}

fn sensible(void: &v1::Void) -> Result<(), &'static str> {
    let parties = (void.originator.as_str(), void.recipient.as_str());
    stream::sensible(parties, void.incarnation, (void.first, void.last))?;
    let named = match void.envelope_id.len() {
        0 => false,
        32 => true,
        _ => return Err("the envelope id has another size"),
    };
    match void.reason() {
        v1::VoidReason::Unspecified => Err("no reason"),
        v1::VoidReason::VoidFailed if named => Err("names an envelope that was never made"),
        _ if named && void.first != void.last => Err("one envelope cannot have several numbers"),
        _ => Ok(()),
    }
}
