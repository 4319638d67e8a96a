//! The list of bugs fits the tree as it is.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use abeng_planted::bugs;
use std::path::Path;

#[test]
fn every_bug_can_be_planted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let bugs = bugs().unwrap();
    assert!(bugs.len() >= 12, "only {} bugs", bugs.len());
    for bug in bugs {
        let before = std::fs::read_to_string(root.join(&bug.file)).unwrap();
        let after = bug.plant(&root).unwrap_or_else(|e| panic!("{e}"));
        assert_ne!(before, after, "{}", bug.name);
        assert!(!bug.verdict.is_empty(), "{}", bug.name);
    }
}
