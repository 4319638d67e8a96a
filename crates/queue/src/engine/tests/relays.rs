//! Relays: the rules one by one.

use super::{
    net::{Draft, Node, START, party, recover, world},
    rules::{at, place, queued, seq},
};
use crate::{
    CarryLimits, Checked, Engine, Free, Gated, Input, Place, Plan, Proven, RelayRank,
    rows::QueueRow,
};
use abeng_seal::{Arrived, Verified, verify};
use abeng_wire::{Digest, EnvelopeId, LeafIndex, PartyCode, v1};
use std::collections::BTreeSet;
use v1::Precedence::{Flash, Immediate, Priority, Routine};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

fn code(text: &str) -> PartyCode {
    PartyCode::new(text).unwrap()
}

fn up(peer: &str, session: u64, envelopes: u64) -> Input {
    Input::LinkUp {
        peer: code(peer),
        session,
        envelopes,
        bytes: 1 << 30,
    }
}

fn down(peer: &str, session: u64) -> Input {
    Input::LinkDown {
        peer: code(peer),
        session,
    }
}

/// What a relay reaches: NL, for whom everything is queued in these tests.
fn reach(peer: &str, session: u64, rank: RelayRank) -> Input {
    Input::Reach {
        peer: code(peer),
        session,
        parties: BTreeSet::from([party(1)]),
        rank,
    }
}

/// Which peers got a copy of what was submitted at which leaf.
fn copies(plan: &Plan) -> Vec<(String, u64)> {
    let copy = |gated: &Gated| match *gated {
        Gated::Forward {
            peer,
            recipient,
            submitted,
            ..
        } => {
            assert_eq!(recipient, party(1));
            Some((peer.to_string(), submitted.0))
        }
        _ => None,
    };
    plan.step.gated.iter().filter_map(copy).collect()
}

fn to(plan: &Plan, peer: &str) -> Vec<u64> {
    let mine = copies(plan).into_iter().filter(|(to, _)| to == peer);
    mine.map(|(_, leaf)| leaf).collect()
}

fn ordinary(engine: &mut Engine, now: u64, relays: &[&str]) -> Plan {
    let mut last = Plan::default();
    for (nth, relay) in relays.iter().enumerate() {
        let session = 10 + nth as u64;
        engine.handle(at(now), up(relay, session, 1000));
        last = engine.handle(at(now), reach(relay, session, RelayRank::Ordinary));
    }
    last
}

fn said(relay: &str, n: u64, precedence: v1::Precedence, kind: v1::LeafKind) -> Input {
    let leaf = v1::Leaf {
        kind: kind.into(),
        ..v1::Leaf::default()
    };
    Input::ReceiptProven(Box::new(Proven {
        from: code(relay),
        place: place(n, precedence),
        envelope_id: EnvelopeId([n as u8; 32]),
        originator: party(0),
        seq_commit: Digest([2; 32]),
        kind,
        reason: v1::Reason::Unspecified,
        receipt: v1::Receipt {
            leaf: abeng_wire::encode(&leaf),
            ..v1::Receipt::default()
        },
        settled: None,
        looked: LeafIndex(1 << 40),
    }))
}

fn dropped(relay: &str, n: u64, precedence: v1::Precedence, kind: v1::FaultKind) -> Input {
    Input::Fault {
        from: code(relay),
        envelope: Some(place(n, precedence)),
        kind,
    }
}

#[test]
fn relays_are_used_once_the_patience_of_each_precedence_is_over_and_flash_goes_first() {
    let mut engine = queued(&[Routine, Priority, Flash, Immediate, Flash]);
    assert!(copies(&ordinary(&mut engine, 0, &["AA"])).is_empty());
    let mut woken = Vec::new();
    let mut now = 0;
    while woken.len() < 5 {
        let wake = engine.wake_at().unwrap();
        now = wake.0 / 1_000_000;
        let plan = engine.handle(at(now), Input::Tick);
        woken.extend(to(&plan, "AA").into_iter().map(|leaf| (now, leaf)));
    }
    let expected = [
        (2_000, 4),
        (2_000, 8),
        (10_000, 6),
        (60_000, 2),
        (300_000, 0),
    ];
    assert_eq!(woken, expected);
    assert!(copies(&engine.handle(at(now + 1_000), Input::Tick)).is_empty());
    assert_eq!(engine.depth(), 5, "a copy takes nothing away");
}

#[test]
fn what_a_relay_may_have_is_sent_by_precedence_between_what_is_its_own() {
    let mut engine = queued(&[Immediate, Flash]);
    // FLASH, PRIORITY and ROUTINE for the relay itself, too many for its credit.
    let mut rows = Vec::new();
    for (n, precedence) in [(1, Flash), (2, Immediate), (3, Priority)] {
        let row = QueueRow {
            submitted: LeafIndex(100 + 2 * n),
            queued: LeafIndex(101 + 2 * n),
            seq: seq(n),
            life: super::net::incarnation(0),
            created_at: START,
            expires_at: START + 100 * HOUR,
            size: 1000,
        };
        rows.push((
            QueueRow::key(code("AA"), precedence, row.queued),
            row.encode(),
        ));
    }
    for (n, precedence) in [(1, Immediate), (2, Flash)] {
        let row = QueueRow {
            submitted: LeafIndex(2 * (n - 1)),
            queued: LeafIndex(2 * n - 1),
            seq: seq(n),
            life: super::net::incarnation(0),
            created_at: START,
            expires_at: START + 100 * HOUR,
            size: 1000,
        };
        rows.push((
            QueueRow::key(party(1), precedence, row.queued),
            row.encode(),
        ));
    }
    engine = recover(0, engine.next_index(), &rows);
    engine.handle(at(0), Input::Tick);
    engine.handle(at(MINUTE), up("AA", 1, 0));
    engine.handle(at(MINUTE), reach("AA", 1, RelayRank::Ordinary));
    let credit = Input::Credit {
        peer: code("AA"),
        session: 1,
        envelopes: 4,
        bytes: 1 << 30,
    };
    let plan = engine.handle(at(MINUTE), credit);
    let order: Vec<(PartyCode, u64)> = plan
        .step
        .gated
        .iter()
        .filter_map(|gated| match *gated {
            Gated::Forward {
                recipient,
                submitted,
                ..
            } => Some((recipient, submitted.0)),
            _ => None,
        })
        .collect();
    let (own, others) = (code("AA"), party(1));
    assert_eq!(order, [(own, 102), (others, 2), (own, 104), (others, 0)]);
}

#[test]
fn at_most_two_relays_have_a_copy_and_coordination_comes_last() {
    let mut engine = queued(&[Flash]);
    engine.handle(at(0), Input::Tick);
    engine.handle(at(0), up("ZZ", 1, 9));
    engine.handle(at(0), reach("ZZ", 1, RelayRank::Coordination));
    ordinary(&mut engine, 0, &["CC", "BB", "DD"]);
    let plan = engine.handle(at(2_000), Input::Tick);
    assert_eq!(copies(&plan), [("BB".into(), 0), ("CC".into(), 0)]);
    // Two are gone; of those left the coordination party is still not needed.
    let plan = engine.handle(at(2_500), down("BB", 11));
    assert_eq!(copies(&plan), [("DD".into(), 0)]);
    assert!(copies(&engine.handle(at(2_600), down("CC", 10))).is_empty());
    let plan = engine.handle(at(2_700), down("DD", 12));
    assert_eq!(copies(&plan), [("ZZ".into(), 0)]);
}

#[test]
fn a_relay_that_was_not_asked_by_its_present_link_is_not_believed() {
    let mut engine = queued(&[Flash]);
    engine.handle(at(0), Input::Tick);
    engine.handle(at(9_000), up("AA", 5, 9));
    assert!(copies(&engine.handle(at(9_000), reach("AA", 4, RelayRank::Ordinary))).is_empty());
    let plan = engine.handle(at(9_000), reach("AA", 5, RelayRank::Ordinary));
    assert_eq!(to(&plan, "AA"), [0]);
    // Neither the relay itself nor this party is reached through it.
    let mut engine = queued(&[Flash]);
    engine.handle(at(0), Input::Tick);
    engine.handle(at(9_000), up("NL", 5, 0));
    let plan = engine.handle(at(9_000), reach("NL", 5, RelayRank::Ordinary));
    assert!(copies(&plan).is_empty());
}

#[test]
fn the_direct_link_gets_it_too_and_no_new_copy_leaves_while_it_is_there() {
    let mut engine = queued(&[Flash, Flash]);
    engine.handle(at(0), Input::Tick);
    engine.handle(at(0), up("AA", 10, 1));
    engine.handle(at(0), reach("AA", 10, RelayRank::Ordinary));
    assert_eq!(to(&engine.handle(at(2_000), Input::Tick), "AA"), [0]);
    let plan = engine.handle(at(3_000), up("NL", 1, 9));
    assert_eq!(to(&plan, "NL"), [0, 2]);
    let credit = Input::Credit {
        peer: code("AA"),
        session: 10,
        envelopes: 9,
        bytes: 1 << 30,
    };
    assert!(copies(&engine.handle(at(3_000), credit)).is_empty());
    // Lost again, patience begins anew.
    engine.handle(at(10_000), down("NL", 1));
    assert!(copies(&engine.handle(at(11_900), Input::Tick)).is_empty());
    assert_eq!(to(&engine.handle(at(12_000), Input::Tick), "AA"), [2]);
}

#[test]
fn an_outcome_by_any_way_ends_it_and_a_relays_word_does_not() {
    let mut engine = queued(&[Flash]);
    ordinary(&mut engine, 0, &["AA"]);
    engine.handle(at(2_000), Input::Tick);
    let relayed = || said("AA", 1, Flash, v1::LeafKind::Relayed);
    let plan = engine.handle(at(2_100), relayed());
    assert_eq!(plan.step.facts.len(), 1, "kept");
    assert_eq!(
        plan.step.facts[0].leaf().message().kind(),
        v1::LeafKind::ReceiptTaken
    );
    assert!(plan.step.gated.is_empty(), "it settles nothing");
    assert_eq!(engine.depth(), 1);
    assert!(engine.handle(at(2_200), relayed()).step.facts.is_empty());
    let plan = engine.handle(at(2_300), said("AA", 1, Flash, v1::LeafKind::Delivered));
    assert!(matches!(plan.step.gated[..], [Gated::Settled { .. }]));
    assert_eq!(engine.depth(), 0);
    assert_eq!(engine.relays()[0].copies, 0);
}

#[test]
fn a_relay_that_brings_nothing_loses_standing_and_another_is_tried() {
    let mut engine = queued(&[Flash]);
    ordinary(&mut engine, 0, &["AA", "BB", "CC"]);
    let plan = engine.handle(at(2_000), Input::Tick);
    assert_eq!(copies(&plan), [("AA".into(), 0), ("BB".into(), 0)]);
    engine.handle(at(2_100), said("BB", 1, Flash, v1::LeafKind::Relayed));
    // AA never says that it has it.
    let plan = engine.handle(at(2_000 + MINUTE), Input::Tick);
    assert_eq!(copies(&plan), [("CC".into(), 0)]);
    let strikes = |engine: &Engine| -> Vec<(String, u8)> {
        let relays = engine.relays().into_iter();
        relays.map(|r| (r.relay.to_string(), r.strikes)).collect()
    };
    let expected = [("AA".into(), 1), ("BB".into(), 0), ("CC".into(), 0)];
    assert_eq!(strikes(&engine), expected);
    engine.handle(
        at(2_100 + MINUTE),
        said("CC", 1, Flash, v1::LeafKind::Relayed),
    );
    // BB has it and brings no outcome; nobody else is left.
    let plan = engine.handle(at(2_100 + 5 * MINUTE), Input::Tick);
    assert!(copies(&plan).is_empty());
    assert_eq!(strikes(&engine)[1], ("BB".into(), 1));
    // An hour later the first is asked again, and what it brings clears it.
    let plan = engine.handle(at(3_000 + HOUR + MINUTE), Input::Tick);
    assert_eq!(to(&plan, "AA"), [0]);
    engine.handle(
        at(4_000 + HOUR + MINUTE),
        said("AA", 1, Flash, v1::LeafKind::Delivered),
    );
    assert_eq!(strikes(&engine)[0], ("AA".into(), 0));
}

#[test]
fn a_dropped_copy_costs_standing_and_a_full_relay_none() {
    let mut engine = queued(&[Flash]);
    ordinary(&mut engine, 0, &["AA", "BB", "CC", "DD"]);
    engine.handle(at(2_000), Input::Tick);
    let damaged = v1::FaultKind::FaultDamaged;
    let plan = engine.handle(at(2_100), dropped("AA", 1, Flash, damaged));
    assert_eq!(copies(&plan), [("CC".into(), 0)]);
    // Said of a copy that it does not have, it means nothing.
    assert!(copies(&engine.handle(at(2_150), dropped("DD", 1, Flash, damaged))).is_empty());
    let quota = v1::FaultKind::FaultQuota;
    let plan = engine.handle(at(2_200), dropped("BB", 1, Flash, quota));
    assert_eq!(copies(&plan), [("DD".into(), 0)]);
    let strikes: Vec<u8> = engine.relays().iter().map(|r| r.strikes).collect();
    assert_eq!(strikes, [1, 0, 0, 0]);
    assert_eq!(engine.depth(), 1, "never an outcome");
}

#[test]
fn a_relay_that_gives_no_credit_is_passed_over() {
    let mut engine = queued(&[Flash]);
    engine.handle(at(0), Input::Tick);
    for (session, relay) in [(1, "AA"), (2, "BB"), (3, "CC")] {
        let credit = if relay == "CC" { 9 } else { 0 };
        engine.handle(at(0), up(relay, session, credit));
        engine.handle(at(0), reach(relay, session, RelayRank::Ordinary));
    }
    assert!(copies(&engine.handle(at(2_000), Input::Tick)).is_empty());
    let plan = engine.handle(at(33_000), Input::Tick);
    assert_eq!(copies(&plan), [("CC".into(), 0)]);
}

/// An envelope of JM for TT, as NL would verify it.
fn verified(nth: u64) -> Box<Verified> {
    let mut jm = Node::new(0);
    let draft = Draft {
        notice: format!("notice {nth}").into(),
        precedence: Routine,
        life_ms: HOUR,
        fails: false,
    };
    let sealed = jm.seal(at(0), &[(party(2), seq(nth))], &draft);
    let arrived = Arrived::parse(sealed.envelope()).unwrap();
    Box::new(verify(arrived, &world().trust, party(2), START).unwrap())
}

fn carry(nth: u64, from: usize) -> Input {
    Input::Carry {
        from: party(from),
        recipient: party(2),
        verified: verified(nth),
        checked: Checked {
            looked: LeafIndex(1 << 40),
            roster_version: world().trust.roster.version(),
        },
    }
}

fn relay(limits: CarryLimits) -> Engine {
    let mut engine = recover(1, LeafIndex(0), &[]);
    engine.limit_carrying(limits);
    engine
}

#[test]
fn a_relay_carries_only_what_the_originator_brings_and_answers_copies_with_the_same_receipt() {
    let mut engine = relay(CarryLimits::default());
    assert!(engine.handle(at(0), carry(1, 2)).step.facts.is_empty());
    let plan = engine.handle(at(0), carry(1, 0));
    let [fact] = &plan.step.facts[..] else {
        panic!("{plan:?}");
    };
    let leaf = fact.leaf().message();
    assert_eq!(leaf.kind(), v1::LeafKind::Relayed);
    assert_eq!((&leaf.originator[..], &leaf.recipient[..]), ("JM", "TT"));
    let receipt = |plan: &Plan| match plan.step.gated[..] {
        [Gated::Receipt { peer, outcome }] => Some((peer, outcome)),
        _ => None,
    };
    assert_eq!(receipt(&plan), Some((party(0), LeafIndex(0))));
    let again = engine.handle(at(1), carry(1, 0));
    assert!(again.step.facts.is_empty());
    assert_eq!(receipt(&again), receipt(&plan));
    assert_eq!((engine.carried_count(), engine.depth()), (1, 0));

    // Only its recipient gets it, also where another relay is linked.
    let plan = engine.handle(at(2), up("AA", 1, 9));
    assert!(plan.step.gated.is_empty());
    let reaches = || Input::Reach {
        peer: code("AA"),
        session: 1,
        parties: BTreeSet::from([party(2)]),
        rank: RelayRank::Ordinary,
    };
    for now in [2, 10 * MINUTE] {
        let later = engine.handle(at(now), reaches());
        assert!(later.step.gated.is_empty(), "never from relay to relay");
    }
    let plan = engine.handle(at(10 * MINUTE), up("TT", 2, 9));
    assert!(matches!(
        plan.step.gated[..],
        [Gated::Forward { peer, recipient, submitted: LeafIndex(0), .. }]
            if peer == party(2) && recipient == party(2)
    ));
}

#[test]
fn over_a_quota_it_is_a_fault_and_never_a_leaf() {
    let size = {
        let mut engine = relay(CarryLimits::default());
        engine.handle(at(0), carry(1, 0));
        engine.carried()[0].bytes
    };
    let limits = [
        CarryLimits {
            count: 2,
            ..CarryLimits::default()
        },
        CarryLimits {
            bytes: 3 * size - 1,
            ..CarryLimits::default()
        },
        CarryLimits {
            total_count: 2,
            ..CarryLimits::default()
        },
        CarryLimits {
            total_bytes: 3 * size - 1,
            ..CarryLimits::default()
        },
    ];
    for limits in limits {
        let mut engine = relay(limits);
        engine.handle(at(0), carry(1, 0));
        assert_eq!(engine.handle(at(0), carry(2, 0)).step.facts.len(), 1);
        let plan = engine.handle(at(0), carry(3, 0));
        assert!(plan.step.facts.is_empty() && plan.step.gated.is_empty());
        assert!(matches!(
            plan.free[..],
            [Free::TellFault { peer, recipient: Some(to), kind: v1::FaultKind::FaultQuota, .. }]
                if peer == party(0) && to == party(2)
        ));
        // What is done with makes room.
        let id = verified(1).id();
        engine.handle(at(1), outcome(id, LeafIndex(0), v1::LeafKind::Delivered));
        assert_eq!(engine.handle(at(2), carry(3, 0)).step.facts.len(), 1);
    }
}

/// TT has proved what became of what was carried.
fn outcome(id: EnvelopeId, relayed: LeafIndex, kind: v1::LeafKind) -> Input {
    Input::ReceiptProven(Box::new(Proven {
        from: party(2),
        place: Place::carried(party(2), Routine, relayed),
        envelope_id: id,
        originator: party(0),
        seq_commit: Digest([2; 32]),
        kind,
        reason: v1::Reason::Unspecified,
        receipt: v1::Receipt::default(),
        settled: None,
        looked: LeafIndex(1 << 40),
    }))
}

#[test]
fn one_outcome_is_taken_and_handed_to_the_originator() {
    let mut engine = relay(CarryLimits::default());
    engine.handle(at(0), carry(1, 0));
    let id = verified(1).id();
    let read = outcome(id, LeafIndex(0), v1::LeafKind::Read);
    assert!(engine.handle(at(1), read).step.facts.is_empty());
    let plan = engine.handle(at(2), outcome(id, LeafIndex(0), v1::LeafKind::Delivered));
    let leaf = plan.step.facts[0].leaf().message();
    assert_eq!(leaf.kind(), v1::LeafKind::ReceiptTaken);
    assert_eq!((&leaf.originator[..], &leaf.recipient[..]), ("JM", "TT"));
    assert!(matches!(
        plan.step.gated[..],
        [Gated::Receipt { peer, outcome: LeafIndex(1) }] if peer == party(0)
    ));
    assert_eq!(engine.carried_count(), 0);
    let second = outcome(id, LeafIndex(0), v1::LeafKind::Refused);
    assert!(engine.handle(at(3), second).step.facts.is_empty());
    // A copy is answered with what came of it.
    let plan = engine.handle(at(4), carry(1, 0));
    assert!(matches!(
        plan.step.gated[..],
        [Gated::Receipt {
            outcome: LeafIndex(1),
            ..
        }]
    ));
    assert!(plan.step.facts.is_empty());
}

#[test]
fn the_life_of_what_is_carried_ends_and_an_outcome_after_it_is_still_handed_on() {
    let mut engine = relay(CarryLimits::default());
    let plan = engine.handle(at(0), carry(1, 0));
    let leaf = Box::new(plan.step.facts[0].leaf().message().clone());
    let plan = engine.handle(at(HOUR), Input::Tick);
    let [Free::LookExpired { place }] = plan.free[..] else {
        panic!("{plan:?}");
    };
    assert!(place.is_carried());
    let plan = engine.handle(at(HOUR), Input::Expire { place, leaf });
    let fact = plan.step.facts[0].leaf().message();
    assert_eq!(fact.kind(), v1::LeafKind::Expired);
    assert_eq!((&fact.originator[..], &fact.recipient[..]), ("JM", "TT"));
    assert!(plan.step.gated.is_empty(), "no outcome of anybody");
    assert_eq!(engine.carried_count(), 0);
    assert!(engine.handle(at(HOUR), carry(1, 0)).step.gated.is_empty());
    let id = verified(1).id();
    let plan = engine.handle(at(HOUR), outcome(id, LeafIndex(0), v1::LeafKind::Delivered));
    assert_eq!(plan.step.facts.len(), 1);
}

#[test]
fn a_look_up_that_came_too_early_or_an_older_roster_is_asked_again() {
    let mut engine = relay(CarryLimits::default());
    for nth in 1..=4 {
        let relayed = engine.next_index();
        engine.handle(at(nth), carry(nth, 0));
        let delivered = outcome(verified(nth).id(), relayed, v1::LeafKind::Delivered);
        engine.handle(at(nth), delivered);
    }
    let position = engine.next_index();
    engine.handle(at(9), Input::Durable { position });
    let again = |plan: &Plan| {
        plan.step.facts.is_empty()
            && plan.step.gated.is_empty()
            && matches!(plan.free[..], [Free::CarryAgain { from, recipient, .. }]
                if from == party(0) && recipient == party(2))
    };
    let early = Checked {
        looked: LeafIndex(0),
        roster_version: world().trust.roster.version(),
    };
    let Input::Carry { verified, .. } = carry(1, 0) else {
        unreachable!()
    };
    let ask = |checked| Input::Carry {
        from: party(0),
        recipient: party(2),
        verified: verified.clone(),
        checked,
    };
    assert!(again(&engine.handle(at(10), ask(early))));
    let older = Checked {
        looked: position,
        roster_version: 0,
    };
    assert!(again(&engine.handle(at(10), ask(older))));
}
