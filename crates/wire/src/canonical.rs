use crate::pae::Raw;
use prost::Message;

/// Why bytes are not one of our messages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Longer than the limit of its kind; nothing was decoded.
    #[error("{what} of {length} bytes is longer than the limit of {limit}")]
    TooLong {
        /// The kind of message.
        what: &'static str,
        /// Bytes that arrived.
        length: usize,
        /// Bytes that are allowed.
        limit: usize,
    },
    /// Not protobuf of this kind.
    #[error("{what} is not protobuf of its kind: {reason}")]
    Undecodable {
        /// The kind of message.
        what: &'static str,
        /// The decoder's words.
        reason: String,
    },
    /// Decodes, but is not the one canonical encoding (unknown field, other order, default written out …).
    #[error("{what} is not in its canonical encoding")]
    NotCanonical {
        /// The kind of message.
        what: &'static str,
    },
}

/// A message together with the exact bytes it came as. What was signed is always `bytes`,
/// never an encoding made again from `message`.
#[derive(Debug, Clone, PartialEq)]
pub struct SignedBytes<M> {
    bytes: Raw,
    message: M,
}

impl<M: Message + Default + PartialEq> SignedBytes<M> {
    /// Decodes canonical bytes and keeps them.
    pub fn parse(what: &'static str, bytes: Raw, limit: usize) -> Result<Self, Malformed> {
        let message = decode(what, &bytes, limit)?;
        Ok(Self { bytes, message })
    }

    /// Decodes bytes that may not be canonical and keeps them: where whose fault that is can
    /// only be said once a signature over them holds. See [`Self::is_canonical`].
    pub fn parse_tolerant(what: &'static str, bytes: Raw, limit: usize) -> Result<Self, Malformed> {
        let message = decode_tolerant(what, &bytes, limit)?;
        Ok(Self { bytes, message })
    }

    /// Whether the bytes are the one canonical encoding of the message.
    pub fn is_canonical(&self) -> bool {
        self.message.encoded_len() == self.bytes.len()
            && self.message.encode_to_vec() == self.bytes[..]
    }

    /// Encodes a message of our own making.
    pub fn of(message: M) -> Self {
        Self {
            bytes: encode(&message),
            message,
        }
    }

    /// The exact bytes.
    pub fn bytes(&self) -> &Raw {
        &self.bytes
    }

    /// What the bytes say.
    pub fn message(&self) -> &M {
        &self.message
    }
}

/// Encodes a message canonically: fields in order, defaults absent.
pub fn encode<M: Message>(message: &M) -> Raw {
    message.encode_to_vec().into()
}

/// Decodes a message and refuses every encoding but the canonical one.
pub fn decode<M: Message + Default>(
    what: &'static str,
    bytes: &Raw,
    limit: usize,
) -> Result<M, Malformed> {
    let message: M = decode_tolerant(what, bytes, limit)?;
    if message.encoded_len() != bytes.len() || message.encode_to_vec() != bytes[..] {
        return Err(Malformed::NotCanonical { what });
    }
    Ok(message)
}

/// Decodes a message that may hold unknown fields: notices alone.
pub fn decode_tolerant<M: Message + Default>(
    what: &'static str,
    bytes: &Raw,
    limit: usize,
) -> Result<M, Malformed> {
    if bytes.len() > limit {
        return Err(Malformed::TooLong {
            what,
            length: bytes.len(),
            limit,
        });
    }
    M::decode(bytes.clone()).map_err(|e| Malformed::Undecodable {
        what,
        reason: e.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::RosterRef;
    use bytes::Bytes;

    #[test]
    fn unknown_field_default_and_order_are_refused() {
        let good = encode(&RosterRef {
            version: 7,
            digest: Bytes::from_static(b"d"),
        });
        assert_eq!(
            decode::<RosterRef>("roster reference", &good, 64)
                .unwrap()
                .version,
            7
        );
        let unknown = Bytes::from([&good[..], &[0x18, 1]].concat());
        let written_default = Bytes::from_static(&[0x08, 0]);
        let swapped = Bytes::from_static(&[0x12, 1, b'd', 0x08, 7]);
        let long_varint = Bytes::from_static(&[0x08, 0x87, 0x00]);
        for bad in [unknown, written_default, swapped, long_varint] {
            let tolerant =
                SignedBytes::<RosterRef>::parse_tolerant("roster reference", bad.clone(), 64)
                    .unwrap();
            assert!(!tolerant.is_canonical());
            assert_eq!(
                decode::<RosterRef>("roster reference", &bad, 64),
                Err(Malformed::NotCanonical {
                    what: "roster reference"
                })
            );
        }
    }

    #[test]
    fn length_is_checked_before_decoding() {
        let junk = Bytes::from(vec![0xff; 65]);
        assert!(matches!(
            decode::<RosterRef>("x", &junk, 64),
            Err(Malformed::TooLong { .. })
        ));
    }
}
