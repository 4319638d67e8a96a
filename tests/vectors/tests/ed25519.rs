//! Edge cases of Ed25519 against `keys::VerifyKey`: which flags are refused, where, how often.
//!
//! Every case in the file satisfies *some* verifier in use. Abeng's rule lets through only what
//! every verifier agrees on: canonical, torsion-free keys of full order, signatures whose R is
//! canonical and not of low order, and the equation without cofactor.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use abeng_keys::{BadKey, VerifyKey};
use data_encoding::HEXLOWER;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Case {
    number: u32,
    key: String,
    sig: String,
    msg: String,
    flags: Option<Vec<String>>,
}

impl Case {
    fn has(&self, flag: &str) -> bool {
        self.flags.iter().flatten().any(|f| f == flag)
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../data/ed25519/ed25519vectors.json")).unwrap()
}

/// Refused when the key is admitted.
const OF_KEYS: [&str; 3] = ["low_order_A", "low_order_component_A", "non_canonical_A"];
/// Refused when the signature is verified. `low_order_component_R` is not here: in this file it
/// never stands without a flag of the key or `low_order_residue`.
const OF_SIGNATURES: [&str; 3] = ["low_order_R", "non_canonical_R", "low_order_residue"];
/// Every flag there is.
const ALL: [&str; 8] = [
    "low_order_A",
    "low_order_R",
    "low_order_component_A",
    "low_order_component_R",
    "low_order_residue",
    "non_canonical_A",
    "non_canonical_R",
    "reencoded_k",
];

#[test]
fn every_flag_is_refused_where_it_must_be() {
    let mut outcomes = BTreeMap::new();
    for case in cases() {
        for flag in case.flags.iter().flatten() {
            assert!(ALL.contains(&flag.as_str()), "an unknown flag: {flag}");
        }
        let key = HEXLOWER.decode(case.key.as_bytes()).unwrap();
        let sig = HEXLOWER.decode(case.sig.as_bytes()).unwrap();
        let number = case.number;
        let outcome = match VerifyKey::admit(&key) {
            Err(why) => {
                assert!(OF_KEYS.iter().any(|f| case.has(f)), "{number}: {why}");
                match why {
                    BadKey::NotCanonical => assert!(case.has("non_canonical_A"), "{number}"),
                    BadKey::Weak => assert!(case.has("low_order_A"), "{number}"),
                    BadKey::Torsion => assert!(case.has("low_order_component_A"), "{number}"),
                    other => panic!("{number}: {other}"),
                }
                "key refused"
            }
            Ok(key) => {
                assert!(
                    !OF_KEYS.iter().any(|f| case.has(f)),
                    "{number} was admitted"
                );
                let refused = OF_SIGNATURES.iter().any(|f| case.has(f));
                let held = key.verify_message(case.msg.as_bytes(), &sig).is_ok();
                assert_eq!(held, !refused, "{number}: {:?}", case.flags);
                match held {
                    true => "accepted",
                    false => "signature refused",
                }
            }
        };
        *outcomes.entry(outcome).or_insert(0) += 1;
    }
    let expected = [
        ("accepted", 1),
        ("key refused", 886),
        ("signature refused", 27),
    ];
    assert_eq!(outcomes, BTreeMap::from(expected));
}

/// Why ring verifies nothing that may become evidence.
#[test]
fn ring_accepts_what_the_strict_rule_refuses() {
    use ring::signature::{ED25519, UnparsedPublicKey};
    let accepted = cases().into_iter().filter(|case| {
        let key = HEXLOWER.decode(case.key.as_bytes()).unwrap();
        let sig = HEXLOWER.decode(case.sig.as_bytes()).unwrap();
        let key = UnparsedPublicKey::new(&ED25519, key);
        key.verify(case.msg.as_bytes(), &sig).is_ok()
    });
    // ring 0.17: only one of them is unobjectionable.
    assert_eq!(accepted.count(), 208);
}
