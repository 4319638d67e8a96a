//! What is offered again to a newer life of a recipient's log.

use super::{
    net::incarnation,
    rules::{at, forwarded, place, proven, queued, seq, up},
};
use crate::{Engine, Input, rows::QueueRow};
use abeng_wire::{LeafIndex, v1};

const ROUTINE: v1::Precedence = v1::Precedence::Routine;

/// Two notices that were delivered once, offered again.
fn offered(expires_at: u64) -> (Engine, Vec<u64>) {
    let mut engine = queued(&[]);
    engine.handle(at(0), up(1, 100, 1 << 20));
    let rows = [1, 2].map(|n| {
        let place = place(n, ROUTINE);
        let row = QueueRow {
            submitted: place.submitted,
            queued: place.queued,
            seq: seq(n),
            life: incarnation(0),
            created_at: 1,
            expires_at,
            size: 1_000,
        };
        (ROUTINE, row)
    });
    let recipient = place(1, ROUTINE).recipient;
    let again = || Input::OfferAgain {
        recipient,
        rows: rows.to_vec(),
    };
    let sent = forwarded(&engine.handle(at(0), again()));
    // The same portion once more is the same.
    assert!(forwarded(&engine.handle(at(0), again())).is_empty());
    (engine, sent)
}

fn kinds(plan: &crate::Plan) -> Vec<v1::LeafKind> {
    let facts = plan.step.facts.iter();
    facts.map(|f| f.leaf().message().kind()).collect()
}

fn of(input: Input, kind: v1::LeafKind) -> Input {
    let Input::ReceiptProven(mut proven) = input else {
        return input;
    };
    proven.kind = kind;
    Input::ReceiptProven(proven)
}

#[test]
fn a_new_receipt_of_delivery_takes_the_place_of_the_old_one() {
    let (mut engine, sent) = offered(at(u64::from(u32::MAX)).wall);
    assert_eq!(sent, [0, 2]);
    let recipient = place(1, ROUTINE).recipient;
    assert_eq!(engine.offered_again(recipient), 2);
    let first = place(1, ROUTINE);
    let plan = engine.handle(at(1), proven(first, 0));
    assert_eq!(kinds(&plan), [v1::LeafKind::ReceiptTaken]);
    assert_eq!(engine.offered_again(recipient), 1);
    // A copy of that receipt is no second one.
    let plan = engine.handle(at(1), proven(first, 0));
    assert!(kinds(&plan).is_empty());
}

#[test]
fn a_receipt_taken_a_moment_ago_does_not_hide_the_newer_one() {
    let (mut engine, _) = offered(at(u64::from(u32::MAX)).wall);
    let first = place(1, ROUTINE);
    engine.handle(at(1), proven(first, 0));
    let row = QueueRow {
        submitted: first.submitted,
        queued: first.queued,
        seq: seq(1),
        life: incarnation(0),
        created_at: 1,
        expires_at: at(u64::from(u32::MAX)).wall,
        size: 1_000,
    };
    // A third life, at once.
    let again = Input::OfferAgain {
        recipient: first.recipient,
        rows: vec![(ROUTINE, row)],
    };
    assert_eq!(forwarded(&engine.handle(at(2), again)), [0]);
    let plan = engine.handle(at(3), proven(first, 0));
    assert_eq!(kinds(&plan), [v1::LeafKind::ReceiptTaken]);
}

#[test]
fn whatever_else_comes_of_it_the_delivery_stands() {
    for kind in [v1::LeafKind::Refused, v1::LeafKind::Expired] {
        let (mut engine, _) = offered(at(u64::from(u32::MAX)).wall);
        let plan = engine.handle(at(1), of(proven(place(1, ROUTINE), 9), kind));
        assert!(kinds(&plan).is_empty(), "{kind:?}");
        assert_eq!(engine.offered_again(place(1, ROUTINE).recipient), 1);
    }
}

#[test]
fn past_its_life_it_goes_without_a_word() {
    let (mut engine, sent) = offered(at(10_000).wall);
    assert_eq!(sent.len(), 2);
    let plan = engine.handle(at(10_001), Input::Tick);
    assert!(kinds(&plan).is_empty() && plan.free.is_empty());
    assert_eq!(engine.depth(), 0);
    // What has expired is not even taken in.
    let (engine, sent) = offered(at(0).wall);
    assert!(sent.is_empty() && engine.depth() == 0);
    // At the head of the queue when the link comes.
    let (mut engine, _) = offered(at(10_000).wall);
    engine.handle(
        at(1),
        Input::LinkDown {
            peer: place(1, ROUTINE).recipient,
            session: 1,
        },
    );
    let plan = engine.handle(at(20_000), up(2, 9, 1 << 20));
    assert!(forwarded(&plan).is_empty() && plan.free.is_empty());
    assert_eq!(engine.depth(), 0);
    assert_eq!(engine.next_index(), LeafIndex(0));
}
