use crate::journal::{OpenError, segments::Segment};
use std::io;

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

impl ReadError {
    pub(crate) fn io(file: &str, source: io::Error) -> Self {
        let file = file.to_owned();
        Self::Io { file, source }
    }

    pub(super) fn damage(segment: &Segment, offset: u64, what: &str) -> Self {
        Self::Damaged {
            file: segment.path.clone(),
            offset,
            what: what.into(),
        }
    }

    /// What a walk over one segment that is in use says.
    pub(crate) fn from_walk(segment: &Segment, error: OpenError) -> Self {
        match error {
            OpenError::Damaged {
                file, offset, what, ..
            } => Self::Damaged { file, offset, what },
            OpenError::Io { source, .. } => Self::io(&segment.path, source),
            other => Self::damage(segment, 0, &other.to_string()),
        }
    }
}
