use super::*;

/// A fixed piece of work over several segments. Returns the acknowledged records, and the whole
/// list that was handed over, with the ends of its steps.
pub(super) struct Work {
    pub(super) acknowledged: u64,
    pub(super) handed: Vec<Record>,
    pub(super) ends: Vec<u64>,
}

pub(super) fn work(disk: &SimDisk) -> Work {
    let mut done = Work {
        acknowledged: 0,
        handed: vec![record(0, 0, 0)],
        ends: vec![0, 1],
    };
    let first = Batch {
        steps: vec![Step {
            facts: vec![record(0, 0, 0)],
            gated: vec![],
        }],
        outside: vec![],
    };
    let Ok(mut journal) = Journal::create(disk.clone(), identity(), SMALL, first) else {
        return done;
    };
    done.acknowledged = 1;
    for round in 0u64..14 {
        let steps: Vec<Step<u64>> = (0..round % 4 + 1)
            .map(|i| {
                let body = (round * 977 + i * 2311) as usize % 9000;
                let fill = if round % 3 == 0 { 0 } else { round as u8 };
                step(vec![record(round, body, fill), record(i, 0, 0)])
            })
            .collect();
        for step in &steps {
            done.handed.extend(step.facts.iter().cloned());
            done.ends.push(done.handed.len() as u64);
        }
        let outside = match round % 5 {
            2 => vec![held("a", b"one")],
            _ => vec![],
        };
        match journal.append(Batch { steps, outside }) {
            Ok((next, _)) => journal = next,
            Err(_) => return done,
        }
        done.acknowledged = done.handed.len() as u64;
        let job = (round % 4 == 1).then(|| journal.prepare_ahead()).flatten();
        // Without one the journal makes do.
        let _ = job.map(|job| job.run(|| ()));
    }
    let _ = journal.close();
    done
}

pub(super) fn check_after(disk: &SimDisk, done: &Work, what: &str) -> bool {
    let opened = Journal::open(disk.clone(), SMALL);
    let (journal, found) = match opened {
        Ok(opened) => opened,
        Err(OpenError::Missing) if done.acknowledged == 0 => return false,
        Err(e) => panic!("{what}: {e}"),
    };
    assert!(found.size >= done.acknowledged, "{what}: lost");
    assert!(done.ends.contains(&found.size), "{what}: half a step");
    assert_eq!(all(&journal), done.handed[..found.size as usize], "{what}");
    let (journal, _) = journal
        .append(vec![step(vec![record(99, 3000, 0)])])
        .unwrap();
    assert_eq!(journal.size(), found.size + 1);
    let (again, second) = Journal::open(disk.clone(), SMALL).unwrap();
    assert_eq!(second.size, found.size + 1, "{what}");
    assert_eq!(second.torn_tail, None, "{what}");
    assert_eq!(again.root(), journal.root());
    found.torn_tail.is_some()
}

#[test]
fn what_was_acknowledged_survives_a_crash_at_every_step() {
    let whole = SimDisk::new();
    let all_done = work(&whole);
    assert_eq!(all_done.acknowledged, all_done.handed.len() as u64);
    let operations = whole.operations();
    let mut torn = 0;
    for operation in 0..operations {
        let disk = SimDisk::new();
        disk.fail_from(operation);
        let done = work(&disk);
        for seed in 0..6 {
            let what = format!("operation {operation}, seed {seed}");
            let after = disk.crash(operation * 100 + seed);
            torn += u32::from(check_after(&after, &done, &what));
        }
    }
    // The test must have seen what it is for.
    assert!(torn > 10, "{torn} torn tails of {operations} operations");
}

#[test]
fn a_crash_during_recovery_is_recovered_from() {
    let whole = SimDisk::new();
    work(&whole);
    let mut interrupted = 0;
    for operation in (10..whole.operations()).step_by(4) {
        let disk = SimDisk::new();
        disk.fail_from(operation);
        let done = work(&disk);
        let after = disk.crash(operation);
        for step in (operation % 3..60).step_by(3) {
            let again = after.copy();
            again.fail_from(step);
            interrupted += u32::from(Journal::open(again.clone(), SMALL).is_err());
            let what = format!("operation {operation}, step {step} of recovery");
            check_after(&again.crash(step), &done, &what);
        }
    }
    assert!(interrupted > 10);
}

#[test]
fn a_failed_sync_consumes_the_journal_and_says_where() {
    let disk = SimDisk::new();
    let journal = create(disk.clone());
    disk.fail_from(disk.operations() + 1);
    let error = journal
        .append(vec![step(vec![record(1, 10, 1)])])
        .map(|_| ())
        .unwrap_err();
    assert!(matches!(&error, Fatal::Io { doing: "syncing", file, .. } if file.ends_with(".seg")));
}

#[test]
fn a_step_without_facts_writes_nothing_and_is_released() {
    let disk = SimDisk::new();
    let journal = create(disk.clone());
    let before = disk.operations();
    let (journal, settled) = journal.append(vec![step(vec![]), step(vec![])]).unwrap();
    assert_eq!(disk.operations(), before);
    assert_eq!(settled.len(), 2);
    assert_eq!(settled[0].gated[0].inner(), &1);
    assert_eq!((settled[1].position.0, journal.size()), (1, 1));
}

#[test]
fn a_zeroed_tail_is_durable_before_the_journal_goes_on_in_another_segment() {
    let disk = SimDisk::new();
    let journal = create(disk.clone());
    let (journal, _) = journal
        .append(vec![step(vec![record(1, 30_000, 1)])])
        .unwrap();
    drop(journal);
    // The batch is torn, durably so.
    let path = "journal/00000000000000000000.seg";
    disk.corrupt(path, |bytes| bytes[3 * 4096..4 * 4096].fill(0));
    let (journal, found) = Journal::open(disk.clone(), SMALL).unwrap();
    assert!(found.torn_tail.is_some());
    let (journal, _) = journal
        .append(vec![step(vec![record(2, 20_000, 1)])])
        .unwrap();
    let (journal, _) = journal
        .append(vec![step(vec![record(3, 40_000, 1)])])
        .unwrap();
    drop(journal);
    for seed in 0..20 {
        let (_, found) = Journal::open(disk.crash(seed), SMALL).unwrap();
        assert_eq!((found.size, found.torn_tail), (3, None));
    }
    // The same where the very next batch goes into another segment.
    let disk = SimDisk::new();
    let journal = create(disk.clone());
    let (journal, _) = journal
        .append(vec![step(vec![record(1, 20_000, 1)])])
        .unwrap();
    let (journal, _) = journal
        .append(vec![step(vec![record(2, 20_000, 1)])])
        .unwrap();
    drop(journal);
    disk.corrupt(path, |bytes| bytes[9 * 4096..10 * 4096].fill(0));
    let (journal, found) = Journal::open(disk.clone(), SMALL).unwrap();
    assert_eq!((found.size, found.torn_tail.is_some()), (2, true));
    let (journal, _) = journal
        .append(vec![step(vec![record(3, 40_000, 1)])])
        .unwrap();
    drop(journal);
    for seed in 0..20 {
        let (_, found) = Journal::open(disk.crash(seed), SMALL).unwrap();
        assert_eq!((found.size, found.torn_tail), (3, None));
    }
}
