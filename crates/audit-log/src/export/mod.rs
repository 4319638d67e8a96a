//! The log as a directory of static files that anyone can check without Abeng: C2SP tlog-tiles.
//! `checkpoint`, `tile/<level>/<n>[.p/<width>]` and `tile/entries/<n>[.p/<width>]`, nothing else.

mod source;
mod stack;
mod target;
mod tile;
mod verify;

pub use verify::{TilesFault, TilesKey, TilesReport, verify_tiles};

use crate::{
    Checkpoint, CosignedCheckpoint, Disk, LogFault, NoteError, VerifierKey, checkpoint::note_head,
};
use abeng_roster::Roster;
use bytes::Bytes;
use source::{Leaves, Source};
use stack::Stack;
use std::io;
use target::Target;

/// Which checkpoint of the log an export is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportOf {
    /// The newest one, with its cosignatures where it has some.
    Newest,
    /// The newest one that witnesses have co-signed.
    Cosigned,
}

/// What an export has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The checkpoint that the directory now holds.
    pub checkpoint: CosignedCheckpoint,
    /// The key that it holds by, for whoever checks the directory.
    pub key: VerifierKey,
    /// Leaves that the directory held before.
    pub before: u64,
    /// Files written, without the checkpoint.
    pub files: u64,
}

/// Why a log is not exported. Nothing that was in the directory has been changed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The log itself does not hold.
    #[error("the audit log does not hold: {0}")]
    Log(#[from] LogFault),
    /// There is no signed state to export.
    #[error("the log has no such checkpoint yet")]
    NoCheckpoint,
    /// The log's own checkpoint is not by a key that the roster gives.
    #[error("the log's checkpoint does not hold: {0}")]
    Checkpoint(#[from] NoteError),
    /// The log and its checkpoint differ.
    #[error("the log's first {size} leaves have another root than its checkpoint says")]
    Root {
        /// Leaves of the checkpoint.
        size: u64,
    },
    /// The directory is not one of tiles.
    #[error("`{name}` is in the directory, which is neither empty nor one of tiles")]
    NotTiles {
        /// Something in it.
        name: String,
    },
    /// The directory is of another log.
    #[error("the directory is of log `{found}` instead of `{expected}`")]
    OtherLog {
        /// Its log.
        found: String,
        /// This log.
        expected: String,
    },
    /// The directory is ahead of the checkpoint that would be exported.
    #[error("the directory holds {found} leaves, and the checkpoint to be exported has {size}")]
    Ahead {
        /// Leaves in the directory.
        found: u64,
        /// Leaves of the checkpoint.
        size: u64,
    },
    /// The directory says something that the log does not.
    #[error("`{file}` in the directory is not what the log says")]
    Contradicts {
        /// The file, relative to the directory.
        file: String,
    },
    /// The disk refused.
    #[error("`{file}`: {source}")]
    Io {
        /// The file, relative to the directory.
        file: String,
        /// The system's word.
        source: io::Error,
    },
}

/// Writes the log on `disk`, whose node may run, as tiles into `target`. What the target holds of
/// the same log already is checked at its edge and added to; no tile is ever written twice. Takes
/// no more memory for a long log than for a short one. The checkpoint comes last, so a target
/// whose checkpoint holds is complete.
pub fn export_tiles<S: Disk, T: Disk>(
    disk: &S,
    roster: &Roster,
    of: ExportOf,
    target: &T,
    progress: impl FnMut(u64),
) -> Result<Exported, ExportError> {
    let source = Source::load(disk)?;
    let note = source.checkpoint(of)?.ok_or(ExportError::NoCheckpoint)?;
    let checkpoint = CosignedCheckpoint::verify(&note, roster)?;
    let key = VerifierKey::of(checkpoint.checkpoint(), roster).ok_or(NoteError::Unsigned)?;
    let mut target = Target::new(target);
    let before = before(&target, checkpoint.checkpoint())?;
    let stack = match &before {
        Some((size, _)) => target.stack(*size)?,
        None => Stack::default(),
    };
    let mut leaves = Leaves::new(
        &mut target,
        stack,
        before,
        checkpoint.checkpoint(),
        progress,
    );
    source.read(&mut leaves)?;
    leaves.finish()?;
    target.checkpoint(&note)?;
    Ok(Exported {
        checkpoint,
        key,
        before: before.map_or(0, |b| b.0),
        files: target.files(),
    })
}

/// Size and root that the target holds already, where it is of this log and not ahead of it.
fn before<T: Disk>(
    target: &Target<'_, T>,
    checkpoint: &Checkpoint,
) -> Result<Option<(u64, abeng_wire::LeafHash)>, ExportError> {
    let Some(note) = target.held()? else {
        return Ok(None);
    };
    let file = || "checkpoint".to_owned();
    let (origin, size, root) =
        note_head(&Bytes::from(note)).map_err(|_| ExportError::Contradicts { file: file() })?;
    if origin.to_string() != checkpoint.origin() {
        return Err(ExportError::OtherLog {
            found: origin.to_string(),
            expected: checkpoint.origin().to_owned(),
        });
    }
    if size > checkpoint.size() {
        return Err(ExportError::Ahead {
            found: size,
            size: checkpoint.size(),
        });
    }
    Ok((size > 0).then_some((size, root)))
}

#[cfg(test)]
mod tests;
