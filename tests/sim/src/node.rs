//! A node: its disk, which a crash tears, and its life between two crashes.

use crate::{
    Kind, Random,
    book::Book,
    linking,
    lives::{self, Written, known_logs, last_signed},
    net::Out,
    relay::Hoarded,
    weather::Ways,
    work::{Draft, Todo},
    world::{START, first_life, party, place_of, world},
};
use abeng_audit_log::{
    Checkpoint, Journal, OpenError, OpenOptions, Outside, Reader, Record, Step,
    logs::LogBook,
    past::Proved,
    sim::{Effects, Failure, SimDisk},
};
use abeng_queue::{
    Engine, EngineConfig, Gated, Input, MemView, Overlay, Plan, Resend, RowPair, Ticket, View,
    fold, rows::IdRow,
};
use abeng_seal::{BoxCache, OpenedBoxes};
use abeng_wire::{Digest, EnvelopeId, Incarnation, LeafIndex, Now, PartyCode, v1};
use std::collections::{BTreeMap, VecDeque};

/// Small, so that a run crosses from one segment to the next; with room for the largest step, in
/// which a slow ticket lets all behind it go at once.
pub(crate) const OPTIONS: OpenOptions = OpenOptions {
    segment_bytes: 256 * 1024,
};
/// How many power cuts come within a sector, where any does.
const TEARS_PER_MILLE: u64 = 600;
/// How many older states of the view a crash may bring back.
const VIEWS: usize = 8;

/// One party's node.
pub(crate) struct Node {
    pub(crate) me: usize,
    /// What the machine has.
    pub(crate) data: Data,
    /// A copy of it that lies somewhere else: a backup, or a second machine.
    pub(crate) aside: Option<Data>,
    pub(crate) life: Option<Life>,
    /// Processes so far.
    pub(crate) lives: u64,
    /// Whether the relay relays, and means ill.
    pub(crate) ways: Ways,
    /// A power cut may come within a sector of its disk.
    pub(crate) tears: bool,
}

/// A disk, and what belongs to it.
pub(crate) struct Data {
    pub(crate) disk: SimDisk,
    // What the view was after each write, newest last.
    pub(crate) views: Vec<MemView>,
    // Leaves that were durable when the last effect left.
    pub(crate) told: u64,
    // An operation of the disk may fail by itself.
    pub(crate) fragile: bool,
    /// Which leaves were written in which life of the log.
    pub(crate) written: Written,
}

/// A process ended because its disk failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoppedByDisk;

/// A process: gone with a crash.
pub(crate) struct Life {
    pub(crate) me: usize,
    /// The life of its log.
    pub(crate) incarnation: Incarnation,
    /// Leaves that this life took over from one before.
    pub(crate) carried: u64,
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
    // What is known of the peers' logs.
    pub(crate) logs: LogBook,
    /// Proof that the own past is not the newest: nothing is submitted any more.
    pub(crate) past: Option<Proved>,
    /// Both notes of a peer whose log contradicts itself: no links with that life of it.
    pub(crate) contradicted: BTreeMap<(PartyCode, Incarnation), [bytes::Bytes; 2]>,
    /// To which life of each peer everything was offered again.
    pub(crate) offered: BTreeMap<PartyCode, Incarnation>,
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
        let opening = lives::Opening::first(first_life(me), START);
        let (disk, _) = opening.create(me, random);
        Self {
            me,
            data: Data::new(disk, 1, vec![(0, first_life(me))]),
            aside: None,
            life: None,
            lives: 0,
            ways: Ways::default(),
            tears: false,
        }
    }

    pub(crate) fn disk(&self) -> &SimDisk {
        &self.data.disk
    }

    /// The process starts: journal, view, engine, as `abengd` does it. It does not where the disk
    /// fails.
    pub(crate) fn start(&mut self, now: Now, random: &mut Random, book: &mut Book) {
        if random.per_mille(200) {
            self.crash_in_recovery(random, book);
        }
        self.lives += 1;
        let (journal, recovery) = match Journal::open(self.data.disk.clone(), OPTIONS) {
            Ok(opened) => opened,
            Err(OpenError::Io { .. }) if self.data.fragile => {
                book.meet(match self.data.disk.is_full() {
                    true => "did not start on a full disk",
                    false => "did not start on a failing disk",
                });
                self.data.disk = self.data.disk.copy();
                self.data.fragile = self.data.disk.is_full();
                return;
            }
            // Nothing is guessed of a sector that cannot be read. The operator takes an image of the disk, on
            // which it is zeros, and starts from that.
            Err(OpenError::Io { .. }) if self.data.disk.has_unreadable() => {
                book.meet("did not start on a torn sector");
                self.data.disk = self.data.disk.image();
                self.data.fragile = self.data.disk.is_full();
                return;
            }
            Err(e) => panic!("a crash damages nothing, and yet: {e}"),
        };
        if recovery.torn_tail.is_some() {
            book.meet("torn tail");
        }
        if recovery.size < self.data.told || recovery.tiles_ahead > 0 {
            let (party, size, told) = (party(self.me), recovery.size, self.data.told);
            let what = format!("the log of {party} has {size} leaves after {told} were told of");
            book.problem(Kind::Lost, what);
        }
        if recovery.size > self.data.told {
            book.meet("survived untold");
        }
        book.trace(&journal.root().0);
        let view = self.data.views.last().cloned().unwrap_or_default();
        let applied = view.applied().unwrap();
        let position = applied.map_or(LeafIndex(0), |applied| applied.position);
        let incarnation = self.data.life();
        let overlay = Overlay::new(incarnation, position);
        let reader = journal.reader();
        let mut life = Life {
            me: self.me,
            incarnation,
            carried: self.data.carried(),
            reader: reader.clone(),
            engine: recover((self.me, incarnation), LeafIndex(0), Vec::new()),
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
            logs: known_logs(&recovery.outside),
            past: None,
            contradicted: BTreeMap::new(),
            offered: BTreeMap::new(),
            signed: last_signed(&reader, &recovery.outside),
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
        let size = LeafIndex(reader.size());
        life.engine = recover((self.me, incarnation), size, life.rows());
        life.past = life.proved_before(&recovery.outside);
        life.handle(now, Input::note(v1::LeafKind::Started), book);
        self.life = Some(life);
    }

    /// The power goes while the journal is being opened.
    fn crash_in_recovery(&mut self, random: &mut Random, book: &mut Book) {
        let at = self.data.disk.operations() + random.below(4);
        self.data.disk.fail_from(at);
        if Journal::open(self.data.disk.clone(), OPTIONS).is_err() {
            book.meet("crash in recovery");
        }
        self.end_process(random, book);
    }

    /// What the next process finds: after a power cut what the disk kept, after a kill all that
    /// the system remembers, synced or not.
    fn end_process(&mut self, random: &mut Random, book: &mut Book) {
        if random.per_mille(300) {
            book.meet("killed, not cut");
            self.data.disk = self.data.disk.copy();
        } else {
            let seed = random.word();
            self.data.disk = match self.tears && random.per_mille(TEARS_PER_MILLE) {
                true => self.data.disk.crash_within_sectors(seed, "journal"),
                false => self.data.disk.crash(seed),
            };
            meet_losses(self.data.disk.effects(), book);
        }
        if self.data.disk.is_full() {
            book.meet("crash while full");
        }
        self.data.fragile = self.data.disk.is_full();
    }

    /// One of the next operations of the disk fails.
    pub(crate) fn break_disk(&mut self, random: &mut Random) {
        let at = self.data.disk.operations() + random.below(3);
        self.data.disk.fail_once(at, Failure::Io);
        self.data.fragile = true;
    }

    pub(crate) fn fill_disk(&mut self) {
        self.data.disk.fill();
        self.data.fragile = true;
    }

    /// True where it was full.
    pub(crate) fn free_disk(&mut self) -> bool {
        let was_full = self.data.disk.is_full();
        self.data.disk.free();
        was_full
    }

    /// I10: after an error of the disk the process ends, and the machine goes on.
    fn stop(&mut self) -> StoppedByDisk {
        assert!(self.data.fragile, "a disk without a fault works");
        self.life = None;
        self.data.disk = self.data.disk.copy();
        self.data.fragile = self.data.disk.is_full();
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
                self.data
                    .disk
                    .fail_from(self.data.disk.operations() + operations);
                match life.append(steps) {
                    Err(_) => book.fault("crash while writing"),
                    Ok(_) => book.fault("crash before telling"),
                }
            }
            End::Preparing(operations) => {
                self.data
                    .disk
                    .fail_from(self.data.disk.operations() + operations);
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
                    self.data.told = life.reader.size();
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
            1 | 2 if !self.data.views.is_empty() => 1 + random.index(self.data.views.len()),
            _ => self.data.views.len(),
        };
        match keep {
            keep if keep == self.data.views.len() => {}
            0 => book.meet("view lost"),
            _ => book.meet("view older"),
        }
        self.data.views.truncate(keep);
    }

    /// The view is to be folded again from the first leaf.
    pub(crate) fn forget_view(&mut self) {
        self.data.views.clear();
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
                self.data.told = life.reader.size();
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
            self.data.views.push(life.view.clone());
            if self.data.views.len() > VIEWS {
                self.data.views.remove(0);
            }
        }
    }

    /// A segment is prepared ahead.
    pub(crate) fn prepare(&mut self, book: &mut Book) {
        let journal = self.life.as_ref().and_then(|life| life.journal.as_ref());
        if let Some(job) = journal.and_then(Journal::prepare_ahead)
            && job.run(|| {}).is_err()
        {
            assert!(self.data.fragile, "a disk without a fault works");
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
        let of_here = |held: &&v1::CheckpointRef| held.incarnation == self.incarnation.0;
        let holds = held.filter(of_here).map_or(0, |held| {
            let root = Digest::from_slice(&held.root);
            let same = held.size <= self.reader.size()
                && self.reader.root_at(held.size).ok().map(|r| r.0) == root.map(|r| r.0);
            if !same && self.past.is_none() {
                let me = party(self.me);
                let what = format!(
                    "{peer} holds {} leaves of {me} that are others now, and it goes on",
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
        ("sector torn", effects.unreadable),
    ] {
        if n > 0 {
            book.meet(what);
        }
    }
}

fn recover((me, incarnation): (usize, Incarnation), next: LeafIndex, rows: Vec<RowPair>) -> Engine {
    let config = EngineConfig {
        me: party(me),
        incarnation,
        roster: world().trust.roster.reference(),
        resend: Resend::default(),
        carry: Default::default(),
    };
    Engine::recover(config, next, &mut rows.into_iter()).expect("the rows are good")
}
