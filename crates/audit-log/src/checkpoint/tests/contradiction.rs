use super::*;
use crate::merkle::{consistency_proof, contradiction_path, node_hash};
use abeng_wire::{encode, v1};
use std::convert::Infallible;

/// The leaves of two logs that are one up to `fork`.
fn leaf(index: u64, fork: u64, branch: u8) -> LeafHash {
    let branch = if index < fork { 0 } else { branch };
    leaf_hash(&[&index.to_be_bytes()[..], &[branch]].concat())
}

fn node(level: u32, index: u64, fork: u64, branch: u8) -> LeafHash {
    match level {
        0 => leaf(index, fork, branch),
        _ => node_hash(
            &node(level - 1, 2 * index, fork, branch),
            &node(level - 1, 2 * index + 1, fork, branch),
        ),
    }
}

fn checkpoint(size: u64, fork: u64, branch: u8) -> Checkpoint {
    let mut frontier = Frontier::new();
    (0..size).for_each(|i| frontier.push(leaf(i, fork, branch)));
    let key = network().keys("TT").log();
    Checkpoint::sign(&network().origin("TT"), size, frontier.root(), &**key).unwrap()
}

fn path(old: u64, new: u64, fork: u64, branch: u8) -> Vec<LeafHash> {
    let mut node = |level, index| Ok::<_, Infallible>(node(level, index, fork, branch));
    let Ok(path) = contradiction_path(old, new, &mut node);
    path
}

#[test]
fn every_small_fork_is_proved_and_no_growth_is() {
    let roster = &network().trust.roster;
    for n in 1..=9 {
        for m in 1..=n {
            for fork in 0..=n {
                let (small, large) = (checkpoint(m, fork, 1), checkpoint(n, fork, 2));
                let path = path(m, n, fork, 2);
                let proved = Contradiction::prove(&small, &large, &path);
                assert_eq!(proved.is_ok(), fork < m, "{m} {n} {fork}: {proved:?}");
                if let Ok(proved) = proved {
                    let again = Contradiction::prove(&large, &small, &path).unwrap();
                    assert_eq!(again.bytes(), proved.bytes());
                    assert_eq!(Contradiction::verify(&proved.bytes(), roster), Ok(proved));
                }
            }
        }
    }
}

#[test]
fn an_ordinary_consistency_proof_does_not_prove_it_for_a_power_of_two() {
    let (small, large) = (checkpoint(4, 1, 1), checkpoint(7, 1, 2));
    let mut node = |level, index| Ok::<_, Infallible>(node(level, index, 1, 2));
    let Ok(ordinary) = consistency_proof(4, 7, &mut node);
    assert!(Contradiction::prove(&small, &large, &ordinary).is_err());
    assert!(Contradiction::prove(&small, &large, &path(4, 7, 1, 2)).is_ok());
}

#[test]
fn what_proves_nothing_is_refused() {
    let rule = |one: &Checkpoint, other: &Checkpoint, path: &[LeafHash]| match Contradiction::prove(
        one, other, path,
    ) {
        Err(ContradictionError::Rule { rule }) => rule,
        other => panic!("{other:?}"),
    };
    let (small, large) = (checkpoint(4, 1, 1), checkpoint(7, 1, 2));
    // Another branch's path leads to neither note; a path that fits both is none.
    assert!(rule(&small, &large, &path(4, 7, 1, 1)).contains("larger"));
    assert!(rule(&small, &checkpoint(7, 1, 1), &path(4, 7, 1, 1)).contains("another root"));
    assert!(rule(&small, &small, &[]).contains("differ"));
    let empty = checkpoint(0, 0, 1);
    assert!(rule(&empty, &large, &path(1, 7, 1, 2)).contains("empty"));
    let same = checkpoint(7, 1, 3);
    assert!(Contradiction::prove(&same, &large, &[]).is_ok());
    assert!(rule(&same, &large, &path(4, 7, 1, 2)).contains("no path"));
    // Not of one log.
    let key = network().keys("JM").log();
    let other = Checkpoint::sign(&network().origin("JM"), 7, same.root(), &**key).unwrap();
    assert!(rule(&other, &large, &[]).contains("one log"));
}

#[test]
fn its_encoding_is_the_only_one() {
    let roster = &network().trust.roster;
    let proved = Contradiction::prove(
        &checkpoint(4, 1, 1),
        &checkpoint(7, 1, 2),
        &path(4, 7, 1, 2),
    );
    let proved = proved.unwrap();
    let refused =
        |said: v1::Contradiction| Contradiction::verify(&encode(&said), roster).unwrap_err();
    let good = proved.message();
    let swapped = v1::Contradiction {
        first: good.second.clone(),
        second: good.first.clone(),
        ..good.clone()
    };
    assert!(matches!(refused(swapped), ContradictionError::Rule { .. }));
    let mut short = good.clone();
    short.path[0] = Bytes::from_static(b"short");
    assert!(matches!(refused(short), ContradictionError::Proof(_)));
    let key = network().keys("JM").log();
    let forged = Checkpoint::sign(&network().origin("TT"), 4, leaf(0, 0, 9), &**key).unwrap();
    let unsigned = v1::Contradiction {
        first: forged.note().clone(),
        ..good
    };
    assert_eq!(
        refused(unsigned),
        ContradictionError::Note(NoteError::Unsigned)
    );
}

proptest! {
    #[test]
    fn one_changed_byte_proves_nothing_else(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let roster = &network().trust.roster;
        let proved = Contradiction::prove(&checkpoint(4, 1, 1), &checkpoint(7, 1, 2), &path(4, 7, 1, 2)).unwrap();
        let mut bytes = proved.bytes().to_vec();
        let at = at.index(bytes.len());
        let same = bytes[at] == byte;
        bytes[at] = byte;
        prop_assert_eq!(Contradiction::verify(&bytes.into(), roster).is_ok(), same);
    }
}
