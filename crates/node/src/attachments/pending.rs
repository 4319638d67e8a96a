//! How many files of delivered notices are not here, and what they wait for.

use super::{asks::Lacks, named};
use crate::{
    clock,
    shared::{Shared, lock},
};
use abeng_api::{PendingView, Warned, Warning};
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
        match self.sender_lacks(of, row.originator) {
            Some(Lacks::Gone) => return all.sender_gone += 1,
            Some(Lacks::Damaged) => return all.sender_damaged += 1,
            None => {}
        }
        all.files += 1;
        all.bytes += of.length.saturating_sub(here);
        if here == 0 && !self.comes_by_itself(of, row.originator) {
            all.on_request += 1;
        } else if let Some(party) = self.budget_of(of, row.originator) {
            all.for_budget += 1;
            all.for_own_budget += u64::from(party == self.me);
        }
    }

    /// Files that are not here, as they were at the last look, and those that are held back here.
    pub fn pending_files(&self) -> PendingView {
        let mut pending = PendingView {
            held_back: self.attachments.held_back.count(),
            ..lock(&self.attachments.pending).clone()
        };
        self.count_own_faults(&mut pending);
        pending
    }

    /// What an operator should know of files that do not come or go.
    pub fn files_warnings(&self) -> Vec<Warning> {
        let pending = self.pending_files();
        let all = [
            self.own_faults_warning(),
            lacked_warning(&pending),
            self.own_budget_warning(&pending),
            their_budget_warning(&pending),
        ];
        all.into_iter().flatten().collect()
    }

    /// Files that wait for this node's own day.
    fn own_budget_warning(&self, pending: &PendingView) -> Option<Warning> {
        let told = match (pending.for_own_budget, pending.held_back) {
            (0, 0) => return None,
            (come, 0) => format!("{} to come", count(come)),
            (0, go) => format!("{} to be sent", count(go)),
            (come, go) => format!("{} to come and {} to be sent", count(come), count(go)),
        };
        let until = clock::rfc3339(self.metered.today(clock::wall()).until);
        let piece = self.no_day_takes_a_piece();
        let rest = match piece {
            Some(piece) => format!(
                "a day's budget may have no room for a piece of one (up to {piece} bytes beside what is kept for FLASH). Raise `budget` under [link.metered], or use `abeng link allow`"
            ),
            None => format!("they go on at {until}, or after `abeng link allow` here"),
        };
        let told = Warning::from(format!(
            "waiting for this node's bytes of the day on metered paths: {told}; {rest}"
        ));
        let come = ("come", pending.for_own_budget.to_string());
        let go = ("go", pending.held_back.to_string());
        Some(match piece {
            Some(piece) => {
                let piece = ("piece_bytes", piece.to_string());
                told.because(Warned::OwnBudgetSmall, [come, go, piece])
            }
            None => told.because(Warned::OwnBudget, [come, go, ("until", until)]),
        })
    }

    /// What an operator should know of files that this disk has damaged.
    pub fn damaged_warning(&self) -> Option<Warning> {
        let damaged = self.attachments.blobs.damaged();
        let first = damaged.first()?.display().to_string();
        let many = match damaged.len() {
            1 => "a file of an attachment was damaged on this disk and put".to_owned(),
            n => format!("{n} files of attachments were damaged on this disk and put"),
        };
        let text = format!(
            "{many} aside ({first}): they come again from their senders while those have them. Have the disk looked at; delete what was put aside once it is of no use"
        );
        let values = [("count", damaged.len().to_string()), ("first", first)];
        Some(Warning::from(text).because(Warned::BlobsDamaged, values))
    }
}

/// Files that wait for the day of whoever has them: nothing that is done here helps.
fn their_budget_warning(pending: &PendingView) -> Option<Warning> {
    let theirs = pending.for_budget.saturating_sub(pending.for_own_budget);
    (theirs > 0).then(|| {
        let told = Warning::from(format!(
            "waiting for the bytes of the day at other nodes: {} to come, on from their tomorrow, or after `abeng link allow` there; `abeng attachment list ID` says whose day it is",
            count(theirs)
        ));
        told.because(Warned::TheirBudget, [("come", theirs.to_string())])
    })
}

/// Files that do not come any more.
fn lacked_warning(pending: &PendingView) -> Option<Warning> {
    let told = match (pending.sender_gone, pending.sender_damaged) {
        (0, 0) => return None,
        (gone, 0) => format!("no longer have {}", count(gone)),
        (0, damaged) => format!("have {} damaged on their disks", count(damaged)),
        (gone, damaged) => format!(
            "no longer have {} and have {} damaged on their disks",
            count(gone),
            count(damaged)
        ),
    };
    let told = Warning::from(format!(
        "of the attachments that have not come, their senders {told}. `abeng attachment list ID` says whose; ask them to take `blobs` from a backup, or to send the file anew"
    ));
    let values = [
        ("gone", pending.sender_gone.to_string()),
        ("damaged", pending.sender_damaged.to_string()),
    ];
    Some(told.because(Warned::Lacked, values))
}

fn count(n: u64) -> String {
    match n {
        1 => "1 file".to_owned(),
        n => format!("{n} files"),
    }
}
