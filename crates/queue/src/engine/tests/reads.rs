//! A recipient's people have opened a notice: taken once, and it settles nothing.

use super::rules::{at, place, proven, queued};
use crate::{Free, Gated, Input, Plan};
use abeng_wire::{LeafIndex, v1};

fn read(looked: u64, settled: Option<LeafIndex>) -> Input {
    let place = place(1, v1::Precedence::Routine);
    let Input::ReceiptProven(mut proven) = proven(place, looked) else {
        unreachable!("a receipt");
    };
    proven.kind = v1::LeafKind::Read;
    proven.settled = settled;
    let leaf = v1::Leaf {
        kind: v1::LeafKind::Read.into(),
        ..v1::Leaf::default()
    };
    proven.receipt.leaf = abeng_wire::encode(&leaf);
    Input::ReceiptProven(proven)
}

fn took(plan: &Plan) -> bool {
    plan.step.facts.len() == 1
}

#[test]
fn opening_is_taken_once_and_settles_nothing() {
    // Two leaves of one queued notice are there.
    let mut engine = queued(&[v1::Precedence::Routine]);
    let plan = engine.handle(at(0), read(0, None));
    assert!(matches!(plan.free[..], [Free::ProveAgain(_)]), "look first");
    assert!(plan.step.facts.is_empty());
    let plan = engine.handle(at(0), read(2, None));
    assert!(took(&plan) && plan.step.gated.is_empty());
    let leaf = plan.step.facts[0].leaf().message();
    assert_eq!(leaf.kind(), v1::LeafKind::ReceiptTaken);
    // A copy in flight, one that the view knows, one after both.
    assert!(!took(&engine.handle(at(0), read(2, None))));
    assert!(!took(&engine.handle(at(0), read(9, Some(LeafIndex(2))))));

    // It was read before the proof of delivery came: that still settles it, and only that.
    let delivered = || proven(place(1, v1::Precedence::Routine), 3);
    let plan = engine.handle(at(0), delivered());
    assert!(took(&plan));
    assert!(matches!(plan.step.gated[..], [Gated::Settled { kind, .. }]
        if kind == v1::LeafKind::Delivered));
    assert!(!took(&engine.handle(at(0), delivered())));
    assert!(!took(&engine.handle(at(0), read(4, None))));
}

#[test]
fn another_start_asks_the_view() {
    let mut engine = queued(&[v1::Precedence::Routine]);
    let plan = engine.handle(at(0), read(1, None));
    assert!(matches!(plan.free[..], [Free::ProveAgain(_)]));
    let plan = engine.handle(at(0), read(2, Some(LeafIndex(1))));
    assert!(plan.step.facts.is_empty() && plan.free.is_empty());
}
