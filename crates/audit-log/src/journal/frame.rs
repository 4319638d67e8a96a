//! One record as bytes: a header of 48, then leaf, proof, private and body.

use super::format::{Keys, u32_at, u64_at};
use crate::{Record, durable::Outside};
use bytes::Bytes;
use std::ops::Range;

/// Bytes of a record's header.
pub(crate) const FRAME: usize = 48;

const IN_TREE: u8 = 1;
const OUTSIDE: u8 = 2;

/// Places of the parts that can be scrubbed. They are the last ones, side by side.
const SCRUBBABLE: [usize; 2] = [2, 3];

/// The flag in `present` that says: this part's bytes are zeros now. The part's own flag stays.
const fn scrub_flag(part: usize) -> u8 {
    1 << (part + 4)
}

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
        // Only a part that is there can have been scrubbed, and only beside a leaf.
        let (there, scrubbed) = (bytes[41] & 0x0f, bytes[41] >> 4);
        let allowed = if kind == IN_TREE { there & 0b1100 } else { 0 };
        if scrubbed & !allowed != 0 {
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

    /// The first part whose checksum does not hold, by its place in `data`; of a scrubbed part
    /// also the first byte that is not zero.
    pub(crate) fn check(&self, data: &[u8]) -> Result<(), usize> {
        let mut at = 0;
        for (i, (&length, &crc)) in self.lengths.iter().zip(&self.crcs).enumerate() {
            let end = at + length as usize;
            let part = &data[at..end];
            if self.zeroed(i)
                && let Some(left) = part.iter().position(|&b| b != 0)
            {
                return Err(at + left);
            }
            if crc32c::crc32c(part) != crc {
                return Err(at);
            }
            at = end;
        }
        Ok(())
    }

    fn has(&self, part: usize) -> bool {
        self.present & (1 << part) != 0
    }

    fn zeroed(&self, part: usize) -> bool {
        self.present & scrub_flag(part) != 0
    }

    /// True where a private or body part was scrubbed.
    pub(crate) fn is_scrubbed(&self) -> bool {
        SCRUBBABLE.iter().any(|&part| self.zeroed(part))
    }

    /// The header once private and body are scrubbed, and which bytes of `data` are zeros then.
    /// `None` where there is nothing left to scrub.
    pub(crate) fn scrubbed(&self) -> Option<(Self, Range<usize>)> {
        let mut after = *self;
        for part in SCRUBBABLE.into_iter().filter(|&part| self.has(part)) {
            after.present |= scrub_flag(part);
            after.crcs[part] = crc_of_zeros(self.lengths[part] as usize);
        }
        let kept = self.lengths[0] as usize + self.lengths[1] as usize;
        (after != *self).then_some((after, kept..self.data_len()))
    }

    pub(crate) fn encode(&self) -> [u8; FRAME] {
        let mut out = [0; FRAME];
        out[..8].copy_from_slice(&self.index.to_be_bytes());
        for (i, (length, crc)) in self.lengths.iter().zip(&self.crcs).enumerate() {
            out[8 + 8 * i..][..4].copy_from_slice(&length.to_be_bytes());
            out[12 + 8 * i..][..4].copy_from_slice(&crc.to_be_bytes());
        }
        let kind = if self.in_tree { IN_TREE } else { OUTSIDE };
        out[40..44].copy_from_slice(&[self.mask, self.present, kind, 0xa5]);
        let crc = crc32c::crc32c(&out[..44]);
        out[44..].copy_from_slice(&crc.to_be_bytes());
        out
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
            // What is left of a scrubbed part is noise under a mask, and zeros without one.
            (self.has(i) && !self.zeroed(i)).then_some(part)
        })
    }

    /// The record, or why its leaf is none.
    pub(crate) fn record(&self, data: &[u8], keys: &Keys) -> Result<Record, String> {
        let [leaf, proof, private, body] = self.parts(data, keys);
        let record = Record::from_parts(leaf.unwrap_or_default(), [proof, private, body]);
        let record = record.map_err(|e| e.to_string())?;
        Ok(record.scrubbed(self.is_scrubbed()))
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
    let scrubbed = match record.is_scrubbed() {
        // What was scrubbed before it was carried over is said to be so here too.
        true => SCRUBBABLE.into_iter().filter(|&part| parts[part].is_none()),
        false => return put(out, keys, index, IN_TREE, parts, 0),
    };
    let flags = scrubbed.fold(0, |flags, part| flags | 1 << part | scrub_flag(part));
    put(out, keys, index, IN_TREE, parts, flags);
}

/// Appends a statement outside the tree.
pub(crate) fn put_outside(out: &mut Vec<u8>, keys: &Keys, next: u64, encoded: &Bytes) {
    put(
        out,
        keys,
        next,
        OUTSIDE,
        [None, Some(encoded), None, None],
        0,
    );
}

fn put(
    out: &mut Vec<u8>,
    keys: &Keys,
    index: u64,
    kind: u8,
    parts: [Option<&Bytes>; 4],
    scrubbed: u8,
) {
    let start = out.len();
    out.resize(start + FRAME, 0);
    let mut present = scrubbed;
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
    let mut header = Frame {
        index,
        in_tree: kind == IN_TREE,
        lengths: parts.map(|part| part.map_or(0, Bytes::len) as u32),
        crcs: [0; 4],
        present,
        mask: tries,
    };
    let mut at = 0;
    for (length, crc) in header.lengths.iter().zip(&mut header.crcs) {
        let end = at + *length as usize;
        *crc = crc32c::crc32c(&data[at..end]);
        at = end;
    }
    frame.copy_from_slice(&header.encode());
}

fn crc_of_zeros(length: usize) -> u32 {
    const ZEROS: [u8; 4096] = [0; 4096];
    let mut crc = 0;
    let mut left = length;
    while left > 0 {
        let piece = left.min(ZEROS.len());
        crc = crc32c::crc32c_append(crc, &ZEROS[..piece]);
        left -= piece;
    }
    crc
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
