//! Which relays reach whom, which have a copy of what, and which one is next.

use super::standing::Standing;
use crate::{RelayRank, lane::Key};
use abeng_wire::{Mono, PartyCode, v1};
use std::collections::{BTreeMap, BTreeSet};

/// Relays that have a live copy of one (notice, recipient) at a time.
const COPIES: usize = 2;
/// Live copies at one relay.
const COPIES_AT_RELAY: usize = 4096;
/// A relay that dropped a copy, or brought nothing, is not offered that copy again for so long.
const FAILED_MS: u64 = 60 * 60 * 1000;
/// A relay whose quota is used up is left alone for so long.
const FULL_MS: u64 = 60_000;
/// A relay that gives no credit for so long is passed over.
const STARVED_MS: u64 = 30_000;

/// By precedence, from FLASH to ROUTINE.
fn by_precedence(precedence: u8, ms: [u64; 4]) -> u64 {
    let at = usize::from(precedence).saturating_sub(v1::Precedence::Flash as usize);
    ms[at.min(3)]
}

/// How long a notice waits for the direct link before relays are used.
pub(crate) fn patience_ms(precedence: u8) -> u64 {
    by_precedence(precedence, [2_000, 10_000, 60_000, 300_000])
}

/// How long a relay may take to say that it has the copy.
fn receipt_ms(precedence: u8) -> u64 {
    by_precedence(precedence, [60_000, 120_000, 300_000, 600_000])
}

/// How long a relay that has it may take to bring the outcome.
fn outcome_ms(precedence: u8) -> u64 {
    by_precedence(precedence, [300_000, 900_000, 3_600_000, 21_600_000])
}

/// One (notice, recipient).
pub(crate) type Item = (PartyCode, Key);

#[derive(Debug)]
struct Reach {
    session: u64,
    parties: BTreeSet<PartyCode>,
    rank: RelayRank,
    // Its quota is used up until then.
    full: Mono,
    // Since when it has given no credit for what it was to get.
    starved: Option<Mono>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// On its link; it has said nothing yet.
    Sent,
    /// It has proved that it has it.
    Held,
    /// Not again until its time.
    Failed,
}

#[derive(Debug)]
struct Copy {
    relay: PartyCode,
    state: State,
    until: Mono,
}

/// What became of a copy whose time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overdue {
    pub(crate) recipient: PartyCode,
    key: Key,
    relay: PartyCode,
    state: State,
}

/// Lower is better: the ordinary, those that would see more than they need, those in bad standing.
type Tier = (bool, RelayRank);
const FIRST: Tier = (false, RelayRank::Ordinary);

#[derive(Debug, Default)]
pub(crate) struct Routes {
    reach: BTreeMap<PartyCode, Reach>,
    standing: BTreeMap<PartyCode, Standing>,
    copies: BTreeMap<Item, Vec<Copy>>,
    timers: BTreeSet<(Mono, PartyCode, Key, PartyCode)>,
    live: BTreeMap<PartyCode, usize>,
    // When the patience with a lost link ends for something.
    waits: BTreeSet<(Mono, PartyCode)>,
}

/// A relay, as reports show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayReport {
    /// The relay.
    pub relay: PartyCode,
    /// When it is used.
    pub rank: Option<RelayRank>,
    /// Which parties it says it is linked with; empty where it is not linked itself.
    pub reaches: Vec<PartyCode>,
    /// Strikes against it.
    pub strikes: u8,
    /// Copies that it has, or that are on their way to it.
    pub copies: usize,
}

impl Routes {
    pub(crate) fn set_reach(
        &mut self,
        relay: PartyCode,
        session: u64,
        parties: BTreeSet<PartyCode>,
        rank: RelayRank,
    ) {
        let before = self.reach.get(&relay).filter(|r| r.session == session);
        let (full, starved) = before.map_or((Mono(0), None), |r| (r.full, r.starved));
        let reach = Reach {
            session,
            parties,
            rank,
            full,
            starved,
        };
        self.reach.insert(relay, reach);
    }

    /// What was on the link of a relay is lost with it; what it has proved that it has is not.
    /// Gives back for whom.
    pub(crate) fn lost(&mut self, relay: PartyCode, session: u64) -> BTreeSet<PartyCode> {
        if self.reach.get(&relay).is_some_and(|r| r.session == session) {
            self.reach.remove(&relay);
        }
        let sent = |copy: &Copy| copy.relay == relay && copy.state == State::Sent;
        let items: Vec<Item> = self
            .copies
            .iter()
            .filter(|(_, copies)| copies.iter().any(sent))
            .map(|(&item, _)| item)
            .collect();
        for &item in &items {
            self.drop_copy(item, relay);
        }
        items.into_iter().map(|(recipient, _)| recipient).collect()
    }

    /// The parties that a relay reaches, if it may get anything now.
    pub(crate) fn reached(&self, relay: PartyCode, now: Mono) -> Vec<PartyCode> {
        match self.reach.get(&relay) {
            Some(reach) if reach.full <= now => reach.parties.iter().copied().collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn relays_to(&self, recipient: PartyCode) -> Vec<PartyCode> {
        let reaches = |(_, reach): &(&PartyCode, &Reach)| reach.parties.contains(&recipient);
        let relays = self.reach.iter().filter(reaches);
        relays.map(|(&relay, _)| relay).collect()
    }

    /// The relays that may carry a word to a party, the best first. A word takes no credit.
    pub(crate) fn ways_to(&self, party: PartyCode, now: Mono) -> Vec<PartyCode> {
        let mut relays = self.relays_to(party);
        relays.sort_by_cached_key(|&relay| {
            let bad = self.standing.get(&relay).is_some_and(|s| s.is_bad(now));
            let rank = self.reach.get(&relay).map(|r| r.rank);
            (bad, rank, self.strikes(relay, now), relay)
        });
        relays
    }

    /// How many more copies a relay may get.
    pub(crate) fn room(&self, relay: PartyCode) -> usize {
        let live = self.live.get(&relay).copied().unwrap_or(0);
        COPIES_AT_RELAY.saturating_sub(live)
    }

    /// Whether the relay is the next to get a copy of this item.
    pub(crate) fn wants(&self, item: Item, relay: PartyCode, now: Mono) -> bool {
        let copies = self.copies.get(&item).map_or(&[][..], Vec::as_slice);
        let live = copies.iter().filter(|c| c.state != State::Failed).count();
        let Some(tier) = self.tier(relay, now) else {
            return false;
        };
        if live >= COPIES || copies.iter().any(|c| c.relay == relay) {
            return false;
        }
        // Only the first choice carries two at a time.
        if tier != FIRST && live > 0 {
            return false;
        }
        let places = if tier == FIRST { COPIES - live } else { 1 };
        let mine = (tier, self.strikes(relay, now), relay);
        let better = self.reach.iter().filter(|&(&other, reach)| {
            other != relay
                && reach.parties.contains(&item.0)
                && !copies.iter().any(|c| c.relay == other)
                && self.room(other) > 0
                && self
                    .tier(other, now)
                    .is_some_and(|tier| (tier, self.strikes(other, now), other) < mine)
        });
        better.count() < places
    }

    /// `None` where it may get nothing now.
    fn tier(&self, relay: PartyCode, now: Mono) -> Option<Tier> {
        let reach = self.reach.get(&relay)?;
        let starved = reach
            .starved
            .is_some_and(|since| since.plus_ms(STARVED_MS) <= now);
        let bad = self.standing.get(&relay).is_some_and(|s| s.is_bad(now));
        (reach.full <= now && !starved).then_some((bad, reach.rank))
    }

    fn strikes(&self, relay: PartyCode, now: Mono) -> u8 {
        self.standing.get(&relay).map_or(0, |s| s.strikes(now))
    }

    /// A copy is on the link of a relay.
    pub(crate) fn sent(&mut self, item: Item, relay: PartyCode, now: Mono) {
        let until = now.plus_ms(receipt_ms(item.1.0));
        self.put_copy(item, relay, State::Sent, until);
        if let Some(reach) = self.reach.get_mut(&relay) {
            reach.starved = None;
        }
    }

    /// There was no credit for a copy.
    pub(crate) fn starve(&mut self, recipient: PartyCode, relay: PartyCode, now: Mono) {
        if let Some(reach) = self.reach.get_mut(&relay)
            && reach.starved.is_none()
        {
            reach.starved = Some(now);
            self.wait(now.plus_ms(STARVED_MS), recipient);
        }
    }

    /// The relay has given credit.
    pub(crate) fn fed(&mut self, relay: PartyCode) {
        if let Some(reach) = self.reach.get_mut(&relay) {
            reach.starved = None;
        }
    }

    /// The relay has proved that it has what is on its way to it. Said again, or of what it was
    /// not sent, it changes nothing: a place that one proof could take again and again would be
    /// kept from every other relay.
    pub(crate) fn held(&mut self, item: Item, relay: PartyCode, now: Mono) {
        let until = now.plus_ms(outcome_ms(item.1.0));
        let known = self.copies.get(&item).map_or(&[][..], Vec::as_slice);
        let sent = |c: &Copy| c.relay == relay && c.state == State::Sent;
        if known.iter().any(sent) {
            self.put_copy(item, relay, State::Held, until);
        }
    }

    /// The relay has dropped its copy.
    pub(crate) fn fault(&mut self, item: Item, relay: PartyCode, kind: v1::FaultKind, now: Mono) {
        let copies = self.copies.get(&item).map_or(&[][..], Vec::as_slice);
        let sent = |c: &Copy| c.relay == relay && c.state == State::Sent;
        if !copies.iter().any(sent) {
            return;
        }
        match kind {
            v1::FaultKind::FaultQuota | v1::FaultKind::FaultBusy => {
                self.drop_copy(item, relay);
                if let Some(reach) = self.reach.get_mut(&relay) {
                    reach.full = now.plus_ms(FULL_MS);
                    let full = reach.full;
                    self.wait(full, item.0);
                }
            }
            _ => self.fail(item, relay, now),
        }
    }

    /// Done with: `by` a relay that brought the outcome.
    pub(crate) fn settle(&mut self, item: Item, by: PartyCode) {
        for copy in self.copies.remove(&item).unwrap_or_default() {
            self.timers
                .remove(&(copy.until, item.0, item.1, copy.relay));
            self.count(copy.relay, copy.state, false);
        }
        if let Some(standing) = self.standing.get_mut(&by) {
            standing.clear();
        }
    }

    /// Copies whose time is over.
    pub(crate) fn overdue(&mut self, now: Mono) -> Vec<Overdue> {
        let mut overdue = Vec::new();
        while let Some(&(until, recipient, key, relay)) = self.timers.first() {
            if until > now {
                break;
            }
            let item = (recipient, key);
            let copies = self.copies.get(&item).map_or(&[][..], Vec::as_slice);
            let copy = copies.iter().find(|c| c.relay == relay);
            let state = copy.map(|c| c.state);
            self.drop_copy(item, relay);
            self.timers.remove(&(until, recipient, key, relay));
            overdue.extend(state.map(|state| Overdue {
                recipient,
                key,
                relay,
                state,
            }));
        }
        overdue
    }

    /// Nothing came in time. It costs standing only where something could have come, and matters
    /// only while there is no better way.
    pub(crate) fn judge(&mut self, overdue: Overdue, direct: bool, now: Mono) {
        let Overdue {
            recipient,
            key,
            relay,
            state,
        } = overdue;
        if direct || state == State::Failed {
            return;
        }
        match self.reach.contains_key(&relay) {
            true => self.fail((recipient, key), relay, now),
            false => {
                let until = now.plus_ms(FAILED_MS);
                self.put_copy((recipient, key), relay, State::Failed, until);
            }
        }
    }

    fn fail(&mut self, item: Item, relay: PartyCode, now: Mono) {
        self.standing.entry(relay).or_default().strike(now);
        self.put_copy(item, relay, State::Failed, now.plus_ms(FAILED_MS));
    }

    /// Looks at what goes to this recipient again at that time, to the second.
    pub(crate) fn wait(&mut self, at: Mono, recipient: PartyCode) {
        const SECOND: u64 = 1_000_000_000;
        let at = Mono(at.0.div_ceil(SECOND).saturating_mul(SECOND));
        self.waits.insert((at, recipient));
    }

    /// Recipients whose time to look again has come.
    pub(crate) fn waited(&mut self, now: Mono) -> BTreeSet<PartyCode> {
        let mut recipients = BTreeSet::new();
        while let Some(&(at, recipient)) = self.waits.first() {
            if at > now {
                break;
            }
            self.waits.remove(&(at, recipient));
            recipients.insert(recipient);
        }
        recipients
    }

    pub(crate) fn next_timer(&self) -> Option<Mono> {
        let wait = self.waits.first().map(|&(at, _)| at);
        let timer = self.timers.first().map(|&(at, ..)| at);
        wait.into_iter().chain(timer).min()
    }

    fn put_copy(&mut self, item: Item, relay: PartyCode, state: State, until: Mono) {
        self.drop_copy(item, relay);
        self.timers.insert((until, item.0, item.1, relay));
        self.count(relay, state, true);
        let copy = Copy {
            relay,
            state,
            until,
        };
        self.copies.entry(item).or_default().push(copy);
    }

    fn drop_copy(&mut self, item: Item, relay: PartyCode) {
        let Some(copies) = self.copies.get_mut(&item) else {
            return;
        };
        let Some(at) = copies.iter().position(|c| c.relay == relay) else {
            return;
        };
        let copy = copies.swap_remove(at);
        if copies.is_empty() {
            self.copies.remove(&item);
        }
        self.timers.remove(&(copy.until, item.0, item.1, relay));
        self.count(relay, copy.state, false);
    }

    fn count(&mut self, relay: PartyCode, state: State, more: bool) {
        if state == State::Failed {
            return;
        }
        let live = self.live.entry(relay).or_default();
        *live = match more {
            true => *live + 1,
            false => live.saturating_sub(1),
        };
        if *live == 0 {
            self.live.remove(&relay);
        }
    }

    /// Every relay that is linked, in bad standing, or has a copy.
    pub(crate) fn report(&self, now: Mono) -> Vec<RelayReport> {
        let struck = self.standing.iter().filter(|(_, s)| s.strikes(now) > 0);
        let relays: BTreeSet<PartyCode> = self
            .reach
            .keys()
            .chain(self.live.keys())
            .chain(struck.map(|(relay, _)| relay))
            .copied()
            .collect();
        let report = |relay: PartyCode| {
            let reach = self.reach.get(&relay);
            RelayReport {
                relay,
                rank: reach.map(|r| r.rank),
                reaches: reach
                    .map(|r| r.parties.iter().copied().collect())
                    .unwrap_or_default(),
                strikes: self.strikes(relay, now),
                copies: self.live.get(&relay).copied().unwrap_or(0),
            }
        };
        relays.into_iter().map(report).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_keeps_no_place_by_saying_again_what_it_has() {
        let code = |text| PartyCode::new(text).unwrap();
        let (liar, honest, to) = (code("AA"), code("BB"), code("CC"));
        let item: Item = (to, (v1::Precedence::Flash as u8, 1));
        let mut routes = Routes::default();
        routes.set_reach(liar, 1, BTreeSet::from([to]), RelayRank::Ordinary);
        // Of what it was not sent it has nothing.
        routes.held(item, liar, Mono(0));
        assert!(routes.wants(item, liar, Mono(0)));

        routes.sent(item, liar, Mono(0));
        routes.held(item, liar, Mono(0));
        let late = Mono(0).plus_ms(outcome_ms(item.1.0));
        for overdue in routes.overdue(late) {
            routes.judge(overdue, false, late);
        }
        routes.held(item, liar, late);
        assert_eq!(routes.live.get(&liar), None, "its place is free");
        routes.set_reach(honest, 2, BTreeSet::from([to]), RelayRank::Ordinary);
        assert!(routes.wants(item, honest, late));
        assert!(!routes.wants(item, liar, late));
    }
}
