//! How many files of delivered notices are not here, and what they wait for.

use super::named;
use crate::{
    clock,
    shared::{Shared, lock},
};
use abeng_api::PendingView;
use abeng_queue::rows::{FileState, FilesRow};
use std::sync::atomic::{AtomicU64, Ordering};

/// Files that wait here, to be sent, for the day's bytes.
#[derive(Debug, Default)]
pub(super) struct HeldBack(AtomicU64);

impl HeldBack {
    /// One more, until the guard is dropped.
    pub(super) fn one(&self) -> impl Drop + '_ {
        struct One<'a>(&'a AtomicU64);
        impl Drop for One<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.0.fetch_add(1, Ordering::Relaxed);
        One(&self.0)
    }

    /// Whether there is one.
    pub(super) fn any(&self) -> bool {
        self.count() > 0
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Shared {
    /// Counts a file that is not here.
    pub(super) fn count_pending(&self, row: &FilesRow, file: &FileState, all: &mut PendingView) {
        let of = named(file);
        let here = self.attachments.blobs.arrived(of);
        all.files += 1;
        all.bytes += of.length.saturating_sub(here);
        if here == 0 && !self.comes_by_itself(of, row.originator) {
            all.on_request += 1;
        } else if self.budget_of(of, row.originator).is_some() {
            all.for_budget += 1;
        }
    }

    /// Files that are not here, as they were at the last look, and those that are held back here.
    pub fn pending_files(&self) -> PendingView {
        PendingView {
            held_back: self.attachments.held_back.count(),
            ..lock(&self.attachments.pending).clone()
        }
    }

    /// What an operator should know of files that wait for the day's bytes.
    pub fn files_warning(&self) -> Option<String> {
        let pending = self.pending_files();
        let count = |n: u64| match n {
            1 => "1 file".to_owned(),
            n => format!("{n} files"),
        };
        let told = match (pending.for_budget, pending.held_back) {
            (0, 0) => return None,
            (come, 0) => format!("{} to come", count(come)),
            (0, go) => format!("{} to be sent", count(go)),
            (come, go) => format!("{} to come and {} to be sent", count(come), count(go)),
        };
        let until = clock::rfc3339(self.metered.today(clock::wall()).until);
        let rest = match self.no_day_takes_a_piece() {
            Some(piece) => format!(
                "a day's budget may have no room for a piece of one (up to {piece} bytes beside what is kept for FLASH). Raise `budget` under [link.metered], or use `abeng link allow`"
            ),
            None => format!("they go on at {until}, or after `abeng link allow`"),
        };
        Some(format!(
            "waiting for the day's bytes on metered paths: {told}; {rest}"
        ))
    }

    /// What an operator should know of files that this disk has damaged.
    pub fn damaged_warning(&self) -> Option<String> {
        let damaged = self.attachments.blobs.damaged();
        let first = damaged.first()?.display();
        let many = match damaged.len() {
            1 => "a file of an attachment was damaged on this disk and put".to_owned(),
            n => format!("{n} files of attachments were damaged on this disk and put"),
        };
        Some(format!(
            "{many} aside ({first}): they come again from their senders while those have them. Have the disk looked at; delete what was put aside once it is of no use"
        ))
    }
}
