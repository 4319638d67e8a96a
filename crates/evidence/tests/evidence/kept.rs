//! Files of version 1 that were made once and must hold for ever.

use crate::fixture::NOTICE;
use abeng_evidence::{judge, verify};
use abeng_wire::Digest;
use bytes::Bytes;
use std::{fs, path::Path};

fn kept(name: &str) -> Bytes {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    fs::read(dir.join(name)).unwrap().into()
}

fn root() -> Digest {
    let text = kept("root.txt");
    Digest::from_hex(std::str::from_utf8(&text).unwrap().trim()).unwrap()
}

#[test]
fn what_was_made_once_holds_still() {
    let verdict = verify(&kept("disclosed.evidence"), Some(root())).unwrap();
    assert_eq!(verdict.content.as_deref(), Some(NOTICE));
    assert_eq!(verdict.recipients.len(), 2);
    let verdict = verify(&kept("proof.evidence"), Some(root())).unwrap();
    assert_eq!(verdict.content, None);
    let judged = judge(&kept("rewritten.contradiction"), Some(root())).unwrap();
    assert_eq!(judged.origin.party.as_str(), "TT");
    let sizes = (judged.contradiction.first(), judged.contradiction.second());
    assert_eq!((sizes.0.size(), sizes.1.size()), (5, 11));
}
