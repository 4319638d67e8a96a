//! Numbers of streams of earlier lives of this log: a recipient that misses some asks for them, and
//! this life answers for the lives before. What is queued comes by itself; what ended is said; of what
//! nothing is known any more, since only the lost disk had it, it is said that it is lost. A copy that
//! still turns up somewhere is delivered all the same.

use crate::{
    clock,
    shared::{Shared, lock},
    streams::{EndedNumber, voids},
};
use abeng_queue::rows::{SentOutcome, SentRow};
use abeng_seal::sign_void;
use abeng_wire::{Incarnation, LeafIndex, Millis, Mono, PartyCode, StreamSeq, limits, v1};
use std::{collections::BTreeMap, sync::Arc};

/// Rows looked at in one step.
const ROWS: usize = 512;
/// Between two searches for one peer, in nanoseconds: each reads all that was sent.
const REST_NS: u64 = 5_000_000_000;

/// What is known of a number of an earlier life.
fn ended(outcome: &SentOutcome, expires_at: Millis, now: Millis) -> Option<v1::VoidReason> {
    match outcome {
        SentOutcome::Queued => None,
        SentOutcome::Refused { .. } | SentOutcome::Voided { .. } => {
            Some(v1::VoidReason::VoidFailed)
        }
        SentOutcome::Recalled { .. } => Some(v1::VoidReason::VoidRecalled),
        SentOutcome::Expired { .. } => Some(v1::VoidReason::VoidExpired),
        // To a newer life of the recipient it is offered again, for as long as it may be.
        SentOutcome::Delivered { .. } => (expires_at <= now).then_some(v1::VoidReason::VoidExpired),
    }
}

/// What to say of the numbers asked for: those that ended, and those of which nothing is known.
fn answer(
    (first, last): (u64, u64),
    known: &BTreeMap<u64, Option<EndedNumber>>,
) -> Vec<EndedNumber> {
    let said = |n: u64| match known.get(&n) {
        Some(ended) => *ended,
        None => StreamSeq::new(n).map(|seq| EndedNumber {
            seq,
            reason: v1::VoidReason::VoidLost,
            envelope_id: None,
        }),
    };
    (first..=last).filter_map(said).collect()
}

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
        for void in voids((self.me, life), peer, &answer(range, &known)) {
            tracing::warn!(%peer, %life, first = void.first, last = void.last, reason = void.reason().as_str_name(), "numbers of an earlier life will not come");
            match sign_void(self.keyring.org_sign().as_ref(), &void) {
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
                let row = SentRow::decode(&value).ok()?;
                let to = row.recipients.iter().find(|to| to.party == peer);
                if let Some(to) = to.filter(|_| row.incarnation == life)
                    && (first..=last).contains(&to.seq.get())
                {
                    let reason = ended(&to.outcome, row.expires_at, now);
                    let number = reason.map(|reason| EndedNumber {
                        seq: to.seq,
                        reason,
                        envelope_id: Some(row.envelope_id),
                    });
                    known.insert(to.seq.get(), number);
                }
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
    use abeng_wire::EnvelopeId;

    #[test]
    fn what_is_queued_is_not_lost_and_what_nobody_knows_is() {
        let number = |n| StreamSeq::new(n).unwrap();
        let expired = EndedNumber {
            seq: number(3),
            reason: v1::VoidReason::VoidExpired,
            envelope_id: Some(EnvelopeId([3; 32])),
        };
        let known = BTreeMap::from([(2, None), (3, Some(expired))]);
        let said = answer((1, 5), &known);
        let reasons: Vec<_> = said.iter().map(|e| (e.seq.get(), e.reason)).collect();
        use v1::VoidReason::{VoidExpired, VoidLost};
        assert_eq!(
            reasons,
            [
                (1, VoidLost),
                (3, VoidExpired),
                (4, VoidLost),
                (5, VoidLost)
            ]
        );
    }

    #[test]
    fn a_peer_that_asks_all_the_time_takes_no_turn_of_another() {
        let (greedy, honest) = ("AA".parse().unwrap(), "BB".parse().unwrap());
        let mut searches = Searches::default();
        assert!(searches.may(greedy, Mono(1)));
        assert!(!searches.may(greedy, Mono(REST_NS)));
        assert!(searches.may(honest, Mono(REST_NS)));
        assert!(searches.may(greedy, Mono(REST_NS + 1)));
    }

    #[test]
    fn what_may_still_come_has_not_ended() {
        let leaf = LeafIndex(1);
        let delivered = SentOutcome::Delivered {
            taken: leaf,
            at_peer: 1,
            life: Incarnation(1),
        };
        assert_eq!(ended(&SentOutcome::Queued, 5, 10), None);
        assert_eq!(ended(&delivered, 11, 10), None);
        assert_eq!(ended(&delivered, 10, 10), Some(v1::VoidReason::VoidExpired));
        let expired = SentOutcome::Expired { leaf };
        assert_eq!(ended(&expired, 5, 10), Some(v1::VoidReason::VoidExpired));
    }
}
