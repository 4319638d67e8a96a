//! Branches of TT's log, for tests of logs that contradict themselves.

use crate::{
    Checkpoint, LogOrigin,
    fixture::{INCARNATION, code, network},
    merkle::{Frontier, leaf_hash},
};
use abeng_wire::{Incarnation, LeafHash};

pub(crate) const LIFE: u64 = INCARNATION.0;

/// A life of TT's log.
pub(crate) fn origin(life: u64) -> LogOrigin {
    LogOrigin {
        network: network().trust.roster.network(),
        party: code("TT"),
        incarnation: Incarnation(life),
    }
}

/// Leaf hashes of a branch; all branches are one up to leaf 3.
pub(crate) fn leaf(index: u64, branch: u8) -> LeafHash {
    let branch = if index < 3 { 0 } else { branch };
    leaf_hash(&[&index.to_be_bytes()[..], &[branch]].concat())
}

pub(crate) fn range(size: u64, branch: u8) -> Frontier {
    let mut range = Frontier::new();
    (0..size).for_each(|i| range.push(leaf(i, branch)));
    range
}

/// TT's checkpoint of a branch of its log.
pub(crate) fn checkpoint(size: u64, branch: u8, life: u64) -> Checkpoint {
    let root = range(size, branch).root();
    let key = network().keys("TT").log().as_ref();
    Checkpoint::sign(&origin(life).to_string(), size, root, key).unwrap()
}
