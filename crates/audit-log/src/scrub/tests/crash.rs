//! A power cut at every operation, and again while the next start carries on.

use super::*;
use crate::sim::{Effects, Failure, Operation};

const TARGETS: [u64; 3] = [2, 3, 9];

fn targets() -> Vec<LeafIndex> {
    TARGETS.map(of).to_vec()
}

/// What a log is before it is scrubbed.
struct Before {
    disk: SimDisk,
    records: Vec<Record>,
    permanent: Vec<Permanent>,
}

fn before() -> Before {
    let log = Log::new();
    Before {
        records: log.all(),
        permanent: permanent(&log, log.journal.size()),
        disk: log.disk,
    }
}

/// Scrubs until the disk fails. True where it was told that all is done.
fn work(disk: &SimDisk) -> bool {
    let log = Log::open(disk.clone());
    log.is_ok_and(|log| log.scrub(&targets()).is_ok())
}

/// Carries on, as a start does; false where the disk fails.
fn carry_on(disk: &SimDisk) -> bool {
    let log = Log::open(disk.clone());
    log.is_ok_and(|log| log.finish().is_ok())
}

#[derive(Default)]
struct Seen {
    not_begun: u32,
    half: u32,
    leftover: u32,
    only_begun: u32,
}

/// What must hold after any crash, at once and once carried on.
fn check(disk: &SimDisk, before: &Before, told: bool, seen: &mut Seen, what: &str) {
    let size = before.records.len();
    let log = Log::open(disk.clone()).unwrap_or_else(|e| panic!("{what}: {e}"));
    log.verify();
    let all = log.all();
    for (record, before) in all.iter().zip(&before.records) {
        assert!(record == before || record.is_scrubbed(), "{what}");
    }
    let kind = |kind| move |record: &&Record| record.leaf().message().kind() == kind;
    let begun = all.iter().find(kind(v1::LeafKind::ScrubBegun)).is_some();
    let scrubbed = all.iter().filter(|r| r.is_scrubbed()).count();
    assert!(begun || scrubbed == 0, "{what}");
    assert!(begun || !told, "{what}");
    seen.not_begun += u32::from(!begun);
    seen.half += u32::from(scrubbed > 0 && scrubbed < TARGETS.len());
    seen.leftover += u32::from(disk.content("journal/scrub.tmp").is_some());
    let said = all.iter().find(kind(v1::LeafKind::Scrubbed)).is_some();
    assert!(!said || scrubbed == TARGETS.len(), "{what}");
    seen.only_begun += u32::from(begun && !said && scrubbed == 0);
    let log = log.finish().unwrap();
    if begun {
        let report = log.verify();
        assert_eq!(report.scrubbed, TARGETS.len() as u64, "{what}");
        assert_eq!(report.by_kind["SCRUBBED"], 1, "{what}");
        for seq in TARGETS {
            let found = log.disk.find(&marker(seq), Traces::InFiles);
            assert_eq!(found, [""; 0], "{what}: notice {seq}");
        }
    }
    assert_eq!(permanent(&log, size as u64), before.permanent, "{what}");
}

#[test]
fn a_crash_at_every_operation_leaves_a_whole_log_that_can_be_carried_on() {
    let before = before();
    let whole = before.disk.copy();
    assert!(work(&whole));
    let mut seen = Seen::default();
    for operation in 0..whole.operations() {
        let disk = before.disk.copy();
        disk.fail_from(operation);
        let told = work(&disk);
        for seed in 0..4 {
            let what = format!("operation {operation}, seed {seed}");
            let after = disk.crash(operation * 100 + seed);
            check(&after, &before, told, &mut seen, &what);
        }
    }
    assert!(seen.not_begun > 3 && seen.half > 3 && seen.leftover > 3 && seen.only_begun > 3);
}

#[test]
fn a_crash_while_carrying_on_is_carried_on_from() {
    let before = before();
    let whole = before.disk.copy();
    work(&whole);
    let (mut seen, mut interrupted) = (Seen::default(), 0);
    for operation in (0..whole.operations()).step_by(3) {
        let disk = before.disk.copy();
        disk.fail_from(operation);
        work(&disk);
        let after = disk.crash(operation);
        for step in (operation % 5..40).step_by(5) {
            let again = after.copy();
            again.fail_from(step);
            interrupted += u32::from(!carry_on(&again));
            let what = format!("operation {operation}, step {step} of the start after");
            check(&again.crash(step), &before, false, &mut seen, &what);
        }
    }
    assert!(interrupted > 20, "{interrupted}");
}

/// One operation fails and all others work, now in the log, now in the copy.
#[test]
fn whichever_operation_fails_the_log_is_whole_and_a_failed_sync_ends_the_process() {
    let before = before();
    let whole = before.disk.copy();
    work(&whole);
    let (mut refused, mut fatal) = (0, 0);
    let mut effects = Effects::default();
    for (n, operation) in (0..).zip(whole.history()) {
        let takes_room = !matches!(operation, Operation::Rename | Operation::SyncDir);
        let failures = [Failure::NoSpace, Failure::Io];
        for failure in failures.into_iter().skip(usize::from(!takes_room)) {
            let what = format!("{failure:?} in {operation:?}, operation {n}");
            let disk = before.disk.copy();
            disk.fail_once(n, failure);
            let told = match Log::open(disk.clone()).map(|log| log.scrub(&targets())) {
                Err(_) => false,
                Ok(Ok(_)) => true,
                Ok(Err(ScrubError::Fatal(_))) => {
                    fatal += 1;
                    false
                }
                Ok(Err(ScrubError::Refused { .. })) => {
                    let sync = matches!(operation, Operation::Sync | Operation::SyncDir);
                    assert!(!sync || failure == Failure::NoSpace, "{what}");
                    refused += 1;
                    // The process goes on and tries again.
                    let log = Log::open(disk.clone()).unwrap();
                    assert_eq!(log.finish().unwrap().verify().scrubbed, 3, "{what}");
                    true
                }
                Ok(Err(other)) => panic!("{what}: {other}"),
            };
            for disk in [disk.copy(), disk.crash(n)] {
                effects += disk.effects();
                check(&disk, &before, told, &mut Seen::default(), &what);
            }
        }
    }
    assert!(refused > 10 && fatal > 20, "{refused} {fatal}");
    assert!(
        effects.stuck > 10 && effects.renames_lost > 0,
        "{effects:?}"
    );
}

/// The process dies, not the machine: what it renamed is there, but may still be lost.
#[test]
fn what_an_earlier_process_renamed_is_made_durable_before_the_scrub_is_said_to_be_done() {
    let before = before();
    let whole = before.disk.copy();
    work(&whole);
    let mut renamed = 0;
    for operation in 0..whole.operations() {
        let disk = before.disk.copy();
        disk.fail_from(operation);
        let told = work(&disk);
        let same = disk.copy();
        let log = Log::open(same.clone()).unwrap();
        renamed += u32::from(log.all().iter().any(Record::is_scrubbed));
        log.finish().unwrap();
        for seed in 0..3 {
            let what = format!("operation {operation}, seed {seed}");
            let crashed = same.crash(operation * 10 + seed);
            check(&crashed, &before, told, &mut Seen::default(), &what);
        }
    }
    assert!(renamed > 3, "{renamed}");
}

#[test]
fn a_copy_that_a_crash_left_is_emptied_even_where_nothing_is_left_to_do() {
    let log = Log::new().scrub(&[of(2)]).unwrap();
    let leftover = log.disk.create("journal/scrub.tmp").unwrap();
    crate::DiskFile::write_at(&leftover, &marker(3), 5000).unwrap();
    let log = log.scrub(&[of(3)]).unwrap();
    let leftover = log.disk.create("journal/scrub.tmp").unwrap();
    crate::DiskFile::write_at(&leftover, &marker(3), 5000).unwrap();
    assert_eq!(log.run(&[of(3)]).unwrap(), ScrubDone::default());
    assert_eq!(log.disk.find(&marker(3), Traces::InFiles), [""; 0]);
    let log = Log::open(log.disk).unwrap();
    assert_eq!(log.verify().scrubbed, 2);
}
