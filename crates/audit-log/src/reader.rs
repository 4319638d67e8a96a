use crate::{Disk, Durable, Leaf, Record};
use abeng_wire::{LeafHash, LeafIndex};
use std::{io, marker::PhantomData};

/// A size of the tree and its root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Leaves.
    pub size: u64,
    /// The root over them.
    pub root: LeafHash,
}

/// A record with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The leaf's index.
    pub index: LeafIndex,
    /// The record.
    pub record: Record,
}

/// Why something cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not durable, or not there.
    #[error("{wanted} is beyond the durable {size} leaves of the log")]
    Beyond {
        /// Leaf or size asked for.
        wanted: u64,
        /// Durable leaves.
        size: u64,
    },
    /// The journal is damaged there.
    #[error(
        "`{file}` is damaged at byte {offset}: {what}. Stop the node, keep the disk, and restore the data directory from a backup"
    )]
    Damaged {
        /// The file, relative to the data directory.
        file: String,
        /// The byte.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// The node hashes in `tiles/` do not lead to the root.
    #[error(
        "`tiles` is wrong: its hashes do not lead to the root of the log. Stop the node, delete `tiles`, start it again: they are computed anew"
    )]
    Tiles,
    /// The disk refused.
    #[error("reading `{file}` failed: {source}")]
    Io {
        /// The file, relative to the data directory.
        file: String,
        /// The system's word.
        source: io::Error,
    },
}

/// Reads what is durable, from any thread, beside the journal.
pub struct Reader<D: Disk> {
    disk: PhantomData<D>,
}

impl<D: Disk> Clone for Reader<D> {
    fn clone(&self) -> Self {
        Self { disk: PhantomData }
    }
}

/// Records in order; see [`Reader::scan`].
pub struct Scan<D: Disk> {
    disk: PhantomData<D>,
}

impl<D: Disk> Iterator for Scan<D> {
    type Item = Result<Stored, ReadError>;
    fn next(&mut self) -> Option<Self::Item> {
        todo!()
    }
}

impl<D: Disk> Reader<D> {
    /// Durable leaves.
    pub fn size(&self) -> u64 {
        todo!()
    }

    /// The durable size and its root.
    pub fn head(&self) -> Head {
        todo!()
    }

    /// One record.
    pub fn read(&self, _index: LeafIndex) -> Result<Stored, ReadError> {
        todo!()
    }

    /// One leaf, as a fact that receipts can be built from.
    pub fn durable(&self, _index: LeafIndex) -> Result<Durable<Leaf>, ReadError> {
        todo!()
    }

    /// All records from `from` to what is durable now, in order, read in large pieces.
    pub fn scan(&self, _from: LeafIndex) -> Scan<D> {
        todo!()
    }

    /// The audit path of a leaf in the tree of `size` leaves (RFC 6962 §2.1.1).
    pub fn inclusion(&self, _index: LeafIndex, _size: u64) -> Result<Vec<LeafHash>, ReadError> {
        todo!()
    }

    /// The consistency proof from `old` to `new` leaves (RFC 6962 §2.1.2); empty where `old` is 0.
    pub fn consistency(&self, _old: u64, _new: u64) -> Result<Vec<LeafHash>, ReadError> {
        todo!()
    }

    /// The root of the first `size` leaves.
    pub fn root_at(&self, _size: u64) -> Result<LeafHash, ReadError> {
        todo!()
    }
}
