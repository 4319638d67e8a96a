//! The dispatch thread: carries out what waited for the disk, in order.
//!
//! It takes only what the journal has released, so nothing leaves before it is durable.

use crate::{
    core::Effect,
    desk::Ended,
    metrics::Kind,
    shared::{Shared, lock},
    writer::Done,
};
use abeng_api::{DeliveredEvent, SettledEvent};
use abeng_audit_log::{Checkpoint, Durable, Leaf, Outside, ReadError, Released, receipt};
use abeng_link::Link;
use abeng_queue::{Gated, ended::EndedNumber};
use abeng_wire::{LeafIndex, Mono, PartyCode, v1};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, atomic::Ordering, mpsc},
    thread::{self, JoinHandle},
};

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
    // By recipient, and by the relay that is to carry it.
    ended: BTreeMap<(PartyCode, Option<PartyCode>), Vec<EndedNumber>>,
}

fn dispatch(shared: &Arc<Shared>, batch: Done) -> Result<(), ReadError> {
    let mut round = Round {
        shared,
        at: batch.at,
        facts: BTreeMap::new(),
        receipts: BTreeMap::new(),
        delivered: Vec::new(),
        settled: Vec::new(),
        ended: BTreeMap::new(),
    };
    for step in batch.settled {
        shared.watch_growth(&step.facts);
        round
            .facts
            .extend(step.facts.into_iter().map(|fact| (fact.index(), fact)));
        for effect in step.gated {
            round.carry_out(effect)?;
        }
    }
    shared.delivered.push(round.delivered);
    shared.settled.push(round.settled);
    for (&(recipient, via), numbers) in &round.ended {
        shared.tell_ended(recipient, via, numbers);
    }
    if !round.receipts.is_empty() {
        shared.send_receipts(&round.facts, round.receipts)?;
    }
    Ok(())
}

impl Round<'_> {
    fn carry_out(&mut self, effect: Released<Effect>) -> Result<(), ReadError> {
        match effect.into_inner() {
            Effect::Engine(effect) => self.engine(effect),
            Effect::Cosign { peer, session } => {
                self.shared.cosign(peer, session);
                Ok(())
            }
            Effect::Written => Ok(()),
            Effect::Reached(told) => {
                // Whoever asked may have gone.
                let _ = told.send(());
                Ok(())
            }
        }
    }

    fn engine(&mut self, effect: Gated) -> Result<(), ReadError> {
        let shared = self.shared;
        match effect {
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
                recipient,
                session,
                submitted,
                precedence,
            } => {
                self.forward((peer, session), recipient, submitted, precedence)?;
            }
            Gated::Void {
                recipient,
                via,
                seq,
                reason,
                envelope_id,
            } => {
                let ended = self.ended.entry((recipient, via)).or_default();
                ended.push(EndedNumber {
                    seq,
                    reason,
                    envelope_id,
                });
            }
            Gated::Receipt { peer, outcome } => {
                self.receipts.entry(peer).or_default().push(outcome)
            }
            Gated::Delivered {
                envelope_id,
                outcome,
            } => {
                shared.metrics.delivered.inc();
                shared.attachments.look();
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
        (peer, session): (PartyCode, u64),
        recipient: PartyCode,
        submitted: LeafIndex,
        precedence: v1::Precedence,
    ) -> Result<(), ReadError> {
        let Some(link) = self.shared.links.session(peer, session) else {
            return Ok(());
        };
        let frame = self.shared.frame_of(submitted, recipient)?;
        if frame.is_empty() {
            // Nothing is scrubbed before its life is over; the engine ends it at its next tick.
            tracing::error!(leaf = %submitted, "what is to be sent has no content any more");
            return Ok(());
        }
        self.shared.metrics.forwarded.inc();
        if peer != recipient {
            self.shared.metrics.relay_copies.inc();
        }
        link.send(precedence, frame);
        Ok(())
    }
}

impl Shared {
    /// Receipts for each peer, all under one checkpoint of what is durable now, which is at least
    /// what any peer can hold.
    fn send_receipts(
        &self,
        facts: &BTreeMap<LeafIndex, Durable<Leaf>>,
        receipts: BTreeMap<PartyCode, Vec<LeafIndex>>,
    ) -> Result<(), ReadError> {
        if !self.shows_its_log() {
            return Ok(());
        }
        let checkpoint = self.checkpoint_at(self.reader.size())?;
        for (peer, outcomes) in receipts {
            let outcomes = outcomes
                .into_iter()
                .map(|outcome| self.with_companion(outcome, facts))
                .collect::<Result<Vec<_>, _>>()?;
            let Some(link) = self.links.link(peer) else {
                self.receipts_over_relays(peer, &outcomes, &checkpoint)?;
                continue;
            };
            let outcomes = self.own_outcomes(&link, outcomes)?;
            self.receipts_on(&link, &outcomes, &checkpoint)?;
        }
        Ok(())
    }

    /// Receipts on one link, which go on from what its peer holds.
    pub fn receipts_on(
        &self,
        link: &Link,
        outcomes: &[receipt::Outcome],
        checkpoint: &Checkpoint,
    ) -> Result<(), ReadError> {
        let (peer, session) = (link.peer(), link.session());
        if outcomes.is_empty() {
            return Ok(());
        }
        let Some(holds) = self.links.advance(peer, session, checkpoint.size()) else {
            return Ok(());
        };
        for frame in receipt::build_frames(outcomes, holds, &self.reader, checkpoint)? {
            link.control(v1::control::Frame::Receipts(frame));
        }
        Ok(())
    }

    /// Leaves that are receipts by themselves. What recipients have said of what is carried here
    /// is handed on as they said it; the end of a life here is nobody's outcome.
    fn own_outcomes(
        &self,
        link: &Link,
        outcomes: Vec<receipt::Outcome>,
    ) -> Result<Vec<receipt::Outcome>, ReadError> {
        let (mut own, mut carried) = (Vec::new(), Vec::new());
        for outcome in outcomes {
            let says = outcome.0.fact().message();
            match says.kind() {
                v1::LeafKind::ReceiptTaken => carried.push(outcome.0.index()),
                v1::LeafKind::Expired if says.recipient != self.me.as_str() => {}
                _ => own.push(outcome),
            }
        }
        self.hand_on(link, &carried)?;
        Ok(own)
    }

    /// A leaf, and the Received leaf before it where it is Delivered.
    pub fn with_companion(
        &self,
        outcome: LeafIndex,
        facts: &BTreeMap<LeafIndex, Durable<Leaf>>,
    ) -> Result<receipt::Outcome, ReadError> {
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
        Ok((leaf, received))
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
