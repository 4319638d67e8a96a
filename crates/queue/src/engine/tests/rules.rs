//! The engine's rules one by one, with one engine and no network.

use super::net::{Draft, Node, START, party, private, recover, scrubbed, world};
use crate::{
    Allowed, Checked, Engine, Free, Gated, Input, MemView, Overlay, Place, Plan, Proven, Refusable,
    Target, Ticket, View, fold,
    rows::{QueueRow, StreamRow, ToldRow},
};
use abeng_audit_log::Record;
use abeng_seal::{Arrived, Opened, OpenedBoxes, Sealed, open, verify};
use abeng_wire::{
    Digest, Incarnation, LeafIndex, Millis, Mono, Now, PartyCode, StreamSeq, limits, v1,
};
use bytes::Bytes;

const DAY: u64 = 86_400_000;

pub(super) fn at(ms: u64) -> Now {
    Now {
        mono: Mono(0).plus_ms(ms),
        wall: START + ms,
    }
}

pub(super) fn seq(n: u64) -> StreamSeq {
    StreamSeq::new(n).unwrap()
}

fn queue_row(submitted: u64, expires_at: Millis, size: u32) -> Vec<u8> {
    QueueRow {
        submitted: LeafIndex(submitted),
        queued: LeafIndex(submitted + 1),
        seq: seq(submitted / 2 + 1),
        life: super::net::incarnation(0),
        created_at: START,
        expires_at,
        size,
    }
    .encode()
}

/// An engine at JM with notices of 1,000 bytes for NL, numbered from 1.
pub(super) fn queued(precedences: &[v1::Precedence]) -> Engine {
    let rows: Vec<_> = precedences
        .iter()
        .enumerate()
        .map(|(i, &p)| {
            let key = QueueRow::key(party(1), p, LeafIndex(2 * i as u64 + 1));
            (key, queue_row(2 * i as u64, START + DAY, 1_000))
        })
        .collect();
    recover(0, LeafIndex(2 * precedences.len() as u64), &rows)
}

pub(super) fn up(session: u64, envelopes: u64, bytes: u64) -> Input {
    let peer = party(1);
    Input::LinkUp {
        peer,
        session,
        envelopes,
        bytes,
    }
}

pub(super) fn forwarded(plan: &Plan) -> Vec<u64> {
    let forward = |gated: &Gated| match gated {
        Gated::Forward { submitted, .. } => Some(submitted.0),
        _ => None,
    };
    plan.step.gated.iter().filter_map(forward).collect()
}

pub(super) fn place(n: u64, precedence: v1::Precedence) -> Place {
    Place {
        custody: crate::Custody::Own {
            life: super::net::incarnation(0),
            seq: seq(n),
        },
        recipient: party(1),
        precedence,
        submitted: LeafIndex(2 * (n - 1)),
        queued: LeafIndex(2 * (n - 1) + 1),
    }
}

fn fault(n: u64) -> Input {
    Input::Fault {
        from: party(1),
        envelope: Some(place(n, v1::Precedence::Routine)),
        kind: v1::FaultKind::FaultDamaged,
    }
}

pub(super) fn proven(place: Place, looked: u64) -> Input {
    let leaf = v1::Leaf {
        kind: v1::LeafKind::Delivered.into(),
        ..v1::Leaf::default()
    };
    Input::ReceiptProven(Box::new(Proven {
        from: place.recipient,
        place,
        envelope_id: abeng_wire::EnvelopeId([(place.queued.0 / 2 + 1) as u8; 32]),
        originator: party(0),
        seq_commit: Digest([2; 32]),
        kind: v1::LeafKind::Delivered,
        reason: v1::Reason::Unspecified,
        receipt: v1::Receipt {
            leaf: abeng_wire::encode(&leaf),
            ..v1::Receipt::default()
        },
        settled: None,
        looked: LeafIndex(looked),
    }))
}

#[test]
fn flash_overtakes_what_is_queued_and_numbers_break_ties() {
    use v1::Precedence::{Flash, Immediate, Priority, Routine};
    let mut engine = queued(&[Routine, Priority, Flash, Routine, Immediate, Flash]);
    let plan = engine.handle(at(0), up(1, 100, 1 << 20));
    assert_eq!(forwarded(&plan), [4, 10, 8, 2, 0, 6]);
    assert_eq!(engine.in_flight(), 6);
    assert_eq!(engine.depth(), 6);
}

#[test]
fn where_only_flash_is_allowed_the_rest_waits_and_its_credit_stays() {
    use v1::Precedence::{Flash, Immediate, Routine};
    let allow = |allowed| Input::Allow {
        peer: party(1),
        allowed,
    };
    let mut engine = queued(&[Routine, Immediate, Flash, Routine, Flash]);
    engine.handle(at(0), allow(Allowed::Flash));
    assert_eq!(forwarded(&engine.handle(at(0), up(1, 8, 1 << 20))), [4, 8]);
    assert!(forwarded(&engine.handle(at(1), Input::Tick)).is_empty());
    let plan = engine.handle(at(2), allow(Allowed::All));
    assert_eq!(forwarded(&plan), [2, 0, 6]);
    assert_eq!(engine.depth(), 5);
}

#[test]
fn credit_bounds_both_count_and_bytes_and_totals_never_shrink() {
    let mut engine = queued(&[v1::Precedence::Routine; 10]);
    let credit = |session, envelopes, bytes| Input::Credit {
        peer: party(1),
        session,
        envelopes,
        bytes,
    };
    assert_eq!(forwarded(&engine.handle(at(0), up(1, 2, 1 << 20))), [0, 2]);
    // Bytes were granted already; a smaller total takes nothing back.
    assert_eq!(
        forwarded(&engine.handle(at(0), credit(1, 5, 3_999))),
        [4, 6, 8]
    );
    // A frame of an older link, or an older one of this.
    assert!(forwarded(&engine.handle(at(0), credit(7, 50, 1 << 20))).is_empty());
    assert_eq!(forwarded(&engine.handle(at(0), up(2, 9, 3_999))), [0, 2, 4]);
    // An eighth of the window of 9 notices and 3,999 bytes is kept for FLASH.
    assert!(forwarded(&engine.handle(at(0), credit(2, 1, 4_498))).is_empty());
    assert_eq!(forwarded(&engine.handle(at(0), credit(2, 1, 4_499))), [6]);
    assert_eq!(
        forwarded(&engine.handle(at(0), credit(2, 5, 1 << 20))),
        [8, 10, 12, 14]
    );
}

#[test]
fn nobody_but_the_recipient_gets_it() {
    let mut engine = queued(&[v1::Precedence::Flash]);
    let plan = engine.handle(
        at(0),
        Input::LinkUp {
            peer: party(2),
            session: 1,
            envelopes: 9,
            bytes: 1 << 20,
        },
    );
    assert!(plan.step.gated.is_empty());
}

#[test]
fn what_gets_no_receipt_is_sent_again_ever_more_slowly_until_any_contact() {
    let mut engine = queued(&[v1::Precedence::Routine]);
    assert_eq!(forwarded(&engine.handle(at(0), up(1, 100, 1 << 20))), [0]);
    let mut now = 0;
    for wait in [30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000] {
        assert!(forwarded(&engine.handle(at(now + wait - 1), Input::Tick)).is_empty());
        now += wait;
        assert_eq!(engine.wake_at().unwrap(), at(now).mono);
        assert_eq!(forwarded(&engine.handle(at(now), Input::Tick)), [0]);
    }
    engine.handle(
        at(now),
        Input::LinkDown {
            peer: party(1),
            session: 1,
        },
    );
    assert_eq!(engine.in_flight(), 0);
    assert_eq!(forwarded(&engine.handle(at(now), up(2, 9, 1 << 20))), [0]);
    assert_eq!(engine.wake_at().unwrap(), at(now + 30_000).mono);
}

#[test]
fn a_dropped_copy_waits_its_turn_and_others_go_on() {
    let mut engine = queued(&[v1::Precedence::Routine; 2]);
    assert_eq!(forwarded(&engine.handle(at(0), up(1, 1, 1 << 20))), [0]);
    engine.handle(at(10), fault(1));
    // Said twice, it is put off once.
    engine.handle(at(20), fault(1));
    assert_eq!(engine.in_flight(), 0);
    let plan = engine.handle(
        at(30),
        Input::Credit {
            peer: party(1),
            session: 1,
            envelopes: 9,
            bytes: 1 << 20,
        },
    );
    assert_eq!(forwarded(&plan), [2]);
    assert!(forwarded(&engine.handle(at(30_009), Input::Tick)).is_empty());
    assert_eq!(forwarded(&engine.handle(at(30_010), Input::Tick)), [0]);
    // A link that comes up wakes it at once.
    engine.handle(at(30_020), fault(1));
    assert_eq!(
        forwarded(&engine.handle(at(30_030), up(2, 9, 1 << 20))),
        [0, 2]
    );
}

#[test]
fn the_end_of_a_life_is_looked_up_once_and_nothing_dead_is_sent() {
    let routine = v1::Precedence::Routine;
    let rows = [1, 2].map(|n| {
        let key = QueueRow::key(party(1), routine, LeafIndex(2 * n - 1));
        (key, queue_row(2 * (n - 1), START + n * 10_000, 1_000))
    });
    let mut engine = recover(0, LeafIndex(4), &rows);
    assert!(engine.handle(at(9_999), Input::Tick).free.is_empty());
    assert_eq!(engine.wake_at().unwrap(), at(10_000).mono);
    let plan = engine.handle(at(10_000), Input::Tick);
    let [Free::LookExpired { place: found }] = plan.free[..] else {
        panic!("{plan:?}");
    };
    assert_eq!(found, place(1, routine));
    assert!(engine.handle(at(10_500), Input::Tick).free.is_empty());
    // Time passed unseen: the head of the queue is dead when the link comes.
    let plan = engine.handle(at(30_000), up(1, 9, 1 << 20));
    assert!(forwarded(&plan).is_empty());
    assert!(matches!(plan.free[..], [Free::LookExpired { place }] if place.queued == LeafIndex(3)));

    let leaf = Box::new(v1::Leaf {
        envelope_id: Bytes::copy_from_slice(&[1; 32]),
        seq_commit: Bytes::copy_from_slice(&[2; 32]),
        ..v1::Leaf::default()
    });
    let expire = |leaf| Input::Expire { place: found, leaf };
    let plan = engine.handle(at(30_000), expire(leaf.clone()));
    let fact = plan.step.facts[0].leaf().message();
    assert_eq!(fact.kind(), v1::LeafKind::Expired);
    assert_eq!(
        (&fact.recipient[..], fact.reason()),
        ("NL", v1::Reason::TimePassed)
    );
    assert!(
        engine
            .handle(at(30_000), expire(leaf))
            .step
            .facts
            .is_empty()
    );
    // A receipt after that is still taken, once.
    let plan = engine.handle(at(30_000), proven(found, 5));
    assert_eq!(
        plan.step.facts[0].leaf().message().kind(),
        v1::LeafKind::ReceiptTaken
    );
    assert!(
        engine
            .handle(at(30_000), proven(found, 5))
            .step
            .facts
            .is_empty()
    );
    // One that comes while the leaf is read wins.
    let second = place(2, routine);
    let plan = engine.handle(at(30_000), proven(second, 5));
    assert_eq!(plan.step.facts.len(), 1);
    let expire = Input::Expire {
        place: second,
        leaf: Box::default(),
    };
    assert!(engine.handle(at(30_000), expire).step.facts.is_empty());
    assert_eq!(engine.depth(), 0);
}

#[test]
fn a_thousand_ends_come_in_portions() {
    let rows: Vec<_> = (1..=1_000)
        .map(|n| {
            let key = QueueRow::key(party(1), v1::Precedence::Routine, LeafIndex(2 * n + 1));
            (key, queue_row(2 * n, START + 1, 1_000))
        })
        .collect();
    let mut engine = recover(0, LeafIndex(3_000), &rows);
    for expected in [256, 256, 256, 232, 0] {
        assert_eq!(engine.handle(at(5), Input::Tick).free.len(), expected);
        assert_eq!(engine.wake_at() == Some(at(5).mono), expected == 256);
    }
}

#[test]
fn tickets_are_journalled_in_order_and_a_failed_one_leaves_no_hole() {
    let mut node = Node::new(0);
    let mut engine = recover(0, LeafIndex(0), &[]);
    let mut positions = Vec::new();
    for ticket in 1..=3 {
        let recipients = vec![party(1), party(2)];
        let plan = engine.handle(
            at(0),
            Input::Reserve {
                ticket: Ticket(ticket),
                recipients,
            },
        );
        let [Free::SealNow { positions: p, .. }] = &plan.free[..] else {
            panic!("{plan:?}");
        };
        assert_eq!(*p, [(party(1), seq(ticket)), (party(2), seq(ticket))]);
        positions.push(p.clone());
    }
    let third = sealed(&mut node, &positions[2]);
    let (id, ticket) = (third.id(), Ticket(3));
    assert!(
        engine
            .handle(at(1), submit(3, third, 1))
            .step
            .facts
            .is_empty()
    );
    let failed = Input::SealFailed { ticket: Ticket(2) };
    assert!(engine.handle(at(1), failed).step.facts.is_empty());
    let plan = engine.handle(at(1), submit(1, sealed(&mut node, &positions[0]), 1));
    let kinds: Vec<_> = plan
        .step
        .facts
        .iter()
        .map(|r| r.leaf().message().kind())
        .collect();
    use v1::LeafKind::{Queued, Submitted, Voided};
    assert_eq!(
        kinds,
        [
            Submitted, Queued, Queued, Voided, Voided, Submitted, Queued, Queued
        ]
    );
    let void = |recipient| Gated::Void {
        recipient,
        via: None,
        seq: seq(2),
        reason: v1::VoidReason::VoidFailed,
        envelope_id: None,
    };
    assert_eq!(
        plan.step.gated[1..],
        [
            void(party(1)),
            void(party(2)),
            Gated::Failed { ticket: Ticket(2) },
            Gated::Submitted {
                ticket,
                envelope_id: id,
                submitted: LeafIndex(5),
            },
        ]
    );
    // The officer's own copy and name are beside the leaf, and the leaf commits to them.
    let private = plan.step.facts[5].private().unwrap().unwrap();
    assert_eq!(private.officer, "officer");
    assert!(!private.own_copy.is_empty());
    assert_eq!(plan.step.facts[5].leaf().message().private_hash.len(), 32);

    // The rows say the same, with the void's numbers passed over.
    let view = folded(&plan.step.facts);
    let next = view.get(&StreamRow::key(party(2))).unwrap().unwrap();
    assert_eq!(StreamRow::decode(&next).unwrap().next, seq(4));
    let queue = view.scan(b"Q", b"R", false, 99).unwrap();
    assert_eq!(queue.len(), 4);
}

#[test]
fn a_newer_roster_sends_what_is_not_journalled_back() {
    let mut node = Node::new(0);
    let mut engine = recover(0, LeafIndex(0), &[]);
    let recipients = vec![party(1)];
    let ticket = Ticket(1);
    engine.handle(at(0), Input::Reserve { ticket, recipients });
    let reference = v1::RosterRef {
        version: 2,
        digest: Bytes::from_static(&[9; 32]),
    };
    engine.handle(at(0), Input::RosterAdopted { reference });
    let sealed = sealed(&mut node, &[(party(1), seq(1))]);
    let mut plan = engine.handle(at(0), submit(1, sealed, 1));
    assert!(plan.step.facts.is_empty());
    let Some(Free::ClearAgain { sealed, .. }) = plan.free.pop() else {
        panic!("{plan:?}");
    };
    let plan = engine.handle(at(0), submit(1, *sealed, 2));
    assert_eq!(plan.step.facts.len(), 2);
    let leaf = plan.step.facts[0].leaf().message();
    assert_eq!(leaf.roster.as_ref().unwrap().version, 2);

    let mut there = recover(1, LeafIndex(0), &[]);
    let reference = leaf.roster.clone().unwrap();
    there.handle(at(0), Input::RosterAdopted { reference });
    let opened = opened(&mut node, 1);
    let mut plan = there.handle(at(0), arrival(opened, 0, 1));
    assert!(plan.step.facts.is_empty());
    let Some(Free::CheckAgain { opened, .. }) = plan.free.pop() else {
        panic!("{plan:?}");
    };
    assert_eq!(
        there.handle(at(0), arrival(*opened, 0, 2)).step.facts.len(),
        2
    );
}

#[test]
fn a_copy_in_flight_is_answered_behind_the_first() {
    let mut node = Node::new(0);
    let mut there = recover(1, LeafIndex(0), &[]);
    let first = opened(&mut node, 1);
    let copy = again(&first);
    let plan = there.handle(at(0), arrival(first, 0, 1));
    let receipt = Gated::Receipt {
        peer: party(0),
        outcome: LeafIndex(1),
    };
    assert_eq!(plan.step.facts.len(), 2);
    assert_eq!(plan.step.gated[0], receipt);
    let plan = there.handle(at(0), arrival(copy, 0, 1));
    assert!(plan.step.facts.is_empty());
    assert_eq!(plan.step.gated, [receipt]);
}

/// JM gives one number to two envelopes, and so two stories to whoever counts: the first is delivered,
/// the second refused and kept with what proves it.
#[test]
fn equivocation_on_a_stream_number_is_refused_and_kept_as_evidence() {
    let mut node = Node::new(0);
    let mut there = recover(1, LeafIndex(0), &[]);
    let plan = there.handle(at(0), arrival(opened(&mut node, 1), 0, 1));
    assert_eq!(plan.step.facts.len(), 2);

    // The number is held: by another envelope, which the engine knows for sure.
    let plan = there.handle(at(0), arrival(opened(&mut node, 1), 0, 1));
    let leaf = plan.step.facts[0].leaf().message();
    assert_eq!(
        (leaf.kind(), leaf.reason()),
        (v1::LeafKind::Refused, v1::Reason::SeqConflict)
    );
    let Some(v1::proof_part::Of::Received(proof)) = plan.step.facts[0].proof().unwrap().unwrap().of
    else {
        panic!("HDR and SIG are kept");
    };
    assert!(!proof.hdr.is_empty() && proof.sig.len() == 64);

    // After a restart only the view knows by whom it is held: a look-up from before is asked
    // again, one that saw everything is believed.
    let rows = [(
        crate::rows::MarkRow::key(party(0), incarnation()),
        crate::rows::MarkRow {
            contiguous: 1,
            above: Vec::new(),
        }
        .encode(),
    )];
    let mut there = recover(1, LeafIndex(10), &rows);
    let mut plan = there.handle(at(0), arrival(opened(&mut node, 1), 9, 1));
    assert!(plan.step.facts.is_empty());
    let Some(Free::CheckAgain { opened, .. }) = plan.free.pop() else {
        panic!("{plan:?}");
    };
    let plan = there.handle(at(0), arrival(*opened, 10, 1));
    assert_eq!(
        plan.step.facts[0].leaf().message().reason(),
        v1::Reason::SeqConflict
    );
}

#[test]
fn gaps_show_and_a_number_too_far_ahead_is_put_off() {
    let mut node = Node::new(0);
    let mut there = recover(1, LeafIndex(0), &[]);
    let edge = limits::STREAM_AHEAD;
    for n in [2, edge] {
        let plan = there.handle(at(0), arrival(opened(&mut node, n), 0, 1));
        assert_eq!(plan.step.facts.len(), 2, "delivery does not wait for gaps");
    }
    let plan = there.handle(at(0), arrival(opened(&mut node, edge + 1), 0, 1));
    assert!(plan.step.facts.is_empty());
    let kind = v1::FaultKind::FaultBusy;
    assert!(matches!(plan.free[..], [Free::TellFault { kind: k, .. }] if k == kind));
    assert_eq!(
        there.gaps(party(0)),
        [(incarnation(), 1, 1), (incarnation(), 3, edge - 1)]
    );
    assert_eq!(there.marks(party(0))[0].contiguous, 0);
    there.handle(at(0), arrival(opened(&mut node, 1), 0, 1));
    assert_eq!(there.marks(party(0))[0].contiguous, 2);
    let plan = there.handle(at(0), arrival(opened(&mut node, edge + 1), 0, 1));
    assert_eq!(plan.step.facts.len(), 2);
}

#[test]
fn a_refusal_stands_and_its_row_needs_nothing_that_can_be_scrubbed() {
    let mut node = Node::new(0);
    let mut there = recover(1, LeafIndex(0), &[]);
    let refusal = |opened: &Opened, looked| Input::Refuse {
        from: party(0),
        envelope: Refusable::Verified(Box::new(opened.verified().clone())),
        position: Some((opened.stream_seq(), *opened.blind())),
        reason: v1::Reason::NotGranted,
        checked: Checked {
            looked: LeafIndex(looked),
            roster_version: 1,
        },
    };
    let first = opened(&mut node, 1);
    let plan = there.handle(at(0), refusal(&first, 0));
    let mut facts = plan.step.facts;
    assert_eq!(facts[0].leaf().message().kind(), v1::LeafKind::Refused);
    let again = there.handle(at(0), arrival(again(&first), 0, 1));
    assert!(again.step.facts.is_empty(), "no second outcome");
    facts.extend(
        there
            .handle(at(0), arrival(opened(&mut node, 2), 0, 1))
            .step
            .facts,
    );
    assert_eq!(
        there.marks(party(0))[0].contiguous,
        2,
        "a refused number is closed"
    );
    let read = v1::Leaf {
        kind: v1::LeafKind::Read.into(),
        envelope_id: facts[2].leaf().message().envelope_id.clone(),
        seq_commit: facts[2].leaf().message().seq_commit.clone(),
        ..v1::Leaf::default()
    };
    for ticket in [7, 8] {
        let plan = there.handle(
            at(5),
            Input::Note {
                leaf: Box::new(read.clone()),
                proof: None,
                private: Some(private()),
                tell: Some(Ticket(ticket)),
                receipt_to: Some(party(0)),
            },
        );
        let outcome = LeafIndex(facts.len() as u64);
        let (ticket, leaf, peer) = (Ticket(ticket), outcome, party(0));
        assert_eq!(
            plan.step.gated,
            [
                Gated::Noted { ticket, leaf },
                Gated::Receipt { peer, outcome }
            ]
        );
        facts.extend(plan.step.facts);
    }
    let leaf = facts[3].leaf().message();
    assert_eq!(
        (&leaf.actor[..], leaf.time, leaf.version),
        ("NL", START + 5, 1)
    );

    let view = folded(&facts);
    let (_, inbox) = &view.scan(b"B", b"C", false, 9).unwrap()[0];
    let inbox = crate::rows::InboxRow::decode(inbox).unwrap();
    assert_eq!(inbox.first_read, Some(LeafIndex(3)));
    // The first reading alone is told again.
    let told = view.scan(b"D", b"E", false, 9).unwrap();
    let told = told.iter().map(|(key, _)| ToldRow::parse_key(key).unwrap());
    assert!(told.eq([(party(0), LeafIndex(3))]));
    let zeroed: Vec<Record> = facts.iter().map(scrubbed).collect();
    assert_ne!(zeroed, facts);
    assert_eq!(folded(&zeroed), view, "view(scrubbed log) is view(log)");
}

/// A refusal that closed no number is known by its id alone, so a look-up from before it must
/// never lead to a second outcome, however much has happened since.
#[test]
fn a_refusal_without_a_number_is_not_forgotten_by_an_old_look_up() {
    let mut node = Node::new(0);
    let mut there = recover(1, LeafIndex(0), &[]);
    let refusal = |opened: &Opened, looked| Input::Refuse {
        from: party(0),
        envelope: Refusable::Verified(Box::new(opened.verified().clone())),
        position: None,
        reason: v1::Reason::KeyGone,
        checked: Checked {
            looked: LeafIndex(looked),
            roster_version: 1,
        },
    };
    let first = opened(&mut node, 1);
    assert_eq!(there.handle(at(0), refusal(&first, 0)).step.facts.len(), 1);
    let durable = |there: &mut Engine| {
        let position = there.next_index();
        there.handle(at(0), Input::Durable { position });
        position.0
    };
    for n in 2..8 {
        there.handle(at(0), arrival(opened(&mut node, n), 0, 1));
    }
    durable(&mut there);
    // Its key came back: now it opens.
    let plan = there.handle(at(0), arrival(again(&first), 0, 1));
    assert!(plan.step.facts.is_empty());
    assert!(matches!(
        plan.step.gated[..],
        [Gated::Receipt {
            outcome: LeafIndex(0),
            ..
        }]
    ));

    for n in 8..14 {
        let looked = there.next_index().0;
        there.handle(at(0), refusal(&opened(&mut node, n), looked));
    }
    let size = durable(&mut there);
    let plan = there.handle(at(0), arrival(again(&first), 0, 1));
    assert!(plan.step.facts.is_empty());
    assert!(matches!(plan.free[..], [Free::CheckAgain { .. }]));
    let plan = there.handle(at(0), refusal(&first, 0));
    assert!(plan.step.facts.is_empty());
    assert!(matches!(plan.free[..], [Free::RefuseAgain { .. }]));
    // A look-up that saw everything is believed.
    let last = opened(&mut node, 14);
    assert_eq!(
        there.handle(at(0), refusal(&last, size)).step.facts.len(),
        1
    );
}

#[test]
fn a_view_that_is_not_of_this_log_is_noticed() {
    let mut node = Node::new(0);
    let mut there = recover(1, LeafIndex(0), &[]);
    let facts = there
        .handle(at(0), arrival(opened(&mut node, 1), 0, 1))
        .step
        .facts;
    let delivered = fold(LeafIndex(1), &facts[1], &MemView::new());
    assert!(delivered.is_err(), "Delivered without Received");
}

pub(super) fn incarnation() -> Incarnation {
    Incarnation(0x0123_4567_0000)
}

fn sealed(node: &mut Node, positions: &[(PartyCode, StreamSeq)]) -> Sealed {
    let draft = Draft {
        notice: Bytes::from_static(b"a notice"),
        precedence: v1::Precedence::Priority,
        life_ms: DAY,
        fails: false,
    };
    node.seal(at(0), positions, &draft)
}

fn submit(ticket: u64, sealed: Sealed, cleared_under: u64) -> Input {
    Input::Sealed {
        ticket: Ticket(ticket),
        sealed: Box::new(sealed),
        private: private(),
        cleared_under,
        terms: super::net::terms(b""),
    }
}

/// An envelope from JM with that number, opened at NL.
fn opened(node: &mut Node, n: u64) -> Opened {
    let sealed = sealed(node, &[(party(1), seq(n))]);
    open_at_nl(Arrived::parse(sealed.envelope()).unwrap())
}

fn again(opened: &Opened) -> Opened {
    let arrived: &Arrived = opened.verified();
    open_at_nl(arrived.clone())
}

pub(super) fn open_at_nl(arrived: Arrived) -> Opened {
    let verified = verify(arrived, &world().trust, party(1), START).unwrap();
    let secrets = |kid: &_| world().keyrings[1].seal_secret(kid);
    open(&verified, &secrets, party(1), &mut OpenedBoxes::default()).unwrap()
}

fn arrival(opened: Opened, looked: u64, roster_version: u64) -> Input {
    Input::Opened {
        from: party(0),
        opened: Box::new(opened),
        terms: super::net::terms(b""),
        target: Target::Unknown,
        checked: Checked {
            looked: LeafIndex(looked),
            roster_version,
        },
    }
}

pub(super) fn folded(facts: &[Record]) -> MemView {
    let mut view = MemView::new();
    let mut overlay = Overlay::new(incarnation(), LeafIndex(0));
    for (i, record) in facts.iter().enumerate() {
        let index = LeafIndex(i as u64);
        let changes = fold(index, record, &overlay.over(&view)).unwrap();
        overlay.put(index, changes);
    }
    while let Some(batch) = overlay.take_older(overlay.position()) {
        view.apply(&batch.changes, batch.applied).unwrap();
        overlay.written();
    }
    assert!(overlay.is_empty());
    view
}
