use super::*;
use crate::{CarryError, Checkpoint, Outside, carry_over, fixture::INCARNATION};
use abeng_wire::Incarnation;

const NEWER: Incarnation = Incarnation(INCARNATION.0 + 1);

/// What is kept outside the tree: something of this log, and something of another's.
fn outside() -> [Outside; 2] {
    let note = |party: &str, size| {
        let origin = network().origin(party);
        let root = abeng_wire::LeafHash([7; 32]);
        let key = network().keys(party).log().as_ref();
        Checkpoint::sign(&origin, size, root, key).unwrap()
    };
    let theirs = note("JM", 9);
    [
        Outside::OwnCheckpoint(note("TT", 3).note().clone()),
        Outside::Witnessed {
            origin: theirs.origin().to_owned(),
            note: theirs.note().clone(),
        },
    ]
}

fn carried() -> (Log, Log) {
    let old = Log::new().scrub(&[of(2), of(3), of(9)]).unwrap();
    // One scrub is begun and not done: the newer life carries it on.
    let old = old.seal().unwrap().begin(&[of(5)]).unwrap();
    let (disk, journal) = network().journal_of("TT", NEWER, INCARNATION);
    let mut told = Vec::new();
    let reader = old.journal.reader();
    let journal = carry_over(&reader, outside().to_vec(), journal, NEWER, |n| {
        told.push(n)
    })
    .unwrap();
    assert_eq!(told.last(), Some(&old.journal.size()));
    (old, Log { disk, journal })
}

#[test]
fn every_record_is_carried_over_at_its_place_and_names_the_newer_life() {
    let (old, new) = carried();
    let (before, after) = (old.all(), new.all());
    assert_eq!(before.len(), after.len());
    for (index, (before, after)) in before.iter().zip(&after).enumerate().skip(1) {
        let mut says = after.leaf().message().clone();
        assert_eq!(says.incarnation, NEWER.0);
        says.incarnation = INCARNATION.0;
        assert_eq!(says, *before.leaf().message(), "{index}");
        assert_eq!(after.proof_bytes(), before.proof_bytes());
        assert_eq!(after.private_bytes(), before.private_bytes());
        assert_eq!(after.body_bytes(), before.body_bytes());
        assert_eq!(after.is_scrubbed(), before.is_scrubbed());
    }
    // As a whole log of its own, also after a restart.
    let found = new.verify();
    assert_eq!(found.leaves, old.verify().leaves);
    let new = Log::open(new.disk.clone()).unwrap();
    assert_eq!(new.all(), after);
}

#[test]
fn what_was_begun_in_the_older_life_is_finished_in_the_newer_one() {
    let (_, new) = carried();
    assert!(!new.record(of(5).0).is_scrubbed());
    let new = new.seal().unwrap().finish().unwrap();
    assert!(new.record(of(5).0).is_scrubbed());
    assert_eq!(new.all().iter().filter(|r| r.is_scrubbed()).count(), 4);
}

#[test]
fn of_what_is_outside_the_tree_only_what_is_about_others_goes_along() {
    let (_, new) = carried();
    drop(new.journal);
    let (_, found) = Journal::open(new.disk, SMALL).unwrap();
    assert_eq!(found.outside, outside()[1..]);
}

#[test]
fn a_log_is_carried_over_into_a_new_one_only() {
    let (old, new) = carried();
    let reader = old.journal.reader();
    let again = carry_over(&reader, Vec::new(), new.journal, NEWER, |_| ());
    assert!(matches!(again, Err(CarryError::NotNew { .. })));
}
