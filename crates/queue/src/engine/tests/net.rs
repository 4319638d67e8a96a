//! Nodes without disk and network: real engines, real envelopes, a journal that is a list, a
//! view in memory behind a real overlay, and links that lose what is on them.

use crate::{
    Applied, CarryLimits, Checked, Engine, EngineConfig, Free, Gated, Input, MemView, Overlay,
    Place, Plan, PrivateInput, Proven, Refusable, RelayRank, Resend, RowSource, ScrubItem,
    TakenBack, Target, Terms, Ticket, View, fold,
    rows::{
        AskedRow, BegunRow, CareRow, CarriedIdRow, EndedRow, HoldRow, IdRow, InboxRow, QueueRow,
        SentOutcome, SentRow, ToldRow,
    },
};
use abeng_audit_log::Record;
use abeng_keys::{Entropy, Keyring};
use abeng_roster::{
    NoticeFacts, Policy, Tlp, Trust,
    founding::{FoundingParty, FoundingRequest, found},
};
use abeng_seal::{
    Arrived, BoxCache, OpenedBoxes, SealInput, Sealed, VerifyFault, open, reopen_received, seal,
    sign_void, verify, verify_void,
};
use abeng_wire::{
    Digest, EnvelopeId, Incarnation, LeafIndex, Millis, NetworkCode, Now, PartyCode, StreamSeq, v1,
};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::OnceLock,
};

pub(super) const START: Millis = 1_700_000_000_000;
pub(super) const CODES: [&str; 3] = ["JM", "NL", "TT"];

/// Counts up: every 8 bytes differ from the last.
pub(super) struct Counting(pub(super) u64);

impl Entropy for Counting {
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            self.0 += 1;
            let word = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

pub(super) struct World {
    pub(super) trust: Trust,
    pub(super) keyrings: Vec<Keyring>,
}

pub(super) fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let party = |code: &&str| FoundingParty {
            code: PartyCode::new(code).unwrap(),
            name: (*code).to_owned(),
            country: (*code).to_owned(),
            kind: v1::PartyKind::Member,
            addresses: vec!["127.0.0.1:4433".to_owned()],
            relay: *code == "NL",
        };
        let network = NetworkCode::new("test").unwrap();
        let request = FoundingRequest::new(network, CODES.iter().map(party).collect(), START);
        let founding = found(request, &mut Counting(1)).unwrap();
        let digest = Some(founding.root_digest);
        World {
            trust: Trust::from_bundle(&founding.bundle, digest, START).unwrap(),
            keyrings: founding.keyrings,
        }
    })
}

pub(super) fn party(i: usize) -> PartyCode {
    PartyCode::new(CODES[i]).unwrap()
}

pub(super) fn index(peer: PartyCode) -> usize {
    CODES.iter().position(|c| *c == peer.as_str()).unwrap()
}

pub(super) fn private() -> PrivateInput {
    PrivateInput {
        officer: "officer".to_owned(),
        via: "test".to_owned(),
        salt: [7; 32],
    }
}

/// What is on a link.
#[derive(Debug, Clone)]
pub(super) enum Frame {
    Envelope(Bytes),
    Receipt(EnvelopeId, Box<v1::Receipt>),
    /// For whom the copy was, beside.
    Fault(EnvelopeId, PartyCode, v1::FaultKind),
    Reach(BTreeSet<PartyCode>),
    Credit(u64, u64),
    Want(v1::Want),
    Void(v1::Signed),
}

/// What the node has been asked to do and has not done.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a few at a time, in tests")]
enum Todo {
    Handle(Input),
    Seal(Ticket, Vec<(PartyCode, StreamSeq)>),
    /// A peer asks for numbers that are not queued.
    Ended(PartyCode, Option<PartyCode>, u64, u64),
}

pub(super) struct Draft {
    pub(super) notice: Bytes,
    pub(super) precedence: v1::Precedence,
    pub(super) life_ms: u64,
    pub(super) fails: bool,
}

pub(super) struct Node {
    pub(super) me: usize,
    pub(super) engine: Engine,
    pub(super) log: Vec<Record>,
    pub(super) durable: usize,
    pub(super) overlay: Overlay,
    pub(super) view: MemView,
    gated: VecDeque<(usize, Gated)>,
    /// What needs no disk and goes to a peer.
    free: Vec<(usize, Option<u64>, Frame)>,
    todo: Vec<Todo>,
    drafts: BTreeMap<Ticket, Draft>,
    tickets: u64,
    boxes: BoxCache,
    opened: OpenedBoxes,
    entropy: Counting,
    /// Accepted: told to the submitter.
    pub(super) accepted: BTreeMap<EnvelopeId, Bytes>,
    notices: BTreeMap<EnvelopeId, Bytes>,
    /// Envelope frames taken from each peer on the present link.
    taken: BTreeMap<usize, u64>,
    /// How often interesting things happened.
    pub(super) met: BTreeMap<&'static str, u64>,
}

pub(super) const CREDIT: u64 = 3;
const CREDIT_BYTES: u64 = 1 << 20;

pub(super) fn incarnation(me: usize) -> Incarnation {
    Incarnation(0x0123_4567_0000 + me as u64)
}

fn config(me: usize) -> EngineConfig {
    EngineConfig {
        me: party(me),
        incarnation: incarnation(me),
        roster: world().trust.roster.reference(),
        resend: Resend::default(),
        carry: CarryLimits::default(),
    }
}

/// The rows that an engine is made of again.
pub(super) fn recover(me: usize, next: LeafIndex, rows: &[(Vec<u8>, Vec<u8>)]) -> Engine {
    Engine::recover(config(me), next, &mut rows.iter().cloned()).unwrap()
}

impl Node {
    pub(super) fn new(me: usize) -> Self {
        let overlay = Overlay::new(incarnation(me), LeafIndex(0));
        Self {
            me,
            engine: recover(me, LeafIndex(0), &[]),
            log: Vec::new(),
            durable: 0,
            overlay,
            view: MemView::new(),
            gated: VecDeque::new(),
            free: Vec::new(),
            todo: Vec::new(),
            drafts: BTreeMap::new(),
            tickets: 0,
            boxes: BoxCache::new(),
            opened: OpenedBoxes::default(),
            entropy: Counting(1000 + 1_000_000 * me as u64),
            accepted: BTreeMap::new(),
            notices: BTreeMap::new(),
            taken: BTreeMap::new(),
            met: BTreeMap::new(),
        }
    }

    pub(super) fn handle(&mut self, now: Now, input: Input) {
        let Plan { step, free } = self.engine.handle(now, input);
        self.log.extend(step.facts);
        assert_eq!(self.engine.next_index().0, self.log.len() as u64);
        let position = self.log.len();
        self.gated
            .extend(step.gated.into_iter().map(|g| (position, g)));
        for free in free {
            self.free(free);
        }
        if self.engine.has_more() {
            self.handle(now, Input::Tick);
        }
    }

    pub(super) fn meet(&mut self, what: &'static str) {
        *self.met.entry(what).or_default() += 1;
    }

    fn free(&mut self, free: Free) {
        match &free {
            Free::SealNow { .. } => {}
            Free::ClearAgain { .. } => self.meet("cleared again"),
            Free::CheckAgain { .. } => self.meet("checked again"),
            Free::RefuseAgain { .. } => self.meet("refused again"),
            Free::ProveAgain(_) => self.meet("proved again"),
            Free::CarryAgain { .. } => self.meet("looked again to carry"),
            Free::LookExpired { place } if place.is_carried() => self.meet("expired while carried"),
            Free::LookExpired { .. } => self.meet("expired"),
            Free::TellFault { .. } => self.meet("told a fault"),
            Free::Want { via: Some(_), .. } => self.meet("asked over a relay"),
            Free::Want { .. } => self.meet("asked for a gap"),
            Free::LookEnded { .. } => self.meet("ended numbers looked up"),
            Free::NeverGiven { .. } => self.meet("never given out"),
        }
        let todo = match free {
            Free::SealNow { ticket, positions } => Todo::Seal(ticket, positions),
            Free::ClearAgain {
                ticket,
                sealed,
                private,
                terms,
            } => Todo::Handle(Input::Sealed {
                ticket,
                terms,
                sealed,
                private,
                cleared_under: u64::MAX,
            }),
            Free::CheckAgain { from, opened } => {
                let id = opened.id();
                let known = self.known(from, &id);
                Todo::Handle(known.unwrap_or_else(|| self.opened_input(from, opened)))
            }
            Free::RefuseAgain {
                from,
                envelope,
                position,
                reason,
            } => {
                let id = envelope.arrived().id();
                Todo::Handle(self.known(from, &id).unwrap_or(Input::Refuse {
                    from,
                    envelope,
                    position,
                    reason,
                    checked: self.checked(),
                }))
            }
            Free::CarryAgain {
                from,
                recipient,
                verified,
            } => Todo::Handle(self.carry_input(from, recipient, verified)),
            Free::ProveAgain(mut proven) => {
                let (recipient, from) = (proven.place.recipient, proven.from);
                let (place, settled) = self
                    .place(&proven.envelope_id, recipient, proven.kind, from)
                    .unwrap();
                (proven.place, proven.settled) = (place, settled);
                proven.looked = self.overlay.position();
                Todo::Handle(Input::ReceiptProven(proven))
            }
            Free::LookExpired { place } => {
                let leaf = self.log[place.queued.0 as usize].leaf().message().clone();
                let kind = match place.is_carried() {
                    true => v1::LeafKind::Relayed,
                    false => v1::LeafKind::Queued,
                };
                assert_eq!(leaf.kind(), kind);
                assert_eq!(leaf.recipient, place.recipient.as_str());
                let leaf = Box::new(leaf);
                Todo::Handle(Input::Expire { place, leaf })
            }
            Free::Want { peer, via, want } => {
                assert_eq!(want.recipient.is_empty(), via.is_none());
                let to = index(via.unwrap_or(peer));
                return self.free.push((to, None, Frame::Want(want)));
            }
            Free::LookEnded {
                peer,
                via,
                first,
                last,
            } => Todo::Ended(peer, via, first, last),
            // Numbers that a crash took with it, reserved and never used.
            Free::NeverGiven { .. } => return,
            // Never in these runs: streams stay short.
            Free::TellFault { .. } => unreachable!("no stream runs so far ahead"),
        };
        self.todo.push(todo);
    }

    fn checked(&self) -> Checked {
        Checked {
            looked: self.overlay.position(),
            roster_version: world().trust.roster.version(),
        }
    }

    /// What is opened, with what the view knows now.
    fn opened_input(&self, from: PartyCode, opened: Box<abeng_seal::Opened>) -> Input {
        let terms = terms(opened.notice());
        Input::Opened {
            from,
            target: terms.recalls.map_or(Target::Unknown, |id| self.target(&id)),
            terms,
            opened,
            checked: self.checked(),
        }
    }

    fn target(&self, id: &EnvelopeId) -> Target {
        let Some(IdRow::Held { received, kind, .. }) = self.id_row(id) else {
            return match self.id_row(id) {
                Some(_) => Target::NotRecallable,
                None => Target::Unknown,
            };
        };
        let record = &self.log[received.0 as usize];
        let originator = PartyCode::new(&record.leaf().message().originator).unwrap();
        let Some(v1::proof_part::Of::Received(proof)) = record.proof().unwrap().unwrap().of else {
            unreachable!("what is held has its proof");
        };
        match kind {
            _ if !proof.recalls.is_empty() => Target::NotRecallable,
            v1::LeafKind::Delivered => Target::Delivered {
                originator,
                recalled: self.care(received).recalled,
            },
            _ => Target::Closed { originator },
        }
    }

    pub(super) fn care(&self, record: LeafIndex) -> CareRow {
        let row = self.row(&CareRow::key(record));
        row.map(|v| CareRow::decode(&v).unwrap())
            .unwrap_or_default()
    }

    fn row(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.overlay.over(&self.view).row(key).unwrap()
    }

    pub(super) fn id_row(&self, id: &EnvelopeId) -> Option<IdRow> {
        let row = self.row(&IdRow::key(id))?;
        Some(IdRow::decode(&row).unwrap())
    }

    fn known(&self, from: PartyCode, id: &EnvelopeId) -> Option<Input> {
        match self.id_row(id)? {
            IdRow::Held { outcome, .. } => Some(Input::Duplicate { from, outcome }),
            row => unreachable!("{row:?}"),
        }
    }

    /// Where an envelope is or was queued or carried for a recipient, and what `from` has proved
    /// of it before.
    pub(super) fn place(
        &self,
        id: &EnvelopeId,
        recipient: PartyCode,
        kind: v1::LeafKind,
        from: PartyCode,
    ) -> Option<(Place, Option<LeafIndex>)> {
        let Some(IdRow::Sent { submitted }) = self.id_row(id) else {
            let row = self.carried_row(id, recipient)?;
            let place = Place::carried(recipient, row.precedence, row.relayed);
            return Some((place, row.outcome));
        };
        let sent = SentRow::decode(&self.row(&SentRow::key(submitted))?).unwrap();
        let to = sent.recipients.iter().find(|to| to.party == recipient)?;
        let settled = match to.outcome {
            SentOutcome::Delivered { taken, .. } if kind != v1::LeafKind::Recalled => Some(taken),
            SentOutcome::Refused { taken, .. } | SentOutcome::Recalled { taken, .. } => Some(taken),
            _ => None,
        };
        let relayed = sent.relayed_to(recipient).find(|r| r.relay == from);
        let settled = match kind {
            v1::LeafKind::Relayed => relayed.map(|r| r.taken),
            _ => settled,
        };
        Some((sent.place(submitted, recipient)?, settled))
    }

    pub(super) fn carried_row(
        &self,
        id: &EnvelopeId,
        recipient: PartyCode,
    ) -> Option<CarriedIdRow> {
        let row = self.row(&CarriedIdRow::key(id, recipient))?;
        Some(CarriedIdRow::decode(&row).unwrap())
    }

    /// What a relay makes of an envelope for another party.
    fn carry_input(
        &self,
        from: PartyCode,
        recipient: PartyCode,
        verified: Box<abeng_seal::Verified>,
    ) -> Input {
        match self.carried_row(&verified.id(), recipient) {
            Some(row) => Input::Duplicate {
                from,
                outcome: row.answer(),
            },
            None => Input::Carry {
                from,
                recipient,
                verified,
                checked: self.checked(),
            },
        }
    }

    pub(super) fn submit(&mut self, now: Now, to: Vec<PartyCode>, draft: Draft) {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.drafts.insert(ticket, draft);
        let recipients = to;
        self.handle(now, Input::Reserve { ticket, recipients });
    }

    pub(super) fn has_work(&self) -> bool {
        !self.todo.is_empty()
    }

    /// Does one of the things to do, in any order, as a pool of threads would.
    pub(super) fn work(&mut self, now: Now, pick: usize) {
        if self.todo.is_empty() {
            return;
        }
        let todo = self.todo.remove(pick % self.todo.len());
        let input = match todo {
            Todo::Handle(input) => input,
            Todo::Ended(peer, via, first, last) => return self.voids((peer, via), first, last),
            Todo::Seal(ticket, positions) => {
                let draft = self.drafts.remove(&ticket).unwrap();
                match draft.fails {
                    true => Input::SealFailed { ticket },
                    false => {
                        let sealed = self.seal(now, &positions, &draft);
                        let terms = terms(&draft.notice);
                        self.notices.insert(sealed.id(), draft.notice);
                        Input::Sealed {
                            ticket,
                            terms,
                            sealed: Box::new(sealed),
                            private: private(),
                            cleared_under: world().trust.roster.version(),
                        }
                    }
                }
            }
        };
        self.handle(now, input);
    }

    /// Signs what a recipient is told of numbers that ended.
    fn voids(&mut self, (peer, via): (PartyCode, Option<PartyCode>), first: u64, last: u64) {
        for (key, value) in self.scan(EndedRow::PREFIX) {
            let (recipient, seq) = EndedRow::parse_key(&key).unwrap();
            if recipient == peer && (first..=last).contains(&seq.get()) {
                let row = EndedRow::decode(&value).unwrap();
                assert!(row.leaf.0 < self.durable as u64, "I6");
                let frame = self.void(peer, seq, row.reason, row.envelope_id);
                self.meet(match via {
                    Some(_) => "voided when asked over a relay",
                    None => "voided when asked",
                });
                self.free.push((index(via.unwrap_or(peer)), None, frame));
            }
        }
    }

    fn void(
        &self,
        recipient: PartyCode,
        seq: StreamSeq,
        reason: v1::VoidReason,
        envelope_id: Option<EnvelopeId>,
    ) -> Frame {
        let void = v1::Void {
            originator: party(self.me).to_string(),
            incarnation: incarnation(self.me).0,
            recipient: recipient.to_string(),
            first: seq.get(),
            last: seq.get(),
            reason: reason.into(),
            envelope_id: envelope_id.map(|id| id.to_bytes()).unwrap_or_default(),
        };
        let org_sign = world().keyrings[self.me].org_sign();
        Frame::Void(sign_void(org_sign.as_ref(), &void).unwrap())
    }

    pub(super) fn seal(
        &mut self,
        now: Now,
        positions: &[(PartyCode, StreamSeq)],
        draft: &Draft,
    ) -> Sealed {
        let World { trust, keyrings } = world();
        let to: Vec<PartyCode> = positions.iter().map(|&(party, _)| party).collect();
        let facts = NoticeFacts {
            ty: "SEIZURE",
            tlp: Tlp::RED,
        };
        let cleared = Policy::clear(trust, party(self.me), &to, &facts, now.wall).unwrap();
        let input = SealInput {
            trust,
            cleared: &cleared,
            org_sign: keyrings[self.me].org_sign().as_ref(),
            store: &keyrings[self.me].store,
            incarnation: incarnation(self.me),
            created_at: now.wall,
            expires_at: now.wall + draft.life_ms,
            precedence: draft.precedence,
            positions,
            notice: &draft.notice,
            attachments: &[],
            boxes: &mut self.boxes,
            now,
        };
        seal(input, &mut self.entropy).unwrap()
    }

    /// Makes everything durable: overlay first, then effects. Gives what goes to peers, with the
    /// link it was meant for.
    pub(super) fn commit(&mut self, now: Now) -> Vec<(usize, Option<u64>, Frame)> {
        self.durable = self.log.len();
        self.fold_durable();
        let position = LeafIndex(self.durable as u64);
        self.handle(now, Input::Durable { position });
        let mut out = std::mem::take(&mut self.free);
        while let Some((waits_for, gated)) = self.gated.pop_front() {
            assert!(waits_for <= self.durable);
            if let Some(frame) = self.carry_out(gated) {
                out.push(frame);
            }
        }
        out
    }

    fn fold_durable(&mut self) {
        for i in self.overlay.position().0..self.durable as u64 {
            let index = LeafIndex(i);
            let record = &self.log[i as usize];
            let changes = fold(index, record, &self.overlay.over(&self.view)).unwrap();
            self.overlay.put(index, changes);
        }
    }

    fn carry_out(&mut self, gated: Gated) -> Option<(usize, Option<u64>, Frame)> {
        let to = index;
        // I6: whatever leaves is about what is durable.
        let size = self.durable as u64;
        let durable = |leaf: LeafIndex| assert!(leaf.0 < size, "I6");
        match gated {
            Gated::Submitted { .. } => self.meet("submitted"),
            Gated::Failed { .. } => self.meet("failed"),
            Gated::Delivered { .. } => self.meet("delivered"),
            _ => {}
        }
        match gated {
            Gated::Submitted {
                envelope_id,
                submitted,
                ..
            } => {
                durable(submitted);
                let notice = self.notices[&envelope_id].clone();
                self.accepted.insert(envelope_id, notice);
                None
            }
            Gated::Forward {
                peer,
                recipient,
                session,
                submitted,
                precedence,
            } => {
                durable(submitted);
                let record = &self.log[submitted.0 as usize];
                let frame = envelope(record, recipient);
                let arrived = Arrived::parse(&frame).unwrap();
                if peer != recipient {
                    self.meet("sent to a relay");
                    assert_eq!(
                        arrived.originator(),
                        party(self.me),
                        "no relay hands on to one"
                    );
                }
                assert_eq!(arrived.precedence(), precedence);
                Some((to(peer), Some(session), Frame::Envelope(frame)))
            }
            Gated::Void {
                recipient,
                via,
                seq,
                reason,
                envelope_id,
            } => {
                self.meet(match via {
                    Some(_) => "voided unasked over a relay",
                    None => "voided unasked",
                });
                let frame = self.void(recipient, seq, reason, envelope_id);
                Some((to(via.unwrap_or(recipient)), None, frame))
            }
            Gated::Receipt { peer, outcome } => {
                durable(outcome);
                let said = self.log[outcome.0 as usize].leaf().message();
                match (said.kind(), said.reason()) {
                    (v1::LeafKind::Refused, v1::Reason::Hold) => self.meet("refused for a hold"),
                    (v1::LeafKind::Refused, v1::Reason::RecalledByOriginator) => {
                        self.meet("refused as taken back");
                    }
                    (v1::LeafKind::Recalled, _) => self.meet("told as taken back"),
                    _ => {}
                }
                let leaf = self.log[outcome.0 as usize].leaf();
                let id = EnvelopeId::from_slice(&leaf.message().envelope_id).unwrap();
                let receipt = v1::Receipt {
                    leaf: leaf.bytes().clone(),
                    index: outcome.0,
                    checkpoint: note(self.me, self.durable as u64),
                    ..v1::Receipt::default()
                };
                let kept = self.log[outcome.0 as usize].proof().unwrap();
                let receipt = match kept.and_then(|p| p.of) {
                    Some(v1::proof_part::Of::Receipt(kept)) => {
                        self.meet("handed a receipt on");
                        kept
                    }
                    _ => receipt,
                };
                Some((to(peer), None, Frame::Receipt(id, Box::new(receipt))))
            }
            Gated::Delivered { outcome, .. } => {
                durable(outcome);
                None
            }
            Gated::Settled { leaf, .. } | Gated::Noted { leaf, .. } => {
                durable(leaf);
                None
            }
            Gated::Failed { .. } => None,
        }
    }

    /// The view thread writes one batch.
    pub(super) fn write_view(&mut self) {
        let position = self.overlay.position();
        if let Some(batch) = self.overlay.take_older(position) {
            self.view.apply(&batch.changes, batch.applied).unwrap();
            self.overlay.written();
        }
    }

    /// The process ends and starts again. Of what was not synced, the first `kept` of ten parts
    /// survive, at a whole number of leaves of one step: here, any prefix that ends a step.
    pub(super) fn crash(&mut self, now: Now, kept: usize) {
        let lost = self.log.len() - self.durable;
        let mut keep = self.durable + lost * kept.min(10) / 10;
        let ends = self.gated.iter().map(|&(end, _)| end);
        let end = ends.filter(|&end| end <= keep).max();
        keep = end.unwrap_or(self.durable).max(self.durable);
        self.meet(match keep > self.durable {
            true => "unacknowledged work survived",
            false if lost > 0 => "unacknowledged work was lost",
            false => "nothing was at stake",
        });
        self.log.truncate(keep);
        self.durable = keep;
        self.gated.clear();
        self.free.clear();
        self.todo.clear();
        self.drafts.clear();
        self.tickets = 0;
        self.boxes = BoxCache::new();
        self.opened = OpenedBoxes::default();
        let applied = self.view.applied().unwrap().unwrap_or(Applied {
            position: LeafIndex(0),
            incarnation: incarnation(self.me),
        });
        self.overlay = Overlay::new(incarnation(self.me), applied.position);
        self.fold_durable();
        self.engine = self.recovered();
        self.handle(now, Input::note(v1::LeafKind::Started));
    }

    /// An engine from the rows as they are now.
    pub(super) fn recovered(&self) -> Engine {
        let rows = self.rows();
        recover(self.me, LeafIndex(self.durable as u64), &rows)
    }

    pub(super) fn rows(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.scan(0)
    }

    pub(super) fn scan(&self, prefix: u8) -> Vec<(Vec<u8>, Vec<u8>)> {
        let (from, to) = match prefix {
            0 => (vec![0], vec![255]),
            prefix => (vec![prefix], vec![prefix + 1]),
        };
        self.overlay
            .scan(&self.view, &from, &to, false, usize::MAX)
            .unwrap()
    }

    pub(super) fn link_up(&mut self, now: Now, peer: usize, session: u64) {
        self.taken.insert(peer, 0);
        self.handle(
            now,
            Input::LinkUp {
                peer: party(peer),
                session,
                envelopes: CREDIT,
                bytes: CREDIT_BYTES,
            },
        );
        // As the node does: what was taken back is told again.
        for (key, _) in self.scan(ToldRow::PREFIX) {
            let (from, outcome) = ToldRow::parse_key(&key).unwrap();
            if from == party(peer) {
                self.handle(now, Input::Duplicate { from, outcome });
            }
        }
    }

    /// Takes back one of the accepted notices, as far as it can be.
    pub(super) fn recall(&mut self, now: Now, pick: usize) {
        let Some(id) = self.accepted.keys().nth(pick % self.accepted.len().max(1)) else {
            return;
        };
        let Some(IdRow::Sent { submitted }) = self.id_row(id) else {
            return;
        };
        let row = SentRow::decode(&self.row(&SentRow::key(submitted)).unwrap()).unwrap();
        let open = |to: &&crate::rows::SentTo| {
            let outcome = to.outcome;
            matches!(outcome, SentOutcome::Queued | SentOutcome::Delivered { .. })
        };
        let to: Vec<PartyCode> = row
            .recipients
            .iter()
            .filter(open)
            .map(|to| to.party)
            .collect();
        if row.recalls.is_some() || to.is_empty() {
            return;
        }
        let draft = Draft {
            notice: [RECALL, &id.0].concat().into(),
            precedence: v1::Precedence::Immediate,
            life_ms: 86_400_000,
            fails: false,
        };
        self.meet("recalled");
        self.submit(now, to, draft);
    }

    /// Places a hold on something in the inbox, or lifts the one that is there.
    pub(super) fn hold(&mut self, now: Now, pick: usize) {
        let rows = self.scan(InboxRow::PREFIX);
        let Some((_, row)) = rows.get(pick % rows.len().max(1)) else {
            return;
        };
        let row = InboxRow::decode(row).unwrap();
        let care = self.care(row.received);
        if care.begun.is_some() {
            return;
        }
        let act = match care.hold {
            Some(_) => v1::HoldAct::HoldLifted,
            None => v1::HoldAct::HoldPlaced,
        };
        self.hold_act(now, row.envelope_id, act);
    }

    pub(super) fn hold_act(&mut self, now: Now, id: EnvelopeId, act: v1::HoldAct) {
        let hold = v1::Hold {
            envelope_id: id.to_bytes(),
            act: act.into(),
            reason: "case 7".to_owned(),
        };
        let looked = self.overlay.position();
        let (private, tell) = (private(), Ticket(u64::MAX));
        self.handle(
            now,
            Input::Hold {
                hold: Box::new(hold),
                looked,
                private,
                tell,
            },
        );
    }

    /// One round of the worker that scrubs, over what is durable: begins, or ends.
    pub(super) fn scrub(&mut self, now: Now) {
        let looked = self.overlay.position();
        let tell = Ticket(u64::MAX);
        let mut scrubs = Vec::new();
        for (key, _) in self.scan(BegunRow::PREFIX) {
            let begun = BegunRow::parse_key(&key).unwrap();
            let proof = self.log[begun.0 as usize].proof().unwrap().unwrap();
            let Some(v1::proof_part::Of::Scrub(scrub)) = proof.of else {
                unreachable!("a ScrubBegun leaf has its proof");
            };
            for &index in &scrub.indexes {
                let record = &mut self.log[index as usize];
                *record = scrubbed(record);
            }
            scrubs.push(scrub);
        }
        let ended: Vec<u64> = scrubs.iter().flat_map(|s| s.indexes.clone()).collect();
        let (mut items, mut taken_back) = (Vec::new(), Vec::new());
        for (key, value) in self.scan(AskedRow::PREFIX) {
            let record = AskedRow::parse_key(&key).unwrap();
            let envelope_id = AskedRow::decode(&value).unwrap().envelope_id;
            let care = self.care(record);
            if care.scrubbed.is_some() || ended.contains(&record.0) {
                let delivered = care.delivered.unwrap_or(LeafIndex(record.0 + 1));
                let leaf = self.log[delivered.0 as usize].leaf().message();
                taken_back.push(TakenBack {
                    envelope_id,
                    originator: PartyCode::new(&leaf.originator).unwrap(),
                    seq_commit: Digest::from_slice(&leaf.seq_commit).unwrap(),
                });
            } else if care.begun.is_none() && care.hold.is_none() {
                items.push(ScrubItem {
                    record,
                    envelope_id,
                });
            }
        }
        if !scrubs.is_empty() || !taken_back.is_empty() {
            self.meet("scrub ended");
            self.handle(
                now,
                Input::ScrubDone {
                    scrubs,
                    taken_back,
                    looked,
                    tell,
                },
            );
        }
        if !items.is_empty() {
            self.meet("scrub begun");
            let why = v1::ScrubWhy::Recalled;
            self.handle(
                now,
                Input::ScrubBegin {
                    items,
                    why,
                    looked,
                    tell,
                },
            );
        }
    }

    /// What waits for the worker, but for what is held.
    pub(super) fn owes_scrubs(&self) -> bool {
        !self.scan(AskedRow::PREFIX).is_empty() || !self.scan(BegunRow::PREFIX).is_empty()
    }

    pub(super) fn holds(&self) -> Vec<EnvelopeId> {
        let id = |(_, value): (Vec<u8>, Vec<u8>)| HoldRow::decode(&value).unwrap().envelope_id;
        self.scan(HoldRow::PREFIX).into_iter().map(id).collect()
    }

    pub(super) fn link_down(&mut self, now: Now, peer: usize, session: u64) {
        let peer = party(peer);
        self.handle(now, Input::LinkDown { peer, session });
    }

    /// Takes a frame as the node's link handler would; looks up at once, hands on later.
    pub(super) fn arrive(
        &mut self,
        now: Now,
        from: usize,
        session: u64,
        frame: Frame,
    ) -> Option<Frame> {
        let peer = party(from);
        match frame {
            Frame::Envelope(bytes) => {
                self.envelope(now, peer, &bytes);
                let taken = self.taken.entry(from).or_default();
                *taken += 1;
                return Some(Frame::Credit(CREDIT + *taken, CREDIT_BYTES << 10));
            }
            Frame::Receipt(id, receipt) => {
                let leaf = abeng_wire::decode::<v1::Leaf>("leaf", &receipt.leaf, 65_535).unwrap();
                let recipient = PartyCode::new(&leaf.recipient).unwrap();
                let (place, settled) = self.place(&id, recipient, leaf.kind(), peer).unwrap();
                self.todo
                    .push(Todo::Handle(Input::ReceiptProven(Box::new(Proven {
                        from: peer,
                        place,
                        envelope_id: id,
                        originator: PartyCode::new(&leaf.originator).unwrap(),
                        seq_commit: Digest::from_slice(&leaf.seq_commit).unwrap(),
                        kind: leaf.kind(),
                        reason: leaf.reason(),
                        receipt: *receipt,
                        settled,
                        looked: self.overlay.position(),
                    }))));
            }
            Frame::Reach(parties) => self.handle(
                now,
                Input::Reach {
                    peer,
                    session,
                    parties,
                    rank: RelayRank::Ordinary,
                },
            ),
            Frame::Fault(id, recipient, kind) => {
                let place = self.place(&id, recipient, v1::LeafKind::Delivered, peer);
                let envelope = place.map(|(place, _)| place);
                self.handle(
                    now,
                    Input::Fault {
                        from: peer,
                        envelope,
                        kind,
                    },
                );
            }
            // A relay passes on what is for another, from the party whose word it is alone.
            Frame::Want(want) if want.originator != party(self.me).as_str() => {
                assert_eq!(want.recipient, peer.as_str(), "I4: asked in its own name");
                let to = index(PartyCode::new(&want.originator).unwrap());
                self.free.push((to, None, Frame::Want(want)));
            }
            Frame::Want(want) => {
                let carried = PartyCode::new(&want.recipient).ok();
                let (peer, via) = (carried.unwrap_or(peer), carried.map(|_| peer));
                self.handle(now, Input::Wanted { peer, via, want });
            }
            Frame::Void(signed) => {
                let void = verify_void(&world().trust.roster, &signed).unwrap();
                let void = Box::new(void.message().clone());
                if void.recipient != party(self.me).as_str() {
                    assert_eq!(void.originator, peer.as_str(), "I4: its own word");
                    let to = index(PartyCode::new(&void.recipient).unwrap());
                    self.free.push((to, None, Frame::Void(signed)));
                    return None;
                }
                let before = self.log.len();
                let (from, signed) = (peer, Box::new(signed));
                self.handle(now, Input::Voided { from, signed, void });
                if self.log.len() > before {
                    self.meet("number voided");
                }
            }
            Frame::Credit(envelopes, bytes) => self.handle(
                now,
                Input::Credit {
                    peer,
                    session,
                    envelopes,
                    bytes,
                },
            ),
        }
        None
    }

    fn envelope(&mut self, now: Now, from: PartyCode, bytes: &Bytes) {
        let arrived = Arrived::parse(bytes).unwrap();
        let id = arrived.id();
        let checked = self.checked();
        let other = arrived.recipients().iter().find(|&&r| arrived.carries(r));
        if let Some(&recipient) = other.filter(|&&r| r != party(self.me)) {
            let verified = verify(arrived, &world().trust, recipient, now.wall);
            if let Ok(verified) = verified {
                self.meet("asked to carry");
                let input = self.carry_input(from, recipient, Box::new(verified));
                self.todo.push(Todo::Handle(input));
            }
            return;
        }
        let input = match self.known(from, &id) {
            Some(known) => {
                self.meet("duplicate found");
                known
            }
            None => {
                let me = party(self.me);
                match verify(arrived, &world().trust, me, now.wall) {
                    Ok(verified) => {
                        let keyring = &world().keyrings[self.me];
                        let secrets = |kid: &_| keyring.seal_secret(kid);
                        let opened = open(&verified, &secrets, me, &mut self.opened).unwrap();
                        self.opened_input(from, Box::new(opened))
                    }
                    Err(VerifyFault::Originator(rejected)) => {
                        self.meet("came too late");
                        Input::Refuse {
                            from,
                            reason: rejected.reason(),
                            envelope: Refusable::Rejected(rejected),
                            position: None,
                            checked,
                        }
                    }
                    Err(fault) => unreachable!("{fault}"),
                }
            }
        };
        self.todo.push(Todo::Handle(input));
    }

    /// The inbox: each row's envelope with the notice, opened again from the journal unless it is
    /// scrubbed.
    pub(super) fn inbox(&self) -> Vec<(EnvelopeId, Option<Bytes>)> {
        let keyring = &world().keyrings[self.me];
        let one = |(_, value): (Vec<u8>, Vec<u8>)| {
            let row = InboxRow::decode(&value).unwrap();
            let record = &self.log[row.received.0 as usize];
            let Some(v1::proof_part::Of::Received(proof)) = record.proof().unwrap().unwrap().of
            else {
                unreachable!("a Received leaf has its proof");
            };
            let Some(body) = record.body().unwrap() else {
                return (row.envelope_id, None);
            };
            let secrets = |kid: &_| keyring.seal_secret(kid);
            let me = party(self.me);
            let opened =
                reopen_received(&proof.hdr, &body.stanzas, &body.body, me, &secrets).unwrap();
            (row.envelope_id, Some(opened.notice))
        };
        self.scan(InboxRow::PREFIX).into_iter().map(one).collect()
    }

    pub(super) fn queue_rows(&self) -> usize {
        self.scan(QueueRow::PREFIX).len()
    }
}

/// A record as the journal gives it once it is scrubbed.
pub(super) fn scrubbed(record: &Record) -> Record {
    let scrubbed = Record::new(record.leaf().message().clone());
    match record.proof().unwrap() {
        Some(proof) => scrubbed.with_proof(&proof),
        None => scrubbed,
    }
}

/// In these runs a notice that begins so takes back the one whose id follows.
pub(super) const RECALL: &[u8] = b"RECALL ";

/// What a notice here says about kept content: every one is kept for 100 days.
pub(super) fn terms(notice: &[u8]) -> Terms {
    let recalls = notice.strip_prefix(RECALL);
    Terms {
        keep_until: START + 100 * 86_400_000,
        recalls: recalls.and_then(EnvelopeId::from_slice),
        supersedes: recalls.and_then(EnvelopeId::from_slice),
        anew_of: None,
    }
}

/// The envelope as it goes to one recipient: the others' stanzas pruned.
fn envelope(record: &Record, peer: PartyCode) -> Bytes {
    let (hdr_bytes, sig) = match record.proof().unwrap().unwrap().of {
        Some(v1::proof_part::Of::Submitted(proof)) => (proof.hdr, proof.sig),
        Some(v1::proof_part::Of::Relayed(proof)) => (proof.hdr, proof.sig),
        _ => unreachable!("what is sent has its proof"),
    };
    let body = record.body().unwrap().unwrap();
    let hdr: v1::Hdr = abeng_wire::decode("HDR", &hdr_bytes, 1 << 20).unwrap();
    let pre: v1::Pre = abeng_wire::decode("PRE", &hdr.pre, 1 << 20).unwrap();
    let mine = |r: &v1::PreRecipient| r.party == peer.as_str();
    let pruned = pre
        .recipients
        .iter()
        .zip(body.stanzas)
        .map(|(r, s)| match mine(r) {
            true => s,
            false => Bytes::new(),
        });
    let envelope = abeng_wire::encode(&v1::Envelope {
        hdr: hdr_bytes.clone(),
        sig,
        stanzas: pruned.collect(),
        body: body.body.clone(),
    });
    let size = crate::rows::frame_size(
        hdr_bytes.len(),
        body.body.len() as u64,
        pre.recipients.len(),
    );
    assert!(
        envelope.len() as u32 <= size,
        "credit counts at least what is sent"
    );
    envelope
}

fn note(me: usize, size: u64) -> Bytes {
    let (code, incarnation) = (CODES[me], incarnation(me));
    let root = data_encoding::BASE64.encode(&[me as u8; 32]);
    format!("abeng/test/{code}/{incarnation}\n{size}\n{root}\n\n— a signature\n").into()
}
