use crate::{
    Alg, BadKey, BadSignature, Entropy, SignError, SignatureType, Signer, SoftSigner, VerifyKey,
    entropy::seed, kid,
};
use abeng_wire::{Kid, v1};
use bytes::Bytes;
use ml_dsa::{MlDsa65, SigningKey, VerifyingKey, signature::Keypair};
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of an ML-DSA-65 public key (FIPS 204, table 2).
pub const ML_DSA_PUBLIC: usize = 1952;
/// Bytes of an ML-DSA-65 signature.
pub const ML_DSA_SIGNATURE: usize = 3309;

/// The public half of one signer of roots or rosters: a pair that counts once, and only if both
/// halves verify.
#[derive(Clone)]
pub struct DualVerifyKey {
    ed25519: VerifyKey,
    ml_dsa: Box<VerifyingKey<MlDsa65>>,
    ml_dsa_bytes: Bytes,
    ml_dsa_kid: Kid,
}

impl DualVerifyKey {
    /// Admits both halves, or says why not.
    pub fn admit(key: &v1::DualKey) -> Result<Self, BadKey> {
        let ed25519 = VerifyKey::admit(&key.ed25519)?;
        let encoded = key.ml_dsa[..].try_into().map_err(|_| BadKey::Length {
            what: "ML-DSA-65",
            expected: ML_DSA_PUBLIC,
            found: key.ml_dsa.len(),
        })?;
        Ok(Self {
            ed25519,
            // Every string of the right length is an ML-DSA key: t1 is packed in whole 10-bit
            // words, so there is no second encoding to refuse.
            ml_dsa: Box::new(VerifyingKey::decode(&encoded)),
            ml_dsa_kid: kid(Alg::MlDsa65, &key.ml_dsa),
            ml_dsa_bytes: key.ml_dsa.clone(),
        })
    }

    /// The identifier of the pair: that of its Ed25519 half.
    pub fn kid(&self) -> Kid {
        self.ed25519.kid()
    }

    /// The identifier of the ML-DSA-65 half.
    pub fn ml_dsa_kid(&self) -> Kid {
        self.ml_dsa_kid
    }

    /// The Ed25519 half.
    pub fn ed25519(&self) -> &VerifyKey {
        &self.ed25519
    }

    /// The ML-DSA-65 half, [`ML_DSA_PUBLIC`] bytes.
    pub fn ml_dsa(&self) -> &Bytes {
        &self.ml_dsa_bytes
    }

    /// Verifies both halves over a statement; the ML-DSA half has the type as its context.
    pub fn verify(
        &self,
        kind: SignatureType,
        bytes: &[u8],
        signature: &v1::Signature,
    ) -> Result<(), BadSignature> {
        if signature.kid[..] != self.kid().0 || signature.ml_dsa_kid[..] != self.ml_dsa_kid.0 {
            return Err(BadSignature);
        }
        let message = kind.pae(bytes);
        self.ed25519.verify_message(&message, &signature.ed25519)?;
        let half = ml_dsa::Signature::<MlDsa65>::try_from(&signature.ml_dsa[..])
            .map_err(|_| BadSignature)?;
        if self
            .ml_dsa
            .verify_with_context(&message, kind.name().as_bytes(), &half)
        {
            Ok(())
        } else {
            Err(BadSignature)
        }
    }
}

impl PartialEq for DualVerifyKey {
    fn eq(&self, other: &Self) -> bool {
        self.ed25519 == other.ed25519 && self.ml_dsa_bytes == other.ml_dsa_bytes
    }
}

impl Eq for DualVerifyKey {}

impl fmt::Debug for DualVerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DualVerifyKey({:?})", self.kid())
    }
}

/// One signer of roots or rosters: Ed25519 and ML-DSA-65 together.
pub struct DualSigner {
    ed25519: SoftSigner,
    ml_dsa_seed: Zeroizing<[u8; 32]>,
    ml_dsa: Box<SigningKey<MlDsa65>>,
    public: DualVerifyKey,
}

impl DualSigner {
    /// The pair of two seeds (RFC 8032; FIPS 204 ξ).
    pub fn from_seeds(ed25519: &[u8; 32], ml_dsa: &[u8; 32]) -> Result<Self, BadKey> {
        let signer = SoftSigner::from_seed(ed25519)?;
        let key = Box::new(SigningKey::<MlDsa65>::from_seed(&(*ml_dsa).into()));
        let public = DualVerifyKey::admit(&v1::DualKey {
            ed25519: Bytes::copy_from_slice(signer.verify_key().bytes()),
            ml_dsa: Bytes::copy_from_slice(&key.verifying_key().encode()),
            ..Default::default()
        })?;
        Ok(Self {
            ed25519: signer,
            ml_dsa_seed: Zeroizing::new(*ml_dsa),
            ml_dsa: key,
            public,
        })
    }

    /// A new pair.
    pub fn generate(entropy: &mut dyn Entropy) -> Self {
        loop {
            let (a, b) = (seed(entropy), seed(entropy));
            if let Ok(signer) = Self::from_seeds(&a, &b) {
                return signer;
            }
        }
    }

    /// The public half.
    pub fn public(&self) -> &DualVerifyKey {
        &self.public
    }

    /// The public half as a root names it.
    pub fn dual_key(&self, holder: &str, country: &str) -> v1::DualKey {
        v1::DualKey {
            holder: holder.into(),
            country: country.into(),
            ed25519: Bytes::copy_from_slice(self.public.ed25519.bytes()),
            ml_dsa: self.public.ml_dsa_bytes.clone(),
        }
    }

    /// The Ed25519 half alone, for freshness statements.
    pub fn ed25519(&self) -> &SoftSigner {
        &self.ed25519
    }

    /// Both seeds, Ed25519 first, to be kept at rest.
    pub fn seeds(&self) -> (&Zeroizing<[u8; 32]>, &Zeroizing<[u8; 32]>) {
        (self.ed25519.seed(), &self.ml_dsa_seed)
    }

    /// Signs a statement with both halves.
    pub fn sign(&self, kind: SignatureType, bytes: &[u8]) -> Result<v1::Signature, SignError> {
        let message = kind.pae(bytes);
        let half = self
            .ml_dsa
            .expanded_key()
            .sign_deterministic(&message, kind.name().as_bytes())
            .map_err(|e| SignError {
                reason: e.to_string(),
            })?;
        Ok(v1::Signature {
            kid: self.public.kid().to_bytes(),
            ed25519: Bytes::copy_from_slice(&self.ed25519.sign_message(&message)?),
            ml_dsa_kid: self.public.ml_dsa_kid.to_bytes(),
            ml_dsa: Bytes::copy_from_slice(&half.encode()),
        })
    }
}

impl fmt::Debug for DualSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DualSigner({:?})", self.public.kid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::tests::Counting;

    #[test]
    fn both_halves_must_hold() {
        let signer = DualSigner::generate(&mut Counting(1));
        let other = DualSigner::generate(&mut Counting(100));
        let good = signer.sign(SignatureType::ROOT, b"root").unwrap();
        let foreign = other.sign(SignatureType::ROOT, b"root").unwrap();
        let key = signer.public();
        assert_eq!(key.verify(SignatureType::ROOT, b"root", &good), Ok(()));

        let mut no_classical = good.clone();
        no_classical.ed25519 = foreign.ed25519.clone();
        let mut no_quantum_safe = good.clone();
        no_quantum_safe.ml_dsa = foreign.ml_dsa.clone();
        let mut half = good.clone();
        half.ml_dsa = Bytes::new();
        half.ml_dsa_kid = Bytes::new();
        let mut without_kid = good.clone();
        without_kid.ml_dsa_kid = Bytes::new();
        let mut other_kid = good.clone();
        other_kid.kid = foreign.kid.clone();
        for bad in [
            no_classical,
            no_quantum_safe,
            half,
            without_kid,
            other_kid,
            foreign,
        ] {
            assert_eq!(
                key.verify(SignatureType::ROOT, b"root", &bad),
                Err(BadSignature)
            );
        }
        assert_eq!(
            key.verify(SignatureType::ROSTER, b"root", &good),
            Err(BadSignature)
        );
    }

    #[test]
    fn the_type_is_the_ml_dsa_context() {
        let signer = DualSigner::generate(&mut Counting(3));
        let message = SignatureType::ROOT.pae(b"root");
        let mut signature = signer.sign(SignatureType::ROOT, b"root").unwrap();
        let bare = signer
            .ml_dsa
            .expanded_key()
            .sign_deterministic(&message, b"")
            .unwrap();
        signature.ml_dsa = Bytes::copy_from_slice(&bare.encode());
        assert_eq!(
            signer
                .public()
                .verify(SignatureType::ROOT, b"root", &signature),
            Err(BadSignature)
        );
    }

    #[test]
    fn a_short_half_is_not_admitted() {
        let signer = DualSigner::generate(&mut Counting(4));
        let mut key = signer.dual_key("IMPACS", "TT");
        assert_eq!(&DualVerifyKey::admit(&key).unwrap(), signer.public());
        key.ml_dsa = key.ml_dsa.slice(1..);
        assert!(matches!(
            DualVerifyKey::admit(&key),
            Err(BadKey::Length { found: 1951, .. })
        ));
    }
}
