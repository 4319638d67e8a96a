//! What recipients say, on its way back through a relay.
//!
//! The relay hands on the very receipt that it verified and kept: whole, so that the originator
//! believes it on the recipient's signature alone.

use super::is_relay;
use crate::{
    receipts::verify_checkpoint,
    shared::{Shared, lock},
};
use abeng_audit_log::{Checkpoint, LogOrigin, NoteError, ReadError, logs::Met, receipt::Outcome};
use abeng_link::Link;
use abeng_queue::Proven;
use abeng_wire::{LeafIndex, PartyCode, SignedBytes, limits, prost::Message, v1};
use std::sync::Arc;

/// Relays that one receipt goes over at a time.
const TOLD_OVER: usize = 2;

/// What comes after an outcome and changes nothing about it.
fn is_afterwards(kind: v1::LeafKind) -> bool {
    use v1::LeafKind::{Read, Recalled, Received};
    // Received, where it is what a receipt is of, is about a file.
    matches!(kind, Read | Recalled | Received)
}

/// Why a receipt that a relay brought is not taken.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error("a receipt of {0} bytes is over the limit")]
    TooLarge(usize),
    #[error(transparent)]
    Malformed(#[from] abeng_wire::Malformed),
    #[error(transparent)]
    Note(#[from] NoteError),
    #[error("it is a relay's own word, or not the recipient's")]
    NotTheRecipients,
    #[error("its checkpoint contradicts what is known of that log")]
    Contradiction,
    #[error("its checkpoint is of an older life of that log")]
    OlderLife,
    #[error(transparent)]
    Receipt(#[from] crate::receipts::TakeError),
}

impl Shared {
    /// Hands the receipts that these leaves keep to whoever brought the envelopes.
    pub fn hand_on(&self, link: &Link, leaves: &[LeafIndex]) -> Result<(), ReadError> {
        let (mut frame, mut size) = (v1::CarriedReceipts::default(), 0);
        let send = |frame: &mut v1::CarriedReceipts, size: &mut usize| {
            *size = 0;
            let full = std::mem::take(frame);
            self.metrics
                .carried_receipts
                .inc_by(full.receipts.len() as u64);
            link.control(v1::control::Frame::CarriedReceipts(full));
        };
        for &leaf in leaves {
            let Some(receipt) = self.kept_receipt(leaf)? else {
                continue;
            };
            let more = receipt.encoded_len();
            let full = frame.receipts.len() >= limits::CARRIED_RECEIPTS
                || size + more > limits::CARRIED_RECEIPTS_BYTES;
            if full && !frame.receipts.is_empty() {
                send(&mut frame, &mut size);
            }
            size += more;
            frame.receipts.push(receipt);
        }
        if !frame.receipts.is_empty() {
            send(&mut frame, &mut size);
        }
        Ok(())
    }

    /// The receipt that a ReceiptTaken leaf keeps, whole, with its checkpoint.
    pub fn kept_receipt(&self, leaf: LeafIndex) -> Result<Option<v1::Receipt>, ReadError> {
        let record = self.reader.read(leaf)?.record;
        let proof = record.proof().ok().flatten().and_then(|p| p.of);
        Ok(match proof {
            Some(v1::proof_part::Of::Receipt(receipt)) => Some(receipt),
            _ => None,
        })
    }

    /// What was opened or taken back, or which file came, of what is carried here: passed on, and not kept, since it
    /// ends nothing here and its recipient tells it again on every link. Says whether it was that.
    pub fn pass_on(&self, proven: &Proven) -> bool {
        if !proven.place.is_carried() || !is_afterwards(proven.kind) {
            return false;
        }
        if let Some(link) = self.links.link(proven.originator) {
            let receipts = vec![proven.receipt.clone()];
            let frame = v1::CarriedReceipts { receipts };
            self.metrics.carried_receipts.inc();
            link.control(v1::control::Frame::CarriedReceipts(frame));
        }
        true
    }

    /// Tells an originator that is not linked, over relays that reach it, what came after the
    /// outcome. The outcome itself goes to whoever brought the envelope.
    pub fn receipts_over_relays(
        &self,
        originator: PartyCode,
        outcomes: &[Outcome],
        checkpoint: &Checkpoint,
    ) -> Result<(), ReadError> {
        let later = |o: &&Outcome| is_afterwards(o.0.fact().message().kind());
        let outcomes: Vec<Outcome> = outcomes.iter().filter(later).cloned().collect();
        if outcomes.is_empty() {
            return Ok(());
        }
        for link in self.relays_reaching(originator).iter().take(TOLD_OVER) {
            self.receipts_on(link, &outcomes, checkpoint)?;
        }
        Ok(())
    }

    /// Receipts of recipients that a relay brings.
    pub async fn take_carried_receipts(self: &Arc<Self>, link: &Link, frame: v1::CarriedReceipts) {
        let peer = link.peer();
        if !is_relay(&self.trust().roster, peer) {
            tracing::warn!(%peer, "brings receipts of others, and is no relay in the roster here");
            return;
        }
        let count = frame.receipts.len();
        if count > limits::CARRIED_RECEIPTS {
            tracing::warn!(%peer, count, "brings more receipts at once than are allowed");
            return;
        }
        for receipt in frame.receipts {
            if let Err(why) = self.take_carried_receipt(peer, receipt).await {
                self.metrics.receipts_rejected.inc();
                tracing::warn!(%peer, %why, "a receipt that a relay brought was not taken; the envelope stays queued");
            }
        }
    }

    async fn take_carried_receipt(
        self: &Arc<Self>,
        relay: PartyCode,
        receipt: v1::Receipt,
    ) -> Result<(), NotTaken> {
        let size = receipt.encoded_len();
        if size > limits::RECEIPT || receipt.checkpoint.len() > limits::CHECKPOINT {
            return Err(NotTaken::TooLarge(size));
        }
        let leaf = SignedBytes::<v1::Leaf>::parse("leaf", receipt.leaf.clone(), limits::LEAF)?;
        let trust = self.trust();
        let (owner, checkpoint) = verify_checkpoint(&trust.roster, &receipt.checkpoint)?;
        let says = leaf.message();
        if says.kind() == v1::LeafKind::Relayed || says.recipient != owner.as_str() {
            return Err(NotTaken::NotTheRecipients);
        }
        let origin = LogOrigin::parse(checkpoint.origin())?;
        let met = lock(&self.logs).meet(origin, relay, &checkpoint);
        match met {
            Met::Good | Met::Open => {}
            Met::Closed => return Err(NotTaken::OlderLife),
            Met::Contradiction(proof) => {
                self.keep_contradiction(*proof).await;
                return Err(NotTaken::Contradiction);
            }
        }
        Ok(self
            .take_receipt(relay, receipt, &checkpoint, &trust.roster)
            .await?)
    }
}
