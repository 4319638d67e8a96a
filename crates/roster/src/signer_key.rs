use crate::{TrustError, signed::bound_signatures};
use abeng_keys::{DualVerifyKey, SignatureType};
use abeng_wire::{NetworkCode, decode, limits, v1};

/// A verified public half of somebody who is to sign roots, rosters or freshness statements, who
/// has shown that the secret half is held.
#[derive(Debug, Clone)]
pub struct SignerKey {
    /// Of which network.
    pub network: NetworkCode,
    /// To sign what.
    pub role: v1::SignerRole,
    /// The key as a root names it, with its holder.
    pub key: v1::DualKey,
}

impl SignerKey {
    /// Verifies both halves of the key's own signature.
    pub fn verify(signed: &v1::Signed) -> Result<Self, TrustError> {
        const WHAT: &str = "a signer's key";
        bound_signatures(WHAT, signed)?;
        let m: v1::SignerKey = decode("signer key", &signed.bytes, limits::STATEMENT)?;
        let role = m.role();
        let rule = |rule| TrustError::rule(WHAT, rule);
        if role == v1::SignerRole::Unspecified {
            return Err(rule("it says what it is to sign"));
        }
        let key = m.key.ok_or_else(|| rule("it names a key"))?;
        check_holder(&key).map_err(rule)?;
        let admitted = DualVerifyKey::admit(&key).map_err(|why| TrustError::BadKey {
            whose: key.holder.clone(),
            why,
        })?;
        let [signature] = &signed.signatures[..] else {
            return Err(rule("exactly one signature"));
        };
        admitted
            .verify(SignatureType::SIGNER, &signed.bytes, signature)
            .map_err(|_| TrustError::BadSignature { what: WHAT })?;
        Ok(Self {
            network: NetworkCode::new(&m.network)?,
            role,
            key,
        })
    }
}

fn check_holder(key: &v1::DualKey) -> Result<(), &'static str> {
    let name = &key.holder;
    if name.is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
        return Err("a holder of 1 to 200 bytes on one line");
    }
    if key.country.len() != 2 || !key.country.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err("the country is an ISO 3166-1 alpha-2 code");
    }
    Ok(())
}
