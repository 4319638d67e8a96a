use super::*;
use crate::{
    Batch, CosignedCheckpoint, Journal, OpenOptions, Step,
    fixture::{NOW, code, network},
    merkle::{Frontier, consistency_proof, leaf_hash, node_hash},
    sim::SimDisk,
};
use abeng_wire::Incarnation;
use std::convert::Infallible;

const SECOND: u64 = NOW / 1000;
const LIFE: u64 = crate::fixture::INCARNATION.0;

fn hash(index: u64, branch: u8) -> LeafHash {
    leaf_hash(&[&index.to_be_bytes()[..], &[branch]].concat())
}

fn node(level: u32, index: u64, branch: u8) -> LeafHash {
    match level {
        0 => hash(index, branch),
        _ => node_hash(
            &node(level - 1, 2 * index, branch),
            &node(level - 1, 2 * index + 1, branch),
        ),
    }
}

fn checkpoint(size: u64, branch: u8, life: u64) -> Checkpoint {
    let mut frontier = Frontier::new();
    (0..size).for_each(|i| frontier.push(hash(i, branch)));
    let origin = LogOrigin {
        network: network().trust.roster.network(),
        party: code("TT"),
        incarnation: Incarnation(life),
    };
    let key = network().keys("TT").log();
    Checkpoint::sign(&origin.to_string(), size, frontier.root(), &**key).unwrap()
}

fn proof(old: u64, new: u64, branch: u8) -> Vec<LeafHash> {
    let mut node = |level, index| Ok::<_, Infallible>(node(level, index, branch));
    let Ok(proof) = consistency_proof(old, new, &mut node);
    proof
}

/// From `old` to `new` leaves of one branch of TT's log, for JM.
fn submission(old: u64, new: u64, branch: u8) -> Submission {
    let new_note = checkpoint(new, branch, LIFE);
    let proof = proof(old, new, branch);
    Submission::new(&new_note, old, proof, code("JM"), &network().trust.roster).unwrap()
}

fn refused(witness: &mut Witness, submission: &Submission) -> WitnessRefusal {
    witness.submit(submission).unwrap_err()
}

/// Makes a pending checkpoint durable.
fn persist(journal: Journal<SimDisk>, pending: &Pending) -> Journal<SimDisk> {
    let batch = Batch {
        steps: vec![Step {
            facts: vec![],
            gated: vec![()],
        }],
        outside: pending.outside().into_iter().collect(),
    };
    journal.append(batch).unwrap().0
}

fn durable(journal: &Journal<SimDisk>) -> Option<Persisted<Witnessed>> {
    let network = network().trust.roster.network();
    journal.reader().witnessed(network, code("TT"))
}

#[test]
fn check_persist_sign() {
    let (disk, journal) = network().journal("JM");
    let mut witness = Witness::default();
    assert_eq!(durable(&journal), None);
    let pending = witness.submit(&submission(0, 5, 1)).unwrap();
    // Not on the disk: nothing can be signed.
    assert_eq!(durable(&journal), None);
    let journal = persist(journal, &pending);
    let signed = durable(&journal).unwrap();
    let key = network().keys("JM").witness();
    let line = signed.cosign(code("JM"), SECOND, &**key).unwrap();
    let note = [&checkpoint(5, 1, LIFE).note()[..], line.line().as_bytes()].concat();
    let roster = &network().trust.roster;
    let cosigned = CosignedCheckpoint::verify(&note.into(), roster).unwrap();
    assert_eq!(cosigned.by()[0].party, code("JM"));
    // The tree has not grown, and what is held outlives the process.
    assert_eq!(journal.size(), 1);
    journal.close().unwrap();
    let options = OpenOptions {
        segment_bytes: 64 * 1024,
    };
    let (journal, recovery) = Journal::open(disk, options).unwrap();
    assert_eq!(durable(&journal), Some(signed));
    let mut witness = Witness::recover(&recovery.outside).unwrap();
    assert_eq!(witness.held(code("TT")).unwrap().size(), 5);
    let conflict = WitnessRefusal::Conflict {
        old_size: 0,
        held_size: 5,
    };
    assert_eq!(refused(&mut witness, &submission(0, 7, 1)), conflict);
    assert!(witness.submit(&submission(5, 7, 1)).is_ok());
}

#[test]
fn of_two_at_once_only_one_order_is_signed() {
    // Both begin where the witness stands; whichever comes second must come again.
    for (first, second) in [(5, 7), (7, 5)] {
        let mut witness = Witness::default();
        let taken = witness.submit(&submission(0, first, 1)).unwrap();
        assert!(taken.outside().is_some());
        let conflict = WitnessRefusal::Conflict {
            old_size: 0,
            held_size: first,
        };
        assert_eq!(refused(&mut witness, &submission(0, second, 1)), conflict);
        let again = witness.submit(&submission(first.min(second), second, 1));
        assert_eq!(again.is_ok(), first < second, "{again:?}");
        assert_eq!(witness.held(code("TT")).unwrap().size(), 7);
    }
    // Of two that differ, the second is a contradiction from the size that is held.
    let mut witness = Witness::default();
    assert!(witness.submit(&submission(0, 5, 1)).is_ok());
    let (_, forked) = (5, submission(5, 5, 2));
    let held = checkpoint(5, 1, LIFE).note().clone();
    let contradiction = WitnessRefusal::Contradiction { size: 5, held };
    assert_eq!(refused(&mut witness, &forked), contradiction);
    // Also where the proof is said to begin elsewhere.
    for old in [0, 3, 7] {
        assert_eq!(refused(&mut witness, &submission(old, 5, 2)), contradiction);
    }
    let grown = refused(&mut witness, &submission(5, 7, 2));
    assert_eq!(grown, WitnessRefusal::Proof(ProofError::Root));
}

#[test]
fn the_same_again_is_signed_again_and_written_once() {
    let mut witness = Witness::default();
    assert!(
        witness
            .submit(&submission(0, 5, 1))
            .unwrap()
            .outside()
            .is_some()
    );
    assert_eq!(
        witness.submit(&submission(5, 5, 1)).unwrap().outside(),
        None
    );
}

#[test]
fn each_rule_refuses_what_it_is_for() {
    let mut witness = Witness::default();
    let conflict = WitnessRefusal::Conflict {
        old_size: 2,
        held_size: 0,
    };
    assert_eq!(refused(&mut witness, &submission(2, 5, 1)), conflict);
    // From the empty tree an empty proof leads anywhere, and only an empty one.
    let mut long = submission(0, 5, 1);
    long.proof = proof(2, 5, 1);
    assert!(matches!(
        refused(&mut witness, &long),
        WitnessRefusal::Proof(_)
    ));
    assert!(witness.submit(&submission(0, 5, 1)).is_ok());
    // Smaller than held.
    let smaller = Submission {
        old_size: 5,
        ..submission(0, 3, 1)
    };
    let sizes = ProofError::Sizes { old: 5, new: 3 };
    assert_eq!(
        refused(&mut witness, &smaller),
        WitnessRefusal::Proof(sizes)
    );
    let wrong = Submission {
        proof: proof(5, 9, 1),
        ..submission(5, 8, 1)
    };
    assert!(matches!(
        refused(&mut witness, &wrong),
        WitnessRefusal::Proof(_)
    ));
    assert_eq!(witness.held(code("TT")).unwrap().size(), 5);
    // Not ours to watch: its own log.
    let own = checkpoint(5, 1, LIFE);
    let refused = Submission::new(&own, 0, vec![], code("TT"), &network().trust.roster);
    assert_eq!(
        refused.unwrap_err(),
        WitnessRefusal::NotWitness { party: code("TT") }
    );
}

#[test]
fn a_new_life_begins_at_nothing_and_closes_the_old() {
    let roster = &network().trust.roster;
    let mut witness = Witness::default();
    assert!(witness.submit(&submission(0, 5, 1)).is_ok());
    let begin = |size, life| {
        Submission::new(&checkpoint(size, 2, life), 0, vec![], code("JM"), roster).unwrap()
    };
    assert!(witness.submit(&begin(2, LIFE + 1)).is_ok());
    let closed = WitnessRefusal::Closed {
        found: Incarnation(LIFE),
        held: Incarnation(LIFE + 1),
    };
    assert_eq!(refused(&mut witness, &submission(5, 7, 1)), closed);
}

#[test]
fn a_crash_before_the_sync_loses_only_what_nobody_saw() {
    let (disk, journal) = network().journal("JM");
    let mut witness = Witness::default();
    let first = witness.submit(&submission(0, 5, 1)).unwrap();
    let journal = persist(journal, &first);
    let second = witness.submit(&submission(5, 7, 1)).unwrap();
    let network_code = network().trust.roster.network();
    let reader = journal.reader();
    disk.fail_from(disk.operations());
    let batch = Batch {
        steps: vec![Step {
            facts: vec![],
            gated: vec![()],
        }],
        outside: second.outside().into_iter().collect(),
    };
    assert!(journal.append(batch).is_err());
    // What failed to become durable is not shown, and so cannot be signed.
    let shown = reader.witnessed(network_code, code("TT")).unwrap();
    assert_eq!(shown.fact().size(), 5);
    for seed in 0..20 {
        let options = OpenOptions {
            segment_bytes: 64 * 1024,
        };
        let (journal, recovery) = Journal::open(disk.crash(seed), options).unwrap();
        let witness = Witness::recover(&recovery.outside).unwrap();
        let held = witness.held(code("TT")).unwrap();
        assert_eq!(durable(&journal).unwrap().fact(), held);
        assert!(held.size() >= 5);
    }
}
