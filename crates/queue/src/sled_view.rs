//! The view in sled, which is not believed further than it must be.
//!
//! sled 0.34 panics on some damaged files, at opening or later, and does not sync what it says
//! is flushed. So every call is caught, a view that failed answers nothing more, and opening
//! throws the directory away unless everything speaks for it:
//!
//! - `OPENING` lies in the directory while sled opens and every row is read once: found there at
//!   the next start, that opening never ended.
//! - `boot` names the kernel's boot under which the view was last written. Within one boot the
//!   page cache holds what sled wrote; after another, only what was closed in order counts.
//! - `clean` is written by `close`, after every file was synced.
#![allow(
    clippy::disallowed_methods,
    reason = "the one module of this crate that may touch files"
)]

use crate::{
    rows::{AppliedRow, RowChange},
    view::{Applied, BATCH, RowPair, View, ViewError},
};
use abeng_wire::{Incarnation, LeafIndex};
use std::{
    any::Any,
    cell::Cell,
    fs::{self, File},
    io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

const OPENING: &str = "OPENING";
const BOOT: &str = "boot";
const CLEAN: &str = "clean";
const DB: &str = "db";
const CACHE_BYTES: u64 = 16 << 20;

/// What the node knows that a view's trustworthiness rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusting {
    /// The kernel's boot id.
    pub boot_id: String,
    /// Whether the journal was closed in order.
    pub clean: bool,
    /// Leaves of the journal.
    pub size: u64,
    /// The log's incarnation.
    pub incarnation: Incarnation,
}

/// Why a view was thrown away.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RebuildReason {
    /// There was none.
    #[error("there is no view yet")]
    Missing,
    /// The last opening never ended.
    #[error("the view did not survive its last opening")]
    OpeningFailed,
    /// The machine was started anew and the view not closed in order.
    #[error("the machine was restarted without the view being closed in order")]
    NotClosed,
    /// The database does not open or cannot be read.
    #[error("the view cannot be read: {0}")]
    Damaged(String),
    /// It holds no position.
    #[error("the view holds no position")]
    NoPosition,
    /// It holds leaves that the journal does not.
    #[error("the view has come to leaf {view}, the journal has {journal}")]
    AheadOfJournal {
        /// The view's position.
        view: LeafIndex,
        /// Leaves of the journal.
        journal: u64,
    },
    /// It is a view of another log.
    #[error("the view is of incarnation {0}")]
    OtherIncarnation(Incarnation),
}

/// The view in sled.
pub struct SledView {
    // Taken out at the end; leaked after a failure, since dropping it runs the code that failed.
    db: Option<sled::Db>,
    dir: PathBuf,
    bad: Cell<bool>,
}

impl SledView {
    /// Opens the view in `dir`, or throws it away and starts an empty one; then the reason is
    /// given and every leaf is to be folded from 0. Fails only if the directory cannot be used.
    pub fn open(
        dir: &Path,
        trusting: &Trusting,
    ) -> Result<(Self, Option<RebuildReason>), ViewError> {
        let doubt = match doubt(dir, trusting) {
            Some(reason) => reason,
            None => match Self::open_checked(dir, trusting) {
                Ok(view) => return Ok((view, None)),
                Err(reason) => reason,
            },
        };
        Ok((Self::anew(dir, trusting)?, Some(doubt)))
    }

    /// An empty view in place of whatever is in `dir`.
    pub fn anew(dir: &Path, trusting: &Trusting) -> Result<Self, ViewError> {
        let at = |source| ViewError::Directory {
            path: dir.display().to_string(),
            source,
        };
        match fs::remove_dir_all(dir) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(at(e)),
            _ => fs::create_dir_all(dir).map_err(at)?,
        }
        mark(dir, OPENING, "").map_err(at)?;
        mark(dir, BOOT, &trusting.boot_id).map_err(at)?;
        let view = Self::open_db(dir)?;
        fs::remove_file(dir.join(OPENING)).map_err(at)?;
        Ok(view)
    }

    fn open_checked(dir: &Path, trusting: &Trusting) -> Result<Self, RebuildReason> {
        let damaged = |e: &dyn ToString| RebuildReason::Damaged(e.to_string());
        mark(dir, OPENING, "").map_err(|e| damaged(&e))?;
        match fs::remove_file(dir.join(CLEAN)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(damaged(&e)),
            _ => mark(dir, BOOT, &trusting.boot_id).map_err(|e| damaged(&e))?,
        }
        let view = Self::open_db(dir).map_err(|e| damaged(&e))?;
        view.read_all().map_err(|e| damaged(&e))?;
        let applied = view.applied().map_err(|e| damaged(&e))?;
        let applied = applied.ok_or(RebuildReason::NoPosition)?;
        if applied.incarnation != trusting.incarnation {
            return Err(RebuildReason::OtherIncarnation(applied.incarnation));
        }
        if applied.position.0 > trusting.size {
            return Err(RebuildReason::AheadOfJournal {
                view: applied.position,
                journal: trusting.size,
            });
        }
        fs::remove_file(dir.join(OPENING)).map_err(|e| damaged(&e))?;
        Ok(view)
    }

    fn open_db(dir: &Path) -> Result<Self, ViewError> {
        let config = sled::Config::new()
            .path(dir.join(DB))
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None);
        let db = caught("opening", || config.open())?;
        Ok(Self {
            db: Some(db),
            dir: dir.to_path_buf(),
            bad: Cell::new(false),
        })
    }

    fn read_all(&self) -> Result<(), ViewError> {
        self.call("reading every row", |db| {
            db.iter().try_for_each(|row| row.map(drop))
        })
    }

    /// Runs one call of sled; after a failure there is none.
    fn call<T>(
        &self,
        doing: &'static str,
        run: impl FnOnce(&sled::Db) -> Result<T, sled::Error>,
    ) -> Result<T, ViewError> {
        let db = self.db.as_ref().filter(|_| !self.bad.get());
        let db = db.ok_or(ViewError::Bad)?;
        let result = caught(doing, || run(db));
        self.bad.set(result.is_err());
        result
    }

    fn write(&self, changes: &[RowChange], applied: Option<Applied>) -> Result<(), ViewError> {
        let mut batch = sled::Batch::default();
        for change in changes {
            match &change.value {
                Some(value) => batch.insert(&change.key[..], &value[..]),
                None => batch.remove(&change.key[..]),
            }
        }
        match applied {
            Some(applied) => batch.insert(AppliedRow::KEY, applied.encode()),
            None => batch.remove(AppliedRow::KEY),
        }
        self.call("writing", |db| db.apply_batch(batch))
    }
}

impl View for SledView {
    fn applied(&self) -> Result<Option<Applied>, ViewError> {
        let row = self.get(AppliedRow::KEY)?;
        Ok(row.map(|v| AppliedRow::decode(&v)).transpose()?)
    }

    fn apply(&mut self, changes: &[RowChange], applied: Applied) -> Result<(), ViewError> {
        parts(changes, applied)
            .into_iter()
            .try_for_each(|(part, applied)| self.write(part, applied))
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        let value = self.call("reading", |db| db.get(key))?;
        Ok(value.map(|v| v.to_vec()))
    }

    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<RowPair>, ViewError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let pair = |row: sled::Result<(sled::IVec, sled::IVec)>| {
            row.map(|(k, v)| (k.to_vec(), v.to_vec()))
        };
        self.call("scanning", |db| {
            let range = db.range(from..to);
            match reverse {
                false => range.take(limit).map(pair).collect(),
                true => range.rev().take(limit).map(pair).collect(),
            }
        })
    }

    fn close(self) -> Result<(), ViewError> {
        self.call("flushing", |db| db.flush().map(drop))?;
        let dir = self.dir.clone();
        drop(self);
        let at = |source| ViewError::Directory {
            path: dir.display().to_string(),
            source,
        };
        // sled's own flush does not wait for the device.
        sync_tree(&dir.join(DB)).map_err(at)?;
        mark(&dir, CLEAN, "").map_err(at)
    }
}

impl Drop for SledView {
    fn drop(&mut self) {
        let Some(db) = self.db.take() else { return };
        if self.bad.get() {
            mem::forget(db);
            return;
        }
        // What is not on the disk is folded again from the log.
        let _ = caught("closing", || {
            drop(db);
            Ok(())
        });
    }
}

/// Cuts changes into atomic writes; only the last one brings a position.
fn parts(changes: &[RowChange], applied: Applied) -> Vec<(&[RowChange], Option<Applied>)> {
    let mut parts: Vec<_> = changes.chunks(BATCH - 1).map(|part| (part, None)).collect();
    match parts.last_mut() {
        Some(last) => last.1 = Some(applied),
        None => parts.push((&[], Some(applied))),
    }
    parts
}

/// Why a view is thrown away without even being opened.
fn doubt(dir: &Path, trusting: &Trusting) -> Option<RebuildReason> {
    if !dir.join(DB).exists() {
        return Some(RebuildReason::Missing);
    }
    if dir.join(OPENING).exists() {
        return Some(RebuildReason::OpeningFailed);
    }
    let same_boot = fs::read_to_string(dir.join(BOOT)).is_ok_and(|b| b == trusting.boot_id);
    let closed = trusting.clean && dir.join(CLEAN).exists();
    (!same_boot && !closed).then_some(RebuildReason::NotClosed)
}

/// Writes a small file so that it is there after a power cut.
fn mark(dir: &Path, name: &str, content: &str) -> io::Result<()> {
    fs::write(dir.join(name), content)?;
    File::open(dir.join(name))?.sync_all()?;
    File::open(dir)?.sync_all()
}

fn sync_tree(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => sync_tree(&entry.path())?,
            false => File::open(entry.path())?.sync_all()?,
        }
    }
    File::open(dir)?.sync_all()
}

fn caught<T>(
    doing: &'static str,
    run: impl FnOnce() -> Result<T, sled::Error>,
) -> Result<T, ViewError> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(e)) => Err(ViewError::Database {
            doing,
            message: e.to_string(),
        }),
        Err(panic) => Err(ViewError::Panicked {
            doing,
            message: words(&*panic),
        }),
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A view torn between two parts has no position, and is rebuilt.
    #[test]
    fn only_the_last_part_brings_a_position() {
        let applied = Applied {
            position: LeafIndex(7),
            incarnation: Incarnation(5),
        };
        let positions = |n: usize| -> Vec<(usize, bool)> {
            let changes = vec![RowChange::delete(vec![1]); n];
            let parts = parts(&changes, applied);
            parts
                .iter()
                .map(|(part, at)| (part.len(), at.is_some()))
                .collect()
        };
        assert_eq!(positions(0), [(0, true)]);
        assert_eq!(positions(255), [(255, true)]);
        assert_eq!(positions(600), [(255, false), (255, false), (90, true)]);
    }
}
