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

/// Who of `signers` signed, each once however often it stands there, and only if both halves
/// hold. Signatures of others are passed over.
pub(crate) fn distinct_signers(
    signers: &[DualVerifyKey],
    kind: SignatureType,
    signed: &v1::Signed,
) -> Vec<Kid> {
    signers
        .iter()
        .filter(|signer| {
            signed
                .signatures
                .iter()
                .any(|s| signer.verify(kind, &signed.bytes, s).is_ok())
        })
        .map(DualVerifyKey::kid)
        .collect()
}

/// Refuses more signatures than any statement needs, before any is verified.
pub(crate) fn bound_signatures(what: &'static str, signed: &v1::Signed) -> Result<(), TrustError> {
    if signed.signatures.len() > limits::SIGNATURES {
        return Err(TrustError::rule(what, "at most 64 signatures"));
    }
    Ok(())
}

/// Verifies the one signature over a party's statement, by a key of that party in `role` that is
/// not revoked: which.
pub(crate) fn verify_statement(
    roster: &Roster,
    party: PartyCode,
    role: Role,
    kind: SignatureType,
    what: &'static str,
    signed: &v1::Signed,
) -> Result<Kid, TrustError> {
    let key = listed_signer(roster, party, role, what, signed)?;
    if key.revoked_at.is_some() {
        return Err(wrong_signer(party, role, what));
    }
    holds(key, kind, what, signed)?;
    let kid = key.key.kid();
    match key.waits_until {
        Some(until) => Err(TrustError::Waits {
            party,
            role,
            kid,
            until,
        }),
        None => Ok(kid),
    }
}

/// The key of that party in `role` that a statement names as its only signer, revoked or not.
pub(crate) fn listed_signer<'a>(
    roster: &'a Roster,
    party: PartyCode,
    role: Role,
    what: &'static str,
    signed: &v1::Signed,
) -> Result<&'a PartyKey, TrustError> {
    let entry = roster
        .party(party)
        .ok_or(TrustError::UnknownParty { party })?;
    let [signature] = &signed.signatures[..] else {
        return Err(TrustError::rule(what, "exactly one signature"));
    };
    let kid = Kid::from_slice(&signature.kid);
    let is = |k: &&PartyKey| k.role == role && Some(k.key.kid()) == kid;
    let key = entry.all_keys().iter().find(is);
    key.ok_or_else(|| wrong_signer(party, role, what))
}

/// Whether the only signature is that key's.
pub(crate) fn holds(
    key: &PartyKey,
    kind: SignatureType,
    what: &'static str,
    signed: &v1::Signed,
) -> Result<(), TrustError> {
    let mut signatures = signed.signatures.iter();
    let good = signatures
        .next()
        .is_some_and(|s| key.key.verify(kind, &signed.bytes, &s.ed25519).is_ok());
    good.then_some(()).ok_or(TrustError::BadSignature { what })
}

fn wrong_signer(party: PartyCode, role: Role, what: &'static str) -> TrustError {
    TrustError::WrongSigner {
        what,
        whose: party.to_string(),
        role,
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
