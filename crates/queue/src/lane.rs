//! The queue to one recipient: what waits, what is on the link, what is put off, and credit.

use crate::{Allowed, Resend, rows::QueueRow};
use abeng_wire::{Incarnation, LeafIndex, Millis, Mono, Now, StreamSeq, v1};
use std::collections::{BTreeMap, BTreeSet};

/// Sorts as things are sent: FLASH first, then what earlier lives of the log left, by Queued leaf,
/// then this life's by number.
pub(crate) type Key = (u8, u64);

/// A number of this life has this bit over it: leaves and numbers are far below.
const OWN: u64 = 1 << 62;

pub(crate) fn key(precedence: v1::Precedence, seq: StreamSeq) -> Key {
    (precedence as i32 as u8, OWN | seq.get())
}

/// The key of what was sealed in an earlier life of the log: its number is one of that life.
pub(crate) fn earlier_key(precedence: v1::Precedence, queued: LeafIndex) -> Key {
    (precedence as i32 as u8, queued.0)
}

/// The key of a row in the queue of a log in this life.
pub(crate) fn row_key(precedence: v1::Precedence, row: &QueueRow, life: Incarnation) -> Key {
    match row.life == life {
        true => key(precedence, row.seq),
        false => earlier_key(precedence, row.queued),
    }
}

/// The number of what was sealed in this life.
pub(crate) fn own_seq(key: Key) -> Option<StreamSeq> {
    let own = key.1 & OWN != 0 && !is_carried(key);
    own.then(|| StreamSeq::new(key.1 & !OWN)).flatten()
}

/// What is carried for others has this bit in the place of a number, over its leaf's index: it
/// stands behind what is sent from here in the same precedence, and never in its way.
const CARRIED: u64 = 1 << 63;

/// The key of what is carried for others.
pub(crate) fn carried_key(precedence: v1::Precedence, relayed: LeafIndex) -> Key {
    (precedence as i32 as u8, CARRIED | relayed.0)
}

pub(crate) fn is_carried(key: Key) -> bool {
    key.1 & CARRIED != 0
}

/// One queued (notice, recipient). There may be hundreds of thousands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    submitted: u64,
    pub(crate) created_at: Millis,
    pub(crate) expires_at: Millis,
    // Since when it waits, by this process.
    pub(crate) since: Mono,
    pub(crate) size: u32,
    // The Queued leaf is at most as far behind the Submitted one as there are recipients.
    queued: u16,
    tries: u8,
    // Delivered already, to a life of the recipient's log that is over.
    again: bool,
}

const _: () = assert!(size_of::<Key>() + size_of::<Entry>() <= 64);

impl Entry {
    pub(crate) fn submitted(&self) -> LeafIndex {
        LeafIndex(self.submitted)
    }

    pub(crate) fn queued(&self) -> LeafIndex {
        LeafIndex(self.submitted + u64::from(self.queued))
    }

    pub(crate) fn waiting_since(self, since: Mono) -> Self {
        Self { since, ..self }
    }

    #[cfg(test)]
    pub(crate) fn untried(&self) -> Self {
        let since = Mono::default();
        Self {
            tries: 0,
            since,
            ..*self
        }
    }

    /// What is offered again to a newer life of the recipient's log.
    pub(crate) fn again(row: &QueueRow) -> Self {
        Self {
            again: true,
            ..Self::from(row)
        }
    }

    pub(crate) fn is_again(&self) -> bool {
        self.again
    }

    pub(crate) fn is_expired(&self, now: Millis) -> bool {
        self.expires_at <= now
    }
}

impl From<&QueueRow> for Entry {
    fn from(row: &QueueRow) -> Self {
        Self {
            submitted: row.submitted.0,
            created_at: row.created_at,
            expires_at: row.expires_at,
            since: Mono::default(),
            size: row.size,
            queued: row.queued.0.saturating_sub(row.submitted.0) as u16,
            tries: 0,
            again: false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// On the link; sent again if no receipt has come by then.
    OnLink(Mono),
    /// The peer dropped a copy; waits until then.
    Delayed(Mono),
    /// Past its life; the node is reading its leaf.
    Expiring,
}

impl State {
    fn timer(self) -> Option<Mono> {
        match self {
            Self::OnLink(due) | Self::Delayed(due) => Some(due),
            Self::Expiring => None,
        }
    }
}

#[derive(Debug)]
struct Link {
    session: u64,
    // What Ready gave: the size of the window.
    window: Budget,
    credit: Budget,
    used: Budget,
}

impl Link {
    /// Takes credit for one envelope; false where there is none. The link keeps an eighth of what
    /// is open for FLASH; what it would hold back stays here.
    fn spend(&mut self, precedence: u8, size: u32) -> bool {
        let bytes = self.used.bytes.saturating_add(u64::from(size));
        let flash = precedence == v1::Precedence::Flash as u8;
        let kept = |window: u64| if flash { 0 } else { window / 8 };
        let full = self.used.envelopes + kept(self.window.envelopes) >= self.credit.envelopes
            || bytes.saturating_add(kept(self.window.bytes)) > self.credit.bytes;
        if full {
            return false;
        }
        self.used.envelopes += 1;
        self.used.bytes = bytes;
        true
    }
}

/// Envelopes and their bytes since the link came up.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Budget {
    pub(crate) envelopes: u64,
    pub(crate) bytes: u64,
}

/// What [`Lane::next`] found at the head of the queue.
pub(crate) enum Next {
    Forward {
        session: u64,
        submitted: LeafIndex,
        key: Key,
    },
    Expired(Key),
}

#[derive(Debug, Default)]
pub(crate) struct Lane {
    // Waiting for the link, for credit, or for its turn.
    waiting: BTreeMap<Key, Entry>,
    // Bounded by the credit of the peer, bar what is expiring.
    busy: BTreeMap<Key, (Entry, State)>,
    timers: BTreeSet<(Mono, Key)>,
    link: Option<Link>,
    // Since when there is no link, by this process.
    lost: Mono,
    allowed: Allowed,
    // No entry expires before this.
    earliest: Option<Millis>,
}

impl Lane {
    pub(crate) fn push(&mut self, key: Key, entry: Entry) {
        let earliest = self.earliest.unwrap_or(entry.expires_at);
        self.earliest = Some(earliest.min(entry.expires_at));
        self.waiting.insert(key, entry);
    }

    /// Takes the next that may be sent now, or the head if its life is over.
    pub(crate) fn next(&mut self, now: Now, resend: Resend) -> Option<Next> {
        self.link.as_ref()?;
        self.drop_heads(now.wall);
        let link = self.link.as_mut()?;
        let (&key, entry) = self.waiting.first_key_value()?;
        let mut entry = *entry;
        if entry.is_expired(now.wall) {
            self.waiting.remove(&key);
            self.busy.insert(key, (entry, State::Expiring));
            return Some(Next::Expired(key));
        }
        if !self.allowed.covers(key.0) {
            return None;
        }
        if !link.spend(key.0, entry.size) {
            return None;
        }
        let session = link.session;
        let due = now.mono.plus_ms(resend.wait(entry.tries));
        entry.tries = entry.tries.saturating_add(1);
        self.waiting.remove(&key);
        self.set_busy(key, entry, State::OnLink(due));
        Some(Next::Forward {
            session,
            submitted: entry.submitted(),
            key,
        })
    }

    /// What is only offered again and is past its life ends without a word: it was delivered.
    fn drop_heads(&mut self, now: Millis) {
        while let Some(head) = self.waiting.first_entry() {
            if !(head.get().again && head.get().is_expired(now)) {
                return;
            }
            head.remove();
        }
    }

    /// Holds back what may not be sent from now on. What is on the link already stays there.
    pub(crate) fn allow(&mut self, allowed: Allowed) {
        self.allowed = allowed;
    }

    fn set_busy(&mut self, key: Key, entry: Entry, state: State) {
        if let Some(due) = state.timer() {
            self.timers.insert((due, key));
        }
        self.busy.insert(key, (entry, state));
    }

    fn take_busy(&mut self, key: Key) -> Option<(Entry, State)> {
        let (entry, state) = self.busy.remove(&key)?;
        if let Some(due) = state.timer() {
            self.timers.remove(&(due, key));
        }
        Some((entry, state))
    }

    /// Takes an entry out for good.
    pub(crate) fn take(&mut self, key: Key) -> Option<Entry> {
        match self.waiting.remove(&key) {
            Some(entry) => Some(entry),
            None => self.take_busy(key).map(|(entry, _)| entry),
        }
    }

    pub(crate) fn get(&self, key: Key) -> Option<&Entry> {
        let busy = || self.busy.get(&key).map(|(entry, _)| entry);
        self.waiting.get(&key).or_else(busy)
    }

    /// Whether the node was asked for the leaf of this entry.
    pub(crate) fn is_expiring(&self, key: Key) -> bool {
        matches!(self.busy.get(&key), Some((_, State::Expiring)))
    }

    /// The peer dropped its copy: puts it off.
    pub(crate) fn fault(&mut self, key: Key, now: Now, resend: Resend) {
        match self.take_busy(key) {
            Some((entry, State::OnLink(_))) => {
                let wait = resend.wait(entry.tries.saturating_sub(1));
                self.set_busy(key, entry, State::Delayed(now.mono.plus_ms(wait)));
            }
            Some((entry, state)) => self.set_busy(key, entry, state),
            None => {}
        }
    }

    /// The recipient asks for a number: what was put off, or has been on the link for a while,
    /// waits for its turn again if `budget` has room for it. False where it is not queued.
    pub(crate) fn wanted(&mut self, seq: u64, now: Now, resend: Resend, budget: &mut u64) -> bool {
        let keys =
            (v1::Precedence::Flash as u8..=v1::Precedence::Routine as u8).map(|p| (p, OWN | seq));
        for key in keys {
            if self.waiting.contains_key(&key) {
                return true;
            }
            let Some(&(entry, state)) = self.busy.get(&key) else {
                continue;
            };
            let again = match state {
                State::OnLink(due) => {
                    // How long it waits in all, less what is left.
                    let wait = resend.wait(entry.tries.saturating_sub(1));
                    let left = due.0.saturating_sub(now.mono.0) / 1_000_000;
                    wait.saturating_sub(left) >= resend.first_ms
                }
                State::Delayed(_) => true,
                State::Expiring => false,
            };
            let size = u64::from(entry.size);
            if again && size <= *budget {
                *budget -= size;
                self.take_busy(key);
                self.waiting.insert(key, entry);
            }
            return true;
        }
        false
    }

    pub(crate) fn is_linked(&self) -> bool {
        self.link.is_some()
    }

    /// What was put off or got no answer in time waits for its turn again.
    pub(crate) fn wake(&mut self, now: Mono) -> bool {
        let mut woken = false;
        while let Some(&(due, key)) = self.timers.first() {
            if due > now {
                break;
            }
            self.timers.remove(&(due, key));
            if let Some((entry, _)) = self.busy.remove(&key) {
                self.waiting.insert(key, entry);
                woken = true;
            }
        }
        woken
    }

    pub(crate) fn next_timer(&self) -> Option<Mono> {
        self.timers.first().map(|&(due, _)| due)
    }

    pub(crate) fn link_up(&mut self, session: u64, credit: Budget) {
        self.all_wait();
        self.link = Some(Link {
            session,
            credit,
            window: credit,
            used: Budget::default(),
        });
    }

    /// Totals only grow; an older or repeated frame changes nothing.
    pub(crate) fn credit(&mut self, session: u64, credit: Budget) {
        if let Some(link) = self.link.as_mut().filter(|link| link.session == session) {
            link.credit.envelopes = link.credit.envelopes.max(credit.envelopes);
            link.credit.bytes = link.credit.bytes.max(credit.bytes);
        }
    }

    /// Says whether that was the link.
    pub(crate) fn link_down(&mut self, now: Mono, session: u64) -> bool {
        let is_it = self.session() == Some(session);
        if is_it {
            self.link = None;
            self.lost = now;
            self.all_wait();
        }
        is_it
    }

    pub(crate) fn session(&self) -> Option<u64> {
        self.link.as_ref().map(|link| link.session)
    }

    /// Takes credit for a copy that the peer is to relay; nothing where there is none.
    pub(crate) fn spend(&mut self, precedence: u8, size: u32) -> Option<u64> {
        let held = !self.allowed.covers(precedence);
        let link = self.link.as_mut().filter(|_| !held)?;
        link.spend(precedence, size).then_some(link.session)
    }

    /// What would be sent next to this peer itself.
    pub(crate) fn head(&self) -> Option<Key> {
        self.waiting.first_key_value().map(|(&key, _)| key)
    }

    pub(crate) fn lost(&self) -> Mono {
        self.lost
    }

    /// What waits and was sent from here, of one precedence, in order.
    pub(crate) fn waiting_own(&self, precedence: u8) -> impl Iterator<Item = (Key, &Entry)> {
        let range = self.waiting.range((precedence, 0)..(precedence, CARRIED));
        range.map(|(&key, entry)| (key, entry))
    }

    /// Any contact resets the waits.
    fn all_wait(&mut self) {
        self.timers.clear();
        for entry in self.waiting.values_mut() {
            entry.tries = 0;
        }
        for (key, (mut entry, state)) in std::mem::take(&mut self.busy) {
            entry.tries = 0;
            match state {
                State::Expiring => _ = self.busy.insert(key, (entry, state)),
                _ => _ = self.waiting.insert(key, entry),
            }
        }
    }

    /// Marks at most `limit` entries whose life is over. Every entry is looked at only once the
    /// earliest end has come, and then at most once a second.
    pub(crate) fn expire(&mut self, now: Millis, limit: usize) -> Vec<Key> {
        if self.earliest.is_none_or(|earliest| earliest > now) {
            return Vec::new();
        }
        let stays = |entry: &Entry| !(entry.again && entry.is_expired(now));
        self.waiting.retain(|_, entry| stays(entry));
        let over = self.busy.iter().filter(|(_, (entry, _))| !stays(entry));
        for key in over.map(|(&key, _)| key).collect::<Vec<_>>() {
            self.take(key);
        }
        let is_over = |entry: &Entry| entry.is_expired(now);
        let waiting = self.waiting.iter().filter(|(_, e)| is_over(e));
        let busy = self
            .busy
            .iter()
            .filter(|(_, (e, state))| *state != State::Expiring && is_over(e));
        let keys: Vec<Key> = waiting
            .map(|(&key, _)| key)
            .chain(busy.map(|(&key, _)| key))
            .take(limit)
            .collect();
        for &key in &keys {
            if let Some(entry) = self.take(key) {
                self.set_busy(key, entry, State::Expiring);
            }
        }
        self.earliest = match keys.len() == limit {
            true => Some(now),
            false => self.earliest_end().map(|end| end.max(now + 1000)),
        };
        keys
    }

    fn earliest_end(&self) -> Option<Millis> {
        let busy = self.busy.values().filter(|(_, s)| *s != State::Expiring);
        let ends = self.waiting.values().chain(busy.map(|(entry, _)| entry));
        ends.map(|entry| entry.expires_at).min()
    }

    pub(crate) fn next_end(&self) -> Option<Millis> {
        self.earliest
    }

    /// Everything, also what is carried for others.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &Entry)> {
        let busy = self.busy.iter().map(|(&key, (entry, _))| (key, entry));
        self.waiting.iter().map(|(&k, e)| (k, e)).chain(busy)
    }

    /// What was sent from here.
    pub(crate) fn iter_own(&self) -> impl Iterator<Item = (Key, &Entry)> {
        self.iter().filter(|(key, _)| !is_carried(*key))
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len() + self.busy.len()
    }

    pub(crate) fn in_flight(&self) -> usize {
        let on_link = |(_, state): &&(Entry, State)| matches!(state, State::OnLink(_));
        self.busy.values().filter(on_link).count()
    }
}
