//! Abeng's audit log, which is also its database.
//!
//! In scope: the journal on a [`Disk`] (batches, segments, recovery), the RFC 6962 tree over its
//! leaves, proofs, checkpoints, receipts, witnessing, contradictions, what is known of the logs of others
//! and proved about the own past, and the check of a whole log.
//!
//! Not in scope: what a leaf does to a queue, when a checkpoint is signed, threads. Nothing here
//! reads a clock or makes randomness; only [`RealDisk`] touches files.
//!
//! The order of things: [`Journal::append`] turns facts into [`Durable`] ones and effects into
//! [`Released`] ones, after one write and one `fdatasync`. Receipts are built from [`Durable`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

#[cfg(test)]
mod branches;
mod carry;
mod checkpoint;
mod disk;
mod durable;
pub mod export;
#[cfg(test)]
mod fixture;
mod journal;
pub mod logs;
pub mod merkle;
pub mod past;
mod reader;
pub mod receipt;
mod record;
pub mod scrub;
mod tiles;
mod verify_log;
pub mod witness;

pub use carry::{CarryError, carry_over};
pub use checkpoint::{
    CONTRADICTION, Checkpoint, ConsistencyError, Contradiction, ContradictionError, Cosignature,
    CosignedCheckpoint, LogOrigin, NoteError, VerifierKey, WitnessedBy, hashes, log_keys, quorum,
};
#[cfg(any(test, feature = "sim"))]
pub use disk::sim;
pub use disk::{Access, DirLock, Disk, DiskFile, RealDisk};
pub use durable::{Batch, Durable, Fatal, Outside, Released, Settled, Step};
pub use journal::{AheadJob, Journal, JournalIdentity, OpenError, OpenOptions, Recovery, TornTail};
pub use reader::{CheckedSegment, Head, ReadError, Reader, Scan, SealedCheck, Stored};
pub use receipt::{Expect, ProvenReceipt, ReceiptError};
pub use record::{
    ACCEPTANCE, ATTACHMENT, CLAIM, EQUIVOCATION, HOLD, Leaf, PART, RELEASE, RETENTION, Record,
    private_hash, private_part_hash, subject,
};
pub use scrub::{ScrubDone, ScrubError, ScrubJob};
pub use verify_log::{LogFault, LogReport, verify_log};
pub use witness::{Pending, Persisted, Submission, Witness, WitnessRefusal, Witnessed};
