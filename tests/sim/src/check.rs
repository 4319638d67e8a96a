//! The judge: what a history shows to be wrong. It knows nothing of how the run came about.

use crate::{Fate, History, LostDisk, Number, Place, Promise};
use abeng_wire::{EnvelopeId, Incarnation, PartyCode, encode, v1};
use bytes::Bytes;
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
        given: given(history),
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
    // What each number of a stream was given to, by all logs of its originator that there ever were.
    given: BTreeMap<Place, BTreeSet<Option<EnvelopeId>>>,
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
                Fate::Refused
                    if !history.refusals.contains(&(id, to)) && !self.is_conflict(id, to) =>
                {
                    self.say(
                        Kind::Lost,
                        format!("{id} was refused by {to} without a reason"),
                    );
                }
                Fate::Delivered if !self.held.contains(&(to, id)) && !self.is_over(id, to) => {
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
                    None if self.went_with_a_disk(id, to) => {}
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

    fn lost(&self, party: PartyCode) -> impl Iterator<Item = &LostDisk> {
        let lost = self.history.lost.iter();
        lost.filter(move |lost| lost.party == party)
    }

    /// A notice may go with its originator's disk, and with no other: where it was submitted after
    /// the backup and had left for nobody's inbox. What an inbox held then must be in it still.
    fn went_with_a_disk(&self, id: EnvelopeId, to: PartyCode) -> bool {
        let mut lost = self.history.lost.iter();
        let alone = lost.find(|lost| lost.submitted.contains(&id));
        alone.is_some_and(|lost| lost.nowhere.contains(&(id, to)) || self.held.contains(&(to, id)))
    }

    /// A delivery may go with its recipient's disk where its life was over before it was offered
    /// again.
    fn is_over(&self, id: EnvelopeId, to: PartyCode) -> bool {
        let mut submissions = self.history.submissions.iter();
        let clock = |party| self.history.clocks.get(&party).copied().unwrap_or_default();
        let expired = submissions
            .find(|s| s.id == id)
            .is_some_and(|s| s.expires_at <= clock(s.from).max(clock(to)));
        expired && self.lost(to).any(|lost| lost.received.contains(&id))
    }

    /// Two copies of a disk gave one number to two envelopes, or to one and to none: its recipient
    /// takes one of them, and refuses the other by a signed word.
    fn is_conflict(&self, id: EnvelopeId, to: PartyCode) -> bool {
        let here = |place: &Place, ids: &BTreeSet<_>| place.2 == to && ids.contains(&Some(id));
        let mut given = self.given.iter();
        given.any(|(place, ids)| ids.len() > 1 && here(place, ids))
    }

    /// I6: receipts that were given and taken.
    fn receipts(&mut self) {
        let history = self.history;
        for taken in &history.taken {
            let (id, to) = (taken.id, taken.recipient);
            let is_held = self.held.contains(&(to, id));
            let is_false = match taken.kind {
                v1::LeafKind::Delivered => !is_held && !self.is_over(id, to),
                // What a lost disk had refused, the next life may take.
                v1::LeafKind::Refused => {
                    is_held && !self.lost(to).any(|lost| lost.refused.contains(&id))
                }
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
            if !self.is_kept(promise) {
                let what = format!("leaf {index} of {by} was given out and is another now");
                self.say(Kind::FalseReceipt, what);
            }
        }
    }

    /// A leaf that was given out stands in its log for good: in a newer life at its own place, with
    /// nothing changed but the life; or it went with a disk on which it stood. What that means for
    /// the delivery that it proved, the inboxes say.
    fn is_kept(&self, promise: &Promise) -> bool {
        let logs = self.history.logs.get(&promise.by).into_iter();
        let lost: Vec<&LostDisk> = self.lost(promise.by).collect();
        let mut logs = logs.chain(lost.iter().map(|lost| &lost.log));
        let at = |log: &Vec<Bytes>| log.get(promise.index as usize).cloned();
        match lost.is_empty() {
            true => logs.any(|log| at(log).as_ref() == Some(&promise.leaf)),
            false => {
                let leaf = of_no_life(&promise.leaf);
                logs.any(|log| at(log).is_some_and(|there| of_no_life(&there) == leaf))
            }
        }
    }

    /// I5: what a recipient takes for closed is what came, or what its originator ended.
    fn marks(&mut self) {
        let history = self.history;
        let seen: BTreeSet<Place> = history.seen.iter().copied().collect();
        for &(from, life, to, number) in seen.difference(&history.marked) {
            let what =
                format!("{from} in {life} to {to}: {number} came, and {to} takes it for missing");
            self.say(Kind::Gap, what);
        }
        for place in history.marked.difference(&seen) {
            let to = place.2;
            let ended = self.ended(place, |judge, id| {
                judge.fates.get(&(id, to)) != Some(&Fate::Delivered) || judge.is_over(id, to)
            });
            if !ended {
                let (from, life, to, number) = place;
                let what = format!(
                    "{from} in {life} to {to}: {number} never came, and {to} misses nothing"
                );
                self.say(Kind::Gap, what);
            }
        }
    }

    /// Whether a number was given to nothing, or to an envelope that has ended.
    fn ended(&self, place: &Place, of: impl Fn(&Self, EnvelopeId) -> bool) -> bool {
        let ids = self.given.get(place).into_iter().flatten();
        let mut ids = ids.map(|id| id.is_none_or(|id| of(self, id)));
        ids.any(|ended| ended)
    }

    /// I5: the numbers of every stream, at both ends.
    fn streams(&mut self) {
        type Stream = (PartyCode, Incarnation, PartyCode);
        let history = self.history;
        // Each log by itself: two copies of a disk may both have gone on.
        for numbers in logs_numbers(history) {
            let mut last: BTreeMap<Stream, u64> = BTreeMap::new();
            for given in numbers {
                let (from, to, number) = (given.from, given.to, given.number);
                let last = last.entry((from, given.life, to)).or_default();
                if number != *last + 1 {
                    self.say(Kind::Gap, format!("{from} to {to}: {number} out of order"));
                }
                *last = number;
            }
        }
        let mut seen: BTreeMap<Stream, BTreeSet<u64>> = BTreeMap::new();
        for &(from, life, to, number) in &history.seen {
            if !seen.entry((from, life, to)).or_default().insert(number) {
                let what = format!("{from} to {to}: number {number} came in twice");
                self.say(Kind::Duplicate, what);
            }
        }
        for (&(from, life, to), numbers) in &seen {
            let last = numbers.last().copied().unwrap_or_default();
            for missing in (1..=last).filter(|n| !numbers.contains(n)) {
                let closed = self.ended(&(from, life, to, missing), |judge, id| {
                    let fate = judge.fates.get(&(id, to));
                    fate == Some(&Fate::Expired)
                        || fate.is_none() && judge.went_with_a_disk(id, to)
                        || judge.is_over(id, to)
                });
                if !closed {
                    self.say(Kind::Gap, format!("{from} to {to}: no {missing} at {to}"));
                }
            }
            if !self.given.contains_key(&(from, life, to, last)) {
                let what = format!("{from} never gave {to} the number {last}");
                self.say(Kind::Gap, what);
            }
        }
    }
}

/// The numbers of every log that there ever was.
fn logs_numbers(history: &History) -> impl Iterator<Item = &Vec<Number>> {
    let lost = history.lost.iter().map(|lost| &lost.numbers);
    lost.chain([&history.numbers])
}

fn given(history: &History) -> BTreeMap<Place, BTreeSet<Option<EnvelopeId>>> {
    let mut given: BTreeMap<Place, BTreeSet<_>> = BTreeMap::new();
    for n in logs_numbers(history).flatten() {
        let place = (n.from, n.life, n.to, n.number);
        given.entry(place).or_default().insert(n.id);
    }
    given
}

/// A leaf without the life that it names.
fn of_no_life(leaf: &Bytes) -> Option<Vec<u8>> {
    let leaf: v1::Leaf = abeng_wire::decode("leaf", leaf, abeng_wire::limits::LEAF).ok()?;
    let incarnation = 0;
    Some(
        encode(&v1::Leaf {
            incarnation,
            ..leaf
        })
        .to_vec(),
    )
}
