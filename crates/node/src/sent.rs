//! Envelopes of ours, from memory or from the journal.

use crate::{
    recent::{SentEnvelope, SentTo},
    shared::Shared,
};
use abeng_audit_log::ReadError;
use abeng_queue::{
    Custody, Place, Proven,
    rows::{IdRow, RELAYED_KEPT, SentOutcome, SentRow},
};
use abeng_seal::{envelope_id, seq_commit};
use abeng_wire::{
    EnvelopeId, Incarnation, LeafIndex, PartyCode, SignedBytes, StreamSeq, encode, limits, v1,
};
use bytes::Bytes;
use std::sync::Arc;

impl Shared {
    /// The envelope submitted at a leaf, put together from its record.
    pub fn load_sent(&self, submitted: LeafIndex) -> Result<Arc<SentEnvelope>, ReadError> {
        if let Some(sent) = self.recent.at(submitted) {
            return Ok(sent);
        }
        let damaged = |what: &str| ReadError::Damaged {
            file: "journal".to_owned(),
            offset: 0,
            what: format!("leaf {submitted} {what}"),
        };
        let record = self.reader.read(submitted)?.record;
        let proof = record
            .proof()
            .map_err(|e| damaged(&e.to_string()))?
            .and_then(|p| p.of);
        let Some(v1::proof_part::Of::Submitted(proof)) = proof else {
            return Err(damaged("is not a submission"));
        };
        let body = record.body().map_err(|e| damaged(&e.to_string()))?;
        if body.is_none() && !record.is_scrubbed() {
            return Err(damaged("has no body"));
        }
        let hdr: v1::Hdr = abeng_wire::decode("HDR", &proof.hdr, limits::HDR)
            .map_err(|e| damaged(&e.to_string()))?;
        let pre = SignedBytes::<v1::Pre>::parse("PRE", hdr.pre, limits::PRE)
            .map_err(|e| damaged(&e.to_string()))?;
        let mut to = Vec::new();
        for (nth, recipient) in pre.message().recipients.iter().enumerate() {
            let queued = self
                .reader
                .read(LeafIndex(submitted.0 + 1 + nth as u64))?
                .record;
            let position = queued
                .proof()
                .map_err(|e| damaged(&e.to_string()))?
                .and_then(|p| p.of);
            let Some(v1::proof_part::Of::Queued(position)) = position else {
                return Err(damaged("is not followed by its queue leaves"));
            };
            let party = PartyCode::new(&recipient.party).map_err(|e| damaged(&e.to_string()))?;
            let seq = StreamSeq::new(position.stream_seq)
                .ok_or_else(|| damaged("has stream number 0"))?;
            let blind = position.blind[..]
                .try_into()
                .map_err(|_| damaged("has no blind"))?;
            to.push(SentTo {
                party,
                seq,
                seq_commit: seq_commit(&blind, seq),
            });
        }
        let (precedence, expires_at) = (pre.message().precedence(), pre.message().expires_at);
        let id = envelope_id(&proof.hdr);
        let (hdr, sig) = (proof.hdr, proof.sig);
        let frame = body.map(|body| {
            encode(&v1::Envelope {
                hdr,
                sig,
                stanzas: body.stanzas,
                body: body.body,
            })
        });
        let sent = Arc::new(SentEnvelope {
            id,
            frame: frame.unwrap_or_default(),
            incarnation: Incarnation(pre.message().incarnation),
            precedence,
            expires_at,
            to,
        });
        self.recent.keep(submitted, sent.clone());
        Ok(sent)
    }

    /// An envelope of ours by its id, with its Submitted leaf.
    pub async fn find_sent(
        self: &Arc<Self>,
        id: &EnvelopeId,
    ) -> Option<(LeafIndex, Arc<SentEnvelope>)> {
        if let Some(found) = self.recent.of(id) {
            return Some(found);
        }
        let row = self.view.get(&IdRow::key(id)).await.ok().flatten()?;
        let IdRow::Sent { submitted } = IdRow::decode(&row).ok()? else {
            return None;
        };
        let shared = self.clone();
        let sent = tokio::task::spawn_blocking(move || shared.load_sent(submitted))
            .await
            .ok()?
            .ok()?;
        Some((submitted, sent))
    }

    /// What became of one of our envelopes at a recipient: the ReceiptTaken leaf, where there is one.
    pub async fn settled_leaf(&self, proven: &Proven) -> Option<LeafIndex> {
        let recipient = proven.place.recipient;
        if proven.place.is_carried() {
            let row = self.carried_row(&proven.envelope_id, recipient).await?;
            return row.outcome;
        }
        let row = self
            .view
            .get(&SentRow::key(proven.place.submitted))
            .await
            .ok()
            .flatten()?;
        let row = SentRow::decode(&row).ok()?;
        if proven.kind == v1::LeafKind::Relayed {
            // Of each relay once, and of no more than are kept.
            let mut said: Vec<_> = row.relayed_to(recipient).collect();
            if said.len() < RELAYED_KEPT {
                said.retain(|said| said.relay == proven.from);
            }
            return said.last().map(|said| said.taken);
        }
        let to = row
            .recipients
            .iter()
            .find(|to| to.party == proven.place.recipient)?;
        if proven.kind == v1::LeafKind::Read {
            return to.read;
        }
        if proven.kind == v1::LeafKind::Received {
            return self.settled_file(proven).await;
        }
        match to.outcome {
            // The proof that it is deleted comes after that of its delivery.
            SentOutcome::Delivered { .. } if proven.kind == v1::LeafKind::Recalled => None,
            SentOutcome::Delivered { taken, .. }
            | SentOutcome::Refused { taken, .. }
            | SentOutcome::Recalled { taken, .. } => Some(taken),
            // A receipt still counts after the end of its life here.
            _ => None,
        }
    }
}

impl SentEnvelope {
    /// The envelope as it travels to one recipient: the stanzas of the others are pruned, since
    /// their hashes stay signed. With one recipient these are the very bytes that were sealed.
    pub fn frame_for(&self, recipient: PartyCode) -> Bytes {
        if self.to.len() < 2 {
            return self.frame.clone();
        }
        let Ok(mut envelope) =
            abeng_wire::decode_tolerant::<v1::Envelope>("envelope", &self.frame, limits::ENVELOPE)
        else {
            return self.frame.clone();
        };
        for (to, stanza) in self.to.iter().zip(&mut envelope.stanzas) {
            if to.party != recipient {
                *stanza = Bytes::new();
            }
        }
        encode(&envelope)
    }

    /// Where it is queued for a recipient, or was.
    pub fn place(&self, submitted: LeafIndex, recipient: PartyCode) -> Option<(Place, &SentTo)> {
        let nth = self.to.iter().position(|to| to.party == recipient)?;
        let to = &self.to[nth];
        let place = Place {
            custody: Custody::Own {
                life: self.incarnation,
                seq: to.seq,
            },
            recipient,
            precedence: self.precedence,
            submitted,
            queued: LeafIndex(submitted.0 + 1 + nth as u64),
        };
        Some((place, to))
    }
}
