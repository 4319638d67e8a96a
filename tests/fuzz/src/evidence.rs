//! What is handed to a court, read by somebody who trusts nobody.

use crate::world::{sender, world};
use abeng_evidence::{EvidenceFile, judge, kind_of, verify};
use bytes::Bytes;

/// An evidence file from anyone. What is believed about the fixture's envelope must be true.
pub fn file(data: &[u8]) -> bool {
    let file = Bytes::copy_from_slice(data);
    let _ = kind_of(&file);
    let _ = judge(&file, None);
    let pinned = world().founding.root_digest;
    let _ = verify(&file, None);
    let verdict = verify(&file, Some(pinned));
    assert!(verdict.iter().all(|v| v.originator.party == sender()), "I4");
    verdict.is_ok()
}

/// A file that is right.
pub fn files() -> Vec<Vec<u8>> {
    let (world, sealed) = (world(), &world().sealed);
    let file = EvidenceFile {
        roots: world.founding.bundle.roots.clone(),
        rosters: world.founding.bundle.rosters.clone(),
        hdr: sealed.hdr().bytes().clone(),
        sig: sealed.sig().clone(),
        disclosed: None,
        own: vec![world.own.clone()],
        receipts: Vec::new(),
    };
    let built = file.build().expect("the fixture's file holds");
    vec![built.to_vec()]
}
