use crate::pae::Raw;
use bytes::{BufMut, BytesMut};
use prost::Message;

/// Why a stream of frames cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The announced length is over the limit; nothing was read or allocated for it.
    #[error("a frame of {length} bytes is announced, the limit is {limit}")]
    TooLong {
        /// Announced.
        length: usize,
        /// Allowed.
        limit: usize,
    },
    /// A frame of no bytes carries nothing and is never sent.
    #[error("an empty frame")]
    Empty,
}

/// The length that a 4-byte big-endian frame header announces, checked against `limit`.
pub fn frame_header(header: [u8; 4], limit: usize) -> Result<usize, FrameError> {
    match u32::from_be_bytes(header) as usize {
        0 => Err(FrameError::Empty),
        length if length > limit => Err(FrameError::TooLong { length, limit }),
        length => Ok(length),
    }
}

/// Appends a message as one frame: 4 bytes of length, big-endian, then the message.
pub fn put_frame<M: Message>(message: &M, out: &mut BytesMut) {
    let length = message.encoded_len();
    out.reserve(4 + length);
    out.put_u32(length as u32);
    message.encode_raw(out);
}

/// Takes the first whole frame off `buffer`; `None` until one is there.
pub fn split_frame(buffer: &mut BytesMut, limit: usize) -> Result<Option<Raw>, FrameError> {
    let Some(header) = buffer.first_chunk::<4>() else {
        return Ok(None);
    };
    let length = frame_header(*header, limit)?;
    if buffer.len() < 4 + length {
        return Ok(None);
    }
    let mut frame = buffer.split_to(4 + length);
    let _ = frame.split_to(4);
    Ok(Some(frame.freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::Ping;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn frames_survive_any_cut(nonces in proptest::collection::vec(1u64.., 1..8), cut in 0usize..64) {
            let mut all = BytesMut::new();
            for &nonce in &nonces {
                put_frame(&Ping { nonce, time: 1 }, &mut all);
            }
            let rest = all.split_off(cut.min(all.len()));
            let mut buffer = BytesMut::new();
            let mut seen = Vec::new();
            for part in [all, rest] {
                buffer.extend_from_slice(&part);
                while let Some(frame) = split_frame(&mut buffer, 64).unwrap() {
                    seen.push(Ping::decode(frame).unwrap().nonce);
                }
            }
            prop_assert_eq!(seen, nonces);
        }
    }

    #[test]
    fn a_giant_length_is_refused_before_its_bytes_come() {
        let mut buffer = BytesMut::from(&[0xff, 0xff, 0xff, 0xff][..]);
        assert!(matches!(
            split_frame(&mut buffer, 1024),
            Err(FrameError::TooLong { .. })
        ));
        let mut buffer = BytesMut::from(&[0, 0, 0, 0][..]);
        assert_eq!(split_frame(&mut buffer, 1024), Err(FrameError::Empty));
    }
}
