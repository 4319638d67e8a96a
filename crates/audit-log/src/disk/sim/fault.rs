use std::io;

/// What can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// A file made, or emptied.
    Create,
    /// Bytes written.
    Write,
    /// A length set.
    SetLength,
    /// A file synced, with or without its metadata.
    Sync,
    /// A file renamed.
    Rename,
    /// A directory synced.
    SyncDir,
}

/// How it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// EIO. A write is in the cache all the same, or not.
    Io,
    /// ENOSPC. The first part of a write is there.
    NoSpace,
}

impl Failure {
    pub(super) fn error(self) -> io::Error {
        io::Error::from_raw_os_error(match self {
            Self::Io => 5,
            Self::NoSpace => 28,
        })
    }
}
