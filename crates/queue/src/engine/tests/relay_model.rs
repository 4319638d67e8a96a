//! Two parties that hardly ever link, a relay between them, random inputs, restarts of all three at
//! any point. Afterwards the faults stop, the two are still not linked, and nothing may be owed.

use super::net::{CODES, Draft, Frame, Node, START, party};
use crate::{
    mark::Mark,
    rows::{CarriedRow, IdRow, SentOutcome, SentRow},
};
use abeng_wire::{EnvelopeId, Mono, Now, v1};
use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const N: usize = CODES.len();
const RELAY: usize = 1;
const DAY: u64 = 86_400_000;

#[derive(Debug, Clone)]
enum Op {
    Submit {
        from: usize,
        to: usize,
        precedence: i32,
        short: bool,
        fails: bool,
    },
    Work(usize, usize),
    Commit(usize),
    WriteView(usize),
    Crash(usize, usize),
    Link(usize, usize),
    Cut(usize, usize),
    Deliver(usize),
    Repeat(usize),
    /// A copy is dropped at the far end, and said so.
    Fault(usize),
    /// A copy is dropped, and nobody says so.
    Lose(usize),
    Wait(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let node = 0..N;
    let ends = prop_oneof![Just(0usize), Just(2)];
    prop_oneof![
        6 => (node.clone(), 1..N, 1..5i32, prop::bool::weighted(0.25), prop::bool::weighted(0.15)).prop_map(
            |(from, d, precedence, short, fails)| Op::Submit { from, to: (from + d) % N, precedence, short, fails }),
        16 => (node.clone(), 0..8usize).prop_map(|(n, pick)| Op::Work(n, pick)),
        14 => node.clone().prop_map(Op::Commit),
        2 => node.clone().prop_map(Op::WriteView),
        1 => (node.clone(), 0..11usize).prop_map(|(n, kept)| Op::Crash(n, kept)),
        5 => ends.clone().prop_map(|end| Op::Link(end, RELAY)),
        1 => Just(Op::Link(0, 2)),
        1 => (node, 1..N).prop_map(|(n, d)| Op::Cut(n, (n + d) % N)),
        2 => Just(Op::Cut(0, 2)),
        24 => (0..8usize).prop_map(Op::Deliver),
        6 => (0..8usize).prop_map(Op::Repeat),
        1 => (0..8usize).prop_map(Op::Fault),
        1 => (0..8usize).prop_map(Op::Lose),
        4 => prop_oneof![1..2_000u64, 20_000..400_000u64].prop_map(Op::Wait),
    ]
}

struct Net {
    nodes: Vec<Node>,
    now: Now,
    sessions: u64,
    links: BTreeMap<(usize, usize), u64>,
    frames: VecDeque<(usize, usize, u64, Frame)>,
    submitted: u64,
    short: BTreeSet<u64>,
}

fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

impl Net {
    fn new() -> Self {
        Self {
            nodes: (0..N).map(Node::new).collect(),
            now: Now {
                mono: Mono(0),
                wall: START,
            },
            sessions: 0,
            links: BTreeMap::new(),
            frames: VecDeque::new(),
            submitted: 0,
            short: BTreeSet::new(),
        }
    }

    fn run(&mut self, op: Op) {
        match op {
            Op::Submit {
                from,
                to,
                precedence,
                short,
                fails,
            } => self.submit(from, to, precedence, (short, fails)),
            Op::Work(n, pick) => self.nodes[n].work(self.now, pick),
            Op::Commit(n) => self.commit(n),
            Op::WriteView(n) => self.nodes[n].write_view(),
            Op::Crash(n, kept) => {
                for other in (0..N).filter(|&other| other != n) {
                    self.cut(n, other);
                }
                self.nodes[n].crash(self.now, kept);
            }
            Op::Link(a, b) => self.link(a, b),
            Op::Cut(a, b) => self.cut(a, b),
            Op::Deliver(pick) => {
                if let Some((from, to, session, frame)) = self.pick(pick, true) {
                    self.deliver(from, to, session, frame);
                }
            }
            Op::Repeat(pick) => {
                if let Some((from, to, session, frame)) = self.pick(pick, false)
                    && !matches!(frame, Frame::Credit(..))
                {
                    self.deliver(from, to, session, frame);
                }
            }
            Op::Fault(pick) => self.fault(pick),
            Op::Lose(pick) => {
                let found = self.frames.get(pick).map(|f| &f.3);
                let words = matches!(found, Some(Frame::Want(_) | Frame::Void(_)));
                if words || matches!(found, Some(Frame::Envelope(_) | Frame::Receipt(..))) {
                    self.frames.remove(pick);
                }
            }
            Op::Wait(ms) => self.wait(ms),
        }
    }

    fn submit(&mut self, from: usize, to: usize, precedence: i32, (short, fails): (bool, bool)) {
        self.submitted += 1;
        if short {
            self.short.insert(self.submitted);
        }
        let draft = Draft {
            notice: format!("{}", self.submitted).into(),
            precedence: v1::Precedence::try_from(precedence).unwrap(),
            life_ms: if short { 100_000 } else { 80 * DAY },
            fails,
        };
        self.nodes[from].submit(self.now, vec![party(to)], draft);
    }

    fn commit(&mut self, n: usize) {
        for (to, session, frame) in self.nodes[n].commit(self.now) {
            let link = self.links.get(&pair(n, to)).copied();
            if let Some(link) = link.filter(|&link| session.is_none_or(|s| s == link)) {
                self.frames.push_back((n, to, link, frame));
            }
        }
        let node = &self.nodes[n];
        if node.engine.pending() == 0 && node.durable == node.log.len() {
            let again = node.recovered();
            assert_eq!(again.carried(), node.engine.carried());
            assert_eq!(again.depth(), node.engine.depth());
            let rows = node.scan(CarriedRow::PREFIX).len();
            assert_eq!(rows, node.engine.carried_count());
        }
    }

    fn link(&mut self, a: usize, b: usize) {
        self.cut(a, b);
        self.sessions += 1;
        self.links.insert(pair(a, b), self.sessions);
        self.nodes[a].link_up(self.now, b, self.sessions);
        self.nodes[b].link_up(self.now, a, self.sessions);
        self.say_reach();
    }

    fn cut(&mut self, a: usize, b: usize) {
        if let Some(session) = self.links.remove(&pair(a, b)) {
            self.frames.retain(|&(_, _, s, _)| s != session);
            self.nodes[a].link_down(self.now, b, session);
            self.nodes[b].link_down(self.now, a, session);
            self.say_reach();
        }
    }

    fn say_reach(&mut self) {
        for to in [0, 2] {
            if let Some(&session) = self.links.get(&pair(RELAY, to)) {
                let other = self.links.contains_key(&pair(RELAY, 2 - to));
                let parties = other.then(|| party(2 - to)).into_iter().collect();
                let frame = Frame::Reach(parties);
                self.frames.push_back((RELAY, to, session, frame));
            }
        }
    }

    fn pick(&mut self, pick: usize, remove: bool) -> Option<(usize, usize, u64, Frame)> {
        let i = pick % self.frames.len().max(1);
        match remove {
            true => self.frames.remove(i),
            false => self.frames.get(i).cloned(),
        }
    }

    fn deliver(&mut self, from: usize, to: usize, session: u64, frame: Frame) {
        if let Some(answer) = self.nodes[to].arrive(self.now, from, session, frame) {
            self.frames.push_back((to, from, session, answer));
        }
    }

    fn fault(&mut self, pick: usize) {
        if let Some((from, to, session, frame)) = self.pick(pick, true) {
            let Frame::Envelope(bytes) = &frame else {
                return self.frames.push_back((from, to, session, frame));
            };
            let arrived = abeng_seal::Arrived::parse(bytes).unwrap();
            let recipient = arrived.recipients()[0];
            let fault = Frame::Fault(arrived.id(), recipient, v1::FaultKind::FaultDamaged);
            self.frames.push_back((to, from, session, fault));
        }
    }

    fn wait(&mut self, ms: u64) {
        self.now.mono = self.now.mono.plus_ms(ms);
        self.now.wall += ms;
        for n in 0..N {
            let due = self.nodes[n].engine.wake_at();
            if due.is_some_and(|due| due <= self.now.mono) {
                self.nodes[n].handle(self.now, crate::Input::Tick);
            }
        }
    }

    /// The faults stop; the two ends stay apart.
    fn drain(&mut self) {
        for (a, b) in [(0, 1), (1, 2), (0, 2)] {
            self.cut(a, b);
        }
        self.link(0, RELAY);
        self.link(2, RELAY);
        for _ in 0..5_000 {
            for n in 0..N {
                while self.nodes[n].has_work() {
                    self.nodes[n].work(self.now, 0);
                }
                self.commit(n);
            }
            let busy = !self.frames.is_empty();
            while !self.frames.is_empty() {
                self.run(Op::Deliver(0));
            }
            // I5: no gap stays, and nothing but a word over the relay can close one.
            let owes = |n: &Node| {
                let gaps = n.engine.marks.values().any(Mark::has_gaps);
                n.engine.depth() + n.engine.carried_count() > 0 || n.has_work() || gaps
            };
            if busy || self.nodes.iter().any(|n| n.has_work()) {
                continue;
            }
            if !self.nodes.iter().any(owes) {
                return;
            }
            // Nothing is under way: straight to the next moment at which somebody looks again.
            let wake = self.nodes.iter().filter_map(|n| n.engine.wake_at()).min();
            let ahead = wake.map_or(0, |at| at.0.saturating_sub(self.now.mono.0));
            self.wait(ahead.div_ceil(1_000_000).max(1));
        }
        panic!("I9: the run does not drain");
    }

    fn verdict(&self) {
        let inboxes: Vec<BTreeMap<EnvelopeId, _>> = self
            .nodes
            .iter()
            .map(|node| {
                let inbox = node.inbox();
                let rows: BTreeMap<_, _> = inbox.iter().cloned().collect();
                assert_eq!(rows.len(), inbox.len(), "I2: one inbox row per envelope");
                rows
            })
            .collect();
        for node in &self.nodes {
            receipts_once(node);
            for (id, notice) in &node.accepted {
                let Some(IdRow::Sent { submitted }) = node.id_row(id) else {
                    panic!("I1: what was accepted is known");
                };
                let rows = node.scan(SentRow::PREFIX);
                let key = SentRow::key(submitted);
                let (_, value) = rows.iter().find(|(k, _)| *k == key).unwrap();
                let to = SentRow::decode(value).unwrap().recipients[0];
                let at = CODES.iter().position(|c| *c == to.party.as_str()).unwrap();
                let there = inboxes[at].get(id);
                let number: u64 = std::str::from_utf8(notice).unwrap().parse().unwrap();
                match to.outcome {
                    SentOutcome::Delivered { .. } => {
                        assert_eq!(there, Some(&Some(notice.clone())), "I3: byte for byte");
                    }
                    SentOutcome::Expired { .. } => assert!(self.short.contains(&number)),
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}

/// Each recipient's outcome is taken once, each relay's word once, and neither for the other.
fn receipts_once(node: &Node) {
    let mut seen = BTreeSet::new();
    for record in &node.log {
        let leaf = record.leaf().message();
        let key = (leaf.envelope_id.clone(), leaf.recipient.clone());
        match leaf.kind() {
            v1::LeafKind::Relayed => {
                assert!(leaf.originator != leaf.actor && leaf.recipient != leaf.actor);
                assert!(seen.insert((key, "relayed".to_owned())), "carried twice");
            }
            v1::LeafKind::ReceiptTaken => {
                let proof = record.proof().unwrap().and_then(|p| p.of);
                let Some(v1::proof_part::Of::Receipt(receipt)) = proof else {
                    panic!("a receipt is kept");
                };
                let theirs = abeng_wire::decode::<v1::Leaf>("leaf", &receipt.leaf, 65_535).unwrap();
                let by = match theirs.kind() {
                    v1::LeafKind::Relayed => theirs.actor,
                    _ => {
                        assert_eq!(theirs.actor, leaf.recipient, "the recipient's own word");
                        "outcome".to_owned()
                    }
                };
                assert!(seen.insert((key, by)), "a receipt taken twice");
            }
            _ => {}
        }
    }
}

/// The same runs every time, and what they must have met between them.
#[test]
fn a_relay_loses_doubles_and_invents_nothing() {
    let met = std::cell::RefCell::new(BTreeMap::<&str, u64>::new());
    let config = ProptestConfig {
        cases: 160,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let run = runner.run(&proptest::collection::vec(op(), 40..300), |ops| {
        let mut net = Net::new();
        for op in ops {
            net.run(op);
        }
        net.drain();
        net.verdict();
        for (what, n) in net.nodes.iter().flat_map(|node| &node.met) {
            *met.borrow_mut().entry(what).or_default() += n;
        }
        Ok(())
    });
    run.unwrap();
    let met = met.into_inner();
    for what in [
        "submitted",
        "delivered",
        "sent to a relay",
        "asked to carry",
        "handed a receipt on",
        "duplicate found",
        "expired",
        "failed",
        "asked over a relay",
        "voided when asked over a relay",
        "voided unasked over a relay",
        "number voided",
        "unacknowledged work survived",
        "unacknowledged work was lost",
    ] {
        assert!(met.contains_key(what), "{what} never happened: {met:?}");
    }
}

/// A party that goes while the relay has something for it, and comes back when its life is over.
#[test]
fn what_expires_at_the_relay_leaves_nothing_behind() {
    let mut net = Net::new();
    net.link(0, RELAY);
    net.link(2, RELAY);
    net.submit(0, 2, v1::Precedence::Flash as i32, (true, false));
    for _ in 0..10 {
        net.wait(1_000);
        for n in [0, RELAY] {
            while net.nodes[n].has_work() {
                net.nodes[n].work(net.now, 0);
            }
            net.commit(n);
        }
        while !net.frames.is_empty() && net.nodes[RELAY].engine.carried_count() == 0 {
            net.run(Op::Deliver(0));
            while net.nodes[RELAY].has_work() {
                net.nodes[RELAY].work(net.now, 0);
            }
        }
        if net.nodes[RELAY].engine.carried_count() == 1 {
            break;
        }
    }
    assert_eq!(net.nodes[RELAY].engine.carried_count(), 1);
    net.cut(RELAY, 2);
    net.commit(RELAY);
    net.wait(200_000);
    for n in 0..N {
        while net.nodes[n].has_work() {
            net.nodes[n].work(net.now, 0);
        }
        net.commit(n);
    }
    let relay = &net.nodes[RELAY];
    assert!(relay.met.contains_key("expired while carried"));
    let last = relay.log.last().unwrap().leaf().message();
    assert_eq!(last.kind(), v1::LeafKind::Expired);
    net.drain();
    net.verdict();
    assert!(net.nodes[2].inbox().is_empty());
}
