//! The tree of RFC 6962 over SHA-256: hashing, compact ranges, proofs and their checks.
//! Pure: nodes come from a function, nothing is kept here.

mod frontier;
mod growth;
mod prove;
mod verify;

pub use frontier::Frontier;
pub use growth::{Growth, growth_nodes};
pub use prove::{consistency_proof, contradiction_path, inclusion_proof, root_of};
pub use verify::{
    ProofError, root_from_inclusion, roots_from_consistency, verify_consistency, verify_inclusion,
    verify_witness_consistency,
};

use abeng_wire::LeafHash;
use ring::digest::{Context, SHA256, digest};

/// The hash of a leaf: `SHA-256(0x00 ‖ bytes)` (RFC 6962 §2.1).
pub fn leaf_hash(leaf: &[u8]) -> LeafHash {
    let mut context = Context::new(&SHA256);
    context.update(&[0]);
    context.update(leaf);
    taken(context.finish().as_ref())
}

/// The hash of a node: `SHA-256(0x01 ‖ left ‖ right)` (RFC 6962 §2.1).
pub fn node_hash(left: &LeafHash, right: &LeafHash) -> LeafHash {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(&left.0);
    bytes[33..].copy_from_slice(&right.0);
    taken(digest(&SHA256, &bytes).as_ref())
}

/// The root of the empty tree: SHA-256 of nothing.
pub fn empty_root() -> LeafHash {
    taken(digest(&SHA256, b"").as_ref())
}

fn taken(bytes: &[u8]) -> LeafHash {
    let mut out = [0; 32];
    out.copy_from_slice(bytes);
    LeafHash(out)
}

#[cfg(test)]
mod tests;
