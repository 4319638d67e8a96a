//! Leaves about how long content is kept: holds, later dates, recalls, scrubs.

use super::Fold;
use crate::rows::{
    AskedRow, BegunRow, CareRow, DueRow, HoldRow, IdRow, InboxRow, RowChange, RowError, SentRow,
    ToldRow, WaitingRow,
};
use abeng_wire::{EnvelopeId, LeafIndex, Millis, PartyCode, limits, v1};
use v1::proof_part::Of;

/// The content of one record, as the rows know it.
struct Kept {
    record: LeafIndex,
    originator: Option<PartyCode>,
    due: Millis,
    row: DueRow,
    care: CareRow,
}

impl Kept {
    fn save(&self) -> RowChange {
        RowChange::set(CareRow::key(self.record), self.care.encode())
    }

    /// When it falls due, with what was said later.
    fn due(&self) -> Millis {
        self.due.max(self.care.extended)
    }

    /// Takes it out of what falls due, or puts it back.
    fn stop(&self) -> Option<RowChange> {
        (self.due() != 0).then(|| RowChange::delete(DueRow::key(self.due(), self.record)))
    }

    fn resume(&self) -> Option<RowChange> {
        let free = self.care.hold.is_none() && self.care.begun.is_none();
        let key = DueRow::key(self.due(), self.record);
        (free && self.due() != 0).then(|| RowChange::set(key, self.row.encode()))
    }
}

impl Fold<'_> {
    /// Holds and later dates; every other act of an administrator makes no row.
    pub(super) fn cared(&self) -> Result<Vec<RowChange>, RowError> {
        let (id, act) = match self.proof()? {
            Some(Of::Hold(hold)) => (hold.envelope_id.clone(), Of::Hold(hold)),
            Some(Of::Retention(said)) => (said.envelope_id.clone(), Of::Retention(said)),
            Some(Of::Acceptance(_)) => return Ok(vec![self.about_trust()]),
            _ => return Ok(Vec::new()),
        };
        let id = EnvelopeId::from_slice(&id).ok_or_else(|| self.lacks("envelope id"))?;
        let mut kept = self.kept_of(&id)?.ok_or_else(|| self.inconsistent("id"))?;
        let mut changes = Vec::new();
        changes.extend(kept.stop());
        match act {
            Of::Hold(hold) if hold.act() == v1::HoldAct::HoldPlaced => {
                kept.care.hold = Some(self.index);
                let row = HoldRow { envelope_id: id };
                changes.push(RowChange::set(HoldRow::key(kept.record), row.encode()));
            }
            Of::Hold(_) => {
                kept.care.hold = None;
                changes.push(RowChange::delete(HoldRow::key(kept.record)));
            }
            Of::Retention(said) => kept.care.extended = said.keep_until,
            _ => {}
        }
        changes.push(kept.save());
        changes.extend(kept.resume());
        // Where an act changes nothing of when it falls due, the row is set again.
        Ok(last_word(changes))
    }

    /// A recall has come: what it names is to be deleted, or is not to be taken any more.
    pub(super) fn recall_taken(
        &self,
        originator: PartyCode,
        recalls: &EnvelopeId,
        created_at: Millis,
    ) -> Result<Vec<RowChange>, RowError> {
        if self.id_row(&IdRow::key(recalls))?.is_none() {
            let row = WaitingRow {
                until: created_at.saturating_add(limits::LIFETIME_MS),
            };
            let key = WaitingRow::key(originator, recalls);
            return Ok(vec![RowChange::set(key, row.encode())]);
        }
        let Some(mut kept) = self.kept_of(recalls)? else {
            return Ok(Vec::new());
        };
        if kept.originator != Some(originator) || kept.care.asked.is_some() {
            return Ok(Vec::new());
        }
        kept.care.asked = Some(self.index);
        let row = AskedRow {
            envelope_id: *recalls,
        };
        let asked = RowChange::set(AskedRow::key(kept.record), row.encode());
        Ok(vec![kept.save(), asked])
    }

    pub(super) fn scrub_begun(&self) -> Result<Vec<RowChange>, RowError> {
        let scrub = self.scrub()?;
        let row = BegunRow {
            envelope_id: EnvelopeId::from_slice(&scrub.envelope_id).unwrap_or_default(),
        };
        let key = BegunRow::key(self.index);
        let mut changes = vec![RowChange::fresh(key, row.encode())];
        for &record in &scrub.indexes {
            if let Some(mut kept) = self.kept(LeafIndex(record))? {
                changes.extend(kept.stop());
                kept.care.begun = Some(self.index);
                kept.care.why = scrub.why();
                changes.push(kept.save());
                changes.extend(self.unwanted(LeafIndex(record))?);
            }
        }
        Ok(changes)
    }

    pub(super) fn scrubbed(&self) -> Result<Vec<RowChange>, RowError> {
        let mut changes = Vec::new();
        let mut begun = None;
        for &record in &self.scrub()?.indexes {
            let record = LeafIndex(record);
            let mut care = self.care(record)?;
            begun = begun.or(care.begun);
            care.scrubbed = Some(self.index);
            changes.push(RowChange::set(CareRow::key(record), care.encode()));
            changes.extend(self.unnamed(record)?);
        }
        changes.extend(begun.map(|begun| RowChange::delete(BegunRow::key(begun))));
        Ok(changes)
    }

    pub(super) fn recalled(&self) -> Result<Vec<RowChange>, RowError> {
        let kept = self.kept_of(&self.id()?)?;
        let mut kept = kept.ok_or_else(|| self.inconsistent("id"))?;
        kept.care.recalled = Some(self.index);
        let told = ToldRow::key(self.originator()?, self.index);
        Ok(vec![
            kept.save(),
            RowChange::delete(AskedRow::key(kept.record)),
            RowChange::fresh(told, ToldRow.encode()),
        ])
    }

    fn scrub(&self) -> Result<v1::Scrub, RowError> {
        match self.proof()? {
            Some(Of::Scrub(scrub)) => Ok(scrub),
            _ => Err(self.lacks("scrub")),
        }
    }

    pub(super) fn care(&self, record: LeafIndex) -> Result<CareRow, RowError> {
        let row = self.get(&CareRow::key(record))?;
        Ok(row
            .map(|v| CareRow::decode(&v))
            .transpose()?
            .unwrap_or_default())
    }

    fn kept_of(&self, id: &EnvelopeId) -> Result<Option<Kept>, RowError> {
        match self.id_row(&IdRow::key(id))? {
            Some(IdRow::Sent { submitted }) => self.kept(submitted),
            Some(IdRow::Held {
                received,
                kind: v1::LeafKind::Delivered,
                ..
            }) => self.kept(received),
            _ => Ok(None),
        }
    }

    /// The content of a record, if it is one that holds content.
    fn kept(&self, record: LeafIndex) -> Result<Option<Kept>, RowError> {
        let care = self.care(record)?;
        if let Some(row) = self.get(&SentRow::key(record))? {
            let row = SentRow::decode(&row)?;
            return Ok(Some(Kept {
                record,
                originator: None,
                due: row.keep_until,
                row: DueRow::Sent,
                care,
            }));
        }
        let delivered = care.delivered.unwrap_or(LeafIndex(record.0 + 1));
        let row = self.get(&InboxRow::key(delivered))?;
        let row = row.map(|v| InboxRow::decode(&v)).transpose()?;
        if row.is_none_or(|row| row.received != record) && care.extended != 0 {
            // Only what was carried for others has a date and is neither.
            return Ok(Some(Kept {
                record,
                originator: None,
                due: 0,
                row: DueRow::Carried,
                care,
            }));
        }
        Ok(row.filter(|row| row.received == record).map(|row| Kept {
            record,
            originator: Some(row.originator),
            due: row.keep_until,
            row: DueRow::Received { delivered },
            care,
        }))
    }
}

/// Of several changes of one row the last.
fn last_word(changes: Vec<RowChange>) -> Vec<RowChange> {
    let mut kept: Vec<RowChange> = Vec::with_capacity(changes.len());
    for change in changes {
        kept.retain(|before| before.key != change.key);
        kept.push(change);
    }
    kept
}
