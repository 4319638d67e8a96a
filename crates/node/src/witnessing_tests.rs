use super::*;
use crate::test_network::{LIFE, NOW, checkpoint, code, network};
use abeng_audit_log::{
    Batch, Journal, JournalIdentity, OpenOptions, RealDisk, Step, Submission, Witness,
};

/// A witness's line under TT's checkpoint, made as a witness makes one.
fn line(witness: &str, of: &Checkpoint) -> Cosignature {
    let dir = tempfile::tempdir().unwrap();
    let identity = JournalIdentity { key: [3; 32] };
    let (disk, options) = (RealDisk::new(dir.path()), OpenOptions::default());
    let journal = Journal::create(disk, identity, options, Batch::default()).unwrap();
    let roster = &network().trust.roster;
    let submission = Submission::new(of, 0, vec![], code(witness), roster).unwrap();
    let pending = Witness::default().submit(&submission).unwrap();
    let batch: Batch<()> = Batch {
        steps: vec![Step::default()],
        outside: pending.outside().into_iter().collect(),
    };
    let journal = journal.append(batch).unwrap().0;
    let durable = journal.reader().witnessed(roster.network(), code("TT"));
    let key = network().keys(witness).witness().as_ref();
    let signed = durable.unwrap().cosign(code(witness), NOW / 1000, key);
    signed.unwrap()
}

/// TT's state with a target of so many leaves.
fn aimed(sizes: &[u64]) -> Witnessing {
    let mut own = Witnessing::recover(None, 1, NOW);
    for &size in sizes {
        own.grew(size, NOW);
        assert!(own.wants_target());
        let target = checkpoint(size, 1, LIFE);
        own.aim(&target, &network().trust.roster).unwrap();
        assert!(!own.wants_target());
    }
    own
}

fn take(own: &mut Witnessing, witness: &str, size: u64) -> Taken {
    let of = checkpoint(size, 1, LIFE);
    let signed = line(witness, &of);
    let roster = &network().trust.roster;
    let at = (of.size(), of.root());
    own.take(at, &signed, roster, NOW + 5).unwrap()
}

#[test]
fn a_witness_is_asked_once_on_a_link_and_again_on_the_next() {
    let mut own = aimed(&[5]);
    let ask = own.ask(code("JM"), 1).unwrap();
    assert_eq!((ask.checkpoint.size(), ask.old_size), (5, 0));
    assert_eq!(own.ask(code("JM"), 1), None);
    assert!(own.ask(code("LC"), 1).is_some());
    assert!(own.ask(code("JM"), 2).is_some());
    // Who has co-signed it is not asked again; with a new target, from what it holds.
    assert_eq!(take(&mut own, "JM", 5), Taken::Line);
    assert_eq!(own.ask(code("JM"), 3), None);
    own.grew(8, NOW);
    let target = checkpoint(8, 1, LIFE);
    own.aim(&target, &network().trust.roster).unwrap();
    assert_eq!(own.ask(code("JM"), 3).unwrap().old_size, 5);
}

#[test]
fn a_conflict_is_answered_from_the_size_that_is_held() {
    let mut own = aimed(&[5]);
    assert!(own.ask(code("JM"), 1).is_some());
    assert_eq!(own.conflict(code("JM"), 1, 3).unwrap().old_size, 3);
    // The same word again changes nothing, or two nodes would talk for ever.
    assert_eq!(own.conflict(code("JM"), 1, 3), None);
    assert_eq!(own.conflict(code("JM"), 1, 9), None);
}

#[test]
fn lines_meet_under_one_target_and_make_a_quorum() {
    let mut own = aimed(&[5, 8]);
    assert_eq!(own.waiting(), Some(NOW));
    assert_eq!(take(&mut own, "JM", 8), Taken::Line);
    // A line for another target does not count towards this one.
    assert_eq!(take(&mut own, "LC", 5), Taken::Line);
    assert_eq!(own.witnessed_size(), 0);
    let Taken::Quorum(found) = take(&mut own, "LC", 8) else {
        panic!("two of two are a quorum");
    };
    assert_eq!((found.size(), found.by().len()), (8, 2));
    assert_eq!((own.witnessed_size(), own.waiting()), (8, None));
    assert_eq!(take(&mut own, "LC", 8), Taken::Nothing);
    // A late quorum for an older target does not take back the newer one.
    assert_eq!(take(&mut own, "JM", 5), Taken::Line);
    assert_eq!(own.witnessed_size(), 8);
    own.grew(9, NOW + 7);
    assert_eq!(own.waiting(), Some(NOW + 7));
}

#[test]
fn targets_are_few_and_only_grow() {
    let sizes: Vec<u64> = (2..30).collect();
    let mut own = aimed(&sizes);
    assert_eq!(own.targets.len(), TARGETS);
    let smaller = checkpoint(4, 1, LIFE);
    own.aim(&smaller, &network().trust.roster).unwrap();
    assert_eq!(own.newest_target().unwrap().size(), 29);
    assert_eq!(own.target(4, smaller.root()), None);
}
