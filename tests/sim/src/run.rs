//! One run: faults, then none, then the verdict.

use crate::{
    Entry, Fate, History, Kind, Met, Number, Place, Random, Scenario, Sent, Verdict,
    book::Book,
    check,
    linking::Connection,
    net::{Frame, Net, Out},
    node::{End, Node, StoppedByDisk},
    restore::Twins,
    weather::Weather,
    world::{N, RELAY, START, party, world},
};
use abeng_audit_log::{Disk, verify_log};
use abeng_keys::Entropy;
use abeng_queue::rows::{InboxRow, MarkRow, SentOutcome, SentRow};
use abeng_seal::reopen_received;
use abeng_wire::{Digest, Incarnation, LeafIndex, Mono, Now, PartyCode, limits, v1};
use bytes::Bytes;
use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// A run has drained within this much simulated time after the last fault, in milliseconds: a
/// few of the longest waits before sending again.
const DRAIN_MS: u64 = 2 * 3_600_000;

/// A link on which a hello does not come is given up after this, in milliseconds.
const HELLO_MS: u64 = 30_000;
/// Envelopes that may be shown again later.
const KEPT: usize = 48;

/// What one seed led to.
#[derive(Debug, Clone)]
pub struct Report {
    /// What it was about.
    pub scenario: Scenario,
    /// The seed.
    pub seed: u64,
    /// What is wrong; empty when the run was good.
    pub verdicts: Vec<Verdict>,
    /// Faults that were injected, by kind.
    pub faults: Met,
    /// What they led to, and what went well.
    pub met: Met,
    /// What was done.
    pub history: History,
    /// The hash of everything that happened, in order: equal where runs were equal.
    pub trace: Digest,
}

/// Runs one seed. Takes no longer than the simulated work needs, and never panics.
pub fn run(scenario: Scenario, seed: u64) -> Report {
    let mut sim = Sim::new(scenario, seed);
    let ran = catch_unwind(AssertUnwindSafe(|| {
        sim.storm();
        if sim.drain() {
            sim.restart();
            if sim.drain() {
                sim.write_history();
            }
        }
    }));
    let Sim { mut book, .. } = sim;
    let mut verdicts = std::mem::take(&mut book.problems);
    let stuck = verdicts.iter().any(|v| v.kind == Kind::Stuck);
    match ran {
        Ok(()) if stuck => {}
        Ok(()) => verdicts.extend(check(&book.history)),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or(panic.downcast_ref::<&str>().copied());
            let what = said.unwrap_or("a panic without words").to_owned();
            let kind = Kind::Stopped;
            verdicts.push(Verdict { kind, what });
        }
    }
    Report {
        scenario,
        seed,
        verdicts,
        trace: book.traced(),
        faults: book.faults,
        met: book.met,
        history: book.history,
    }
}

/// All there is.
pub(crate) struct Sim {
    pub(crate) nodes: Vec<Node>,
    pub(crate) net: Net,
    pub(crate) mono: Mono,
    /// How far each node's wall clock is off, in milliseconds.
    pub(crate) skew: [i64; N],
    pub(crate) random: Random,
    pub(crate) weather: Weather,
    /// Nodes between which there is no path, lower first.
    pub(crate) barred: Vec<(usize, usize)>,
    /// Envelopes that somebody on the way has kept: from, to, the recipient's life, the bytes.
    pub(crate) sent: VecDeque<(usize, usize, u64, Bytes)>,
    pub(crate) book: Book,
    /// Of two copies that were started at once.
    pub(crate) twins: Twins,
}

impl Sim {
    fn new(scenario: Scenario, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let weather = Weather::new(scenario, &mut random);
        let n = weather.nodes;
        let mut sim = Self {
            nodes: (0..n).map(|n| Node::new(n, &mut random)).collect(),
            net: Net::default(),
            mono: Mono(0),
            skew: [0; N],
            random,
            weather,
            barred: Vec::new(),
            sent: VecDeque::new(),
            book: Book::default(),
            twins: Twins::default(),
        };
        sim.book.trace(&seed.to_be_bytes());
        for n in 0..sim.nodes.len() {
            sim.start(n);
        }
        sim
    }

    /// A node's clocks.
    pub(crate) fn now(&mut self, n: usize) -> Now {
        let wall = (START + self.mono.0 / 1_000_000).saturating_add_signed(self.skew[n]);
        let latest = self.book.history.clocks.entry(party(n)).or_default();
        *latest = wall.max(*latest);
        Now {
            mono: self.mono,
            wall,
        }
    }

    pub(crate) fn start(&mut self, n: usize) {
        let now = self.now(n);
        self.nodes[n].ways = self.weather.ways;
        self.nodes[n].tears = self.weather.tears();
        self.nodes[n].start(now, &mut self.random, &mut self.book);
    }

    pub(crate) fn crash(&mut self, n: usize, end: End) {
        let now = self.now(n);
        let left = self.nodes[n].crash(now, end, &mut self.random, &mut self.book);
        self.send(n, left);
        self.unlink(n);
    }

    /// A process is gone, and its links with it.
    fn unlink(&mut self, n: usize) {
        for peer in 0..self.nodes.len() {
            self.cut(n, peer);
        }
    }

    /// Links two running nodes that are not linked: hellos are on their way.
    pub(crate) fn link(&mut self, a: usize, b: usize) {
        let running = self.nodes[a].life.is_some() && self.nodes[b].life.is_some();
        let barred = self.barred.contains(&(a.min(b), a.max(b)));
        if a == b || barred || !running || self.net.session(a, b).is_some() {
            return;
        }
        let mut connection = Connection {
            number: self.net.up(a, b, self.mono),
            exporter: [0; 32],
            window: self.weather.window,
        };
        self.random.fill(&mut connection.exporter);
        let roles = [v1::Role::Dialler, v1::Role::Acceptor];
        for ((here, there), role) in [(a, b), (b, a)].into_iter().zip(roles) {
            let now = self.now(here);
            let Some(life) = &mut self.nodes[here].life else {
                return;
            };
            if life.open_link(now, there, role, connection).is_none() {
                self.book.meet("link refused by the clock");
                return self.cut(a, b);
            }
            self.hear(here);
        }
    }

    /// Puts what a node has said on its links.
    fn hear(&mut self, n: usize) {
        if let Some(life) = &mut self.nodes[n].life {
            let words = std::mem::take(&mut life.words);
            self.send(n, words);
        }
    }

    pub(crate) fn cut(&mut self, a: usize, b: usize) {
        let Some((session, lost)) = self.net.cut(a, b) else {
            return;
        };
        if lost > 0 {
            self.book.meet("link cut with frames in flight");
        }
        for (here, there) in [(a, b), (b, a)] {
            let now = self.now(here);
            if let Some(life) = &mut self.nodes[here].life {
                life.link_down(now, there, session, &mut self.book);
            }
        }
    }

    /// Puts frames on their links, where those still exist.
    pub(crate) fn send(&mut self, from: usize, out: Vec<Out>) {
        for out in out {
            let delay = self.weather.delay_ms(&mut self.random);
            let due = self.mono.plus_ms(delay);
            if let Frame::Envelope(bytes) = &out.frame {
                if self.sent.len() == KEPT {
                    self.sent.pop_front();
                }
                let life = self.nodes[out.to].lives;
                self.sent.push_back((from, out.to, life, bytes.clone()));
            }
            if !self.net.send(from, out, due) {
                self.book.meet("frame without a link");
            }
        }
    }

    pub(crate) fn commit(&mut self, n: usize, steps: usize) {
        let now = self.now(n);
        match self.nodes[n].commit(now, steps, &mut self.book) {
            Ok(()) => self.hear(n),
            Err(StoppedByDisk) => {
                self.book.meet("stopped by its disk");
                self.unlink(n);
            }
        }
    }

    pub(crate) fn deliver(&mut self, from: usize, to: usize, session: u64, frame: Frame) {
        let now = self.now(to);
        let Some(life) = &mut self.nodes[to].life else {
            return;
        };
        let taken = life.arrive(now, (from, session), frame, &mut self.book);
        if life.is_up(party(from)) {
            self.net.open(from, to);
        }
        self.hear(to);
        if taken.is_err() {
            self.cut(from, to);
        }
    }

    pub(crate) fn work(&mut self, n: usize, pick: u64) {
        let now = self.now(n);
        if let Some(life) = &mut self.nodes[n].life
            && !life.todo.is_empty()
        {
            let nth = (pick % life.todo.len() as u64) as usize;
            life.work(now, nth, &mut self.book);
            self.hear(n);
        }
    }

    /// Time passes; engines that asked for it are woken.
    pub(crate) fn wait_until(&mut self, mono: Mono) {
        self.mono = self.mono.max(mono);
        self.book.trace(&self.mono.0.to_be_bytes());
        let patience = Mono(self.mono.0.saturating_sub(HELLO_MS * 1_000_000));
        for (a, b) in self.net.unanswered(patience) {
            self.book.meet("hello timed out");
            self.cut(a, b);
        }
        for n in 0..self.nodes.len() {
            let now = self.now(n);
            if let Some(life) = &mut self.nodes[n].life
                && life.engine.wake_at().is_some_and(|due| due <= now.mono)
            {
                life.handle(now, abeng_queue::Input::Tick, &mut self.book);
            }
        }
    }

    /// Every two nodes, lower first.
    pub(crate) fn pairs(&self) -> Vec<(usize, usize)> {
        let n = self.nodes.len();
        (0..n)
            .flat_map(|a| (a + 1..n).map(move |b| (a, b)))
            .collect()
    }

    /// When something happens next by itself.
    pub(crate) fn next(&self) -> Option<Mono> {
        let lives = self.nodes.iter().filter_map(|node| node.life.as_ref());
        let wakes = lives.filter_map(|life| life.engine.wake_at());
        wakes.chain(self.net.next()).min()
    }

    /// I9: the faults stop. False where something is still owed after [`DRAIN_MS`].
    fn drain(&mut self) -> bool {
        if self.weather.ways.malicious {
            // What it has dropped took credit that only another link gives it.
            self.unlink(RELAY);
        }
        self.weather.clear();
        self.one_copy();
        self.book.delivery = None;
        self.barred.clear();
        self.skew = [0; N];
        self.net.free();
        for node in &mut self.nodes {
            node.free_disk();
            if let Some(life) = &mut node.life {
                life.ways = self.weather.ways;
            }
        }
        let end = self.mono.plus_ms(DRAIN_MS);
        while self.mono <= end {
            let quiet = self.round();
            let mut lives = self.nodes.iter().filter_map(|node| node.life.as_ref());
            let all_run = self.nodes.iter().all(|node| node.life.is_some());
            if all_run && lives.all(|life| life.is_idle()) && self.net.next().is_none() {
                return true;
            }
            if quiet {
                let soon = self.mono.plus_ms(1);
                self.wait_until(self.next().map_or(soon, |next| next.max(soon)));
            }
        }
        for node in &self.nodes {
            if let Some(life) = node.life.as_ref().filter(|life| !life.is_idle()) {
                let (party, depth) = (party(node.me), life.engine.depth());
                let (carried, todo) = (life.engine.carried_count(), life.todo.len());
                let gaps = match life.engine.has_gaps() {
                    true => ", misses numbers",
                    false => "",
                };
                let what = format!(
                    "{party} owes {depth}, carries {carried}, has {todo} to do{gaps} after {DRAIN_MS} ms without faults"
                );
                self.book.problem(Kind::Stuck, what);
            }
        }
        false
    }

    /// Every node runs, is linked, and does all that there is to do. Whether nothing had arrived.
    pub(crate) fn round(&mut self) -> bool {
        for n in 0..self.nodes.len() {
            if self.nodes[n].life.is_none() {
                self.start(n);
            }
            self.operate(n);
        }
        for (a, b) in self.pairs() {
            self.link(a, b);
        }
        for n in 0..self.nodes.len() {
            let todo = self.nodes[n].life.as_ref().map_or(0, |l| l.todo.len());
            for _ in 0..todo {
                self.work(n, 0);
            }
            self.commit(n, usize::MAX);
        }
        let arrived = self.net.arrived(self.mono);
        for way in &arrived {
            if let Some((session, frame)) = self.net.take(*way) {
                self.deliver(way.0, way.1, session, frame);
            }
        }
        arrived.is_empty()
    }

    /// Every node loses its power and its view: what is judged is what the disks hold.
    fn restart(&mut self) {
        for n in 0..self.nodes.len() {
            self.crash(n, End::Idle);
            self.nodes[n].forget_view();
            while self.nodes[n].life.is_none() {
                self.start(n);
            }
        }
    }

    fn write_history(&mut self) {
        for n in 0..self.nodes.len() {
            let me = party(n);
            let life = self.nodes[n].life.as_ref().expect("it was started");
            let names = self.nodes[n].disk().list("journal").unwrap();
            if names.iter().filter(|name| name.ends_with(".seg")).count() > 1 {
                self.book.meet("second segment");
            }
            let verified = verify_log(self.nodes[n].disk(), &world().trust, me, |_| ());
            if let Err(fault) = verified {
                self.book
                    .problem(Kind::Fork, format!("the log of {me}: {fault}"));
            }
            let history = &mut self.book.history;
            let mut log = Vec::new();
            for stored in life.reader.scan(LeafIndex(0)) {
                let stored = stored.unwrap();
                let record = stored.record;
                log.push(record.leaf().bytes().clone());
                let leaf = record.leaf().message();
                let proof = record.proof().unwrap().and_then(|proof| proof.of);
                let written = self.nodes[n].data.life_at(stored.index.0);
                write_numbers(history, (me, written), leaf, proof);
            }
            history.logs.insert(me, log);
            history.inboxes.insert(me, inbox(n, life));
            history.sent.extend(sent(life));
            history.marked.extend(marked(me, life));
        }
        self.meet_restored();
    }

    /// What came back to nodes that had lost it.
    fn meet_restored(&mut self) {
        let History { lost, inboxes, .. } = &self.book.history;
        let again = lost.iter().flat_map(|lost| {
            let inbox = inboxes.get(&lost.party).into_iter().flatten();
            inbox.filter(|entry| lost.received.contains(&entry.id))
        });
        let again = again.count();
        let gone = lost.iter().any(|lost| !lost.nowhere.is_empty());
        if again > 0 {
            self.book.meet("delivered again to a newer life");
        }
        if gone {
            self.book.meet("went with the disk");
        }
    }
}

/// Numbers of streams that a leaf gives out or holds.
pub(crate) fn write_numbers(
    history: &mut History,
    (me, life): (PartyCode, Incarnation),
    leaf: &v1::Leaf,
    proof: Option<v1::proof_part::Of>,
) {
    let code = |code: &str| PartyCode::new(code).unwrap();
    let mut give = |number, id| {
        history.numbers.push(Number {
            from: me,
            life,
            to: code(&leaf.recipient),
            number,
            id,
        });
    };
    match proof {
        Some(v1::proof_part::Of::Queued(position)) => give(
            position.stream_seq,
            abeng_wire::EnvelopeId::from_slice(&leaf.envelope_id),
        ),
        Some(v1::proof_part::Of::Void(void)) => {
            (void.first..=void.last).for_each(|number| give(number, None));
        }
        // A second envelope on a number that is taken is refused, and the number stays the first one's.
        Some(v1::proof_part::Of::Received(_)) if leaf.reason() == v1::Reason::SeqConflict => {}
        Some(v1::proof_part::Of::Received(received)) => {
            let number = received.position.map(|position| position.stream_seq);
            let of = sealed_in(&received.hdr);
            let seen = number.map(|number| (code(&leaf.originator), of, me, number));
            history.seen.extend(seen);
        }
        _ => {}
    }
}

/// The life of its originator's log in which an envelope was sealed.
fn sealed_in(hdr: &Bytes) -> Incarnation {
    let hdr: v1::Hdr = abeng_wire::decode("HDR", hdr, limits::HDR).unwrap();
    let pre: v1::Pre = abeng_wire::decode("PRE", &hdr.pre, limits::PRE).unwrap();
    Incarnation(pre.incarnation)
}

/// The inbox: each row's envelope, opened again from the journal.
fn inbox(n: usize, life: &crate::node::Life) -> Vec<Entry> {
    let keyring = &world().keyrings[n];
    let secrets = |kid: &_| keyring.seal_secret(kid);
    let rows = life.scan(Some(InboxRow::PREFIX)).into_iter();
    let entry = rows.map(|(_, value)| {
        let row = InboxRow::decode(&value).unwrap();
        let record = life.reader.read(row.received).unwrap().record;
        let Some(v1::proof_part::Of::Received(proof)) = record.proof().unwrap().unwrap().of else {
            unreachable!("a Received leaf has its proof");
        };
        let v1::BodyPart { stanzas, body } = record.body().unwrap().unwrap();
        let opened = reopen_received(&proof.hdr, &stanzas, &body, party(n), &secrets);
        Entry {
            id: row.envelope_id,
            from: row.originator,
            notice: opened.map_or(Bytes::new(), |opened| opened.notice),
        }
    });
    entry.collect()
}

/// The numbers that a node takes for closed.
fn marked(me: PartyCode, life: &crate::node::Life) -> Vec<Place> {
    let rows = life.scan(Some(MarkRow::PREFIX)).into_iter();
    let numbers = rows.flat_map(|(key, value)| {
        let (from, of) = MarkRow::parse_key(&key).unwrap();
        let row = MarkRow::decode(&value).unwrap();
        let below = 1..=row.contiguous;
        let above = row.above.into_iter().flat_map(|(first, last)| first..=last);
        below.chain(above).map(move |number| (from, of, me, number))
    });
    numbers.collect()
}

fn sent(life: &crate::node::Life) -> Vec<Sent> {
    let rows = life.scan(Some(SentRow::PREFIX)).into_iter();
    let rows = rows.map(|(_, value)| SentRow::decode(&value).unwrap());
    let fates = rows.flat_map(|row| {
        let id = row.envelope_id;
        row.recipients.into_iter().map(move |to| Sent {
            id,
            recipient: to.party,
            fate: match to.outcome {
                // Nobody takes anything back here.
                SentOutcome::Delivered { .. } | SentOutcome::Recalled { .. } => Fate::Delivered,
                SentOutcome::Refused { .. } => Fate::Refused,
                SentOutcome::Expired { .. } => Fate::Expired,
                _ => Fate::Queued,
            },
        })
    });
    fates.collect()
}
