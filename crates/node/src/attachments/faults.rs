//! Files that were sent from here and that this disk has lost or damaged. Known once somebody has
//! looked: a lost one once an hour, a damaged one when it is read. Nothing is put out of the way, and
//! a file that was put back from a backup is good again at once.

use super::named;
use crate::{
    blobs::{Blobs, Stamp},
    reading::internal,
    shared::{Shared, lock},
};
use abeng_api::{ApiError, ErrorCode, PendingView, Warned, Warning};
use abeng_queue::rows::FilesRow;
use abeng_seal::AttachmentRef;
use abeng_wire::{EnvelopeId, Hash32, LeafHash, LeafIndex};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

/// Files that are remembered. More than that, and the disk is lost as a whole.
const MOST: usize = 4096;
/// Notices that a warning names.
const NAMED: usize = 3;
/// Rows read in one go.
const PAGE: usize = 1024;

/// What is wrong with a file that was sent from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnFault {
    /// It is not what was sent.
    Damaged,
    /// It is not there.
    Gone,
}

/// One that was found.
#[derive(Debug, Clone, Copy)]
struct Found {
    of: AttachmentRef,
    envelope: EnvelopeId,
    /// What was read and found damaged.
    damaged: Option<Stamp>,
}

/// Those that were found.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<BTreeMap<Hash32, Found>>);

impl Faults {
    /// One that was read and is damaged, or that is not there.
    pub(super) fn note(&self, blobs: &Blobs, of: AttachmentRef, envelope: EnvelopeId) {
        let mut found = lock(&self.0);
        if found.len() < MOST || found.contains_key(&of.root) {
            let damaged = blobs.stamp(&of.root);
            let one = Found {
                of,
                envelope,
                damaged,
            };
            found.insert(of.root, one);
        }
    }

    /// Its notice's content is deleted, and it with it.
    pub(super) fn forget(&self, root: &Hash32) {
        lock(&self.0).remove(root);
    }

    /// What is wrong with one, as far as it is known without reading it.
    pub(super) fn of(&self, blobs: &Blobs, of: AttachmentRef) -> Option<OwnFault> {
        let Some(now) = blobs.stamp(&of.root) else {
            return Some(OwnFault::Gone);
        };
        let found = lock(&self.0);
        let damaged = found.get(&of.root).and_then(|found| found.damaged);
        let bad = damaged == Some(now) || now.length != of.length;
        bad.then_some(OwnFault::Damaged)
    }

    /// Those that are still so, with what is wrong and the notice; the others are forgotten.
    fn all(&self, blobs: &Blobs) -> Vec<(OwnFault, EnvelopeId)> {
        let found: Vec<Found> = lock(&self.0).values().copied().collect();
        let mut all = Vec::new();
        for one in found {
            match self.of(blobs, one.of) {
                Some(fault) => all.push((fault, one.envelope)),
                None => self.forget(&one.of.root),
            }
        }
        all
    }
}

impl Shared {
    /// What is wrong with a file that was sent from here.
    pub fn own_fault(&self, of: AttachmentRef) -> Option<OwnFault> {
        let attachments = &self.attachments;
        attachments.faults.of(&attachments.blobs, of)
    }

    /// A file that was sent from here cannot be read, or is not there.
    pub fn note_own_fault(&self, of: AttachmentRef, envelope: EnvelopeId) {
        let attachments = &self.attachments;
        attachments.faults.note(&attachments.blobs, of, envelope);
    }

    /// Says it to whoever wants the file; `what` names it.
    pub(super) fn own_fault_told(&self, fault: OwnFault, what: &str, root: &Hash32) -> ApiError {
        let path = self.attachments.blobs.place(root);
        let hint = format!(
            "take `{path}` from a backup of the data directory, or ask a recipient for the file"
        );
        let told = match fault {
            OwnFault::Damaged => ApiError::new(
                ErrorCode::Damaged,
                format!("{what} is damaged on this disk"),
            ),
            OwnFault::Gone => ApiError::not_found(format!(
                "{what}, which was sent from here, is not on this disk any more"
            )),
        };
        told.with_try(hint)
    }

    /// Looks whether what was sent from here is there.
    pub(super) async fn look_for_gone(self: &Arc<Self>) -> Result<(), ApiError> {
        let (mut from, end) = (FilesRow::key(LeafIndex(0)), vec![FilesRow::PREFIX + 1]);
        loop {
            let rows = self.view.scan(&from, &end, false, PAGE).await;
            let rows = rows.map_err(internal)?;
            for (key, value) in &rows {
                let record = FilesRow::parse_key(key).map_err(internal)?;
                let row = FilesRow::decode(value).map_err(internal)?;
                if row.originator == self.me {
                    self.look_at_own(record, &row).await;
                }
            }
            match rows.last() {
                Some((key, _)) => from = [key.as_slice(), &[0]].concat(),
                None => return Ok(()),
            }
        }
    }

    /// Somebody asks for what is not there.
    pub(super) async fn look_for_gone_one(&self, root: &Hash32) -> Result<(), ApiError> {
        for record in self.naming(root).await? {
            if let Some(row) = self.files_row(record).await?
                && row.originator == self.me
            {
                self.look_at_own(record, &row).await;
            }
        }
        Ok(())
    }

    async fn look_at_own(&self, record: LeafIndex, row: &FilesRow) {
        // What is being deleted is meant to go.
        let care = self.care(record).await.unwrap_or_default();
        if care.asked.is_some() || care.begun.is_some() {
            return;
        }
        for of in row.files.iter().map(named) {
            if !self.attachments.blobs.has(of) {
                let root = LeafHash(of.root);
                // Peers ask as often as they like.
                let known = lock(&self.attachments.faults.0).contains_key(&of.root);
                if !known {
                    tracing::error!(%root, envelope = %row.envelope_id, "an attachment that was sent from here is not on this disk any more");
                }
                self.note_own_fault(of, row.envelope_id);
            }
        }
    }

    /// Counts them, as far as they were found.
    pub(super) fn count_own_faults(&self, pending: &mut PendingView) {
        for (fault, _) in self.attachments.faults.all(&self.attachments.blobs) {
            match fault {
                OwnFault::Damaged => pending.damaged += 1,
                OwnFault::Gone => pending.gone += 1,
            }
        }
    }

    /// What an operator should know of them.
    pub fn own_faults_warning(&self) -> Option<Warning> {
        let all = self.attachments.faults.all(&self.attachments.blobs);
        let count = |fault| all.iter().filter(|one| one.0 == fault).count();
        let (damaged, gone) = (count(OwnFault::Damaged), count(OwnFault::Gone));
        let told = match (damaged, gone) {
            (0, 0) => return None,
            (damaged, 0) => format!("{damaged} damaged on this disk"),
            (0, gone) => format!("{gone} not on this disk any more"),
            (damaged, gone) => format!("{damaged} damaged on this disk, {gone} not on it any more"),
        };
        let notices: BTreeSet<EnvelopeId> = all.iter().map(|one| one.1).collect();
        let mut named: Vec<String> = notices
            .iter()
            .take(NAMED)
            .map(|id| format!("{id:.12}"))
            .collect();
        if notices.len() > NAMED {
            named.push("…".to_owned());
        }
        let notices = named.join(", ");
        let told = Warning::from(format!(
            "attachments that were sent from here: {told} (of {notices}). Take `blobs` from a backup of the data directory; `abeng attachment list ID` says which they are"
        ));
        let values = [
            ("damaged", damaged.to_string()),
            ("gone", gone.to_string()),
            ("notices", notices),
        ];
        Some(told.because(Warned::OwnFaults, values))
    }
}
