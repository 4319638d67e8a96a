//! A node: its disk, which a crash tears, and its life between two crashes.

use crate::{
    Kind, Random,
    book::Book,
    linking,
    net::Out,
    relay::Hoarded,
    weather::Ways,
    work::{Draft, Todo},
    world::{START, World, incarnation, party, place_of, world},
};
use abeng_audit_log::{
    Batch, Checkpoint, Journal, JournalIdentity, LogOrigin, OpenError, OpenOptions, Outside,
    Reader, Record, Step,
    merkle::Frontier,
    sim::{Effects, Failure, SimDisk},
    subject,
};
use abeng_keys::{Entropy, SignatureType};
use abeng_queue::{
    Engine, EngineConfig, Gated, Input, MemView, Overlay, Plan, Resend, RowPair, Ticket, View,
    fold, rows::IdRow,
};
use abeng_roster::sign_incarnation;
use abeng_seal::{BoxCache, OpenedBoxes};
use abeng_wire::{Digest, EnvelopeId, LeafIndex, Now, PartyCode, v1};
use std::collections::{BTreeMap, VecDeque};

/// Small, so that a run crosses from one segment to the next; with room for the largest step, in
/// which a slow ticket lets all behind it go at once.
const OPTIONS: OpenOptions = OpenOptions {
    segment_bytes: 256 * 1024,
};
/// How many older states of the view a crash may bring back.
const VIEWS: usize = 8;

/// One party's node.
pub(crate) struct Node {
    pub(crate) me: usize,
    disk: SimDisk,
    // What the view was after each write, newest last.
    views: Vec<MemView>,
    pub(crate) life: Option<Life>,
    // Leaves that were durable when the last effect left.
    told: u64,
    // An operation of the disk may fail by itself.
    fragile: bool,
    /// Processes so far.
    pub(crate) lives: u64,
    /// Whether the relay relays, and means ill.
    pub(crate) ways: Ways,
}

/// A process ended because its disk failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoppedByDisk;

/// A process: gone with a crash.
pub(crate) struct Life {
    pub(crate) me: usize,
    pub(crate) journal: Option<Journal<SimDisk>>,
    pub(crate) reader: Reader<SimDisk>,
    pub(crate) engine: Engine,
    pub(crate) overlay: Overlay,
    pub(crate) view: MemView,
    // Handled, and not yet appended.
    pub(crate) steps: VecDeque<Step<Gated>>,
    pub(crate) outside: Vec<Outside>,
    pub(crate) todo: Vec<Todo>,
    pub(crate) drafts: BTreeMap<Ticket, Draft>,
    pub(crate) tickets: u64,
    pub(crate) boxes: BoxCache,
    pub(crate) opened: OpenedBoxes,
    pub(crate) entropy: Random,
    // The newest checkpoint held of each peer's log.
    pub(crate) held: BTreeMap<PartyCode, Held>,
    pub(crate) signed: Option<Checkpoint>,
    pub(crate) peers: BTreeMap<PartyCode, Peer>,
    pub(crate) links: BTreeMap<PartyCode, linking::End>,
    /// 16 random bytes of this process.
    pub(crate) boot_id: [u8; 16],
    // Frames on their way out.
    pub(crate) words: Vec<Out>,
    pub(crate) ways: Ways,
    /// What a malicious relay keeps back.
    pub(crate) hoard: Vec<Hoarded>,
}

/// A checkpoint that receipts led to, and the compact range that they go on from.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) range: Frontier,
}

/// The other end of a link.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) session: u64,
    /// The size of this log that the peer holds a checkpoint of; 0 for none.
    pub(crate) holds: u64,
}

/// How a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Between two steps.
    Idle,
    /// At an operation of the disk while a batch is written: this many operations still work.
    Writing(u64),
    /// When a batch is durable, and this many of its effects have left.
    Telling(usize),
    /// At an operation of the disk while a segment is prepared.
    Preparing(u64),
}

impl Node {
    /// A node with a new log that holds its incarnation, not yet started.
    pub(crate) fn new(me: usize, random: &mut Random) -> Self {
        let disk = SimDisk::new();
        let mut key = [0; 32];
        random.fill(&mut key);
        let first = Batch {
            steps: vec![Step {
                facts: vec![first_leaf(me)],
                gated: Vec::new(),
            }],
            outside: Vec::new(),
        };
        let identity = JournalIdentity { key };
        Journal::create(disk.clone(), identity, OPTIONS, first).expect("a new journal");
        Self {
            me,
            disk,
            views: Vec::new(),
            life: None,
            told: 1,
            fragile: false,
            lives: 0,
            ways: Ways::default(),
        }
    }

    pub(crate) fn disk(&self) -> &SimDisk {
        &self.disk
    }

    /// The process starts: journal, view, engine, as `abengd` does it. It does not where the disk
    /// fails.
    pub(crate) fn start(&mut self, now: Now, random: &mut Random, book: &mut Book) {
        if random.per_mille(200) {
            self.crash_in_recovery(random, book);
        }
        self.lives += 1;
        let (journal, recovery) = match Journal::open(self.disk.clone(), OPTIONS) {
            Ok(opened) => opened,
            Err(OpenError::Io { .. }) if self.fragile => {
                book.meet(match self.disk.is_full() {
                    true => "did not start on a full disk",
                    false => "did not start on a failing disk",
                });
                self.disk = self.disk.copy();
                self.fragile = self.disk.is_full();
                return;
            }
            Err(e) => panic!("a crash damages nothing, and yet: {e}"),
        };
        if recovery.torn_tail.is_some() {
            book.meet("torn tail");
        }
        if recovery.size < self.told || recovery.tiles_ahead > 0 {
            let (party, size, told) = (party(self.me), recovery.size, self.told);
            let what = format!("the log of {party} has {size} leaves after {told} were told of");
            book.problem(Kind::Lost, what);
        }
        if recovery.size > self.told {
            book.meet("survived untold");
        }
        book.trace(&journal.root().0);
        let view = self.views.last().cloned().unwrap_or_default();
        let applied = view.applied().unwrap();
        let position = applied.map_or(LeafIndex(0), |applied| applied.position);
        let overlay = Overlay::new(incarnation(self.me), position);
        let reader = journal.reader();
        let mut life = Life {
            me: self.me,
            reader: reader.clone(),
            engine: recover(self.me, LeafIndex(0), Vec::new()),
            overlay,
            view,
            journal: Some(journal),
            steps: VecDeque::new(),
            outside: Vec::new(),
            todo: Vec::new(),
            drafts: BTreeMap::new(),
            tickets: 0,
            boxes: BoxCache::new(),
            opened: OpenedBoxes::default(),
            entropy: Random::new(random.word()),
            held: BTreeMap::new(),
            signed: None,
            peers: BTreeMap::new(),
            links: BTreeMap::new(),
            boot_id: linking::boot_id(random),
            words: Vec::new(),
            ways: self.ways,
            hoard: Vec::new(),
        };
        for stored in reader.scan(position) {
            let stored = stored.expect("the journal reads back");
            life.fold(stored.index, &stored.record);
        }
        life.engine = recover(self.me, LeafIndex(reader.size()), life.rows());
        life.held = held_checkpoints(&recovery.outside);
        life.handle(now, Input::note(v1::LeafKind::Started), book);
        self.life = Some(life);
    }

    /// The power goes while the journal is being opened.
    fn crash_in_recovery(&mut self, random: &mut Random, book: &mut Book) {
        let at = self.disk.operations() + random.below(4);
        self.disk.fail_from(at);
        if Journal::open(self.disk.clone(), OPTIONS).is_err() {
            book.meet("crash in recovery");
        }
        self.end_process(random, book);
    }

    /// What the next process finds: after a power cut what the disk kept, after a kill all that
    /// the system remembers, synced or not.
    fn end_process(&mut self, random: &mut Random, book: &mut Book) {
        if random.per_mille(300) {
            book.meet("killed, not cut");
            self.disk = self.disk.copy();
        } else {
            self.disk = self.disk.crash(random.word());
            meet_losses(self.disk.effects(), book);
        }
        if self.disk.is_full() {
            book.meet("crash while full");
        }
        self.fragile = self.disk.is_full();
    }

    /// One of the next operations of the disk fails.
    pub(crate) fn break_disk(&mut self, random: &mut Random) {
        let at = self.disk.operations() + random.below(3);
        self.disk.fail_once(at, Failure::Io);
        self.fragile = true;
    }

    pub(crate) fn fill_disk(&mut self) {
        self.disk.fill();
        self.fragile = true;
    }

    /// True where it was full.
    pub(crate) fn free_disk(&mut self) -> bool {
        let was_full = self.disk.is_full();
        self.disk.free();
        was_full
    }

    /// I10: after an error of the disk the process ends, and the machine goes on.
    fn stop(&mut self) -> StoppedByDisk {
        assert!(self.fragile, "a disk without a fault works");
        self.life = None;
        self.disk = self.disk.copy();
        self.fragile = self.disk.is_full();
        StoppedByDisk
    }

    /// The process ends, with the machine or without. Gives what had left before. Afterwards the
    /// disk holds what it may hold.
    pub(crate) fn crash(
        &mut self,
        now: Now,
        end: End,
        random: &mut Random,
        book: &mut Book,
    ) -> Vec<Out> {
        let Some(mut life) = self.life.take() else {
            return Vec::new();
        };
        let steps = life.steps.len();
        let mut left = Vec::new();
        match end {
            End::Idle => {}
            End::Writing(operations) => {
                self.disk.fail_from(self.disk.operations() + operations);
                match life.append(steps) {
                    Err(_) => book.fault("crash while writing"),
                    Ok(_) => book.fault("crash before telling"),
                }
            }
            End::Preparing(operations) => {
                self.disk.fail_from(self.disk.operations() + operations);
                let journal = life.journal.as_ref();
                if let Some(job) = journal.and_then(Journal::prepare_ahead)
                    && job.run(|| {}).is_err()
                {
                    book.fault("crash while preparing");
                }
            }
            End::Telling(effects) => {
                book.fault("crash while telling");
                if life.commit(now, steps, effects, book).is_ok() {
                    left = std::mem::take(&mut life.words);
                    self.told = life.reader.size();
                }
            }
        }
        book.fault("crash");
        self.end_process(random, book);
        self.lose_view(random, book);
        left
    }

    /// A view in memory stands for one on the disk, of which a crash may leave an older state or
    /// nothing.
    fn lose_view(&mut self, random: &mut Random, book: &mut Book) {
        let keep = match random.below(8) {
            0 => 0,
            1 | 2 if !self.views.is_empty() => 1 + random.index(self.views.len()),
            _ => self.views.len(),
        };
        match keep {
            keep if keep == self.views.len() => {}
            0 => book.meet("view lost"),
            _ => book.meet("view older"),
        }
        self.views.truncate(keep);
    }

    /// The view is to be folded again from the first leaf.
    pub(crate) fn forget_view(&mut self) {
        self.views.clear();
    }

    /// Appends the oldest steps and carries out what waited for them.
    pub(crate) fn commit(
        &mut self,
        now: Now,
        steps: usize,
        book: &mut Book,
    ) -> Result<(), StoppedByDisk> {
        let Some(life) = &mut self.life else {
            return Ok(());
        };
        match life.commit(now, steps, usize::MAX, book) {
            Ok(()) => {
                self.told = life.reader.size();
                Ok(())
            }
            Err(_) => Err(self.stop()),
        }
    }

    /// The view thread writes one batch.
    pub(crate) fn write_view(&mut self) {
        let Some(life) = &mut self.life else { return };
        if let Some(batch) = life.overlay.take_older(life.overlay.position()) {
            life.view.apply(&batch.changes, batch.applied).unwrap();
            life.overlay.written();
            self.views.push(life.view.clone());
            if self.views.len() > VIEWS {
                self.views.remove(0);
            }
        }
    }

    /// A segment is prepared ahead.
    pub(crate) fn prepare(&mut self, book: &mut Book) {
        let journal = self.life.as_ref().and_then(|life| life.journal.as_ref());
        if let Some(job) = journal.and_then(Journal::prepare_ahead)
            && job.run(|| {}).is_err()
        {
            assert!(self.fragile, "a disk without a fault works");
            book.meet("no room to prepare a segment");
        }
    }
}

impl Life {
    /// Gives the engine one input.
    pub(crate) fn handle(&mut self, now: Now, input: Input, book: &mut Book) {
        let Plan { step, free } = self.engine.handle(now, input);
        for record in &step.facts {
            book.trace(record.leaf().bytes());
        }
        urgent_first(&step.gated, !self.relays(), book);
        if !step.facts.is_empty() || !step.gated.is_empty() {
            self.steps.push_back(step);
        }
        for free in free {
            self.free(free, book);
        }
        if self.engine.has_more() {
            self.handle(now, Input::Tick, book);
        }
    }

    /// Folds a durable leaf into the overlay.
    pub(crate) fn fold(&mut self, index: LeafIndex, record: &Record) {
        let changes = fold(index, record, &self.overlay.over(&self.view)).expect("it folds");
        self.overlay.put(index, changes);
    }

    pub(crate) fn row(&self, key: &[u8]) -> Option<Vec<u8>> {
        use abeng_queue::RowSource;
        self.overlay.over(&self.view).row(key).unwrap()
    }

    pub(crate) fn id_row(&self, id: &EnvelopeId) -> Option<IdRow> {
        let row = self.row(&IdRow::key(id))?;
        Some(IdRow::decode(&row).unwrap())
    }

    /// All rows, or those of one kind.
    pub(crate) fn scan(&self, prefix: Option<u8>) -> Vec<RowPair> {
        let (from, to) = prefix.map_or((0, u8::MAX), |prefix| (prefix, prefix + 1));
        let all = usize::MAX;
        self.overlay
            .scan(&self.view, &[from], &[to], false, all)
            .unwrap()
    }

    fn rows(&self) -> Vec<RowPair> {
        self.scan(None)
    }

    /// A link is up, and the peer's hello has said what it holds of this log.
    pub(crate) fn link_up(
        &mut self,
        now: Now,
        (peer, session): (PartyCode, u64),
        held: Option<&v1::CheckpointRef>,
        ready: &v1::Ready,
        book: &mut Book,
    ) {
        let holds = held.map_or(0, |held| {
            let root = Digest::from_slice(&held.root);
            let same = held.size <= self.reader.size()
                && self.reader.root_at(held.size).ok().map(|r| r.0) == root.map(|r| r.0);
            if !same {
                let me = party(self.me);
                let what = format!(
                    "{peer} holds {} leaves of {me} that are others now",
                    held.size
                );
                book.problem(Kind::Fork, what);
            }
            if same { held.size } else { 0 }
        });
        self.peers.insert(peer, Peer { session, holds });
        let input = Input::LinkUp {
            peer,
            session,
            envelopes: ready.credit,
            bytes: ready.credit_bytes,
        };
        self.handle(now, input, book);
        self.tell_reach();
    }

    pub(crate) fn link_down(&mut self, now: Now, peer: usize, session: u64, book: &mut Book) {
        let peer = party(peer);
        self.links.remove(&peer);
        if self.peers.remove(&peer).is_none() {
            return;
        }
        self.handle(now, Input::LinkDown { peer, session }, book);
        self.tell_reach();
    }

    /// The session of the present link to a peer.
    pub(crate) fn session(&self, peer: PartyCode) -> Option<(usize, u64)> {
        let link = self.peers.get(&peer)?;
        Some((place_of(peer), link.session))
    }

    /// Whether nothing waits to be done or written, nothing is queued, and no number is missing.
    pub(crate) fn is_idle(&self) -> bool {
        self.todo.is_empty()
            && self.steps.is_empty()
            && self.engine.depth() == 0
            && !self.engine.has_gaps()
            && self.engine.carried_count() == 0
    }
}

/// What one input puts on a link for the peer itself goes by urgency, and within a precedence by
/// number. What a peer is to relay is looked at more than once in one input, and at a relay what
/// it carries waits behind its own.
fn urgent_first(gated: &[Gated], by_number: bool, book: &mut Book) {
    let mut sent = BTreeMap::new();
    for effect in gated {
        let &Gated::Forward {
            peer,
            recipient,
            submitted,
            precedence,
            ..
        } = effect
        else {
            continue;
        };
        if recipient != peer {
            continue;
        }
        let this = (precedence as i32, by_number.then_some(submitted));
        let before = sent.insert(peer, this);
        if before.is_some_and(|before| before > this) {
            let what =
                format!("{precedence:?} of leaf {submitted} goes to {peer} after {before:?}");
            book.problem(Kind::Order, what);
        }
    }
}

/// What a power cut took.
fn meet_losses(effects: Effects, book: &mut Book) {
    for (what, n) in [
        ("write torn", effects.torn),
        ("writes reordered", effects.reordered),
        ("length lost", effects.lengths_lost),
        ("name lost", effects.names_lost),
        ("rename lost", effects.renames_lost),
    ] {
        if n > 0 {
            book.meet(what);
        }
    }
}

fn recover(me: usize, next: LeafIndex, rows: Vec<RowPair>) -> Engine {
    let config = EngineConfig {
        me: party(me),
        incarnation: incarnation(me),
        roster: world().trust.roster.reference(),
        resend: Resend::default(),
        carry: Default::default(),
    };
    Engine::recover(config, next, &mut rows.into_iter()).expect("the rows are good")
}

/// Leaf 0: the signed incarnation.
fn first_leaf(me: usize) -> Record {
    let statement = v1::Incarnation {
        party: party(me).to_string(),
        incarnation: incarnation(me).0,
        reason: "founding".into(),
        ..v1::Incarnation::default()
    };
    let World { trust, keyrings } = world();
    let signed = sign_incarnation(&**keyrings[me].org_sign(), statement).unwrap();
    let about = subject(SignatureType::INCARNATION.name(), &signed.bytes);
    let leaf = v1::Leaf {
        version: 1,
        kind: v1::LeafKind::Incarnation.into(),
        actor: party(me).to_string(),
        incarnation: incarnation(me).0,
        time: START,
        roster: Some(trust.roster.reference()),
        subject: about.to_bytes(),
        ..v1::Leaf::default()
    };
    let of = Some(v1::proof_part::Of::Statement(signed));
    Record::new(leaf).with_proof(&v1::ProofPart { of })
}

/// Checkpoints that receipts led to, as the journal kept them; verified again.
fn held_checkpoints(outside: &[Outside]) -> BTreeMap<PartyCode, Held> {
    let mut all = BTreeMap::new();
    for said in outside {
        let Outside::HeldCheckpoint { note, peaks, .. } = said else {
            continue;
        };
        let roster = &world().trust.roster;
        let checkpoint = Checkpoint::verify_by_roster(note, roster).unwrap();
        let range = Frontier::from_peaks(checkpoint.size(), peaks).unwrap();
        assert_eq!(range.root(), checkpoint.root());
        let of = LogOrigin::parse(checkpoint.origin()).unwrap().party;
        all.insert(of, Held { checkpoint, range });
    }
    all
}
