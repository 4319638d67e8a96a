use crate::{
    Roster, TrustError,
    ceremony::single,
    signed::{bound_signatures, verify_statement},
};
use abeng_keys::{Role, SignError, SignatureType, Signer};
use abeng_wire::{PartyCode, decode, encode, limits, v1};

/// Verifies that a party opened an incarnation, and says which.
pub fn verify_incarnation(
    roster: &Roster,
    signed: &v1::Signed,
) -> Result<v1::Incarnation, TrustError> {
    bound_signatures("an incarnation", signed)?;
    let m: v1::Incarnation = decode("incarnation", &signed.bytes, limits::STATEMENT)?;
    verify_statement(
        roster,
        PartyCode::new(&m.party)?,
        Role::OrgSign,
        SignatureType::INCARNATION,
        "an incarnation",
        signed,
    )?;
    if m.incarnation <= m.previous {
        return Err(TrustError::rule(
            format!("the incarnation of {}", m.party),
            "it is greater than the one before",
        ));
    }
    Ok(m)
}

/// Signs an incarnation with the party's org-sign key.
pub fn sign_incarnation(
    signer: &dyn Signer,
    incarnation: v1::Incarnation,
) -> Result<v1::Signed, SignError> {
    single(SignatureType::INCARNATION, encode(&incarnation), &[signer])
}
