//! Signatures over statements: counting distinct dual signers, and the single signature of a
//! party's statement.

use crate::{PartyKey, Roster, TrustError};
use abeng_keys::{DualVerifyKey, Role, SignatureType};
use abeng_wire::{Digest, Kid, PartyCode, limits, v1};
use ring::digest::{SHA256, digest as hash};

/// SHA-256 of a statement's signed bytes, as rosters, roots and seal keys are named.
pub fn digest(bytes: &[u8]) -> Digest {
    let mut out = [0; 32];
    out.copy_from_slice(hash(&SHA256, bytes).as_ref());
    Digest(out)
}

/// How many of `signers` signed, each counted once however often it stands there, and only if
/// both halves hold. Signatures of others are passed over.
pub(crate) fn distinct_signers(
    signers: &[DualVerifyKey],
    kind: SignatureType,
    signed: &v1::Signed,
) -> usize {
    signers
        .iter()
        .filter(|signer| {
            signed
                .signatures
                .iter()
                .any(|s| signer.verify(kind, &signed.bytes, s).is_ok())
        })
        .count()
}

/// Refuses more signatures than any statement needs, before any is verified.
pub(crate) fn bound_signatures(what: &'static str, signed: &v1::Signed) -> Result<(), TrustError> {
    if signed.signatures.len() > limits::SIGNATURES {
        return Err(TrustError::rule(what, "at most 64 signatures"));
    }
    Ok(())
}

/// Verifies the one signature over a party's statement, by a key of that party in `role` that is
/// not revoked.
pub(crate) fn verify_statement(
    roster: &Roster,
    party: PartyCode,
    role: Role,
    kind: SignatureType,
    what: &'static str,
    signed: &v1::Signed,
) -> Result<(), TrustError> {
    let entry = roster
        .party(party)
        .ok_or(TrustError::UnknownParty { party })?;
    let wrong = || TrustError::WrongSigner {
        what,
        whose: party.to_string(),
        role,
    };
    let [signature] = &signed.signatures[..] else {
        return Err(TrustError::rule(what, "exactly one signature"));
    };
    let kid = Kid::from_slice(&signature.kid).ok_or_else(wrong)?;
    let listed = |k: &&PartyKey| k.role == role && k.key.kid() == kid && k.revoked_at.is_none();
    let key = entry.all_keys().iter().find(listed).ok_or_else(wrong)?;
    key.key
        .verify(kind, &signed.bytes, &signature.ed25519)
        .map_err(|_| TrustError::BadSignature { what })?;
    match key.waits_until {
        Some(until) => Err(TrustError::Waits {
            party,
            role,
            kid,
            until,
        }),
        None => Ok(()),
    }
}

/// A reason in words, on one line.
pub(crate) fn check_reason(reason: &str) -> Result<(), &'static str> {
    let fits = (1..=limits::REASON).contains(&reason.len());
    match fits && !reason.chars().any(char::is_control) {
        true => Ok(()),
        false => Err("a reason of 1 to 500 bytes on one line"),
    }
}
