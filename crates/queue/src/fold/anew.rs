//! What a recipient could not open for want of a key that it had lost, and what replaces it.

use super::Fold;
use crate::rows::{AnewRow, IdRow, RowChange, RowError, SentRow};
use abeng_wire::{EnvelopeId, LeafIndex, PartyCode, v1};
use bytes::Bytes;

/// How often one notice is sealed anew for one recipient: who refuses again and again to have
/// it sealed again and again gets no more.
const MOST: u8 = 3;

impl Fold<'_> {
    /// A refusal that is not final, unless the notice was replaced or taken back there before.
    pub(super) fn to_seal_anew(
        &self,
        reason: v1::Reason,
        (submitted, sent): (LeafIndex, &SentRow),
        party: PartyCode,
    ) -> Option<RowChange> {
        let to = sent.recipients.iter().find(|to| to.party == party)?;
        let open = to.anew.is_none() && to.replaced.is_none() && sent.anew_before < MOST;
        (reason == v1::Reason::KeyGone && open).then(|| {
            let key = AnewRow::key(sent.expires_at, submitted, party);
            RowChange::set(key, AnewRow.encode())
        })
    }

    /// What a submission replaces, takes back or seals anew is so for its recipients, before and
    /// after their answer. Also how often the notice was sealed anew before.
    pub(super) fn replaced(
        &self,
        proof: &v1::SubmittedProof,
        by: &v1::Pre,
    ) -> Result<(u8, Vec<RowChange>), RowError> {
        let mut changes = Vec::new();
        let mut before = 0;
        if let Some((submitted, mut row)) = self.earlier(&proof.anew_of)? {
            before = row.anew_before.saturating_add(1);
            self.mark_replaced((submitted, &mut row), by, true, &mut changes);
        }
        if proof.supersedes != proof.anew_of
            && let Some((submitted, mut row)) = self.earlier(&proof.supersedes)?
        {
            self.mark_replaced((submitted, &mut row), by, false, &mut changes);
        }
        Ok((before, changes))
    }

    fn mark_replaced(
        &self,
        (submitted, row): (LeafIndex, &mut SentRow),
        by: &v1::Pre,
        anew: bool,
        changes: &mut Vec<RowChange>,
    ) {
        for to in &mut row.recipients {
            if !by.recipients.iter().any(|r| r.party == to.party.as_str()) {
                continue;
            }
            match anew {
                true => to.anew = Some(self.index),
                false => to.replaced = Some(self.index),
            }
            let key = AnewRow::key(row.expires_at, submitted, to.party);
            changes.push(RowChange::delete(key));
        }
        changes.push(RowChange::set(SentRow::key(submitted), row.encode()));
    }

    /// The row of something sent from here.
    fn earlier(&self, id: &Bytes) -> Result<Option<(LeafIndex, SentRow)>, RowError> {
        let Some(id) = EnvelopeId::from_slice(id) else {
            return Ok(None);
        };
        let Some(IdRow::Sent { submitted }) = self.id_row(&IdRow::key(&id))? else {
            return Ok(None);
        };
        let row = self.get(&SentRow::key(submitted))?;
        let row = row.map(|row| SentRow::decode(&row)).transpose()?;
        Ok(row.map(|row| (submitted, row)))
    }
}
