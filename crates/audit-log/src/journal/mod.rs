use crate::{Batch, Disk, Fatal, Outside, Reader, Settled};
use abeng_wire::LeafHash;
use std::{io, marker::PhantomData};

/// What a new journal is made of.
#[derive(Clone)]
pub struct JournalIdentity {
    /// 32 random bytes: the key of the journal's MACs. It is kept in `journal/key` and never leaves.
    pub key: [u8; 32],
}

/// How to open or create a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOptions {
    /// Bytes of a new segment, a multiple of 4096.
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
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// The journal: append-only, owned by one thread.
pub struct Journal<D: Disk> {
    disk: PhantomData<D>,
}

/// Writes one segment with zeros ahead of its use.
pub struct AheadJob<D: Disk> {
    disk: PhantomData<D>,
}

impl<D: Disk> AheadJob<D> {
    /// Does the work in pieces of 256 KiB, each synced; `pause` runs after each, so that the
    /// journal's own syncs are not held up.
    pub fn run(self, _pause: impl FnMut()) -> io::Result<()> {
        todo!()
    }
}

impl<D: Disk> Journal<D> {
    /// Makes a journal whose first records are `first`. Where a crash left one without leaves, it
    /// is used.
    pub fn create(
        _disk: D,
        _identity: JournalIdentity,
        _options: OpenOptions,
        _first: Batch<()>,
    ) -> Result<Self, OpenError> {
        todo!()
    }

    /// Opens the journal by the rules of recovery.
    pub fn open(_disk: D, _options: OpenOptions) -> Result<(Self, Recovery), OpenError> {
        todo!()
    }

    /// Writes and syncs a batch: one write and one `fdatasync`, unless it is larger than 16 MiB or
    /// a segment's room; none where it has neither facts nor statements. Blocks.
    pub fn append<E>(self, _batch: impl Into<Batch<E>>) -> Result<(Self, Vec<Settled<E>>), Fatal> {
        todo!()
    }

    /// Work for a background thread, where fewer than two segments are ready ahead.
    pub fn prepare_ahead(&self) -> Option<AheadJob<D>> {
        todo!()
    }

    /// Segments ready ahead, and bytes left in the current one.
    pub fn reserve(&self) -> (usize, u64) {
        todo!()
    }

    /// Leaves.
    pub fn size(&self) -> u64 {
        todo!()
    }

    /// The tree's root.
    pub fn root(&self) -> LeafHash {
        todo!()
    }

    /// A reader of what is durable.
    pub fn reader(&self) -> Reader<D> {
        todo!()
    }

    /// Writes the node hashes out and marks a clean stop.
    pub fn close(self) -> Result<(), Fatal> {
        todo!()
    }
}
