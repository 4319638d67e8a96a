//! What a recipient refused for a lost key is remembered until another notice replaces it.

use super::{
    net::{Draft, Node, START, party, private, recover},
    rules::{at, folded, incarnation, place, proven, seq},
};
use crate::{
    Engine, Input, Terms, Ticket, View,
    rows::{AnewRow, SentRow},
};
use abeng_audit_log::Record;
use abeng_wire::{Digest, EnvelopeId, LeafIndex, v1};
use bytes::Bytes;

const DAY: u64 = 86_400_000;

/// Submits one notice to NL: its id, and the facts.
fn submit(
    (node, engine): (&mut Node, &mut Engine),
    n: u64,
    terms: Terms,
    facts: &mut Vec<Record>,
) -> EnvelopeId {
    let (ticket, recipients) = (Ticket(n), vec![party(1)]);
    engine.handle(at(0), Input::Reserve { ticket, recipients });
    let draft = Draft {
        notice: Bytes::from_static(b"a notice"),
        precedence: v1::Precedence::Priority,
        life_ms: DAY,
        fails: false,
    };
    let sealed = node.seal(at(0), &[(party(1), seq(n))], &draft);
    let id = sealed.id();
    let input = Input::Sealed {
        ticket,
        sealed: Box::new(sealed),
        private: private(),
        cleared_under: u64::MAX,
        terms,
    };
    facts.extend(engine.handle(at(0), input).step.facts);
    id
}

/// NL's refusal of the first notice.
fn refuse(engine: &mut Engine, id: EnvelopeId, reason: v1::Reason, facts: &mut Vec<Record>) {
    refuse_at(engine, 0, id, reason, facts);
}

/// NL's refusal of the notice submitted at a leaf.
fn refuse_at(
    engine: &mut Engine,
    submitted: usize,
    id: EnvelopeId,
    reason: v1::Reason,
    facts: &mut Vec<Record>,
) {
    let queued = facts[submitted + 1].leaf().message();
    let mut there = place(1, v1::Precedence::Priority);
    there.submitted = LeafIndex(submitted as u64);
    there.queued = LeafIndex(submitted as u64 + 1);
    if let crate::Custody::Own { seq: number, .. } = &mut there.custody {
        *number = seq(facts
            .iter()
            .take(submitted + 1)
            .filter(|r| r.leaf().message().kind() == v1::LeafKind::Submitted)
            .count() as u64);
    }
    let Input::ReceiptProven(mut refused) = proven(there, 9) else {
        panic!("a receipt");
    };
    refused.envelope_id = id;
    refused.seq_commit = Digest::from_slice(&queued.seq_commit).unwrap();
    (refused.kind, refused.reason) = (v1::LeafKind::Refused, reason);
    refused.receipt.leaf = abeng_wire::encode(&v1::Leaf {
        kind: v1::LeafKind::Refused.into(),
        reason: reason.into(),
        ..v1::Leaf::default()
    });
    refused.receipt.checkpoint = Bytes::from(format!(
        "abeng/test/NL/{}\n1\n{}\n\n",
        incarnation(),
        data_encoding::BASE64.encode(&[1; 32])
    ));
    let plan = engine.handle(at(1), Input::ReceiptProven(refused));
    facts.extend(plan.step.facts);
}

/// What a second submission says of the first.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Second {
    Nothing,
    /// It is the first sealed anew, whatever that one replaced.
    Anew,
    /// An officer's amendment, or a recall.
    Replaces,
}

#[test]
fn a_refusal_for_a_lost_key_is_remembered_unless_something_replaces_it() {
    use Second::{Anew, Nothing, Replaces};
    for (reason, second, early, waits) in [
        (v1::Reason::KeyGone, Nothing, false, true),
        (v1::Reason::NotGranted, Nothing, false, false),
        (v1::Reason::KeyGone, Anew, false, false),
        (v1::Reason::KeyGone, Replaces, false, false),
        // Taken back while it was queued, and refused only then.
        (v1::Reason::KeyGone, Replaces, true, false),
        (v1::Reason::KeyGone, Nothing, true, true),
    ] {
        let (mut node, mut engine) = (Node::new(0), recover(0, LeafIndex(0), &[]));
        let mut facts = Vec::new();
        let first = (&mut node, &mut engine);
        let id = submit(first, 1, Terms::default(), &mut facts);
        if !early {
            refuse(&mut engine, id, reason, &mut facts);
        }
        let terms = match second {
            Nothing => Terms::default(),
            Anew => Terms {
                anew_of: Some(id),
                supersedes: Some(EnvelopeId([9; 32])),
                ..Terms::default()
            },
            Replaces => Terms {
                supersedes: Some(id),
                ..Terms::default()
            },
        };
        submit((&mut node, &mut engine), 2, terms, &mut facts);
        if early {
            refuse(&mut engine, id, reason, &mut facts);
        }
        let view = folded(&facts);
        let rows = view.scan(b"Z", b"[", false, 9).unwrap();
        let named = rows.iter().map(|(key, _)| AnewRow::parse_key(key).unwrap());
        let expected: Vec<_> = waits
            .then_some((LeafIndex(0), party(1)))
            .into_iter()
            .collect();
        let case = (reason, second, early);
        assert_eq!(named.collect::<Vec<_>>(), expected, "{case:?}");
        if let Some((key, _)) = rows.first() {
            assert!(AnewRow::from(START) < *key && AnewRow::from(START + 2 * DAY) > *key);
        }
        let row = view.get(&SentRow::key(LeafIndex(0))).unwrap().unwrap();
        let to = SentRow::decode(&row).unwrap().recipients[0];
        let by = facts.iter().position(|r| {
            r.leaf().message().kind() == v1::LeafKind::Submitted
                && r.leaf().message().envelope_id != id.to_bytes()
        });
        let by = by.map(|at| LeafIndex(at as u64));
        assert_eq!(to.anew, by.filter(|_| second == Anew), "{case:?}");
        assert_eq!(to.replaced, by.filter(|_| second == Replaces), "{case:?}");
    }
}

#[test]
fn who_refuses_again_and_again_gets_no_more() {
    let (mut node, mut engine) = (Node::new(0), recover(0, LeafIndex(0), &[]));
    let mut facts = Vec::new();
    let mut anew_of = None;
    for n in 1..=5 {
        let terms = Terms {
            anew_of,
            ..Terms::default()
        };
        let at = facts.len();
        let id = submit((&mut node, &mut engine), n, terms, &mut facts);
        refuse_at(&mut engine, at, id, v1::Reason::KeyGone, &mut facts);
        let rows = folded(&facts).scan(b"Z", b"[", false, 9).unwrap();
        assert_eq!(rows.len(), usize::from(n <= 3), "after {n}");
        anew_of = Some(id);
    }
}
