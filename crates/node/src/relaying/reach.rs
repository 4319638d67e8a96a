//! Who reaches whom: a relay tells every linked peer with whom else it is linked.

use super::{is_relay, words::PassedOn};
use crate::shared::{Shared, lock};
use abeng_link::Link;
use abeng_queue::{Input, RelayRank};
use abeng_wire::{PartyCode, limits, v1};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::Notify;

/// Links that come and go together are told of in one frame.
const GATHER: Duration = Duration::from_millis(300);
/// How often the figures about what is carried are brought up to date.
const FIGURES: Duration = Duration::from_secs(15);

/// What was said of reach, and by whom, on the links there are.
#[derive(Default)]
pub struct Reaching {
    changed: Notify,
    // What each peer was told on which link.
    told: Mutex<BTreeMap<PartyCode, (u64, Vec<String>)>>,
    // What relays said, on which link: as the engine knows it.
    heard: Mutex<BTreeMap<PartyCode, (u64, BTreeSet<PartyCode>)>>,
    // What this relay passes on of wants and voids.
    pub(super) passed_on: PassedOn,
}

impl Reaching {
    /// A link came or went, or another roster holds.
    pub fn changed(&self) {
        self.changed.notify_one();
    }
}

/// The task. Ends with the node.
pub async fn work(shared: Arc<Shared>) {
    loop {
        let news = tokio::time::timeout(FIGURES, shared.reaching.changed.notified()).await;
        if news.is_ok() {
            tokio::time::sleep(GATHER).await;
            shared.tell_reach();
            shared.forget_former_relays().await;
        }
        shared.carried_figures().await;
    }
}

impl Shared {
    /// Tells every linked peer what it has not been told.
    fn tell_reach(&self) {
        let mut told = lock(&self.reaching.told);
        let links = self.links.linked();
        told.retain(|peer, (session, _)| {
            let is_it = |link: &Link| link.peer() == *peer && link.session() == *session;
            links.iter().any(is_it)
        });
        if !is_relay(&self.trust().roster, self.me) {
            return;
        }
        let all: BTreeSet<PartyCode> = links.iter().map(Link::peer).collect();
        for link in links {
            let others = all.iter().filter(|&&party| party != link.peer());
            let parties: Vec<String> = others
                .take(limits::PARTIES)
                .map(|p| p.to_string())
                .collect();
            let now = (link.session(), parties);
            let before = told.get(&link.peer());
            let nothing = before.is_none() && now.1.is_empty();
            if nothing || before == Some(&now) {
                continue;
            }
            let parties = now.1.clone();
            link.control(v1::control::Frame::Reach(v1::Reach { parties }));
            told.insert(link.peer(), now);
        }
    }

    /// A relay's word on whom it is linked with.
    pub async fn take_reach(self: &Arc<Self>, link: &Link, frame: v1::Reach) {
        let peer = link.peer();
        let trust = self.trust();
        let Some(relay) = trust
            .roster
            .party(peer)
            .filter(|p| p.relay && p.is_active())
        else {
            tracing::warn!(%peer, "says whom it reaches, and is no relay in the roster here");
            return;
        };
        if frame.parties.len() > limits::PARTIES {
            tracing::warn!(%peer, parties = frame.parties.len(), "says that it reaches more parties than there can be");
            return;
        }
        // One that a newer roster may know is left out until this node knows it too.
        let active = |code: &PartyCode| trust.roster.party(*code).is_some_and(|p| p.is_active());
        let codes = frame.parties.iter().filter_map(|c| PartyCode::new(c).ok());
        let rank = match relay.is_coordination() {
            true => RelayRank::Coordination,
            false => RelayRank::Ordinary,
        };
        let parties: BTreeSet<PartyCode> = codes.filter(active).collect();
        let session = link.session();
        let now = (session, parties.clone());
        let before = lock(&self.reaching.heard).insert(peer, now);
        let before = before.filter(|(before, _)| *before == session);
        let before = before.map(|(_, parties)| parties).unwrap_or_default();
        let newly: Vec<PartyCode> = parties.difference(&before).copied().collect();
        let reach = Input::Reach {
            peer,
            session,
            parties,
            rank,
        };
        self.core.give_from(peer, reach).await;
        for party in newly {
            self.tell_over_relays(party).await;
        }
    }

    /// The links of relays that say they are linked with a party.
    pub fn relays_reaching(&self, party: PartyCode) -> Vec<Link> {
        let heard = lock(&self.reaching.heard);
        let reach = heard.iter().filter(|(_, said)| said.1.contains(&party));
        reach
            .filter_map(|(&relay, said)| self.links.session(relay, said.0))
            .collect()
    }

    /// Whoever lost the relay flag under a newer roster reaches nobody any more, and nobody carries
    /// anything to a party that takes part no longer.
    async fn forget_former_relays(&self) {
        let trust = self.trust();
        let active = |code: &PartyCode| trust.roster.party(*code).is_some_and(|p| p.is_active());
        let heard = lock(&self.reaching.heard).clone();
        for (peer, (session, before)) in heard {
            let relay = trust
                .roster
                .party(peer)
                .filter(|p| p.relay && p.is_active());
            let left: BTreeSet<PartyCode> = match relay {
                Some(_) => before.iter().copied().filter(active).collect(),
                None => BTreeSet::new(),
            };
            if relay.is_some() && left == before {
                continue;
            }
            match relay {
                Some(_) => _ = lock(&self.reaching.heard).insert(peer, (session, left.clone())),
                None => _ = lock(&self.reaching.heard).remove(&peer),
            }
            let rank = match relay.is_some_and(abeng_roster::Party::is_coordination) {
                true => RelayRank::Coordination,
                false => RelayRank::Ordinary,
            };
            self.core
                .give(Input::Reach {
                    peer,
                    session,
                    parties: left,
                    rank,
                })
                .await;
        }
    }

    async fn carried_figures(&self) {
        let Some(carried) = self.core.inspect(|engine| engine.carried()).await else {
            return;
        };
        let count: u64 = carried.iter().map(|c| c.count).sum();
        let bytes: u64 = carried.iter().map(|c| c.bytes).sum();
        self.metrics.carried.set(count as i64);
        self.metrics.carried_bytes.set(bytes as i64);
    }
}
