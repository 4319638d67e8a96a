//! What parties say of a stream and others may carry: a statement by one party's org-sign key.

use abeng_keys::{Role, SignError, SignatureType, Signer};
use abeng_roster::Roster;
use abeng_wire::{Kid, Malformed, PartyCode, encode, prost::Message, v1};
use bytes::Bytes;

/// Bytes of a `Void` or a `Want` at most: codes, numbers and one hash.
pub(crate) const STATEMENT: usize = 256;

/// Why a `Void` or a `Want` is not believed. Like a carrier's fault it changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamFault {
    /// Not canonical.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Not signed exactly once, with Ed25519 alone.
    #[error("it does not bear exactly one Ed25519 signature")]
    Signatures,
    /// Not a key in the roster here of the active party whose word it is.
    #[error("signed by a key that the roster here does not give the party whose word it is")]
    UnknownKey,
    /// The signature does not hold.
    #[error("the signature does not hold")]
    Signature,
    /// Signed, but what it says makes no sense.
    #[error("{0}")]
    Senseless(&'static str),
}

/// Signs a statement about a stream with the org-sign key of the party whose word it is.
pub(crate) fn sign(
    org_sign: &dyn Signer,
    kind: SignatureType,
    statement: &impl Message,
) -> Result<v1::Signed, SignError> {
    let bytes = encode(statement);
    let ed25519 = org_sign.sign(kind, &bytes)?;
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

/// Verifies a statement against the org-sign keys of the party whose word it is. It bears no time,
/// so every key that the roster still lists unrevoked for an active party serves, as for an
/// envelope in flight.
pub(crate) fn verify(
    roster: &Roster,
    by: &str,
    kind: SignatureType,
    signed: &v1::Signed,
) -> Result<(), StreamFault> {
    let [signature] = &signed.signatures[..] else {
        return Err(StreamFault::Signatures);
    };
    if !signature.ml_dsa_kid.is_empty() || !signature.ml_dsa.is_empty() {
        return Err(StreamFault::Signatures);
    }
    let kid = Kid::from_slice(&signature.kid).ok_or(StreamFault::UnknownKey)?;
    let key = PartyCode::new(by)
        .ok()
        .and_then(|code| roster.party(code))
        .filter(|party| party.is_active())
        .and_then(|party| party.key(Role::OrgSign, &kid))
        .filter(|key| key.revoked_at.is_none())
        .ok_or(StreamFault::UnknownKey)?;
    key.key
        .verify(kind, &signed.bytes, &signature.ed25519)
        .map_err(|_| StreamFault::Signature)
}

/// What holds of every statement about a stream.
pub(crate) fn sensible(
    (originator, recipient): (&str, &str),
    incarnation: u64,
    (first, last): (u64, u64),
) -> Result<(), &'static str> {
    if PartyCode::new(originator).is_err() {
        return Err("the originator is no party code");
    }
    if PartyCode::new(recipient).is_err() {
        return Err("the recipient is no party code");
    }
    if recipient == originator {
        return Err("the originator is its own recipient");
    }
    if incarnation == 0 {
        return Err("no incarnation");
    }
    if first == 0 || last < first {
        return Err("the range of numbers is empty or begins at 0");
    }
    Ok(())
}
