use super::{empty_root, node_hash};
use abeng_wire::LeafHash;

/// The root of the first `size` leaves. `node(level, index)` gives the root of the complete
/// subtree over the leaves `index << level ..` of `1 << level` leaves.
pub fn root_of<E>(
    size: u64,
    node: &mut impl FnMut(u32, u64) -> Result<LeafHash, E>,
) -> Result<LeafHash, E> {
    if size == 0 {
        return Ok(empty_root());
    }
    range(0, size, node)
}

/// The audit path of leaf `index` in the tree of `size` leaves (RFC 6962 §2.1.1), nearest sibling
/// first. Empty where `index >= size`: check before.
pub fn inclusion_proof<E>(
    index: u64,
    size: u64,
    node: &mut impl FnMut(u32, u64) -> Result<LeafHash, E>,
) -> Result<Vec<LeafHash>, E> {
    let mut proof = Vec::new();
    let (mut low, mut high) = (0, size);
    if index >= size {
        return Ok(proof);
    }
    while high - low > 1 {
        let split = low + split(high - low);
        if index < split {
            proof.push(range(split, high, node)?);
            high = split;
        } else {
            proof.push(range(low, split, node)?);
            low = split;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The consistency proof between the trees of `old` and `new` leaves (RFC 6962 §2.1.2). Empty
/// where the sizes are equal, or `old` is 0 or above `new`: check before.
pub fn consistency_proof<E>(
    old: u64,
    new: u64,
    node: &mut impl FnMut(u32, u64) -> Result<LeafHash, E>,
) -> Result<Vec<LeafHash>, E> {
    subproof(old, new, true, node)
}

/// The path SUBPROOF(old, D\[new\], false) of RFC 6962 §2.1.2: a consistency proof that also holds
/// the old tree's last complete subtree where `old` is a power of two. Empty as there.
pub fn contradiction_path<E>(
    old: u64,
    new: u64,
    node: &mut impl FnMut(u32, u64) -> Result<LeafHash, E>,
) -> Result<Vec<LeafHash>, E> {
    subproof(old, new, false, node)
}

/// SUBPROOF: `whole` while the old tree is exactly the left part looked at so far, and known.
fn subproof<E>(
    old: u64,
    new: u64,
    mut whole: bool,
    node: &mut impl FnMut(u32, u64) -> Result<LeafHash, E>,
) -> Result<Vec<LeafHash>, E> {
    let mut proof = Vec::new();
    if old == 0 || old >= new {
        return Ok(proof);
    }
    let (mut low, mut high) = (0, new);
    while old != high {
        let split = low + split(high - low);
        if old <= split {
            proof.push(range(split, high, node)?);
            high = split;
        } else {
            proof.push(range(low, split, node)?);
            low = split;
            whole = false;
        }
    }
    if !whole {
        proof.push(range(low, high, node)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The largest power of two below `count`, which is at least 2.
fn split(count: u64) -> u64 {
    1 << (u64::BITS - 1 - (count - 1).leading_zeros())
}

/// The root over `low..high`, where `low` is a multiple of the smallest power of two that is not
/// below the count: so it falls into complete subtrees, the largest first.
fn range<E>(
    low: u64,
    high: u64,
    node: &mut impl FnMut(u32, u64) -> Result<LeafHash, E>,
) -> Result<LeafHash, E> {
    let mut peaks = Vec::with_capacity(8);
    let mut at = low;
    while at < high {
        let level = u64::BITS - 1 - (high - at).leading_zeros();
        peaks.push(node(level, at >> level)?);
        at += 1 << level;
    }
    let mut peaks = peaks.into_iter().rev();
    let smallest = peaks.next().unwrap_or_default();
    Ok(peaks.fold(smallest, |right, left| node_hash(&left, &right)))
}
