//! Receipts that come back: every rule checked before the engine hears of one.

use crate::{
    clock,
    shared::{Shared, lock},
};
use abeng_audit_log::{
    Checkpoint, Contradiction, Expect, LogOrigin, NoteError, Outside, ReceiptError,
    logs::{Held, Met},
    receipt::{self as receipts, FrameError},
};
use abeng_link::Link;
use abeng_queue::{Input, Place, Proven};
use abeng_roster::Roster;
use abeng_wire::{Digest, EnvelopeId, LeafIndex, PartyCode, SignedBytes, limits, v1};
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
    #[error("the checkpoint is not of the log that the peer's hello names")]
    OtherLog,
    #[error(
        "the peer begins at nothing, but {held} leaves of its log are held here: it does not know its own log"
    )]
    Forgotten { held: u64 },
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("the log contradicts itself")]
    Contradiction(Box<Contradiction>),
    #[error("the checkpoint is of an older life of that log")]
    OlderLife,
}

impl Shared {
    /// A frame of receipts under one checkpoint.
    pub async fn take_receipts(self: &Arc<Self>, link: &Link, frame: v1::Receipts) {
        let peer = link.peer();
        let (trust, count) = (self.trust(), frame.receipts.len());
        let (checkpoint, receipts) = match self.believe(link, &trust.roster, frame) {
            Ok(believed) => believed,
            Err(why) => {
                self.metrics.receipts_rejected.inc_by(count as u64);
                tracing::warn!(%peer, %why, "receipts not taken; the envelopes stay queued");
                match why {
                    NotTaken::Contradiction(proof) => self.keep_contradiction(*proof).await,
                    // The owner is asked to explain itself; the receipts come again.
                    NotTaken::Forgotten { .. } => self.ask_owner(link),
                    // In step again after the next hello, which names what is held.
                    _ => link.close("receipts do not continue the checkpoint held"),
                }
                return;
            }
        };
        let mut unknown = 0_u64;
        for receipt in receipts {
            let taken = self.take_receipt(peer, receipt, &checkpoint, &trust.roster);
            match taken.await {
                Ok(()) => {}
                // After a restore from keys alone peers send those of an earlier life again.
                Err(TakeError::Unknown) => unknown += 1,
                Err(why) => {
                    self.metrics.receipts_rejected.inc();
                    tracing::warn!(%peer, %why, "a receipt was not taken; the envelope stays queued");
                }
            }
        }
        if unknown > 0 {
            tracing::debug!(%peer, receipts = unknown, "receipts about nothing that is known here: it went with an earlier life of this log");
        }
    }

    /// The frame's checkpoint and its receipts with their whole paths, if all of it continues the
    /// compact range held of that log. Only the log's owner moves what is held, on its own link.
    fn believe(
        &self,
        link: &Link,
        roster: &Roster,
        frame: v1::Receipts,
    ) -> Result<(Checkpoint, Vec<v1::Receipt>), NotTaken> {
        let (found, size) = (frame.receipts.len(), frame.checkpoint.len());
        if found > limits::RECEIPTS || size > limits::CHECKPOINT {
            return Err(NotTaken::TooMany { found, size });
        }
        let origin = LogOrigin::of_note(&frame.checkpoint)?;
        if origin.party != link.peer() || origin.incarnation.0 != link.hello().incarnation {
            return Err(NotTaken::OtherLog);
        }
        let mut logs = lock(&self.logs);
        let held = logs.held(origin);
        // Many frames stand under one checkpoint; its signature is checked once.
        let known = held.filter(|held| *held.checkpoint.note() == frame.checkpoint);
        let checkpoint = match known {
            Some(known) => known.checkpoint.clone(),
            None => verify_checkpoint(roster, &frame.checkpoint)?.1,
        };
        let range = held.map(|held| held.range.clone()).unwrap_or_default();
        if frame.old_size == 0 && range.size() > 0 {
            let held = range.size();
            self.met(logs.meet(origin, link.peer(), &checkpoint))?;
            return Err(NotTaken::Forgotten { held });
        }
        let (range, receipts) = match receipts::expand(frame, &checkpoint, &range) {
            Ok(expanded) => expanded,
            Err(why) => {
                self.met(logs.meet(origin, link.peer(), &checkpoint))?;
                return Err(why.into());
            }
        };
        let outside = Outside::HeldCheckpoint {
            origin: origin.to_string(),
            note: checkpoint.note().clone(),
            peaks: range.peaks().to_vec(),
        };
        let grown = logs
            .held(origin)
            .is_none_or(|held| held.range.size() < range.size());
        let held = Held {
            checkpoint: checkpoint.clone(),
            range,
        };
        self.met(logs.hold(origin, held))?;
        if grown && logs.keep_due(origin.party, clock::mono()) {
            self.core.keep(outside);
        }
        Ok((checkpoint, receipts))
    }

    fn met(&self, met: Met) -> Result<(), NotTaken> {
        match met {
            Met::Good | Met::Open => Ok(()),
            Met::Closed => Err(NotTaken::OlderLife),
            Met::Contradiction(proof) => Err(NotTaken::Contradiction(proof)),
        }
    }

    /// One receipt under a verified checkpoint, which `from` brought: of one of our own notices, or
    /// of what is carried here for others, which only its recipient's own link may settle.
    pub async fn take_receipt(
        self: &Arc<Self>,
        from: PartyCode,
        receipt: v1::Receipt,
        checkpoint: &Checkpoint,
        roster: &Roster,
    ) -> Result<(), TakeError> {
        let proven = self
            .prove_receipt(from, receipt, checkpoint, roster)
            .await?;
        if self.pass_on(&proven) {
            if proven.kind == v1::LeafKind::Received {
                self.carried_arrived(&proven).await;
            }
            return Ok(());
        }
        self.core
            .give_from(from, Input::ReceiptProven(proven))
            .await;
        Ok(())
    }

    /// A receipt with its whole path, by every rule but that of its checkpoint.
    pub async fn prove_receipt(
        self: &Arc<Self>,
        from: PartyCode,
        mut receipt: v1::Receipt,
        checkpoint: &Checkpoint,
        roster: &Roster,
    ) -> Result<Box<Proven>, TakeError> {
        // Decoded only to find what it speaks of; verified as a whole below.
        let leaf = SignedBytes::<v1::Leaf>::parse("leaf", receipt.leaf.clone(), limits::LEAF)
            .map_err(ReceiptError::from)?;
        let unknown = TakeError::Unknown;
        let envelope_id = EnvelopeId::from_slice(&leaf.message().envelope_id).ok_or(unknown)?;
        let recipient =
            PartyCode::new(&leaf.message().recipient).map_err(|_| TakeError::Unknown)?;
        let about = self.about(&envelope_id, recipient, from).await;
        let (place, originator, seq_commit) = about.ok_or(TakeError::Unknown)?;
        let expect = Expect {
            roster,
            envelope_id,
            originator,
            recipient,
            seq_commit,
        };
        let proof = receipts::verify(&receipt, checkpoint, &expect)?;
        let about = &proof.leaf.message().subject;
        if proof.kind == v1::LeafKind::Received && !self.names_file(place, about).await {
            return Err(TakeError::Unknown);
        }
        receipt.checkpoint = checkpoint.note().clone();
        Ok(Box::new(Proven {
            from,
            place,
            envelope_id,
            originator,
            seq_commit,
            kind: proof.kind,
            reason: proof.leaf.message().reason(),
            receipt,
            settled: None,
            // What is still queued needs no look-up; what is not comes back for one.
            looked: LeafIndex(0),
        }))
    }

    /// What a receipt is about: the place, the originator, and the recipient's commitment in PRE.
    async fn about(
        self: &Arc<Self>,
        id: &EnvelopeId,
        recipient: PartyCode,
        from: PartyCode,
    ) -> Option<(Place, PartyCode, Digest)> {
        if let Some((submitted, sent)) = self.find_sent(id).await {
            let (place, to) = sent.place(submitted, recipient)?;
            return Some((place, self.me, to.seq_commit));
        }
        if from != recipient {
            return None;
        }
        let row = self.carried_row(id, recipient).await?;
        let place = Place::carried(recipient, row.precedence, row.relayed);
        Some((place, row.originator, row.seq_commit))
    }
}

/// Why one receipt is not taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// Nobody asked for it.
    #[error("it is about no envelope of ours, and of none that is carried here")]
    Unknown,
    /// It proves nothing.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
}
