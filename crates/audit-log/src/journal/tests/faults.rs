//! Each single operation fails, one after the other, and everything else works: the process
//! ends, and starts again with what the system remembers, or after a power cut.

use super::{
    crash::{Work, check_after, work},
    *,
};
use crate::sim::{Effects, Failure, Operation};
use std::collections::BTreeMap;

const FAILURES: [Failure; 2] = [Failure::Io, Failure::NoSpace];

/// Starts without a power cut before, acknowledges one record more, and only then loses power.
fn start_then_cut(disk: &SimDisk, done: &Work, seed: u64, what: &str) -> Effects {
    let same = disk.copy();
    let Ok((journal, found)) = Journal::open(same.clone(), SMALL) else {
        // Nothing was ever made, or it was not told.
        assert_eq!(done.acknowledged, 0, "{what}");
        return Effects::default();
    };
    assert!(found.size >= done.acknowledged, "{what}: lost");
    assert!(done.ends.contains(&found.size), "{what}: half a step");
    // The larger one does not fit behind what is there: the journal goes on in a new segment.
    let length = if seed.is_multiple_of(2) { 3000 } else { 40_000 };
    let more = record(99, length, 5);
    let (journal, _) = journal.append(vec![step(vec![more.clone()])]).unwrap();
    let size = journal.size();
    drop(journal);
    let cut = same.crash(seed);
    let (journal, _) = Journal::open(cut.clone(), SMALL).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(journal.size(), size, "{what}: lost after the start");
    let mut handed = done.handed[..size as usize - 1].to_vec();
    handed.push(more);
    assert_eq!(all(&journal), handed, "{what}");
    cut.effects()
}

fn all_met(effects: &Effects) {
    let Effects {
        sectors_kept,
        sectors_lost,
        torn,
        reordered,
        lengths_lost,
        names_kept,
        names_lost,
        renames_lost,
        stuck,
        unreadable,
    } = *effects;
    assert_eq!(unreadable, 0, "these cuts come between sectors");
    let met = [
        sectors_kept,
        sectors_lost,
        torn,
        reordered,
        lengths_lost,
        names_kept,
        names_lost,
        renames_lost,
        stuck,
    ];
    assert!(met.iter().all(|&n| n > 10), "{effects:?}");
}

#[test]
fn nothing_acknowledged_is_lost_whichever_operation_fails() {
    let whole = SimDisk::new();
    work(&whole);
    let history = whole.history();
    let (mut failed, mut effects) = (BTreeMap::<Operation, u32>::new(), Effects::default());
    for (n, &operation) in (0..).zip(&history) {
        for failure in FAILURES {
            let disk = SimDisk::new();
            disk.fail_once(n, failure);
            let done = work(&disk);
            *failed.entry(operation).or_default() += 1;
            for seed in 0..2 {
                let what = format!("{failure:?} in {operation:?}, operation {n}, seed {seed}");
                let cut = disk.crash(n * 10 + seed);
                effects += cut.effects();
                check_after(&cut, &done, &what);
                effects += start_then_cut(&disk, &done, n * 10 + seed, &what);
            }
        }
    }
    assert_eq!(
        failed.keys().copied().collect::<Vec<_>>(),
        [
            Operation::Create,
            Operation::Write,
            Operation::Sync,
            Operation::Rename,
            Operation::SyncDir
        ]
    );
    all_met(&effects);
}

#[test]
fn nothing_acknowledged_is_lost_whichever_operation_of_a_recovery_fails() {
    let whole = SimDisk::new();
    work(&whole);
    let (mut failed, mut effects) = (BTreeMap::<Operation, u32>::new(), Effects::default());
    for operation in (0..whole.operations()).step_by(5) {
        let disk = SimDisk::new();
        disk.fail_from(operation);
        let done = work(&disk);
        let after = disk.crash(operation);
        let recovery = after.copy();
        let _ = Journal::open(recovery.clone(), SMALL);
        for (n, kind) in (0..).zip(recovery.history()) {
            // Most of them make one of many files of the view.
            if kind == Operation::Create && n % 11 != operation % 11 {
                continue;
            }
            for failure in FAILURES {
                let again = after.copy();
                again.fail_once(n, failure);
                if Journal::open(again.clone(), SMALL).is_err() {
                    *failed.entry(kind).or_default() += 1;
                }
                let what = format!("operation {operation}, {failure:?} in {kind:?} {n} after");
                let cut = again.crash(n);
                effects += cut.effects();
                check_after(&cut, &done, &what);
                effects += start_then_cut(&again, &done, n, &what);
            }
        }
    }
    for kind in [
        Operation::Create,
        Operation::Write,
        Operation::Sync,
        Operation::SyncDir,
    ] {
        assert!(failed.get(&kind).is_some_and(|&n| n > 5), "{failed:?}");
    }
    assert!(effects.stuck > 10 && effects.torn > 10, "{effects:?}");
}

/// SIGKILL at every moment, then a start, and only then the power cut.
#[test]
fn what_a_killed_process_left_is_durable_before_anything_follows_it() {
    let whole = SimDisk::new();
    work(&whole);
    let mut effects = Effects::default();
    for operation in 0..whole.operations() {
        let disk = SimDisk::new();
        disk.fail_from(operation);
        let done = work(&disk);
        for seed in 0..2 {
            let what = format!("killed at operation {operation}, seed {seed}");
            effects += start_then_cut(&disk, &done, operation * 10 + seed, &what);
        }
    }
    assert!(effects.sectors_lost > 100, "{effects:?}");
}

#[test]
fn a_torn_sector_is_never_guessed_and_its_image_is_recovered_from() {
    let whole = SimDisk::new();
    work(&whole);
    let (mut refused, mut torn) = (0, 0);
    for n in 0..whole.operations() {
        for seed in 0..4 {
            let disk = SimDisk::new();
            disk.fail_from(n);
            let done = work(&disk);
            let cut = disk.crash_within_sectors(n * 10 + seed, "journal");
            let what = format!("operation {n}, seed {seed}");
            torn += cut.effects().unreadable;
            let journal = || {
                let names = cut.list("journal").unwrap().into_iter();
                let files = names.map(|name| cut.content(&format!("journal/{name}")));
                files.collect::<Vec<_>>()
            };
            let before = journal();
            match Journal::open(cut.clone(), SMALL) {
                Ok(_) | Err(OpenError::Missing) => {}
                Err(OpenError::Io { .. }) if cut.has_unreadable() => {
                    refused += 1;
                    assert!(journal() == before, "{what}: nothing is written");
                }
                Err(e) => panic!("{what}: {e}"),
            }
            check_after(&cut.image(), &done, &what);
        }
    }
    assert!(refused > 10 && torn > 10, "{refused} of {torn}");
}
