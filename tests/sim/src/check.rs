//! The judge: what a history shows to be wrong. It knows nothing of how the run came about.

use crate::{Fate, History, Number};
use abeng_wire::{EnvelopeId, PartyCode, v1};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// I1: accepted, and neither delivered nor ended by a signed word; or lost after it was.
    Lost,
    /// I2: in one inbox twice.
    Duplicate,
    /// In an inbox, and nobody sent it.
    Phantom,
    /// I3: not what was submitted.
    Altered,
    /// I4: in the inbox of somebody it was not for.
    Misrouted,
    /// I5: a number of a stream is missing, or given twice.
    Gap,
    /// What is less urgent goes first, or a later one of the same precedence.
    Order,
    /// I6: a receipt for what is not so, or no longer.
    FalseReceipt,
    /// I7: a log that contradicts itself, or does not verify.
    Fork,
    /// I8: an honest peer breaks a rule of the link, or more waits on it than its credit.
    Link,
    /// I9: the run does not drain.
    Stuck,
    /// An invariant that the code asserts is broken, or the run could not go on.
    Stopped,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Which rule.
    pub kind: Kind,
    /// What was found.
    pub what: String,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.what)
    }
}

/// Everything that is wrong with a history that has drained; empty when it is good.
pub fn check(history: &History) -> Vec<Verdict> {
    let mut judge = Judge {
        history,
        held: BTreeSet::new(),
        fates: BTreeMap::new(),
        verdicts: Vec::new(),
    };
    judge.inboxes();
    judge.fates();
    judge.receipts();
    judge.streams();
    judge.marks();
    judge.verdicts
}

struct Judge<'a> {
    history: &'a History,
    // What inboxes hold.
    held: BTreeSet<(PartyCode, EnvelopeId)>,
    fates: BTreeMap<(EnvelopeId, PartyCode), Fate>,
    verdicts: Vec<Verdict>,
}

impl Judge<'_> {
    fn say(&mut self, kind: Kind, what: String) {
        self.verdicts.push(Verdict { kind, what });
    }

    /// I2, I3, I4: what lies in the inboxes.
    fn inboxes(&mut self) {
        let history = self.history;
        let submissions: BTreeMap<_, _> = history.submissions.iter().map(|s| (s.id, s)).collect();
        for (&party, inbox) in &history.inboxes {
            for entry in inbox {
                let id = entry.id;
                if !self.held.insert((party, id)) {
                    self.say(Kind::Duplicate, format!("{id} twice at {party}"));
                }
                let Some(submission) = submissions.get(&id) else {
                    self.say(Kind::Phantom, format!("{id} at {party} was never sent"));
                    continue;
                };
                if entry.notice != submission.notice || entry.from != submission.from {
                    self.say(Kind::Altered, format!("{id} at {party}"));
                }
                if !submission.to.contains(&party) {
                    self.say(Kind::Misrouted, format!("{id} at {party}"));
                }
            }
        }
    }

    /// I1: what became of everything that was accepted.
    fn fates(&mut self) {
        let history = self.history;
        for sent in &history.sent {
            let (id, to) = (sent.id, sent.recipient);
            self.fates.insert((id, to), sent.fate);
            match sent.fate {
                Fate::Queued => self.say(Kind::Lost, format!("{id} is still queued for {to}")),
                Fate::Refused if !history.refusals.contains(&(id, to)) => {
                    self.say(
                        Kind::Lost,
                        format!("{id} was refused by {to} without a reason"),
                    );
                }
                Fate::Delivered if !self.held.contains(&(to, id)) => {
                    let what = format!("{id} is said to be delivered to {to}, and is not there");
                    self.say(Kind::FalseReceipt, what);
                }
                Fate::Delivered | Fate::Refused | Fate::Expired => {}
            }
        }
        let clock = |party| history.clocks.get(&party).copied().unwrap_or_default();
        for submission in &history.submissions {
            let id = submission.id;
            for &to in submission.to.iter().filter(|_| submission.accepted) {
                match self.fates.get(&(id, to)) {
                    None => self.say(Kind::Lost, format!("{id} to {to} was accepted and is gone")),
                    Some(Fate::Expired)
                        if submission.expires_at > clock(submission.from).max(clock(to)) =>
                    {
                        self.say(Kind::Lost, format!("{id} to {to} expired before its end"));
                    }
                    Some(_) => {}
                }
            }
        }
    }

    /// I6: receipts that were given and taken.
    fn receipts(&mut self) {
        let history = self.history;
        for taken in &history.taken {
            let (id, to) = (taken.id, taken.recipient);
            let is_held = self.held.contains(&(to, id));
            let is_false = match taken.kind {
                v1::LeafKind::Delivered => !is_held,
                v1::LeafKind::Refused => is_held,
                // Its life may end at the originator after it was delivered.
                _ => false,
            };
            if is_false {
                let what = format!("{id} at {to}: {:?} was taken", taken.kind);
                self.say(Kind::FalseReceipt, what);
            }
        }
        for promise in &history.promises {
            let (by, index) = (promise.by, promise.index);
            let log = history.logs.get(&by);
            if log.and_then(|log| log.get(index as usize)) != Some(&promise.leaf) {
                let what = format!("leaf {index} of {by} was given out and is another now");
                self.say(Kind::FalseReceipt, what);
            }
        }
    }

    /// I5: what a recipient takes for closed is what came, or what its originator ended.
    fn marks(&mut self) {
        let history = self.history;
        let seen: BTreeSet<_> = history.seen.iter().copied().collect();
        for &(from, to, number) in seen.difference(&history.marked) {
            let what = format!("{from} to {to}: {number} came, and {to} takes it for missing");
            self.say(Kind::Gap, what);
        }
        let number = |n: &Number| ((n.from, n.to, n.number), n.id);
        let given: BTreeMap<_, _> = history.numbers.iter().map(number).collect();
        for &(from, to, number) in history.marked.difference(&seen) {
            let ended = match given.get(&(from, to, number)) {
                Some(Some(id)) => self.fates.get(&(*id, to)) != Some(&Fate::Delivered),
                Some(None) => true,
                None => false,
            };
            if !ended {
                let what = format!("{from} to {to}: {number} never came, and {to} misses nothing");
                self.say(Kind::Gap, what);
            }
        }
    }

    /// I5: the numbers of every stream, at both ends.
    fn streams(&mut self) {
        type Stream = BTreeMap<u64, Option<EnvelopeId>>;
        let history = self.history;
        let mut streams: BTreeMap<(PartyCode, PartyCode), Stream> = BTreeMap::new();
        for given in &history.numbers {
            let (from, to, number) = (given.from, given.to, given.number);
            let stream = streams.entry((from, to)).or_default();
            if number != stream.len() as u64 + 1 {
                self.say(Kind::Gap, format!("{from} to {to}: {number} out of order"));
            }
            stream.insert(number, given.id);
        }
        let mut seen: BTreeMap<(PartyCode, PartyCode), BTreeSet<u64>> = BTreeMap::new();
        for &(from, to, number) in &history.seen {
            if !seen.entry((from, to)).or_default().insert(number) {
                let what = format!("{from} to {to}: number {number} came in twice");
                self.say(Kind::Duplicate, what);
            }
        }
        for (&(from, to), numbers) in &seen {
            let empty = Stream::new();
            let stream = streams.get(&(from, to)).unwrap_or(&empty);
            let last = numbers.last().copied().unwrap_or_default();
            for missing in (1..=last).filter(|n| !numbers.contains(n)) {
                let closed = match stream.get(&missing) {
                    Some(Some(id)) => self.fates.get(&(*id, to)) == Some(&Fate::Expired),
                    Some(None) => true,
                    None => false,
                };
                if !closed {
                    self.say(Kind::Gap, format!("{from} to {to}: no {missing} at {to}"));
                }
            }
            if stream.len() < last as usize {
                self.say(
                    Kind::Gap,
                    format!("{from} never gave {to} the number {last}"),
                );
            }
        }
    }
}
