//! The rules of gaps, wants and voids, with one engine and no network.

use super::{
    net::{Draft, Node, START, index, party, recover, world},
    rules::{at, folded, incarnation, open_at_nl, place, proven, queued, seq},
};
use crate::{
    Checked, Engine, Free, Gated, Input, Plan, RelayRank, Target, Ticket, View,
    engine::submissions::STEP_BYTES,
    rows::{EndedRow, MarkRow, VoidedRow},
};
use abeng_audit_log::{Batch, Journal, JournalIdentity, OpenOptions, Record, Step, sim::SimDisk};
use abeng_seal::{Arrived, Opened, sign_void};
use abeng_wire::{LeafIndex, Now, PartyCode, limits, v1};
use bytes::Bytes;
use v1::VoidReason::{VoidExpired, VoidFailed, VoidLost, VoidRecalled};

const DAY: u64 = 86_400_000;

fn sealed(node: &mut Node, n: u64, notice: Bytes) -> abeng_seal::Sealed {
    let draft = Draft {
        notice,
        precedence: v1::Precedence::Priority,
        life_ms: DAY,
        fails: false,
    };
    node.seal(at(0), &[(party(1), seq(n))], &draft)
}

/// An envelope from JM with that number, opened at NL.
fn opened(node: &mut Node, n: u64) -> Opened {
    let sealed = sealed(node, n, Bytes::from_static(b"a notice"));
    open_at_nl(Arrived::parse(sealed.envelope()).unwrap())
}

fn arrival(opened: Opened) -> Input {
    Input::Opened {
        from: party(0),
        opened: Box::new(opened),
        terms: super::net::terms(b""),
        target: Target::Unknown,
        checked: Checked {
            looked: LeafIndex(u64::MAX),
            roster_version: u64::MAX,
        },
    }
}

fn void(first: u64, last: u64, reason: v1::VoidReason) -> v1::Void {
    v1::Void {
        originator: party(0).to_string(),
        incarnation: incarnation().0,
        recipient: party(1).to_string(),
        first,
        last,
        reason: reason.into(),
        envelope_id: Bytes::new(),
    }
}

/// The node verifies before it gives; the engine keeps to what is for it.
fn voided(void: v1::Void) -> Input {
    let key = world().keyrings[0].org_sign();
    Input::Voided {
        from: party(0),
        signed: Box::new(sign_void(key.as_ref(), &void).unwrap()),
        void: Box::new(void),
    }
}

fn wanted(first: u64, last: u64) -> v1::Want {
    v1::Want {
        originator: party(0).to_string(),
        incarnation: incarnation().0,
        first,
        last,
        byte_budget: limits::WANT_BYTES,
        recipient: String::new(),
    }
}

fn up(peer: PartyCode, envelopes: u64) -> Input {
    Input::LinkUp {
        peer,
        session: 1,
        envelopes,
        bytes: 1 << 30,
    }
}

fn kinds(plan: &Plan) -> Vec<(v1::LeafKind, v1::Reason)> {
    let kind = |r: &Record| (r.leaf().message().kind(), r.leaf().message().reason());
    plan.step.facts.iter().map(kind).collect()
}

fn forwarded(plan: &Plan) -> usize {
    let forward = |gated: &&Gated| matches!(gated, Gated::Forward { .. });
    plan.step.gated.iter().filter(forward).count()
}

fn asked(plan: &Plan) -> Vec<(usize, u64, u64)> {
    let want = |free: &Free| match free {
        Free::Want { peer, via, want } => {
            Some((index(via.unwrap_or(*peer)), want.first, want.last))
        }
        _ => None,
    };
    plan.free.iter().filter_map(want).collect()
}

/// The engine, and another made of the rows that its facts make.
fn and_after_a_restart(there: Engine, facts: &[Record]) -> [Engine; 2] {
    let view = folded(facts);
    let rows: Vec<_> = view.rows().map(|(k, v)| (k.to_vec(), v.to_vec())).collect();
    let again = recover(1, LeafIndex(facts.len() as u64), &rows);
    assert_eq!(again.marks, there.marks);
    assert_eq!(again.voided, there.voided);
    [there, again]
}

#[test]
fn a_void_closes_what_is_open_once_and_is_kept_with_its_signature() {
    let mut node = Node::new(0);
    let mut there = recover(1, LeafIndex(0), &[]);
    let mut facts = Vec::new();
    for n in [1, 3, 7] {
        facts.extend(
            there
                .handle(at(0), arrival(opened(&mut node, n)))
                .step
                .facts,
        );
    }
    let plan = there.handle(at(0), voided(void(2, 6, VoidExpired)));
    assert_eq!(
        kinds(&plan),
        [(v1::LeafKind::Voided, v1::Reason::NumberVoided)]
    );
    let leaf = plan.step.facts[0].leaf().message();
    assert_eq!((&*leaf.originator, &*leaf.recipient), ("JM", "NL"));
    let proof = plan.step.facts[0].proof().unwrap().unwrap().of;
    let Some(v1::proof_part::Of::Statement(signed)) = proof else {
        panic!("{proof:?}");
    };
    let kept = abeng_seal::verify_void(&world().trust.roster, &signed).unwrap();
    assert_eq!(kept.message().last, 6);
    assert!(there.gaps(party(0)).is_empty());
    facts.extend(plan.step.facts);

    // Again, in part, over what was delivered: nothing changes.
    for again in [(2, 6), (4, 4), (1, 1), (7, 7), (1, 7)] {
        let again = voided(void(again.0, again.1, VoidExpired));
        assert!(there.handle(at(0), again).step.facts.is_empty());
    }
    let view = folded(&facts);
    let row = view.get(&MarkRow::key(party(0), incarnation())).unwrap();
    assert_eq!(MarkRow::decode(&row.unwrap()).unwrap().contiguous, 7);
    let row = view.get(&VoidedRow::key(party(0), incarnation())).unwrap();
    let row = VoidedRow::decode(&row.unwrap()).unwrap();
    assert_eq!(row.ranges, [(2, 2, VoidExpired), (4, 6, VoidExpired)]);
}

#[test]
fn a_void_for_another_or_too_far_ahead_or_of_too_many_streams_changes_nothing() {
    let mut there = recover(1, LeafIndex(0), &[]);
    let for_another = v1::Void {
        recipient: party(2).to_string(),
        ..void(1, 1, VoidExpired)
    };
    let of_here = v1::Void {
        originator: party(1).to_string(),
        ..void(1, 1, VoidExpired)
    };
    let far = void(1, limits::STREAM_AHEAD + 1, VoidLost);
    for void in [for_another, of_here, far] {
        assert!(there.handle(at(0), voided(void)).step.facts.is_empty());
    }
    assert!(there.marks.is_empty());
    let widest = void(1, limits::STREAM_AHEAD, VoidLost);
    assert_eq!(there.handle(at(0), voided(widest)).step.facts.len(), 1);
    let lives = 2 * limits::VOIDED_STREAMS as u64;
    let mut taken = 0;
    for life in 1..lives {
        let void = v1::Void {
            incarnation: life,
            ..void(1, 1, VoidLost)
        };
        taken += there.handle(at(0), voided(void)).step.facts.len();
    }
    assert_eq!(taken + 1, limits::VOIDED_STREAMS);
}

#[test]
fn a_genuine_envelope_on_a_number_voided_as_lost_or_expired_is_delivered_once() {
    for reason in [VoidLost, VoidExpired] {
        let mut node = Node::new(0);
        let mut there = recover(1, LeafIndex(0), &[]);
        let facts = there.handle(at(0), voided(void(1, 3, reason))).step.facts;
        for mut there in and_after_a_restart(there, &facts) {
            let mut facts = facts.clone();
            let plan = there.handle(at(1), arrival(opened(&mut node, 2)));
            let delivered = (v1::LeafKind::Delivered, v1::Reason::Unspecified);
            assert_eq!(kinds(&plan)[1..], [delivered], "{reason:?}");
            facts.extend(plan.step.facts);
            for mut there in and_after_a_restart(there, &facts) {
                let plan = there.handle(at(2), arrival(opened(&mut node, 2)));
                let conflict = (v1::LeafKind::Refused, v1::Reason::SeqConflict);
                assert_eq!(kinds(&plan), [conflict], "a second one is equivocation");
                // The neighbours stay as they were.
                let plan = there.handle(at(3), arrival(opened(&mut node, 3)));
                assert_eq!(plan.step.facts.len(), 2);
            }
        }
    }
}

#[test]
fn what_is_lost_at_its_originator_is_told_until_it_comes_after_all() {
    let mut node = Node::new(0);
    let mut there = recover(1, LeafIndex(0), &[]);
    let mut facts = Vec::new();
    for (ms, void) in [
        (5, void(1, 2, VoidLost)),
        (6, void(3, 3, VoidExpired)),
        (7, void(4, 4, VoidLost)),
        (8, void(1, 4, VoidLost)),
    ] {
        facts.extend(there.handle(at(ms), voided(void)).step.facts);
    }
    let said = there.lost_reports()[0].said;
    assert_eq!(
        said,
        Some((at(5).wall, at(7).wall)),
        "not the last: it closed nothing"
    );
    for mut there in and_after_a_restart(there, &facts) {
        let of = |there: &Engine| -> Vec<_> {
            let reports = there.lost_reports().into_iter();
            reports.map(|r| (r.originator, r.numbers)).collect()
        };
        assert_eq!(of(&there), [(party(0), 3)]);
        for (seq, left) in [(2, 2), (3, 2), (1, 1)] {
            there.handle(at(9), arrival(opened(&mut node, seq)));
            assert_eq!(of(&there), [(party(0), left)]);
        }
        there.handle(at(9), arrival(opened(&mut node, 4)));
        assert!(of(&there).is_empty());
    }
}

#[test]
fn a_number_voided_as_failed_or_recalled_holds_nothing_any_more() {
    for (reason, refusal) in [
        (VoidFailed, v1::Reason::SeqConflict),
        (VoidRecalled, v1::Reason::RecalledByOriginator),
    ] {
        let mut node = Node::new(0);
        let mut there = recover(1, LeafIndex(0), &[]);
        let facts = there.handle(at(0), voided(void(1, 1, reason))).step.facts;
        for mut there in and_after_a_restart(there, &facts) {
            let plan = there.handle(at(1), arrival(opened(&mut node, 1)));
            assert_eq!(kinds(&plan), [(v1::LeafKind::Refused, refusal)]);
            let facts = [facts.clone(), plan.step.facts].concat();
            and_after_a_restart(there, &facts);
        }
    }
}

#[test]
fn a_gap_stops_a_stream_only_until_it_is_voided() {
    let mut node = Node::new(0);
    let edge = limits::STREAM_AHEAD;
    // 2 … 65,536 were delivered, as the rows say.
    let mark = MarkRow {
        contiguous: 0,
        above: vec![(2, edge)],
    };
    let rows = [(MarkRow::key(party(0), incarnation()), mark.encode())];
    let mut there = recover(1, LeafIndex(9), &rows);
    let plan = there.handle(at(0), arrival(opened(&mut node, edge + 1)));
    assert!(plan.step.facts.is_empty(), "too far ahead of the gap");
    there.handle(at(0), Input::Tick);
    assert!(asked(&there.handle(at(1), up(party(0), 9))).is_empty());
    let plan = there.handle(at(60_000), Input::Tick);
    assert_eq!(asked(&plan), [(0, 1, 1)]);
    assert_eq!(there.gap_reports().len(), 1);
    there.handle(at(60_001), voided(void(1, 1, VoidExpired)));
    assert!(there.gap_reports().is_empty() && !there.has_gaps());
    let plan = there.handle(at(60_002), arrival(opened(&mut node, edge + 1)));
    assert_eq!(plan.step.facts.len(), 2);
    assert!(there.gap_reports().is_empty());
}

#[test]
fn a_gap_is_asked_for_while_linked_and_again_at_the_next_link() {
    let mut node = Node::new(0);
    let mut there = recover(1, LeafIndex(0), &[]);
    for n in [2, 5] {
        there.handle(at(0), arrival(opened(&mut node, n)));
    }
    assert_eq!(there.wake_at(), Some(at(1_000).mono));
    assert!(asked(&there.handle(at(1_000), Input::Tick)).is_empty());
    let seen = there.gap_reports();
    let numbers: Vec<_> = seen.iter().map(|g| (g.first, g.last, g.asked)).collect();
    assert_eq!(numbers, [(1, 1, 0), (3, 4, 0)]);
    assert_eq!(seen[0].since, START + 1_000);
    // Nobody to ask.
    assert_eq!(there.wake_at(), None);
    assert!(asked(&there.handle(at(70_000), Input::Tick)).is_empty());
    assert!(asked(&there.handle(at(70_000), up(party(2), 9))).is_empty());
    let plan = there.handle(at(71_000), up(party(0), 9));
    assert_eq!(asked(&plan), [(0, 1, 1), (0, 3, 4)]);
    assert!(plan.step.facts.is_empty() && plan.step.gated.is_empty());
    assert_eq!(there.gap_reports()[1].asked_at, Some(START + 71_000));
    // What comes meanwhile is not asked for again.
    there.handle(at(72_000), arrival(opened(&mut node, 1)));
    assert_eq!(there.wake_at(), Some(at(73_000).mono));
    assert!(asked(&there.handle(at(73_000), Input::Tick)).is_empty());
    assert_eq!(there.wake_at(), Some(at(131_000).mono));
    assert_eq!(asked(&there.handle(at(131_000), Input::Tick)), [(0, 3, 4)]);
    assert_eq!(
        asked(&there.handle(at(132_000), up(party(0), 9))),
        [(0, 3, 4)]
    );
}

#[test]
fn what_is_wanted_and_queued_goes_again_within_credit_and_budget_and_not_too_soon() {
    let mut engine = queued(&[v1::Precedence::Routine; 3]);
    engine.streams.insert(party(1), seq(4));
    let peer = party(1);
    let want = |first, last| Input::Wanted {
        peer,
        via: None,
        want: wanted(first, last),
    };
    assert_eq!(forwarded(&engine.handle(at(0), up(peer, 100))), 3);
    let plan = engine.handle(at(29_000), want(1, 3));
    assert_eq!(forwarded(&plan), 0, "still on its way");
    assert!(plan.free.is_empty());
    // Sent again by itself; then what is asked for does not wait for the longer wait.
    assert_eq!(forwarded(&engine.handle(at(30_000), Input::Tick)), 3);
    assert_eq!(forwarded(&engine.handle(at(59_999), want(1, 3))), 0);
    assert_eq!(forwarded(&engine.handle(at(60_000), want(2, 3))), 2);
    assert_eq!(forwarded(&engine.handle(at(60_001), want(2, 3))), 0);
    let small = v1::Want {
        byte_budget: 999,
        ..wanted(1, 1)
    };
    let via = None;
    let want_small = Input::Wanted {
        peer,
        via,
        want: small,
    };
    assert_eq!(forwarded(&engine.handle(at(60_001), want_small)), 0);
    assert_eq!(forwarded(&engine.handle(at(60_002), want(1, 1))), 1);
}

#[test]
fn what_ended_is_looked_up_and_what_never_was_is_said_to_the_operator() {
    let mut engine = queued(&[v1::Precedence::Routine; 3]);
    engine.streams.insert(party(1), seq(6));
    let mut want = |want| {
        let peer = party(1);
        let via = None;
        engine.handle(at(0), Input::Wanted { peer, via, want }).free
    };
    assert!(want(wanted(1, 3)).is_empty());
    let free = want(wanted(2, 4));
    assert!(
        matches!(
            free[..],
            [Free::LookEnded {
                first: 2,
                last: 4,
                ..
            }]
        ),
        "{free:?}"
    );
    let free = want(wanted(4, 9));
    let expected = matches!(
        free[..],
        [
            Free::NeverGiven {
                last: 9,
                next: 6,
                ..
            },
            Free::LookEnded {
                first: 4,
                last: 5,
                ..
            }
        ]
    );
    assert!(expected, "{free:?}");
    // Of another stream, of another life, of too many numbers.
    for other in [
        v1::Want {
            originator: "TT".into(),
            ..wanted(4, 5)
        },
        v1::Want {
            incarnation: 7,
            ..wanted(4, 5)
        },
        wanted(0, 5),
        wanted(5, 4),
        wanted(4, limits::WANT_NUMBERS + 4),
    ] {
        assert!(want(other).is_empty());
    }
    // And no more than a peer may send.
    let answered = (0..2_000)
        .filter(|_| !want(wanted(4, 4)).is_empty())
        .count();
    assert_eq!(answered as u64, limits::STREAM_FRAMES - 3);
}

#[test]
fn the_end_of_a_life_is_told_with_a_void_and_a_late_delivery_overrides_it() {
    let mut node = Node::new(0);
    let mut here = recover(0, LeafIndex(0), &[]);
    let ticket = Ticket(1);
    let recipients = vec![party(1)];
    here.handle(at(0), Input::Reserve { ticket, recipients });
    let sealed = sealed(&mut node, 1, Bytes::from_static(b"a notice"));
    let id = sealed.id();
    let mut facts = here
        .handle(
            at(0),
            Input::Sealed {
                ticket,
                sealed: Box::new(sealed),
                private: super::net::private(),
                cleared_under: u64::MAX,
                terms: super::net::terms(b""),
            },
        )
        .step
        .facts;
    let plan = here.handle(at(DAY), Input::Tick);
    let Free::LookExpired { place } = plan.free[0] else {
        panic!("{plan:?}");
    };
    let leaf = Box::new(facts[1].leaf().message().clone());
    let seq_commit = abeng_wire::Digest::from_slice(&leaf.seq_commit).unwrap();
    let plan = here.handle(at(DAY), Input::Expire { place, leaf });
    let told = Gated::Void {
        recipient: party(1),
        via: None,
        seq: seq(1),
        reason: VoidExpired,
        envelope_id: Some(id),
    };
    assert_eq!(plan.step.gated[1], told);
    facts.extend(plan.step.facts);
    let row = folded(&facts)
        .get(&EndedRow::key(party(1), seq(1)))
        .unwrap();
    let row = EndedRow::decode(&row.unwrap()).unwrap();
    assert_eq!((row.leaf, row.reason), (LeafIndex(2), VoidExpired));
    assert_eq!(row.envelope_id, Some(id));

    let Input::ReceiptProven(mut late) = proven(place, 9) else {
        panic!("a receipt");
    };
    (late.envelope_id, late.seq_commit) = (id, seq_commit);
    late.receipt.checkpoint = Bytes::from(format!(
        "abeng/test/NL/{}\n1\n{}\n\n",
        incarnation(),
        data_encoding::BASE64.encode(&[1; 32])
    ));
    let plan = here.handle(at(DAY + 1), Input::ReceiptProven(late));
    assert_eq!(kinds(&plan)[0].0, v1::LeafKind::ReceiptTaken);
    facts.extend(plan.step.facts);
    let row = folded(&facts)
        .get(&EndedRow::key(party(1), seq(1)))
        .unwrap();
    assert_eq!(row, None, "no void is signed of what was delivered");
}

#[test]
fn a_number_that_was_refused_unopened_is_voided_as_failed_at_once() {
    for (reason, told) in [
        (v1::Reason::KeyGone, true),
        (v1::Reason::BadStanza, true),
        (v1::Reason::NotGranted, false),
    ] {
        let mut engine = queued(&[v1::Precedence::Routine]);
        let Input::ReceiptProven(mut refused) = proven(place(1, v1::Precedence::Routine), 9) else {
            panic!("a receipt");
        };
        (refused.kind, refused.reason) = (v1::LeafKind::Refused, reason);
        let plan = engine.handle(at(0), Input::ReceiptProven(refused));
        let void = Gated::Void {
            recipient: party(1),
            via: None,
            seq: seq(1),
            reason: VoidFailed,
            envelope_id: None,
        };
        assert_eq!(plan.step.gated.contains(&void), told, "{reason:?}");
    }
}

#[test]
fn what_waits_behind_a_slow_seal_is_journalled_in_steps_that_fit() {
    const N: u64 = 24;
    let mut node = Node::new(0);
    let mut engine = recover(0, LeafIndex(0), &[]);
    let now: Now = at(0);
    for n in 1..=N {
        let (ticket, recipients) = (Ticket(n), vec![party(1)]);
        engine.handle(now, Input::Reserve { ticket, recipients });
    }
    let mut steps = Vec::new();
    for n in (1..=N).rev() {
        let notice = Bytes::from(vec![7; limits::NOTICE]);
        let input = Input::Sealed {
            ticket: Ticket(n),
            sealed: Box::new(sealed(&mut node, n, notice)),
            private: super::net::private(),
            cleared_under: u64::MAX,
            terms: super::net::terms(b""),
        };
        let plan = engine.handle(now, input);
        assert_eq!(plan.step.facts.is_empty(), n > 1);
        steps.push(plan.step);
    }
    while engine.has_more() {
        assert_eq!(engine.wake_at(), Some(now.mono));
        steps.push(engine.handle(now, Input::Tick).step);
    }
    steps.retain(|step| !step.facts.is_empty());
    assert!(steps.len() > 1);
    let mut seqs = Vec::new();
    for step in &steps {
        let bodies = step.facts.iter().filter_map(Record::body_bytes);
        assert!(bodies.map(Bytes::len).sum::<usize>() <= STEP_BYTES);
        for record in &step.facts {
            if let Some(v1::proof_part::Of::Queued(at)) = record.proof().unwrap().unwrap().of {
                seqs.push(at.stream_seq);
            }
        }
    }
    assert_eq!(seqs, (1..=N).collect::<Vec<_>>());

    // A segment that one step of all of them would not fit into.
    let options = OpenOptions {
        segment_bytes: 12 << 20,
    };
    let first = Batch {
        steps: vec![Step {
            facts: vec![Record::new(steps[0].facts[0].leaf().message().clone())],
            gated: vec![],
        }],
        outside: vec![],
    };
    let identity = JournalIdentity { key: [7; 32] };
    let journal = Journal::create(SimDisk::new(), identity, options, first).unwrap();
    let (journal, settled) = journal.append(steps).unwrap();
    assert_eq!(
        settled.iter().map(|s| s.facts.len() as u64).sum::<u64>(),
        2 * N
    );
    assert_eq!(journal.reader().size(), 2 * N + 1);
}

/// What a relay reaches, by its word.
fn reaches(relay: PartyCode, session: u64, parties: &[PartyCode]) -> Input {
    Input::Reach {
        peer: relay,
        session,
        parties: parties.iter().copied().collect(),
        rank: RelayRank::Ordinary,
    }
}

fn over(plan: &Plan) -> Vec<(String, u64, u64)> {
    let want = |free: &Free| match free {
        Free::Want { via, want, .. } => {
            let via = via.map(|relay| relay.to_string());
            assert_eq!(want.recipient, via.as_ref().map_or("", |_| "NL"));
            Some((via.unwrap_or_default(), want.first, want.last))
        }
        _ => None,
    };
    plan.free.iter().filter_map(want).collect()
}

#[test]
fn what_is_missing_is_asked_for_over_each_relay_in_turn_and_over_none_once_linked() {
    let mut node = Node::new(0);
    let mut there = recover(1, LeafIndex(0), &[]);
    there.handle(at(0), arrival(opened(&mut node, 3)));
    let ask = |relay: &str, n: u64| (relay.to_owned(), n, 2);
    let [first, second] = ["R1", "R2"].map(|code| PartyCode::new(code).unwrap());
    // Nobody reaches JM: nobody is asked, and nobody is looked at again.
    assert!(over(&there.handle(at(61_000), Input::Tick)).is_empty());
    for (relay, session) in [(first, 2), (second, 3)] {
        let up = Input::LinkUp {
            peer: relay,
            session,
            envelopes: 9,
            bytes: 1 << 30,
        };
        there.handle(at(70_000), up);
        there.handle(at(70_000), reaches(relay, session, &[party(0)]));
    }
    assert!(there.wake_at().unwrap() <= at(71_000).mono);
    there.handle(at(71_000), Input::Tick);
    let mut asked = Vec::new();
    for second in 71..700 {
        // A relay that says the same again and again is not asked more often.
        there.handle(at(1000 * second), reaches(first, 2, &[party(0)]));
        asked.extend(over(&there.handle(at(1000 * second), Input::Tick)));
    }
    let turns: Vec<_> = asked.iter().map(|(relay, ..)| relay.as_str()).collect();
    assert_eq!(turns, ["R1", "R2", "R1", "R2"], "{asked:?}");
    assert!(asked.iter().all(|a| *a == ask(&a.0, 1)));
    assert_eq!(
        over(&there.handle(at(700_000), up(party(0), 9))),
        [ask("", 1)]
    );
}

#[test]
fn a_question_over_a_relay_is_paid_for_by_the_relay_and_sends_nothing_to_a_linked_party() {
    let mut engine = queued(&[v1::Precedence::Routine; 2]);
    engine.streams.insert(party(1), seq(4));
    let relay = PartyCode::new("R1").unwrap();
    let ask = |via| Input::Wanted {
        peer: party(1),
        via,
        want: wanted(1, 3),
    };
    let looked = |plan: &Plan| match plan.free[..] {
        [Free::LookEnded { peer, via, .. }] => Some((peer, via)),
        [] => None,
        _ => panic!("{plan:?}"),
    };
    for _ in 0..limits::STREAM_FRAMES {
        let plan = engine.handle(at(0), ask(Some(relay)));
        assert_eq!(looked(&plan), Some((party(1), Some(relay))));
        assert!(plan.step.gated.is_empty(), "nothing is sent for it");
    }
    let plan = engine.handle(at(0), ask(Some(relay)));
    assert_eq!(looked(&plan), None, "more than one relay may ask");
    // What the relay used up is not missing where the party itself asks.
    engine.handle(at(0), up(party(1), 0));
    assert_eq!(
        looked(&engine.handle(at(0), ask(None))),
        Some((party(1), None))
    );
    let plan = engine.handle(at(1_000_000), ask(Some(relay)));
    assert_eq!(looked(&plan), None, "it is linked and asks there");
}

#[test]
fn what_ended_is_told_over_the_best_relay_that_reaches_its_recipient() {
    let mut engine = recover(0, LeafIndex(0), &[]);
    let fail = |engine: &mut Engine, n: u64| {
        let (ticket, recipients) = (Ticket(n), vec![party(1)]);
        engine.handle(at(0), Input::Reserve { ticket, recipients });
        let plan = engine.handle(at(0), Input::SealFailed { ticket });
        let via = |gated: &Gated| match gated {
            Gated::Void { via, .. } => Some(via.map(|relay| relay.to_string())),
            _ => None,
        };
        plan.step.gated.iter().find_map(via).unwrap()
    };
    assert_eq!(fail(&mut engine, 1), None, "nobody reaches it");
    for (nth, code) in ["R1", "R2"].into_iter().enumerate() {
        let (peer, session) = (PartyCode::new(code).unwrap(), 2 + nth as u64);
        let up = Input::LinkUp {
            peer,
            session,
            envelopes: 9,
            bytes: 1 << 30,
        };
        engine.handle(at(0), up);
        let mut reach = reaches(peer, session, &[party(1)]);
        if let (Input::Reach { rank, .. }, 0) = (&mut reach, nth) {
            *rank = RelayRank::Coordination;
        }
        engine.handle(at(0), reach);
    }
    assert_eq!(fail(&mut engine, 2).as_deref(), Some("R2"));
    let [_, relay] = ["R1", "R2"].map(|code| PartyCode::new(code).unwrap());
    engine.handle(at(0), reaches(relay, 3, &[]));
    assert_eq!(fail(&mut engine, 3).as_deref(), Some("R1"));
    engine.handle(at(0), up(party(1), 9));
    assert_eq!(fail(&mut engine, 4), None, "it is linked");
}
