//! What a recipient refused for a lost key is remembered until another notice replaces it.

use super::{
    net::{Draft, Node, START, party, private, recover},
    rules::{at, folded, incarnation, place, proven, seq},
};
use crate::{Engine, Input, Terms, Ticket, View, rows::AnewRow};
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
    let queued = facts[1].leaf().message();
    let Input::ReceiptProven(mut refused) = proven(place(1, v1::Precedence::Priority), 9) else {
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

#[test]
fn a_refusal_for_a_lost_key_is_remembered_until_something_replaces_it() {
    let other = Some(EnvelopeId([9; 32]));
    for (reason, replaces, waits) in [
        (v1::Reason::KeyGone, None, true),
        (v1::Reason::NotGranted, None, false),
        // Sealed anew, whatever else it has replaced before.
        (v1::Reason::KeyGone, Some((other, true)), false),
        (v1::Reason::KeyGone, Some((None, false)), false),
    ] {
        let (mut node, mut engine) = (Node::new(0), recover(0, LeafIndex(0), &[]));
        let mut facts = Vec::new();
        let first = (&mut node, &mut engine);
        let id = submit(first, 1, Terms::default(), &mut facts);
        refuse(&mut engine, id, reason, &mut facts);
        let terms = match replaces {
            Some((supersedes, true)) => Terms {
                anew_of: Some(id),
                supersedes,
                ..Terms::default()
            },
            // An officer's own amendment, or a recall.
            Some((_, false)) => Terms {
                supersedes: Some(id),
                ..Terms::default()
            },
            None => Terms::default(),
        };
        submit((&mut node, &mut engine), 2, terms, &mut facts);
        let rows = folded(&facts).scan(b"Z", b"[", false, 9).unwrap();
        let named = rows.iter().map(|(key, _)| AnewRow::parse_key(key).unwrap());
        let expected: Vec<_> = waits
            .then_some((LeafIndex(0), party(1)))
            .into_iter()
            .collect();
        assert_eq!(
            named.collect::<Vec<_>>(),
            expected,
            "{reason:?} {replaces:?}"
        );
        if let Some((key, _)) = rows.first() {
            assert!(AnewRow::from(START) < *key && AnewRow::from(START + 2 * DAY) > *key);
        }
    }
}
