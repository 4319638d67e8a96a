//! Scrubbing: the private and body parts of records become zeros; leaf and proof stay.
//!
//! Three steps, each durable before the next: a SCRUB_BEGUN leaf that names the records; the
//! segments that hold them written anew with zeros in those places ([`ScrubJob`]); a SCRUBBED
//! leaf with the same subject. A crash leaves a SCRUB_BEGUN without its SCRUBBED: run the job
//! again, which does what is left to do, and append the second leaf.
//!
//! Not here: what is to be scrubbed, and when.

mod job;

pub use job::{ScrubDone, ScrubJob};

use crate::{Fatal, ReadError, subject};
use abeng_wire::{LeafIndex, encode, v1};
use std::io;

/// The type in the subject of both leaves.
pub const SCRUB_TYPE: &str = "application/vnd.abeng.scrub.v1";

/// What the leaf that announces a scrub says, but for actor, incarnation, time and roster, and
/// its proof part. At most [`abeng_wire::limits::SCRUB_INDEXES`] records; their order is
/// put right. `envelope_id` is empty where the records are of several notices.
pub fn begun(
    indexes: &[LeafIndex],
    why: v1::ScrubWhy,
    envelope_id: bytes::Bytes,
) -> (v1::Leaf, v1::ProofPart) {
    let mut indexes: Vec<u64> = indexes.iter().map(|i| i.0).collect();
    indexes.sort_unstable();
    indexes.dedup();
    let scrub = v1::Scrub {
        indexes,
        why: why.into(),
        envelope_id,
    };
    leaf(v1::LeafKind::ScrubBegun, scrub)
}

/// The same for the leaf that says that what `begun` announced is done. Append it only after
/// [`ScrubJob::run`].
pub fn done(begun: &v1::Scrub) -> (v1::Leaf, v1::ProofPart) {
    leaf(v1::LeafKind::Scrubbed, begun.clone())
}

fn leaf(kind: v1::LeafKind, scrub: v1::Scrub) -> (v1::Leaf, v1::ProofPart) {
    let leaf = v1::Leaf {
        version: 1,
        kind: kind.into(),
        subject: subject(SCRUB_TYPE, &encode(&scrub)).to_bytes(),
        envelope_id: scrub.envelope_id.clone(),
        ..Default::default()
    };
    let of = Some(v1::proof_part::Of::Scrub(scrub));
    (leaf, v1::ProofPart { of })
}

/// Why nothing, or not all, was scrubbed. Whatever the reason, the log is whole and the job can
/// be made again.
#[derive(Debug, thiserror::Error)]
pub enum ScrubError {
    /// Some records lie in the segment that is still being written.
    #[error(
        "{} of the records to scrub lie in the segment that is still being written: seal it first",
        indexes.len()
    )]
    NotSealed {
        /// Those records.
        indexes: Vec<LeafIndex>,
    },
    /// The segment to be written anew does not hold, or cannot be read; it is left as it is.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The disk refused the copy, for want of room perhaps; the segment is as it was.
    #[error(
        "{doing} `{file}` failed: {source}. Nothing was scrubbed in that segment; free room on the disk, it is tried again"
    )]
    Refused {
        /// The operation.
        doing: &'static str,
        /// The file, relative to the data directory.
        file: String,
        /// The system's word.
        source: io::Error,
    },
    /// A sync failed, and not for want of room: as after any failed sync, the process must end.
    #[error(transparent)]
    Fatal(#[from] Fatal),
}

#[cfg(test)]
mod tests;
