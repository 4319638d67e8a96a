//! What a recipient could not open for want of a key that it had lost.

use super::Fold;
use crate::rows::{AnewRow, IdRow, RowChange, RowError, SentRow};
use abeng_wire::{EnvelopeId, LeafIndex, PartyCode, v1};
use bytes::Bytes;

impl Fold<'_> {
    /// A refusal that is not final.
    pub(super) fn to_seal_anew(
        &self,
        reason: v1::Reason,
        (submitted, expires_at): (LeafIndex, u64),
        party: PartyCode,
    ) -> Option<RowChange> {
        (reason == v1::Reason::KeyGone).then(|| {
            let key = AnewRow::key(expires_at, submitted, party);
            RowChange::set(key, AnewRow.encode())
        })
    }

    /// What its recipients need no longer get of the notice that this one replaces or takes back.
    pub(super) fn replaced(
        &self,
        replaces: &Bytes,
        by: &v1::Pre,
    ) -> Result<Vec<RowChange>, RowError> {
        let Some(id) = EnvelopeId::from_slice(replaces) else {
            return Ok(Vec::new());
        };
        let Some(IdRow::Sent { submitted }) = self.id_row(&IdRow::key(&id))? else {
            return Ok(Vec::new());
        };
        let Some(row) = self.get(&SentRow::key(submitted))? else {
            return Ok(Vec::new());
        };
        let row = SentRow::decode(&row)?;
        let recipients = by.recipients.iter();
        let parties = recipients.filter_map(|r| PartyCode::new(&r.party).ok());
        let key = |party| AnewRow::key(row.expires_at, submitted, party);
        Ok(parties.map(|party| RowChange::delete(key(party))).collect())
    }
}
