use bytes::Bytes;
use std::fmt;

/// 32 bytes of SHA-256 or of its size.
pub type Hash32 = [u8; 32];

macro_rules! hash {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub Hash32);

        impl $name {
            /// Takes exactly 32 bytes.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// Reads 64 hex digits, in either case.
            pub fn from_hex(text: &str) -> Option<Self> {
                if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return None;
                }
                let mut out = [0; 32];
                for (i, byte) in out.iter_mut().enumerate() {
                    *byte = u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()?;
                }
                Some(Self(out))
            }

            /// The bytes as a message field holds them.
            pub fn to_bytes(&self) -> Bytes {
                Bytes::copy_from_slice(&self.0)
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let digits = f.precision().unwrap_or(64);
                for byte in self.0.iter().take(digits.div_ceil(2)) {
                    write!(f, "{byte:02x}")?;
                }
                Ok(())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self:.12}…")
            }
        }
    };
}

hash!(
    /// Identifies a public key: `SHA-256(PAE("abeng/1/kid", PAE(alg, key)))`.
    Kid
);
hash!(
    /// Identifies an envelope: SHA-256 over the encoded, signed HDR.
    EnvelopeId
);
hash!(
    /// SHA-256 of some bytes: a roster's digest, a subject.
    Digest
);
hash!(
    /// A node of the RFC 6962 tree.
    LeafHash
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_there_and_back() {
        let id = EnvelopeId(std::array::from_fn(|i| i as u8 * 7));
        assert_eq!(EnvelopeId::from_hex(&id.to_string()), Some(id));
        assert_eq!(format!("{id:.8}").len(), 8);
        assert_eq!(EnvelopeId::from_hex("zz"), None);
        assert_eq!(EnvelopeId::from_hex(&"+1".repeat(32)), None);
    }
}
