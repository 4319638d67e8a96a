use crate::{Leaf, Record, hashes};
use abeng_wire::{LeafHash, LeafIndex, decode, encode, limits, v1};
use bytes::Bytes;
use std::io;

/// One step of the engine: what it did, and what may be said once that is durable.
#[derive(Debug)]
pub struct Step<E> {
    /// Records to append, in order. All of a step's records are in one batch: all or none survive.
    pub facts: Vec<Record>,
    /// Effects that wait for the commit of these facts and of everything handled before them.
    pub gated: Vec<E>,
}

impl<E> Default for Step<E> {
    fn default() -> Self {
        Self {
            facts: Vec::new(),
            gated: Vec::new(),
        }
    }
}

/// What one [`Journal::append`](crate::Journal::append) writes.
#[derive(Debug)]
pub struct Batch<E> {
    /// Steps in the order in which they were handled.
    pub steps: Vec<Step<E>>,
    /// Statements that are kept in the journal but not in the tree.
    pub outside: Vec<Outside>,
}

impl<E> Default for Batch<E> {
    fn default() -> Self {
        Self {
            steps: Vec::new(),
            outside: Vec::new(),
        }
    }
}

impl<E> From<Vec<Step<E>>> for Batch<E> {
    fn from(steps: Vec<Step<E>>) -> Self {
        Self {
            steps,
            outside: Vec::new(),
        }
    }
}

/// A small statement kept in the journal outside the tree, so that logs do not feed each other.
/// The journal carries the newest of each subject from segment to segment, so that opening finds
/// them without a full scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outside {
    /// A checkpoint of this log that was given to somebody.
    OwnCheckpoint(
        /// The signed note.
        Bytes,
    ),
    /// The newest checkpoint of another log that was believed here.
    HeldCheckpoint {
        /// The other log's origin.
        origin: String,
        /// The signed note.
        note: Bytes,
        /// The roots of the tree's complete subtrees, the largest first: with them receipts can go
        /// on from here. Empty where they are not known.
        peaks: Vec<LeafHash>,
    },
    /// The largest checkpoint of another log that this party has co-signed or is about to.
    Witnessed {
        /// The other log's origin.
        origin: String,
        /// The signed note.
        note: Bytes,
    },
    /// A checkpoint of this log with the cosignatures that it got.
    Cosigned(
        /// The signed note with all lines.
        Bytes,
    ),
    /// Proof that this log goes on from a past that is not its newest: it submits nothing any more.
    Claim(
        /// The proof.
        v1::Claim,
    ),
}

impl Outside {
    /// What the statement is about; a later one with the same subject replaces it.
    /// Of another party's logs only the newest life counts, so there is never more to carry than
    /// parties. What binds this party sorts first.
    pub(crate) fn subject(&self) -> String {
        match self {
            Self::OwnCheckpoint(_) => "1 own".to_owned(),
            Self::Cosigned(_) => "2 cosigned".to_owned(),
            Self::Witnessed { origin, .. } => Self::witnessed_subject(origin),
            Self::Claim(_) => "2 claim".to_owned(),
            Self::HeldCheckpoint { origin, .. } => format!("4 held {}", party_part(origin)),
        }
    }

    /// The subject of [`Outside::Witnessed`] for any origin of the same party.
    pub(crate) fn witnessed_subject(origin: &str) -> String {
        format!("3 witnessed {}", party_part(origin))
    }

    pub(crate) fn encode(&self) -> Bytes {
        use v1::outside_part::Of;
        let of = Some(match self.clone() {
            Self::OwnCheckpoint(note) => Of::OwnCheckpoint(note),
            Self::HeldCheckpoint {
                origin,
                note,
                peaks,
            } => Of::HeldCheckpoint(v1::HeldCheckpoint {
                origin,
                checkpoint: note,
                peaks: peaks.iter().map(LeafHash::to_bytes).collect(),
            }),
            Self::Witnessed { origin, note } => Of::Witnessed(v1::WitnessedCheckpoint {
                origin,
                checkpoint: note,
            }),
            Self::Cosigned(note) => Of::Cosigned(v1::CosignedCheckpoint { checkpoint: note }),
            Self::Claim(claim) => Of::Claim(claim),
        });
        encode(&v1::OutsidePart { of })
    }

    pub(crate) fn decode(bytes: &Bytes) -> Option<Self> {
        use v1::outside_part::Of;
        let limit = limits::OUTSIDE;
        let part: v1::OutsidePart = decode("outside part", bytes, limit).ok()?;
        Some(match part.of? {
            Of::OwnCheckpoint(note) => Self::OwnCheckpoint(note),
            Of::HeldCheckpoint(held) => Self::HeldCheckpoint {
                peaks: hashes(&held.peaks)?,
                origin: held.origin,
                note: held.checkpoint,
            },
            Of::Witnessed(held) => Self::Witnessed {
                origin: held.origin,
                note: held.checkpoint,
            },
            Of::Cosigned(cosigned) => Self::Cosigned(cosigned.checkpoint),
            Of::Claim(claim) => Self::Claim(claim),
        })
    }
}

/// An origin without its last part, the incarnation.
fn party_part(origin: &str) -> &str {
    origin.rsplit_once('/').map_or(origin, |(party, _)| party)
}

/// Proof that `fact` is a leaf of the log and on the disk for good. Only the journal makes one:
/// there is no public constructor and no `map`.
#[derive(Debug, Clone, PartialEq)]
pub struct Durable<F> {
    pub(crate) fact: F,
    pub(crate) index: LeafIndex,
    pub(crate) size: u64,
}

impl<F> Durable<F> {
    /// What is durable.
    pub fn fact(&self) -> &F {
        &self.fact
    }

    /// Its place in the log.
    pub fn index(&self) -> LeafIndex {
        self.index
    }

    /// A durable size of the tree that holds it, in leaves.
    pub fn tree_size(&self) -> u64 {
        self.size
    }
}

/// An effect that may leave, because everything handled before it is durable. Only the journal
/// makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released<E> {
    pub(crate) effect: E,
}

impl<E> Released<E> {
    /// The effect.
    pub fn inner(&self) -> &E {
        &self.effect
    }

    /// The effect, to be carried out.
    pub fn into_inner(self) -> E {
        self.effect
    }
}

/// A [`Step`] whose facts are durable.
#[derive(Debug)]
pub struct Settled<E> {
    /// The step's leaves, in order.
    pub facts: Vec<Durable<Leaf>>,
    /// The step's effects, in order.
    pub gated: Vec<Released<E>>,
    /// The index of the next leaf after this step.
    pub position: LeafIndex,
}

/// The journal cannot go on and the process must end. Nothing is known about the batch that was
/// being written: only the next opening decides, from the disk, whether it is there.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// The disk refused a write or a sync. A failed `fdatasync` may have dropped what it was to
    /// write, so nothing may be retried on top of it.
    #[error(
        "the journal cannot be written: {doing} `{file}` failed: {source}. The node stops and keeps every byte; free or repair the disk, then start it again"
    )]
    Io {
        /// The operation.
        doing: &'static str,
        /// The file, relative to the data directory.
        file: String,
        /// The system's word.
        source: io::Error,
    },
    /// A stated invariant does not hold: a defect of this program.
    #[error("the journal stops on a broken invariant: {0}. Please report it")]
    Invariant(String),
}
