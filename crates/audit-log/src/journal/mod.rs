//! The journal: batches in segments, and what opening one finds.

pub(crate) mod format;
pub(crate) mod frame;
pub(crate) mod open;
pub(crate) mod segments;
pub(crate) mod walk;
mod write;

pub use segments::AheadJob;
pub use write::Journal;

use crate::{Fatal, Outside};
use std::io;

/// What a new journal is made of.
#[derive(Clone)]
pub struct JournalIdentity {
    /// 32 random bytes: the key of the journal's MACs. It is kept in `journal/key` and never leaves.
    pub key: [u8; 32],
}

/// How to open or create a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOptions {
    /// Bytes of a new segment: a multiple of 4096 from 64 KiB to 1 GiB.
    pub segment_bytes: u64,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
        }
    }
}

/// What opening found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Leaves.
    pub size: u64,
    /// True where the mark of a clean stop names exactly this end.
    pub clean: bool,
    /// The batch that a crash cut short and that was zeroed; it was never acknowledged.
    pub torn_tail: Option<TornTail>,
    /// Leaves whose node hashes were wrong or missing in `tiles/` and were computed again.
    pub tiles_rebuilt: u64,
    /// Leaves that `tiles/` holds beyond the journal's end. Not zero: acknowledged batches have
    /// been lost from the disk, or the journal is an old copy. Say it loudly.
    pub tiles_ahead: u64,
    /// The newest statement outside the tree of each subject.
    pub outside: Vec<Outside>,
}

/// A batch that was not finished when the process or the machine stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// The segment, relative to the data directory.
    pub file: String,
    /// Where the batch began, in bytes.
    pub offset: u64,
    /// Bytes from there to the last one that was not zero.
    pub bytes: u64,
}

/// Why a journal does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is none here.
    #[error("there is no journal in this data directory (`journal/key` is missing)")]
    Missing,
    /// Create was asked for, but there is one.
    #[error("there is a journal with {size} leaves here already; it is left untouched")]
    Exists {
        /// Its leaves.
        size: u64,
    },
    /// The journal is damaged: nothing was changed.
    #[error("`{file}` is damaged at byte {offset}: {what}. Nothing was changed. {advice}")]
    Damaged {
        /// The file, relative to the data directory.
        file: String,
        /// The byte.
        offset: u64,
        /// What is wrong.
        what: String,
        /// What to try.
        advice: &'static str,
    },
    /// The segment length asked for is none.
    #[error(
        "a segment of {bytes} bytes was asked for: use a multiple of 4096 from 64 KiB to 1 GiB"
    )]
    SegmentLength {
        /// The length.
        bytes: u64,
    },
    /// The disk refused.
    #[error("{doing} `{file}` failed: {source}")]
    Io {
        /// The operation.
        doing: &'static str,
        /// The file, relative to the data directory.
        file: String,
        /// The system's word.
        source: io::Error,
    },
    /// The first batch could not be written.
    #[error(transparent)]
    Fatal(#[from] Fatal),
}

impl OpenError {
    pub(crate) fn io(doing: &'static str, file: &str, source: io::Error) -> Self {
        let file = file.to_owned();
        Self::Io {
            doing,
            file,
            source,
        }
    }

    pub(crate) fn damage(file: &str, offset: u64, what: String) -> Self {
        let advice = "Keep the disk as it is and make a copy of it; nothing was changed. docs/operations.md, Damage, says what to do next; never start an older copy";
        let file = file.to_owned();
        Self::Damaged {
            file,
            offset,
            what,
            advice,
        }
    }
}

#[cfg(test)]
mod tests;
