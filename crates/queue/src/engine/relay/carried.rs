//! What is carried here for others, on the way between two parties that are not linked.
//!
//! Taken only from its originator, within quotas, and handed only to its recipient over a direct
//! link: never from relay to relay. It waits in the recipient's lane beside what is sent from here,
//! until the recipient's outcome is proved or its life is over.

use super::super::{Engine, outcomes::is_outcome, submissions::proof};
use crate::{
    Checked, Free, Plan, Proven,
    lane::{self, Entry, Key},
    recent::Recent,
    rows::{CarriedRow, QueueRow, RowError, frame_size},
};
use abeng_audit_log::Record;
use abeng_seal::Verified;
use abeng_wire::{EnvelopeId, LeafIndex, Millis, Now, PartyCode, StreamSeq, v1};
use std::collections::BTreeMap;

/// How much is carried for others at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CarryLimits {
    /// Envelopes of one originator, which also brings them over its own link.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Envelopes in all.
    pub total_count: u64,
    /// Their bytes.
    pub total_bytes: u64,
}

impl Default for CarryLimits {
    fn default() -> Self {
        Self {
            count: 4096,
            bytes: 256 << 20,
            total_count: 32_768,
            total_bytes: 1 << 30,
        }
    }
}

/// What is carried for one originator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CarriedFor {
    /// The originator.
    pub originator: PartyCode,
    /// Envelopes, each counted for every recipient.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The oldest one's creation by its originator's clock, Unix milliseconds.
    pub oldest: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct One {
    relayed: LeafIndex,
    originator: PartyCode,
    size: u32,
    key: Key,
}

type Id = (EnvelopeId, PartyCode);

#[derive(Debug)]
pub(crate) struct Carried {
    waiting: BTreeMap<Id, One>,
    // Count and bytes by originator.
    used: BTreeMap<PartyCode, (u64, u64)>,
    // Whose outcome was taken, and whose life ended first.
    taken: Recent<Id>,
    expired: Recent<Id>,
}

impl Carried {
    pub(crate) fn new(from: LeafIndex) -> Self {
        Self {
            waiting: BTreeMap::new(),
            used: BTreeMap::new(),
            taken: Recent::new(from),
            expired: Recent::new(from),
        }
    }

    pub(crate) fn durable(&mut self, position: LeafIndex) {
        self.taken.durable(position);
        self.expired.durable(position);
    }

    fn insert(&mut self, id: Id, one: One) {
        let used = self.used.entry(one.originator).or_default();
        *used = (used.0 + 1, used.1 + u64::from(one.size));
        self.waiting.insert(id, one);
    }

    /// Whether a look-up saw everything that is not remembered here any more.
    fn covered_by(&self, looked: LeafIndex) -> bool {
        self.taken.covered_by(looked) && self.expired.covered_by(looked)
    }

    fn remove(&mut self, id: &Id) {
        let Some(one) = self.waiting.remove(id) else {
            return;
        };
        if let Some(used) = self.used.get_mut(&one.originator) {
            *used = (used.0 - 1, used.1 - u64::from(one.size));
            if used.0 == 0 {
                self.used.remove(&one.originator);
            }
        }
    }

    fn has_room(&self, limits: &CarryLimits, originator: PartyCode, size: u32) -> bool {
        let size = u64::from(size);
        let (count, bytes) = self.used.get(&originator).copied().unwrap_or_default();
        let total: u64 = self.used.values().map(|(_, bytes)| bytes).sum();
        count < limits.count
            && bytes + size <= limits.bytes
            && (self.waiting.len() as u64) < limits.total_count
            && total + size <= limits.total_bytes
    }
}

impl Engine {
    /// A row of what is carried, at the start.
    pub(in super::super) fn recover_carried(
        &mut self,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), RowError> {
        let (recipient, precedence, relayed) = CarriedRow::parse_key(key)?;
        let row = CarriedRow::decode(value)?;
        let entry = entry(&row, relayed);
        let (id, originator) = ((row.envelope_id, recipient), row.originator);
        self.put_carried(id, originator, (precedence, relayed), entry);
        Ok(())
    }

    fn put_carried(
        &mut self,
        id: Id,
        originator: PartyCode,
        (precedence, relayed): (v1::Precedence, LeafIndex),
        entry: Entry,
    ) {
        let key = lane::carried_key(precedence, relayed);
        let one = One {
            relayed,
            originator,
            size: entry.size,
            key,
        };
        self.carried.insert(id, one);
        self.lanes.entry(id.1).or_default().push(key, entry);
    }

    pub(in super::super) fn carry(
        &mut self,
        now: Now,
        (from, recipient): (PartyCode, PartyCode),
        verified: Box<Verified>,
        checked: Checked,
        plan: &mut Plan,
    ) {
        let id = (verified.id(), recipient);
        let waiting = self.carried.waiting.get(&id).map(|one| one.relayed);
        if let Some(leaf) = waiting.or_else(|| self.carried.taken.get(&id)) {
            return plan.receipt(from, leaf);
        }
        if self.carried.expired.get(&id).is_some() {
            return;
        }
        let stale = checked.roster_version < self.config.roster.version
            || !self.carried.covered_by(checked.looked);
        if stale {
            return plan.free.push(Free::CarryAgain {
                from,
                recipient,
                verified,
            });
        }
        // Only from the originator itself, and only the copy of one recipient.
        let Some((_, mine)) = verified.entry(recipient) else {
            return;
        };
        if verified.originator() != from || recipient == self.config.me {
            return;
        }
        let (hdr, body) = (verified.hdr().bytes().clone(), verified.body().clone());
        let size = frame_size(hdr.len(), body.len() as u64, verified.recipients().len());
        if !self.carried.has_room(&self.config.carry, from, size) {
            return plan.free.push(Free::TellFault {
                peer: from,
                envelope_id: id.0,
                recipient: Some(recipient),
                kind: v1::FaultKind::FaultQuota,
            });
        }
        let leaf = v1::Leaf {
            envelope_id: id.0.to_bytes(),
            originator: from.to_string(),
            recipient: recipient.to_string(),
            seq_commit: mine.seq_commit.clone(),
            ..self.leaf(now, v1::LeafKind::Relayed)
        };
        let sig = verified.sig().clone();
        let of = v1::proof_part::Of::Relayed(v1::RelayedProof { hdr, sig });
        let record = Record::new(leaf)
            .with_proof(&proof(of))
            .with_body(&v1::BodyPart {
                stanzas: verified.stanzas().to_vec(),
                body,
            });
        let relayed = self.fact(plan, record);
        let row = CarriedRow {
            envelope_id: id.0,
            originator: from,
            created_at: verified.created_at(),
            expires_at: verified.expires_at(),
            size,
        };
        let entry = entry(&row, relayed).waiting_since(now.mono);
        self.put_carried(id, from, (verified.precedence(), relayed), entry);
        plan.receipt(from, relayed);
        self.forward(now, recipient, plan);
    }

    /// The recipient of what is carried has said what became of it: kept once, and handed on to
    /// whoever brought it. Also where its life had ended here before.
    pub(in super::super) fn carried_proven(
        &mut self,
        now: Now,
        proven: Box<Proven>,
        plan: &mut Plan,
    ) {
        let id = (proven.envelope_id, proven.place.recipient);
        let known = proven.settled.is_some() || self.carried.taken.get(&id).is_some();
        if known || !is_outcome(proven.kind) {
            return;
        }
        let waits = self.carried.waiting.contains_key(&id);
        if !waits && !self.carried.covered_by(proven.looked) {
            return plan.free.push(Free::ProveAgain(proven));
        }
        if let Some(lane) = self.lanes.get_mut(&id.1) {
            lane.take(proven.place.key(self.config.incarnation));
        }
        let originator = proven.originator;
        let leaf = self.take_receipt(now, *proven, plan);
        self.carried.remove(&id);
        self.carried.taken.insert(id, leaf);
        plan.receipt(originator, leaf);
    }

    /// The life of what was carried is over. The number is its recipient's to close, and the
    /// originator keeps its own account.
    pub(in super::super) fn carried_over(
        &mut self,
        id: EnvelopeId,
        recipient: PartyCode,
        leaf: LeafIndex,
    ) {
        self.carried.remove(&(id, recipient));
        self.carried.expired.insert((id, recipient), leaf);
    }

    pub(in super::super) fn carried_durable(&mut self, position: LeafIndex) {
        self.carried.durable(position);
    }

    /// Envelopes that are carried for others.
    pub fn carried_count(&self) -> usize {
        self.carried.waiting.len()
    }

    /// What is carried, by originator. Looks at every entry: for reports.
    pub fn carried(&self) -> Vec<CarriedFor> {
        let mut carried: BTreeMap<PartyCode, CarriedFor> = BTreeMap::new();
        for ((_, recipient), one) in &self.carried.waiting {
            let lane = self.lanes.get(recipient);
            let entry = lane.and_then(|lane| lane.get(one.key));
            let created_at = entry.map_or(Millis::MAX, |entry| entry.created_at);
            let sum = carried.entry(one.originator).or_insert(CarriedFor {
                originator: one.originator,
                count: 0,
                bytes: 0,
                oldest: Millis::MAX,
            });
            sum.count += 1;
            sum.bytes += u64::from(one.size);
            sum.oldest = sum.oldest.min(created_at);
        }
        carried.into_values().collect()
    }

    /// How much may be carried.
    pub fn carry_limits(&self) -> CarryLimits {
        self.config.carry
    }
}

fn entry(row: &CarriedRow, relayed: LeafIndex) -> Entry {
    Entry::from(&QueueRow {
        submitted: relayed,
        queued: relayed,
        // Secret, and of no use to a queue.
        seq: StreamSeq::FIRST,
        life: abeng_wire::Incarnation(0),
        created_at: row.created_at,
        expires_at: row.expires_at,
        size: row.size,
    })
}

#[cfg(test)]
impl Engine {
    pub(crate) fn limit_carrying(&mut self, limits: CarryLimits) {
        self.config.carry = limits;
    }
}
