//! One write and one sync, then the overlay, then what waited: as the journal and dispatch
//! threads do it.

use crate::{
    Promise, Taken,
    book::Book,
    node::Life,
    world::{origin, party, world},
};
use abeng_audit_log::{Batch, Checkpoint, Fatal, Outside, Record, Settled, receipt};
use abeng_queue::{Gated, Input};
use abeng_wire::{LeafIndex, Now, PartyCode, encode, limits, v1};
use bytes::Bytes;
use std::collections::BTreeMap;
use v1::control::Frame as Control;

impl Life {
    /// Appends the oldest `steps` steps. After an error this life is over.
    pub(crate) fn append(&mut self, steps: usize) -> Result<Vec<Settled<Gated>>, Fatal> {
        let steps = self.steps.drain(..steps.min(self.steps.len())).collect();
        let outside = std::mem::take(&mut self.outside);
        let journal = self
            .journal
            .take()
            .expect("a failed append ended this life");
        let (journal, settled) = journal.append(Batch { steps, outside })?;
        self.journal = Some(journal);
        Ok(settled)
    }

    /// Appends, folds, and carries out the first `effects` effects.
    pub(crate) fn commit(
        &mut self,
        now: Now,
        steps: usize,
        effects: usize,
        book: &mut Book,
    ) -> Result<(), Fatal> {
        let first = self.reader.size();
        let batch = self.steps.iter().take(steps);
        let records: Vec<Record> = batch.flat_map(|s| s.facts.iter().cloned()).collect();
        let settled = self.append(steps)?;
        for (record, index) in records.iter().zip(first..) {
            self.fold(LeafIndex(index), record);
        }
        let size = self.reader.size();
        assert_eq!(size, first + records.len() as u64, "every fact is a leaf");
        let position = LeafIndex(size);
        self.handle(now, Input::Durable { position }, book);
        let mut owed: BTreeMap<PartyCode, Vec<LeafIndex>> = BTreeMap::new();
        let released = settled.into_iter().flat_map(|step| step.gated);
        for effect in released.take(effects) {
            self.carry_out(effect.into_inner(), &mut owed, book);
        }
        for (peer, outcomes) in owed {
            self.send_receipts(size, peer, &outcomes, book);
        }
        self.let_go(book);
        Ok(())
    }

    fn carry_out(
        &mut self,
        effect: Gated,
        owed: &mut BTreeMap<PartyCode, Vec<LeafIndex>>,
        book: &mut Book,
    ) {
        match effect {
            Gated::Submitted { envelope_id, .. } => {
                book.meet("accepted");
                let mut submissions = book.history.submissions.iter_mut();
                let told = submissions.find(|s| s.id == envelope_id);
                told.expect("sealed before it was accepted").accepted = true;
            }
            Gated::Failed { .. } => book.meet("voided"),
            Gated::Noted { .. } => {}
            Gated::Forward {
                peer,
                recipient,
                session,
                submitted,
                precedence,
            } => {
                if self.session(peer).is_some_and(|(_, s)| s == session) {
                    book.meet("forwarded");
                    let (envelope, carried) = self.envelope_for(submitted, recipient);
                    match carried {
                        true => {
                            self.forward_carried((peer, session), precedence, envelope, book);
                        }
                        false => self.push_envelope(peer, precedence, envelope, book),
                    }
                }
            }
            Gated::Void {
                recipient,
                via,
                seq,
                reason,
                envelope_id,
            } => self.tell_void((recipient, via), seq, (reason, envelope_id)),
            Gated::Receipt { peer, outcome } => owed.entry(peer).or_default().push(outcome),
            Gated::Delivered { .. } => book.delivered(self.me),
            Gated::Settled {
                envelope_id: id,
                recipient,
                kind,
                ..
            } => {
                book.meet(match kind {
                    v1::LeafKind::Expired => "expiry",
                    _ => "receipt taken",
                });
                let taken = Taken {
                    id,
                    recipient,
                    kind,
                };
                book.history.taken.push(taken);
            }
        }
    }

    /// Frames of receipts under one checkpoint of what is durable now.
    fn send_receipts(
        &mut self,
        size: u64,
        peer: PartyCode,
        outcomes: &[LeafIndex],
        book: &mut Book,
    ) {
        // A second past in the party's own hand would be held against it for good: what is delivered
        // meanwhile gets its receipts in the next life.
        if self.past.is_some() {
            return book.meet("receipt kept back");
        }
        let checkpoint = self.checkpoint_at(size);
        if !self.peers.contains_key(&peer) {
            return;
        }
        let outcomes: Vec<receipt::Outcome> = outcomes.iter().map(|o| self.outcome(*o)).collect();
        let outcomes = self.own_outcomes(peer, outcomes, book);
        let Some(link) = self.peers.get_mut(&peer).filter(|_| !outcomes.is_empty()) else {
            return;
        };
        let old_size = link.holds;
        link.holds = old_size.max(size);
        for (leaf, _) in &outcomes {
            book.history.promises.push(Promise {
                by: party(self.me),
                life: self.incarnation,
                index: leaf.index().0,
                leaf: leaf.fact().bytes().clone(),
            });
        }
        let frames = receipt::build_frames(&outcomes, old_size, &self.reader, &checkpoint);
        for frame in frames.unwrap() {
            self.say(peer, Control::Receipts(frame));
        }
    }

    /// A leaf, and the Received leaf right before a Delivered one.
    fn outcome(&self, outcome: LeafIndex) -> receipt::Outcome {
        let durable = |index| self.reader.durable(index).expect("I6: it is durable");
        let leaf = durable(outcome);
        let is_delivered = leaf.fact().message().kind() == v1::LeafKind::Delivered;
        let received = is_delivered.then(|| durable(LeafIndex(outcome.0 - 1)));
        (leaf, received)
    }

    pub(crate) fn checkpoint_at(&mut self, size: u64) -> Checkpoint {
        if let Some(last) = self.signed.as_ref().filter(|last| last.size() == size) {
            return last.clone();
        }
        let root = self.reader.root_at(size).unwrap();
        let log_key = world().keyrings[self.me].log().as_ref();
        let origin = origin(self.me, self.incarnation).to_string();
        let checkpoint = Checkpoint::sign(&origin, size, root, log_key).unwrap();
        self.outside
            .push(Outside::OwnCheckpoint(checkpoint.note().clone()));
        self.signed = Some(checkpoint.clone());
        checkpoint
    }

    /// The envelope as it goes to one recipient: the others' stanzas pruned. True with it where it
    /// is carried for another party, and came like that.
    fn envelope_for(&self, submitted: LeafIndex, recipient: PartyCode) -> (Bytes, bool) {
        let record = self
            .reader
            .read(submitted)
            .expect("the journal reads back")
            .record;
        let body = record.body().unwrap().unwrap();
        let proof = match record.proof().unwrap().unwrap().of {
            Some(v1::proof_part::Of::Submitted(proof)) => proof,
            Some(v1::proof_part::Of::Relayed(proof)) => {
                let envelope = encode(&v1::Envelope {
                    hdr: proof.hdr,
                    sig: proof.sig,
                    stanzas: body.stanzas,
                    body: body.body,
                });
                return (envelope, true);
            }
            _ => unreachable!("a Submitted leaf has its proof"),
        };
        let hdr: v1::Hdr = abeng_wire::decode("HDR", &proof.hdr, limits::HDR).unwrap();
        let pre: v1::Pre = abeng_wire::decode("PRE", &hdr.pre, limits::PRE).unwrap();
        let pruned = pre.recipients.iter().zip(body.stanzas).map(|(to, stanza)| {
            match to.party == recipient.as_str() {
                true => stanza,
                false => Bytes::new(),
            }
        });
        let envelope = encode(&v1::Envelope {
            hdr: proof.hdr,
            sig: proof.sig,
            stanzas: pruned.collect(),
            body: body.body,
        });
        (envelope, false)
    }
}
