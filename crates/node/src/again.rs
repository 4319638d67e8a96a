//! Offering again what older lives of a peer's log have delivered, once the peer shows a newer one: a
//! lost machine's inbox comes back from those who sent it. Only what is kept here still, has not
//! expired, and lies above the marks that the peer's hello names; a portion at a time.

use crate::shared::{Shared, lock};
use abeng_link::Link;
use abeng_queue::{
    Input,
    offer::{Found, NewerLife, ROWS},
    rows::SentRow,
};
use abeng_wire::{Incarnation, LeafIndex, PartyCode, limits, v1};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How often marks are taken from the engine, and how long a portion is waited for.
const EVERY: Duration = Duration::from_secs(1);

/// The task that keeps the marks of streams to this party at hand for hellos. They may lag: a mark that
/// is too low brings a copy that is answered.
pub async fn keep_marks(shared: Arc<Shared>) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        shared.refresh_marks().await;
    }
}

impl Shared {
    /// Takes the marks of all streams from the engine.
    pub async fn refresh_marks(&self) {
        if let Some(marks) = self.core.inspect(|engine| engine.all_marks()).await {
            let mut by: BTreeMap<PartyCode, Vec<v1::StreamMark>> = BTreeMap::new();
            for (originator, mark) in marks {
                by.entry(originator).or_default().push(mark);
            }
            *lock(&self.marks) = by;
        }
    }

    /// The marks of a peer's streams here, the newest lives last.
    pub fn marks_for(&self, peer: PartyCode) -> Vec<v1::StreamMark> {
        let mut marks = lock(&self.marks).get(&peer).cloned().unwrap_or_default();
        let over = marks.len().saturating_sub(abeng_link::session::MARKS);
        marks.drain(..over);
        marks
    }

    /// A link came up: where the peer is in a newer life than the one that delivered, what that
    /// one had comes again.
    pub fn offer_again(self: &Arc<Self>, link: &Link) {
        let (shared, link) = (self.clone(), link.clone());
        tokio::spawn(async move { shared.offer_all_again(&link).await });
    }

    async fn offer_all_again(self: Arc<Self>, link: &Link) {
        let (peer, hello) = (link.peer(), link.hello());
        let life = Incarnation(hello.incarnation);
        let done = lock(&self.offered).get(&peer).copied();
        // Its life counts once a checkpoint has proved it.
        if done >= Some(life) || lock(&self.logs).life(peer) != Some(life) {
            return;
        }
        let newer = NewerLife::new(peer, hello);
        let (mut below, mut offered) = (Some(LeafIndex(u64::MAX)), 0);
        while let Some(from) = below {
            let Some(found) = self.look_back(from, &newer).await else {
                return;
            };
            below = found.below;
            if found.rows.is_empty() {
                continue;
            }
            offered += found.rows.len();
            let (recipient, rows) = (peer, found.rows);
            self.core.give(Input::OfferAgain { recipient, rows }).await;
            if !self.portion_taken(link).await {
                return;
            }
        }
        if offered > 0 {
            self.metrics.offered_again.inc_by(offered as u64);
            tracing::warn!(%peer, %life, offered, "offered again to a newer life of the peer's log what older ones had delivered");
        }
        lock(&self.offered).insert(peer, life);
    }

    /// Waits until so little of the last portion is left that there is room for the next; false
    /// where the link has gone.
    async fn portion_taken(&self, link: &Link) -> bool {
        let peer = link.peer();
        loop {
            let left = self.core.inspect(move |e| e.offered_again(peer)).await;
            let Some(left) = left else { return false };
            if left < limits::OFFERED_AGAIN {
                return true;
            }
            tokio::time::sleep(EVERY / 4).await;
            if self.links.session(peer, link.session()).is_none() {
                return false;
            }
        }
    }

    /// Some of what was sent before a leaf. Nothing where it cannot be looked up.
    async fn look_back(&self, below: LeafIndex, newer: &NewerLife) -> Option<Found> {
        let (from, to) = (SentRow::key(LeafIndex(0)), SentRow::key(below));
        let rows = self.view.scan(&from, &to, true, ROWS).await.ok()?;
        newer.look(&rows, crate::clock::cautious().wall).ok()
    }
}
