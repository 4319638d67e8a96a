//! Three nodes, random inputs, restarts at any point. Afterwards the faults stop, and the run
//! must drain and owe nothing.

use super::{
    net::{CODES, Draft, Frame, Node, RECALL, START, party},
    scrubbed,
};
use crate::{
    Engine, Input,
    lane::{Entry, Key},
    mark::Mark,
    rows::{EndedRow, IdRow, SentOutcome, SentRow},
    voided::Voided,
};
use abeng_wire::{EnvelopeId, Incarnation, Mono, Now, PartyCode, StreamSeq, v1};
use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const N: usize = CODES.len();

#[derive(Debug, Clone)]
enum Op {
    Submit {
        from: usize,
        both: bool,
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
    /// The same frame twice.
    Repeat(usize),
    /// A want or a void is lost.
    Lose(usize),
    /// A copy is dropped at the far end, and said so.
    Fault(usize),
    /// A notice that was accepted is taken back.
    Recall(usize, usize),
    /// A legal hold at a recipient is placed or lifted.
    Hold(usize, usize),
    /// A round of the worker that scrubs.
    Scrub(usize),
    Wait(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let node = 0..N;
    prop_oneof![
        6 => (node.clone(), any::<bool>(), 1..5i32, prop::bool::weighted(0.2), prop::bool::weighted(0.1))
            .prop_map(|(from, both, precedence, short, fails)| Op::Submit { from, both, precedence, short, fails }),
        14 => (node.clone(), 0..8usize).prop_map(|(n, pick)| Op::Work(n, pick)),
        12 => node.clone().prop_map(Op::Commit),
        2 => node.clone().prop_map(Op::WriteView),
        1 => (node.clone(), 0..11usize).prop_map(|(n, kept)| Op::Crash(n, kept)),
        4 => (node.clone(), 1..N).prop_map(|(n, d)| Op::Link(n, (n + d) % N)),
        2 => (node.clone(), 0..8usize).prop_map(|(n, pick)| Op::Recall(n, pick)),
        1 => (node.clone(), 0..8usize).prop_map(|(n, pick)| Op::Hold(n, pick)),
        3 => node.clone().prop_map(Op::Scrub),
        1 => (node, 1..N).prop_map(|(n, d)| Op::Cut(n, (n + d) % N)),
        20 => (0..8usize).prop_map(Op::Deliver),
        8 => (0..8usize).prop_map(Op::Repeat),
        2 => (0..8usize).prop_map(Op::Lose),
        1 => (0..8usize).prop_map(Op::Fault),
        3 => prop_oneof![1..2_000u64, 20_000..90_000u64].prop_map(Op::Wait),
    ]
}

struct Net {
    nodes: Vec<Node>,
    now: Now,
    sessions: u64,
    // By pair, lower node first.
    links: BTreeMap<(usize, usize), u64>,
    frames: VecDeque<(usize, usize, u64, Frame)>,
    submitted: u64,
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
        }
    }

    fn run(&mut self, op: Op) {
        let now = self.now;
        match op {
            Op::Submit {
                from,
                both,
                precedence,
                short,
                fails,
            } => {
                self.submitted += 1;
                let to = (1..N).map(|d| party((from + d) % N));
                let mut to: Vec<PartyCode> = to.take(if both { 2 } else { 1 }).collect();
                to.sort_unstable();
                let draft = Draft {
                    notice: format!("notice {}", self.submitted).into(),
                    precedence: v1::Precedence::try_from(precedence).unwrap(),
                    life_ms: if short { 60_000 } else { 86_400_000 },
                    fails,
                };
                self.nodes[from].submit(now, to, draft);
            }
            Op::Work(n, pick) => self.nodes[n].work(now, pick),
            Op::Commit(n) => self.commit(n),
            Op::WriteView(n) => self.nodes[n].write_view(),
            Op::Crash(n, kept) => {
                let peers: Vec<_> = self.links.keys().copied().collect();
                for (a, b) in peers.into_iter().filter(|&(a, b)| a == n || b == n) {
                    self.cut(a, b);
                }
                self.nodes[n].crash(now, kept);
            }
            Op::Link(a, b) => {
                self.cut(a, b);
                self.sessions += 1;
                let session = self.sessions;
                self.links.insert(pair(a, b), session);
                self.nodes[a].link_up(now, b, session);
                self.nodes[b].link_up(now, a, session);
            }
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
            Op::Lose(pick) => {
                let i = pick % self.frames.len().max(1);
                if let Some((_, _, _, Frame::Want(_) | Frame::Void(_))) = self.frames.get(i) {
                    self.frames.remove(i);
                    self.nodes[0].meet("want or void lost");
                }
            }
            Op::Fault(pick) => {
                if let Some((from, to, session, Frame::Envelope(bytes))) = self.pick(pick, true) {
                    let id = abeng_seal::Arrived::parse(&bytes).unwrap().id();
                    let fault = Frame::Fault(id, party(to), v1::FaultKind::FaultDamaged);
                    self.frames.push_back((to, from, session, fault));
                }
            }
            Op::Recall(n, pick) => self.nodes[n].recall(now, pick),
            Op::Hold(n, pick) => self.nodes[n].hold(now, pick),
            Op::Scrub(n) => self.nodes[n].scrub(now),
            Op::Wait(ms) => {
                self.now.mono = self.now.mono.plus_ms(ms);
                self.now.wall += ms;
                for n in 0..N {
                    let due = self.nodes[n].engine.wake_at();
                    if due.is_some_and(|due| due <= self.now.mono) {
                        self.nodes[n].handle(self.now, Input::Tick);
                    }
                }
            }
        }
    }

    fn commit(&mut self, n: usize) {
        for (to, session, frame) in self.nodes[n].commit(self.now) {
            let link = self.links.get(&pair(n, to)).copied();
            // A session that is gone takes nothing; receipts go over any.
            if let Some(link) = link.filter(|&link| session.is_none_or(|s| s == link)) {
                self.frames.push_back((n, to, link, frame));
            }
        }
        self.check_recovery(n);
    }

    fn cut(&mut self, a: usize, b: usize) {
        if let Some(session) = self.links.remove(&pair(a, b)) {
            self.frames.retain(|&(_, _, s, _)| s != session);
            self.nodes[a].link_down(self.now, b, session);
            self.nodes[b].link_down(self.now, a, session);
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

    /// What the engine would do again after a restart is what it is about to do now.
    fn check_recovery(&self, n: usize) {
        let node = &self.nodes[n];
        let again = node.recovered();
        if node.engine.pending() == 0 && node.durable == node.log.len() {
            assert_eq!(state(&node.engine), state(&again));
            assert_eq!(node.engine.next_index(), again.next_index());
            assert_eq!(node.queue_rows(), node.engine.depth());
        }
    }

    /// The faults stop.
    fn drain(&mut self) {
        // What was told on a link that broke is told again on the next one.
        for (a, b) in self.links.keys().copied().collect::<Vec<_>>() {
            self.cut(a, b);
        }
        for _ in 0..2_000 {
            for a in 0..N {
                for b in a + 1..N {
                    if !self.links.contains_key(&(a, b)) {
                        self.run(Op::Link(a, b));
                    }
                }
            }
            for n in 0..N {
                while self.nodes[n].has_work() {
                    self.nodes[n].work(self.now, 0);
                }
                self.commit(n);
                for id in self.nodes[n].holds() {
                    self.nodes[n].hold_act(self.now, id, v1::HoldAct::HoldLifted);
                }
                self.nodes[n].scrub(self.now);
                self.commit(n);
            }
            while !self.frames.is_empty() {
                self.run(Op::Deliver(0));
            }
            let idle = self.nodes.iter().all(|n| {
                let gaps = n.engine.marks.values().any(Mark::has_gaps);
                !n.has_work() && n.engine.depth() == 0 && !n.owes_scrubs() && !gaps
            });
            if idle {
                for n in 0..N {
                    self.commit(n);
                }
                return;
            }
            self.run(Op::Wait(1_000));
        }
        panic!("I9: the run does not drain");
    }

    fn verdict(&self) {
        let inboxes: Vec<Vec<_>> = self.nodes.iter().map(Node::inbox).collect();
        let mut delivered_at: Vec<BTreeSet<EnvelopeId>> = Vec::new();
        for inbox in &inboxes {
            let ids: BTreeSet<EnvelopeId> = inbox.iter().map(|&(id, _)| id).collect();
            assert_eq!(ids.len(), inbox.len(), "I2: one inbox row per envelope");
            delivered_at.push(ids);
        }
        for node in &self.nodes {
            one_outcome_each(node);
            for (id, notice) in &node.accepted {
                let Some(IdRow::Sent { submitted }) = node.id_row(id) else {
                    panic!("I1: what was accepted is known");
                };
                let row = node.scan(SentRow::PREFIX);
                let key = SentRow::key(submitted);
                let (_, value) = row.iter().find(|(k, _)| *k == key).unwrap();
                for to in SentRow::decode(value).unwrap().recipients {
                    let at = CODES.iter().position(|c| *c == to.party.as_str()).unwrap();
                    let there = inboxes[at].iter().find(|(i, _)| i == id);
                    match to.outcome {
                        SentOutcome::Delivered { .. } => {
                            let (_, opened) = there.expect("false receipt");
                            assert_eq!(opened.as_ref(), Some(notice), "I3: byte for byte");
                        }
                        SentOutcome::Recalled { .. } => {
                            let (_, opened) = there.expect("false receipt");
                            assert_eq!(opened, &None, "taken back, and still there");
                        }
                        SentOutcome::Refused { reason, .. } => {
                            assert!(there.is_none(), "refused, and in the inbox");
                            let recall = notice.starts_with(RECALL);
                            match reason {
                                v1::Reason::Hold => assert!(recall, "{reason:?}"),
                                v1::Reason::RecalledByOriginator => {}
                                other => panic!("{other:?}"),
                            }
                        }
                        SentOutcome::Expired { .. } => {}
                        outcome => panic!("I1: {outcome:?} at the end"),
                    }
                }
            }
        }
        self.numbers();
        self.ended();
    }

    /// A void is ready for every number that ended without a delivery, and for no other.
    fn ended(&self) {
        for node in &self.nodes {
            let ended: BTreeSet<_> = node.scan(EndedRow::PREFIX).into_iter().collect();
            let ended = ended.iter().map(|(key, value)| {
                let reason = EndedRow::decode(value).unwrap().reason;
                (EndedRow::parse_key(key).unwrap(), reason)
            });
            let ended: BTreeMap<_, _> = ended.collect();
            let mut expected = BTreeMap::new();
            for record in &node.log {
                if let Some(v1::proof_part::Of::Void(void)) =
                    record.proof().unwrap().and_then(|p| p.of)
                {
                    let recipient = PartyCode::new(&void.recipient).unwrap();
                    let seq = StreamSeq::new(void.first).unwrap();
                    expected.insert((recipient, seq), v1::VoidReason::VoidFailed);
                }
            }
            for (_, value) in node.scan(SentRow::PREFIX) {
                for to in SentRow::decode(&value).unwrap().recipients {
                    let reason = match to.outcome {
                        SentOutcome::Refused { .. } => v1::VoidReason::VoidFailed,
                        SentOutcome::Expired { .. } => v1::VoidReason::VoidExpired,
                        _ => continue,
                    };
                    expected.insert((to.party, to.seq), reason);
                }
            }
            let numbers = |map: &BTreeMap<_, _>| map.keys().copied().collect::<Vec<_>>();
            assert_eq!(numbers(&ended), numbers(&expected));
            for (number, reason) in ended {
                // An end here may come before the refusal there.
                let expired = reason == v1::VoidReason::VoidExpired;
                assert!(expired || reason == expected[&number], "{number:?}");
            }
        }
    }

    /// I5: per originator and recipient the numbers given out are 1, 2, 3 … whatever happened.
    fn numbers(&self) {
        for node in &self.nodes {
            let mut streams: BTreeMap<String, Vec<u64>> = BTreeMap::new();
            for record in &node.log {
                let leaf = record.leaf().message();
                let seq = match record.proof().unwrap().and_then(|p| p.of) {
                    Some(v1::proof_part::Of::Queued(position)) => position.stream_seq,
                    Some(v1::proof_part::Of::Void(void)) => void.first,
                    _ => continue,
                };
                streams.entry(leaf.recipient.clone()).or_default().push(seq);
            }
            for (recipient, seqs) in streams {
                let expected: Vec<u64> = (1..=seqs.len() as u64).collect();
                assert_eq!(seqs, expected, "I5: the stream to {recipient}");
            }
        }
    }
}

/// I7: one outcome for each envelope that came, one for each recipient of each that went.
fn one_outcome_each(node: &Node) {
    let mut seen = BTreeSet::new();
    let mut expired = BTreeSet::new();
    let mut recalls = BTreeSet::new();
    for record in &node.log {
        let leaf = record.leaf().message();
        let key = (leaf.envelope_id.clone(), leaf.recipient.clone());
        let here = leaf.originator != leaf.actor;
        match leaf.kind() {
            v1::LeafKind::Delivered | v1::LeafKind::Refused => {
                assert!(here && seen.insert(key), "a second outcome here");
            }
            v1::LeafKind::Expired if here => assert!(seen.insert(key), "a second outcome here"),
            v1::LeafKind::Expired => assert!(
                !seen.contains(&key) && expired.insert(key),
                "expired after its outcome, or twice"
            ),
            // A receipt may still come after the end of its life.
            v1::LeafKind::ReceiptTaken => {
                let Some(v1::proof_part::Of::Receipt(receipt)) =
                    record.proof().unwrap().and_then(|p| p.of)
                else {
                    panic!("a receipt is kept");
                };
                let theirs = abeng_wire::decode::<v1::Leaf>("leaf", &receipt.leaf, 65_535);
                let recalled = theirs.unwrap().kind() == v1::LeafKind::Recalled;
                let set = if recalled { &mut recalls } else { &mut seen };
                assert!(set.insert(key), "a receipt taken twice");
            }
            v1::LeafKind::Recalled => assert!(recalls.insert(key), "taken back twice"),
            _ => {}
        }
    }
}

type State = (
    BTreeMap<(PartyCode, Key), Entry>,
    BTreeMap<PartyCode, StreamSeq>,
    (
        BTreeMap<(PartyCode, Incarnation), Mark>,
        BTreeMap<(PartyCode, Incarnation), Voided>,
    ),
    BTreeSet<EnvelopeId>,
    BTreeMap<(PartyCode, EnvelopeId), u64>,
);

fn state(engine: &Engine) -> State {
    let lanes = engine.lanes.iter();
    let entries =
        lanes.flat_map(|(&peer, lane)| lane.iter().map(move |(key, e)| ((peer, key), e.untried())));
    (
        entries.collect(),
        engine.streams.clone(),
        (engine.marks.clone(), engine.voided.clone()),
        engine.holds.clone(),
        engine.waiting.clone(),
    )
}

/// 320 runs, the same every time, and what they must have met between them: a check that never
/// comes near the danger is none.
#[test]
fn nothing_is_lost_doubled_or_promised_early() {
    let met = std::cell::RefCell::new(BTreeMap::<&str, u64>::new());
    let runs = std::cell::Cell::new(0);
    let config = ProptestConfig {
        cases: 320,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let run = runner.run(&proptest::collection::vec(op(), 20..300), |ops| {
        let mut net = Net::new();
        for op in ops {
            net.run(op);
        }
        net.drain();
        net.verdict();
        // Every eighth, since it writes whole journals.
        if runs.replace(runs.get() + 1) % 8 == 0 {
            for node in &mut net.nodes {
                let scrubbed = scrubbed::changes_no_row(node);
                *node.met.entry("scrubbed").or_default() += scrubbed;
            }
        }
        for (what, n) in net.nodes.iter().flat_map(|node| &node.met) {
            *met.borrow_mut().entry(what).or_default() += n;
        }
        Ok(())
    });
    run.unwrap();
    let met = met.into_inner();
    for what in [
        "submitted",
        "failed",
        "delivered",
        "duplicate found",
        "checked again",
        "proved again",
        "expired",
        "came too late",
        "asked for a gap",
        "ended numbers looked up",
        "voided when asked",
        "voided unasked",
        "number voided",
        "want or void lost",
        "recalled",
        "scrub begun",
        "scrub ended",
        "refused for a hold",
        "refused as taken back",
        "told as taken back",
        "unacknowledged work survived",
        "unacknowledged work was lost",
        "scrubbed",
    ] {
        assert!(met.contains_key(what), "never met: {what}, of {met:?}");
    }
}
