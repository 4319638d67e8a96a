//! Attacks on envelopes by their names. More of them stand in `opening.rs` and `verifying.rs`; which
//! is where, `docs/threat-model.md` says.

use crate::{
    fixture::{DAY, NOW, code, frame, net},
    reference::{self, Faults},
};
use abeng_keys::Signer;
use abeng_seal::{
    Arrived, Broken, CarrierWhy, OpenStep, OriginatorWhy, VerifyFault, received_content_key, verify,
};
use abeng_wire::{limits, v1};
use bytes::Bytes;
use hpke::{
    Deserializable, Kem, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    kem::X25519HkdfSha256,
};

macro_rules! faults {
    ($knob:ident, $with:expr) => {
        Faults {
            $knob: Some(Box::new($with)),
            ..Faults::default()
        }
    };
}

/// Where TT fails to open it, SIG and hashes being as they must be.
fn step(envelope: &v1::Envelope) -> OpenStep {
    let verified = net().verify(&frame(envelope), "TT").unwrap();
    net().open(&verified, "TT").unwrap_err().step
}

/// DM, a recipient too, knows JM's content key. It takes JM's name and signature off, and sends
/// JM's body with that key on to TT as its own: TT would believe that DM had written it.
#[test]
fn strip_and_re_sign_by_a_recipient_does_not_open() {
    let net = net();
    let real = reference::seal(net, "JM", &["DM", "TT"], b"real", &Faults::default());
    let key = received_content_key(&real.hdr, &real.stanzas, code("DM"), &net.secrets("DM"));
    let stolen = real.body.clone();
    let forged = Faults {
        cek: Some(*key.unwrap().expose()),
        body: Some(Box::new(move |body| *body = stolen.to_vec())),
        ..Faults::default()
    };
    // Everything around it is DM's own and right: BOX, SLOT, commitment, hashes, SIG.
    let forged = reference::seal(net, "DM", &["TT"], b"", &forged);
    assert_eq!(step(&forged), OpenStep::Chunk);
    // The key and a body of DM's own are no attack.
    let own = Faults {
        cek: Some([7; 32]),
        ..Faults::default()
    };
    let own = reference::seal(net, "DM", &["TT"], b"own", &own);
    let verified = net.verify(&frame(&own), "TT").unwrap();
    assert_eq!(net.open(&verified, "TT").unwrap().notice(), "own");
}

/// There is one suite, which the keys fix: nothing in a message makes another of it.
#[test]
fn a_weaker_suite_claimed_is_refused() {
    let refused = |faults: Faults| {
        let envelope = reference::seal(net(), "JM", &["TT"], b"x", &faults);
        match net().verify(&frame(&envelope), "TT") {
            Err(VerifyFault::Originator(rejected)) => rejected.why(),
            other => panic!("{other:?}"),
        }
    };
    for version in [0, 2, u32::MAX] {
        let why = OriginatorWhy::Broken(Broken::Version(version));
        let claimed = move |p: &mut v1::Pre| p.version = version;
        assert_eq!(refused(faults!(pre, claimed)), why);
    }
    // A field for it, which there is not: number 11, suite 0.
    let claimed = |b: &mut Vec<u8>| b.extend([11 << 3, 0]);
    let why = OriginatorWhy::Broken(Broken::Encoding("PRE"));
    assert_eq!(refused(faults!(pre_bytes, claimed)), why);

    // BOX to the X25519 half of TT's key alone, as suites before had it: in the place of an X-Wing
    // encapsulation, and as short as it is.
    let key = net().trust.seal_key(code("TT"), NOW).unwrap();
    let classical =
        |info: &[u8]| {
            let public = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&key.bytes()[1184..]);
            let (enc, boxed) = hpke::single_shot_seal::<
                ChaCha20Poly1305,
                HkdfSha256,
                X25519HkdfSha256,
            >(&OpModeS::Base, &public.unwrap(), info, &[7; 32], &[])
            .unwrap();
            (enc.to_bytes().to_vec(), boxed)
        };
    let (enc, boxed) = classical(b"");
    let padded = move |_: usize, s: &mut Vec<u8>| {
        s[..1088].fill(0);
        s[1088..1120].copy_from_slice(&enc);
        s[1120..1168].copy_from_slice(&boxed);
    };
    let forged = reference::seal(net(), "JM", &["TT"], b"x", &faults!(stanza, padded));
    assert_eq!(step(&forged), OpenStep::Box);
    let (enc, boxed) = classical(b"");
    let short = move |_: usize, s: &mut Vec<u8>| {
        *s = [&enc[..], &boxed, &s[1168..]].concat();
        assert!(s.len() < limits::STANZA);
    };
    let forged = reference::seal(net(), "JM", &["TT"], b"x", &faults!(stanza, short));
    let why = Arrived::parse(&frame(&forged)).unwrap_err().why;
    assert!(matches!(why, CarrierWhy::Frame(_)), "{why:?}");
}

/// By whoever carries both, and by their originator, who signs what came of it.
#[test]
fn a_body_swapped_between_envelopes_does_not_open() {
    let net = net();
    let one = reference::seal(net, "JM", &["TT"], b"one", &Faults::default());
    let other = reference::seal(net, "JM", &["TT"], b"two", &Faults::default());
    let carried = v1::Envelope {
        body: other.body.clone(),
        ..one
    };
    let Err(VerifyFault::Carrier(fault)) = net.verify(&frame(&carried), "TT") else {
        panic!("a carrier's fault, and no refusal");
    };
    assert_eq!(fault.why, CarrierWhy::BodyHash);
    let taken = other.body;
    let swapped = faults!(body, move |b: &mut Vec<u8>| *b = taken.to_vec());
    let signed = reference::seal(net, "JM", &["TT"], b"one", &swapped);
    assert_eq!(step(&signed), OpenStep::Chunk);
}

/// JM's org-sign key is stolen and revoked. The thief dates what it makes with it back to before
/// the theft: the time in a message is a claim.
#[test]
fn a_backdated_envelope_under_a_revoked_key_is_refused() {
    let net = net();
    let kid = net.keys("JM").org_sign().verify_key().kid();
    let party = code("JM");
    for (made_at, effective_at) in [
        (NOW, NOW + DAY),
        (NOW, NOW),
        (NOW - DAY / 2, NOW),
        (NOW, u64::MAX),
    ] {
        let revoked = net.next_roster(|roster| {
            roster.revocations.push(v1::Revocation {
                kid: kid.to_bytes(),
                effective_at,
                reason: "The token was stolen.".into(),
            });
        });
        let back = move |p: &mut v1::Pre| p.created_at = made_at;
        let forged = reference::seal(net, "JM", &["TT"], b"x", &faults!(pre, back));
        let here = |trust| {
            let arrived = Arrived::parse(&frame(&forged)).unwrap();
            verify(arrived, trust, code("TT"), NOW + 1)
        };
        here(&net.trust).unwrap();
        let Err(VerifyFault::Carrier(fault)) = here(&revoked) else {
            panic!("made at {made_at}, revoked from {effective_at}");
        };
        assert_eq!(fault.why, CarrierWhy::UnknownKey { party, kid });
    }
}

/// The stanza of another envelope in its place: by a carrier, who cannot sign.
#[test]
fn a_stanza_swapped_between_envelopes_is_no_refusal() {
    let net = net();
    let one = reference::seal(net, "JM", &["BB", "TT"], b"one", &Faults::default());
    let other = reference::seal(net, "JM", &["BB", "TT"], b"two", &Faults::default());
    for stanzas in [
        vec![one.stanzas[0].clone(), other.stanzas[1].clone()],
        vec![Bytes::new(), other.stanzas[1].clone()],
        vec![Bytes::new(), one.stanzas[0].clone()],
    ] {
        let swapped = v1::Envelope {
            stanzas,
            ..one.clone()
        };
        let Err(VerifyFault::Carrier(fault)) = net.verify(&frame(&swapped), "TT") else {
            panic!("a carrier's fault, and no refusal");
        };
        assert_eq!(fault.why, CarrierWhy::StanzaHash(1));
    }
}
