//! Numbers of streams of earlier lives of this log: a recipient that misses some asks for them, and
//! this life answers for the lives before. What is queued comes by itself; what ended is said; of what
//! nothing is known any more, since only the lost disk had it, it is said that it is lost. A copy that
//! still turns up somewhere is delivered all the same.

use crate::{
    clock,
    shared::{Shared, lock},
};
use abeng_queue::{
    ended::{EndedNumber, ended_number, lost_numbers, voids},
    rows::SentRow,
};
use abeng_seal::sign_void;
use abeng_wire::{Incarnation, LeafIndex, Mono, PartyCode, limits, v1};
use std::{collections::BTreeMap, sync::Arc};

/// Rows looked at in one step.
const ROWS: usize = 512;
/// Between two searches for one peer, in nanoseconds: each reads all that was sent.
const REST_NS: u64 = 5_000_000_000;

/// When each peer was last searched for, so that none takes another's turn.
#[derive(Debug, Default)]
pub struct Searches(BTreeMap<PartyCode, Mono>);

impl Searches {
    fn may(&mut self, peer: PartyCode, now: Mono) -> bool {
        let last = self.0.get(&peer);
        let rested = last.is_none_or(|last| now.0.saturating_sub(last.0) >= REST_NS);
        if rested {
            self.0.insert(peer, now);
        }
        rested
    }
}

impl Shared {
    /// A recipient asks for numbers of an earlier life, over a relay or its own link. Whoever
    /// brought the question has the turn.
    pub async fn answer_lost(
        self: &Arc<Self>,
        peer: PartyCode,
        via: Option<PartyCode>,
        want: v1::Want,
    ) {
        let bounded = want.first > 0
            && want.first <= want.last
            && want.last - want.first < limits::WANT_NUMBERS;
        if !bounded || !self.may_search(via.unwrap_or(peer), clock::mono()) {
            return;
        }
        let life = Incarnation(want.incarnation);
        let voids = self.lost_voids(life, peer, (want.first, want.last)).await;
        self.send_voids(peer, via, voids.into_iter().take(limits::WANT_VOIDS));
    }

    /// What this life has to say of numbers of an earlier one, signed.
    pub async fn lost_voids(
        &self,
        life: Incarnation,
        peer: PartyCode,
        range: (u64, u64),
    ) -> Vec<v1::Signed> {
        let Some(known) = self.numbers_of(life, peer, range).await else {
            return Vec::new();
        };
        let mut all = Vec::new();
        for void in voids((self.me, life), peer, &lost_numbers(range, &known)) {
            tracing::warn!(%peer, %life, first = void.first, last = void.last, reason = void.reason().as_str_name(), "numbers of an earlier life will not come");
            match sign_void(self.keyring.signer().as_ref(), &void) {
                Ok(signed) => all.push(signed),
                Err(e) => tracing::error!(error = %e, "a void cannot be signed"),
            }
        }
        all
    }

    /// Numbers of this life that a recipient asks for and that no row says ended: delivered to a life
    /// of its log that is over, and past their own life, so that nobody offers them again.
    pub async fn over(
        &self,
        peer: PartyCode,
        via: Option<PartyCode>,
        range: (u64, u64),
    ) -> Vec<EndedNumber> {
        if !self.may_search(via.unwrap_or(peer), clock::mono()) {
            return Vec::new();
        }
        let known = self.numbers_of(self.incarnation, peer, range).await;
        known.unwrap_or_default().into_values().flatten().collect()
    }

    fn may_search(&self, peer: PartyCode, now: Mono) -> bool {
        lock(&self.lost_search).may(peer, now)
    }

    /// The numbers of a stream of that life that are known here. Nothing where the view cannot be
    /// read: then nothing is said either.
    async fn numbers_of(
        &self,
        life: Incarnation,
        peer: PartyCode,
        (first, last): (u64, u64),
    ) -> Option<BTreeMap<u64, Option<EndedNumber>>> {
        let (mut known, now) = (BTreeMap::new(), clock::wall());
        let mut from = SentRow::key(LeafIndex(0));
        let end = SentRow::key(LeafIndex(u64::MAX));
        loop {
            let rows = self.view.scan(&from, &end, false, ROWS).await.ok()?;
            let more = rows.len() == ROWS;
            for (key, value) in rows {
                let number = ended_number(&SentRow::decode(&value).ok()?, peer, life, now);
                known.extend(number.filter(|(seq, _)| (first..=last).contains(seq)));
                from = key;
            }
            if !more {
                return Some(known);
            }
            from.push(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_asks_all_the_time_takes_no_turn_of_another() {
        let (greedy, honest) = ("AA".parse().unwrap(), "BB".parse().unwrap());
        let mut searches = Searches::default();
        assert!(searches.may(greedy, Mono(1)));
        assert!(!searches.may(greedy, Mono(REST_NS)));
        assert!(searches.may(honest, Mono(REST_NS)));
        assert!(searches.may(greedy, Mono(REST_NS + 1)));
    }
}
