use crate::{Alg, BadKey, Entropy, entropy::seed, kid};
use abeng_wire::Kid;
use curve25519_dalek::montgomery::MontgomeryPoint;
use hpke::{Deserializable, Kem, Serializable, kem::XWing};
use std::fmt;
use zeroize::Zeroizing;

/// The parsed public key that `hpke` seals to.
pub type HpkePublic = <XWing as Kem>::PublicKey;
/// The private key that `hpke` opens with.
pub type HpkePrivate = <XWing as Kem>::PrivateKey;

/// Bytes of an X-Wing public key: ML-KEM-768 (1184), then X25519 (32).
pub const SEAL_PUBLIC: usize = 1216;
/// Bytes of an X-Wing encapsulation: ML-KEM-768 (1088), then X25519 (32).
pub const ENCAPSULATION: usize = 1120;

const ML_KEM_PUBLIC: usize = 1184;
const ML_KEM_CIPHERTEXT: usize = 1088;

/// An admitted X-Wing public key, parsed.
#[derive(Clone)]
pub struct SealPublic {
    bytes: Box<[u8; SEAL_PUBLIC]>,
    kid: Kid,
    key: Box<HpkePublic>,
}

impl SealPublic {
    /// Admits [`SEAL_PUBLIC`] bytes as a key: the ML-KEM half passes the modulus check of
    /// FIPS 203 §7.2, the X25519 half has no low order (`hpke` itself accepts that).
    pub fn admit(bytes: &[u8]) -> Result<Self, BadKey> {
        let bytes: &[u8; SEAL_PUBLIC] = bytes.try_into().map_err(|_| BadKey::Length {
            what: "X-Wing",
            expected: SEAL_PUBLIC,
            found: bytes.len(),
        })?;
        if is_low_order(&bytes[ML_KEM_PUBLIC..]) {
            return Err(BadKey::LowOrder);
        }
        let key = HpkePublic::from_bytes(bytes).map_err(|_| BadKey::NotReduced)?;
        // A key that does not come back as it went in has a second spelling.
        if key.to_bytes()[..] != bytes[..] {
            return Err(BadKey::NotReduced);
        }
        Ok(Self {
            bytes: Box::new(*bytes),
            kid: kid(Alg::XWing, bytes),
            key: Box::new(key),
        })
    }

    /// The key's identifier.
    pub fn kid(&self) -> Kid {
        self.kid
    }

    /// The key as it travels.
    pub fn bytes(&self) -> &[u8; SEAL_PUBLIC] {
        &self.bytes
    }

    /// The key as `hpke` takes it.
    pub fn hpke(&self) -> &HpkePublic {
        &self.key
    }
}

impl PartialEq for SealPublic {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for SealPublic {}

impl fmt::Debug for SealPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealPublic({:?})", self.kid)
    }
}

/// An X-Wing private key: its 32-byte seed, and what `hpke` makes of it.
pub struct SealSecret {
    seed: Zeroizing<[u8; 32]>,
    key: HpkePrivate,
    public: SealPublic,
}

impl SealSecret {
    /// The key whose seed this is. Not `derive_keypair`, which hashes its input first.
    ///
    /// # Errors
    /// Never in practice: an honest seed gives a public key that is admitted.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, BadKey> {
        let key = HpkePrivate::from_bytes(seed).map_err(|_| BadKey::Length {
            what: "X-Wing seed",
            expected: 32,
            found: seed.len(),
        })?;
        let public = SealPublic::admit(&XWing::sk_to_pk(&key).to_bytes())?;
        Ok(Self {
            seed: Zeroizing::new(*seed),
            key,
            public,
        })
    }

    /// A new key.
    pub fn generate(entropy: &mut dyn Entropy) -> Self {
        loop {
            if let Ok(secret) = Self::from_seed(&seed(entropy)) {
                return secret;
            }
        }
    }

    /// The public half.
    pub fn public(&self) -> &SealPublic {
        &self.public
    }

    /// The identifier of the public half.
    pub fn kid(&self) -> Kid {
        self.public.kid
    }

    /// The key as `hpke` takes it.
    pub fn hpke(&self) -> &HpkePrivate {
        &self.key
    }

    /// The seed, to be kept at rest.
    pub fn seed(&self) -> &Zeroizing<[u8; 32]> {
        &self.seed
    }
}

impl fmt::Debug for SealSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealSecret({:?})", self.public.kid)
    }
}

/// Whether the X25519 half of an encapsulation gives zero with any scalar; also for one that is
/// not [`ENCAPSULATION`] bytes long. Such a share adds nothing to the secret and is refused.
pub fn encapsulation_is_low_order(encapsulation: &[u8]) -> bool {
    encapsulation.len() != ENCAPSULATION || is_low_order(&encapsulation[ML_KEM_CIPHERTEXT..])
}

/// Multiplies by 8, the cofactor of the curve (the twist's is 4): zero exactly for points of low
/// order, on either, in every spelling.
fn is_low_order(u: &[u8]) -> bool {
    let Ok(u) = u.try_into() else { return true };
    let product = MontgomeryPoint(u).mul_bits_be([true, false, false, false].into_iter());
    product.to_bytes() == [0; 32]
}
