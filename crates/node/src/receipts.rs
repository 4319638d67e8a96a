//! Receipts that come back: every rule checked before the engine hears of one.

use crate::shared::{Shared, lock};
use abeng_audit_log::{
    Checkpoint, ConsistencyError, Expect, LogOrigin, NoteError, ReceiptError, hashes,
    receipt as receipts,
};
use abeng_link::Link;
use abeng_queue::{Input, Proven};
use abeng_roster::Roster;
use abeng_wire::{EnvelopeId, LeafIndex, PartyCode, SignedBytes, limits, v1};
use bytes::Bytes;
use std::sync::Arc;

/// A checkpoint by the log keys of the party that its origin names.
pub fn verify_checkpoint(
    roster: &Roster,
    note: &Bytes,
) -> Result<(PartyCode, Checkpoint), NoteError> {
    let checkpoint = Checkpoint::verify_by_roster(note, roster)?;
    let origin = LogOrigin::parse(checkpoint.origin())?;
    Ok((origin.party, checkpoint))
}

/// Why a frame of receipts is not taken.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error("{found} receipts, or a checkpoint of {size} bytes, are over the limit")]
    TooMany { found: usize, size: usize },
    #[error(transparent)]
    Note(#[from] NoteError),
    #[error("the checkpoint continues {old} leaves, but {held} are held here")]
    OutOfStep { old: u64, held: u64 },
    #[error("the consistency proof is malformed")]
    Proof,
    #[error(transparent)]
    Consistency(#[from] ConsistencyError),
    #[error("the checkpoint is of an older life of that log")]
    OlderLife,
}

impl Shared {
    /// A frame of receipts under one checkpoint.
    pub async fn take_receipts(self: &Arc<Self>, link: &Link, frame: v1::Receipts) {
        let peer = link.peer();
        let trust = self.trust();
        let checkpoint = match self.believe(&trust.roster, &frame) {
            Ok(checkpoint) => checkpoint,
            Err(why) => {
                self.metrics
                    .receipts_rejected
                    .inc_by(frame.receipts.len() as u64);
                if let NotTaken::Consistency(ConsistencyError::Contradiction { size }) = &why {
                    self.metrics.checkpoint_contradictions.inc();
                    tracing::error!(%peer, size, "CONTRADICTION: two checkpoints of one log that cannot both be true");
                }
                tracing::warn!(%peer, %why, "receipts not taken; the envelopes stay queued");
                // In step again after the next hello, which names what is held.
                return link.close("receipts do not continue the checkpoint held");
            }
        };
        for receipt in frame.receipts {
            if let Err(why) = self
                .take_receipt(peer, receipt, &checkpoint, &trust.roster)
                .await
            {
                self.metrics.receipts_rejected.inc();
                tracing::warn!(%peer, %why, "a receipt was not taken; the envelope stays queued");
            }
        }
    }

    /// The frame's checkpoint, if it continues the newest one held of that log.
    fn believe(&self, roster: &Roster, frame: &v1::Receipts) -> Result<Checkpoint, NotTaken> {
        let (found, size) = (frame.receipts.len(), frame.checkpoint.len());
        if found > limits::RECEIPTS || size > limits::CHECKPOINT {
            return Err(NotTaken::TooMany { found, size });
        }
        // Many frames stand under one checkpoint; its signature is checked once.
        let known = lock(&self.held)
            .values()
            .find(|c| c.note() == &frame.checkpoint)
            .cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let (party, checkpoint) = verify_checkpoint(roster, &frame.checkpoint)?;
        let mut held = lock(&self.held);
        match held.get(&party) {
            Some(before) if before.origin() == checkpoint.origin() => {
                if before.size() != frame.old_size && before.size() != checkpoint.size() {
                    return Err(NotTaken::OutOfStep {
                        old: frame.old_size,
                        held: before.size(),
                    });
                }
                let proof = hashes(&frame.consistency).ok_or(NotTaken::Proof)?;
                let proof = if before.size() == checkpoint.size() {
                    Vec::new()
                } else {
                    proof
                };
                checkpoint.consistent_with(before, &proof)?;
            }
            Some(before) if incarnation(before) > incarnation(&checkpoint) => {
                return Err(NotTaken::OlderLife);
            }
            Some(_) => {
                tracing::warn!(%party, origin = checkpoint.origin(), "the peer's log has begun a new life")
            }
            None => {}
        }
        if held
            .get(&party)
            .is_none_or(|b| b.origin() != checkpoint.origin() || b.size() < checkpoint.size())
        {
            held.insert(party, checkpoint.clone());
        }
        Ok(checkpoint)
    }

    async fn take_receipt(
        self: &Arc<Self>,
        from: PartyCode,
        mut receipt: v1::Receipt,
        checkpoint: &Checkpoint,
        roster: &Roster,
    ) -> Result<(), TakeError> {
        // Decoded only to find what it speaks of; verified as a whole below.
        let leaf = SignedBytes::<v1::Leaf>::parse("leaf", receipt.leaf.clone(), limits::LEAF)
            .map_err(ReceiptError::from)?;
        let unknown = TakeError::Unknown;
        let envelope_id = EnvelopeId::from_slice(&leaf.message().envelope_id).ok_or(unknown)?;
        let recipient =
            PartyCode::new(&leaf.message().recipient).map_err(|_| TakeError::Unknown)?;
        let (submitted, sent) = self
            .find_sent(&envelope_id)
            .await
            .ok_or(TakeError::Unknown)?;
        let (place, to) = sent.place(submitted, recipient).ok_or(TakeError::Unknown)?;
        let expect = Expect {
            roster,
            envelope_id,
            originator: self.me,
            recipient,
            seq_commit: to.seq_commit,
        };
        let proof = receipts::verify(&receipt, checkpoint, &expect)?;
        receipt.checkpoint = checkpoint.note().clone();
        let proven = Box::new(Proven {
            from,
            place,
            envelope_id,
            seq_commit: to.seq_commit,
            kind: proof.kind,
            reason: proof.leaf.message().reason(),
            receipt,
            settled: None,
            // What is still queued needs no look-up; what is not comes back for one.
            looked: LeafIndex(0),
        });
        self.core.give(Input::ReceiptProven(proven)).await;
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
enum TakeError {
    #[error("it is about no envelope of ours")]
    Unknown,
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
}

fn incarnation(checkpoint: &Checkpoint) -> Option<u64> {
    LogOrigin::parse(checkpoint.origin())
        .ok()
        .map(|o| o.incarnation.0)
}
