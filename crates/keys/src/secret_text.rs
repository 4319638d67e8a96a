//! Secrets of 32 bytes as text in TOML files: 64 hex digits, wiped.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, de};
use std::fmt;
use zeroize::Zeroizing;

/// A secret as read.
pub(crate) struct Secret(pub(crate) Zeroizing<[u8; 32]>);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Hex;
        impl de::Visitor<'_> for Hex {
            type Value = Secret;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("64 hex digits")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
                let mut out = Zeroizing::new([0; 32]);
                if text.len() != 64 {
                    return Err(E::custom("not 64 hex digits"));
                }
                HEXLOWER
                    .decode_mut(text.as_bytes(), &mut out[..])
                    .map_err(|_| E::custom("not 64 hex digits"))?;
                Ok(Secret(out))
            }
        }
        deserializer.deserialize_str(Hex)
    }
}

/// A secret as written.
pub(crate) fn hex(secret: &[u8; 32]) -> Zeroizing<String> {
    Zeroizing::new(HEXLOWER.encode(secret))
}

/// Parses a file of secrets. The error names a line, never what stands there: the parser's own
/// message would quote it.
pub(crate) fn parse<T: de::DeserializeOwned>(content: &[u8]) -> Result<T, String> {
    let text = std::str::from_utf8(content).map_err(|_| "not UTF-8".to_owned())?;
    toml::from_str(text).map_err(|e| match e.span() {
        Some(span) => {
            let before = text.get(..span.start).unwrap_or(text);
            let line = before.matches('\n').count() + 1;
            format!("line {line} is not as written by Abeng")
        }
        None => "not as written by Abeng".to_owned(),
    })
}
