//! STANZA = BOX ‖ SLOT: how one recipient comes to the content key.

use crate::{
    body::{chacha, wipe},
    derive::Secret,
};
use abeng_keys::{Entropy, SealPublic, SealSecret};
use abeng_wire::{Incarnation, Kid, PartyCode, StreamSeq, limits, pae};
use hpke::{
    Deserializable, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    kem::XWing, rand_core,
};
use ring::aead::{Aad, Nonce};
use std::convert::Infallible;
use zeroize::Zeroizing;

const ENC: usize = 1120;
/// BOX = enc (1120) ‖ ciphertext of 32 bytes with tag (48).
pub(crate) const BOX: usize = ENC + 32 + 16;
const SLOT_PLAIN: usize = 32 + 8 + 16;
const SLOT: usize = SLOT_PLAIN + 16;
const _: () = assert!(BOX + SLOT == limits::STANZA);

/// What a BOX is bound to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) originator: PartyCode,
    pub(crate) incarnation: Incarnation,
    pub(crate) to: PartyCode,
    pub(crate) kid: Kid,
}

impl Pair {
    /// HPKE's info: `PAE("abeng/1/box", PAE("originator", code ‖ incarnation) ‖ PAE("to", code)
    /// ‖ kid)`.
    pub(crate) fn info(&self) -> Vec<u8> {
        let from = [
            self.originator.as_str().as_bytes(),
            &self.incarnation.0.to_be_bytes(),
        ]
        .concat();
        let from = pae("originator", &from);
        let to = pae("to", self.to.as_str().as_bytes());
        pae("abeng/1/box", &[&from[..], &to, &self.kid.0].concat())
    }
}

/// HPKE refused, which no admitted key makes it do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HpkeFailed;

/// BOX: LK for the holder of `key` alone. Base mode, single shot, empty aad.
pub(crate) fn seal_box(
    key: &SealPublic,
    pair: &Pair,
    lk: &Secret,
    entropy: &mut dyn Entropy,
) -> Result<[u8; BOX], HpkeFailed> {
    let (enc, ciphertext) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeS::Base,
        key.hpke(),
        &pair.info(),
        &lk[..],
        &[],
        &mut Random(entropy),
    )
    .map_err(|_| HpkeFailed)?;
    let mut out = [0; BOX];
    out[..ENC].copy_from_slice(&enc.to_bytes());
    out[ENC..].copy_from_slice(&ciphertext);
    Ok(out)
}

/// Opens a BOX. `None` says no more than that it does not open.
pub(crate) fn open_box(key: &SealSecret, info: &[u8], sealed: &[u8; BOX]) -> Option<Secret> {
    let enc = <XWing as hpke::Kem>::EncappedKey::from_bytes(&sealed[..ENC]).ok()?;
    let plain = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeR::Base,
        key.hpke(),
        &enc,
        info,
        &sealed[ENC..],
        &[],
    )
    .ok()?;
    let mut lk = Zeroizing::new([0; 32]);
    let fits = plain.len() == lk.len();
    if fits {
        lk.copy_from_slice(&plain);
    }
    wipe(plain);
    fits.then_some(lk)
}

/// Whether the X25519 half of a BOX's encapsulation is of low order.
pub(crate) fn is_low_order(sealed: &[u8; BOX]) -> bool {
    abeng_keys::encapsulation_is_low_order(&sealed[..ENC])
}

/// What a SLOT holds for its recipient.
pub(crate) struct Slot {
    pub(crate) cek: Secret,
    pub(crate) seq: StreamSeq,
    pub(crate) blind: [u8; 16],
}

/// Appends SLOT: content key, stream number and blind under a key used for this SLOT alone.
#[allow(
    clippy::expect_used,
    reason = "ring refuses only plaintexts over 256 GiB; a slot is 56 bytes"
)]
pub(crate) fn put_slot(
    key: &Secret,
    cek: &Secret,
    seq: StreamSeq,
    blind: &[u8; 16],
    out: &mut Vec<u8>,
) {
    let mut slot = Zeroizing::new([0; SLOT_PLAIN]);
    slot[..32].copy_from_slice(&cek[..]);
    slot[32..40].copy_from_slice(&seq.get().to_be_bytes());
    slot[40..].copy_from_slice(blind);
    let tag = chacha(key)
        .seal_in_place_separate_tag(no_nonce(), Aad::empty(), &mut slot[..])
        .expect("a slot of 56 bytes");
    out.extend_from_slice(&slot[..]);
    out.extend_from_slice(tag.as_ref());
}

/// Opens a SLOT; stream number 0 is refused like anything else that is wrong.
pub(crate) fn open_slot(key: &Secret, sealed: &[u8]) -> Option<Slot> {
    let mut buffer: Zeroizing<[u8; SLOT]> = Zeroizing::new(sealed.try_into().ok()?);
    let plain = chacha(key)
        .open_in_place(no_nonce(), Aad::empty(), &mut buffer[..])
        .ok()?;
    let (cek, rest) = plain.split_first_chunk::<32>()?;
    let (seq, blind) = rest.split_first_chunk::<8>()?;
    Some(Slot {
        cek: Zeroizing::new(*cek),
        seq: StreamSeq::new(u64::from_be_bytes(*seq))?,
        blind: (*blind).try_into().ok()?,
    })
}

/// The key is derived for one SLOT, so its only nonce is 0.
fn no_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

/// Our entropy as the generator that HPKE asks for.
struct Random<'a>(&'a mut dyn Entropy);

impl rand_core::TryRng for Random<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut out = [0; 4];
        self.0.fill(&mut out);
        Ok(u32::from_le_bytes(out))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut out = [0; 8];
        self.0.fill(&mut out);
        Ok(u64::from_le_bytes(out))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(out);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Random<'_> {}
