//! The outer frame of an envelope: nobody signs it, so it is only cut into its parts.

use abeng_wire::{
    limits,
    prost::{self, Message},
    v1,
};
use bytes::Bytes;

/// Bytes of an Ed25519 signature.
const SIG: usize = 64;

/// Why a frame is not an envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misframed {
    /// Longer than an envelope can be.
    #[error("a frame of {0} bytes is longer than any envelope")]
    TooLong(usize),
    /// Not protobuf of an envelope.
    #[error("not an envelope: {0}")]
    Undecodable(String),
    /// Its fields are not in the one canonical encoding.
    #[error("an envelope that is not canonically encoded")]
    NotCanonical,
    /// A part that has another size than it must.
    #[error("{part} of {length} bytes")]
    Size {
        /// Which part.
        part: &'static str,
        /// Its size.
        length: usize,
    },
}

/// Cuts a frame into slices of itself and checks every size; copies nothing.
pub(crate) fn split(frame: &Bytes) -> Result<v1::Envelope, Misframed> {
    if frame.len() > limits::ENVELOPE {
        return Err(Misframed::TooLong(frame.len()));
    }
    let envelope =
        v1::Envelope::decode(frame.clone()).map_err(|e| Misframed::Undecodable(e.to_string()))?;
    if !is_canonical(frame, &envelope) {
        return Err(Misframed::NotCanonical);
    }
    let size = |part, length, good: bool| match good {
        true => Ok(()),
        false => Err(Misframed::Size { part, length }),
    };
    let (hdr, body) = (envelope.hdr.len(), envelope.body.len());
    size("HDR", hdr, (1..=limits::HDR).contains(&hdr))?;
    size("SIG", envelope.sig.len(), envelope.sig.len() == SIG)?;
    let stanzas = envelope.stanzas.len();
    size(
        "stanzas",
        stanzas,
        (1..=limits::RECIPIENTS).contains(&stanzas),
    )?;
    for stanza in &envelope.stanzas {
        let length = stanza.len();
        size("STANZA", length, length == 0 || length == limits::STANZA)?;
    }
    size("BODY", body, (1..=limits::BODY).contains(&body))?;
    Ok(envelope)
}

/// Whether encoding again would give the same bytes, without encoding a megabyte again: each
/// field's header must stand exactly where the canonical encoding has it.
fn is_canonical(frame: &[u8], envelope: &v1::Envelope) -> bool {
    let mut rest = frame;
    let mut header = Vec::with_capacity(16);
    let mut skip = |tag: u32, length: usize| {
        header.clear();
        prost::encoding::encode_key(tag, prost::encoding::WireType::LengthDelimited, &mut header);
        prost::encoding::encode_varint(length as u64, &mut header);
        match rest.strip_prefix(&header[..]).and_then(|r| r.get(length..)) {
            Some(after) => {
                rest = after;
                true
            }
            None => false,
        }
    };
    let single =
        |skip: &mut dyn FnMut(u32, usize) -> bool, tag, length| length == 0 || skip(tag, length);
    single(&mut skip, 1, envelope.hdr.len())
        && single(&mut skip, 2, envelope.sig.len())
        && envelope.stanzas.iter().all(|s| skip(3, s.len()))
        && single(&mut skip, 4, envelope.body.len())
        && rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn field(tag: u8, body: &[u8]) -> Vec<u8> {
        let mut out = vec![tag << 3 | 2];
        prost::encoding::encode_varint(body.len() as u64, &mut out);
        out.extend_from_slice(body);
        out
    }

    proptest! {
        /// The shortcut agrees with encoding again, on any order and repetition of fields.
        #[test]
        fn canonical_is_what_encoding_again_says(
            parts in proptest::collection::vec((1u8..6, 0usize..3), 0..7),
        ) {
            let frame: Vec<u8> =
                parts.iter().flat_map(|&(tag, length)| field(tag, &vec![tag; length])).collect();
            let frame = Bytes::from(frame);
            let envelope = v1::Envelope::decode(frame.clone()).unwrap();
            prop_assert_eq!(is_canonical(&frame, &envelope), envelope.encode_to_vec() == frame[..]);
        }
    }

    #[test]
    fn a_long_varint_is_not_canonical() {
        let frame = Bytes::from_static(&[0x0a, 0x81, 0x00, b'h']);
        let envelope = v1::Envelope::decode(frame.clone()).unwrap();
        assert!(!is_canonical(&frame, &envelope));
    }

    #[test]
    fn nothing_is_copied() {
        let frame: Bytes = [
            field(1, b"hdr"),
            field(2, &[1; 64]),
            field(3, &[2; limits::STANZA]),
            field(4, b"body"),
        ]
        .concat()
        .into();
        let envelope = split(&frame).unwrap();
        let within = frame.as_ptr_range();
        for part in [
            &envelope.hdr,
            &envelope.sig,
            &envelope.stanzas[0],
            &envelope.body,
        ] {
            assert!(within.contains(&part.as_ptr()));
        }
    }
}
