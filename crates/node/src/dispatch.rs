//! The dispatch thread: carries out what waited for the disk, in order.
//!
//! It takes only what the journal has released, so nothing leaves before it is durable.

use crate::{
    desk::Ended,
    metrics::Kind,
    shared::{Shared, lock},
    writer::Done,
};
use abeng_api::{DeliveredEvent, SettledEvent};
use abeng_audit_log::{Checkpoint, Durable, Leaf, Outside, ReadError, Released, receipt};
use abeng_queue::Gated;
use abeng_wire::{LeafIndex, Mono, PartyCode, v1};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, atomic::Ordering, mpsc},
    thread::{self, JoinHandle},
};

/// Receipts in one frame: in a log of 2^40 leaves each has less than 3.1 KiB, so that a frame stays
/// below [`abeng_wire::limits::CONTROL`].
const RECEIPTS_AT_ONCE: usize = 64;

/// Starts the thread. It ends with the journal thread.
pub fn spawn(shared: Arc<Shared>, done: mpsc::Receiver<Done>) -> io::Result<JoinHandle<()>> {
    thread::Builder::new()
        .name("abeng-dispatch".into())
        .spawn(move || {
            let _broken = shared.fatal.guard("the dispatch thread");
            while let Ok(batch) = done.recv() {
                if let Err(e) = dispatch(&shared, batch) {
                    tracing::error!(error = %e, "the journal cannot be read back; this node stops");
                    shared.fatal.stop(&e.to_string());
                    return;
                }
            }
        })
}

/// What one batch has for those who wait.
struct Round<'a> {
    shared: &'a Arc<Shared>,
    at: Mono,
    facts: BTreeMap<LeafIndex, Durable<Leaf>>,
    receipts: BTreeMap<PartyCode, Vec<LeafIndex>>,
    delivered: Vec<DeliveredEvent>,
    settled: Vec<SettledEvent>,
}

fn dispatch(shared: &Arc<Shared>, batch: Done) -> Result<(), ReadError> {
    let mut round = Round {
        shared,
        at: batch.at,
        facts: BTreeMap::new(),
        receipts: BTreeMap::new(),
        delivered: Vec::new(),
        settled: Vec::new(),
    };
    for step in batch.settled {
        round
            .facts
            .extend(step.facts.into_iter().map(|fact| (fact.index(), fact)));
        for effect in step.gated {
            round.carry_out(effect)?;
        }
    }
    shared.delivered.push(round.delivered);
    shared.settled.push(round.settled);
    if !round.receipts.is_empty() {
        shared.send_receipts(batch.size, &round.facts, round.receipts)?;
    }
    Ok(())
}

impl Round<'_> {
    fn carry_out(&mut self, effect: Released<Gated>) -> Result<(), ReadError> {
        let shared = self.shared;
        match effect.into_inner() {
            Gated::Submitted {
                ticket,
                envelope_id: id,
                submitted,
            } => {
                if let Some(sent) = shared.desk.take_sent(ticket) {
                    shared.recent.keep(submitted, sent);
                }
                shared.metrics.submitted.inc();
                shared.desk.end(
                    ticket,
                    Ended::Submitted {
                        id,
                        leaf: submitted,
                    },
                );
            }
            Gated::Failed { ticket } => shared.desk.end(ticket, Ended::Failed),
            Gated::Noted { ticket, leaf } => shared.desk.end(ticket, Ended::Noted { leaf }),
            Gated::Forward {
                peer,
                session,
                submitted,
                precedence,
            } => {
                self.forward(peer, session, submitted, precedence)?;
            }
            Gated::Receipt { peer, outcome } => {
                self.receipts.entry(peer).or_default().push(outcome)
            }
            Gated::Delivered {
                envelope_id,
                outcome,
            } => {
                shared.metrics.delivered.inc();
                shared.inbox.total.fetch_add(1, Ordering::Relaxed);
                let (leaf, id) = (outcome.0, envelope_id.to_string());
                self.delivered.push(DeliveredEvent {
                    leaf,
                    id,
                    mono_ns: self.at.0,
                });
            }
            Gated::Settled {
                envelope_id,
                recipient,
                kind,
                leaf,
            } => {
                let label = kind.as_str_name().to_lowercase();
                shared
                    .metrics
                    .receipts_taken
                    .get_or_create(&Kind { kind: label })
                    .inc();
                self.settled.push(SettledEvent {
                    leaf: leaf.0,
                    id: envelope_id.to_string(),
                    recipient: recipient.to_string(),
                    kind: kind.as_str_name().to_owned(),
                    mono_ns: self.at.0,
                });
            }
        }
        Ok(())
    }

    /// Puts an envelope on its link, if that is still the same one. Otherwise the engine has it
    /// queued again already.
    fn forward(
        &self,
        peer: PartyCode,
        session: u64,
        submitted: LeafIndex,
        precedence: v1::Precedence,
    ) -> Result<(), ReadError> {
        let Some(link) = self.shared.links.session(peer, session) else {
            return Ok(());
        };
        let sent = self.shared.load_sent(submitted)?;
        if sent.frame.is_empty() {
            // Nothing is scrubbed before its life is over; the engine ends it at its next tick.
            tracing::error!(leaf = %submitted, "what is to be sent has no content any more");
            return Ok(());
        }
        self.shared.metrics.forwarded.inc();
        link.send(precedence, sent.frame_for(peer));
        Ok(())
    }
}

impl Shared {
    /// One receipt frame per peer, all under one checkpoint of the size that is durable now.
    fn send_receipts(
        &self,
        size: u64,
        facts: &BTreeMap<LeafIndex, Durable<Leaf>>,
        receipts: BTreeMap<PartyCode, Vec<LeafIndex>>,
    ) -> Result<(), ReadError> {
        let checkpoint = self.checkpoint_at(size)?;
        for (peer, outcomes) in receipts {
            let Some(link) = self.links.link(peer) else {
                continue;
            };
            for outcomes in outcomes.chunks(RECEIPTS_AT_ONCE) {
                let mut frame = v1::Receipts {
                    checkpoint: checkpoint.note().clone(),
                    ..Default::default()
                };
                frame.old_size = self.links.advance(peer, size);
                if frame.old_size > 0 && frame.old_size < size {
                    let proof = self.reader.consistency(frame.old_size, size)?;
                    frame.consistency = proof.iter().map(abeng_wire::LeafHash::to_bytes).collect();
                }
                for &outcome in outcomes {
                    frame
                        .receipts
                        .push(self.build_receipt(outcome, &checkpoint, facts)?);
                }
                link.control(v1::control::Frame::Receipts(frame));
            }
        }
        Ok(())
    }

    /// Leaf and proof, and the Received leaf before it where it is Delivered.
    fn build_receipt(
        &self,
        outcome: LeafIndex,
        checkpoint: &Checkpoint,
        facts: &BTreeMap<LeafIndex, Durable<Leaf>>,
    ) -> Result<v1::Receipt, ReadError> {
        let durable = |index: LeafIndex| match facts.get(&index) {
            Some(fact) => Ok(fact.clone()),
            None => self.reader.durable(index),
        };
        let leaf = durable(outcome)?;
        let says = leaf.fact().message();
        let before = match outcome.0.checked_sub(1) {
            Some(before) if says.kind() == v1::LeafKind::Delivered => {
                Some(durable(LeafIndex(before))?)
            }
            _ => None,
        };
        let received = before.filter(|before| {
            let before = before.fact().message();
            before.kind() == v1::LeafKind::Received && before.envelope_id == says.envelope_id
        });
        receipt::build_shared(&leaf, received.as_ref(), &self.reader, checkpoint)
    }

    /// A signed checkpoint of a durable size; the last one again where the log has not grown.
    pub fn checkpoint_at(&self, size: u64) -> Result<Checkpoint, ReadError> {
        let mut signed = lock(&self.signed);
        if let Some(last) = signed.as_ref().filter(|c| c.size() == size) {
            return Ok(last.clone());
        }
        let root = self.reader.root_at(size)?;
        let checkpoint = Checkpoint::sign(&self.origin, size, root, self.keyring.log().as_ref());
        let checkpoint = checkpoint.map_err(|_| ReadError::Tiles)?;
        self.core
            .keep(Outside::OwnCheckpoint(checkpoint.note().clone()));
        *signed = Some(checkpoint.clone());
        Ok(checkpoint)
    }
}
