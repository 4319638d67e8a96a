//! From a leaf to rows. Uses the leaf and its proof part, never what can be scrubbed, so that the
//! view of a scrubbed log is the scrubbed view of the log.

mod anew;
mod carried;
mod files;
mod kept;
mod voids;

use crate::{
    rows::{
        CareRow, ClosedRow, ContradictionRow, DueRow, HeldRow, IdRow, InboxRow, QueueRow,
        RowChange, RowError, SentOutcome, SentRow, SentTo, StreamRow, ToldRow, TrustRow,
        WaitingRow, frame_size,
    },
    view::RowSource,
};
use abeng_audit_log::Record;
use abeng_wire::{
    EnvelopeId, Incarnation, LeafHash, LeafIndex, Millis, PartyCode, SignedBytes, StreamSeq,
    limits, v1,
};
use bytes::Bytes;
use v1::proof_part::Of;

/// The changes that one leaf makes, given the rows that all leaves before it made.
///
/// An error means that the rows are not those (the view is to be folded again from the first
/// leaf) or, where that was done, that the log holds what this program never writes.
pub fn fold(
    index: LeafIndex,
    record: &Record,
    before: &dyn RowSource,
) -> Result<Vec<RowChange>, RowError> {
    let leaf = record.leaf().message();
    let fold = Fold {
        index,
        leaf,
        record,
        before,
    };
    match leaf.kind() {
        v1::LeafKind::Submitted => fold.submitted(),
        v1::LeafKind::Queued => fold.queued(),
        v1::LeafKind::Voided => fold.voided(),
        v1::LeafKind::Received if fold.is_about_file()? => fold.file_arrived(),
        v1::LeafKind::Received => fold.received(),
        v1::LeafKind::Relayed => fold.relayed(),
        v1::LeafKind::Delivered => fold.delivered(),
        v1::LeafKind::Refused => fold.closed(),
        v1::LeafKind::Expired if leaf.originator == leaf.actor => fold.expired(),
        v1::LeafKind::Expired if leaf.recipient != leaf.actor => fold.carried_expired(),
        v1::LeafKind::Expired => fold.closed(),
        v1::LeafKind::ReceiptTaken if leaf.originator != leaf.actor => fold.carried_receipt(),
        v1::LeafKind::ReceiptTaken => fold.receipt_taken(),
        v1::LeafKind::Read => fold.read(),
        v1::LeafKind::Admin => fold.cared(),
        v1::LeafKind::ScrubBegun => fold.scrub_begun(),
        v1::LeafKind::Scrubbed => fold.scrubbed(),
        v1::LeafKind::Recalled => fold.recalled(),
        v1::LeafKind::RosterAdopted => fold.adopted(),
        v1::LeafKind::Contradiction => {
            let row = ContradictionRow { leaf: index };
            Ok(vec![RowChange::fresh(row.key(), row.encode())])
        }
        _ => Ok(Vec::new()),
    }
}

struct Fold<'a> {
    index: LeafIndex,
    leaf: &'a v1::Leaf,
    record: &'a Record,
    before: &'a dyn RowSource,
}

/// What HDR says, as far as rows need it.
struct Header {
    pre: v1::Pre,
    body_length: u64,
    attachments: Vec<v1::AttachmentRef>,
    hdr_length: usize,
}

impl Fold<'_> {
    fn submitted(&self) -> Result<Vec<RowChange>, RowError> {
        let Some(Of::Submitted(proof)) = self.proof()? else {
            return Err(self.lacks("submitted proof"));
        };
        let header = self.header(&proof.hdr)?;
        let (anew_before, replaced) = self.replaced(&proof, &header.pre)?;
        let row = SentRow {
            anew_before,
            envelope_id: self.id()?,
            created_at: header.pre.created_at,
            expires_at: header.pre.expires_at,
            precedence: header.pre.precedence(),
            size: frame_size(
                header.hdr_length,
                header.body_length,
                header.pre.recipients.len(),
            ),
            // Nothing is deleted while it is still offered.
            keep_until: match proof.keep_until {
                0 => 0,
                until => until.max(header.pre.expires_at),
            },
            recalls: EnvelopeId::from_slice(&proof.recalls),
            incarnation: Incarnation(header.pre.incarnation),
            recipients: Vec::new(),
            relayed: Vec::new(),
        };
        let id = IdRow::Sent {
            submitted: self.index,
        };
        let mut changes = vec![
            RowChange::fresh(SentRow::key(self.index), row.encode()),
            RowChange::fresh(IdRow::key(&row.envelope_id), id.encode()),
        ];
        changes.extend(due_row(row.keep_until, self.index, DueRow::Sent));
        changes.extend(replaced);
        changes.extend(self.names(self.originator()?, &header.attachments)?);
        Ok(changes)
    }

    fn queued(&self) -> Result<Vec<RowChange>, RowError> {
        let Some(Of::Queued(position)) = self.proof()? else {
            return Err(self.lacks("stream position"));
        };
        let seq = self.seq(&position)?;
        let party = self.recipient()?;
        let (submitted, mut sent) = self.sent()?;
        sent.recipients.push(SentTo {
            party,
            seq,
            queued: self.index,
            outcome: SentOutcome::Queued,
            read: None,
            anew: None,
            replaced: None,
        });
        let queue = QueueRow {
            submitted,
            queued: self.index,
            seq,
            life: sent.incarnation,
            created_at: sent.created_at,
            expires_at: sent.expires_at,
            size: sent.size,
        };
        let key = QueueRow::key(party, sent.precedence, self.index);
        let next = StreamRow { next: seq.next() };
        let mut changes = vec![
            RowChange::set(SentRow::key(submitted), sent.encode()),
            RowChange::fresh(key, queue.encode()),
        ];
        // The streams of a new life begin anew; what was carried over keeps its old numbers.
        if sent.incarnation == self.life() {
            changes.push(RowChange::set(StreamRow::key(party), next.encode()));
        }
        Ok(changes)
    }

    fn received(&self) -> Result<Vec<RowChange>, RowError> {
        let (header, proof) = self.received_proof()?;
        let row = IdRow::Received {
            received: self.index,
            originator: self.originator()?,
            incarnation: Incarnation(header.pre.incarnation),
            seq: proof.position.map(|p| self.seq(&p)).transpose()?,
            precedence: header.pre.precedence(),
            created_at: header.pre.created_at,
            keep_until: proof.keep_until,
            recalls: EnvelopeId::from_slice(&proof.recalls),
        };
        let mut changes = vec![RowChange::fresh(IdRow::key(&self.id()?), row.encode())];
        changes.extend(self.names(self.originator()?, &header.attachments)?);
        Ok(changes)
    }

    fn delivered(&self) -> Result<Vec<RowChange>, RowError> {
        let envelope_id = self.id()?;
        let id_key = IdRow::key(&envelope_id);
        let Some(IdRow::Received {
            received,
            originator,
            incarnation,
            seq: Some(seq),
            precedence,
            created_at,
            keep_until,
            recalls,
        }) = self.id_row(&id_key)?
        else {
            return Err(self.inconsistent("id"));
        };
        let inbox = InboxRow {
            envelope_id,
            received,
            originator,
            incarnation,
            seq,
            precedence,
            created_at,
            delivered_at: self.leaf.time,
            first_read: None,
            keep_until,
        };
        let id = IdRow::Held {
            received,
            outcome: self.index,
            kind: v1::LeafKind::Delivered,
        };
        let mut changes = vec![
            RowChange::fresh(InboxRow::key(self.index), inbox.encode()),
            RowChange::set(id_key, id.encode()),
            self.mark(originator, incarnation, seq)?,
        ];
        let delivered = self.index;
        changes.extend(due_row(
            keep_until,
            received,
            DueRow::Received { delivered },
        ));
        changes.extend(self.wanted(received)?);
        if delivered.0 != received.0 + 1 {
            let care = CareRow {
                delivered: Some(delivered),
                ..CareRow::default()
            };
            changes.push(RowChange::set(CareRow::key(received), care.encode()));
        }
        if let Some(recalls) = recalls {
            changes.extend(self.recall_taken(originator, &recalls, created_at)?);
        }
        Ok(changes)
    }

    /// An outcome here that is not a delivery.
    fn closed(&self) -> Result<Vec<RowChange>, RowError> {
        let (header, proof) = self.received_proof()?;
        let key = IdRow::key(&self.id()?);
        let received = match self.id_row(&key)? {
            Some(IdRow::Received { received, .. }) => received,
            Some(_) => return Err(self.inconsistent("id")),
            None => self.index,
        };
        let forgotten = self.unnamed(received)?;
        let id = IdRow::Held {
            received,
            outcome: self.index,
            kind: self.leaf.kind(),
        };
        let closed = ClosedRow::key(self.originator()?, self.index);
        let mut changes = vec![
            RowChange::set(key, id.encode()),
            RowChange::fresh(closed, ClosedRow.encode()),
        ];
        changes.extend(forgotten);
        if self.leaf.reason() == v1::Reason::RecalledByOriginator {
            let waited = WaitingRow::key(self.originator()?, &self.id()?);
            changes.push(RowChange::delete(waited));
        }
        if let Some(position) = proof.position {
            let incarnation = Incarnation(header.pre.incarnation);
            let seq = self.seq(&position)?;
            changes.push(self.mark(self.originator()?, incarnation, seq)?);
        }
        Ok(changes)
    }

    fn expired(&self) -> Result<Vec<RowChange>, RowError> {
        self.settle(self.leaf.kind(), |_| SentOutcome::Expired {
            leaf: self.index,
        })
    }

    fn receipt_taken(&self) -> Result<Vec<RowChange>, RowError> {
        let Some(Of::Receipt(receipt)) = self.proof()? else {
            return Err(self.lacks("receipt"));
        };
        let theirs = SignedBytes::<v1::Leaf>::parse("leaf", receipt.leaf, limits::LEAF);
        let theirs = theirs.map_err(|source| RowError::Malformed {
            index: self.index,
            source,
        })?;
        let taken = self.index;
        let at_peer = receipt.index;
        let reason = theirs.message().reason();
        let kind = theirs.message().kind();
        if kind == v1::LeafKind::Read {
            return self.read_there();
        }
        if kind == v1::LeafKind::Relayed {
            return self.relayed_there(theirs.message(), &receipt.checkpoint);
        }
        if kind == v1::LeafKind::Received {
            return self.file_arrived_there(theirs.message());
        }
        let outcome = |before: &SentTo| match kind {
            v1::LeafKind::Refused => SentOutcome::Refused { taken, reason },
            v1::LeafKind::Expired => SentOutcome::Expired { leaf: taken },
            v1::LeafKind::Recalled => SentOutcome::Recalled {
                taken,
                at_peer,
                delivered: match before.outcome {
                    SentOutcome::Delivered { taken, .. } => Some(taken),
                    _ => None,
                },
            },
            _ => SentOutcome::Delivered {
                taken,
                at_peer,
                life: Incarnation(theirs.message().incarnation),
            },
        };
        let known = [
            v1::LeafKind::Delivered,
            v1::LeafKind::Refused,
            v1::LeafKind::Expired,
            v1::LeafKind::Recalled,
        ];
        if !known.contains(&kind) {
            return Err(self.lacks("receipt of an outcome"));
        }
        let mut changes = self.settle(kind, outcome)?;
        if kind == v1::LeafKind::Refused {
            let (submitted, sent) = self.sent()?;
            changes.extend(self.to_seal_anew(reason, (submitted, &sent), self.recipient()?));
        }
        changes.extend(self.held(self.recipient()?, &receipt.checkpoint)?);
        Ok(changes)
    }

    fn read_there(&self) -> Result<Vec<RowChange>, RowError> {
        let party = self.recipient()?;
        let (submitted, mut sent) = self.sent()?;
        let to = sent.recipients.iter_mut().find(|to| to.party == party);
        to.ok_or_else(|| self.inconsistent("sent"))?.read = Some(self.index);
        Ok(vec![RowChange::set(SentRow::key(submitted), sent.encode())])
    }

    fn settle(
        &self,
        kind: v1::LeafKind,
        outcome: impl Fn(&SentTo) -> SentOutcome,
    ) -> Result<Vec<RowChange>, RowError> {
        let party = self.recipient()?;
        let (submitted, mut sent) = self.sent()?;
        let to = sent.recipients.iter_mut().find(|to| to.party == party);
        let to = to.ok_or_else(|| self.inconsistent("sent"))?;
        // Numbers of an earlier life are none of this one's streams.
        let ended = match sent.incarnation == self.life() {
            true => self.ended_by(kind, &to.outcome, (party, to.seq))?,
            false => None,
        };
        to.outcome = outcome(to);
        let queue = QueueRow::key(party, sent.precedence, to.queued);
        let mut changes = vec![
            RowChange::delete(queue),
            RowChange::set(SentRow::key(submitted), sent.encode()),
        ];
        changes.extend(ended);
        Ok(changes)
    }

    /// The receipt's checkpoint, if it is newer than the one held of that log. It was verified
    /// before it was journalled; here it is only read.
    fn held(&self, party: PartyCode, note: &Bytes) -> Result<Option<RowChange>, RowError> {
        let (incarnation, size, root) =
            read_checkpoint(note).ok_or_else(|| self.lacks("checkpoint"))?;
        let key = HeldRow::key(party);
        let before = self.get(&key)?.map(|v| HeldRow::decode(&v)).transpose()?;
        if before.is_some_and(|row| (row.incarnation, row.size) >= (incarnation, size)) {
            return Ok(None);
        }
        let row = HeldRow {
            incarnation,
            size,
            root,
            checkpoint: note.clone(),
        };
        Ok(Some(RowChange::set(key, row.encode())))
    }

    fn read(&self) -> Result<Vec<RowChange>, RowError> {
        let Some(IdRow::Held { outcome, .. }) = self.id_row(&IdRow::key(&self.id()?))? else {
            return Err(self.inconsistent("id"));
        };
        let key = InboxRow::key(outcome);
        let row = self.get(&key)?.ok_or_else(|| self.inconsistent("inbox"))?;
        let mut row = InboxRow::decode(&row)?;
        if row.first_read.is_some() {
            return Ok(Vec::new());
        }
        row.first_read = Some(self.index);
        let mut changes = vec![RowChange::set(key, row.encode())];
        if !self.leaf.seq_commit.is_empty() {
            let told = ToldRow::key(row.originator, self.index);
            changes.push(RowChange::fresh(told, ToldRow.encode()));
        }
        Ok(changes)
    }

    /// A newer roster; leaves of before there was a proof part say nothing that is asked for.
    fn adopted(&self) -> Result<Vec<RowChange>, RowError> {
        Ok(match self.proof()? {
            Some(Of::Adoption(_)) => vec![self.about_trust()],
            _ => Vec::new(),
        })
    }

    /// That this leaf is about the roster.
    fn about_trust(&self) -> RowChange {
        let row = TrustRow { leaf: self.index };
        RowChange::fresh(row.key(), row.encode())
    }

    fn sent(&self) -> Result<(LeafIndex, SentRow), RowError> {
        let Some(IdRow::Sent { submitted }) = self.id_row(&IdRow::key(&self.id()?))? else {
            return Err(self.inconsistent("id"));
        };
        let row = self.get(&SentRow::key(submitted))?;
        let row = row.ok_or_else(|| self.inconsistent("sent"))?;
        Ok((submitted, SentRow::decode(&row)?))
    }

    fn id_row(&self, key: &[u8]) -> Result<Option<IdRow>, RowError> {
        self.get(key)?.map(|v| IdRow::decode(&v)).transpose()
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, RowError> {
        self.before
            .row(key)
            .map_err(|e| RowError::View(e.to_string()))
    }

    fn proof(&self) -> Result<Option<Of>, RowError> {
        let index = self.index;
        let proof = self.record.proof();
        let proof = proof.map_err(|source| RowError::Malformed { index, source })?;
        Ok(proof.and_then(|proof| proof.of))
    }

    fn received_proof(&self) -> Result<(Header, v1::ReceivedProof), RowError> {
        let Some(Of::Received(proof)) = self.proof()? else {
            return Err(self.lacks("received proof"));
        };
        Ok((self.header(&proof.hdr)?, proof))
    }

    /// Tolerant: what was refused for its encoding is journalled as it came.
    fn header(&self, bytes: &Bytes) -> Result<Header, RowError> {
        let index = self.index;
        let bad = |source| RowError::Malformed { index, source };
        let hdr: v1::Hdr = abeng_wire::decode_tolerant("HDR", bytes, limits::HDR).map_err(bad)?;
        let pre: v1::Pre =
            abeng_wire::decode_tolerant("PRE", &hdr.pre, limits::PRE).map_err(bad)?;
        // A refused envelope may have no TRL that can be read; only what was sent needs its size.
        let trl = abeng_wire::decode_tolerant::<v1::Trl>("TRL", &hdr.trl, limits::PRE);
        let trl = trl.unwrap_or_default();
        Ok(Header {
            pre,
            body_length: trl.body_length,
            attachments: trl.attachments,
            hdr_length: bytes.len(),
        })
    }

    fn id(&self) -> Result<EnvelopeId, RowError> {
        let id = EnvelopeId::from_slice(&self.leaf.envelope_id);
        id.ok_or_else(|| self.lacks("envelope id"))
    }

    /// The life of this log.
    fn life(&self) -> Incarnation {
        Incarnation(self.leaf.incarnation)
    }

    fn recipient(&self) -> Result<PartyCode, RowError> {
        PartyCode::new(&self.leaf.recipient).map_err(|_| self.lacks("recipient"))
    }

    fn originator(&self) -> Result<PartyCode, RowError> {
        PartyCode::new(&self.leaf.originator).map_err(|_| self.lacks("originator"))
    }

    fn seq(&self, position: &v1::StreamPosition) -> Result<StreamSeq, RowError> {
        StreamSeq::new(position.stream_seq).ok_or_else(|| self.lacks("stream number"))
    }

    fn lacks(&self, what: &'static str) -> RowError {
        RowError::Leaf {
            index: self.index,
            what,
        }
    }

    fn inconsistent(&self, row: &'static str) -> RowError {
        RowError::Inconsistent {
            index: self.index,
            row,
        }
    }
}

/// When a record falls due; nothing where no time is known.
fn due_row(due: Millis, record: LeafIndex, row: DueRow) -> Option<RowChange> {
    (due != 0).then(|| RowChange::fresh(DueRow::key(due, record), row.encode()))
}

/// Incarnation, size and root of a checkpoint: the first three lines of the note, C2SP
/// tlog-checkpoint. The origin ends in the incarnation, 16 hex digits.
fn read_checkpoint(note: &[u8]) -> Option<(Incarnation, u64, LeafHash)> {
    let mut lines = std::str::from_utf8(note).ok()?.lines();
    let (_, incarnation) = lines.next()?.rsplit_once('/')?;
    let incarnation = Incarnation(u64::from_str_radix(incarnation, 16).ok()?);
    let size = lines.next()?.parse().ok()?;
    let root = data_encoding::BASE64
        .decode(lines.next()?.as_bytes())
        .ok()?;
    Some((incarnation, size, LeafHash::from_slice(&root)?))
}
