//! What comes here: delivered once, refused once, answered as often as it comes.

use super::{
    Engine,
    kept::Recall,
    submissions::{position, proof, recalls},
};
use crate::{Checked, Free, Gated, Plan, Refusable, Target, Terms};
use abeng_audit_log::Record;
use abeng_seal::{Arrived, Opened, seq_commit};
use abeng_wire::{EnvelopeId, LeafIndex, Now, PartyCode, StreamSeq, limits, v1};
use bytes::Bytes;

/// What stands against taking a number.
enum Number {
    Free,
    /// Voided, and closed by nothing else.
    Voided(v1::VoidReason),
    Held,
    TooFarAhead,
}

type Refusal = (Refusable, Option<(StreamSeq, [u8; 16])>, v1::Reason);

impl Engine {
    pub(super) fn opened(
        &mut self,
        now: Now,
        from: PartyCode,
        (opened, terms, target): (Box<Opened>, Terms, Target),
        checked: Checked,
        plan: &mut Plan,
    ) {
        let id = opened.id();
        if let Some(outcome) = self.known(&id) {
            return plan.receipt(from, outcome);
        }
        let stale = checked.roster_version < self.config.roster.version
            || !self.refused.covered_by(checked.looked);
        if stale {
            return plan.free.push(Free::CheckAgain { from, opened });
        }
        let seq = opened.stream_seq();
        match self.number(&opened, seq) {
            // What the originator took back and did not recall has found its way: a person waits.
            Number::Free
            | Number::Voided(v1::VoidReason::VoidExpired | v1::VoidReason::VoidLost) => {
                match self.recall(&opened, &terms, target, checked) {
                    Recall::Taken => self.deliver(now, from, &opened, (&terms, target), plan),
                    Recall::Refused(reason) => {
                        self.close_opened(now, from, &opened, reason, plan);
                    }
                    Recall::Look => plan.free.push(Free::CheckAgain { from, opened }),
                    Recall::TooMany => plan.free.push(Free::TellFault {
                        peer: from,
                        envelope_id: id,
                        recipient: None,
                        kind: v1::FaultKind::FaultBusy,
                    }),
                }
            }
            Number::Voided(v1::VoidReason::VoidRecalled) => {
                let recalled = v1::Reason::RecalledByOriginator;
                self.close_opened(now, from, &opened, recalled, plan);
            }
            Number::TooFarAhead => plan.free.push(Free::TellFault {
                peer: from,
                envelope_id: id,
                recipient: None,
                kind: v1::FaultKind::FaultBusy,
            }),
            // Most often a copy whose outcome the look-up came too early to see.
            Number::Held if !self.outcomes.covered_by(checked.looked) => {
                plan.free.push(Free::CheckAgain { from, opened });
            }
            // Equivocation: two envelopes with one number, or one where there was to be none. HDR
            // and SIG of both are kept.
            Number::Held | Number::Voided(_) => {
                self.close_opened(now, from, &opened, v1::Reason::SeqConflict, plan);
            }
        }
    }

    pub(super) fn refuse(
        &mut self,
        now: Now,
        from: PartyCode,
        (envelope, at, reason): Refusal,
        checked: Checked,
        plan: &mut Plan,
    ) {
        let arrived = envelope.arrived();
        let id = arrived.id();
        if let Some(outcome) = self.known(&id) {
            return plan.receipt(from, outcome);
        }
        let stale = checked.roster_version < self.config.roster.version
            || !self.outcomes.covered_by(checked.looked);
        if stale {
            return plan.free.push(Free::RefuseAgain {
                from,
                envelope,
                position: at,
                reason,
            });
        }
        if let Some((seq, _)) = at
            && matches!(self.number(arrived, seq), Number::TooFarAhead)
        {
            return plan.free.push(Free::TellFault {
                peer: from,
                envelope_id: id,
                recipient: None,
                kind: v1::FaultKind::FaultBusy,
            });
        }
        let proof_position = at.map(|(seq, blind)| position(seq, &blind));
        let refusal = (envelope.seq_commit(), proof_position, reason);
        self.close(now, from, arrived, refusal, plan);
    }

    /// Refusals are remembered for longer, since no number speaks for them.
    fn known(&self, id: &EnvelopeId) -> Option<LeafIndex> {
        self.outcomes.get(id).or_else(|| self.refused.get(id))
    }

    fn number(&self, arrived: &Arrived, seq: StreamSeq) -> Number {
        let stream = (arrived.originator(), arrived.incarnation());
        let mark = self.marks.get(&stream);
        let contiguous = mark.map_or(0, |mark| mark.contiguous());
        if mark.is_some_and(|mark| mark.contains(seq.get())) {
            let voided = self.voided.get(&stream).and_then(|v| v.reason(seq.get()));
            voided.map_or(Number::Held, Number::Voided)
        } else if seq.get() > contiguous.saturating_add(limits::STREAM_AHEAD) {
            Number::TooFarAhead
        } else {
            Number::Free
        }
    }

    fn deliver(
        &mut self,
        now: Now,
        from: PartyCode,
        opened: &Opened,
        (terms, target): (&Terms, Target),
        plan: &mut Plan,
    ) {
        let seq = opened.stream_seq();
        let stream = (opened.originator(), opened.incarnation());
        assert!(
            self.close_number(now, stream, seq),
            "I2: a number of a stream is delivered once"
        );
        let leaf = |kind| v1::Leaf {
            seq_commit: seq_commit(opened.blind(), seq).to_bytes(),
            ..self.about(now, opened, kind)
        };
        let delivered = Record::new(leaf(v1::LeafKind::Delivered));
        let received = Record::new(leaf(v1::LeafKind::Received))
            .with_proof(&received_proof(
                opened,
                Some(position(seq, opened.blind())),
                terms,
            ))
            .with_body(&v1::BodyPart {
                stanzas: opened.stanzas().to_vec(),
                body: opened.body().clone(),
            });
        // The receipt shows both leaves; they stand next to each other.
        self.fact(plan, received);
        let outcome = self.fact(plan, delivered);
        self.outcomes.insert(opened.id(), outcome);
        if terms.recalls.is_none() {
            let id = (opened.id(), opened.originator());
            self.delivered.insert(id, outcome);
        }
        plan.receipt(from, outcome);
        plan.step.gated.push(Gated::Delivered {
            envelope_id: opened.id(),
            outcome,
        });
        if let Target::Delivered {
            recalled: Some(recalled),
            ..
        } = target
        {
            // Asked once more: the receipt that was given for it.
            plan.receipt(from, recalled);
        }
    }

    /// An outcome that is not a delivery, of what was opened.
    fn close_opened(
        &mut self,
        now: Now,
        from: PartyCode,
        opened: &Opened,
        reason: v1::Reason,
        plan: &mut Plan,
    ) {
        let seq = opened.stream_seq();
        let commit = seq_commit(opened.blind(), seq).to_bytes();
        let at = Some(position(seq, opened.blind()));
        self.close(now, from, opened, (commit, at, reason), plan);
    }

    /// An outcome that is not a delivery.
    fn close(
        &mut self,
        now: Now,
        from: PartyCode,
        arrived: &Arrived,
        (seq_commit, at, reason): (Bytes, Option<v1::StreamPosition>, v1::Reason),
        plan: &mut Plan,
    ) {
        let seq = at.as_ref().and_then(|at| StreamSeq::new(at.stream_seq));
        if let Some(seq) = seq {
            let stream = (arrived.originator(), arrived.incarnation());
            self.close_number(now, stream, seq);
        }
        let kind = match reason {
            v1::Reason::TimePassed => v1::LeafKind::Expired,
            _ => v1::LeafKind::Refused,
        };
        let leaf = v1::Leaf {
            seq_commit,
            reason: reason.into(),
            ..self.about(now, arrived, kind)
        };
        let record = Record::new(leaf).with_proof(&received_proof(arrived, at, &Terms::default()));
        let outcome: LeafIndex = self.fact(plan, record);
        self.outcomes.insert(arrived.id(), outcome);
        self.refused.insert(arrived.id(), outcome);
        plan.receipt(from, outcome);
    }

    fn about(&self, now: Now, arrived: &Arrived, kind: v1::LeafKind) -> v1::Leaf {
        v1::Leaf {
            envelope_id: arrived.id().to_bytes(),
            originator: arrived.originator().to_string(),
            recipient: self.config.me.to_string(),
            ..self.leaf(now, kind)
        }
    }
}

fn received_proof(
    arrived: &Arrived,
    position: Option<v1::StreamPosition>,
    terms: &Terms,
) -> v1::ProofPart {
    proof(v1::proof_part::Of::Received(v1::ReceivedProof {
        hdr: arrived.hdr().bytes().clone(),
        sig: arrived.sig().clone(),
        position,
        keep_until: terms.keep_until,
        recalls: recalls(terms),
    }))
}

impl Refusable {
    /// The envelope.
    pub fn arrived(&self) -> &Arrived {
        match self {
            Self::Verified(verified) => verified,
            Self::Rejected(rejected) => rejected.arrived(),
        }
    }

    /// The commitment in PRE to this party's number; empty where there is none.
    fn seq_commit(&self) -> Bytes {
        match self {
            Self::Verified(verified) => verified.mine().map(|(_, e)| e.seq_commit.clone()),
            Self::Rejected(rejected) => rejected.seq_commit().map(|d| d.to_bytes()),
        }
        .unwrap_or_default()
    }
}
