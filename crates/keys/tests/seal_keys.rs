//! X-Wing keys: what `hpke` accepts and we refuse, and that seeds mean what the wire says.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use abeng_keys::{
    BadKey, ENCAPSULATION, HpkePrivate, HpkePublic, SEAL_PUBLIC, SealPublic, SealSecret,
    encapsulation_is_low_order,
};
use data_encoding::HEXLOWER;
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    kem::XWing,
};

/// Every u-coordinate of low order on the curve or its twist, in both spellings below 2^255.
/// Source: D. J. Bernstein, <https://cr.yp.to/ecdh.html#validate>.
const LOW_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

fn low_order() -> impl Iterator<Item = Vec<u8>> {
    LOW_ORDER.iter().flat_map(|text| {
        let point = HEXLOWER.decode(text.as_bytes()).unwrap();
        let mut with_top_bit = point.clone();
        with_top_bit[31] |= 0x80;
        [point, with_top_bit]
    })
}

fn secret() -> SealSecret {
    SealSecret::from_seed(&[7; 32]).unwrap()
}

#[test]
fn a_low_order_half_passes_hpke_and_is_refused_here() {
    let good = secret().public().bytes().to_vec();
    for point in low_order() {
        let mut key = good.clone();
        key[1184..].copy_from_slice(&point);
        assert!(HpkePublic::from_bytes(&key).is_ok(), "hpke accepts it");
        assert_eq!(SealPublic::admit(&key), Err(BadKey::LowOrder));
    }
}

#[test]
fn a_low_order_share_passes_hpke_and_is_refused_here() {
    let secret = secret();
    let (enc, sealed) = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeS::Base,
        secret.public().hpke(),
        b"info",
        b"32 bytes of link key",
        b"",
    )
    .unwrap();
    let good = enc.to_bytes().to_vec();
    assert!(!encapsulation_is_low_order(&good));
    for point in low_order() {
        let mut enc = good.clone();
        enc[1088..].copy_from_slice(&point);
        assert!(encapsulation_is_low_order(&enc));
        let enc = <XWing as Kem>::EncappedKey::from_bytes(&enc).unwrap();
        let opened = hpke::setup_receiver::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeR::Base,
            secret.hpke(),
            &enc,
            b"info",
        );
        assert!(opened.is_ok(), "hpke accepts it");
    }
    assert!(encapsulation_is_low_order(&good[..ENCAPSULATION - 1]));
    assert!(!sealed.is_empty());
}

#[test]
fn an_ml_kem_half_that_is_not_reduced_is_refused() {
    // The first coefficient is the low 12 bits of the first two bytes; q is 3329 = 0xd01.
    let good = *secret().public().bytes();
    let with = |coefficient: u16| {
        let mut key = good;
        key[0] = coefficient as u8;
        key[1] = (key[1] & 0xf0) | (coefficient >> 8) as u8;
        SealPublic::admit(&key)
    };
    assert!(with(0xd00).is_ok());
    for coefficient in [0xd01, 0xfff] {
        assert_eq!(with(coefficient), Err(BadKey::NotReduced));
    }
    // The last coefficient of the third polynomial is the high 12 bits of bytes 1150 and 1151.
    let mut key = good;
    key[1151] = 0xff;
    assert_eq!(SealPublic::admit(&key), Err(BadKey::NotReduced));
}

#[test]
fn only_the_exact_length_is_a_key() {
    let good = secret().public().bytes().to_vec();
    assert_eq!(good.len(), SEAL_PUBLIC);
    for bad in [&good[..SEAL_PUBLIC - 1], &[&good[..], &[0]].concat(), &[]] {
        assert!(matches!(SealPublic::admit(bad), Err(BadKey::Length { .. })));
    }
}

#[test]
fn the_seed_is_the_private_key_and_not_its_input() {
    let seed = [7; 32];
    let secret = SealSecret::from_seed(&seed).unwrap();
    assert_eq!(secret.hpke().to_bytes()[..], seed);
    let same = XWing::sk_to_pk(&HpkePrivate::from_bytes(&seed).unwrap());
    assert_eq!(same.to_bytes()[..], secret.public().bytes()[..]);
    let (_, hashed) = XWing::derive_keypair(&seed);
    assert_ne!(hashed.to_bytes()[..], secret.public().bytes()[..]);
    let admitted = SealPublic::admit(secret.public().bytes()).unwrap();
    assert_eq!(admitted.kid(), secret.kid());
}
