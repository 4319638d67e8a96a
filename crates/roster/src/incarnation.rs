use crate::{
    Roster, TrustError,
    ceremony::single,
    signed::{bound_signatures, holds, listed_signer, verify_statement},
};
use abeng_keys::{Role, SignError, SignatureType, Signer};
use abeng_wire::{PartyCode, decode, encode, limits, v1};

const WHAT: &str = "an incarnation";

/// Verifies that a party opened an incarnation, and says which.
pub fn verify_incarnation(
    roster: &Roster,
    signed: &v1::Signed,
) -> Result<v1::Incarnation, TrustError> {
    let (m, party) = read(signed)?;
    let kind = SignatureType::INCARNATION;
    verify_statement(roster, party, Role::OrgSign, kind, WHAT, signed)?;
    Ok(m)
}

/// The same of a log that lies here: it was opened once and for all, also where the key that signed
/// that has been revoked since. Of others' logs it proves nothing.
pub fn verify_own_incarnation(
    roster: &Roster,
    signed: &v1::Signed,
) -> Result<v1::Incarnation, TrustError> {
    let (m, party) = read(signed)?;
    let key = listed_signer(roster, party, Role::OrgSign, WHAT, signed)?;
    holds(key, SignatureType::INCARNATION, WHAT, signed)?;
    Ok(m)
}

fn read(signed: &v1::Signed) -> Result<(v1::Incarnation, PartyCode), TrustError> {
    bound_signatures(WHAT, signed)?;
    let m: v1::Incarnation = decode("incarnation", &signed.bytes, limits::STATEMENT)?;
    if m.incarnation <= m.previous {
        return Err(TrustError::rule(
            format!("the incarnation of {}", m.party),
            "it is greater than the one before",
        ));
    }
    let party = PartyCode::new(&m.party)?;
    Ok((m, party))
}

/// Signs an incarnation with the party's org-sign key.
pub fn sign_incarnation(
    signer: &dyn Signer,
    incarnation: v1::Incarnation,
) -> Result<v1::Signed, SignError> {
    single(SignatureType::INCARNATION, encode(&incarnation), &[signer])
}
