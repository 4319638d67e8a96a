//! `Void`: the originator's word that numbers of a stream will not come.

use abeng_keys::{Role, SignError, SignatureType, Signer};
use abeng_roster::Roster;
use abeng_wire::{Kid, Malformed, PartyCode, SignedBytes, encode, v1};
use bytes::Bytes;

/// Bytes of a `Void` at most: codes, numbers and one hash.
const VOID: usize = 256;

/// Why a `Void` is not believed. Like a carrier's fault it closes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VoidFault {
    /// Not a canonical `Void`.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Not signed exactly once, with Ed25519 alone.
    #[error("a void bears exactly one Ed25519 signature")]
    Signatures,
    /// Not a key of an active originator in the roster here.
    #[error("signed by a key that the roster here does not give its originator")]
    UnknownKey,
    /// The signature does not hold.
    #[error("the signature does not hold")]
    Signature,
    /// Signed, but what it says makes no sense.
    #[error("{0}")]
    Senseless(&'static str),
}

/// Signs a `Void` with the originator's org-sign key.
pub fn sign_void(org_sign: &dyn Signer, void: &v1::Void) -> Result<v1::Signed, SignError> {
    let bytes = encode(void);
    let ed25519 = org_sign.sign(SignatureType::VOID, &bytes)?;
    let signature = v1::Signature {
        kid: org_sign.verify_key().kid().to_bytes(),
        ed25519: Bytes::copy_from_slice(&ed25519),
        ..Default::default()
    };
    Ok(v1::Signed {
        bytes,
        signatures: vec![signature],
    })
}

/// Verifies a `Void` against the originator's org-sign keys. It bears no time, so every key that
/// the roster still lists unrevoked for an active originator serves, as for an envelope in flight.
pub fn verify_void(
    roster: &Roster,
    signed: &v1::Signed,
) -> Result<SignedBytes<v1::Void>, VoidFault> {
    let void = SignedBytes::<v1::Void>::parse("void", signed.bytes.clone(), VOID)?;
    let [signature] = &signed.signatures[..] else {
        return Err(VoidFault::Signatures);
    };
    if !signature.ml_dsa_kid.is_empty() || !signature.ml_dsa.is_empty() {
        return Err(VoidFault::Signatures);
    }
    let originator = PartyCode::new(&void.message().originator).ok();
    let kid = Kid::from_slice(&signature.kid).ok_or(VoidFault::UnknownKey)?;
    let key = originator
        .and_then(|code| roster.party(code))
        .filter(|party| party.is_active())
        .and_then(|party| party.key(Role::OrgSign, &kid))
        .filter(|key| key.revoked_at.is_none())
        .ok_or(VoidFault::UnknownKey)?;
    key.key
        .verify(SignatureType::VOID, void.bytes(), &signature.ed25519)
        .map_err(|_| VoidFault::Signature)?;
    sensible(void.message()).map_err(VoidFault::Senseless)?;
    Ok(void)
}

fn sensible(void: &v1::Void) -> Result<(), &'static str> {
    let recipient =
        PartyCode::new(&void.recipient).map_err(|_| "the recipient is no party code")?;
    if recipient.as_str() == void.originator {
        return Err("the originator is its own recipient");
    }
    if void.incarnation == 0 {
        return Err("no incarnation");
    }
    if void.first == 0 || void.last < void.first {
        return Err("the range of numbers is empty or begins at 0");
    }
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
