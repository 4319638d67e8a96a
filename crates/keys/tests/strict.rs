//! Keys and signatures at the edges: what is admitted, what the strict rule refuses, and what
//! ring, which we sign with, would let pass.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use abeng_keys::{BadKey, BadSignature, SignatureType, Signer, SoftSigner, VerifyKey};
use data_encoding::HEXLOWER;
use serde::Deserialize;

/// C2SP/CCTV `ed25519vectors.json` (BSD): signatures that some verifiers accept and others refuse.
const VECTORS: &str = include_str!("data/ed25519vectors.json");

#[derive(Deserialize)]
struct Vector {
    number: u32,
    key: String,
    sig: String,
    msg: String,
    flags: Option<Vec<String>>,
}

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

#[test]
fn only_signatures_without_any_oddity_are_accepted() {
    let vectors: Vec<Vector> = serde_json::from_str(VECTORS).unwrap();
    let (mut accepted, mut only_ring, mut refused_with_good_key) = (0, 0, 0);
    for vector in &vectors {
        let (key, sig) = (hex(&vector.key), hex(&vector.sig));
        let admitted = VerifyKey::admit(&key);
        let ours = match &admitted {
            Ok(key) => key.verify_message(vector.msg.as_bytes(), &sig).is_ok(),
            Err(_) => false,
        };
        // With a torsion-free key an accepted R is torsion-free too: no flag is left.
        let plain = vector.flags.as_ref().is_none_or(Vec::is_empty);
        assert_eq!(ours, plain, "vector {}: {:?}", vector.number, vector.flags);
        let ring = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, &key)
            .verify(vector.msg.as_bytes(), &sig)
            .is_ok();
        accepted += u32::from(ours);
        only_ring += u32::from(ring && !ours);
        refused_with_good_key += u32::from(admitted.is_ok() && !ours);
    }
    assert!(accepted > 0, "the vectors hold good signatures");
    assert!(
        only_ring > 0,
        "the vectors hold what ring accepts and we refuse"
    );
    assert!(
        refused_with_good_key > 0,
        "the strict rule itself is reached"
    );
}

#[test]
fn a_key_for_which_everybody_can_sign_passes_ring_and_is_refused_here() {
    // A is the identity, R the identity, S zero: holds for every message.
    let mut key = [0; 32];
    key[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, key)
        .verify(b"anything at all", &signature)
        .expect("ring accepts it: the reason why ring verifies nothing that may become evidence");
    assert_eq!(VerifyKey::admit(&key), Err(BadKey::Weak));
}

#[test]
fn keys_that_are_weak_crooked_or_spelt_twice_are_refused() {
    use curve25519_dalek::{
        constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION},
        edwards::CompressedEdwardsY,
    };
    for point in EIGHT_TORSION {
        let key = point.compress();
        assert_eq!(VerifyKey::admit(key.as_bytes()), Err(BadKey::Weak));
    }
    for torsion in &EIGHT_TORSION[1..] {
        let key = (ED25519_BASEPOINT_POINT + torsion).compress();
        assert_eq!(VerifyKey::admit(key.as_bytes()), Err(BadKey::Torsion));
    }
    let basepoint = ED25519_BASEPOINT_POINT.compress();
    assert!(VerifyKey::admit(basepoint.as_bytes()).is_ok());

    // y = p + 1 is another spelling of y = 1; y = p of y = 0.
    for low in [0xee, 0xed] {
        let mut twice = [0xff; 32];
        (twice[0], twice[31]) = (low, 0x7f);
        assert_eq!(VerifyKey::admit(&twice), Err(BadKey::NotCanonical));
    }
    // The identity with its sign bit set: x = 0 has no other sign.
    let mut minus_zero = [0; 32];
    (minus_zero[0], minus_zero[31]) = (1, 0x80);
    assert!(VerifyKey::admit(&minus_zero).is_err());

    let off_curve = (0u8..).map(|y| [y; 32]);
    let off_curve = { off_curve }
        .find(|y| CompressedEdwardsY(*y).decompress().is_none())
        .unwrap();
    assert_eq!(VerifyKey::admit(&off_curve), Err(BadKey::NotAPoint));
    for length in [0, 31, 33] {
        assert!(matches!(
            VerifyKey::admit(&vec![1; length]),
            Err(BadKey::Length { .. })
        ));
    }
}

#[test]
fn a_second_s_for_the_same_signature_is_refused() {
    // S + L is the same number modulo the group's order, and another string of bytes.
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let signer = SoftSigner::from_seed(&[9; 32]).unwrap();
    let good = signer.sign(SignatureType::ENVELOPE, b"hdr").unwrap();
    let mut other = good;
    let mut carry = 0u16;
    for (byte, order) in other[32..].iter_mut().zip(ORDER) {
        carry += u16::from(*byte) + u16::from(order);
        *byte = carry as u8;
        carry >>= 8;
    }
    let key = signer.verify_key();
    assert_eq!(key.verify(SignatureType::ENVELOPE, b"hdr", &good), Ok(()));
    assert_eq!(
        key.verify(SignatureType::ENVELOPE, b"hdr", &other),
        Err(BadSignature)
    );
}
