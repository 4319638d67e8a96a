//! Proofs that an attachment has come to a recipient.

use super::Engine;
use crate::{Free, Plan, Proven};
use abeng_wire::{Digest, Now, SignedBytes, limits, v1};

impl Engine {
    /// A file of it has come there, which the caller has found among its files. It settles nothing
    /// either. Taken once for each file.
    pub(super) fn file_proven(&mut self, now: Now, proven: Box<Proven>, plan: &mut Plan) {
        let leaf = proven.receipt.leaf.clone();
        let Ok(leaf) = SignedBytes::<v1::Leaf>::parse("leaf", leaf, limits::LEAF) else {
            return;
        };
        // Without a subject it is about the envelope, whose outcome has a receipt of its own.
        let Some(file) = Digest::from_slice(&leaf.message().subject) else {
            return;
        };
        let key = (proven.envelope_id, proven.place.recipient, file);
        if proven.settled.is_some() || self.files.get(&key).is_some() {
            return;
        }
        if !self.files.covered_by(proven.looked) {
            return plan.free.push(Free::ProveAgain(proven));
        }
        let leaf = self.take_receipt(now, *proven, plan);
        self.files.insert(key, leaf);
    }
}
