use super::*;
use proptest::prelude::*;
use std::convert::Infallible;

/// RFC 6962 §2.1, word for word.
fn naive(leaves: &[LeafHash]) -> LeafHash {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        many => {
            let k = many.len().next_power_of_two() / 2;
            node_hash(&naive(&many[..k]), &naive(&many[k..]))
        }
    }
}

fn naive_path(m: usize, leaves: &[LeafHash]) -> Vec<LeafHash> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (mut path, sibling) = if m < k {
        (naive_path(m, &leaves[..k]), naive(&leaves[k..]))
    } else {
        (naive_path(m - k, &leaves[k..]), naive(&leaves[..k]))
    };
    path.push(sibling);
    path
}

fn naive_subproof(m: usize, leaves: &[LeafHash], whole: bool) -> Vec<LeafHash> {
    if m == leaves.len() {
        return if whole { vec![] } else { vec![naive(leaves)] };
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (mut proof, sibling) = if m <= k {
        (naive_subproof(m, &leaves[..k], whole), naive(&leaves[k..]))
    } else {
        (
            naive_subproof(m - k, &leaves[k..], false),
            naive(&leaves[..k]),
        )
    };
    proof.push(sibling);
    proof
}

fn leaves(count: usize) -> Vec<LeafHash> {
    (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

fn nodes(leaves: &[LeafHash]) -> impl FnMut(u32, u64) -> Result<LeafHash, Infallible> + '_ {
    |level, index| {
        let from = (index as usize) << level;
        Ok(naive(&leaves[from..from + (1 << level)]))
    }
}

#[test]
fn every_small_tree_is_as_the_rfc_says() {
    let all = leaves(40);
    let mut frontier = Frontier::new();
    for size in 0..=all.len() {
        let tree = &all[..size];
        let root = naive(tree);
        assert_eq!(frontier.root(), root);
        assert_eq!(root_of(size as u64, &mut nodes(tree)), Ok(root));
        let again = Frontier::from_peaks(size as u64, frontier.peaks());
        assert_eq!(again.as_ref(), Some(&frontier));
        for m in 0..size {
            let Ok(path) = inclusion_proof(m as u64, size as u64, &mut nodes(tree));
            assert_eq!(path, naive_path(m, tree));
            let size = size as u64;
            assert_eq!(
                verify_inclusion(&tree[m], m as u64, size, &path, &root),
                Ok(())
            );
        }
        for old in 1..=size {
            let Ok(proof) = consistency_proof(old as u64, size as u64, &mut nodes(tree));
            assert_eq!(proof, naive_subproof(old, tree, true));
            let old_root = naive(&tree[..old]);
            let ends = ((old as u64, &old_root), (size as u64, &root));
            assert_eq!(verify_consistency(ends.0, ends.1, &proof), Ok(()));
            if old < size {
                let (m, n) = (old as u64, size as u64);
                let Ok(path) = contradiction_path(m, n, &mut nodes(tree));
                assert_eq!(path, naive_subproof(old, tree, false));
                assert_eq!(roots_from_consistency(m, n, &path), Ok((old_root, root)));
                let short = roots_from_consistency(m, n, &path[1..]);
                assert_ne!(short, Ok((old_root, root)));
                let long = [&path[..], &[root]].concat();
                assert!(roots_from_consistency(m, n, &long).is_err());
            }
            assert_eq!(verify_witness_consistency(ends.0, ends.1, &proof), Ok(()));
        }
        if let Some(leaf) = all.get(size) {
            frontier.push(*leaf);
        }
    }
}

#[test]
fn from_the_empty_tree_only_a_witness_goes_on() {
    let (empty, root) = (empty_root(), leaf_hash(b"a"));
    let ends = ((0, &empty), (1, &root));
    let refused = ProofError::Sizes { old: 0, new: 1 };
    assert_eq!(verify_consistency(ends.0, ends.1, &[]), Err(refused));
    assert_eq!(verify_witness_consistency(ends.0, ends.1, &[]), Ok(()));
    assert!(verify_witness_consistency(ends.0, ends.1, &[root]).is_err());
    assert!(verify_witness_consistency((0, &root), ends.1, &[]).is_err());
}

#[test]
fn no_roots_follow_from_the_empty_tree_or_from_sizes_that_do_not_grow() {
    let root = leaf_hash(b"a");
    for (old, new) in [(0, 0), (0, 1), (1, 1), (2, 1)] {
        let refused = Err(ProofError::Sizes { old, new });
        assert_eq!(roots_from_consistency(old, new, &[root]), refused);
    }
    assert!(roots_from_consistency(1, 2, &[]).is_err());
    assert!(roots_from_consistency(1, 2, &vec![root; 129]).is_err());
}

#[test]
fn published_roots() {
    // RFC 6962 test tree of the certificate-transparency project.
    let inputs: [&[u8]; 3] = [b"", &[0x00], &[0x10]];
    let mut frontier = Frontier::new();
    for input in inputs {
        frontier.push(leaf_hash(input));
    }
    let root = "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77";
    assert_eq!(frontier.root().to_string(), root);
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(empty_root().to_string(), empty);
}

proptest! {
    #[test]
    fn a_changed_proof_proves_nothing(
        size in 2usize..200, m in any::<prop::sample::Index>(), old in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(), bit in 0usize..256,
    ) {
        let tree = leaves(size);
        let root = naive(&tree);
        let m = m.index(size);
        let flip = |proof: &[LeafHash]| {
            let mut wrong = proof.to_vec();
            let at = at.index(wrong.len());
            wrong[at].0[bit / 8] ^= 1 << (bit % 8);
            wrong
        };
        let Ok(path) = inclusion_proof(m as u64, size as u64, &mut nodes(&tree));
        let verify = |index: usize, path: &[LeafHash]| verify_inclusion(&tree[m], index as u64, size as u64, path, &root);
        prop_assert_eq!(verify(m, &path), Ok(()));
        prop_assert!(verify(m, &flip(&path)).is_err());
        prop_assert!(verify(m, &path[1..]).is_err());
        prop_assert!(verify(m, &[&path[..], &[root]].concat()).is_err());
        prop_assert!(verify((m + 1) % size, &path).is_err());
        let old = old.index(size - 1) + 1;
        let old_root = naive(&tree[..old]);
        let Ok(proof) = consistency_proof(old as u64, size as u64, &mut nodes(&tree));
        let verify = |root: &LeafHash, proof: &[LeafHash]| {
            verify_consistency((old as u64, &old_root), (size as u64, root), proof)
        };
        prop_assert_eq!(verify(&root, &proof), Ok(()));
        prop_assert!(verify(&old_root, &proof).is_err());
        prop_assert!(verify(&root, &flip(&proof)).is_err());
        prop_assert!(verify(&root, &proof[1..]).is_err());
    }
}
