use super::*;
use crate::{
    Step,
    fixture::{Sent, code, leaf, network, sent},
    record::Record,
};
use abeng_wire::encode;

fn expect(envelope: &Sent) -> Expect<'static> {
    Expect {
        roster: &network().trust.roster,
        envelope_id: envelope.id,
        originator: code("JM"),
        recipient: code("TT"),
        seq_commit: envelope.commit,
    }
}

/// Appends records to a party's log and builds a receipt for the last of them.
fn receipt_of(party: &str, records: Vec<Record>, with_companion: Option<()>) -> v1::Receipt {
    let (_, journal) = network().journal(party);
    let step = Step {
        facts: records,
        gated: vec![()],
    };
    let (journal, settled) = journal.append(vec![step]).unwrap();
    let facts = &settled[0].facts;
    let reader = journal.reader();
    let head = reader.head();
    let key = network().keys(party).log();
    let origin = network().origin(party);
    let checkpoint = Checkpoint::sign(&origin, head.size, head.root, &**key).unwrap();
    let last = facts.last().unwrap();
    let before = with_companion.map(|()| &facts[facts.len() - 2]);
    build(last, before, &reader, &checkpoint).unwrap()
}

#[test]
fn a_delivery_is_proved_with_its_companion() {
    let envelope = sent(1);
    let receipt = receipt_of("TT", envelope.arrival(), Some(()));
    let proven = verify_alone(&receipt, &expect(&envelope)).unwrap();
    assert_eq!(
        (proven.kind, proven.actor),
        (v1::LeafKind::Delivered, code("TT"))
    );
    assert_eq!((proven.index.0, proven.tree_size), (2, 3));
    let companion = proven.companion.unwrap();
    assert_eq!(companion.message().kind(), v1::LeafKind::Received);
}

#[test]
fn a_shared_checkpoint_serves_receipts_without_one() {
    let envelope = sent(1);
    let alone = receipt_of("TT", envelope.arrival(), None);
    let roster = &network().trust.roster;
    let checkpoint = Checkpoint::verify_by_roster(&alone.checkpoint, roster).unwrap();
    let shared = v1::Receipt {
        checkpoint: Bytes::new(),
        ..alone
    };
    assert!(verify(&shared, &checkpoint, &expect(&envelope)).is_ok());
    assert!(verify_alone(&shared, &expect(&envelope)).is_err());
}

#[test]
fn each_rule_refuses_what_it_is_for() {
    let envelope = sent(1);
    let good = receipt_of("TT", envelope.arrival(), Some(()));
    let expected = expect(&envelope);
    let refused = |receipt: &v1::Receipt, expect: &Expect<'_>| match verify_alone(receipt, expect) {
        Err(ReceiptError::Rule { rule }) => rule,
        other => panic!("{other:?}"),
    };
    let other = sent(2);
    let (id, commit) = (other.id, other.commit);
    let wrong = [
        (
            Expect {
                envelope_id: id,
                ..expected
            },
            "the leaf names the envelope",
        ),
        (
            Expect {
                seq_commit: commit,
                ..expected
            },
            "the leaf holds the recipient's seq_commit",
        ),
        (
            Expect {
                originator: code("LC"),
                ..expected
            },
            "the leaf names the originator",
        ),
        (
            Expect {
                recipient: code("LC"),
                ..expected
            },
            "the leaf names the recipient",
        ),
    ];
    for (expect, rule) in wrong {
        assert_eq!(refused(&good, &expect), rule);
    }
    // Somebody else's log says it: a member, then a relay, then a relay that only relays.
    let delivered = |actor| vec![Record::new(envelope.leaf(actor, v1::LeafKind::Delivered))];
    let relayed = |actor| vec![Record::new(envelope.leaf(actor, v1::LeafKind::Relayed))];
    let by = |party: &str, records| receipt_of(party, records, None);
    assert_eq!(
        refused(&by("LC", delivered("LC")), &expected),
        "the actor is the recipient"
    );
    let of_the_log = "the leaf's actor and incarnation are those of the log";
    assert_eq!(refused(&by("LC", delivered("TT")), &expected), of_the_log);
    assert!(verify_alone(&by("LC", relayed("LC")), &expected).is_ok());
    let no_relay = verify_alone(&by("JM", relayed("JM")), &expected);
    assert!(matches!(no_relay, Err(ReceiptError::NotRelay { .. })));
    let queued = vec![Record::new(envelope.leaf("TT", v1::LeafKind::Queued))];
    assert!(refused(&by("TT", queued), &expected).contains("kind"));
    let mut incarnation = envelope.leaf("TT", v1::LeafKind::Delivered);
    incarnation.incarnation += 1;
    assert_eq!(
        refused(&by("TT", vec![Record::new(incarnation)]), &expected),
        of_the_log
    );
    // A companion that is none.
    let no_companion = vec![
        Record::new(leaf("TT", v1::LeafKind::Started)),
        Record::new(envelope.leaf("TT", v1::LeafKind::Delivered)),
    ];
    let receipt = receipt_of("TT", no_companion, Some(()));
    assert_eq!(refused(&receipt, &expected), "the leaf names the envelope");
    let twice = delivered("TT").into_iter().chain(delivered("TT")).collect();
    let receipt = receipt_of("TT", twice, Some(()));
    assert!(refused(&receipt, &expected).contains("companion"));
    let orphan = v1::Receipt {
        companion: Bytes::new(),
        ..good.clone()
    };
    assert!(refused(&orphan, &expected).contains("companion"));
}

#[test]
fn what_is_not_in_the_log_is_refused() {
    let envelope = sent(1);
    let good = receipt_of("TT", envelope.arrival(), Some(()));
    let expect = expect(&envelope);
    let proof = |r: &v1::Receipt| {
        let refused = verify_alone(r, &expect);
        assert!(
            matches!(refused, Err(ReceiptError::Proof(_))),
            "{refused:?}"
        );
    };
    let mut changed = envelope.leaf("TT", v1::LeafKind::Delivered);
    changed.time += 1;
    proof(&v1::Receipt {
        leaf: encode(&changed),
        ..good.clone()
    });
    for index in [0, 1, 3, u64::MAX] {
        proof(&v1::Receipt {
            index,
            ..good.clone()
        });
    }
    proof(&v1::Receipt {
        proof: vec![],
        ..good.clone()
    });
    proof(&v1::Receipt {
        proof: vec![Bytes::from_static(b"short")],
        ..good.clone()
    });
    proof(&v1::Receipt {
        proof: vec![vec![0; 32].into(); 129],
        ..good.clone()
    });
    proof(&v1::Receipt {
        companion_proof: vec![],
        ..good.clone()
    });
    // Not canonical: an unknown field.
    let leaf = Bytes::from([&good.leaf[..], &[0xf8, 0x07, 1]].concat());
    let refused = verify_alone(
        &v1::Receipt {
            leaf,
            ..good.clone()
        },
        &expect,
    );
    assert!(matches!(refused, Err(ReceiptError::Malformed(_))));
    // The same log under another's key.
    let text = String::from_utf8(good.checkpoint.to_vec()).unwrap();
    let key = network().keys("JM").log();
    let size_root = Checkpoint::verify_by_roster(&good.checkpoint, expect.roster).unwrap();
    let forged = Checkpoint::sign(
        size_root.origin(),
        size_root.size(),
        size_root.root(),
        &**key,
    );
    let checkpoint = forged.unwrap().note().clone();
    let refused = verify_alone(
        &v1::Receipt {
            checkpoint,
            ..good.clone()
        },
        &expect,
    );
    assert!(
        matches!(refused, Err(ReceiptError::Note(NoteError::Unsigned))),
        "{text}"
    );
}

/// Whoever has no key of TT's log says that TT delivered: under its own key in TT's name, under its
/// own log's, and with TT's own signature under something else.
#[test]
fn a_forged_receipt_proves_nothing() {
    let envelope = sent(1);
    let expect = expect(&envelope);
    let good = receipt_of("TT", envelope.arrival(), None);
    let delivered = encode(&envelope.leaf("TT", v1::LeafKind::Delivered));
    let root = leaf_hash(&delivered);
    for forger in ["JM", "LC"] {
        let key = &**network().keys(forger).log();
        for (log, unsigned) in [("TT", true), (forger, false)] {
            let checkpoint = Checkpoint::sign(&network().origin(log), 1, root, key).unwrap();
            let forged = v1::Receipt {
                leaf: delivered.clone(),
                checkpoint: checkpoint.note().clone(),
                ..Default::default()
            };
            match verify_alone(&forged, &expect) {
                Err(ReceiptError::Note(NoteError::Unsigned)) => assert!(unsigned),
                Err(ReceiptError::Rule { rule }) => {
                    assert!(!unsigned && rule.contains("actor"), "{rule}");
                }
                other => panic!("{forger} in the log of {log}: {other:?}"),
            }
        }
    }
    // TT's line, under the root that the forger wants.
    let text = String::from_utf8(good.checkpoint.to_vec()).unwrap();
    let (_, line) = text.split_once("\n\n").unwrap();
    let key = &**network().keys("JM").log();
    let wanted = Checkpoint::sign(&network().origin("TT"), 1, root, key).unwrap();
    let forged = v1::Receipt {
        leaf: delivered,
        checkpoint: format!("{}\n{line}", wanted.text()).into(),
        ..Default::default()
    };
    assert!(matches!(
        verify_alone(&forged, &expect),
        Err(ReceiptError::Note(NoteError::BadSignature))
    ));
}

/// A true receipt for one envelope, shown for another one between the same two parties.
#[test]
fn a_swapped_receipt_proves_nothing() {
    let (one, other) = (sent(1), sent(2));
    let receipt = receipt_of("TT", one.arrival(), Some(()));
    assert!(verify_alone(&receipt, &expect(&one)).is_ok());
    assert!(matches!(
        verify_alone(&receipt, &expect(&other)),
        Err(ReceiptError::Rule { .. })
    ));
    // Its own leaf with the other's path, and the other way round.
    let of_other = receipt_of("TT", other.arrival(), Some(()));
    for (leaf, rest) in [(&receipt, &of_other), (&of_other, &receipt)] {
        let mixed = v1::Receipt {
            leaf: leaf.leaf.clone(),
            ..rest.clone()
        };
        let expected = match std::ptr::eq(leaf, &receipt) {
            true => expect(&one),
            false => expect(&other),
        };
        assert!(matches!(
            verify_alone(&mixed, &expected),
            Err(ReceiptError::Proof(_))
        ));
    }
}

/// What TT's log does say is shown as something else: that it came as that it was delivered, a relay's
/// word as the recipient's, a refusal as a delivery.
#[test]
fn a_receipt_used_for_another_kind_proves_nothing() {
    let envelope = sent(1);
    let expect = expect(&envelope);
    let kinds = [
        ("TT", v1::LeafKind::Received),
        ("TT", v1::LeafKind::Refused),
        ("TT", v1::LeafKind::Read),
        ("LC", v1::LeafKind::Relayed),
    ];
    for (actor, kind) in kinds {
        let receipt = receipt_of(actor, vec![Record::new(envelope.leaf(actor, kind))], None);
        let proven = verify_alone(&receipt, &expect).unwrap();
        assert_eq!((proven.kind, proven.actor), (kind, code(actor)));
        let mut says = envelope.leaf(actor, kind);
        says.kind = v1::LeafKind::Delivered.into();
        let used = v1::Receipt {
            leaf: encode(&says),
            ..receipt
        };
        assert!(matches!(
            verify_alone(&used, &expect),
            Err(ReceiptError::Proof(ProofError::Root))
        ));
    }
    // A relay that wrote the recipient's word into its own log.
    let own = vec![Record::new(envelope.leaf("LC", v1::LeafKind::Delivered))];
    assert!(matches!(
        verify_alone(&receipt_of("LC", own, None), &expect),
        Err(ReceiptError::Rule { .. })
    ));
}
