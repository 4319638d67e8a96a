//! Abeng's Merkle audit log: journal, checkpoints, proofs, receipts.
