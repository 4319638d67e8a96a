//! One record as bytes: a header of 48, then leaf, proof, private and body.

use super::format::{Keys, u32_at, u64_at};
use crate::{Record, durable::Outside};
use bytes::Bytes;

/// Bytes of a record's header.
pub(crate) const FRAME: usize = 48;

const IN_TREE: u8 = 1;
const OUTSIDE: u8 = 2;

/// A record's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Index of the leaf; outside the tree, of the next leaf.
    pub(crate) index: u64,
    pub(crate) in_tree: bool,
    lengths: [u32; 4],
    crcs: [u32; 4],
    present: u8,
    mask: u8,
}

impl Frame {
    /// `None` where the bytes are no header.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..FRAME)?;
        let kind = bytes[42];
        let sound = crc32c::crc32c(&bytes[..44]) == u32_at(bytes, 44);
        if !sound || !(kind == IN_TREE || kind == OUTSIDE) {
            return None;
        }
        Some(Self {
            index: u64_at(bytes, 0),
            in_tree: kind == IN_TREE,
            lengths: std::array::from_fn(|i| u32_at(bytes, 8 + 8 * i)),
            crcs: std::array::from_fn(|i| u32_at(bytes, 12 + 8 * i)),
            mask: bytes[40],
            present: bytes[41],
        })
    }

    /// Bytes of the parts, without the header.
    pub(crate) fn data_len(&self) -> usize {
        self.lengths.iter().map(|&l| l as usize).sum()
    }

    /// The first part whose checksum does not hold, by its place in `data`.
    pub(crate) fn check(&self, data: &[u8]) -> Result<(), usize> {
        let mut at = 0;
        for (&length, &crc) in self.lengths.iter().zip(&self.crcs) {
            let end = at + length as usize;
            if crc32c::crc32c(&data[at..end]) != crc {
                return Err(at);
            }
            at = end;
        }
        Ok(())
    }

    /// The leaf's bytes out of `data`, whose checksums hold.
    pub(crate) fn leaf<'a>(&self, data: &'a [u8], keys: &Keys) -> std::borrow::Cow<'a, [u8]> {
        let leaf = &data[..self.lengths[0] as usize];
        if self.mask == 0 {
            return leaf.into();
        }
        let mut leaf = leaf.to_vec();
        mask(&mut leaf, keys, self.index, self.mask);
        leaf.into()
    }

    /// The parts out of `data`, whose checksums hold.
    pub(crate) fn parts(&self, data: &[u8], keys: &Keys) -> [Option<Bytes>; 4] {
        let data = if self.mask == 0 {
            Bytes::copy_from_slice(data)
        } else {
            let mut data = data.to_vec();
            mask(&mut data, keys, self.index, self.mask);
            data.into()
        };
        let mut at = 0;
        std::array::from_fn(|i| {
            let end = at + self.lengths[i] as usize;
            let part = data.slice(at..end);
            at = end;
            (self.present & (1 << i) != 0).then_some(part)
        })
    }

    /// The record, or why its leaf is none.
    pub(crate) fn record(&self, data: &[u8], keys: &Keys) -> Result<Record, String> {
        let [leaf, proof, private, body] = self.parts(data, keys);
        Record::from_parts(leaf.unwrap_or_default(), [proof, private, body])
            .map_err(|e| e.to_string())
    }

    /// The statement outside the tree.
    pub(crate) fn outside(&self, data: &[u8], keys: &Keys) -> Option<Outside> {
        let [_, proof, ..] = self.parts(data, keys);
        Outside::decode(&proof?)
    }
}

/// Bytes that a record takes.
pub(crate) fn record_len(record: &Record) -> usize {
    let part = |p: Option<&Bytes>| p.map_or(0, Bytes::len);
    FRAME
        + record.leaf().bytes().len()
        + part(record.proof_bytes())
        + part(record.private_bytes())
        + part(record.body_bytes())
}

/// Bytes that a statement outside the tree takes, given its encoding.
pub(crate) fn outside_len(encoded: &Bytes) -> usize {
    FRAME + encoded.len()
}

/// Appends a record.
pub(crate) fn put_record(out: &mut Vec<u8>, keys: &Keys, index: u64, record: &Record) {
    let parts = [
        Some(record.leaf().bytes()),
        record.proof_bytes(),
        record.private_bytes(),
        record.body_bytes(),
    ];
    put(out, keys, index, IN_TREE, parts);
}

/// Appends a statement outside the tree.
pub(crate) fn put_outside(out: &mut Vec<u8>, keys: &Keys, next: u64, encoded: &Bytes) {
    put(out, keys, next, OUTSIDE, [None, Some(encoded), None, None]);
}

fn put(out: &mut Vec<u8>, keys: &Keys, index: u64, kind: u8, parts: [Option<&Bytes>; 4]) {
    let start = out.len();
    out.resize(start + FRAME, 0);
    let mut present = 0;
    for (i, part) in parts.iter().enumerate() {
        if let Some(part) = part {
            present |= 1 << i;
            out.extend_from_slice(part);
        }
    }
    let (frame, data) = out[start..].split_at_mut(FRAME);
    let mut tries = 0;
    // A sector that is all zeros says "never written", so no record may hold one. The mask's key
    // is secret: who chose the zeros cannot choose them to be zeros under the mask.
    while has_zero_run(data) && tries < u8::MAX {
        if tries > 0 {
            mask(data, keys, index, tries);
        }
        tries += 1;
        mask(data, keys, index, tries);
    }
    frame[..8].copy_from_slice(&index.to_be_bytes());
    let mut at = 0;
    for (i, part) in parts.iter().enumerate() {
        let length = part.map_or(0, Bytes::len);
        let crc = crc32c::crc32c(&data[at..at + length]);
        frame[8 + 8 * i..][..4].copy_from_slice(&(length as u32).to_be_bytes());
        frame[12 + 8 * i..][..4].copy_from_slice(&crc.to_be_bytes());
        at += length;
    }
    frame[40..44].copy_from_slice(&[tries, present, kind, 0xa5]);
    let crc = crc32c::crc32c(&frame[..44]);
    frame[44..].copy_from_slice(&crc.to_be_bytes());
}

/// True for every run of 63 zeros, at the latest: so any 512 bytes of a record without one hold
/// several other bytes, and losing one of them makes no zero sector.
fn has_zero_run(data: &[u8]) -> bool {
    data.chunks_exact(32).any(|chunk| chunk == [0; 32])
}

/// Adds (or takes off) the mask of a record's parts: SplitMix64 from a secret seed.
fn mask(data: &mut [u8], keys: &Keys, index: u64, tries: u8) {
    let mut state = keys.mask ^ index.rotate_left(8) ^ u64::from(tries);
    for chunk in data.chunks_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^= word >> 31;
        for (byte, mask) in chunk.iter_mut().zip(word.to_be_bytes()) {
            *byte ^= mask;
        }
    }
}
