//! The right edge of a tree, as tiles: what is not yet a full tile, level by level.

use super::tile::{HASH, LEVELS, Of, Tile, WIDTH};
use crate::merkle::{Frontier, node_hash};
use abeng_wire::LeafHash;

/// Hashes of the tiles that are not full yet. 64 KiB at most.
#[derive(Debug, Default)]
pub(super) struct Stack {
    size: u64,
    levels: Vec<Vec<LeafHash>>,
}

impl Stack {
    /// From the hashes of the tiles above level 0 at a size that ends level 0 evenly.
    pub(super) fn resume(size: u64, above: Vec<Vec<LeafHash>>) -> Self {
        let levels = [vec![Vec::new()], above].concat();
        Self { size, levels }
    }

    /// Leaves.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The compact range of the tree of these tiles.
    pub(super) fn frontier(&self) -> Frontier {
        let mut frontier = Frontier::new();
        for (level, hashes) in self.levels.iter().enumerate().rev() {
            for hash in hashes {
                frontier.push_subtree(8 * level as u32, *hash);
            }
        }
        frontier
    }

    /// Adds a leaf and gives the tiles that it fills.
    pub(super) fn push<E>(
        &mut self,
        leaf: LeafHash,
        mut filled: impl FnMut(Tile, &[LeafHash]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.size += 1;
        let mut node = leaf;
        for level in 0..LEVELS {
            if self.levels.len() <= level as usize {
                self.levels.push(Vec::with_capacity(WIDTH as usize));
            }
            let hashes = &mut self.levels[level as usize];
            hashes.push(node);
            if hashes.len() < WIDTH as usize {
                break;
            }
            let index = (self.size >> (8 * (level + 1))) - 1;
            filled(Tile::full(Of::Hashes(level), index), hashes)?;
            node = subtree(hashes);
            hashes.clear();
        }
        Ok(())
    }

    /// The tiles that are not full.
    pub(super) fn edge(&self) -> impl Iterator<Item = (Tile, &[LeafHash])> {
        let tile = |(level, hashes)| (Tile::edge(Of::Hashes(level), self.size), hashes);
        (0..)
            .zip(self.levels.iter().map(Vec::as_slice))
            .map(tile)
            .filter_map(|(tile, hashes)| Some((tile?, hashes)))
    }
}

/// The root over the hashes of a full tile, which are left as they are not needed any more.
fn subtree(hashes: &mut [LeafHash]) -> LeafHash {
    let mut width = hashes.len();
    while width > 1 {
        width /= 2;
        for i in 0..width {
            hashes[i] = node_hash(&hashes[2 * i], &hashes[2 * i + 1]);
        }
    }
    hashes[0]
}

/// The bytes of a tile.
pub(super) fn bytes(hashes: &[LeafHash]) -> Vec<u8> {
    let mut out = Vec::with_capacity(hashes.len() * HASH);
    hashes
        .iter()
        .for_each(|hash| out.extend_from_slice(&hash.0));
    out
}
