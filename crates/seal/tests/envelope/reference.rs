//! Suite 1 written a second time, from PROTOCOL.md alone and without the crate under test, with
//! a knob for every fault an originator could commit. Slow, plain, and only for tests.

use crate::fixture::{DAY, LIFE, NOW, Net, code, entropy, frame};
use abeng_keys::Entropy;
use abeng_wire::{encode, v1};
use bytes::Bytes;
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    kem::XWing, rand_core,
};
use ring::{aead, digest, hmac};

type Chunks = Option<Box<dyn Fn(&[u8], &[u8], &[u8]) -> Vec<u8>>>;
type Knob<T> = Option<Box<dyn Fn(&mut T)>>;
type RecipientKnob<T> = Option<Box<dyn Fn(usize, &mut T)>>;

/// What to do otherwise than the protocol says, in the order of the making.
#[derive(Default)]
pub struct Faults {
    pub pre: Knob<v1::Pre>,
    pub pre_bytes: Knob<Vec<u8>>,
    /// The content key, in place of a random one.
    pub cek: Option<[u8; 32]>,
    pub plain: Knob<Vec<u8>>,
    /// Key, h0 and plaintext to chunks.
    pub chunks: Chunks,
    pub body: Knob<Vec<u8>>,
    /// HPKE's info.
    pub info: RecipientKnob<Vec<u8>>,
    /// Whom the SLOT's key is bound to.
    pub slot_for: RecipientKnob<v1::PreRecipient>,
    /// CEK ‖ stream_seq ‖ blind, before it is sealed.
    pub slot: RecipientKnob<Vec<u8>>,
    pub stanza: RecipientKnob<Vec<u8>>,
    pub trl: Knob<v1::Trl>,
    pub trl_bytes: Knob<Vec<u8>>,
    pub hdr_bytes: Knob<Vec<u8>>,
}

pub fn pae(kind: &[u8], body: &[u8]) -> Vec<u8> {
    let mut out = format!("DSSEv1 {} ", kind.len()).into_bytes();
    out.extend(kind);
    out.extend(format!(" {} ", body.len()).bytes());
    out.extend(body);
    out
}

pub fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

/// RFC 5869 for one block of output.
fn hkdf(salt: &[u8], ikm: &[u8], info: &[u8]) -> Vec<u8> {
    let mac = |key: &[u8], data: &[u8]| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        hmac::sign(&key, data).as_ref().to_vec()
    };
    mac(&mac(salt, ikm), &[info, &[1]].concat())
}

pub fn chacha(key: &[u8]) -> aead::LessSafeKey {
    aead::LessSafeKey::new(aead::UnboundKey::new(&aead::CHACHA20_POLY1305, key).unwrap())
}

pub fn nonce(counter: u64, last: bool) -> aead::Nonce {
    let mut nonce = vec![0; 3];
    nonce.extend(counter.to_be_bytes());
    nonce.push(last.into());
    aead::Nonce::assume_unique_for_key(nonce.try_into().unwrap())
}

pub fn seal_chunks(key: &[u8], h0: &[u8], plain: &[u8]) -> Vec<u8> {
    let chunks: Vec<_> = plain.chunks(65_536).collect();
    let mut out = Vec::new();
    for (i, chunk) in chunks.iter().enumerate() {
        let mut sealed = chunk.to_vec();
        let nonce = nonce(i as u64, i + 1 == chunks.len());
        chacha(key)
            .seal_in_place_append_tag(nonce, aead::Aad::from(h0), &mut sealed)
            .unwrap();
        out.extend(sealed);
    }
    out
}

fn padme(length: usize) -> usize {
    let e = length.ilog2();
    let s = e.ilog2() + 1;
    length.next_multiple_of(1 << (e - s))
}

fn box_info(pre: &v1::Pre, to: &v1::PreRecipient) -> Vec<u8> {
    let from = [pre.originator.as_bytes(), &pre.incarnation.to_be_bytes()].concat();
    let parts = [
        pae(b"originator", &from),
        pae(b"to", to.party.as_bytes()),
        to.seal_kid.to_vec(),
    ];
    pae(b"abeng/1/box", &parts.concat())
}

fn slot_key(h0: &[u8], lk: &[u8], to: &v1::PreRecipient, commit: &[u8]) -> Vec<u8> {
    let parts = [to.party.as_bytes(), &to.seal_kid, commit].concat();
    hkdf(h0, lk, &pae(b"abeng/1/slot", &parts))
}

fn random<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    entropy().fill(&mut out);
    out
}

/// The fixture's entropy, as HPKE asks for it.
struct Random;

impl rand_core::TryRng for Random {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(u32::from_le_bytes(random()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(u64::from_le_bytes(random()))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        entropy().fill(out);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Random {}

fn turn<T>(knob: &Knob<T>, value: &mut T) {
    if let Some(knob) = knob {
        knob(value);
    }
}

/// Seals as PROTOCOL.md says, but for `faults`; signed last, so every fault is the originator's.
pub fn seal(net: &Net, from: &str, to: &[&str], notice: &[u8], faults: &Faults) -> v1::Envelope {
    use abeng_keys::Signer;
    let positions: Vec<(u64, [u8; 16])> = to.iter().map(|_| (1, random())).collect();
    let entry = |(c, (seq, blind)): (&&str, &(u64, [u8; 16]))| {
        let key = net.trust.seal_key(code(c), NOW).unwrap();
        let opened = [&blind[..], &seq.to_be_bytes()].concat();
        v1::PreRecipient {
            party: (*c).into(),
            seal_kid: key.kid().to_bytes(),
            seq_commit: sha256(&pae(b"abeng/1/seq", &opened)).into(),
        }
    };
    let mut pre = v1::Pre {
        version: 1,
        nonce: random::<32>().to_vec().into(),
        originator: from.into(),
        incarnation: LIFE.0,
        org_sign_kid: net.keys(from).org_sign().verify_key().kid().to_bytes(),
        created_at: NOW,
        expires_at: NOW + DAY,
        roster: Some(net.trust.roster.reference()),
        precedence: v1::Precedence::Priority.into(),
        recipients: to.iter().zip(&positions).map(entry).collect(),
    };
    turn(&faults.pre, &mut pre);
    let mut pre_bytes = encode(&pre).to_vec();
    turn(&faults.pre_bytes, &mut pre_bytes);
    let h0 = sha256(&pae(b"application/vnd.abeng.pre.v1", &pre_bytes));
    let cek = faults.cek.unwrap_or_else(random::<32>);
    let commit = hkdf(&h0, &cek, b"abeng/1/key-commit");

    let mut plain = (notice.len() as u64).to_be_bytes().to_vec();
    plain.extend(notice);
    plain.resize(padme(plain.len()).max(2048), 0);
    turn(&faults.plain, &mut plain);
    let chunks = match &faults.chunks {
        Some(knob) => knob,
        None => &seal_chunks as &dyn Fn(&[u8], &[u8], &[u8]) -> Vec<u8>,
    };
    let mut body = chunks(&hkdf(&h0, &cek, b"abeng/1/body"), &h0, &plain);
    turn(&faults.body, &mut body);

    let mut stanzas = Vec::new();
    for (i, (entry, (seq, blind))) in pre.recipients.iter().zip(&positions).enumerate() {
        let lk = random::<32>();
        let to = net.trust.seal_key(code(to[i]), NOW).unwrap();
        let mut info = box_info(&pre, entry);
        if let Some(knob) = &faults.info {
            knob(i, &mut info);
        }
        let (enc, boxed) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeS::Base,
            &<XWing as Kem>::PublicKey::from_bytes(to.bytes()).unwrap(),
            &info,
            &lk,
            &[],
            &mut Random,
        )
        .unwrap();
        let mut slot = [&cek[..], &seq.to_be_bytes(), blind].concat();
        if let Some(knob) = &faults.slot {
            knob(i, &mut slot);
        }
        let mut slot_for = entry.clone();
        if let Some(knob) = &faults.slot_for {
            knob(i, &mut slot_for);
        }
        let key = slot_key(&h0, &lk, &slot_for, &commit);
        let zero = aead::Nonce::assume_unique_for_key([0; 12]);
        chacha(&key)
            .seal_in_place_append_tag(zero, aead::Aad::empty(), &mut slot)
            .unwrap();
        let mut stanza = [&enc.to_bytes()[..], &boxed, &slot].concat();
        if let Some(knob) = &faults.stanza {
            knob(i, &mut stanza);
        }
        stanzas.push(Bytes::from(stanza));
    }

    let mut trl = v1::Trl {
        stanza_hashes: stanzas.iter().map(|s| sha256(s).into()).collect(),
        body_length: body.len() as u64,
        body_hash: sha256(&body).into(),
        commit: commit.into(),
        attachments: vec![],
    };
    turn(&faults.trl, &mut trl);
    let mut trl_bytes = encode(&trl).to_vec();
    turn(&faults.trl_bytes, &mut trl_bytes);
    let mut hdr = encode(&v1::Hdr {
        pre: pre_bytes.into(),
        trl: trl_bytes.into(),
    })
    .to_vec();
    turn(&faults.hdr_bytes, &mut hdr);
    let mut envelope = v1::Envelope {
        hdr: hdr.into(),
        sig: Bytes::new(),
        stanzas,
        body: body.into(),
    };
    net.sign(from, &mut envelope);
    envelope
}

pub fn sealed_frame(net: &Net, from: &str, to: &[&str], notice: &[u8], faults: &Faults) -> Bytes {
    frame(&seal(net, from, to, notice, faults))
}

/// Opens as PROTOCOL.md says, checking nothing but what it needs.
pub fn open(net: &Net, me: &str, envelope: &v1::Envelope) -> Vec<u8> {
    use abeng_wire::prost::Message;
    let hdr = v1::Hdr::decode(envelope.hdr.clone()).unwrap();
    let pre = v1::Pre::decode(hdr.pre.clone()).unwrap();
    let trl = v1::Trl::decode(hdr.trl.clone()).unwrap();
    let place = pre.recipients.iter().position(|r| r.party == me).unwrap();
    let entry = &pre.recipients[place];
    let stanza = &envelope.stanzas[place];
    let kid = abeng_wire::Kid::from_slice(&entry.seal_kid).unwrap();
    let secret = net.keys(me).seal_secret(&kid).unwrap();
    let lk = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeR::Base,
        &<XWing as Kem>::PrivateKey::from_bytes(&secret.seed()[..]).unwrap(),
        &<XWing as Kem>::EncappedKey::from_bytes(&stanza[..1120]).unwrap(),
        &box_info(&pre, entry),
        &stanza[1120..1168],
        &[],
    )
    .unwrap();
    let h0 = sha256(&pae(b"application/vnd.abeng.pre.v1", &hdr.pre));
    let mut slot = stanza[1168..].to_vec();
    let zero = aead::Nonce::assume_unique_for_key([0; 12]);
    let slot = chacha(&slot_key(&h0, &lk, entry, &trl.commit))
        .open_in_place(zero, aead::Aad::empty(), &mut slot)
        .unwrap()
        .to_vec();
    let opened = [&slot[40..56], &slot[32..40]].concat();
    assert_eq!(sha256(&pae(b"abeng/1/seq", &opened)), entry.seq_commit);
    assert_eq!(hkdf(&h0, &slot[..32], b"abeng/1/key-commit"), trl.commit);
    let key = hkdf(&h0, &slot[..32], b"abeng/1/body");
    let chunks: Vec<_> = envelope.body.chunks(65_552).collect();
    let mut plain = Vec::new();
    for (i, chunk) in chunks.iter().enumerate() {
        let mut chunk = chunk.to_vec();
        let nonce = nonce(i as u64, i + 1 == chunks.len());
        let opened = chacha(&key)
            .open_in_place(nonce, aead::Aad::from(&h0), &mut chunk)
            .unwrap();
        plain.extend_from_slice(opened);
    }
    let length = u64::from_be_bytes(plain[..8].try_into().unwrap()) as usize;
    assert_eq!(plain.len(), padme(8 + length).max(2048));
    plain[8..8 + length].to_vec()
}
