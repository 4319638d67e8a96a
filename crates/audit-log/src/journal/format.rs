//! Bytes of the journal. Numbers are big-endian. Every MAC is HMAC-SHA256 under `journal/key`
//! and covers where its bytes lie, so nothing a peer chose, and nothing that was copied here
//! from elsewhere in a journal, is taken for a header.

use crate::{merkle::Frontier, record::sha256};
use abeng_wire::{Digest, LeafHash, pae};
use ring::hmac;

/// Batches begin and end on multiples of this.
pub(crate) const PAGE: u64 = 4096;
/// What a disk writes as a whole or not at all.
pub(crate) const SECTOR: usize = 512;
/// Bytes of a batch header.
pub(crate) const HEADER: usize = 128;
/// Bytes of a commit frame, the last ones of a batch.
pub(crate) const COMMIT: usize = 128;
/// Between the last record and the commit frame; never zero, so that no sector of a whole batch is.
pub(crate) const FILLER: u8 = 0xa5;

const SEGMENT_MAGIC: &[u8; 8] = b"ABNGSEG1";
const BATCH_MAGIC: &[u8; 8] = b"ABNGBAT1";
const COMMIT_MAGIC: &[u8; 8] = b"ABNGCOM1";
const MARK_MAGIC: &[u8; 8] = b"ABNGCLN1";
const KEY_MAGIC: &[u8; 8] = b"ABNGKEY1";

/// The journal's secrets.
#[derive(Clone)]
pub(crate) struct Keys {
    mac: hmac::Key,
    /// Seeds the masks of records that are mostly zeros.
    pub(crate) mask: u64,
}

impl Keys {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let mac = hmac::Key::new(hmac::HMAC_SHA256, key);
        let mask = u64_at(hmac::sign(&mac, b"abeng/1/journal/mask").as_ref(), 0);
        Self { mac, mask }
    }

    /// The content of `journal/key`.
    pub(crate) fn file(key: &[u8; 32]) -> Vec<u8> {
        let crc = crc32c::crc32c(key).to_be_bytes();
        [&KEY_MAGIC[..], key, &crc].concat()
    }

    pub(crate) fn from_file(bytes: &[u8]) -> Option<Self> {
        let key: [u8; 32] = bytes.get(8..40)?.try_into().ok()?;
        (bytes == Self::file(&key)).then(|| Self::new(&key))
    }

    fn tag(&self, kind: &[u8; 8], place: [u64; 2], bytes: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.mac);
        context.update(kind);
        context.update(&place[0].to_be_bytes());
        context.update(&place[1].to_be_bytes());
        context.update(bytes);
        hash_at(context.sign().as_ref(), 0)
    }

    fn holds(&self, kind: &[u8; 8], place: [u64; 2], bytes: &[u8], tag: &[u8]) -> bool {
        bytes.starts_with(kind) && self.tag(kind, place, bytes) == *tag
    }
}

/// The first page of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// Length of the file.
    pub(crate) bytes: u64,
    /// Its number, from 0.
    pub(crate) ordinal: u64,
    pub(crate) first_batch: u64,
    pub(crate) previous_commit: Digest,
    /// SHA-256 of the first page of the segment before.
    pub(crate) previous_header: Digest,
    /// The tree before its first batch; its size is the first index.
    pub(crate) frontier: Frontier,
}

impl SegmentHeader {
    pub(crate) fn encode(&self, keys: &Keys) -> Vec<u8> {
        let mut out = Vec::with_capacity(PAGE as usize);
        out.extend_from_slice(SEGMENT_MAGIC);
        let size = self.frontier.size();
        for n in [self.bytes, self.ordinal, self.first_batch, size] {
            out.extend_from_slice(&n.to_be_bytes());
        }
        out.extend_from_slice(&self.previous_commit.0);
        out.extend_from_slice(&self.previous_header.0);
        for peak in self.frontier.peaks() {
            out.extend_from_slice(&peak.0);
        }
        out.resize(PAGE as usize - 32, FILLER);
        let tag = keys.tag(SEGMENT_MAGIC, [self.ordinal, 0], &out);
        out.extend_from_slice(&tag);
        out
    }

    pub(crate) fn decode(page: &[u8], keys: &Keys) -> Option<Self> {
        let (body, tag) = page.get(..PAGE as usize)?.split_at(PAGE as usize - 32);
        let ordinal = u64_at(body, 16);
        if !keys.holds(SEGMENT_MAGIC, [ordinal, 0], body, tag) {
            return None;
        }
        let size = u64_at(body, 32);
        let peaks: Vec<LeafHash> = (0..size.count_ones() as usize)
            .map(|i| LeafHash(hash_at(body, 104 + 32 * i)))
            .collect();
        Some(Self {
            bytes: u64_at(body, 8),
            ordinal,
            first_batch: u64_at(body, 24),
            previous_commit: Digest(hash_at(body, 40)),
            previous_header: Digest(hash_at(body, 72)),
            frontier: Frontier::from_peaks(size, &peaks)?,
        })
    }

    pub(crate) fn digest(page: &[u8]) -> Digest {
        sha256(page)
    }
}

/// The first bytes of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BatchHeader {
    pub(crate) number: u64,
    /// Index of its first leaf.
    pub(crate) first: u64,
    /// Leaves.
    pub(crate) leaves: u32,
    /// Statements outside the tree.
    pub(crate) outside: u32,
    /// Bytes of the whole batch, a multiple of [`PAGE`].
    pub(crate) length: u64,
    /// Bytes of its records.
    pub(crate) content: u64,
    pub(crate) previous_commit: Digest,
}

impl BatchHeader {
    pub(crate) fn encode(&self, keys: &Keys, ordinal: u64, offset: u64) -> [u8; HEADER] {
        let mut out = [FILLER; HEADER];
        out[..8].copy_from_slice(BATCH_MAGIC);
        out[8..16].copy_from_slice(&self.number.to_be_bytes());
        out[16..24].copy_from_slice(&self.first.to_be_bytes());
        out[24..28].copy_from_slice(&self.leaves.to_be_bytes());
        out[28..32].copy_from_slice(&self.outside.to_be_bytes());
        out[32..40].copy_from_slice(&self.length.to_be_bytes());
        out[40..48].copy_from_slice(&self.content.to_be_bytes());
        out[48..80].copy_from_slice(&self.previous_commit.0);
        let tag = keys.tag(BATCH_MAGIC, [ordinal, offset], &out[..96]);
        out[96..].copy_from_slice(&tag);
        out
    }

    /// `None` unless the bytes are a header of this journal, written for this very place.
    pub(crate) fn decode(bytes: &[u8], keys: &Keys, ordinal: u64, offset: u64) -> Option<Self> {
        let (body, tag) = bytes.get(..HEADER)?.split_at(96);
        if !keys.holds(BATCH_MAGIC, [ordinal, offset], body, tag) {
            return None;
        }
        Some(Self {
            number: u64_at(body, 8),
            first: u64_at(body, 16),
            leaves: u32_at(body, 24),
            outside: u32_at(body, 28),
            length: u64_at(body, 32),
            content: u64_at(body, 40),
            previous_commit: Digest(hash_at(body, 48)),
        })
    }

    /// The digest that the next batch chains to. It covers no scrubbable byte.
    pub(crate) fn commit(&self, root: &LeafHash) -> Digest {
        let size = self.first + u64::from(self.leaves);
        let mut bytes = Vec::with_capacity(96);
        bytes.extend_from_slice(&self.previous_commit.0);
        for n in [self.number, self.first, u64::from(self.leaves), size] {
            bytes.extend_from_slice(&n.to_be_bytes());
        }
        bytes.extend_from_slice(&root.0);
        sha256(&pae("abeng/1/journal/commit", &bytes))
    }

    /// The last bytes of the batch.
    pub(crate) fn commit_frame(&self, root: &LeafHash) -> [u8; COMMIT] {
        let size = self.first + u64::from(self.leaves);
        let mut out = [FILLER; COMMIT];
        out[..8].copy_from_slice(COMMIT_MAGIC);
        out[8..16].copy_from_slice(&self.number.to_be_bytes());
        out[16..24].copy_from_slice(&size.to_be_bytes());
        out[24..56].copy_from_slice(&root.0);
        out[56..88].copy_from_slice(&self.commit(root).0);
        out
    }
}

/// The mark of a clean stop: where the journal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CleanMark {
    /// Number of the next batch.
    pub(crate) batches: u64,
    pub(crate) size: u64,
    pub(crate) commit: Digest,
}

impl CleanMark {
    pub(crate) fn encode(&self, keys: &Keys) -> Vec<u8> {
        let mut out = MARK_MAGIC.to_vec();
        out.extend_from_slice(&self.batches.to_be_bytes());
        out.extend_from_slice(&self.size.to_be_bytes());
        out.extend_from_slice(&self.commit.0);
        let tag = keys.tag(MARK_MAGIC, [0, 0], &out);
        out.extend_from_slice(&tag);
        out
    }

    pub(crate) fn decode(bytes: &[u8], keys: &Keys) -> Option<Self> {
        let (body, tag) = bytes.split_at_checked(56)?;
        if !keys.holds(MARK_MAGIC, [0, 0], body, tag) {
            return None;
        }
        Some(Self {
            batches: u64_at(body, 8),
            size: u64_at(body, 16),
            commit: Digest(hash_at(body, 24)),
        })
    }
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut out = [0; 8];
    out.copy_from_slice(&bytes[at..at + 8]);
    u64::from_be_bytes(out)
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut out = [0; 4];
    out.copy_from_slice(&bytes[at..at + 4]);
    u32::from_be_bytes(out)
}

fn hash_at(bytes: &[u8], at: usize) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(&bytes[at..at + 32]);
    out
}
