//! How a tree grew, told to somebody who keeps its compact range: only the subtrees since, and
//! of these none that the leaves at hand give already.

use super::{Frontier, ProofError, inclusion_proof, node_hash};
use abeng_wire::{LeafHash, limits};
use std::collections::BTreeMap;

/// A complete subtree: its level and its index among those of the level.
type Place = (u32, u64);

/// The roots of the maximal complete subtrees of the leaves `old..new` that hold none of `leaves`,
/// from left to right. With the compact range of the first `old` leaves and the hashes of `leaves`
/// they give the root of `new` leaves and the audit path of each leaf: see [`Growth::new`].
/// `leaves` is in ascending order; those outside of `old..new` do not matter.
pub fn growth_nodes<E>(
    old: u64,
    new: u64,
    leaves: &[u64],
    node: &mut impl FnMut(u32, u64) -> Result<LeafHash, E>,
) -> Result<Vec<LeafHash>, E> {
    let mut nodes = Vec::new();
    for place in places(old, new, leaves) {
        if let Part::Node((level, index)) = place {
            nodes.push(node(level, index)?);
        }
    }
    Ok(nodes)
}

/// A tree that has grown from a compact range, as far as its nodes are known.
#[derive(Debug)]
pub struct Growth {
    frontier: Frontier,
    nodes: BTreeMap<Place, LeafHash>,
}

impl Growth {
    /// Grows the tree of `from` to `size` leaves. `leaves` are some of the leaves since, each an
    /// index and a hash, in ascending order; `nodes` are those of [`growth_nodes`] for them. Says
    /// nothing about truth: compare [`Growth::frontier`]'s root with a signed one.
    pub fn new(
        from: &Frontier,
        size: u64,
        leaves: &[(u64, LeafHash)],
        nodes: &[LeafHash],
    ) -> Result<Self, ProofError> {
        let old = from.size();
        if old > size {
            return Err(ProofError::Sizes { old, new: size });
        }
        let found = nodes.len();
        let wrong = ProofError::Length { found };
        if found > limits::RECEIPT_NODES {
            return Err(wrong);
        }
        let ordered = leaves.is_sorted_by(|a, b| a.0 < b.0);
        let inside = leaves.iter().all(|(index, _)| (old..size).contains(index));
        if !ordered || !inside {
            let index = leaves.last().map_or(0, |leaf| leaf.0);
            return Err(ProofError::Beyond { index, size });
        }
        let indexes: Vec<u64> = leaves.iter().map(|leaf| leaf.0).collect();
        let mut growth = Self {
            frontier: from.clone(),
            nodes: peaks(from),
        };
        let (mut nodes, mut leaves) = (nodes.iter(), leaves.iter());
        for part in places(old, size, &indexes) {
            let (place, hash) = match part {
                Part::Node(place) => (place, nodes.next()),
                Part::Leaf(index) => ((0, index), leaves.next().map(|leaf| &leaf.1)),
            };
            growth.add(place, *hash.ok_or(wrong)?);
        }
        match nodes.next() {
            Some(_) => Err(wrong),
            None => Ok(growth),
        }
    }

    /// The compact range of the tree now.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The compact range of the tree now.
    pub fn into_frontier(self) -> Frontier {
        self.frontier
    }

    /// The audit path of a leaf that [`Growth::new`] was given; `None` for others.
    pub fn path(&self, index: u64) -> Option<Vec<LeafHash>> {
        self.nodes.get(&(0, index))?;
        let size = self.frontier.size();
        let known = |level, index| self.nodes.get(&(level, index)).copied().ok_or(());
        inclusion_proof(index, size, &mut { known }).ok()
    }

    /// Appends a complete subtree and remembers every node above it that is complete now.
    fn add(&mut self, (mut level, mut index): Place, hash: LeafHash) {
        self.nodes.insert((level, index), hash);
        self.frontier.push_subtree(level, hash);
        let mut node = hash;
        while index & 1 == 1 {
            let Some(left) = self.nodes.get(&(level, index - 1)) else {
                return;
            };
            node = node_hash(left, &node);
            level += 1;
            index >>= 1;
            self.nodes.insert((level, index), node);
        }
    }
}

/// The peaks of a compact range by their places.
fn peaks(frontier: &Frontier) -> BTreeMap<Place, LeafHash> {
    let (mut rest, mut at) = (frontier.size(), 0);
    let mut nodes = BTreeMap::new();
    for peak in frontier.peaks() {
        let level = u64::BITS - 1 - rest.leading_zeros();
        nodes.insert((level, at >> level), *peak);
        at += 1 << level;
        rest -= 1 << level;
    }
    nodes
}

/// A piece of the leaves `old..new`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Node(Place),
    Leaf(u64),
}

/// Cuts `old..new` into leaves and the maximal complete subtrees beside them, from left to right.
fn places(old: u64, new: u64, leaves: &[u64]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = old;
    for &leaf in leaves {
        if leaf < at || leaf >= new {
            continue;
        }
        subtrees(at, leaf, &mut parts);
        parts.push(Part::Leaf(leaf));
        at = leaf + 1;
    }
    subtrees(at, new, &mut parts);
    parts
}

/// The maximal complete subtrees of `at..end`.
fn subtrees(mut at: u64, end: u64, parts: &mut Vec<Part>) {
    while at < end {
        let room = u64::BITS - 1 - (end - at).leading_zeros();
        let level = at.trailing_zeros().min(room);
        parts.push(Part::Node((level, at >> level)));
        at += 1 << level;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::{inclusion_proof, leaf_hash, root_of};
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn hash(index: u64) -> LeafHash {
        leaf_hash(&index.to_be_bytes())
    }

    fn node(level: u32, index: u64) -> Result<LeafHash, Infallible> {
        match level {
            0 => Ok(hash(index)),
            _ => {
                let Ok(left) = node(level - 1, 2 * index);
                let Ok(right) = node(level - 1, 2 * index + 1);
                Ok(node_hash(&left, &right))
            }
        }
    }

    fn range(size: u64) -> Frontier {
        let mut frontier = Frontier::new();
        (0..size).for_each(|i| frontier.push(hash(i)));
        frontier
    }

    #[test]
    fn every_small_growth_gives_range_and_paths() {
        for new in 0..=17u64 {
            for old in 0..=new {
                // Every subset of up to the first ten leaves since.
                for set in 0..1u64 << (new - old).min(10) {
                    let leaves: Vec<u64> =
                        (old..new).filter(|i| set >> (i - old) & 1 == 1).collect();
                    let Ok(nodes) = growth_nodes(old, new, &leaves, &mut node);
                    let given: Vec<_> = leaves.iter().map(|i| (*i, hash(*i))).collect();
                    let growth = Growth::new(&range(old), new, &given, &nodes).unwrap();
                    assert_eq!(growth.frontier(), &range(new));
                    for index in leaves {
                        let Ok(path) = inclusion_proof(index, new, &mut node);
                        assert_eq!(growth.path(index), Some(path));
                    }
                }
            }
        }
    }

    #[test]
    fn two_leaves_side_by_side_need_little() {
        // A delivery in a log of a million leaves whose range is known: nothing but itself.
        let Ok(nodes) = growth_nodes(1 << 10, (1 << 10) + 2, &[1 << 10, (1 << 10) + 1], &mut node);
        assert_eq!(nodes, []);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let Ok(nodes) = growth_nodes(5, 12, &[7], &mut node);
        let grow = |size, leaves: &[(u64, LeafHash)], nodes: &[LeafHash]| {
            Growth::new(&range(5), size, leaves, nodes).map(|g| g.frontier().root())
        };
        let Ok(root) = root_of(12, &mut node);
        let good = [(7, hash(7))];
        assert_eq!(grow(12, &good, &nodes), Ok(root));
        assert!(grow(4, &[], &[]).is_err());
        assert!(grow(12, &good, &nodes[1..]).is_err());
        assert!(grow(12, &good, &[&nodes[..], &[root]].concat()).is_err());
        assert!(grow(12, &[(4, hash(4))], &nodes).is_err());
        assert!(grow(12, &[(12, hash(12))], &nodes).is_err());
        assert!(grow(12, &[(7, hash(7)), (7, hash(7))], &nodes).is_err());
        assert_ne!(grow(12, &[(7, hash(8))], &nodes), Ok(root));
        let many = vec![root; limits::RECEIPT_NODES + 1];
        assert!(grow(u64::MAX, &[], &many).is_err());
    }

    proptest! {
        #[test]
        fn large_trees_too(
            old in 0u64..3000, more in 0u64..600,
            picks in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let new = old + more;
            let mut leaves: Vec<u64> = picks.iter().filter(|_| more > 0)
                .map(|p| old + p.index(more as usize) as u64).collect();
            leaves.sort_unstable();
            leaves.dedup();
            let Ok(nodes) = growth_nodes(old, new, &leaves, &mut node);
            let given: Vec<_> = leaves.iter().map(|i| (*i, hash(*i))).collect();
            let growth = Growth::new(&range(old), new, &given, &nodes).unwrap();
            prop_assert_eq!(growth.frontier(), &range(new));
            for index in leaves {
                let Ok(path) = inclusion_proof(index, new, &mut node);
                prop_assert_eq!(growth.path(index), Some(path));
            }
        }
    }
}
