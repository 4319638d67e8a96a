//! The store-and-forward engine.
//!
//! The order of things: the node gives one [`Input`] at a time and appends every
//! [`Plan`]'s step in that order. State changes at once; what may be said about it waits in
//! `step.gated` for the disk, also where the step has no facts, since it may rest on facts still
//! in flight. A failed append ends the process, so nothing is ever rolled back.
//!
//! Invariants asserted here, in release builds too: **I2** a number of a stream is delivered
//! once; **I5** an envelope is journalled with exactly the numbers that were reserved for it, in
//! the order of reservation.

mod again;
mod arrivals;
mod files;
mod kept;
mod outcomes;
mod relay;
mod report;
mod streams;
mod submissions;
#[cfg(test)]
mod tests;

pub use relay::{CarriedFor, CarryLimits, RelayReport};

use crate::{
    Allowance, Custody, Free, Gated, Input, Place, Plan,
    gaps::Gaps,
    lane::{Budget, Entry, Key, Lane},
    mark::Mark,
    recent::Recent,
    rows::{CarriedRow, HoldRow, MarkRow, QueueRow, RowError, StreamRow, VoidedRow, WaitingRow},
    voided::Voided,
};
use abeng_audit_log::Record;
use abeng_wire::{
    Digest, EnvelopeId, Incarnation, LeafIndex, Millis, Mono, Now, PartyCode, StreamSeq, v1,
};
use relay::{Carried, Routes};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use streams::Stream;
use submissions::Pending;

/// When to send again what got no receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resend {
    /// The first wait, in milliseconds; each further one is twice as long.
    pub first_ms: u64,
    /// The longest wait, in milliseconds.
    pub max_ms: u64,
}

impl Default for Resend {
    fn default() -> Self {
        Self {
            first_ms: 30_000,
            max_ms: 600_000,
        }
    }
}

impl Resend {
    /// The wait after `tries` attempts before this one.
    pub(crate) fn wait(self, tries: u8) -> u64 {
        let factor = 1u64.checked_shl(u32::from(tries)).unwrap_or(u64::MAX);
        self.first_ms.saturating_mul(factor).min(self.max_ms)
    }
}

/// Who the engine works for.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineConfig {
    /// The party of this node.
    pub me: PartyCode,
    /// The incarnation of its log.
    pub incarnation: Incarnation,
    /// The roster that holds.
    pub roster: v1::RosterRef,
    /// When to send again.
    pub resend: Resend,
    /// How much is carried for others.
    pub carry: CarryLimits,
}

/// What expires is looked up in portions of this many.
const EXPIRE_AT_ONCE: usize = 256;
/// The wall clock is looked at this often, in milliseconds, since it may jump.
const WALL_CLOCK_MS: u64 = 60_000;

/// The state of one node's custody: see the head of this file.
#[derive(Debug)]
pub struct Engine {
    config: EngineConfig,
    next: LeafIndex,
    last: Now,
    lanes: BTreeMap<PartyCode, Lane>,
    streams: BTreeMap<PartyCode, StreamSeq>,
    pending: VecDeque<Pending>,
    marks: BTreeMap<Stream, Mark>,
    // Of the numbers that the marks close, those that only a void did.
    voided: BTreeMap<Stream, Voided>,
    // When this process first and last heard that numbers of a stream are lost.
    lost: BTreeMap<Stream, (Millis, Millis)>,
    // Of the streams with gaps, what was seen and asked for.
    gaps: BTreeMap<Stream, Gaps>,
    // Voids and wants that each peer may still send.
    frames: BTreeMap<PartyCode, Allowance>,
    // Every outcome given here, and apart those that closed no number.
    outcomes: Recent<EnvelopeId>,
    refused: Recent<EnvelopeId>,
    // What was delivered here and may be taken back, by its originator.
    delivered: Recent<(EnvelopeId, PartyCode)>,
    taken: Recent<(EnvelopeId, PartyCode)>,
    taken_back: Recent<(EnvelopeId, PartyCode)>,
    reads: Recent<(EnvelopeId, PartyCode)>,
    // Which relays have said lately that they carry what.
    relayed: Recent<(EnvelopeId, PartyCode, PartyCode)>,
    routes: Routes,
    carried: Carried,
    // When this process gave its first input.
    started: Option<Mono>,
    files: Recent<(EnvelopeId, PartyCode, Digest)>,
    // What was done about content lately: holds, later dates, scrubs, recalls.
    acts: Recent<EnvelopeId>,
    holds: BTreeSet<EnvelopeId>,
    // Recalls of what has not come, and when nothing honest can come any more.
    waiting: BTreeMap<(PartyCode, EnvelopeId), Millis>,
}

impl Engine {
    /// The rows that [`Engine::recover`] needs.
    pub const ROWS: [u8; 7] = [
        QueueRow::PREFIX,
        StreamRow::PREFIX,
        MarkRow::PREFIX,
        VoidedRow::PREFIX,
        HoldRow::PREFIX,
        WaitingRow::PREFIX,
        CarriedRow::PREFIX,
    ];

    /// An engine as the log left it. `rows` are the [`Engine::ROWS`] of a view that holds every
    /// leaf below `next_index`; others are passed over.
    pub fn recover(
        config: EngineConfig,
        next_index: LeafIndex,
        rows: &mut dyn Iterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> Result<Self, RowError> {
        let mut engine = Self {
            config,
            next: next_index,
            last: Now::default(),
            lanes: BTreeMap::new(),
            streams: BTreeMap::new(),
            pending: VecDeque::new(),
            marks: BTreeMap::new(),
            voided: BTreeMap::new(),
            lost: BTreeMap::new(),
            gaps: BTreeMap::new(),
            frames: BTreeMap::new(),
            outcomes: Recent::new(next_index),
            refused: Recent::new(next_index),
            delivered: Recent::new(next_index),
            taken: Recent::new(next_index),
            taken_back: Recent::new(next_index),
            reads: Recent::new(next_index),
            relayed: Recent::new(next_index),
            routes: Routes::default(),
            carried: Carried::new(next_index),
            started: None,
            files: Recent::new(next_index),
            acts: Recent::new(next_index),
            holds: BTreeSet::new(),
            waiting: BTreeMap::new(),
        };
        for (key, value) in rows {
            match key.first() {
                Some(&QueueRow::PREFIX) => {
                    let (recipient, precedence, _) = QueueRow::parse_key(&key)?;
                    let row = QueueRow::decode(&value)?;
                    let life = engine.config.incarnation;
                    let at = crate::lane::row_key(precedence, &row, life);
                    let lane = engine.lanes.entry(recipient).or_default();
                    lane.push(at, Entry::from(&row));
                }
                Some(&StreamRow::PREFIX) => {
                    let next = StreamRow::decode(&value)?.next;
                    engine.streams.insert(StreamRow::parse_key(&key)?, next);
                }
                Some(&MarkRow::PREFIX) => {
                    let mark = Mark::from(&MarkRow::decode(&value)?);
                    engine.marks.insert(MarkRow::parse_key(&key)?, mark);
                }
                Some(&VoidedRow::PREFIX) => {
                    let voided = Voided::from(&VoidedRow::decode(&value)?);
                    engine.voided.insert(VoidedRow::parse_key(&key)?, voided);
                }
                Some(&HoldRow::PREFIX) => {
                    engine.holds.insert(HoldRow::decode(&value)?.envelope_id);
                }
                Some(&WaitingRow::PREFIX) => {
                    let until = WaitingRow::decode(&value)?.until;
                    engine.waiting.insert(WaitingRow::parse_key(&key)?, until);
                }
                Some(&CarriedRow::PREFIX) => engine.recover_carried(&key, &value)?,
                _ => {}
            }
        }
        engine.recover_gaps();
        Ok(engine)
    }

    /// Takes one input. Neither clock of `now` has to move between two calls; the wall clock may
    /// go back.
    pub fn handle(&mut self, now: Now, input: Input) -> Plan {
        self.last = now;
        self.start_waiting(now);
        let mut plan = Plan::default();
        match input {
            Input::Reserve { ticket, recipients } => self.reserve(ticket, recipients, &mut plan),
            Input::Sealed {
                ticket,
                sealed,
                private,
                cleared_under,
                terms,
            } => {
                let sealed = (sealed, private, cleared_under, terms);
                self.sealed(now, ticket, sealed, &mut plan);
            }
            Input::SealFailed { ticket } => self.seal_failed(now, ticket, &mut plan),
            Input::Opened {
                from,
                opened,
                terms,
                target,
                checked,
            } => self.opened(now, from, (opened, terms, target), checked, &mut plan),
            Input::Refuse {
                from,
                envelope,
                position,
                reason,
                checked,
            } => self.refuse(now, from, (envelope, position, reason), checked, &mut plan),
            Input::Carry {
                from,
                recipient,
                verified,
                checked,
            } => self.carry(now, (from, recipient), verified, checked, &mut plan),
            Input::Reach {
                peer,
                session,
                parties,
                rank,
            } => self.reach(now, (peer, session), (parties, rank), &mut plan),
            Input::Duplicate { from, outcome } => plan.receipt(from, outcome),
            Input::ReceiptProven(proven) => self.receipt_proven(now, proven, &mut plan),
            Input::Expire { place, leaf } => self.expired(now, place, *leaf, &mut plan),
            Input::Wanted { peer, via, want } => self.wanted(now, (peer, via), &want, &mut plan),
            Input::Voided { from, signed, void } => {
                self.void_taken(now, from, (*signed, &void), &mut plan);
            }
            Input::OfferAgain { recipient, rows } => {
                self.offer_again(now, recipient, &rows, &mut plan);
            }
            Input::Fault {
                from,
                envelope,
                kind,
            } => self.fault(now, from, (envelope, kind), &mut plan),
            Input::LinkUp {
                peer,
                session,
                envelopes,
                bytes,
            } => {
                let credit = Budget { envelopes, bytes };
                self.lanes.entry(peer).or_default().link_up(session, credit);
                self.forward(now, peer, &mut plan);
                self.gaps_link_up(now, peer, &mut plan);
            }
            Input::Credit {
                peer,
                session,
                envelopes,
                bytes,
            } => {
                if let Some(lane) = self.lanes.get_mut(&peer) {
                    lane.credit(session, Budget { envelopes, bytes });
                }
                self.routes.fed(peer);
                self.forward(now, peer, &mut plan);
            }
            Input::LinkDown { peer, session } => {
                let lane = self.lanes.get_mut(&peer);
                if lane.is_some_and(|lane| lane.link_down(now.mono, session)) {
                    self.wait_for_link(peer, now.mono);
                }
                self.relay_lost(now, peer, session, &mut plan);
            }
            Input::Allow { peer, allowed } => {
                self.lanes.entry(peer).or_default().allow(allowed);
                self.forward(now, peer, &mut plan);
            }
            Input::Note {
                leaf,
                proof,
                private,
                tell,
                receipt_to,
            } => self.note(now, *leaf, (proof, private), (tell, receipt_to), &mut plan),
            Input::Hold {
                hold,
                looked,
                private,
                tell,
            } => self.hold(now, &hold, looked, (private, tell), &mut plan),
            Input::Extend {
                retention,
                looked,
                private,
                tell,
            } => self.extend(now, &retention, looked, (private, tell), &mut plan),
            Input::ScrubBegin {
                items,
                why,
                looked,
                tell,
            } => self.scrub_begin(now, (&items, why), looked, tell, &mut plan),
            Input::ScrubDone {
                scrubs,
                taken_back,
                looked,
                tell,
            } => self.scrub_done(now, (&scrubs, &taken_back), looked, tell, &mut plan),
            Input::RosterAdopted { reference } => self.config.roster = reference,
            Input::Durable { position } => {
                self.outcomes.durable(position);
                self.refused.durable(position);
                self.delivered.durable(position);
                self.taken.durable(position);
                self.taken_back.durable(position);
                self.reads.durable(position);
                self.files.durable(position);
                self.acts.durable(position);
                self.relayed.durable(position);
                self.carried_durable(position);
            }
            Input::Tick => self.tick(now, &mut plan),
        }
        plan
    }

    /// When to call `handle` with [`Input::Tick`], if nothing else comes before; relative to the
    /// clocks of the last call.
    pub fn wake_at(&self) -> Option<Mono> {
        let timers = self.lanes.values().filter_map(Lane::next_timer);
        let end = self.lanes.values().filter_map(Lane::next_end).min();
        let end = end.map(|end| {
            let wait = end.saturating_sub(self.last.wall).min(WALL_CLOCK_MS);
            self.last.mono.plus_ms(wait)
        });
        let more = self.has_more().then_some(self.last.mono);
        let looks = self.next_gap_look();
        timers
            .chain(end)
            .chain(looks)
            .chain(more)
            .chain(self.routes.next_timer())
            .min()
    }

    /// The index that the next leaf will have.
    pub fn next_index(&self) -> LeafIndex {
        self.next
    }

    /// A leaf of this log with everything that is the same in all of them.
    fn leaf(&self, now: Now, kind: v1::LeafKind) -> v1::Leaf {
        self.own(
            now,
            v1::Leaf {
                kind: kind.into(),
                ..v1::Leaf::default()
            },
        )
    }

    fn own(&self, now: Now, leaf: v1::Leaf) -> v1::Leaf {
        v1::Leaf {
            version: 1,
            actor: self.config.me.to_string(),
            incarnation: self.config.incarnation.0,
            time: now.wall,
            roster: Some(self.config.roster.clone()),
            ..leaf
        }
    }

    /// Adds a fact; the leaf's index is known at once, since the engine makes every leaf.
    fn fact(&mut self, plan: &mut Plan, record: Record) -> LeafIndex {
        let index = self.next;
        self.next.0 += 1;
        plan.step.facts.push(record);
        index
    }

    fn note(
        &mut self,
        now: Now,
        leaf: v1::Leaf,
        (proof, private): (Option<v1::ProofPart>, Option<crate::PrivateInput>),
        (tell, receipt_to): (Option<crate::Ticket>, Option<PartyCode>),
        plan: &mut Plan,
    ) {
        let mut record = Record::new(self.own(now, leaf));
        if let Some(proof) = &proof {
            record = record.with_proof(proof);
        }
        if let Some(private) = private {
            record = private.add_to(record, bytes::Bytes::new());
        }
        let leaf = self.fact(plan, record);
        if let Some(ticket) = tell {
            plan.step.gated.push(Gated::Noted { ticket, leaf });
        }
        if let Some(peer) = receipt_to {
            plan.receipt(peer, leaf);
        }
    }

    fn fault(
        &mut self,
        now: Now,
        from: PartyCode,
        (envelope, kind): (Option<Place>, v1::FaultKind),
        plan: &mut Plan,
    ) {
        let Some(place) = envelope else { return };
        if place.recipient != from {
            return self.relay_fault(now, (from, place), kind, plan);
        }
        let (resend, life) = (self.config.resend, self.config.incarnation);
        if let Some(lane) = self.lanes.get_mut(&from) {
            lane.fault(place.key(life), now, resend);
        }
    }

    fn tick(&mut self, now: Now, plan: &mut Plan) {
        self.drain(now, plan);
        self.forget_waiting(now.wall);
        self.look_at_gaps(now, plan);
        let (mut left, life) = (EXPIRE_AT_ONCE, self.config.incarnation);
        let mut woken = Vec::new();
        for (&peer, lane) in &mut self.lanes {
            for key in lane.expire(now.wall, left) {
                left -= 1;
                look_expired((peer, life), lane, key, plan);
            }
            if lane.wake(now.mono) {
                woken.push(peer);
            }
        }
        for peer in woken {
            self.forward(now, peer, plan);
        }
        self.relay_tick(now, plan);
    }
}

fn look_expired(
    (recipient, life): (PartyCode, Incarnation),
    lane: &Lane,
    key: Key,
    plan: &mut Plan,
) {
    let Some(entry) = lane.get(key) else {
        return;
    };
    plan.free.push(Free::LookExpired {
        place: Place {
            custody: match crate::lane::own_seq(key) {
                Some(seq) => Custody::Own { life, seq },
                None if crate::lane::is_carried(key) => Custody::Carried,
                None => Custody::Earlier,
            },
            recipient,
            precedence: to_precedence(key.0),
            submitted: entry.submitted(),
            queued: entry.queued(),
        },
    });
}

fn to_precedence(value: u8) -> v1::Precedence {
    v1::Precedence::try_from(i32::from(value)).unwrap_or_default()
}

impl Place {
    pub(crate) fn key(&self, life: Incarnation) -> Key {
        match self.own_seq(life) {
            Some(seq) => crate::lane::key(self.precedence, seq),
            None if self.is_carried() => crate::lane::carried_key(self.precedence, self.submitted),
            None => crate::lane::earlier_key(self.precedence, self.queued),
        }
    }

    /// Its number, where it was sealed in this life of the log.
    pub(crate) fn own_seq(&self, life: Incarnation) -> Option<StreamSeq> {
        match self.custody {
            Custody::Own { life: of, seq } if of == life => Some(seq),
            _ => None,
        }
    }
}

impl Plan {
    fn receipt(&mut self, peer: PartyCode, outcome: LeafIndex) {
        self.step.gated.push(Gated::Receipt { peer, outcome });
    }
}
