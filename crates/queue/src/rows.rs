//! The rows of the view. Each is folded from leaves and proof parts alone, so that scrubbing a
//! record changes no row. Keys sort as they are scanned: numbers are big-endian.

mod anew;
mod carried;
mod codec;
mod ended;
pub(crate) mod files;
mod inbox;
mod kept;
mod sent;
mod streams;
#[cfg(test)]
mod tests;

pub use anew::AnewRow;
pub use carried::{CarriedIdRow, CarriedRow};
pub use ended::{EndedRow, VoidedRow};
pub use files::{ArrivedRow, FileState, FilesRow, NamedRow, WantedRow};
pub use inbox::{IdRow, InboxRow};
pub use kept::{AskedRow, BegunRow, CareRow, ClosedRow, DueRow, HoldRow, ToldRow, WaitingRow};
pub use sent::{QueueRow, RELAYED_KEPT, SentOutcome, SentRelayed, SentRow, SentTo, frame_size};
pub use streams::{AppliedRow, ContradictionRow, HeldRow, MarkRow, StreamRow, TrustRow};

use abeng_wire::{LeafIndex, Malformed};

/// One row set or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    /// The row's key.
    pub key: Vec<u8>,
    /// Its new value; `None` deletes it.
    pub value: Option<Vec<u8>>,
    /// No view can hold this key yet: if it is deleted before it was written, neither has to be.
    pub fresh: bool,
}

impl RowChange {
    pub(crate) fn fresh(key: Vec<u8>, value: Vec<u8>) -> Self {
        Self {
            key,
            value: Some(value),
            fresh: true,
        }
    }

    pub(crate) fn set(key: Vec<u8>, value: Vec<u8>) -> Self {
        Self {
            key,
            value: Some(value),
            fresh: false,
        }
    }

    pub(crate) fn delete(key: Vec<u8>) -> Self {
        Self {
            key,
            value: None,
            fresh: false,
        }
    }
}

/// Why a row, or a leaf that makes rows, does not make sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// Ends too early.
    #[error("the {row} row is cut short")]
    Short {
        /// The kind of row.
        row: &'static str,
    },
    /// Of a version that this program does not know.
    #[error("the {row} row has version {version}, which is not known here")]
    Version {
        /// The kind of row.
        row: &'static str,
        /// The version.
        version: u8,
    },
    /// A field that cannot be.
    #[error("the {field} of the {row} row cannot be")]
    Value {
        /// The kind of row.
        row: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A row that must be there before this leaf is not, or says otherwise.
    #[error("leaf {index} needs a {row} row that is missing or says otherwise")]
    Inconsistent {
        /// The leaf.
        index: LeafIndex,
        /// The kind of row.
        row: &'static str,
    },
    /// A record without a part or a field that its kind must have.
    #[error("leaf {index} has no usable {what}")]
    Leaf {
        /// The leaf.
        index: LeafIndex,
        /// What is missing.
        what: &'static str,
    },
    /// A part of a record does not decode.
    #[error("leaf {index}: {source}")]
    Malformed {
        /// The leaf.
        index: LeafIndex,
        /// Why.
        source: Malformed,
    },
    /// The rows before this leaf cannot be read.
    #[error("the view cannot be read: {0}")]
    View(String),
}
