//! Content that is kept: recalls, legal holds, later dates, and the two leaves around a scrub.
//!
//! Whoever asks has looked at a view that is behind; what was done since is remembered here. An
//! act whose look-up does not cover the latest one about the same content is not carried out:
//! whoever asked looks again.

use super::{Engine, submissions::proof};
use crate::{Checked, Gated, Plan, PrivateInput, ScrubItem, TakenBack, Target, Terms, Ticket};
use abeng_audit_log::{HOLD, RETENTION, Record, scrub, subject};
use abeng_seal::Opened;
use abeng_wire::{EnvelopeId, LeafIndex, Millis, Now, PartyCode, encode, limits, v1};
use bytes::Bytes;

/// Records that one ScrubBegun leaf names: each changes two rows of the view, and all of
/// them fit in one of its batches.
pub(crate) const SCRUB_AT_ONCE: usize = 16;
/// Recalls that may wait for notices that have not come.
const WAITING: usize = 65_536;

/// What is to be done with an envelope, as far as recalls have a say.
pub(super) enum Recall {
    /// It is taken.
    Taken,
    /// It is refused.
    Refused(v1::Reason),
    /// The look-up came too early.
    Look,
    /// More recalls wait than are remembered.
    TooMany,
}

impl Engine {
    /// Judges an envelope that is about to be delivered, and remembers a recall of what has not
    /// come yet.
    pub(super) fn recall(
        &mut self,
        opened: &Opened,
        terms: &Terms,
        target: Target,
        checked: Checked,
    ) -> Recall {
        let originator = opened.originator();
        if self.waiting.remove(&(originator, opened.id())).is_some() {
            return Recall::Refused(v1::Reason::RecalledByOriginator);
        }
        let Some(recalls) = terms.recalls else {
            return Recall::Taken;
        };
        let target = match target {
            Target::Unknown => self.lately(originator, &recalls),
            known => known,
        };
        match target {
            Target::Unknown if !self.outcomes.covered_by(checked.looked) => Recall::Look,
            Target::Unknown if self.waiting.len() >= WAITING => Recall::TooMany,
            Target::Unknown => {
                let until = opened.created_at().saturating_add(limits::LIFETIME_MS);
                self.waiting.insert((originator, recalls), until);
                Recall::Taken
            }
            Target::NotRecallable => Recall::Refused(v1::Reason::BadNotice),
            Target::Closed { originator: theirs }
            | Target::Delivered {
                originator: theirs, ..
            } if theirs != originator => Recall::Refused(v1::Reason::BadNotice),
            Target::Delivered { .. } if self.holds.contains(&recalls) => {
                Recall::Refused(v1::Reason::Hold)
            }
            Target::Closed { .. } | Target::Delivered { .. } => Recall::Taken,
        }
    }

    /// What came too lately for the look-up to see it. `delivered` has every delivery that
    /// `outcomes` has, but for recalls.
    fn lately(&self, originator: PartyCode, id: &EnvelopeId) -> Target {
        if self.outcomes.get(id).is_none() {
            Target::Unknown
        } else if self.delivered.get(&(*id, originator)).is_some() {
            let recalled = None;
            Target::Delivered {
                originator,
                recalled,
            }
        } else if self.refused.get(id).is_some() {
            Target::Closed { originator }
        } else {
            Target::NotRecallable
        }
    }

    /// Forgets recalls that nothing honest can meet any more.
    pub(super) fn forget_waiting(&mut self, now: Millis) {
        // Looked at as a whole only now and then: it is short, and nothing depends on it.
        if self.waiting.len() >= WAITING / 2 {
            self.waiting.retain(|_, until| *until > now);
        }
    }

    pub(super) fn hold(
        &mut self,
        now: Now,
        hold: &v1::Hold,
        looked: LeafIndex,
        (private, tell): (PrivateInput, Ticket),
        plan: &mut Plan,
    ) {
        let Some(id) = self.untouched(&hold.envelope_id, looked) else {
            return plan.failed(tell);
        };
        let changed = match hold.act() {
            v1::HoldAct::HoldPlaced => self.holds.insert(id),
            v1::HoldAct::HoldLifted => self.holds.remove(&id),
            v1::HoldAct::Unspecified => false,
        };
        if !changed {
            return plan.failed(tell);
        }
        let about = subject(HOLD, &encode(hold)).to_bytes();
        let of = v1::proof_part::Of::Hold(hold.clone());
        self.admin(now, id, (about, of), (private, tell), plan);
    }

    pub(super) fn extend(
        &mut self,
        now: Now,
        retention: &v1::Retention,
        looked: LeafIndex,
        (private, tell): (PrivateInput, Ticket),
        plan: &mut Plan,
    ) {
        let Some(id) = self.untouched(&retention.envelope_id, looked) else {
            return plan.failed(tell);
        };
        let about = subject(RETENTION, &encode(retention)).to_bytes();
        let of = v1::proof_part::Of::Retention(retention.clone());
        self.admin(now, id, (about, of), (private, tell), plan);
    }

    fn admin(
        &mut self,
        now: Now,
        id: EnvelopeId,
        (about, of): (Bytes, v1::proof_part::Of),
        (private, tell): (PrivateInput, Ticket),
        plan: &mut Plan,
    ) {
        let leaf = v1::Leaf {
            envelope_id: id.to_bytes(),
            subject: about,
            ..self.leaf(now, v1::LeafKind::Admin)
        };
        let record = Record::new(leaf).with_proof(&proof(of));
        let leaf = self.fact(plan, private.add_to(record, Bytes::new()));
        self.acts.insert(id, leaf);
        plan.step.gated.push(Gated::Noted { ticket: tell, leaf });
    }

    pub(super) fn scrub_begin(
        &mut self,
        now: Now,
        (items, why): (&[ScrubItem], v1::ScrubWhy),
        looked: LeafIndex,
        tell: Ticket,
        plan: &mut Plan,
    ) {
        let mut items: Vec<ScrubItem> = items
            .iter()
            .filter(|item| !self.holds.contains(&item.envelope_id))
            .filter(|item| self.untouched(&item.envelope_id.0, looked).is_some())
            .copied()
            .collect();
        items.sort_unstable_by_key(|item| item.record);
        items.dedup();
        let mut first = None;
        for items in items.chunks(SCRUB_AT_ONCE) {
            let records: Vec<LeafIndex> = items.iter().map(|item| item.record).collect();
            let about = match items {
                [item] => item.envelope_id.to_bytes(),
                _ => Bytes::new(),
            };
            let (leaf, proof) = scrub::begun(&records, why, about);
            let record = Record::new(self.own(now, leaf)).with_proof(&proof);
            let leaf = self.fact(plan, record);
            for item in items {
                self.acts.insert(item.envelope_id, leaf);
            }
            first = first.or(Some(leaf));
        }
        match first {
            Some(leaf) => plan.step.gated.push(Gated::Noted { ticket: tell, leaf }),
            None => plan.failed(tell),
        }
    }

    pub(super) fn scrub_done(
        &mut self,
        now: Now,
        (scrubs, taken_back): (&[v1::Scrub], &[TakenBack]),
        looked: LeafIndex,
        tell: Ticket,
        plan: &mut Plan,
    ) {
        let mut last = None;
        for scrub in scrubs {
            let (leaf, proof) = scrub::done(scrub);
            let record = Record::new(self.own(now, leaf)).with_proof(&proof);
            last = Some(self.fact(plan, record));
        }
        for back in taken_back {
            let Some(id) = self.untouched(&back.envelope_id.0, looked) else {
                continue;
            };
            let leaf = v1::Leaf {
                envelope_id: id.to_bytes(),
                originator: back.originator.to_string(),
                recipient: self.config.me.to_string(),
                seq_commit: back.seq_commit.to_bytes(),
                reason: v1::Reason::RecalledByOriginator.into(),
                ..self.leaf(now, v1::LeafKind::Recalled)
            };
            let leaf = self.fact(plan, Record::new(leaf));
            self.acts.insert(id, leaf);
            plan.receipt(back.originator, leaf);
            last = Some(leaf);
        }
        match last {
            Some(leaf) => plan.step.gated.push(Gated::Noted { ticket: tell, leaf }),
            None => plan.failed(tell),
        }
    }

    /// The envelope, if nothing was done about its content that the look-up did not see.
    fn untouched(&self, id: &[u8], looked: LeafIndex) -> Option<EnvelopeId> {
        let id = EnvelopeId::from_slice(id)?;
        let seen = self.acts.get(&id).is_none_or(|leaf| leaf < looked);
        (seen && self.acts.covered_by(looked)).then_some(id)
    }
}

impl Plan {
    fn failed(&mut self, ticket: Ticket) {
        self.step.gated.push(Gated::Failed { ticket });
    }
}
