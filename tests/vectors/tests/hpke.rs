//! HPKE with X-Wing, HKDF-SHA256 and ChaCha20Poly1305, as `seal` uses it.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use abeng_keys::{SealPublic, SealSecret, encapsulation_is_low_order};
use data_encoding::HEXLOWER;
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    kem::XWing, rand_core,
};
use serde::{Deserialize, Deserializer};

struct Hex(Vec<u8>);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = HEXLOWER.decode(text.as_bytes());
        bytes.map(Self).map_err(serde::de::Error::custom)
    }
}

#[derive(Deserialize)]
#[allow(non_snake_case)]
struct Case {
    mode: u8,
    kem_id: u16,
    kdf_id: u16,
    aead_id: u16,
    info: Hex,
    ikmE: Hex,
    ikmR: Hex,
    skRm: Hex,
    pkRm: Hex,
    enc: Hex,
    shared_secret: Hex,
    encryptions: Vec<Encryption>,
    exports: Vec<Export>,
}

#[derive(Deserialize)]
struct Encryption {
    aad: Hex,
    pt: Hex,
    ct: Hex,
}

#[derive(Deserialize)]
struct Export {
    exporter_context: Hex,
    #[serde(rename = "L")]
    length: usize,
    exported_value: Hex,
}

/// Gives out exactly these bytes.
struct Fixed(Vec<u8>);

impl rand_core::TryRng for Fixed {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        unreachable!("X-Wing draws bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        unreachable!("X-Wing draws bytes")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        out.copy_from_slice(&self.0.drain(..out.len()).collect::<Vec<_>>());
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Fixed {}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../data/hpke-pq/x-wing.json")).unwrap()
}

/// Both cases: keys from their seeds, encapsulation and its opening.
#[test]
fn x_wing_keys_and_secrets() {
    let cases = cases();
    assert_eq!(cases.len(), 2);
    for case in cases {
        assert_eq!((case.mode, case.kem_id, case.aead_id), (0, 0x647a, 3));
        let (derived, public) = XWing::derive_keypair(&case.ikmR.0);
        assert_eq!(derived.to_bytes()[..], case.skRm.0);
        assert_eq!(public.to_bytes()[..], case.pkRm.0);
        // What rests in a keyring is the seed, not the input of derive_keypair.
        let secret = SealSecret::from_seed(&case.skRm.0[..].try_into().unwrap()).unwrap();
        assert_eq!(secret.public().bytes()[..], case.pkRm.0);
        let public = SealPublic::admit(&case.pkRm.0).unwrap();
        assert!(!encapsulation_is_low_order(&case.enc.0));
        let mut random = Fixed(case.ikmE.0);
        let (shared, enc) = XWing::encap_with_rng(public.hpke(), None, &mut random).unwrap();
        assert_eq!(enc.to_bytes()[..], case.enc.0);
        assert_eq!(shared.0[..], case.shared_secret.0);
        assert_eq!(XWing::decap(secret.hpke(), None, &enc).unwrap().0, shared.0);
    }
}

/// The case with our KDF: every message and every export, from both ends.
#[test]
fn the_suite_that_seal_uses() {
    let mut ours = cases();
    ours.retain(|case| case.kdf_id == 1);
    assert_eq!(ours.len(), 1);
    let case = ours.remove(0);
    let secret = SealSecret::from_seed(&case.skRm.0[..].try_into().unwrap()).unwrap();
    let (enc, mut sender) = hpke::setup_sender_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeS::Base,
        secret.public().hpke(),
        &case.info.0,
        &mut Fixed(case.ikmE.0),
    )
    .unwrap();
    assert_eq!(enc.to_bytes()[..], case.enc.0);
    let enc = <XWing as Kem>::EncappedKey::from_bytes(&case.enc.0).unwrap();
    let mut receiver = hpke::setup_receiver::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeR::Base,
        secret.hpke(),
        &enc,
        &case.info.0,
    )
    .unwrap();
    assert_eq!(case.encryptions.len(), 10);
    for e in &case.encryptions {
        assert_eq!(sender.seal(&e.pt.0, &e.aad.0).unwrap(), e.ct.0);
        assert_eq!(receiver.open(&e.ct.0, &e.aad.0).unwrap(), e.pt.0);
    }
    assert!(!case.exports.is_empty());
    for export in &case.exports {
        let mut out = vec![0; export.length];
        receiver
            .export(&export.exporter_context.0, &mut out)
            .unwrap();
        assert_eq!(out, export.exported_value.0);
    }
    // The first message is what a single shot makes of it.
    let first = &case.encryptions[0];
    let plain = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeR::Base,
        secret.hpke(),
        &enc,
        &case.info.0,
        &first.ct.0,
        &first.aad.0,
    );
    assert_eq!(plain.unwrap(), first.pt.0);
}
