//! What is known here of the logs of others, as far as their checkpoints tell. Free of IO.
//!
//! Of every log there is a *trunk*, the largest checkpoint that is proved to go together with all
//! before it, and *open* ones, which were met and not yet compared: of another size, so that only
//! the log's owner, or whoever has the path, can show how they go together. And there is what is
//! *held*: the compact range that receipts on the owner's own link go on from.

use crate::{
    Checkpoint, Contradiction, LogOrigin,
    merkle::{Frontier, roots_from_consistency},
};
use abeng_wire::{Incarnation, LeafHash, Mono, PartyCode};
use std::collections::BTreeMap;

/// What is held of one log is written down at most so often, in nanoseconds.
const KEEP_NS: u64 = 1_000_000_000;
/// Checkpoints of one log that wait to be compared, of those that one source showed. What others
/// showed is never pushed out by what the log's owner shows.
const OPEN: usize = 8;
/// Closed lives of one log that go on being judged.
const LIVES: usize = 8;
/// How often an owner is asked about one of them on one link.
const ASKED: u32 = 3;

/// The newest checkpoint of a peer that its receipts led to.
#[derive(Debug, Clone)]
pub struct Held {
    /// Signed by the log.
    pub checkpoint: Checkpoint,
    /// Its compact range.
    pub range: Frontier,
}

/// What becomes of a checkpoint that was met.
#[derive(Debug, PartialEq, Eq)]
pub enum Met {
    /// It goes together with what is known, or there was nothing to compare it with.
    Good,
    /// It is of another size than what is known: the owner is to explain.
    Open,
    /// It is of a life of the log that a newer one has closed, and contradicts nothing that is
    /// known of that.
    Closed,
    /// It proves, with one known before, that the log contradicts itself.
    Contradiction(Box<Contradiction>),
}

/// What an explanation shows.
#[derive(Debug, PartialEq, Eq)]
pub enum Explained {
    /// The two checkpoints go together.
    Good,
    /// It is about no pair that is open here.
    Unasked,
    /// It shows nothing, and that is new.
    Nothing,
    /// The same again.
    NothingAgain,
    /// It proves that the log contradicts itself.
    Contradiction(Box<Contradiction>),
}

/// A pair of sizes of one log, to be explained by its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// Which life of it.
    pub incarnation: Incarnation,
    /// The smaller size.
    pub old: u64,
    /// The larger size.
    pub new: u64,
}

/// All logs of others.
#[derive(Debug, Default)]
pub struct LogBook {
    logs: BTreeMap<PartyCode, Known>,
    /// Lives that a newer one has closed, the newest last. Whoever shows two pasts does not get rid
    /// of one by beginning anew.
    closed: BTreeMap<PartyCode, Vec<Known>>,
}

#[derive(Debug)]
struct Known {
    origin: LogOrigin,
    held: Option<Held>,
    kept: Option<Mono>,
    remembered: u64,
    trunk: Option<Checkpoint>,
    open: Vec<Open>,
}

/// A checkpoint that waits to be compared.
#[derive(Debug)]
struct Open {
    checkpoint: Checkpoint,
    /// Who showed it.
    from: PartyCode,
    asked: u32,
    /// The same over all links: whoever links anew is not asked for ever without anybody hearing.
    ever: u32,
    /// That its owner does not explain it was told.
    told: bool,
}

/// Room for one more closed life: the oldest goes of which only its owner has shown anything that
/// is still to be compared.
fn make_room(closed: &mut Vec<Known>, owner: PartyCode) -> bool {
    let empty = |known: &Known| known.open.iter().all(|open| open.from == owner);
    if closed.len() >= LIVES
        && let Some(oldest) = closed.iter().position(empty)
    {
        closed.remove(oldest);
    }
    closed.len() < LIVES
}

fn same(one: &Checkpoint, other: &Checkpoint) -> bool {
    one.size() == other.size() && one.root() == other.root()
}

impl Known {
    fn new(origin: LogOrigin) -> Self {
        Self {
            origin,
            held: None,
            kept: None,
            remembered: 0,
            trunk: None,
            open: Vec::new(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Checkpoint> {
        let open = self.open.iter().map(|open| &open.checkpoint);
        self.trunk.iter().chain(open)
    }

    fn meet(&mut self, from: PartyCode, new: &Checkpoint) -> Met {
        if new.size() == 0 || self.all().any(|known| same(known, new)) {
            return Met::Good;
        }
        let other = self.all().find(|known| known.size() == new.size());
        if let Some(Ok(proof)) = other.map(|known| Contradiction::prove(known, new, &[])) {
            return Met::Contradiction(Box::new(proof));
        }
        if self.trunk.is_none() {
            self.trunk = Some(new.clone());
            return Met::Good;
        }
        let shown = self.open.iter().filter(|open| open.from == from).count();
        let oldest = self.open.iter().position(|open| open.from == from);
        if let Some(oldest) = oldest.filter(|_| shown >= OPEN) {
            self.open.remove(oldest);
        }
        self.open.push(Open {
            checkpoint: new.clone(),
            from,
            asked: 0,
            ever: 0,
            told: false,
        });
        Met::Open
    }

    /// `new` is proved to go together with the tree of this size and root. If one of them is the
    /// trunk, the larger is it from now on, and none of them is open. Says whether that is so.
    fn join(&mut self, old: (u64, LeafHash), new: &Checkpoint) -> bool {
        let is = |c: &Checkpoint, at: (u64, LeafHash)| (c.size(), c.root()) == at;
        let at = (new.size(), new.root());
        let Some(trunk) = self.trunk.clone().filter(|t| is(t, old) || is(t, at)) else {
            return false;
        };
        let open = self.open.iter().map(|open| &open.checkpoint);
        let other = open.chain([new]).find(|c| is(c, old)).cloned();
        let joined = [Some(trunk), other, Some(new.clone())];
        self.trunk = joined.into_iter().flatten().max_by_key(Checkpoint::size);
        let known = |c: &Checkpoint| is(c, old) || is(c, at);
        self.open.retain(|open| !known(&open.checkpoint));
        true
    }
}

impl LogBook {
    /// The life of a log, unless a newer one is known; an older one is closed by it.
    fn known(&mut self, origin: LogOrigin) -> Option<&mut Known> {
        let known = self
            .logs
            .entry(origin.party)
            .or_insert_with(|| Known::new(origin));
        if known.origin.incarnation < origin.incarnation {
            let mut before = std::mem::replace(known, Known::new(origin));
            before.held = None;
            let closed = self.closed.entry(origin.party).or_default();
            if make_room(closed, origin.party) {
                closed.push(before);
            }
        }
        (known.origin == origin).then_some(known)
    }

    /// A closed life, which is judged as before; `None` where too many are known.
    fn closed(&mut self, origin: LogOrigin) -> Option<&mut Known> {
        let closed = self.closed.entry(origin.party).or_default();
        match closed.iter().position(|known| known.origin == origin) {
            Some(at) => closed.get_mut(at),
            None if make_room(closed, origin.party) => {
                closed.push(Known::new(origin));
                closed.last_mut()
            }
            None => None,
        }
    }

    /// A checkpoint, verified, that `from` showed.
    pub fn meet(&mut self, origin: LogOrigin, from: PartyCode, new: &Checkpoint) -> Met {
        if let Some(known) = self.known(origin) {
            return known.meet(from, new);
        }
        match self.closed(origin).map(|known| known.meet(from, new)) {
            Some(Met::Contradiction(proof)) => Met::Contradiction(proof),
            _ => Met::Closed,
        }
    }

    /// A checkpoint that the log's owner showed, with the proof that it goes together with the tree
    /// of that size and root.
    pub fn follows(
        &mut self,
        origin: LogOrigin,
        old: Option<(u64, LeafHash)>,
        new: &Checkpoint,
    ) -> Met {
        let met = self.meet(origin, origin.party, new);
        let Some(known) = self.known(origin) else {
            return met;
        };
        match old {
            Some(old) if matches!(met, Met::Good | Met::Open) && known.join(old, new) => Met::Good,
            _ => met,
        }
    }

    /// Receipts have led from what was held to this checkpoint and its range.
    pub fn hold(&mut self, origin: LogOrigin, held: Held) -> Met {
        let before = self.held(origin).map(|held| &held.checkpoint);
        let before = before.map(|held| (held.size(), held.root()));
        let met = self.follows(origin, before, &held.checkpoint);
        if matches!(met, Met::Good | Met::Open)
            && let Some(known) = self.known(origin)
        {
            known.held = Some(held);
        }
        met
    }

    /// Whether what is held of a log should be written down again: not with every receipt under
    /// load, since after a crash receipts go on from an older range just as well.
    pub fn keep_due(&mut self, party: PartyCode, now: Mono) -> bool {
        let Some(known) = self.logs.get_mut(&party) else {
            return false;
        };
        let due = known
            .kept
            .is_none_or(|at| now.0.saturating_sub(at.0) >= KEEP_NS);
        if due {
            known.kept = Some(now);
        }
        due
    }

    /// What receipts of this life of a log go on from.
    pub fn held(&self, origin: LogOrigin) -> Option<&Held> {
        let known = self.logs.get(&origin.party)?;
        known.held.as_ref().filter(|_| known.origin == origin)
    }

    /// The newest life of a party's log with what is held of it.
    pub fn newest_held(&self, party: PartyCode) -> Option<(LogOrigin, &Held)> {
        let known = self.logs.get(&party)?;
        Some((known.origin, known.held.as_ref()?))
    }

    /// The newest life of a party's log that a checkpoint proves.
    pub fn life(&self, party: PartyCode) -> Option<Incarnation> {
        let known = self.logs.get(&party)?;
        known.all().next().map(|_| known.origin.incarnation)
    }

    /// The largest checkpoint of the newest life of a party's log, whoever showed it: what proves
    /// to the party how far others know its log to go.
    pub fn newest(&self, party: PartyCode) -> Option<&Checkpoint> {
        let known = self.logs.get(&party)?;
        known.all().max_by_key(|checkpoint| checkpoint.size())
    }

    /// [`Self::newest`], where nothing else of that log is held and it was not asked for before.
    pub fn remember(&mut self, party: PartyCode) -> Option<Checkpoint> {
        let newest = self.newest(party)?.clone();
        let known = self.logs.get_mut(&party)?;
        if known.held.is_some() || known.remembered >= newest.size() {
            return None;
        }
        known.remembered = newest.size();
        Some(newest)
    }

    /// Checkpoints of a party's log that wait for an explanation by it.
    pub fn open(&self, party: PartyCode) -> impl Iterator<Item = &Checkpoint> {
        let known = self.logs.get(&party);
        let open = known.map(|known| known.open.iter().map(|open| &open.checkpoint));
        open.into_iter().flatten()
    }

    /// The largest checkpoint of each log that goes together with all before it.
    pub fn trunks(&self) -> impl Iterator<Item = (PartyCode, &Checkpoint)> {
        self.logs
            .iter()
            .filter_map(|(party, known)| Some((*party, known.trunk.as_ref()?)))
    }

    /// What the owner of a log is to be asked now; about each checkpoint a few times only.
    pub fn questions(&mut self, party: PartyCode) -> Vec<Question> {
        let Some(known) = self.logs.get_mut(&party) else {
            return Vec::new();
        };
        let Some(trunk) = known.trunk.as_ref().map(Checkpoint::size) else {
            return Vec::new();
        };
        let mut questions = Vec::new();
        for open in known.open.iter_mut().filter(|open| open.asked < ASKED) {
            open.asked += 1;
            open.ever += 1;
            let size = open.checkpoint.size();
            questions.push(Question {
                incarnation: known.origin.incarnation,
                old: size.min(trunk),
                new: size.max(trunk),
            });
        }
        questions
    }

    /// Of a party's log, the sizes of those checkpoints that its owner was asked about as often as
    /// it is asked, and did not explain. Each is told once.
    pub fn silent(&mut self, party: PartyCode) -> Vec<u64> {
        let Some(known) = self.logs.get_mut(&party) else {
            return Vec::new();
        };
        let open = known.open.iter_mut();
        let silent = open.filter(|open| open.ever >= ASKED && !open.told);
        silent
            .map(|open| {
                open.told = true;
                open.checkpoint.size()
            })
            .collect()
    }

    /// Parties that did not explain how checkpoints of their logs go together.
    pub fn unexplained(&self) -> impl Iterator<Item = PartyCode> {
        let told = |known: &Known| known.open.iter().any(|open| open.told);
        let logs = self.logs.iter().filter(move |(_, known)| told(known));
        logs.map(|(party, _)| *party)
    }

    /// The owner is there anew: it may be asked again.
    pub fn ask_again(&mut self, party: PartyCode) {
        if let Some(known) = self.logs.get_mut(&party) {
            known.open.iter_mut().for_each(|open| open.asked = 0);
        }
    }

    /// Somebody shows a path between two sizes: `SUBPROOF(old, D[new], false)`.
    pub fn explain(
        &mut self,
        origin: LogOrigin,
        old: u64,
        new: u64,
        path: &[LeafHash],
    ) -> Explained {
        let Some(known) = self.known(origin) else {
            return Explained::Unasked;
        };
        let of = |size: u64| known.all().find(|c| c.size() == size).cloned();
        let (Some(small), Some(large)) = (of(old), of(new)) else {
            return Explained::Unasked;
        };
        if roots_from_consistency(old, new, path) == Ok((small.root(), large.root())) {
            known.join((small.size(), small.root()), &large);
            return Explained::Good;
        }
        if let Ok(proof) = Contradiction::prove(&small, &large, path) {
            return Explained::Contradiction(Box::new(proof));
        }
        let about =
            |open: &&mut Open| same(&open.checkpoint, &small) || same(&open.checkpoint, &large);
        let mut first = false;
        for open in known.open.iter_mut().filter(about) {
            first |= !open.told;
            open.told = true;
        }
        match first {
            true => Explained::Nothing,
            false => Explained::NothingAgain,
        }
    }
}

#[cfg(test)]
mod tests;
