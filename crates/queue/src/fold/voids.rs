//! Rows of numbers that ended without a delivery.

use super::Fold;
use crate::{
    mark::Mark,
    rows::{EndedRow, MarkRow, RowChange, RowError, SentOutcome, StreamRow, VoidedRow},
    voided::Voided,
};
use abeng_wire::{EnvelopeId, Incarnation, PartyCode, StreamSeq, limits, v1};
use v1::proof_part::Of;

impl Fold<'_> {
    pub(super) fn voided(&self) -> Result<Vec<RowChange>, RowError> {
        match self.proof()? {
            Some(Of::Void(void)) => self.voided_from_here(&void),
            Some(Of::Statement(signed)) => {
                let void = abeng_wire::decode("void", &signed.bytes, limits::STATEMENT);
                let void = void.map_err(|source| RowError::Malformed {
                    index: self.index,
                    source,
                })?;
                self.voided_for_here(&void)
            }
            _ => Err(self.lacks("void")),
        }
    }

    /// Numbers of a stream from here that hold nothing.
    fn voided_from_here(&self, void: &v1::Void) -> Result<Vec<RowChange>, RowError> {
        let recipient = self.recipient()?;
        // The streams of another life of this log have no rows here.
        if void.incarnation != self.leaf.incarnation {
            return Ok(Vec::new());
        }
        let next = void.last.checked_add(1).and_then(StreamSeq::new);
        let next = next.ok_or_else(|| self.lacks("void"))?;
        let mut changes = Vec::new();
        // The engine voids what it reserved for one submission: one number of each stream.
        if let Some(seq) = StreamSeq::new(void.first).filter(|_| void.first == void.last) {
            changes.push(self.ended(recipient, seq, void.reason(), None));
        }
        let key = StreamRow::key(recipient);
        // A void that looks back closes nothing that the stream has yet to reach.
        let before = self.get(&key)?.map(|v| StreamRow::decode(&v)).transpose()?;
        if before.is_none_or(|row| row.next < next) {
            changes.push(RowChange::set(key, StreamRow { next }.encode()));
        }
        Ok(changes)
    }

    /// An originator's word on a stream to here.
    fn voided_for_here(&self, void: &v1::Void) -> Result<Vec<RowChange>, RowError> {
        let stream = (self.originator()?, Incarnation(void.incarnation));
        let key = MarkRow::key(stream.0, stream.1);
        let row = self.get(&key)?.map(|v| MarkRow::decode(&v)).transpose()?;
        let mut mark = Mark::from(&row.unwrap_or_default());
        let opened = mark.insert_range(void.first, void.last);
        let mut changes = vec![RowChange::set(key, MarkRow::from(&mark).encode())];
        changes.push(self.voided_row(stream, |voided| {
            for &(first, last) in &opened {
                voided.insert(first, last, void.reason());
            }
        })?);
        Ok(changes)
    }

    /// Closes a number, which an earlier void may have closed before.
    pub(super) fn mark(
        &self,
        originator: PartyCode,
        incarnation: Incarnation,
        seq: StreamSeq,
    ) -> Result<RowChange, RowError> {
        let key = MarkRow::key(originator, incarnation);
        let row = self.get(&key)?.map(|v| MarkRow::decode(&v)).transpose()?;
        let mut mark = Mark::from(&row.unwrap_or_default());
        if mark.insert(seq.get()) {
            return Ok(RowChange::set(key, MarkRow::from(&mark).encode()));
        }
        self.voided_row((originator, incarnation), |voided| {
            voided.take(seq.get());
        })
    }

    fn voided_row(
        &self,
        (originator, incarnation): (PartyCode, Incarnation),
        change: impl FnOnce(&mut Voided),
    ) -> Result<RowChange, RowError> {
        let key = VoidedRow::key(originator, incarnation);
        let row = self.get(&key)?.map(|v| VoidedRow::decode(&v)).transpose()?;
        let mut voided = Voided::from(&row.unwrap_or_default());
        change(&mut voided);
        Ok(match voided.is_empty() {
            true => RowChange::delete(key),
            false => RowChange::set(key, VoidedRow::from(&voided).encode()),
        })
    }

    /// A number of a stream from here ended without proof of delivery.
    pub(super) fn ended(
        &self,
        recipient: PartyCode,
        seq: StreamSeq,
        reason: v1::VoidReason,
        envelope_id: Option<EnvelopeId>,
    ) -> RowChange {
        let row = EndedRow {
            leaf: self.index,
            reason,
            envelope_id,
        };
        RowChange::set(EndedRow::key(recipient, seq), row.encode())
    }

    /// What a recipient's outcome changes about a number that is asked for again. Delivered
    /// overrides a void and the end of a life.
    pub(super) fn ended_by(
        &self,
        kind: v1::LeafKind,
        before: &SentOutcome,
        (recipient, seq): (PartyCode, StreamSeq),
    ) -> Result<Option<RowChange>, RowError> {
        let ended = |reason, id| Some(self.ended(recipient, seq, reason, id));
        Ok(match (kind, before) {
            // Never opened there, so that nobody there knows its number.
            (v1::LeafKind::Refused, SentOutcome::Queued) => ended(v1::VoidReason::VoidFailed, None),
            (v1::LeafKind::Expired, SentOutcome::Queued) => {
                ended(v1::VoidReason::VoidExpired, Some(self.id()?))
            }
            (
                v1::LeafKind::Delivered | v1::LeafKind::Recalled,
                SentOutcome::Expired { .. } | SentOutcome::Refused { .. },
            ) => Some(RowChange::delete(EndedRow::key(recipient, seq))),
            _ => None,
        })
    }
}
