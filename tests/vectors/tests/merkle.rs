//! RFC 6962 proofs, good and bad, against `audit_log::merkle`.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use abeng_audit_log::merkle::{verify_consistency, verify_inclusion, verify_witness_consistency};
use abeng_wire::LeafHash;
use data_encoding::BASE64;
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    fs,
    path::{Path, PathBuf},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inclusion {
    leaf_idx: u64,
    tree_size: u64,
    root: Option<String>,
    leaf_hash: Option<String>,
    proof: Option<Vec<String>>,
    desc: String,
    want_err: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Consistency {
    size1: u64,
    size2: u64,
    root1: Option<String>,
    root2: Option<String>,
    proof: Option<Vec<String>>,
    desc: String,
    want_err: bool,
}

fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, out),
            false => out.push(path),
        }
    }
}

fn cases<T: DeserializeOwned>(folder: &str) -> Vec<(PathBuf, T)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data/merkle")
        .join(folder);
    let mut paths = Vec::new();
    files(&root, &mut paths);
    paths.sort();
    let read = |path: PathBuf| {
        let case = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        (path, case)
    };
    paths.into_iter().map(read).collect()
}

/// A missing or empty hash does not get past our types. A word that stands for any hash or a
/// wrong one (`don't care 1`, `WrongRoot`) is filled up to 32 bytes, so that the check itself
/// has to judge it.
fn hash(text: &Option<String>) -> Option<LeafHash> {
    let text = text.as_deref().unwrap_or_default();
    let mut bytes = BASE64.decode(text.as_bytes()).unwrap();
    if (1..32).contains(&bytes.len()) {
        bytes.resize(32, 0);
    }
    LeafHash::from_slice(&bytes)
}

fn proof(list: &Option<Vec<String>>) -> Option<Vec<LeafHash>> {
    let list = list.iter().flatten();
    list.map(|text| hash(&Some(text.clone()))).collect()
}

#[derive(Default, Debug, PartialEq)]
struct Count {
    good: usize,
    refused: usize,
    refused_by_length: usize,
}

impl Count {
    /// `checked`: none where a hash has another length than 32.
    fn add(&mut self, name: &str, want_err: bool, checked: Option<bool>) {
        assert_eq!(checked == Some(true), !want_err, "{name}");
        match checked {
            Some(true) => self.good += 1,
            Some(false) => self.refused += 1,
            None => self.refused_by_length += 1,
        }
    }
}

#[test]
fn inclusion_proofs() {
    let mut count = Count::default();
    for (path, case) in cases::<Inclusion>("inclusion") {
        let parts = (hash(&case.leaf_hash), proof(&case.proof), hash(&case.root));
        let checked = match parts {
            (Some(leaf), Some(proof), Some(root)) => {
                Some(verify_inclusion(&leaf, case.leaf_idx, case.tree_size, &proof, &root).is_ok())
            }
            _ => None,
        };
        let name = format!("{} ({})", path.display(), case.desc);
        count.add(&name, case.want_err, checked);
    }
    let expected = Count {
        good: 6,
        refused: 71,
        refused_by_length: 21,
    };
    assert_eq!(count, expected);
}

#[test]
fn consistency_proofs() {
    let mut count = Count::default();
    for (path, case) in cases::<Consistency>("consistency") {
        let parts = (hash(&case.root1), proof(&case.proof), hash(&case.root2));
        let name = format!("{} ({})", path.display(), case.desc);
        let checked = match parts {
            (Some(root1), Some(proof), Some(root2)) => {
                let (old, new) = ((case.size1, &root1), (case.size2, &root2));
                let general = verify_consistency(old, new, &proof).is_ok();
                let witness = verify_witness_consistency(old, new, &proof).is_ok();
                // The witness's entry differs for size 0 alone, and there needs an empty proof.
                match case.size1 {
                    0 => assert!(!witness || proof.is_empty(), "{name}"),
                    _ => assert_eq!(general, witness, "{name}"),
                }
                Some(general)
            }
            _ => None,
        };
        count.add(&name, case.want_err, checked);
    }
    let expected = Count {
        good: 6,
        refused: 84,
        refused_by_length: 8,
    };
    assert_eq!(count, expected);
}
