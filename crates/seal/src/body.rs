//! BODY: the notice, its length before it and zeros behind it, in chunks of 64 KiB.
//!
//! The chunks follow the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015): nonce =
//! counter (11 bytes, big-endian) ‖ final flag, so that none can be cut, moved or added.

use crate::{derive::Secret, open::OpenStep};
use abeng_wire::{Hash32, limits};
use bytes::Bytes;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use zeroize::{Zeroize, Zeroizing};

/// Plaintext bytes of every chunk but the last.
pub(crate) const CHUNK: usize = 65_536;
/// Bytes of the tag behind each chunk.
pub(crate) const TAG: usize = 16;
const LENGTH: usize = 8;
const SMALLEST: u64 = 2048;

/// Padmé: `length` rounded up so that only its ⌊log2⌋ and a few bits more show; at most 12 %
/// more.
///
/// Source: Nikitin et al., "Reducing Metadata Leakage from Encrypted Files", PoPETs 2019.
pub fn padme(length: u64) -> u64 {
    if length < 2 {
        return length;
    }
    let exponent = length.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1u64 << exponent.saturating_sub(kept)) - 1;
    length.saturating_add(mask) & !mask
}

/// Bytes of plaintext that a notice of `notice` bytes is padded to, its length included.
pub fn padded_len(notice: usize) -> usize {
    padme(LENGTH as u64 + notice as u64).max(SMALLEST) as usize
}

/// Bytes of the sealed body of a notice of `notice` bytes: padded, with the tags.
pub fn body_len(notice: usize) -> usize {
    let padded = padded_len(notice);
    padded + padded.div_ceil(CHUNK) * TAG
}

/// A ChaCha20-Poly1305 key.
#[allow(
    clippy::expect_used,
    reason = "ring refuses only keys of another length"
)]
pub(crate) fn chacha(key: &Secret) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &key[..]).expect("a key of 32 bytes"))
}

pub(crate) fn nonce(counter: usize, last: bool) -> Nonce {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&(counter as u64).to_be_bytes());
    nonce[11] = u8::from(last);
    Nonce::assume_unique_for_key(nonce)
}

/// Seals a notice of at most `limits::NOTICE` bytes under a key used for nothing else.
#[allow(
    clippy::expect_used,
    reason = "ring refuses only plaintexts over 256 GiB; a chunk is 64 KiB"
)]
pub(crate) fn seal_body(key: &Secret, h0: &Hash32, notice: &[u8]) -> Bytes {
    let key = chacha(key);
    let padded = padded_len(notice.len());
    let chunks = padded.div_ceil(CHUNK);
    let mut out = Vec::with_capacity(padded + chunks * TAG);
    for i in 0..chunks {
        let (from, to) = (i * CHUNK, padded.min((i + 1) * CHUNK));
        let start = out.len();
        if i == 0 {
            out.extend_from_slice(&(notice.len() as u64).to_be_bytes());
        }
        let begin = from.saturating_sub(LENGTH).min(notice.len());
        let end = (to - LENGTH).min(notice.len());
        out.extend_from_slice(&notice[begin..end]);
        out.resize(start + (to - from), 0);
        let tag = key
            .seal_in_place_separate_tag(nonce(i, i + 1 == chunks), Aad::from(h0), &mut out[start..])
            .expect("a chunk of 64 KiB");
        out.extend_from_slice(tag.as_ref());
    }
    Bytes::from(out)
}

/// Opens a body whole, or nothing of it. The answer is one slice of the one buffer it was
/// decrypted in.
pub(crate) fn open_body(key: &Secret, h0: &Hash32, body: &[u8]) -> Result<Bytes, OpenStep> {
    let key = chacha(key);
    let chunks = body.len().div_ceil(CHUNK + TAG);
    let mut plain = Zeroizing::new(Vec::with_capacity(body.len()));
    for (i, chunk) in body.chunks(CHUNK + TAG).enumerate() {
        let start = plain.len();
        plain.extend_from_slice(chunk);
        let length = key
            .open_in_place(
                nonce(i, i + 1 == chunks),
                Aad::from(h0),
                &mut plain[start..],
            )
            .map_err(|_| OpenStep::Chunk)?
            .len();
        if length == 0 {
            return Err(OpenStep::Chunk);
        }
        plain.truncate(start + length);
    }
    let length = notice_length(&plain).ok_or(OpenStep::Padding)?;
    // Zeroizing would copy on the way out; the notice is what the caller asked for.
    let plain = Bytes::from(std::mem::take(&mut *plain));
    Ok(plain.slice(LENGTH..LENGTH + length))
}

/// The length of the notice in a plaintext, if the padding is exactly as it must be.
fn notice_length(plain: &[u8]) -> Option<usize> {
    let (length, rest) = plain.split_first_chunk::<LENGTH>()?;
    let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
    if length > limits::NOTICE || plain.len() != padded_len(length) {
        return None;
    }
    let zeros = rest.get(length..)?;
    zeros.iter().all(|&b| b == 0).then_some(length)
}

/// Overwrites a buffer that held a secret.
pub(crate) fn wipe(mut secret: Vec<u8>) {
    secret.zeroize();
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition in PROTOCOL.md, with floats as in the paper.
    fn padme_by_definition(length: u64) -> u64 {
        let e = (length as f64).log2().floor() as u32;
        let s = (f64::from(e)).log2().floor() as u32 + 1;
        let step = 1u64 << (e - s);
        length.div_ceil(step) * step
    }

    #[test]
    fn padme_known_values() {
        // Worked by hand: 2056 = 2^11 + 8, E = 11, S = 4, step 128.
        assert_eq!(padme(2056), 2176);
        assert_eq!(padme(8), 8);
        assert_eq!(padme(9), 10);
        assert_eq!(padme(1 << 20), 1 << 20);
        assert_eq!(padme((1 << 20) + 8), (1 << 20) + (1 << 15));
        assert_eq!(padded_len(0), 2048);
        assert_eq!(padded_len(2040), 2048);
        assert_eq!(padded_len(2041), 2176);
        assert!(body_len(limits::NOTICE) <= limits::BODY);
    }

    proptest! {
        #[test]
        fn padme_is_its_definition(length in 2u64..1 << 40) {
            prop_assert_eq!(padme(length), padme_by_definition(length));
            prop_assert!(padme(length) as f64 <= length as f64 * 1.12);
            prop_assert_eq!(padme(padme(length)), padme(length));
        }
    }

    fn keys() -> (Secret, Hash32) {
        (Zeroizing::new([7; 32]), [9; 32])
    }

    #[test]
    fn sizes_around_every_edge_go_there_and_back() {
        let (key, h0) = keys();
        let edges = [
            0,
            1,
            2039,
            2040,
            2041,
            2048,
            CHUNK - 9,
            CHUNK - 8,
            CHUNK - 7,
            3 * CHUNK,
        ];
        for length in edges.into_iter().chain([limits::NOTICE]) {
            let notice: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let body = seal_body(&key, &h0, &notice);
            assert_eq!(body.len(), body_len(length));
            assert_eq!(open_body(&key, &h0, &body).unwrap(), notice, "{length}");
        }
    }

    #[test]
    fn chunks_cannot_be_cut_moved_added_or_repeated() {
        let (key, h0) = keys();
        let body = seal_body(&key, &h0, &vec![1; 3 * CHUNK]);
        let full = CHUNK + TAG;
        let (first, second) = (&body[..full], &body[full..2 * full]);
        let cut_last = &body[..3 * full];
        let reordered = [second, first, &body[2 * full..]].concat();
        let repeated = [first, first, &body[full..]].concat();
        let extended = [&body[..], first].concat();
        let trailing = [&body[..], &[0][..]].concat();
        for bad in [
            cut_last,
            &body[..body.len() - 1],
            &reordered,
            &repeated,
            &extended,
            &trailing,
        ] {
            assert_eq!(open_body(&key, &h0, bad), Err(OpenStep::Chunk));
        }
        assert_eq!(open_body(&key, &h0, &[]), Err(OpenStep::Padding));
        assert_eq!(open_body(&key, &[8; 32], &body), Err(OpenStep::Chunk));
    }

    #[test]
    fn padding_has_one_length_and_is_zero() {
        let mut plain = vec![0; 2048];
        plain[..8].copy_from_slice(&5u64.to_be_bytes());
        assert_eq!(notice_length(&plain), Some(5));
        let mut nonzero = plain.clone();
        nonzero[2047] = 1;
        assert_eq!(notice_length(&nonzero), None);
        assert_eq!(notice_length(&plain[..2047]), None, "too short");
        assert_eq!(
            notice_length(&[&plain[..], &[0; 128]].concat()),
            None,
            "too long"
        );
        plain[..8].copy_from_slice(&u64::MAX.to_be_bytes());
        assert_eq!(notice_length(&plain), None, "a length of everything");
        plain[..8].copy_from_slice(&2041u64.to_be_bytes());
        assert_eq!(notice_length(&plain), None, "longer than what is there");
    }
}
