use super::*;

#[test]
fn a_step_larger_than_a_segment_stops_and_a_batch_larger_is_split() {
    let disk = SimDisk::new();
    let journal = create(disk.clone());
    let steps: Vec<Step<u64>> = (0..20).map(|i| step(vec![record(i, 9000, 3)])).collect();
    let (journal, settled) = journal.append(steps).unwrap();
    assert_eq!(settled.len(), 20);
    assert_eq!(journal.size(), 21);
    let (journal, found) = Journal::open(disk, SMALL).unwrap();
    assert_eq!(found.size, 21);
    let too_large = journal.append(vec![step(vec![record(1, 70_000, 1)])]);
    assert!(matches!(too_large, Err(Fatal::Invariant(_))));
}

#[test]
fn create_leaves_a_journal_alone_and_finishes_one_without_leaves() {
    let disk = SimDisk::new();
    drop(create(disk.clone()));
    let again = Journal::create(disk.clone(), identity(), SMALL, Batch::default());
    assert!(matches!(again, Err(OpenError::Exists { size: 1 })));
    assert!(matches!(
        Journal::open(SimDisk::new(), SMALL),
        Err(OpenError::Missing)
    ));
    disk.remove("journal/key");
    let without_key = Journal::create(disk, identity(), SMALL, Batch::default());
    assert!(matches!(without_key, Err(OpenError::Damaged { .. })));
}

#[test]
fn statements_outside_the_tree_are_carried_and_replaced() {
    let disk = SimDisk::new();
    let mut journal = create(disk.clone());
    let own = |note| Outside::OwnCheckpoint(Bytes::from_static(note));
    for outside in [
        vec![own(b"1"), held("a", b"1")],
        vec![own(b"2"), held("b", b"1")],
    ] {
        let batch: Batch<u64> = Batch {
            steps: vec![],
            outside,
        };
        journal = journal.append(batch).unwrap().0;
    }
    let root = journal.root();
    assert_eq!(journal.size(), 1);
    // Over many segments, the first ones of which hold no leaf.
    for _ in 0..60 {
        let outside = vec![held("c", b"1")];
        let batch: Batch<u64> = Batch {
            steps: vec![],
            outside,
        };
        journal = journal.append(batch).unwrap().0;
    }
    assert_eq!(journal.root(), root);
    // With good node hashes only the newest two segments are read.
    journal.close().unwrap();
    let (journal, found) = Journal::open(disk, SMALL).unwrap();
    assert_eq!(found.tiles_rebuilt, 0);
    let all_of_them = [own(b"2"), held("a", b"1"), held("b", b"1"), held("c", b"1")];
    assert_eq!(found.outside, all_of_them);
    let (journal, _) = journal.append(vec![step(vec![record(1, 10, 1)])]).unwrap();
    assert_eq!(all(&journal).len(), 2);
}

#[test]
fn segments_ahead_are_used() {
    let disk = SimDisk::new();
    let mut journal = create(disk.clone());
    let mut pauses = 0;
    for _ in 0..2 {
        journal
            .prepare_ahead()
            .unwrap()
            .run(|| pauses += 1)
            .unwrap();
    }
    assert!(pauses > 0 && journal.prepare_ahead().is_none());
    assert_eq!(journal.reserve().0, 2);
    // One that is given up makes room for another.
    while journal.reserve().0 == 2 {
        journal = journal
            .append(vec![step(vec![record(1, 9000, 1)])])
            .unwrap()
            .0;
    }
    drop(journal.prepare_ahead().unwrap());
    assert!(journal.prepare_ahead().is_some());
    drop(journal);
    assert_eq!(Journal::open(disk, SMALL).unwrap().0.reserve().0, 1);
}

/// A large batch after a roll that carries statements once reached beyond its segment: it was
/// acknowledged, and the journal did not open again.
#[test]
fn a_batch_finds_room_behind_what_its_segment_carries() {
    for body in (20_000..62_000).step_by(1500) {
        let disk = SimDisk::new();
        let journal = create(disk.clone());
        let batch: Batch<u64> = Batch {
            steps: vec![],
            outside: vec![held("a", b"1")],
        };
        let journal = journal.append(batch).unwrap().0;
        let first = step(vec![record(1, 30_000, 1)]);
        let journal = journal.append(vec![first]).unwrap().0;
        let (size, large) = (journal.size(), step(vec![record(2, body, 1)]));
        let expected = match journal.append(vec![large]) {
            Ok((journal, _)) => journal.size(),
            Err(Fatal::Invariant(_)) if body > 40_000 => size,
            Err(e) => panic!("{body}: {e}"),
        };
        let (journal, found) = Journal::open(disk, SMALL).unwrap();
        assert_eq!(found.size, expected, "{body}");
        assert_eq!(found.outside, [held("a", b"1")]);
        assert_eq!(all(&journal).len() as u64, expected);
    }
}

#[test]
fn an_impossible_segment_length_is_refused() {
    for bytes in [0, 4096, 65_537, 2 << 30] {
        let options = OpenOptions {
            segment_bytes: bytes,
        };
        let refused = Journal::open(SimDisk::new(), options);
        assert!(matches!(refused, Err(OpenError::SegmentLength { .. })));
    }
}
