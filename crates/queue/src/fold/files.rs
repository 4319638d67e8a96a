//! Leaves about attachments: named by an envelope, arrived here, proved to have arrived there.

use super::Fold;
use crate::rows::{
    ArrivedRow, FileState, FilesRow, IdRow, NamedRow, RowChange, RowError, ToldRow, WantedRow,
    files::mark,
};
use abeng_wire::{LeafIndex, PartyCode, v1};
use v1::proof_part::Of;

impl Fold<'_> {
    /// Whether a Received leaf is about a file, and not about an envelope.
    pub(super) fn is_about_file(&self) -> Result<bool, RowError> {
        // An envelope's has no subject, and most have no files.
        Ok(!self.leaf.subject.is_empty() && matches!(self.proof()?, Some(Of::Attachment(_))))
    }

    /// An envelope that names files was submitted or has come.
    pub(super) fn names(
        &self,
        originator: PartyCode,
        attachments: &[v1::AttachmentRef],
    ) -> Result<Vec<RowChange>, RowError> {
        if attachments.is_empty() {
            return Ok(Vec::new());
        }
        let file = |named: &v1::AttachmentRef| {
            Some(FileState {
                root: named.root[..].try_into().ok()?,
                length: named.length,
                arrived: None,
            })
        };
        let files: Option<Vec<FileState>> = attachments.iter().map(file).collect();
        let row = FilesRow {
            envelope_id: self.id()?,
            originator,
            files: files.ok_or_else(|| self.lacks("list of attachments"))?,
        };
        let mut changes = vec![RowChange::fresh(FilesRow::key(self.index), row.encode())];
        for file in &row.files {
            // One file may be named twice.
            let key = NamedRow::key(&file.root, self.index);
            changes.retain(|change| change.key != key);
            changes.push(RowChange::fresh(key, mark()));
        }
        Ok(changes)
    }

    /// What was delivered wants its files.
    pub(super) fn wanted(&self, received: LeafIndex) -> Result<Option<RowChange>, RowError> {
        let row = self.files(received)?;
        Ok(row.map(|_| RowChange::fresh(WantedRow::key(received), mark())))
    }

    /// A file has come whole.
    pub(super) fn file_arrived(&self) -> Result<Vec<RowChange>, RowError> {
        let Some(IdRow::Held { received, .. }) = self.id_row(&IdRow::key(&self.id()?))? else {
            return Err(self.inconsistent("id"));
        };
        // Its notice may have been scrubbed while the file came.
        let Some(mut row) = self.files(received)? else {
            return Ok(Vec::new());
        };
        let about = &self.leaf.subject;
        for file in &mut row.files {
            if file.subject().0[..] == about[..] && file.arrived.is_none() {
                file.arrived = Some(self.index);
            }
        }
        let told = ToldRow::key(row.originator, self.index);
        let mut changes = vec![
            RowChange::set(FilesRow::key(received), row.encode()),
            RowChange::fresh(told, ToldRow.encode()),
        ];
        if row.is_complete() {
            changes.push(RowChange::delete(WantedRow::key(received)));
        }
        Ok(changes)
    }

    /// A recipient has proved that a file is there.
    pub(super) fn file_arrived_there(&self, theirs: &v1::Leaf) -> Result<Vec<RowChange>, RowError> {
        let (submitted, _) = self.sent()?;
        let Some(row) = self.files(submitted)? else {
            return Ok(Vec::new());
        };
        let key = ArrivedRow::key(submitted, self.recipient()?);
        let before = self
            .get(&key)?
            .map(|v| ArrivedRow::decode(&v))
            .transpose()?;
        let mut arrived = before.unwrap_or_default();
        for (nth, file) in row.files.iter().enumerate() {
            if file.subject().0[..] == theirs.subject[..] {
                arrived.files |= 1 << nth;
            }
        }
        Ok(vec![RowChange::set(key, arrived.encode())])
    }

    /// Nothing of a record is wanted any more: it was refused, or its content is to go.
    pub(super) fn unwanted(&self, record: LeafIndex) -> Result<Option<RowChange>, RowError> {
        let row = self.files(record)?;
        Ok(row.map(|_| RowChange::delete(WantedRow::key(record))))
    }

    /// A record names its files no longer.
    pub(super) fn unnamed(&self, record: LeafIndex) -> Result<Vec<RowChange>, RowError> {
        let Some(row) = self.files(record)? else {
            return Ok(Vec::new());
        };
        let mut changes: Vec<RowChange> = Vec::new();
        for file in &row.files {
            let key = NamedRow::key(&file.root, record);
            if changes.iter().all(|change| change.key != key) {
                changes.push(RowChange::delete(key));
            }
        }
        changes.push(RowChange::delete(FilesRow::key(record)));
        changes.push(RowChange::delete(WantedRow::key(record)));
        Ok(changes)
    }

    fn files(&self, record: LeafIndex) -> Result<Option<FilesRow>, RowError> {
        let row = self.get(&FilesRow::key(record))?;
        row.map(|v| FilesRow::decode(&v)).transpose()
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
