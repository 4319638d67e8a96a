//! Every state of the hand-off, and what a broken rule does to it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use abeng_model::{Bounds, Handoff, Plant, Route, State};
use stateright::{Checker, Model};
use std::collections::HashMap;

const DIRECT: Bounds = Bounds {
    notices: 2,
    losses: 2,
    repeats: 2,
    crashes: 2,
};
const RELAYED: Bounds = Bounds {
    notices: 2,
    losses: 1,
    repeats: 1,
    crashes: 1,
};

/// Walks through every state and asserts every property.
fn explore(model: Handoff) {
    let checker = model.checker().threads(2).spawn_bfs().join();
    println!(
        "{:?} {:?}: {} states, {} steps, {} deep",
        model.route,
        model.bounds,
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth()
    );
    assert!(checker.is_done());
    checker.assert_properties();
}

#[test]
fn a_direct_hand_off_holds_in_every_state() {
    explore(Handoff::new(Route::Direct, DIRECT));
}

#[test]
fn a_relayed_hand_off_holds_in_every_state() {
    explore(Handoff::new(Route::Relayed, RELAYED));
}

#[test]
fn a_hand_off_by_both_ways_holds_in_every_state() {
    explore(Handoff::new(Route::Both, RELAYED));
}

#[test]
fn no_run_goes_in_a_circle() {
    let small = Bounds {
        losses: 1,
        ..RELAYED
    };
    for route in [Route::Direct, Route::Relayed, Route::Both] {
        assert!(ends(&Handoff::new(route, small)), "{route:?}");
    }
}

/// Whether every run comes to an end: depth first, no state is met again above itself.
fn ends(model: &Handoff) -> bool {
    let mut open: HashMap<State, bool> = HashMap::new();
    let mut stack: Vec<(State, bool)> = vec![];
    stack.extend(model.init_states().into_iter().map(|s| (s, false)));
    while let Some((state, leaving)) = stack.pop() {
        if leaving {
            open.insert(state, false);
            continue;
        }
        match open.get(&state) {
            Some(true) => return false,
            Some(false) => continue,
            None => _ = open.insert(state.clone(), true),
        }
        stack.push((state.clone(), true));
        for next in model.next_states(&state) {
            match open.get(&next) {
                Some(true) => return false,
                Some(false) => {}
                None => stack.push((next, false)),
            }
        }
    }
    true
}

/// Each broken rule is found, and by the property that is about it.
#[test]
fn every_planted_bug_has_a_counterexample() {
    let direct = |plant| Handoff::new(Route::Direct, DIRECT).with(plant);
    let relayed = |plant| Handoff::new(Route::Relayed, RELAYED).with(plant);
    let planted = [
        (direct(Plant::AnswerEarly), "never lost"),
        (
            direct(Plant::ForwardEarly),
            "nothing leaves before it is durable",
        ),
        (direct(Plant::ForwardEarly), "a number names one notice"),
        (
            direct(Plant::ReceiptEarly),
            "receipts are for what is durable",
        ),
        (direct(Plant::ReceiptEarly), "never lost"),
        (direct(Plant::NoDedupe), "never twice"),
        (direct(Plant::ForgetOnSend), "never lost"),
        (
            relayed(Plant::SettleOnRelay),
            "settled is what was delivered",
        ),
        (direct(Plant::NoResend), "drains"),
    ];
    for (model, property) in planted {
        let checker = model.checker().threads(2).spawn_bfs().join();
        let found = checker.discovery(property);
        let path = found.unwrap_or_else(|| panic!("{:?} keeps \"{property}\"", model.plant));
        println!(
            "{:?} breaks \"{property}\" in {} steps",
            model.plant,
            path.into_actions().len()
        );
    }
    // Sent again and again for ever.
    assert!(!ends(&direct(Plant::NoSecondReceipt)));
}
