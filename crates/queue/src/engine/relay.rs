//! Ways around a link that is lost: copies for relays that reach the recipient.
//!
//! An entry stays in its recipient's lane until that recipient's outcome is proved, by whichever
//! way; a copy at a relay takes nothing away from that. When the direct link comes back it is
//! sent there too, and the recipient answers what it has already.

mod carried;
mod routes;
mod standing;

pub use carried::{CarriedFor, CarryLimits};
pub use routes::RelayReport;

pub(super) use carried::Carried;
pub(super) use routes::Routes;

use super::{Engine, look_expired, to_precedence};
use crate::{
    Gated, Place, Plan, Proven, RelayRank,
    lane::{Entry, Key, Next},
};
use abeng_wire::{Mono, Now, PartyCode, v1};
use routes::{Item, patience_ms};
use std::collections::BTreeSet;

/// Copies that are looked for at once.
const OFFERS: usize = 256;

/// A copy that a relay may get.
#[derive(Debug, Clone, Copy)]
struct Offer {
    recipient: PartyCode,
    key: Key,
    entry: Entry,
}

impl Engine {
    pub(super) fn reach(
        &mut self,
        now: Now,
        (peer, session): (PartyCode, u64),
        (mut parties, rank): (BTreeSet<PartyCode>, RelayRank),
        plan: &mut Plan,
    ) {
        let lane = self.lanes.get(&peer);
        if lane.and_then(|lane| lane.session()) != Some(session) {
            return;
        }
        parties.remove(&peer);
        parties.remove(&self.config.me);
        self.gaps_reached(now, &parties);
        self.routes.set_reach(peer, session, parties, rank);
        self.forward(now, peer, plan);
    }

    /// What was on the way to a relay is lost with its link; others may carry it.
    pub(super) fn relay_lost(&mut self, now: Now, relay: PartyCode, session: u64, plan: &mut Plan) {
        let recipients = self.routes.lost(relay, session);
        self.reroute(now, &recipients, plan);
    }

    /// The patience with a lost link ends precedence by precedence.
    pub(super) fn wait_for_link(&mut self, recipient: PartyCode, since: Mono) {
        let Some(lane) = self.lanes.get(&recipient) else {
            return;
        };
        for precedence in precedences() {
            if lane.waiting_own(precedence).next().is_some() {
                let until = since.plus_ms(patience_ms(precedence));
                self.routes.wait(until, recipient);
            }
        }
    }

    /// The same for one that was queued just now.
    pub(super) fn wait_for_one(&mut self, now: Now, recipient: PartyCode, key: Key) {
        let lane = self.lanes.get(&recipient);
        if lane.is_some_and(|lane| lane.session().is_none()) {
            let until = now.mono.plus_ms(patience_ms(key.0));
            self.routes.wait(until, recipient);
        }
    }

    /// The first input of this process: from here on links are missed.
    pub(super) fn start_waiting(&mut self, now: Now) {
        if self.started.is_some() {
            return;
        }
        self.started = Some(now.mono);
        let recipients: Vec<PartyCode> = self.lanes.keys().copied().collect();
        for recipient in recipients {
            self.wait_for_link(recipient, now.mono);
        }
    }

    /// Whatever time has brought to copies at relays.
    pub(super) fn relay_tick(&mut self, now: Now, plan: &mut Plan) {
        let mut recipients = self.routes.waited(now.mono);
        for overdue in self.routes.overdue(now.mono) {
            let lane = self.lanes.get(&overdue.recipient);
            let direct = lane.is_some_and(|lane| lane.session().is_some());
            self.routes.judge(overdue, direct, now.mono);
            recipients.insert(overdue.recipient);
        }
        self.reroute(now, &recipients, plan);
    }

    /// Offers what waits for these recipients to the relays that reach them.
    fn reroute(&mut self, now: Now, recipients: &BTreeSet<PartyCode>, plan: &mut Plan) {
        let mut relays = BTreeSet::new();
        for &recipient in recipients {
            let lane = self.lanes.get(&recipient);
            if lane.is_some_and(|lane| lane.session().is_none()) {
                relays.extend(self.routes.relays_to(recipient));
            }
        }
        for relay in relays {
            self.forward(now, relay, plan);
        }
    }

    /// Puts on a link what it has credit for: what is for the peer itself, and what it is to relay,
    /// by precedence; within one the peer's own goes first.
    pub(super) fn forward(&mut self, now: Now, peer: PartyCode, plan: &mut Plan) {
        if self.lanes.get(&peer).and_then(|l| l.session()).is_none() {
            return;
        }
        loop {
            let offers = self.offers(now, peer);
            let all = offers.len() < OFFERS;
            if !self.forward_with(now, peer, offers, plan) || all {
                return;
            }
        }
    }

    /// False where there is no credit for more.
    fn forward_with(
        &mut self,
        now: Now,
        peer: PartyCode,
        offers: Vec<Offer>,
        plan: &mut Plan,
    ) -> bool {
        let mut offers = offers.into_iter().peekable();
        loop {
            let head = self.lanes.get(&peer).and_then(|lane| lane.head());
            let first = offers.peek();
            let own = head.is_some_and(|key| first.is_none_or(|o| key.0 <= o.key.0));
            if own {
                if !self.forward_own(now, peer, plan) {
                    return false;
                }
                continue;
            }
            let Some(offer) = offers.next() else {
                return true;
            };
            if !self.forward_copy(now, peer, offer, plan) {
                return false;
            }
        }
    }

    fn forward_own(&mut self, now: Now, peer: PartyCode, plan: &mut Plan) -> bool {
        let (resend, life) = (self.config.resend, self.config.incarnation);
        let Some(lane) = self.lanes.get_mut(&peer) else {
            return false;
        };
        match lane.next(now, resend) {
            None => return false,
            Some(Next::Forward {
                session,
                submitted,
                key: (precedence, _),
            }) => plan.step.gated.push(Gated::Forward {
                peer,
                recipient: peer,
                session,
                submitted,
                precedence: to_precedence(precedence),
            }),
            Some(Next::Expired(key)) => look_expired((peer, life), lane, key, plan),
        }
        true
    }

    fn forward_copy(&mut self, now: Now, peer: PartyCode, offer: Offer, plan: &mut Plan) -> bool {
        let Offer {
            recipient,
            key,
            entry,
        } = offer;
        let item: Item = (recipient, key);
        if !self.routes.wants(item, peer, now.mono) {
            return true;
        }
        let lane = self.lanes.get_mut(&peer);
        let Some(session) = lane.and_then(|lane| lane.spend(key.0, entry.size)) else {
            self.routes.starve(recipient, peer, now.mono);
            return false;
        };
        self.routes.sent(item, peer, now.mono);
        plan.step.gated.push(Gated::Forward {
            peer,
            recipient,
            session,
            submitted: entry.submitted(),
            precedence: to_precedence(key.0),
        });
        true
    }

    /// What a relay may get, in the order in which it is sent.
    fn offers(&self, now: Now, relay: PartyCode) -> Vec<Offer> {
        let room = self.routes.room(relay).min(OFFERS);
        let mut offers = Vec::new();
        for recipient in self.routes.reached(relay, now.mono) {
            self.offers_to(now, relay, recipient, room, &mut offers);
        }
        // Between recipients by age, as far as their numbers say nothing about it.
        offers.sort_by_key(|o| (o.key.0, o.entry.created_at, o.recipient, o.key.1));
        offers.truncate(room);
        offers
    }

    fn offers_to(
        &self,
        now: Now,
        relay: PartyCode,
        recipient: PartyCode,
        room: usize,
        offers: &mut Vec<Offer>,
    ) {
        let Some(lane) = self.lanes.get(&recipient) else {
            return;
        };
        if lane.session().is_some() {
            return;
        }
        let missed = lane.lost().max(self.started.unwrap_or(now.mono));
        let mut left = room;
        for precedence in precedences() {
            let patience = patience_ms(precedence);
            for (key, &entry) in lane.waiting_own(precedence) {
                if left == 0 {
                    return;
                }
                // Those behind it came later.
                if entry.since.max(missed).plus_ms(patience) > now.mono {
                    break;
                }
                let dead = entry.is_expired(now.wall);
                if dead || !self.routes.wants((recipient, key), relay, now.mono) {
                    continue;
                }
                left -= 1;
                offers.push(Offer {
                    recipient,
                    key,
                    entry,
                });
            }
        }
    }

    /// A relay has proved that it carries a copy: kept once, and the copy is no longer sent anew.
    /// It settles nothing.
    pub(super) fn relayed_proven(&mut self, now: Now, proven: Box<Proven>, plan: &mut Plan) {
        let (place, relay) = (proven.place, proven.from);
        let lane = self.lanes.get(&place.recipient);
        if lane.is_some_and(|lane| lane.get(place.key(self.config.incarnation)).is_some()) {
            let item = (place.recipient, place.key(self.config.incarnation));
            self.routes.held(item, relay, now.mono);
        }
        let key = (proven.envelope_id, place.recipient, relay);
        if proven.settled.is_some() || self.relayed.get(&key).is_some() {
            return;
        }
        if !self.relayed.covered_by(proven.looked) {
            return plan.free.push(crate::Free::ProveAgain(proven));
        }
        let leaf = self.take_receipt(now, *proven, plan);
        self.relayed.insert(key, leaf);
    }

    /// A relay has dropped its copy.
    pub(super) fn relay_fault(
        &mut self,
        now: Now,
        (relay, place): (PartyCode, Place),
        kind: v1::FaultKind,
        plan: &mut Plan,
    ) {
        let item = (place.recipient, place.key(self.config.incarnation));
        self.routes.fault(item, relay, kind, now.mono);
        self.reroute(now, &BTreeSet::from([place.recipient]), plan);
    }

    /// Relays, as far as they are known here.
    pub fn relays(&self) -> Vec<RelayReport> {
        self.routes.report(self.last.mono)
    }
}

fn precedences() -> std::ops::RangeInclusive<u8> {
    v1::Precedence::Flash as u8..=v1::Precedence::Routine as u8
}
