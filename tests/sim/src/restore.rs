//! Disks that are lost and put back from a backup or from keys alone, and disks of which two copies
//! run in turns: what operators do, and what went with each disk.

use crate::{
    LostDisk,
    node::{Data, End, Node, OPTIONS},
    run::{Sim, write_numbers},
    weather::Begin,
    world::party,
};
use abeng_audit_log::Journal;
use abeng_wire::{EnvelopeId, LeafHash, LeafIndex, PartyCode, v1};
use std::collections::BTreeSet;

/// A restore takes this long at least, in milliseconds: who had begun something is done with it.
const RESTORE_MS: u64 = 600_000;
/// Between two events a few notices are handed in, and as many rounds of work done each time.
const CALM: usize = 4;
/// Rounds of work in which another node gets done with what it has begun.
const ROUNDS: usize = 64;

impl Sim {
    /// What a phase of a run begins with.
    pub(crate) fn begin(&mut self, what: Begin) {
        let n = self.weather.victim;
        if what == Begin::Nothing {
            return;
        }
        // Something has come there since the last time, and was acknowledged.
        for _ in 0..CALM {
            (0..self.nodes.len()).for_each(|n| self.submit(n));
            for _ in 0..CALM {
                self.round();
                let soon = self.mono.plus_ms(1);
                self.wait_until(self.next().map_or(soon, |next| next.max(soon)));
            }
        }
        match what {
            Begin::Nothing | Begin::Calm => {}
            Begin::NewLife => {
                self.crash(n, End::Idle);
                self.open_life(n);
            }
            Begin::OldLife => {
                let life = self.nodes[n].data.life();
                if self.nodes[n]
                    .aside
                    .as_ref()
                    .is_some_and(|aside| aside.life() < life)
                {
                    self.swap();
                }
            }
            Begin::BackUp => {
                let data = &self.nodes[n].data;
                if !data.fragile {
                    self.book.fault("backup taken");
                    self.nodes[n].aside = Some(data.copy());
                }
            }
            Begin::Restore => self.restore(n),
            Begin::Copies => {
                self.book.copied.insert(party(n));
                self.swap();
            }
            Begin::Twins => {
                self.crash(n, End::Idle);
                self.start(n);
                // A disk that fails is started once more.
                if let Some(life) = &self.nodes[n].life {
                    self.twins = Twins {
                        begun: life.reader.size(),
                        first: None,
                    };
                    self.book.copied.insert(party(n));
                    self.nodes[n].aside = Some(self.nodes[n].data.copy());
                }
            }
            Begin::Twin => {
                self.twins.first = self.twins.signed(&self.nodes[n]);
                self.swap();
            }
            Begin::TwinsMeet => {
                let second = self.twins.signed(&self.nodes[n]);
                let both = self.twins.first.is_some() && second.is_some();
                if both && self.twins.first != second {
                    self.book
                        .meet("both copies signed before either was shown the other");
                }
            }
        }
    }

    /// The disk is lost. The operator puts the backup back, or has keys alone, and opens a new life.
    fn restore(&mut self, n: usize) {
        let keys_alone = self.random.per_mille(300);
        self.crash(n, End::Idle);
        self.others_get_done(n);
        let backup = self.nodes[n].aside.as_ref().filter(|_| !keys_alone);
        let backup = backup.map(Data::copy);
        // By a clock that is behind, its new life may be older than one that was seen.
        self.book.copied.insert(party(n));
        self.lose(n, &self.nodes[n].data.copy(), backup.as_ref());
        let now = self.now(n);
        match backup {
            Some(backup) => {
                self.book.fault("restored from a backup");
                self.nodes[n].data = backup;
                self.nodes[n].new_life(now, &mut self.random, &mut self.book);
            }
            None => {
                self.book.fault("restored from keys alone");
                self.nodes[n].life_from_keys(now, &mut self.random);
            }
        }
        self.start(n);
    }

    /// The process ends, and the other copy of its data is started: without a new life.
    pub(crate) fn swap(&mut self) {
        let n = self.weather.victim;
        if self.nodes[n].aside.is_none() || !self.book.copied.contains(&party(n)) {
            return;
        }
        self.crash(n, End::Idle);
        let node = &mut self.nodes[n];
        if let Some(aside) = &mut node.aside {
            std::mem::swap(&mut node.data, aside);
        }
        self.book.fault("another copy started");
        self.start(n);
    }

    /// Where a node submits nothing any more, its operator opens a new life.
    pub(crate) fn operate(&mut self, n: usize) {
        let life = self.nodes[n].life.as_ref();
        if life.is_none_or(|life| life.past.is_none()) {
            return;
        }
        self.crash(n, End::Idle);
        self.open_life(n);
    }

    fn open_life(&mut self, n: usize) {
        self.others_get_done(n);
        self.book.meet("new life opened");
        let now = self.now(n);
        self.nodes[n].new_life(now, &mut self.random, &mut self.book);
        // Its peers' operators hear of it, and decide to go on.
        for node in &mut self.nodes {
            if let Some(life) = &mut node.life {
                life.contradicted.retain(|(of, _), _| *of != party(n));
            }
        }
        self.start(n);
    }

    /// The operator finds out that two copies run: the one in the newer life goes on, the other is
    /// switched off for good, and a new life is opened.
    pub(crate) fn one_copy(&mut self) {
        let n = self.weather.victim;
        if !self.book.copied.contains(&party(n)) || self.weather.restores() {
            return;
        }
        let Some(mut other) = self.nodes[n].aside.take() else {
            return;
        };
        self.crash(n, End::Idle);
        if other.life() > self.nodes[n].data.life() {
            std::mem::swap(&mut self.nodes[n].data, &mut other);
        }
        self.book.fault("copy switched off");
        let kept = self.nodes[n].data.copy();
        self.lose(n, &other, Some(&kept));
        self.open_life(n);
    }

    /// The others work off what has come to them.
    fn others_get_done(&mut self, n: usize) {
        for other in (0..self.nodes.len()).filter(|&other| other != n) {
            for _ in 0..ROUNDS {
                let life = self.nodes[other].life.as_ref();
                let todo = life.map_or(0, |life| life.todo.len());
                if life.is_none_or(|life| life.todo.is_empty() && life.steps.is_empty()) {
                    break;
                }
                for _ in 0..todo {
                    self.work(other, 0);
                }
                self.commit(other, usize::MAX);
            }
        }
        self.wait_until(self.mono.plus_ms(RESTORE_MS));
    }

    /// Writes down what goes with a disk.
    fn lose(&mut self, n: usize, lost: &Data, kept: Option<&Data>) {
        let (log, kept) = (Log::of(n, lost), kept.map(|kept| Log::of(n, kept)));
        let kept = kept.unwrap_or_default();
        let submitted: BTreeSet<_> = log.submitted.difference(&kept.submitted).copied().collect();
        let held: Vec<Log> = (0..self.nodes.len())
            .map(|other| Log::of(other, &self.nodes[other].data))
            .collect();
        let mut nowhere = BTreeSet::new();
        for submission in &self.book.history.submissions {
            let gone = submitted.contains(&submission.id);
            for &to in submission.to.iter().filter(|_| gone) {
                let at = &held[crate::world::place_of(to)];
                if !at.durable.contains(&submission.id) {
                    nowhere.insert((submission.id, to));
                }
            }
        }
        self.book.history.lost.push(LostDisk {
            party: party(n),
            received: log.delivered.difference(&kept.delivered).copied().collect(),
            refused: log.refused.difference(&kept.refused).copied().collect(),
            submitted,
            nowhere,
            numbers: log.numbers,
            log: log.leaves,
        });
    }
}

/// Two copies of a disk that were started at the same instant.
#[derive(Debug, Default)]
pub(crate) struct Twins {
    /// Leaves that both began with.
    begun: u64,
    /// What the first has signed.
    first: Option<(u64, LeafHash)>,
}

impl Twins {
    /// What the copy that runs has signed of its own since then, unless it was shown another past.
    fn signed(&self, node: &Node) -> Option<(u64, LeafHash)> {
        let life = node.life.as_ref().filter(|life| life.past.is_none())?;
        let signed = life.signed.as_ref()?;
        (signed.size() > self.begun).then(|| (signed.size(), signed.root()))
    }
}

/// What a log says.
#[derive(Default)]
struct Log {
    leaves: Vec<bytes::Bytes>,
    submitted: BTreeSet<EnvelopeId>,
    delivered: BTreeSet<EnvelopeId>,
    // Of what was delivered, what no crash takes.
    durable: BTreeSet<EnvelopeId>,
    refused: BTreeSet<EnvelopeId>,
    numbers: Vec<crate::Number>,
}

impl Log {
    fn of(n: usize, data: &Data) -> Self {
        let (me, disk) = (party(n), data.disk.image());
        disk.free();
        let (journal, _) = Journal::open(disk, OPTIONS).expect("the journal reads back");
        let mut log = Self::default();
        let mut history = crate::History::default();
        for stored in journal.reader().scan(LeafIndex(0)) {
            let stored = stored.expect("the journal reads back");
            let (index, record) = (stored.index.0, stored.record);
            let leaf = record.leaf().message();
            log.leaves.push(record.leaf().bytes().clone());
            let proof = record.proof().unwrap().and_then(|proof| proof.of);
            write_numbers(&mut history, (me, data.life_at(index)), leaf, proof);
            let Some(id) = EnvelopeId::from_slice(&leaf.envelope_id) else {
                continue;
            };
            let here = leaf.originator != me.as_str() && is(&leaf.recipient, me);
            match leaf.kind() {
                v1::LeafKind::Submitted => _ = log.submitted.insert(id),
                v1::LeafKind::Delivered if here => {
                    log.delivered.insert(id);
                    if index < data.told {
                        log.durable.insert(id);
                    }
                }
                v1::LeafKind::Refused | v1::LeafKind::Expired if here => {
                    log.refused.insert(id);
                }
                _ => {}
            }
        }
        log.numbers = history.numbers;
        log
    }
}

fn is(code: &str, party: PartyCode) -> bool {
    code == party.as_str()
}
