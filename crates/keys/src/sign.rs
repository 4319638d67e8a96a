use crate::{BadKey, Entropy, SignatureType, VerifyKey, entropy::seed};
use ring::signature::{Ed25519KeyPair, KeyPair};
use std::fmt;
use zeroize::Zeroizing;

/// A signer that could not sign: a token that is gone, a device that refused. Our own fault,
/// never a peer's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot sign: {reason}")]
pub struct SignError {
    /// What the device said.
    pub reason: String,
}

/// Something that holds an Ed25519 key and signs with it.
pub trait Signer: Send + Sync {
    /// The public key.
    fn verify_key(&self) -> &VerifyKey;

    /// Signs exactly `message`. For what brings its own separation: signed notes.
    fn sign_message(&self, message: &[u8]) -> Result<[u8; 64], SignError>;

    /// Why nothing could be signed the last time, until something is signed again.
    fn trouble(&self) -> Option<SignError> {
        None
    }

    /// Whether the key is in a device, which may be slow, or hang: it is not to be waited for where anything
    /// else would wait too.
    fn is_device(&self) -> bool {
        false
    }

    /// Whether it can sign, as far as that is known or can be found out now: asked before anything is
    /// begun that ends with a signature.
    fn ready(&self) -> Result<(), SignError> {
        Ok(())
    }

    /// Signs a statement of the given type.
    fn sign(&self, kind: SignatureType, bytes: &[u8]) -> Result<[u8; 64], SignError> {
        self.sign_message(&kind.pae(bytes))
    }
}

/// A signing key in memory. Signs with ring; ring does not wipe its copy of the scalar when it
/// is dropped, the seed kept here is wiped.
pub struct SoftSigner {
    seed: Zeroizing<[u8; 32]>,
    pair: Ed25519KeyPair,
    public: VerifyKey,
}

impl SoftSigner {
    /// The key of an RFC 8032 seed.
    ///
    /// # Errors
    /// Never in practice: a public key made from a seed is admitted unless the hash of the seed
    /// hits one of a handful of points.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, BadKey> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| BadKey::NotAPoint)?;
        let public = VerifyKey::admit(pair.public_key().as_ref())?;
        Ok(Self {
            seed: Zeroizing::new(*seed),
            pair,
            public,
        })
    }

    /// A new key.
    pub fn generate(entropy: &mut dyn Entropy) -> Self {
        loop {
            if let Ok(signer) = Self::from_seed(&seed(entropy)) {
                return signer;
            }
        }
    }

    /// The seed, to be kept at rest.
    pub fn seed(&self) -> &Zeroizing<[u8; 32]> {
        &self.seed
    }

    /// The key as PKCS #8 version 1 (RFC 8410), as rustls takes it.
    pub fn pkcs8(&self) -> Zeroizing<Vec<u8>> {
        const PREFIX: [u8; 16] = [
            0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22,
            0x04, 0x20,
        ];
        let mut out = Zeroizing::new(Vec::with_capacity(PREFIX.len() + 32));
        out.extend_from_slice(&PREFIX);
        out.extend_from_slice(&self.seed[..]);
        out
    }
}

impl Signer for SoftSigner {
    fn verify_key(&self) -> &VerifyKey {
        &self.public
    }

    fn sign_message(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        let signature = self.pair.sign(message);
        signature.as_ref().try_into().map_err(|_| SignError {
            reason: "the signature is not 64 bytes".into(),
        })
    }
}

impl fmt::Debug for SoftSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SoftSigner({:?})", self.public.kid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BadSignature, entropy::tests::Counting};

    #[test]
    fn a_signature_holds_for_its_type_and_bytes_only() {
        let signer = SoftSigner::generate(&mut Counting(1));
        let signature = signer.sign(SignatureType::ENVELOPE, b"hdr").unwrap();
        let key = signer.verify_key();
        assert_eq!(
            key.verify(SignatureType::ENVELOPE, b"hdr", &signature),
            Ok(())
        );
        for (kind, bytes) in [
            (SignatureType::VOID, &b"hdr"[..]),
            (SignatureType::ENVELOPE, b"hdR"),
        ] {
            assert_eq!(key.verify(kind, bytes, &signature), Err(BadSignature));
        }
        assert_eq!(
            key.verify(SignatureType::ENVELOPE, b"hdr", &signature[..63]),
            Err(BadSignature)
        );
    }

    #[test]
    fn pkcs8_is_the_same_key() {
        let signer = SoftSigner::generate(&mut Counting(2));
        let again = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&signer.pkcs8()).unwrap();
        assert_eq!(again.public_key().as_ref(), signer.verify_key().bytes());
    }

    #[test]
    fn debug_shows_no_secret() {
        let signer = SoftSigner::from_seed(&[0xab; 32]).unwrap();
        assert!(!format!("{signer:?}").contains("abab"));
    }
}
