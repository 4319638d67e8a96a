use super::{empty_root, node_hash};
use abeng_wire::{LeafHash, limits};

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The leaf lies beyond the tree.
    #[error("leaf {index} is not in a tree of {size} leaves")]
    Beyond {
        /// The leaf.
        index: u64,
        /// Leaves of the tree.
        size: u64,
    },
    /// The empty tree proves nothing about another; sizes never fall.
    #[error("no proof leads from a tree of {old} leaves to one of {new}")]
    Sizes {
        /// The older size.
        old: u64,
        /// The newer size.
        new: u64,
    },
    /// Too few or too many hashes.
    #[error("a proof of {found} hashes has the wrong length")]
    Length {
        /// Hashes given.
        found: usize,
    },
    /// The hashes lead elsewhere.
    #[error("the proof leads to another root")]
    Root,
}

/// The root that an audit path leads to from leaf `index` of `size` (RFC 9162 §2.1.3.2).
pub fn root_from_inclusion(
    leaf: &LeafHash,
    index: u64,
    size: u64,
    proof: &[LeafHash],
) -> Result<LeafHash, ProofError> {
    if index >= size {
        return Err(ProofError::Beyond { index, size });
    }
    check_length(proof)?;
    let wrong = ProofError::Length { found: proof.len() };
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(wrong);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 { Err(wrong) } else { Ok(hash) }
}

/// Checks that `leaf` is leaf `index` of the tree with `size` leaves and this root.
pub fn verify_inclusion(
    leaf: &LeafHash,
    index: u64,
    size: u64,
    proof: &[LeafHash],
    root: &LeafHash,
) -> Result<(), ProofError> {
    if root_from_inclusion(leaf, index, size, proof)? == *root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

/// Checks that the tree `new` begins with the tree `old`, each a size and a root (RFC 9162
/// §2.1.4.2). Size 0 is refused: nothing follows from it.
pub fn verify_consistency(
    old: (u64, &LeafHash),
    new: (u64, &LeafHash),
    proof: &[LeafHash],
) -> Result<(), ProofError> {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size == 0 || old_size > new_size {
        let (old, new) = (old_size, new_size);
        return Err(ProofError::Sizes { old, new });
    }
    check_length(proof)?;
    let wrong = ProofError::Length { found: proof.len() };
    if old_size == new_size {
        return match (proof.is_empty(), old_root == new_root) {
            (false, _) => Err(wrong),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    let (start, rest) = match proof {
        rest if old_size.is_power_of_two() => (*old_root, rest),
        [start, rest @ ..] => (*start, rest),
        [] => return Err(wrong),
    };
    let (as_old, as_new) = both_roots(old_size, new_size, start, rest)?;
    if as_old == *old_root && as_new == *new_root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

/// The roots of the trees of `old` and of `new` leaves that the path SUBPROOF(old, D\[new\], false)
/// leads to (RFC 6962 §2.1.2). Unlike a consistency proof it always begins with a subtree of the
/// old tree, so both roots follow from the path alone: who knows another root of `old` beside
/// this root of `new` knows two trees that cannot both be the log's.
pub fn roots_from_consistency(
    old: u64,
    new: u64,
    path: &[LeafHash],
) -> Result<(LeafHash, LeafHash), ProofError> {
    if old == 0 || old >= new {
        return Err(ProofError::Sizes { old, new });
    }
    check_length(path)?;
    match path {
        [start, rest @ ..] => both_roots(old, new, *start, rest),
        [] => Err(ProofError::Length { found: 0 }),
    }
}

/// RFC 9162 §2.1.4.2 from its third step on: `start` is the last complete subtree of the old tree.
fn both_roots(
    old: u64,
    new: u64,
    start: LeafHash,
    rest: &[LeafHash],
) -> Result<(LeafHash, LeafHash), ProofError> {
    let wrong = ProofError::Length { found: rest.len() };
    let (mut node, mut last) = (old - 1, new - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut as_old, mut as_new) = (start, start);
    for sibling in rest {
        if last == 0 {
            return Err(wrong);
        }
        if node & 1 == 1 || node == last {
            as_old = node_hash(sibling, &as_old);
            as_new = node_hash(sibling, &as_new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            as_new = node_hash(&as_new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        Err(wrong)
    } else {
        Ok((as_old, as_new))
    }
}

/// The witness's check, which also lets a log begin: from the empty tree, whose root must be
/// named rightly, an empty proof leads to any tree (C2SP tlog-witness).
pub fn verify_witness_consistency(
    old: (u64, &LeafHash),
    new: (u64, &LeafHash),
    proof: &[LeafHash],
) -> Result<(), ProofError> {
    if old.0 > 0 {
        return verify_consistency(old, new, proof);
    }
    if !proof.is_empty() {
        Err(ProofError::Length { found: proof.len() })
    } else if *old.1 != empty_root() || (new.0 == 0 && *new.1 != empty_root()) {
        Err(ProofError::Root)
    } else {
        Ok(())
    }
}

fn check_length(proof: &[LeafHash]) -> Result<(), ProofError> {
    if proof.len() > limits::PROOF_HASHES {
        return Err(ProofError::Length { found: proof.len() });
    }
    Ok(())
}
