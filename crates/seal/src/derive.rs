//! Every hash and key derivation of an envelope, each with its label.

use abeng_keys::SignatureType;
use abeng_wire::{Digest, EnvelopeId, Hash32, Kid, PartyCode, StreamSeq, pae};
use ring::{digest, hkdf};
use zeroize::Zeroizing;

/// 32 secret bytes, overwritten when dropped.
pub(crate) type Secret = Zeroizing<[u8; 32]>;

const PRE_TYPE: &str = "application/vnd.abeng.pre.v1";

/// The identity of an envelope: SHA-256 over the pre-authentication encoding of its HDR, which
/// is exactly what SIG signs.
pub fn envelope_id(hdr: &[u8]) -> EnvelopeId {
    EnvelopeId(sha256(&SignatureType::ENVELOPE.pae(hdr)))
}

/// The public commitment to a stream number: `SHA-256(PAE("abeng/1/seq", blind ‖ stream_seq))`.
pub fn seq_commit(blind: &[u8; 16], seq: StreamSeq) -> Digest {
    let mut opened = [0; 24];
    opened[..16].copy_from_slice(blind);
    opened[16..].copy_from_slice(&seq.get().to_be_bytes());
    Digest(sha256(&pae("abeng/1/seq", &opened)))
}

/// h0: the hash of PRE that salts every key of the envelope.
pub(crate) fn h0(pre: &[u8]) -> Hash32 {
    sha256(&pae(PRE_TYPE, pre))
}

pub(crate) fn sha256(bytes: &[u8]) -> Hash32 {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

/// What the content key yields: the key of the body, and the public commitment to the content
/// key itself, so that no two recipients can be given different ones.
pub(crate) struct ContentKeys {
    pub(crate) body: Secret,
    pub(crate) commit: Hash32,
}

impl ContentKeys {
    pub(crate) fn derive(h0: &Hash32, cek: &Secret) -> Self {
        let prk = extract(h0, cek);
        Self {
            body: expand(&prk, b"abeng/1/body"),
            commit: *expand(&prk, b"abeng/1/key-commit"),
        }
    }
}

/// k_slot: the key of one recipient's SLOT in one envelope.
pub(crate) fn slot_key(
    h0: &Hash32,
    lk: &Secret,
    to: PartyCode,
    kid: &Kid,
    commit: &Hash32,
) -> Secret {
    let parts = [to.as_str().as_bytes(), &kid.0, commit].concat();
    expand(&extract(h0, lk), &pae("abeng/1/slot", &parts))
}

fn extract(salt: &Hash32, ikm: &Secret) -> hkdf::Prk {
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(&ikm[..])
}

struct Length32;

impl hkdf::KeyType for Length32 {
    fn len(&self) -> usize {
        32
    }
}

#[allow(
    clippy::expect_used,
    reason = "HKDF-SHA256 fails only for outputs over 8,160 bytes; these are 32"
)]
fn expand(prk: &hkdf::Prk, info: &[u8]) -> Secret {
    let mut out = Zeroizing::new([0; 32]);
    prk.expand(&[info], Length32)
        .and_then(|okm| okm.fill(&mut out[..]))
        .expect("32 bytes of HKDF-SHA256");
    out
}
