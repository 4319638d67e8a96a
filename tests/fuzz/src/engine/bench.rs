//! A node around the engine with everything in memory: what comes, what was looked up and is given
//! later, what waits for the disk, and what the engine wants done.

mod claims;

use super::{
    Source,
    pool::{LIFE, ME, me, peers, pool, seal_one, verified},
    rules::Rules,
};
use crate::world::{NOW, world};
use abeng_audit_log::{Record, Step};
use abeng_queue::{
    Allowed, Checked, Engine, EngineConfig, Free, Gated, Input, MemView, Plan, PrivateInput,
    Refusable, RelayRank, Resend, RowSource, Target, Terms, Ticket, View, fold,
    rows::{AppliedRow, CarriedIdRow, IdRow},
};
use abeng_seal::{OpenedBoxes, Verified, open};
use abeng_wire::{LeafIndex, Millis, Mono, Now, PartyCode, StreamSeq, limits, v1};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What a byte of input stands for.
pub(super) mod op {
    pub const RESERVE: u8 = 0;
    pub const LOOK: u8 = 1;
    pub const GIVE: u8 = 2;
    pub const DAMAGE: u8 = 3;
    pub const VOID: u8 = 4;
    pub const WANT: u8 = 5;
    pub const PROVE: u8 = 6;
    pub const LINK_UP: u8 = 7;
    pub const LINK_DOWN: u8 = 8;
    pub const CREDIT: u8 = 9;
    pub const FAULT: u8 = 10;
    pub const REACH: u8 = 11;
    pub const CARRY: u8 = 12;
    pub const FOLLOW: u8 = 13;
    pub const COMMIT: u8 = 14;
    pub const TIME: u8 = 15;
    pub const RESTART: u8 = 16;
    pub const ALLOW: u8 = 17;
    pub const OFFER: u8 = 18;
    pub const ROSTER: u8 = 19;
    pub const REFUSE: u8 = 20;
    pub const ALL: u8 = 21;
}

/// Submissions of one run: each is sealed anew.
const SUBMISSIONS: u64 = 4;
/// Things to do that are kept; a node has a bounded queue too.
const KEPT: usize = 64;
/// Effects that one input may have.
const EFFECTS: usize = 2 * limits::WANT_NUMBERS as usize;

pub(super) struct Bench {
    engine: Engine,
    view: MemView,
    records: Vec<Record>,
    steps: VecDeque<Step<Gated>>,
    // Looked up, and not yet given.
    inputs: VecDeque<Input>,
    free: VecDeque<Free>,
    opened: OpenedBoxes,
    now: Now,
    roster: v1::RosterRef,
    tickets: u64,
    sessions: u64,
    // By link: envelopes that the peer takes, and that went to it.
    links: BTreeMap<(PartyCode, u64), (u64, u64)>,
    rules: Rules,
}

impl Bench {
    pub(super) fn new() -> Self {
        let roster = world().trust.roster.reference();
        let mut bench = Self {
            engine: recover(roster.clone(), LeafIndex(0), &MemView::new()),
            view: MemView::new(),
            records: Vec::new(),
            steps: VecDeque::new(),
            inputs: VecDeque::new(),
            free: VecDeque::new(),
            opened: OpenedBoxes::new(16),
            now: Now {
                wall: NOW,
                mono: Mono::default(),
            },
            roster,
            tickets: 0,
            sessions: 0,
            links: BTreeMap::new(),
            rules: Rules::default(),
        };
        bench.handle(Input::note(v1::LeafKind::Started));
        bench
    }

    /// Does what the next bytes say.
    pub(super) fn step(&mut self, bytes: &mut Source<'_>) {
        match bytes.byte() % op::ALL {
            op::RESERVE => self.reserve(bytes),
            op::LOOK => {
                let (verified, _) = bytes.of(&pool().mine);
                self.look(verified.clone());
            }
            op::GIVE => {
                let nth = usize::from(bytes.byte()) % self.inputs.len().max(1);
                if let Some(input) = self.inputs.remove(nth) {
                    self.handle(input);
                }
            }
            op::DAMAGE => {
                let mut damaged = bytes.of(&pool().mine).1.to_vec();
                let at = usize::from(bytes.byte()) * 37 % damaged.len();
                damaged[at] ^= 1 << (bytes.byte() % 8);
                // The same envelope, or none: whoever changes it cannot sign it.
                if let Some(verified) = verified(&damaged.into(), me()) {
                    self.look(verified);
                }
            }
            op::VOID => self.void(bytes),
            op::WANT => self.want(bytes),
            op::PROVE => self.prove(bytes),
            op::LINK_UP => {
                let (peer, envelopes) = (*bytes.of(&peers()), bytes.number());
                self.sessions += 1;
                let session = self.sessions;
                self.links.insert((peer, session), (envelopes, 0));
                self.handle(Input::LinkUp {
                    peer,
                    session,
                    envelopes,
                    bytes: 1 << 30,
                });
            }
            op::LINK_DOWN => {
                let peer = *bytes.of(&peers());
                let session = self.session(bytes);
                self.handle(Input::LinkDown { peer, session });
            }
            op::CREDIT => {
                let peer = *bytes.of(&peers());
                let (session, envelopes) = (self.session(bytes), bytes.number());
                if let Some((takes, _)) = self.links.get_mut(&(peer, session)) {
                    *takes = envelopes.max(*takes);
                }
                self.handle(Input::Credit {
                    peer,
                    session,
                    envelopes,
                    bytes: bytes.number() << 20,
                });
            }
            op::FAULT => {
                let from = *bytes.of(&peers());
                let envelope = self.place(bytes).map(|(place, _)| place);
                let kind = i32::from(bytes.byte() % 8);
                let kind = v1::FaultKind::try_from(kind).unwrap_or_default();
                self.handle(Input::Fault {
                    from,
                    envelope,
                    kind,
                });
            }
            op::REACH => {
                let (peer, session) = (*bytes.of(&peers()), self.session(bytes));
                self.handle(Input::Reach {
                    peer,
                    session,
                    parties: BTreeSet::from(peers()),
                    rank: RelayRank::Ordinary,
                });
            }
            op::CARRY => {
                let verified = bytes.of(&pool().carried).clone();
                self.look_to_carry(peers()[0], peers()[1], Box::new(verified));
            }
            op::FOLLOW => {
                let nth = usize::from(bytes.byte()) % self.free.len().max(1);
                if let Some(free) = self.free.remove(nth) {
                    self.follow(free);
                }
            }
            op::COMMIT => {
                let steps = 1 + usize::from(bytes.byte() % 10);
                self.commit(steps);
            }
            op::TIME => self.pass(bytes),
            op::RESTART => self.restart(),
            op::ALLOW => {
                let peer = *bytes.of(&peers());
                let allowed = *bytes.of(&[Allowed::All, Allowed::Flash]);
                self.handle(Input::Allow { peer, allowed });
            }
            op::OFFER => self.offer(bytes),
            op::ROSTER => {
                self.roster.version += 1;
                let reference = self.roster.clone();
                self.handle(Input::RosterAdopted { reference });
            }
            _ => self.refuse(bytes),
        }
    }

    /// Everything becomes durable, and a start reads back what there was. Whether something was
    /// delivered here and something settled.
    pub(super) fn finish(mut self) -> bool {
        self.commit(usize::MAX);
        self.restart();
        self.rules.done.0 > 0 && self.rules.done.1 > 0
    }

    fn handle(&mut self, input: Input) {
        let before = self.engine.next_index();
        let Plan { step, free } = self.engine.handle(self.now, input);
        let after = self.engine.next_index();
        assert_eq!(
            after.0 - before.0,
            step.facts.len() as u64,
            "every fact is a leaf"
        );
        assert!(
            step.gated.len() + free.len() <= EFFECTS,
            "I8: effects of one input"
        );
        for effect in &step.gated {
            match *effect {
                Gated::Receipt { outcome, .. } => {
                    assert!(outcome < after, "I6: a receipt is of a leaf");
                }
                Gated::Forward { peer, session, .. } => {
                    let link = self.links.get_mut(&(peer, session));
                    let (takes, sent) = link.expect("only what is linked is sent to");
                    *sent += 1;
                    assert!(*sent <= *takes, "I8: {peer} takes {takes}");
                }
                _ => {}
            }
        }
        self.steps.push_back(step);
        for free in &free {
            if let Free::Want { want, .. } = free {
                let numbers = want.last - want.first;
                assert!(numbers < limits::WANT_NUMBERS, "a peer takes no {want:?}");
            }
        }
        let asks_back = |free: &Free| {
            !matches!(
                free,
                Free::Want { .. }
                    | Free::LookEnded { .. }
                    | Free::NeverGiven { .. }
                    | Free::TellFault { .. }
            )
        };
        self.free.extend(free.into_iter().filter(asks_back));
        // What a node cannot take it drops; it comes again.
        let seals = |free: &Free| matches!(free, Free::SealNow { .. } | Free::ClearAgain { .. });
        while self.free.len() > KEPT {
            match self.free.iter().position(|free| !seals(free)) {
                Some(at) => _ = self.free.remove(at),
                None => break,
            }
        }
        for peer in peers() {
            let marks = self.engine.all_marks();
            let streams = marks.iter().filter(|(of, _)| *of == peer).count();
            // What came in envelopes was in two lives at the most.
            assert!(streams <= limits::VOIDED_STREAMS + 2, "I8: {streams} lives");
        }
        for gap in self.engine.gap_reports() {
            assert!(gap.last - gap.first < limits::STREAM_AHEAD, "I8: {gap:?}");
        }
        let _ = (self.engine.wake_at(), self.engine.in_flight());
    }

    fn keep(&mut self, input: Input) {
        self.inputs.push_back(input);
        if self.inputs.len() > KEPT {
            self.inputs.pop_front();
        }
    }

    fn session(&self, bytes: &mut Source<'_>) -> u64 {
        self.sessions.saturating_sub(u64::from(bytes.byte() % 3))
    }

    fn row(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.view.row(key).unwrap()
    }

    fn checked(&self) -> Checked {
        Checked {
            looked: LeafIndex(self.records.len() as u64),
            roster_version: self.roster.version,
        }
    }

    /// Looks up what came, as of now; it is given when its turn comes.
    fn look(&mut self, verified: Verified) {
        let from = verified.originator();
        let row = self.row(&IdRow::key(&verified.id()));
        if let Some(IdRow::Held { outcome, .. }) = row.map(|row| IdRow::decode(&row).unwrap()) {
            return self.keep(Input::Duplicate { from, outcome });
        }
        let keys = &world().founding.keyrings[ME];
        let secrets = |kid: &_| keys.seal_secret(kid);
        let opened = open(&verified, &secrets, me(), &mut self.opened).expect("it opens here");
        let (opened, checked) = (Box::new(opened), self.checked());
        self.keep(Input::Opened {
            from,
            opened,
            terms: terms(),
            target: Target::Unknown,
            checked,
        });
    }

    fn refuse(&mut self, bytes: &mut Source<'_>) {
        let (verified, _) = bytes.of(&pool().mine);
        let reason = *bytes.of(&[
            v1::Reason::NotGranted,
            v1::Reason::TimePassed,
            v1::Reason::BadBody,
            v1::Reason::KeyGone,
        ]);
        self.look_to_refuse(Box::new(verified.clone()), reason);
    }

    fn look_to_refuse(&mut self, verified: Box<Verified>, reason: v1::Reason) {
        let (from, checked) = (verified.originator(), self.checked());
        if self.row(&IdRow::key(&verified.id())).is_none() {
            self.keep(Input::Refuse {
                from,
                envelope: Refusable::Verified(verified),
                position: None,
                reason,
                checked,
            });
        }
    }

    fn look_to_carry(&mut self, from: PartyCode, recipient: PartyCode, verified: Box<Verified>) {
        let row = self.row(&CarriedIdRow::key(&verified.id(), recipient));
        let checked = self.checked();
        self.keep(match row.map(|row| CarriedIdRow::decode(&row).unwrap()) {
            Some(row) => Input::Duplicate {
                from,
                outcome: row.answer(),
            },
            None => Input::Carry {
                from,
                recipient,
                verified,
                checked,
            },
        });
    }

    fn reserve(&mut self, bytes: &mut Source<'_>) {
        let to = bytes.byte() % 4;
        if self.tickets == SUBMISSIONS {
            return;
        }
        let recipients = peers().into_iter().zip([1, 2]);
        let recipients: Vec<PartyCode> = recipients
            .filter(|(_, bit)| to == 0 || to & bit > 0)
            .map(|(code, _)| code)
            .collect();
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.handle(Input::Reserve { ticket, recipients });
    }

    /// Does what the engine wants.
    fn follow(&mut self, free: Free) {
        match free {
            Free::SealNow { ticket, positions } => {
                let input = match (ticket.0 + self.sessions) % 4 {
                    0 => Input::SealFailed { ticket },
                    _ => self.sealed(ticket, &positions),
                };
                self.handle(input);
            }
            Free::ClearAgain {
                ticket,
                sealed,
                private,
                terms,
            } => {
                let cleared_under = self.roster.version;
                self.handle(Input::Sealed {
                    ticket,
                    sealed,
                    private,
                    cleared_under,
                    terms,
                });
            }
            Free::CheckAgain { opened, .. } => self.look(opened.verified().clone()),
            Free::RefuseAgain {
                envelope: Refusable::Verified(verified),
                reason,
                ..
            } => self.look_to_refuse(verified, reason),
            Free::CarryAgain {
                from,
                recipient,
                verified,
            } => self.look_to_carry(from, recipient, verified),
            Free::ProveAgain(mut proven) => {
                proven.looked = LeafIndex(self.records.len() as u64);
                proven.settled = self.settled(&proven);
                self.handle(Input::ReceiptProven(proven));
            }
            Free::LookExpired { place } => match self.records.get(place.queued.0 as usize) {
                Some(record) => {
                    let leaf = Box::new(record.leaf().message().clone());
                    self.handle(Input::Expire { place, leaf });
                }
                // Not durable yet: later.
                None => self.free.push_back(Free::LookExpired { place }),
            },
            _ => {}
        }
    }

    fn sealed(&self, ticket: Ticket, positions: &[(PartyCode, StreamSeq)]) -> Input {
        let nth = 1000 + ticket.0 + self.records.len() as u64 * SUBMISSIONS;
        let sealed = Box::new(seal_one((ME, LIFE), positions, nth));
        Input::Sealed {
            ticket,
            sealed,
            private: PrivateInput {
                officer: "officer".to_owned(),
                via: "fuzz".to_owned(),
                salt: [7; 32],
            },
            cleared_under: self.roster.version,
            terms: terms(),
        }
    }

    /// Clocks: the monotonic one goes on, the wall clock jumps.
    fn pass(&mut self, bytes: &mut Source<'_>) {
        const HOPS_MS: [u64; 6] = [1, 1_000, 31_000, 600_000, 2 * 86_400_000, 365 * 86_400_000];
        let hop = *bytes.of(&HOPS_MS);
        self.now.mono = self.now.mono.plus_ms(hop);
        self.now.wall = match bytes.byte() % 8 {
            0 => 0,
            1 => NOW,
            2 => NOW / 2,
            3 => 1 << 46,
            _ => self.now.wall + hop as Millis,
        };
        self.handle(Input::Tick);
        while self.engine.has_more() {
            self.handle(Input::Tick);
        }
    }

    /// The oldest steps become durable.
    fn commit(&mut self, steps: usize) {
        for step in self.steps.drain(..steps.min(self.steps.len())) {
            for record in step.facts {
                let index = LeafIndex(self.records.len() as u64);
                self.rules.take(&record);
                let changes = fold(index, &record, &self.view).expect("every leaf folds");
                let applied = AppliedRow {
                    incarnation: LIFE,
                    position: LeafIndex(index.0 + 1),
                };
                self.view.apply(&changes, applied).unwrap();
                self.records.push(record);
            }
            let size = LeafIndex(self.records.len() as u64);
            for effect in step.gated {
                if let Gated::Receipt { outcome, .. } = effect {
                    assert!(outcome < size, "I6: a receipt is of what is durable");
                }
            }
        }
        let position = LeafIndex(self.records.len() as u64);
        self.handle(Input::Durable { position });
    }

    /// The process ends, and what was not durable with it.
    fn restart(&mut self) {
        let all_durable = self.steps.iter().all(|step| step.facts.is_empty());
        let before = (self.engine.all_marks(), self.engine.has_gaps());
        let size = LeafIndex(self.records.len() as u64);
        self.engine = recover(self.roster.clone(), size, &self.view);
        if all_durable {
            let after = (self.engine.all_marks(), self.engine.has_gaps());
            assert_eq!(before, after, "a start knows what the log says");
        }
        self.steps.clear();
        self.inputs.clear();
        self.free.clear();
        self.links.clear();
        self.handle(Input::note(v1::LeafKind::Started));
    }
}

fn terms() -> Terms {
    Terms {
        keep_until: NOW + 365 * 86_400_000,
        recalls: None,
        ..Terms::default()
    }
}

fn recover(roster: v1::RosterRef, next: LeafIndex, view: &MemView) -> Engine {
    let config = EngineConfig {
        me: me(),
        incarnation: LIFE,
        roster,
        resend: Resend::default(),
        carry: Default::default(),
    };
    let rows = view.rows().map(|(k, v)| (k.to_vec(), v.to_vec()));
    Engine::recover(config, next, &mut rows.collect::<Vec<_>>().into_iter()).expect("rows are good")
}
