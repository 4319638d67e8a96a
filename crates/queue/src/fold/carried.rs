//! Leaves about what is carried for others, and about who carries what was sent from here.

use super::Fold;
use crate::rows::{
    CareRow, CarriedIdRow, CarriedRow, DueRow, RELAYED_KEPT, RowChange, RowError, SentRelayed,
    SentRow, ToldRow, frame_size,
};
use abeng_wire::{Digest, LeafIndex, PartyCode, v1};
use bytes::Bytes;
use v1::proof_part::Of;

impl Fold<'_> {
    /// An envelope that waits here for another party.
    pub(super) fn relayed(&self) -> Result<Vec<RowChange>, RowError> {
        let Some(Of::Relayed(proof)) = self.proof()? else {
            return Err(self.lacks("relayed proof"));
        };
        let header = self.header(&proof.hdr)?;
        let (envelope_id, recipient) = (self.id()?, self.recipient()?);
        let (originator, precedence) = (self.originator()?, header.pre.precedence());
        let row = CarriedRow {
            envelope_id,
            originator,
            created_at: header.pre.created_at,
            expires_at: header.pre.expires_at,
            size: frame_size(
                header.hdr_length,
                header.body_length,
                header.pre.recipients.len(),
            ),
        };
        let id = CarriedIdRow {
            relayed: self.index,
            originator,
            precedence,
            seq_commit: Digest::from_slice(&self.leaf.seq_commit)
                .ok_or_else(|| self.lacks("seq_commit"))?,
            outcome: None,
        };
        let key = CarriedRow::key(recipient, precedence, self.index);
        Ok(vec![
            RowChange::fresh(key, row.encode()),
            RowChange::fresh(CarriedIdRow::key(&envelope_id, recipient), id.encode()),
        ])
    }

    /// Its recipient has said what became of it. The originator is told.
    pub(super) fn carried_receipt(&self) -> Result<Vec<RowChange>, RowError> {
        let Some(Of::Receipt(receipt)) = self.proof()? else {
            return Err(self.lacks("receipt"));
        };
        let recipient = self.recipient()?;
        let (key, mut id) = self.carried_id(recipient)?;
        if id.outcome.is_some() {
            return Err(self.inconsistent("carried id"));
        }
        id.outcome = Some(self.index);
        let told = ToldRow::key(id.originator, self.index);
        let waited = CarriedRow::key(recipient, id.precedence, id.relayed);
        let mut changes = vec![
            RowChange::set(key, id.encode()),
            RowChange::delete(waited),
            RowChange::fresh(told, ToldRow.encode()),
        ];
        changes.extend(self.held(recipient, &receipt.checkpoint)?);
        changes.extend(self.carried_due(id.relayed)?);
        Ok(changes)
    }

    /// Its content is of no use here any more: due at once. Said once, though an outcome may come
    /// after the end of its life.
    fn carried_due(&self, relayed: LeafIndex) -> Result<Vec<RowChange>, RowError> {
        let mut care = self.care(relayed)?;
        if care.extended != 0 {
            return Ok(Vec::new());
        }
        care.extended = self.leaf.time.max(1);
        let due = DueRow::key(care.extended, relayed);
        Ok(vec![
            RowChange::set(CareRow::key(relayed), care.encode()),
            RowChange::fresh(due, DueRow::Carried.encode()),
        ])
    }

    /// Its life is over before anybody has said anything.
    pub(super) fn carried_expired(&self) -> Result<Vec<RowChange>, RowError> {
        let recipient = self.recipient()?;
        let (_, id) = self.carried_id(recipient)?;
        let waited = CarriedRow::key(recipient, id.precedence, id.relayed);
        let mut changes = vec![RowChange::delete(waited)];
        changes.extend(self.carried_due(id.relayed)?);
        Ok(changes)
    }

    /// A relay has said that it carries what was sent from here.
    pub(super) fn relayed_there(
        &self,
        theirs: &v1::Leaf,
        checkpoint: &Bytes,
    ) -> Result<Vec<RowChange>, RowError> {
        let relay = PartyCode::new(&theirs.actor).map_err(|_| self.lacks("relay"))?;
        let recipient = self.recipient()?;
        let (submitted, mut sent) = self.sent()?;
        let mut changes = Vec::new();
        if sent.relayed_to(recipient).count() < RELAYED_KEPT {
            sent.relayed.push(SentRelayed {
                recipient,
                relay,
                taken: self.index,
            });
            changes.push(RowChange::set(SentRow::key(submitted), sent.encode()));
        }
        changes.extend(self.held(relay, checkpoint)?);
        Ok(changes)
    }

    fn carried_id(&self, recipient: PartyCode) -> Result<(Vec<u8>, CarriedIdRow), RowError> {
        let key = CarriedIdRow::key(&self.id()?, recipient);
        let row = self.get(&key)?;
        let row = row.ok_or_else(|| self.inconsistent("carried id"))?;
        Ok((key, CarriedIdRow::decode(&row)?))
    }
}
