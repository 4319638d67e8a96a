//! Numbers of streams from here that will not come, and what a void says of them: of this life, and of
//! earlier ones, for which this life answers.

use crate::rows::{SentOutcome, SentRow};
use abeng_wire::{EnvelopeId, Incarnation, Millis, PartyCode, StreamSeq, v1};
use std::collections::BTreeMap;

/// A number of a stream from here that will not come, and what a void says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EndedNumber {
    /// The number.
    pub seq: StreamSeq,
    /// Why.
    pub reason: v1::VoidReason,
    /// The envelope, where it may be named.
    pub envelope_id: Option<EnvelopeId>,
}

/// The voids that say all of it, lowest number first: neighbours that ended alike are one range,
/// which then names no envelope.
pub fn voids(
    (me, incarnation): (PartyCode, Incarnation),
    recipient: PartyCode,
    numbers: &[EndedNumber],
) -> Vec<v1::Void> {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers.dedup_by_key(|number| number.seq);
    let mut all: Vec<v1::Void> = Vec::new();
    for number in numbers {
        let seq = number.seq.get();
        match all.last_mut() {
            Some(last) if last.last + 1 == seq && last.reason() == number.reason => {
                last.last = seq;
                last.envelope_id.clear();
            }
            _ => all.push(v1::Void {
                originator: me.to_string(),
                incarnation: incarnation.0,
                recipient: recipient.to_string(),
                first: seq,
                last: seq,
                reason: number.reason.into(),
                // What failed has no envelope to name.
                envelope_id: number
                    .envelope_id
                    .filter(|_| number.reason != v1::VoidReason::VoidFailed)
                    .map(|id| id.to_bytes())
                    .unwrap_or_default(),
            }),
        }
    }
    all
}

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

/// What to say of the numbers of an earlier life that are asked for: those that ended, and those of which
/// nothing is known any more, since only a lost disk had them.
pub fn lost_numbers(
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

/// The number that a sent row gave a peer in that life, and what is to be said of it; nothing said where it
/// may still come.
pub fn ended_number(
    row: &SentRow,
    peer: PartyCode,
    life: Incarnation,
    now: Millis,
) -> Option<(u64, Option<EndedNumber>)> {
    let to = row.recipients.iter().find(|to| to.party == peer);
    let to = to.filter(|_| row.incarnation == life)?;
    let reason = ended(&to.outcome, row.expires_at, now);
    let number = reason.map(|reason| EndedNumber {
        seq: to.seq,
        reason,
        envelope_id: Some(row.envelope_id),
    });
    Some((to.seq.get(), number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use abeng_wire::LeafIndex;

    fn one(seq: u64, reason: v1::VoidReason, id: u8) -> EndedNumber {
        EndedNumber {
            seq: StreamSeq::new(seq).unwrap(),
            reason,
            envelope_id: (id > 0).then_some(EnvelopeId([id; 32])),
        }
    }

    #[test]
    fn neighbours_that_ended_alike_are_one_void() {
        use v1::VoidReason::{VoidExpired, VoidFailed};
        let (jm, nl) = (PartyCode::new("JM").unwrap(), PartyCode::new("NL").unwrap());
        let numbers = [
            one(5, VoidExpired, 5),
            one(4, VoidExpired, 4),
            one(9, VoidExpired, 9),
            one(6, VoidFailed, 6),
            one(9, VoidExpired, 9),
        ];
        let all = voids((jm, Incarnation(7)), nl, &numbers);
        let said: Vec<_> = all
            .iter()
            .map(|v| (v.first, v.last, v.reason(), v.envelope_id.len()))
            .collect();
        assert_eq!(
            said,
            [
                (4, 5, VoidExpired, 0),
                (6, 6, VoidFailed, 0),
                (9, 9, VoidExpired, 32)
            ]
        );
        assert!(
            all.iter()
                .all(|v| (&*v.originator, &*v.recipient) == ("JM", "NL"))
        );
    }

    #[test]
    fn what_is_queued_is_not_lost_and_what_nobody_knows_is() {
        let number = |n| StreamSeq::new(n).unwrap();
        let expired = EndedNumber {
            seq: number(3),
            reason: v1::VoidReason::VoidExpired,
            envelope_id: Some(EnvelopeId([3; 32])),
        };
        let known = BTreeMap::from([(2, None), (3, Some(expired))]);
        let said = lost_numbers((1, 5), &known);
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
