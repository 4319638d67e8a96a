//! Making signed statements: the acts of a ceremony. Nothing here decides anything; verification
//! is in the types themselves.

use abeng_keys::{DualSigner, SealPublic, SignError, SignatureType, Signer};
use abeng_wire::{Millis, NetworkCode, PartyCode, encode, v1};
use bytes::Bytes;

/// Signs a root with each of `signers`.
pub fn sign_root(root: &v1::Root, signers: &[&DualSigner]) -> Result<v1::Signed, SignError> {
    dual(SignatureType::ROOT, encode(root), signers)
}

/// Signs an override with each of `signers`, who are root signers.
pub fn sign_override(
    word: &v1::Override,
    signers: &[&DualSigner],
) -> Result<v1::Signed, SignError> {
    dual(SignatureType::OVERRIDE, encode(word), signers)
}

/// Signs a roster with each of `signers`.
pub fn sign_roster(roster: &v1::Roster, signers: &[&DualSigner]) -> Result<v1::Signed, SignError> {
    dual(SignatureType::ROSTER, encode(roster), signers)
}

/// Says with the key itself that somebody holds it: what a root's maker needs of each signer.
pub fn sign_signer_key(
    network: NetworkCode,
    role: v1::SignerRole,
    (holder, country): (&str, &str),
    signer: &DualSigner,
) -> Result<v1::Signed, SignError> {
    let statement = v1::SignerKey {
        network: network.to_string(),
        role: role as i32,
        key: Some(signer.dual_key(holder, country)),
    };
    dual(SignatureType::SIGNER, encode(&statement), &[signer])
}

/// Puts the signatures of copies together, each once. `None` where the copies say different
/// things.
pub fn merge(copies: &[v1::Signed]) -> Option<v1::Signed> {
    let mut out = copies.first()?.clone();
    for copy in copies.iter().skip(1) {
        if copy.bytes != out.bytes {
            return None;
        }
        for signature in &copy.signatures {
            if !out.signatures.contains(signature) {
                out.signatures.push(signature.clone());
            }
        }
    }
    Some(out)
}

/// Signs a party's entry: with every key that is new in it, and with earlier keys if it changed.
pub fn sign_party(party: &v1::Party, signers: &[&dyn Signer]) -> Result<v1::Signed, SignError> {
    single(SignatureType::PARTY, encode(party), signers)
}

/// Signs a freshness statement with one freshness signer.
pub fn sign_freshness(
    freshness: &v1::Freshness,
    signer: &dyn Signer,
) -> Result<v1::Signed, SignError> {
    single(SignatureType::FRESHNESS, encode(freshness), &[signer])
}

/// Signs a seal key with the party's org-sign key. `sequence` is greater than any before; the
/// interval is in Unix milliseconds.
pub fn sign_seal_key(
    party: PartyCode,
    sequence: u64,
    key: &SealPublic,
    (not_before, not_after): (Millis, Millis),
    signer: &dyn Signer,
) -> Result<v1::Signed, SignError> {
    let statement = v1::SealKey {
        party: party.to_string(),
        sequence,
        kid: key.kid().to_bytes(),
        key: Bytes::copy_from_slice(key.bytes()),
        not_before,
        not_after,
    };
    single(SignatureType::SEAL_KEY, encode(&statement), &[signer])
}

fn dual(
    kind: SignatureType,
    bytes: Bytes,
    signers: &[&DualSigner],
) -> Result<v1::Signed, SignError> {
    let signatures = signers
        .iter()
        .map(|s| s.sign(kind, &bytes))
        .collect::<Result<_, _>>()?;
    Ok(v1::Signed { bytes, signatures })
}

pub(crate) fn single(
    kind: SignatureType,
    bytes: Bytes,
    signers: &[&dyn Signer],
) -> Result<v1::Signed, SignError> {
    let sign = |signer: &&dyn Signer| {
        Ok(v1::Signature {
            kid: signer.verify_key().kid().to_bytes(),
            ed25519: Bytes::copy_from_slice(&signer.sign(kind, &bytes)?),
            ..Default::default()
        })
    };
    let signatures = signers.iter().map(sign).collect::<Result<_, _>>()?;
    Ok(v1::Signed { bytes, signatures })
}
