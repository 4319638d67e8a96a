//! Wycheproof's cases against the code that Abeng runs: its own admission and verification where
//! it has one, else the very crate that is called.
//!
//! Every case that applies is run, and none may end otherwise than the vectors say. What does not
//! apply (a nonce of another size, a key form that Abeng never reads) is counted and said. The
//! numbers are fixed, so that vectors that are gone, or no longer run, are noticed.
//! `cargo test -p abeng-vectors --test wycheproof -- --nocapture` prints the table.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use abeng_keys::{ENCAPSULATION, SEAL_PUBLIC, SealPublic, VerifyKey, encapsulation_is_low_order};
use curve25519_dalek::montgomery::MontgomeryPoint;
use ml_dsa::{MlDsa65, VerifyingKey};
use ml_kem::{
    DecapsulationKey, EncapsulationKey, MlKem768,
    kem::{Decapsulate, KeyExport, TryKeyInit},
};
use ring::{aead, hkdf};
use wycheproof::TestResult;

const ML_KEM_KEY: usize = 1184;
/// A point of full order, for the half that is not looked at.
const BASE_POINT: [u8; 32] = {
    let mut point = [0; 32];
    point[0] = 9;
    point
};

/// How many cases were run, by what the vectors say of them, and how many do not apply.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    accepted: u32,
    refused: u32,
    either: u32,
    not_applicable: u32,
}

impl Tally {
    /// Holds an outcome against the vectors.
    fn judge(&mut self, what: &str, expected: &TestResult, accepted: bool) {
        match expected {
            TestResult::Valid => {
                assert!(accepted, "{what} is valid and was refused");
                self.accepted += 1;
            }
            TestResult::Invalid => {
                assert!(!accepted, "{what} is invalid and was accepted");
                self.refused += 1;
            }
            TestResult::Acceptable => self.either += 1,
        }
    }

    fn is(self, what: &str, accepted: u32, refused: u32, either: u32, not_applicable: u32) {
        println!("{what}: {self:?}");
        let expected = Self {
            accepted,
            refused,
            either,
            not_applicable,
        };
        assert_eq!(self, expected, "{what}");
    }
}

#[test]
fn ed25519_verifies_as_the_vectors_say() {
    use wycheproof::eddsa::{TestName, TestSet};
    let mut tally = Tally::default();
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let key = VerifyKey::admit(&group.key.pk).unwrap();
        for case in group.tests {
            let holds = key.verify_message(&case.msg, &case.sig).is_ok();
            tally.judge(&format!("case {}", case.tc_id), &case.result, holds);
        }
    }
    tally.is("Ed25519", 88, 63, 0, 0);
}

#[test]
fn ml_dsa_65_verifies_as_the_vectors_say() {
    use wycheproof::mldsa_verify::{TestName, TestSet};
    let mut tally = Tally::default();
    for group in TestSet::load(TestName::MlDsa65Verify).unwrap().test_groups {
        let key = <[u8; 1952]>::try_from(&group.pubkey[..])
            .map(|key| VerifyingKey::<MlDsa65>::decode(&key.into()));
        for case in group.tests {
            let context = case.ctx.as_ref().map_or(&[][..], |c| &c[..]);
            let signature = ml_dsa::Signature::<MlDsa65>::try_from(&case.sig[..]);
            let holds = match (&key, &signature) {
                (Ok(key), Ok(signature)) => key.verify_with_context(&case.msg, context, signature),
                _ => false,
            };
            tally.judge(&format!("case {}", case.tc_id), &case.result, holds);
        }
    }
    tally.is("ML-DSA-65", 79, 131, 0, 0);
}

/// The X25519 halves of X-Wing: the multiplication is curve25519-dalek's, and a share that leads
/// to zero is refused before anything is computed with it, in a key and in an encapsulation.
#[test]
fn x25519_agrees_and_what_leads_to_zero_is_refused() {
    use wycheproof::xdh::{TestFlag, TestName, TestSet};
    let mut tally = Tally::default();
    let mut zero = 0;
    for group in TestSet::load(TestName::X25519).unwrap().test_groups {
        for case in group.tests {
            let what = format!("case {}", case.tc_id);
            let Ok(point) = <[u8; 32]>::try_from(&case.public_key[..]) else {
                tally.judge(&what, &case.result, false);
                continue;
            };
            let secret = <[u8; 32]>::try_from(&case.private_key[..]).unwrap();
            let shared = MontgomeryPoint(point).mul_clamped(secret).to_bytes();
            assert_eq!(shared[..], case.shared_secret[..], "{what}");

            let leads_to_zero = case.flags.contains(&TestFlag::ZeroSharedSecret);
            assert_eq!(leads_to_zero, shared == [0; 32], "{what}");
            let mut encapsulation = [0; ENCAPSULATION];
            encapsulation[ENCAPSULATION - 32..].copy_from_slice(&point);
            assert_eq!(
                encapsulation_is_low_order(&encapsulation),
                leads_to_zero,
                "{what}"
            );
            let mut key = [0; SEAL_PUBLIC];
            key[SEAL_PUBLIC - 32..].copy_from_slice(&point);
            assert_eq!(SealPublic::admit(&key).is_err(), leads_to_zero, "{what}");
            zero += u32::from(leads_to_zero);
            tally.judge(&what, &case.result, true);
        }
    }
    assert_eq!(zero, 31);
    tally.is("X25519", 264, 0, 254, 0);
}

/// Through the crate of the link's key exchange; a key is also admitted as half of a seal key.
#[test]
fn ml_kem_768_agrees_and_keys_out_of_range_are_refused() {
    use wycheproof::mlkem::{TestName, TestSet};
    let mut tally = Tally::default();
    for group in TestSet::load(TestName::MlKem768Encaps).unwrap().test_groups {
        for case in group.tests {
            let what = format!("encapsulation, case {}", case.tc_id);
            let bytes = &case.encaps_key.as_ref().unwrap()[..];
            let key = EncapsulationKey::<MlKem768>::new_from_slice(bytes);
            let admitted = SealPublic::admit(&[bytes, &BASE_POINT].concat()).is_ok();
            assert_eq!(key.is_ok(), admitted, "{what}");
            if let (Ok(key), true) = (&key, case.result == TestResult::Valid) {
                let m = <[u8; 32]>::try_from(&case.msg.as_ref().unwrap()[..]).unwrap();
                let (ciphertext, secret) = key.encapsulate_deterministic(&m.into());
                assert_eq!(ciphertext[..], case.ct.as_ref().unwrap()[..], "{what}");
                let expected = case.shared_secret.as_ref().unwrap();
                assert_eq!(secret[..], expected[..], "{what}");
            }
            tally.judge(&what, &case.result, key.is_ok());
        }
    }
    for group in TestSet::load(TestName::MlKem768).unwrap().test_groups {
        for case in group.tests {
            let what = format!("decapsulation, case {}", case.tc_id);
            let Some((key, public)) = from_seed(&case) else {
                tally.judge(&what, &case.result, false);
                continue;
            };
            assert_eq!(public, case.encaps_key.as_ref().unwrap()[..], "{what}");
            let secret = key.decapsulate_slice(case.ct.as_ref().unwrap());
            if let Ok(secret) = &secret {
                let expected = case.shared_secret.as_ref().unwrap();
                assert_eq!(secret[..], expected[..], "{what}");
            }
            tally.judge(&what, &case.result, secret.is_ok());
        }
    }
    let keys = TestSet::load(TestName::MlKem768KeyGenSeed).unwrap();
    for group in keys.test_groups {
        for case in group.tests {
            let what = format!("key, case {}", case.tc_id);
            let same = from_seed(&case)
                .is_some_and(|(_, public)| public == case.encaps_key.as_ref().unwrap()[..]);
            tally.judge(&what, &case.result, same);
        }
    }
    let expanded = TestSet::load(TestName::MlKem768SemiExpandedDecaps).unwrap();
    tally.not_applicable += expanded.number_of_tests as u32;
    tally.is("ML-KEM-768", 394, 172, 0, 9);
}

fn from_seed(case: &wycheproof::mlkem::Test) -> Option<(DecapsulationKey<MlKem768>, Vec<u8>)> {
    let seed = <[u8; 64]>::try_from(&case.seed.as_ref().unwrap()[..]).ok()?;
    let key = DecapsulationKey::<MlKem768>::from_seed(seed.into());
    let public = key.encapsulation_key().to_bytes().to_vec();
    assert_eq!(public.len(), ML_KEM_KEY);
    Some((key, public))
}

#[test]
fn chacha20_poly1305_opens_as_the_vectors_say() {
    use wycheproof::aead::{TestName, TestSet};
    let mut tally = Tally::default();
    for group in TestSet::load(TestName::ChaCha20Poly1305)
        .unwrap()
        .test_groups
    {
        for case in group.tests {
            let Ok(nonce) = <[u8; aead::NONCE_LEN]>::try_from(&case.nonce[..]) else {
                tally.not_applicable += 1;
                continue;
            };
            let key = aead::UnboundKey::new(&aead::CHACHA20_POLY1305, &case.key).unwrap();
            let key = aead::LessSafeKey::new(key);
            let mut both = [&case.ct[..], &case.tag].concat();
            let opened = key.open_in_place(
                aead::Nonce::assume_unique_for_key(nonce),
                aead::Aad::from(&case.aad[..]),
                &mut both,
            );
            if let Ok(opened) = &opened {
                assert_eq!(opened[..], case.pt[..], "case {}", case.tc_id);
            }
            tally.judge(
                &format!("case {}", case.tc_id),
                &case.result,
                opened.is_ok(),
            );
        }
    }
    tally.is("ChaCha20-Poly1305", 256, 60, 0, 9);
}

#[test]
fn hkdf_sha256_yields_what_the_vectors_say() {
    use wycheproof::hkdf::{TestName, TestSet};
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut tally = Tally::default();
    for group in TestSet::load(TestName::HkdfSha256).unwrap().test_groups {
        for case in group.tests {
            let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &case.salt).extract(&case.ikm);
            let info = [&case.info[..]];
            let mut out = vec![0; case.size];
            let filled = prk
                .expand(&info, Length(case.size))
                .and_then(|okm| okm.fill(&mut out));
            if filled.is_ok() {
                assert_eq!(out[..], case.okm[..], "case {}", case.tc_id);
            }
            tally.judge(
                &format!("case {}", case.tc_id),
                &case.result,
                filled.is_ok(),
            );
        }
    }
    tally.is("HKDF-SHA256", 83, 3, 0, 0);
}
