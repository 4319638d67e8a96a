//! What becomes of what was sent: a recipient's receipt, or the end of its life.

use super::{Engine, submissions::proof};
use crate::{Free, Gated, Place, Plan, Proven};
use abeng_audit_log::{Record, subject};
use abeng_wire::{EnvelopeId, LeafIndex, Now, pae_signature_type, v1};

impl Engine {
    pub(super) fn receipt_proven(&mut self, now: Now, proven: Box<Proven>, plan: &mut Plan) {
        if proven.place.is_carried() {
            return self.carried_proven(now, proven, plan);
        }
        if proven.kind == v1::LeafKind::Relayed {
            return self.relayed_proven(now, proven, plan);
        }
        if proven.kind == v1::LeafKind::Read {
            return self.read_proven(now, proven, plan);
        }
        if proven.kind == v1::LeafKind::Received {
            return self.file_proven(now, proven, plan);
        }
        let (id, place) = (proven.envelope_id, proven.place);
        let recipient = place.recipient;
        // A proof of deletion may come after that of the delivery, once; and it covers that.
        let is_recall = proven.kind == v1::LeafKind::Recalled;
        let lately = self.taken_back.get(&(id, recipient));
        let lately = match is_recall {
            true => lately,
            false => lately.or_else(|| self.taken.get(&(id, recipient))),
        };
        let known = proven.settled.or(lately);
        let queued = self
            .lanes
            .get(&recipient)
            .and_then(|l| l.get(place.key(self.config.incarnation)));
        let queued = queued.filter(|entry| entry.submitted() == place.submitted);
        let (is_queued, again) = (queued.is_some(), queued.is_some_and(|e| e.is_again()));
        let ended = matches!(proven.kind, v1::LeafKind::Refused | v1::LeafKind::Expired);
        if again && ended {
            // It was delivered once, and that stands.
            self.lanes
                .entry(recipient)
                .or_default()
                .take(place.key(self.config.incarnation));
            return;
        }
        let delivered_again = again && proven.kind == v1::LeafKind::Delivered;
        if !is_outcome(proven.kind) || known.is_some() && !delivered_again {
            return;
        }
        // After its life ended here, a receipt is still taken, once.
        let looked = proven.looked;
        let covered = self.taken.covered_by(looked) && self.taken_back.covered_by(looked);
        if (is_recall || !is_queued) && !covered {
            return plan.free.push(Free::ProveAgain(proven));
        }
        if is_queued && let Some(lane) = self.lanes.get_mut(&recipient) {
            lane.take(place.key(self.config.incarnation));
        }
        self.routes
            .settle((recipient, place.key(self.config.incarnation)), proven.from);
        let (kind, reason) = (proven.kind, proven.reason);
        let leaf = self.take_receipt(now, *proven, plan);
        if is_queued && let Some(why) = unopened(kind, reason) {
            let id = (why == v1::VoidReason::VoidExpired).then_some(id);
            self.tell_void(now, place, (why, id), plan);
        }
        match is_recall {
            true => self.taken_back.insert((id, recipient), leaf),
            false => self.taken.insert((id, recipient), leaf),
        }
        plan.step.gated.push(Gated::Settled {
            envelope_id: id,
            recipient,
            kind,
            leaf,
        });
    }

    /// A recipient's people have opened it. That settles nothing: the outcome has a receipt of
    /// its own, which may come later. Taken once.
    fn read_proven(&mut self, now: Now, proven: Box<Proven>, plan: &mut Plan) {
        let key = (proven.envelope_id, proven.place.recipient);
        if proven.settled.is_some() || self.reads.get(&key).is_some() {
            return;
        }
        if !self.reads.covered_by(proven.looked) {
            return plan.free.push(Free::ProveAgain(proven));
        }
        let leaf = self.take_receipt(now, *proven, plan);
        self.reads.insert(key, leaf);
    }

    pub(super) fn take_receipt(&mut self, now: Now, proven: Proven, plan: &mut Plan) -> LeafIndex {
        let about = subject(&pae_signature_type("leaf.v1"), &proven.receipt.leaf);
        let leaf = v1::Leaf {
            envelope_id: proven.envelope_id.to_bytes(),
            originator: proven.originator.to_string(),
            recipient: proven.place.recipient.to_string(),
            seq_commit: proven.seq_commit.to_bytes(),
            reason: proven.reason.into(),
            subject: about.to_bytes(),
            ..self.leaf(now, v1::LeafKind::ReceiptTaken)
        };
        let receipt = v1::proof_part::Of::Receipt(proven.receipt);
        self.fact(plan, Record::new(leaf).with_proof(&proof(receipt)))
    }

    /// Ends what expired, unless a receipt came while its leaf was read.
    pub(super) fn expired(&mut self, now: Now, place: Place, queued: v1::Leaf, plan: &mut Plan) {
        let recipient = place.recipient;
        let Some(lane) = self.lanes.get_mut(&recipient) else {
            return;
        };
        if !lane.is_expiring(place.key(self.config.incarnation)) {
            return;
        }
        let Some(envelope_id) = EnvelopeId::from_slice(&queued.envelope_id) else {
            return;
        };
        lane.take(place.key(self.config.incarnation));
        let leaf = v1::Leaf {
            envelope_id: queued.envelope_id,
            originator: queued.originator,
            recipient: recipient.to_string(),
            seq_commit: queued.seq_commit,
            reason: v1::Reason::TimePassed.into(),
            ..self.leaf(now, v1::LeafKind::Expired)
        };
        let leaf = self.fact(plan, Record::new(leaf));
        if place.is_carried() {
            return self.carried_over(envelope_id, recipient, leaf);
        }
        self.routes.settle(
            (recipient, place.key(self.config.incarnation)),
            self.config.me,
        );
        plan.step.gated.push(Gated::Settled {
            envelope_id,
            recipient,
            kind: v1::LeafKind::Expired,
            leaf,
        });
        let why = (v1::VoidReason::VoidExpired, Some(envelope_id));
        self.tell_void(now, place, why, plan);
    }
}

/// What the void says of a number that its recipient ended without ever reading which it is.
fn unopened(kind: v1::LeafKind, reason: v1::Reason) -> Option<v1::VoidReason> {
    use v1::Reason::{BadBody, BadStanza, KeyGone, NotCanonical};
    match kind {
        v1::LeafKind::Expired => Some(v1::VoidReason::VoidExpired),
        v1::LeafKind::Refused if matches!(reason, BadBody | BadStanza | KeyGone | NotCanonical) => {
            Some(v1::VoidReason::VoidFailed)
        }
        _ => None,
    }
}

/// Whether a receipt of this kind ends the duty towards its recipient.
pub(super) fn is_outcome(kind: v1::LeafKind) -> bool {
    matches!(
        kind,
        v1::LeafKind::Delivered
            | v1::LeafKind::Refused
            | v1::LeafKind::Expired
            | v1::LeafKind::Recalled
    )
}
