use super::{empty_root, node_hash};
use abeng_wire::LeafHash;

/// The compact range of a tree: its size and the roots of its complete subtrees, one for each bit
/// of the size. Enough to append and to compute the root; 2 KiB at most.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    // The largest subtree first, so that appending works at the end.
    peaks: Vec<LeafHash>,
}

impl Frontier {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// From a size and its peaks, the largest subtree first; `None` where their number is not the
    /// number of bits set in `size`.
    pub fn from_peaks(size: u64, largest_first: &[LeafHash]) -> Option<Self> {
        if size.count_ones() as usize != largest_first.len() {
            return None;
        }
        let peaks = largest_first.to_vec();
        Some(Self { size, peaks })
    }

    /// Leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the complete subtrees, the largest first.
    pub fn peaks(&self) -> &[LeafHash] {
        &self.peaks
    }

    /// Appends a leaf by its hash.
    pub fn push(&mut self, leaf: LeafHash) {
        self.push_subtree(0, leaf);
    }

    /// Appends a complete subtree of `1 << level` leaves by its root. The size must be a multiple
    /// of that many leaves, else the root becomes another one than that of any tree.
    pub(crate) fn push_subtree(&mut self, level: u32, root: LeafHash) {
        let mut node = root;
        let mut rest = self.size >> level;
        while rest & 1 == 1 {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
            }
            rest >>= 1;
        }
        self.peaks.push(node);
        self.size += 1 << level;
    }

    /// The root of the tree.
    pub fn root(&self) -> LeafHash {
        let mut peaks = self.peaks.iter().rev();
        let Some(&smallest) = peaks.next() else {
            return empty_root();
        };
        peaks.fold(smallest, |right, left| node_hash(left, &right))
    }
}
