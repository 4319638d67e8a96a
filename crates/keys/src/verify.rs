use crate::{Alg, SignatureType, kid};
use abeng_wire::Kid;
use ed25519_dalek::Signature;
use std::{
    fmt,
    hash::{Hash, Hasher},
};

/// Why a public key is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// Not as long as keys of its kind are.
    #[error("a {what} key has {expected} bytes, not {found}")]
    Length {
        /// The kind of key.
        what: &'static str,
        /// Bytes it must have.
        expected: usize,
        /// Bytes it has.
        found: usize,
    },
    /// An Ed25519 key that is no point of the curve.
    #[error("the Ed25519 key is not a point of the curve")]
    NotAPoint,
    /// An Ed25519 key with a second spelling, so that one key could have two identifiers.
    #[error("the Ed25519 key is not in its canonical encoding")]
    NotCanonical,
    /// An Ed25519 key of small order: everybody can sign for it.
    #[error("the Ed25519 key is weak (small order)")]
    Weak,
    /// An Ed25519 key with a torsion component: verifiers disagree about its signatures.
    #[error("the Ed25519 key is not torsion-free")]
    Torsion,
    /// An X-Wing key whose ML-KEM half fails the modulus check of FIPS 203 §7.2.
    #[error("the ML-KEM half of the X-Wing key is not reduced (FIPS 203, 7.2)")]
    NotReduced,
    /// An X-Wing key whose X25519 half gives zero with any scalar.
    #[error("the X25519 half of the X-Wing key has low order")]
    LowOrder,
}

/// A signature that does not hold. Says no more, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not hold")]
pub struct BadSignature;

/// An admitted Ed25519 key: canonical, not weak, torsion-free. Holds the decompressed point, so
/// that verifying costs no decompression.
#[derive(Clone)]
pub struct VerifyKey {
    key: ed25519_dalek::VerifyingKey,
    kid: Kid,
}

impl VerifyKey {
    /// Admits 32 bytes as a key, or says why not.
    pub fn admit(bytes: &[u8]) -> Result<Self, BadKey> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| BadKey::Length {
            what: "Ed25519",
            expected: 32,
            found: bytes.len(),
        })?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| BadKey::NotAPoint)?;
        let point = key.to_edwards();
        if point.compress().as_bytes() != bytes {
            return Err(BadKey::NotCanonical);
        }
        if point.is_small_order() {
            return Err(BadKey::Weak);
        }
        if !point.is_torsion_free() {
            return Err(BadKey::Torsion);
        }
        Ok(Self {
            kid: kid(Alg::Ed25519, bytes),
            key,
        })
    }

    /// The key's identifier.
    pub fn kid(&self) -> Kid {
        self.kid
    }

    /// The key, as RFC 8032 encodes it.
    pub fn bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Verifies a signature over a statement, strictly.
    pub fn verify(
        &self,
        kind: SignatureType,
        bytes: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature> {
        self.verify_message(&kind.pae(bytes), signature)
    }

    /// Verifies a signature over exactly `message`, strictly (`verify_strict` of ed25519-dalek).
    /// For what brings its own separation: signed notes.
    pub fn verify_message(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        let signature: &[u8; 64] = signature.try_into().map_err(|_| BadSignature)?;
        self.key
            .verify_strict(message, &Signature::from_bytes(signature))
            .map_err(|_| BadSignature)
    }
}

impl PartialEq for VerifyKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for VerifyKey {}

impl Hash for VerifyKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes().hash(state);
    }
}

impl fmt::Debug for VerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyKey({:?})", self.kid)
    }
}
