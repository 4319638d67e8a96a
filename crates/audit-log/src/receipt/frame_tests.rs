use super::*;
use crate::{
    Journal, Step,
    fixture::{Sent, leaf, network, sent},
    record::Record,
    sim::SimDisk,
};
use proptest::prelude::*;

/// TT's log: some leaves of its own, then deliveries with one such leaf after every third.
fn log(own: u64, deliveries: u64) -> (Journal<SimDisk>, Vec<(u64, Sent)>) {
    let (_, journal) = network().journal("TT");
    let started = || Record::new(leaf("TT", v1::LeafKind::Started));
    let mut steps: Vec<Vec<Record>> = vec![(0..own).map(|_| started()).collect()];
    let (mut size, mut delivered) = (1 + own, Vec::new());
    for n in 1..=deliveries {
        let envelope = sent(n);
        let mut facts = envelope.arrival();
        if n % 3 == 0 {
            facts.push(started());
        }
        delivered.push((size + 1, envelope));
        size += facts.len() as u64;
        steps.push(facts);
    }
    let step = |facts| Step {
        facts,
        gated: vec![()],
    };
    let steps: Vec<_> = steps.into_iter().map(step).collect();
    (journal.append(steps).unwrap().0, delivered)
}

fn checkpoint_of(reader: &Reader<SimDisk>) -> Checkpoint {
    let head = reader.head();
    let key = network().keys("TT").log();
    Checkpoint::sign(&network().origin("TT"), head.size, head.root, &**key).unwrap()
}

fn outcomes(reader: &Reader<SimDisk>, indexes: impl Iterator<Item = u64>) -> Vec<Outcome> {
    let durable = |index| reader.durable(abeng_wire::LeafIndex(index)).unwrap();
    indexes
        .map(|i| (durable(i), Some(durable(i - 1))))
        .collect()
}

fn range(reader: &Reader<SimDisk>, size: u64) -> Frontier {
    let mut range = Frontier::new();
    for index in 0..size {
        let stored = reader.read(abeng_wire::LeafIndex(index)).unwrap();
        range.push(leaf_hash(stored.record.leaf().bytes()));
    }
    range
}

#[test]
fn a_frame_becomes_receipts_that_prove_themselves() {
    let (journal, delivered) = log(5, 9);
    let reader = journal.reader();
    let checkpoint = checkpoint_of(&reader);
    let all = outcomes(&reader, delivered.iter().map(|d| d.0));
    let roster = &network().trust.roster;
    for old_size in 0..=checkpoint.size() {
        let frames = build_frames(&all, old_size, &reader, &checkpoint).unwrap();
        assert_eq!(frames.len(), 1);
        let held = range(&reader, old_size);
        let (grown, receipts) = expand(frames[0].clone(), &checkpoint, &held).unwrap();
        assert_eq!(grown, range(&reader, checkpoint.size()));
        for (receipt, ((index, envelope), (leaf, companion))) in
            receipts.iter().zip(delivered.iter().zip(&all))
        {
            // The same as if it had come alone.
            let alone = super::super::build_shared(leaf, companion.as_ref(), &reader, &checkpoint);
            assert_eq!(*receipt, alone.unwrap());
            assert_eq!(receipt.index, *index);
            let expect = crate::Expect {
                roster,
                envelope_id: envelope.id,
                originator: crate::fixture::code("JM"),
                recipient: crate::fixture::code("TT"),
                seq_commit: envelope.commit,
            };
            super::super::verify(receipt, &checkpoint, &expect).unwrap();
        }
    }
}

#[test]
fn what_does_not_follow_is_refused() {
    let (journal, delivered) = log(5, 4);
    let reader = journal.reader();
    let checkpoint = checkpoint_of(&reader);
    let all = outcomes(&reader, delivered.iter().map(|d| d.0));
    let old = 6;
    let frame = build_frames(&all, old, &reader, &checkpoint)
        .unwrap()
        .remove(0);
    let held = range(&reader, old);
    let refused = |frame: v1::Receipts| expand(frame, &checkpoint, &held).unwrap_err();
    let change = |with: fn(&mut v1::Receipts)| {
        let mut changed = frame.clone();
        with(&mut changed);
        refused(changed)
    };
    let step = FrameError::OutOfStep {
        old_size: 5,
        held: old,
    };
    assert_eq!(change(|f| f.old_size = 5), step);
    let other = |f: &mut v1::Receipts| f.receipts[1].leaf = f.receipts[2].leaf.clone();
    assert_eq!(change(other), FrameError::Root);
    assert!(matches!(
        change(|f| f.receipts[0].index += 1),
        FrameError::Form { .. } | FrameError::Root
    ));
    assert!(matches!(
        change(|f| f.receipts[0].index = 0),
        FrameError::Form { .. }
    ));
    assert!(matches!(
        change(|f| f.receipts[3].index += 90),
        FrameError::Proof(_)
    ));
    let own_path = |f: &mut v1::Receipts| f.receipts[2].proof = vec![vec![0; 32].into()];
    assert!(matches!(change(own_path), FrameError::Form { .. }));
    assert!(matches!(
        change(|f| f.nodes.push(vec![0; 32].into())),
        FrameError::Proof(_)
    ));
    assert!(matches!(
        change(|f| f.nodes.push(vec![0; 31].into())),
        FrameError::Form { .. }
    ));
    let nodes =
        |f: &mut v1::Receipts| f.nodes = vec![vec![0; 32].into(); limits::RECEIPT_NODES + 1];
    assert_eq!(change(nodes), FrameError::TooMuch);
    let long = |f: &mut v1::Receipts| f.receipts[0].leaf = vec![0; limits::LEAF + 1].into();
    assert_eq!(change(long), FrameError::TooMuch);
    let many =
        |f: &mut v1::Receipts| f.receipts = vec![f.receipts[0].clone(); limits::RECEIPTS + 1];
    assert_eq!(change(many), FrameError::TooMuch);
    // A receipt that stands twice in a frame is one leaf.
    let twice = |f: &mut v1::Receipts| f.receipts.push(f.receipts[0].clone());
    let mut repeated = frame.clone();
    twice(&mut repeated);
    assert_eq!(expand(repeated, &checkpoint, &held).unwrap().1.len(), 5);
}

#[test]
fn frames_stay_below_the_limit_of_a_control_frame() {
    let (journal, delivered) = log(0, 600);
    let reader = journal.reader();
    let checkpoint = checkpoint_of(&reader);
    let all = outcomes(&reader, delivered.iter().map(|d| d.0));
    let frames = build_frames(&all, 1, &reader, &checkpoint).unwrap();
    let (mut held, mut count) = (range(&reader, 1), 0);
    for frame in frames {
        let message = v1::Control {
            frame: Some(v1::control::Frame::Receipts(frame.clone())),
        };
        assert!(message.encoded_len() <= limits::CONTROL);
        let (grown, receipts) = expand(frame, &checkpoint, &held).unwrap();
        (held, count) = (grown, count + receipts.len());
    }
    assert_eq!(count, 600);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_part_of_a_log_is_told_in_frames(
        own in 0u64..40, old in any::<prop::sample::Index>(), picked in prop::collection::vec(any::<bool>(), 24),
    ) {
        let (journal, delivered) = log(own, 24);
        let reader = journal.reader();
        let checkpoint = checkpoint_of(&reader);
        let chosen = delivered.iter().zip(&picked).filter(|(_, picked)| **picked);
        let some = outcomes(&reader, chosen.map(|(d, _)| d.0));
        let old = old.index(checkpoint.size() as usize + 1) as u64;
        let mut held = range(&reader, old);
        for frame in build_frames(&some, old, &reader, &checkpoint).unwrap() {
            let (grown, receipts) = expand(frame, &checkpoint, &held).unwrap();
            held = grown;
            for (receipt, (leaf, companion)) in receipts.iter().zip(&some) {
                let alone = super::super::build_shared(leaf, companion.as_ref(), &reader, &checkpoint);
                prop_assert_eq!(receipt, &alone.unwrap());
            }
        }
    }
}

/// What a receipt costs on a link, in bytes of its frame. `cargo test -p abeng-audit-log
/// receipt::frame -- --nocapture a_receipt_costs` prints it.
#[test]
fn a_receipt_costs_its_leaves_and_little_more() {
    let whole = |frame: v1::Receipts| {
        let frame = Some(v1::control::Frame::Receipts(frame));
        4 + v1::Control { frame }.encoded_len()
    };
    println!(
        "deliveries a batch, others' between: bytes a receipt as sent, with whole paths, of these its two leaves"
    );
    for count in [1, 16, 256] {
        for others in [0, 1] {
            let (before, batch) = (700, count * (1 + others));
            let (journal, delivered) = log(0, before + batch);
            let reader = journal.reader();
            let checkpoint = checkpoint_of(&reader);
            // The holder is in step with all that came before.
            let old = delivered[before as usize - 1].0 + 1;
            let mine = delivered[before as usize..]
                .iter()
                .step_by(1 + others as usize);
            let some = outcomes(&reader, mine.map(|d| d.0));
            let leaf = |leaf: &Durable<Leaf>| leaf.fact().bytes().len();
            let both = |o: &Outcome| leaf(&o.0) + o.1.as_ref().map_or(0, leaf);
            let leaves: usize = some.iter().map(both).sum();
            let sent = build_frames(&some, old, &reader, &checkpoint).unwrap();
            assert_eq!(sent.len(), 1);
            let sent: usize = sent.into_iter().map(whole).sum();
            let alone = |o: &Outcome| {
                super::super::build_shared(&o.0, o.1.as_ref(), &reader, &checkpoint).unwrap()
            };
            let paths = whole(v1::Receipts {
                checkpoint: checkpoint.note().clone(),
                old_size: old,
                receipts: some.iter().map(alone).collect(),
                nodes: vec![],
            });
            let each = |bytes: usize| bytes as f64 / count as f64;
            println!(
                "{count:4} {others}: {:7.1} {:7.1} {:7.1}",
                each(sent),
                each(paths),
                each(leaves)
            );
            // One leaf in seven is of neither kind, and those of others are nodes.
            let nodes = 16 + count as usize * (1 + 4 * others as usize) / 2;
            let around = 300 + 34 * nodes;
            assert!(
                sent <= leaves + 16 * count as usize + around,
                "{sent} {leaves}"
            );
        }
    }
}
