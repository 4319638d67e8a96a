use super::*;
use crate::{
    ScrubError,
    merkle::{Frontier, leaf_hash, verify_consistency, verify_inclusion},
};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Act {
    Append(Vec<Vec<(usize, u8)>>),
    Say(u8),
    Prepare,
    Reopen { cleanly: bool },
    LoseTiles(u8),
    Seal,
    Scrub(u8),
}

fn act() -> impl Strategy<Value = Act> {
    let size = prop_oneof![5 => 0usize..300, 2 => 300usize..5000, 1 => 5000usize..21_000];
    let fill = prop_oneof![Just(0u8), any::<u8>()];
    let step = prop::collection::vec((size, fill), 0..3);
    prop_oneof![
        8 => prop::collection::vec(step, 0..6).prop_map(Act::Append),
        1 => (0u8..3).prop_map(Act::Say),
        1 => Just(Act::Prepare),
        2 => any::<bool>().prop_map(|cleanly| Act::Reopen { cleanly }),
        1 => (0u8..4).prop_map(Act::LoseTiles),
        1 => Just(Act::Seal),
        2 => any::<u8>().prop_map(Act::Scrub),
    ]
}

fn garble_tiles(disk: &SimDisk, how: u8) {
    for name in disk.list("tiles").unwrap() {
        let path = format!("tiles/{name}");
        match how {
            0 => {
                disk.remove(&path);
            }
            1 => {
                disk.corrupt(&path, |bytes| bytes.iter_mut().for_each(|b| *b ^= 0x55));
            }
            2 => {
                disk.corrupt(&path, |bytes| bytes.truncate(bytes.len() / 2));
            }
            _ => {
                disk.corrupt(&path, |bytes| bytes.extend([1; 500]));
            }
        }
    }
}

/// Scrubs some of what lies in sealed segments; the others are named.
fn scrub(journal: &Journal<SimDisk>, model: &mut [Record], pick: u8) {
    let picked = |i: &u64| (i ^ u64::from(pick)).is_multiple_of(5);
    let mut indexes: Vec<LeafIndex> = (0..model.len() as u64)
        .filter(picked)
        .map(LeafIndex)
        .collect();
    let reader = journal.reader();
    let job = reader.scrub_job(&indexes).or_else(|refused| {
        let ScrubError::NotSealed { indexes: open } = refused else {
            panic!("{refused}");
        };
        indexes.retain(|index| !open.contains(index));
        reader.scrub_job(&indexes)
    });
    job.unwrap().run(|| ()).unwrap();
    for LeafIndex(index) in indexes {
        let record = &mut model[index as usize];
        let had = record.private.take().is_some() | record.body.take().is_some();
        let before = record.is_scrubbed();
        *record = record.clone().scrubbed(had || before);
    }
}

fn check_proofs(journal: &Journal<SimDisk>, model: &[Record]) {
    let reader = journal.reader();
    let size = model.len() as u64;
    let mut frontier = Frontier::new();
    let mut roots = vec![frontier.root()];
    for record in model {
        frontier.push(leaf_hash(record.leaf().bytes()));
        roots.push(frontier.root());
    }
    assert_eq!(reader.head().root, roots[model.len()]);
    assert_eq!(journal.root(), roots[model.len()]);
    for i in (0..size).step_by(1 + model.len() / 7) {
        let leaf = leaf_hash(model[i as usize].leaf().bytes());
        for n in [i + 1, size] {
            let path = reader.inclusion(LeafIndex(i), n).unwrap();
            verify_inclusion(&leaf, i, n, &path, &roots[n as usize]).unwrap();
        }
        let proof = reader.consistency(i + 1, size).unwrap();
        let old = &roots[i as usize + 1];
        verify_consistency((i + 1, old), (size, &roots[size as usize]), &proof).unwrap();
        assert_eq!(reader.root_at(i).unwrap(), roots[i as usize]);
    }
    let beyond = reader.inclusion(LeafIndex(size), size);
    assert!(matches!(beyond, Err(crate::ReadError::Beyond { .. })));
    assert!(reader.inclusion(LeafIndex(0), size + 1).is_err());
    assert!(reader.read(LeafIndex(size)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_journal_is_a_vec_that_survives(acts in prop::collection::vec(act(), 1..30)) {
        let disk = SimDisk::new();
        let mut journal = create(disk.clone());
        let mut model = vec![record(0, 0, 0)];
        let mut said = std::collections::BTreeMap::new();
        for act in acts {
            match act {
                Act::Append(steps) => {
                    let first = model.len() as u64;
                    let steps: Vec<Vec<Record>> = steps
                        .iter()
                        .map(|s| s.iter().map(|&(n, fill)| record(first, n, fill)).collect())
                        .collect();
                    model.extend(steps.iter().flatten().cloned());
                    let count = steps.len();
                    let batch: Vec<Step<u64>> = steps.into_iter().map(step).collect();
                    let (next, settled) = journal.append(batch).unwrap();
                    journal = next;
                    prop_assert_eq!(settled.len(), count);
                    let mut at = first;
                    for settled in &settled {
                        for fact in &settled.facts {
                            prop_assert_eq!(fact.index().0, at);
                            prop_assert_eq!(fact.fact(), model[at as usize].leaf());
                            prop_assert!(fact.tree_size() > at);
                            at += 1;
                        }
                        prop_assert_eq!(settled.position.0, at);
                        prop_assert_eq!(settled.gated.len(), 1);
                    }
                }
                Act::Say(n) => {
                    let origin = format!("log {n}");
                    let note = Bytes::from(format!("{} said", model.len()));
                    said.insert(origin.clone(), note.clone());
                    let outside = vec![Outside::HeldCheckpoint { origin, note, peaks: vec![] }];
                    let batch: Batch<u64> = Batch { steps: vec![], outside };
                    journal = journal.append(batch).unwrap().0;
                }
                Act::Prepare => {
                    if let Some(job) = journal.prepare_ahead() {
                        job.run(|| ()).unwrap();
                    }
                }
                Act::Reopen { cleanly } => {
                    if cleanly {
                        journal.close().unwrap();
                    }
                    let (next, found) = Journal::open(disk.clone(), SMALL).unwrap();
                    journal = next;
                    prop_assert_eq!(found.size, model.len() as u64);
                    prop_assert!(found.clean || !cleanly);
                    prop_assert_eq!(found.torn_tail, None);
                    let outside: Vec<Outside> = said
                        .iter()
                        .map(|(origin, note)| Outside::HeldCheckpoint { origin: origin.clone(), note: note.clone(), peaks: vec![] })
                        .collect();
                    prop_assert_eq!(found.outside, outside);
                }
                Act::Seal => journal = journal.seal_segment().unwrap(),
                Act::Scrub(pick) => scrub(&journal, &mut model, pick),
                Act::LoseTiles(how) => {
                    garble_tiles(&disk, how);
                    journal = Journal::open(disk.clone(), SMALL).unwrap().0;
                }
            }
        }
        prop_assert_eq!(&all(&journal), &model);
        check_proofs(&journal, &model);
        for from in [0, model.len() / 2, model.len() - 1, model.len()] {
            let scanned = journal.reader().scan(LeafIndex(from as u64)).count();
            prop_assert_eq!(scanned, model.len() - from);
        }
    }
}

#[test]
fn wrong_inner_nodes_are_found_when_used_and_gone_after_deleting_tiles() {
    let disk = SimDisk::new();
    let mut journal = create(disk.clone());
    let mut model = vec![record(0, 0, 0)];
    while journal.size() < 20_000 {
        let records: Vec<Record> = (0..200).map(|i| record(i, 0, 0)).collect();
        model.extend(records.clone());
        journal = journal.append(vec![step(records)]).unwrap().0;
    }
    journal.close().unwrap();
    disk.corrupt("tiles/02", |bytes| bytes[32 * 5] ^= 1);
    let (journal, found) = Journal::open(disk.clone(), SMALL).unwrap();
    assert_eq!(found.tiles_rebuilt, 0);
    let size = journal.size();
    let wrong = journal.reader().inclusion(LeafIndex(17), size);
    assert!(matches!(wrong, Err(crate::ReadError::Tiles)), "{wrong:?}");
    garble_tiles(&disk, 0);
    let (journal, found) = Journal::open(disk, SMALL).unwrap();
    assert!(found.tiles_rebuilt > 0);
    check_proofs(&journal, &model);
}
