//! The view on sled does what the view in memory does, also behind the overlay and across
//! restarts; and whatever is done to its files, opening ends in a usable view.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use abeng_queue::{
    Applied, BATCH, MemView, Overlay, RebuildReason, RowChange, SledView, Trusting, View, ViewError,
};
use abeng_wire::{Incarnation, LeafIndex};
use proptest::prelude::*;
use std::{collections::BTreeMap, fs, path::Path};

const LIFE: Incarnation = Incarnation(5);

fn trusting(boot: &str, clean: bool, size: u64) -> Trusting {
    Trusting {
        boot_id: boot.to_owned(),
        clean,
        size,
        incarnation: LIFE,
    }
}

fn applied(position: u64) -> Applied {
    Applied {
        position: LeafIndex(position),
        incarnation: LIFE,
    }
}

fn set(key: &[u8], value: &[u8]) -> RowChange {
    RowChange {
        key: key.to_vec(),
        value: Some(value.to_vec()),
        fresh: false,
    }
}

#[derive(Debug, Clone)]
enum Op {
    /// One leaf: each key put, or deleted.
    Leaf(Vec<(u8, Option<u8>)>),
    /// The view thread takes a batch; writes it; says so.
    Take(u64),
    Written,
    /// The process ends and starts again.
    Reopen {
        close: bool,
    },
    Scan(u8, u8, bool, usize),
}

fn op() -> impl Strategy<Value = Op> {
    let change = (0..8u8, proptest::option::weighted(0.6, any::<u8>()));
    prop_oneof![
        10 => proptest::collection::vec(change, 0..5).prop_map(Op::Leaf),
        4 => (0..4u64).prop_map(Op::Take),
        4 => Just(Op::Written),
        1 => any::<bool>().prop_map(|close| Op::Reopen { close }),
        6 => (0..4u8, 4..9u8, any::<bool>(), 0..6usize).prop_map(|(a, b, r, n)| Op::Scan(a, b, r, n)),
    ]
}

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

fn model_scan(
    rows: &Rows,
    from: &[u8],
    to: &[u8],
    reverse: bool,
    limit: usize,
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let inside = rows.iter().filter(|(k, _)| from <= &k[..] && &k[..] < to);
    let mut all: Vec<_> = inside.map(|(k, v)| (k.clone(), v.clone())).collect();
    if reverse {
        all.reverse();
    }
    all.truncate(limit);
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Behind the overlay both views say what one map says; alone, each is exactly the fold of
    /// the leaves below its position, but for rows that a later leaf has deleted.
    #[test]
    fn both_views_are_one_map(ops in proptest::collection::vec(op(), 1..80)) {
        let dir = tempfile::tempdir().unwrap();
        let open = |size| SledView::open(dir.path(), &trusting("boot", false, size)).unwrap();
        let (mut sled, mut mem) = (open(0).0, MemView::new());
        let mut overlay = Overlay::new(LIFE, LeafIndex(0));
        let mut history: Vec<(Vec<RowChange>, Rows)> = vec![(Vec::new(), Rows::new())];
        for op in ops {
            let (_, rows) = history.last().unwrap();
            let mut rows = rows.clone();
            match op {
                Op::Leaf(changes) => {
                    let changes: BTreeMap<u8, Option<u8>> = changes.into_iter().collect();
                    let index = history.len() as u64 - 1;
                    let change = |(key, value): (u8, Option<u8>)| {
                        let key = vec![b'k', key];
                        let fresh = value.is_some() && !history.iter().any(|(_, r)| r.contains_key(&key));
                        RowChange { key, value: value.map(|v| vec![v]), fresh }
                    };
                    let changes: Vec<RowChange> = changes.into_iter().map(change).collect();
                    for RowChange { key, value, .. } in changes.clone() {
                        match value {
                            Some(value) => rows.insert(key, value),
                            None => rows.remove(&key),
                        };
                    }
                    overlay.put(LeafIndex(index), changes.clone());
                    history.push((changes, rows));
                }
                Op::Take(behind) => {
                    let position = LeafIndex(overlay.position().0.saturating_sub(behind));
                    if let Some(batch) = overlay.take_older(position) {
                        prop_assert!(batch.changes.len() < BATCH);
                        prop_assert!(batch.changes.is_sorted_by(|a, b| a.key < b.key));
                        sled.apply(&batch.changes, batch.applied).unwrap();
                        mem.apply(&batch.changes, batch.applied).unwrap();
                        let below = &history[batch.applied.position.0 as usize].1;
                        for (key, value) in below {
                            let there = mem.get(key).unwrap();
                            let deleted_later = !rows.contains_key(key);
                            prop_assert!(there.as_ref() == Some(value) || (there.is_none() && deleted_later));
                        }
                    }
                }
                Op::Written => overlay.written(),
                Op::Reopen { close } => {
                    match close {
                        true => sled.close().unwrap(),
                        false => drop(sled),
                    }
                    let (again, reason) = open(history.len() as u64 - 1);
                    sled = again;
                    if let Some(reason) = reason {
                        prop_assert_eq!(reason, RebuildReason::NoPosition);
                        mem = MemView::new();
                    }
                    let position = mem.applied().unwrap().map_or(LeafIndex(0), |a| a.position);
                    overlay = Overlay::new(LIFE, position);
                    for (i, (changes, _)) in history.iter().skip(1).enumerate().skip(position.0 as usize) {
                        overlay.put(LeafIndex(i as u64), changes.clone());
                    }
                }
                Op::Scan(from, to, reverse, limit) => {
                    let (from, to) = ([b'k', from], [b'k', to]);
                    let expected = model_scan(&rows, &from, &to, reverse, limit);
                    for view in [&sled as &dyn abeng_queue::ScanView, &mem] {
                        prop_assert_eq!(&overlay.scan(view, &from, &to, reverse, limit).unwrap(), &expected);
                    }
                    prop_assert_eq!(
                        sled.scan(&from, &to, reverse, limit).unwrap(),
                        mem.scan(&from, &to, reverse, limit).unwrap()
                    );
                }
            }
            prop_assert_eq!(sled.applied().unwrap(), mem.applied().unwrap());
        }
    }
}

#[test]
fn a_row_settled_within_the_overlay_never_reaches_the_view() {
    let mut overlay = Overlay::new(LIFE, LeafIndex(0));
    let born = RowChange {
        fresh: true,
        ..set(b"Q1", b"v")
    };
    let gone = RowChange {
        key: b"Q1".to_vec(),
        value: None,
        fresh: false,
    };
    overlay.put(LeafIndex(0), vec![born.clone(), set(b"S1", b"queued")]);
    overlay.put(LeafIndex(1), vec![gone.clone(), set(b"S1", b"done")]);
    assert_eq!(overlay.get(b"Q1"), None);
    let batch = overlay.take_older(LeafIndex(2)).unwrap();
    assert_eq!(batch.changes, [set(b"S1", b"done")]);
    assert_eq!(batch.applied, applied(2));
    overlay.written();
    assert!(overlay.is_empty() && overlay.rows() == 0);

    // Once the view may have it, the deletion must reach it too.
    overlay.put(LeafIndex(2), vec![born]);
    let batch = overlay.take_older(LeafIndex(3)).unwrap();
    assert!(
        overlay.take_older(LeafIndex(9)).is_none(),
        "one batch at a time"
    );
    overlay.put(LeafIndex(3), vec![gone.clone()]);
    assert_eq!(overlay.get(b"Q1"), Some(None));
    assert_eq!(batch.changes.len(), 1);
    overlay.written();
    assert_eq!(overlay.get(b"Q1"), Some(None));
    assert_eq!(overlay.take_older(LeafIndex(4)).unwrap().changes, [gone]);
}

/// The view must be able to stop at every generation's end, so an older one keeps its value,
/// and then the deletion has to reach the view as well.
#[test]
fn a_row_that_spans_two_batches_is_written_and_deleted_by_them() {
    let mut overlay = Overlay::new(LIFE, LeafIndex(0));
    let born = RowChange {
        fresh: true,
        ..set(b"Q1", b"old")
    };
    overlay.put(LeafIndex(0), vec![born]);
    for i in 1..300u64 {
        overlay.put(LeafIndex(i), vec![set(&i.to_be_bytes(), b"v")]);
    }
    overlay.put(LeafIndex(300), vec![set(b"Q1", b"new")]);
    let gone = RowChange {
        key: b"Q1".to_vec(),
        value: None,
        fresh: false,
    };
    overlay.put(LeafIndex(301), vec![gone.clone()]);
    let first = overlay.take_older(LeafIndex(302)).unwrap();
    assert!(first.changes.contains(&set(b"Q1", b"old")));
    overlay.written();
    let second = overlay.take_older(LeafIndex(302)).unwrap();
    assert!(second.changes.contains(&gone));
}

#[test]
fn the_overlay_hands_out_small_batches_that_end_at_a_leaf() {
    let mut overlay = Overlay::new(LIFE, LeafIndex(0));
    for i in 0..1_000u64 {
        let row = |k: u8| set(&[&[k][..], &i.to_be_bytes()].concat(), b"v");
        overlay.put(LeafIndex(i), vec![row(1), row(2), row(3)]);
    }
    let mut rows = 0;
    let mut position = 0;
    while let Some(batch) = overlay.take_older(LeafIndex(1_000)) {
        let leaves = batch.applied.position.0 - position;
        assert_eq!(batch.changes.len() as u64, 3 * leaves);
        assert!(batch.changes.len() < BATCH);
        (rows, position) = (rows + batch.changes.len(), batch.applied.position.0);
        overlay.written();
    }
    assert_eq!((rows, position), (3_000, 1_000));
}

#[test]
fn a_large_batch_has_its_position_only_at_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let (mut view, reason) = SledView::open(dir.path(), &trusting("b", false, 9)).unwrap();
    assert_eq!(reason, Some(RebuildReason::Missing));
    let changes: Vec<_> = (0..1_000u32).map(|i| set(&i.to_be_bytes(), b"v")).collect();
    view.apply(&changes, applied(7)).unwrap();
    assert_eq!(view.applied().unwrap(), Some(applied(7)));
    assert_eq!(view.scan(&[0], &[1], false, 9_999).unwrap().len(), 1_000);
    view.apply(&[], applied(8)).unwrap();
    assert_eq!(view.applied().unwrap(), Some(applied(8)));
}

fn filled(dir: &Path, boot: &str) -> SledView {
    let (mut view, _) = SledView::open(dir, &trusting(boot, false, 9)).unwrap();
    for part in 0..8u32 {
        let row = |i: u32| set(&(part * 200 + i).to_be_bytes(), &[i as u8; 60]);
        let changes: Vec<_> = (0..200).map(row).collect();
        view.apply(&changes, applied(9)).unwrap();
    }
    view
}

fn reopened(dir: &Path, trusting: &Trusting) -> Option<RebuildReason> {
    let (view, reason) = SledView::open(dir, trusting).unwrap();
    let rows = view.scan(&[0], &[1], false, 9_999).unwrap().len();
    assert_eq!(rows, if reason.is_some() { 0 } else { 1_600 });
    assert!(!dir.join("OPENING").exists());
    reason
}

#[test]
fn only_one_boot_or_an_orderly_end_lets_a_view_be_believed() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (trusting("a", true, 9), trusting("b", true, 9));
    drop(filled(dir.path(), "a"));
    assert_eq!(reopened(dir.path(), &a), None);
    assert_eq!(reopened(dir.path(), &b), Some(RebuildReason::NotClosed));
    filled(dir.path(), "b").close().unwrap();
    assert_eq!(reopened(dir.path(), &a), None);
    // The mark was good for one opening.
    assert_eq!(reopened(dir.path(), &b), Some(RebuildReason::NotClosed));
    filled(dir.path(), "b").close().unwrap();
    let unclean = trusting("a", false, 9);
    assert_eq!(
        reopened(dir.path(), &unclean),
        Some(RebuildReason::NotClosed)
    );

    drop(filled(dir.path(), "a"));
    fs::write(dir.path().join("OPENING"), "").unwrap();
    assert_eq!(reopened(dir.path(), &a), Some(RebuildReason::OpeningFailed));
    drop(filled(dir.path(), "a"));
    let shorter = trusting("a", true, 8);
    assert_eq!(
        reopened(dir.path(), &shorter),
        Some(RebuildReason::AheadOfJournal {
            view: LeafIndex(9),
            journal: 8
        })
    );
    drop(filled(dir.path(), "a"));
    let other = Trusting {
        incarnation: Incarnation(6),
        ..a.clone()
    };
    assert_eq!(
        reopened(dir.path(), &other),
        Some(RebuildReason::OtherIncarnation(LIFE))
    );
    assert_eq!(reopened(dir.path(), &a), Some(RebuildReason::NoPosition));
}

/// Whatever lies in the files: opening gives a view that works, believed or begun anew.
#[test]
fn a_garbled_database_is_thrown_away_not_trusted() {
    let good = tempfile::tempdir().unwrap();
    drop(filled(good.path(), "a"));
    let mut rebuilt = 0;
    for round in 0..12usize {
        let dir = tempfile::tempdir().unwrap();
        copy(good.path(), dir.path());
        let file = dir
            .path()
            .join("db")
            .join(if round % 4 == 3 { "conf" } else { "db" });
        let mut bytes = fs::read(&file).unwrap();
        match round % 3 {
            0 => {
                let from = bytes.len() * round / 16;
                bytes
                    .iter_mut()
                    .skip(from)
                    .step_by(97)
                    .for_each(|b| *b ^= 0x55);
            }
            1 => bytes.truncate(bytes.len() * round / 16),
            _ => bytes.iter_mut().for_each(|b| *b = 0xa7),
        }
        fs::write(&file, bytes).unwrap();
        let opened = SledView::open(dir.path(), &trusting("a", true, 9));
        let (mut view, reason) = opened.unwrap();
        rebuilt += usize::from(reason.is_some());
        view.apply(&[set(b"k", b"v")], applied(1)).unwrap();
        assert_eq!(view.get(b"k").unwrap(), Some(b"v".to_vec()));
    }
    assert!(rebuilt >= 8, "only {rebuilt} of 12 were noticed");
}

// A file of sled's may go while it is copied: sled takes them away at its leisure, also after it was closed.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => {
                fs::create_dir(&target).unwrap();
                copy(&entry.path(), &target);
            }
            false => match fs::copy(entry.path(), &target) {
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                copied => _ = copied.unwrap(),
            },
        }
    }
}

#[test]
fn a_directory_that_cannot_be_used_is_said_and_not_rebuilt() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "mine").unwrap();
    let opened = SledView::open(&file.join("view"), &trusting("a", true, 9));
    assert!(matches!(opened.err(), Some(ViewError::Directory { .. })));
    assert_eq!(fs::read(&file).unwrap(), b"mine");
}
