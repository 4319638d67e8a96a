//! What good files prove.

use crate::fixture::{LIFE, NOTICE, NOW, SEEN, code, file, net};
use abeng_evidence::{Doubt, FileKind, kind_of, verify};
use abeng_wire::{Digest, v1};
use v1::LeafKind as Kind;

#[test]
fn a_disclosed_file_proves_sending_outcomes_and_content() {
    let net = net();
    let story = net.story();
    let file = file(&story.evidence());
    assert_eq!(kind_of(&file), Some(FileKind::Evidence));
    let verdict = verify(&file, Some(net.root)).unwrap();
    assert_eq!(verdict.envelope_id, net.sealed.id());
    assert_eq!((verdict.root, verdict.pinned), (net.root, true));
    assert_eq!(verdict.incarnation, LIFE);
    assert_eq!(verdict.originator.party, code("JM"));
    assert_eq!(verdict.originator.name, "Customs of JM");
    assert_eq!(verdict.precedence, v1::Precedence::Priority);
    assert_eq!(verdict.content.as_deref(), Some(NOTICE));
    assert_eq!(verdict.maker, code("JM"));
    let kinds = |facts: &[abeng_evidence::Fact]| -> Vec<(Kind, String)> {
        let pair = |f: &abeng_evidence::Fact| (f.kind, f.by.to_string());
        facts.iter().map(pair).collect()
    };
    let by = |kind, party: &str| (kind, party.to_owned());
    assert_eq!(
        kinds(&verdict.originator.facts),
        [by(Kind::Incarnation, "JM"), by(Kind::Submitted, "JM")]
    );
    let [bb, tt] = &verdict.recipients[..] else {
        panic!("two recipients")
    };
    assert_eq!(
        kinds(&bb.facts),
        [
            by(Kind::Refused, "BB"),
            by(Kind::Queued, "JM"),
            by(Kind::ReceiptTaken, "JM")
        ]
    );
    assert_eq!(bb.facts[0].reason, v1::Reason::NotGranted);
    assert_eq!(
        kinds(&tt.facts),
        [
            by(Kind::Queued, "JM"),
            by(Kind::ReceiptTaken, "JM"),
            by(Kind::Received, "TT"),
            by(Kind::Delivered, "TT")
        ]
    );
    // JM's log was seen by a quorum of three, and with it the outcome that it names. When TT had
    // received it is only TT's word.
    assert_eq!(tt.facts[0].seen_by, Some((SEEN + 2) * 1000));
    assert_eq!(tt.facts[3].seen_by, Some((SEEN + 2) * 1000));
    assert_eq!((tt.facts[2].seen_by, tt.facts[2].claimed_at), (None, NOW));
    assert_eq!(
        verdict.doubts,
        [
            Doubt::NotWitnessed { checkpoint: 0 },
            Doubt::NotWitnessed { checkpoint: 2 }
        ]
    );
}

#[test]
fn without_the_content_it_proves_the_rest_and_says_so() {
    let net = net();
    let story = net.story().undisclosed();
    let bytes = file(&story.evidence());
    let key = net.story().evidence().content_key;
    assert!(!bytes.windows(32).any(|window| window == &key[..]));
    let verdict = verify(&bytes, None).unwrap();
    assert_eq!(verdict.content, None);
    assert_eq!(verdict.recipients[1].facts.len(), 4);
    let doubts = &verdict.doubts;
    assert!(doubts.contains(&Doubt::RootNotPinned { root: net.root }));
    assert!(doubts.contains(&Doubt::NotDisclosed));
}

#[test]
fn the_builder_makes_the_one_canonical_file() {
    for story in [net().story(), net().story().undisclosed()] {
        assert_eq!(story.build(), file(&story.evidence()));
    }
}

#[test]
fn the_builder_leaves_out_lines_that_prove_nothing() {
    let mut story = net().story();
    story.jm.witnesses = vec!["BB", "TT", "LC", "BB"];
    let tidy = net().story();
    assert_eq!(story.build(), file(&tidy.evidence()));
}

#[test]
fn two_witnesses_of_four_are_no_quorum() {
    let mut story = net().story();
    story.jm.witnesses.pop();
    let verdict = verify(&file(&story.evidence()), None).unwrap();
    assert_eq!(verdict.checkpoints[1].by.len(), 2);
    assert_eq!(verdict.checkpoints[1].needed, Some(3));
    assert_eq!(verdict.originator.facts[1].seen_by, None);
    assert!(
        verdict
            .doubts
            .contains(&Doubt::NotWitnessed { checkpoint: 1 })
    );
}

#[test]
fn a_later_quorum_counts_for_an_earlier_leaf_where_the_path_is_shown() {
    let mut story = net().story();
    let mut later = story.jm.clone();
    story.jm.size = 6;
    story.jm.show = (0..6).collect();
    story.jm.witnesses.clear();
    later.show = vec![6];
    later.continues = 6;
    story.more.push(later.clone());
    let verdict = verify(&file(&story.evidence()), None).unwrap();
    assert_eq!(verdict.originator.facts[1].seen_by, Some((SEEN + 2) * 1000));

    later.continues = 0;
    story.more = vec![later];
    let verdict = verify(&file(&story.evidence()), None).unwrap();
    assert_eq!(verdict.originator.facts[1].seen_by, None);
    assert!(
        verdict
            .doubts
            .contains(&Doubt::NotConnected { checkpoint: 2 })
    );
}

#[test]
fn silence_and_a_second_outcome_are_told() {
    let mut story = net().story();
    story.bb.leaves[2] = crate::fixture::to(
        "BB",
        crate::fixture::about(story.sealed, "BB", Kind::Received),
        story.sealed,
    );
    story.jm.show.retain(|&index| index != 5);
    let outcome = story.tt.leaves[2].clone();
    story.tt.leaves[3] = v1::Leaf {
        kind: Kind::Refused.into(),
        ..outcome
    };
    story.tt.show.push(3);
    let verdict = verify(&file(&story.evidence()), None).unwrap();
    let doubts = &verdict.doubts;
    assert!(doubts.contains(&Doubt::NoOutcome { party: code("BB") }));
    assert!(doubts.contains(&Doubt::SecondOutcome { party: code("TT") }));
    assert!(!doubts.contains(&Doubt::NoOutcome { party: code("TT") }));
}

#[test]
fn another_root_than_the_readers_is_refused() {
    let fault = verify(&file(&net().story().evidence()), Some(Digest([1; 32]))).unwrap_err();
    assert_eq!(fault.part, abeng_evidence::Part::Root(0));
    assert!(fault.to_string().contains("root"), "{fault}");
}
