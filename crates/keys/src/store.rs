use crate::{Entropy, entropy::seed};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::fmt;
use zeroize::Zeroizing;

/// The node's own symmetric key, which wraps what it keeps for itself. Nonces are random: one
/// key serves up to 2^32 wraps with a chance of a repeated nonce below 2^-32.
#[derive(Clone)]
pub struct StoreKey(Zeroizing<[u8; 32]>);

impl StoreKey {
    /// Bytes that wrapping adds: nonce 12, tag 16.
    pub const OVERHEAD: usize = NONCE_LEN + 16;

    /// Takes the key's bytes.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// A new key.
    pub fn generate(entropy: &mut dyn Entropy) -> Self {
        Self(seed(entropy))
    }

    /// The key's bytes, to be kept at rest.
    pub fn expose(&self) -> &Zeroizing<[u8; 32]> {
        &self.0
    }

    /// Encrypts `plain`, bound to `aad`: nonce ‖ ciphertext ‖ tag.
    #[allow(
        clippy::expect_used,
        reason = "ChaCha20-Poly1305 fails only past 256 GiB"
    )]
    pub fn wrap(&self, aad: &[u8], plain: &[u8], entropy: &mut dyn Entropy) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut out = Vec::with_capacity(plain.len() + Self::OVERHEAD);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(plain);
        let tag = self
            .key()
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(aad),
                &mut out[NONCE_LEN..],
            )
            .expect("invariant: the plaintext is shorter than 256 GiB");
        out.extend_from_slice(tag.as_ref());
        out
    }

    /// Decrypts what [`Self::wrap`] made under the same `aad`; `None` for anything else.
    pub fn unwrap(&self, aad: &[u8], wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_LEN>()?;
        let mut out = Zeroizing::new(sealed.to_vec());
        let length = self
            .key()
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(aad),
                &mut out,
            )
            .ok()?
            .len();
        out.truncate(length);
        Some(out)
    }

    #[allow(clippy::expect_used, reason = "the length is that of the type")]
    fn key(&self) -> LessSafeKey {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &self.0[..])
            .expect("invariant: a ChaCha20 key has 32 bytes");
        LessSafeKey::new(key)
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::tests::Counting;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn wrapping_goes_there_and_back_and_notices_any_flip(
            plain in proptest::collection::vec(any::<u8>(), 0..200),
            at in any::<proptest::sample::Index>(),
        ) {
            let key = StoreKey::new([7; 32]);
            let wrapped = key.wrap(b"id", &plain, &mut Counting(5));
            prop_assert_eq!(wrapped.len(), plain.len() + StoreKey::OVERHEAD);
            prop_assert_eq!(&key.unwrap(b"id", &wrapped).unwrap()[..], &plain[..]);
            prop_assert!(key.unwrap(b"other", &wrapped).is_none());
            prop_assert!(StoreKey::new([8; 32]).unwrap(b"id", &wrapped).is_none());
            let mut flipped = wrapped;
            let at = at.index(flipped.len());
            flipped[at] ^= 1;
            prop_assert!(key.unwrap(b"id", &flipped).is_none());
        }
    }

    #[test]
    fn too_short_is_refused_and_nonces_differ() {
        let key = StoreKey::new([7; 32]);
        assert!(key.unwrap(b"", &[0; 27]).is_none());
        let mut entropy = Counting(1);
        assert_ne!(
            key.wrap(b"", b"x", &mut entropy),
            key.wrap(b"", b"x", &mut entropy)
        );
    }
}
