//! Envelopes with a good SIG and good hashes whose content is wrong: the originator's doing.

use crate::{
    fixture::{code, frame, net},
    reference::{self, Faults, sealed_frame},
};
use abeng_seal::{OpenFault, OpenStep, OpenedBoxes, open};
use abeng_wire::{v1, v1::Reason};
use bytes::Bytes;

fn fault_of(frame: &Bytes, me: &str) -> OpenFault {
    let net = net();
    let verified = net.verify(frame, me).expect("SIG and hashes hold");
    net.open(&verified, me).expect_err("must not open")
}

fn expect(name: &str, step: OpenStep, notice: &[u8], faults: Faults) {
    let frame = sealed_frame(net(), "JM", &["BB", "TT"], notice, &faults);
    let fault = fault_of(&frame, "TT");
    assert_eq!(fault.step, step, "{name}");
    assert_eq!(
        fault.reason,
        Reason::BadStanza,
        "{name}: one outward answer"
    );
}

macro_rules! faults {
    ($knob:ident, $with:expr) => {
        Faults {
            $knob: Some(Box::new($with)),
            ..Faults::default()
        }
    };
}

#[test]
fn chunks_cut_moved_repeated_or_added() {
    const FULL: usize = 65_552;
    let long = vec![9; 3 * 65_536];
    let chunk =
        |name, with: fn(&mut Vec<u8>)| expect(name, OpenStep::Chunk, &long, faults!(body, with));
    chunk("last chunk cut", |b| b.truncate(3 * FULL));
    chunk("last byte cut", |b| b.truncate(b.len() - 1));
    chunk("moved", |b| b[..2 * FULL].rotate_left(FULL));
    chunk("first left out", |b| drop(b.drain(..FULL)));
    chunk("repeated", |b| b.extend_from_within(..FULL));
    chunk("bytes added", |b| b.extend([0; 16]));
    chunk("flipped", |b| b[FULL] ^= 1);
}

#[test]
fn padding_of_another_length_or_content() {
    let pad = |name, with: fn(&mut Vec<u8>)| {
        expect(name, OpenStep::Padding, b"five5", faults!(plain, with));
    };
    pad("a one at the end", |p| *p.last_mut().unwrap() = 1);
    pad("a one right behind the notice", |p| p[13] = 1);
    pad("no padding", |p| p.truncate(13));
    pad("one zero too few", |p| p.truncate(2047));
    pad("one zero too many", |p| p.push(0));
    pad("padded to the next step", |p| p.resize(2176, 0));
    pad("length beyond the plaintext", |p| p[6] = 0xff);
    pad("a giant length", |p| p[..8].fill(0xff));
    pad("no length", |p| p.truncate(7));
}

#[test]
fn a_slot_that_says_otherwise_than_what_is_signed() {
    let slot = |name, step, with: fn(&mut Vec<u8>)| {
        let mine = move |i: usize, s: &mut Vec<u8>| {
            if i == 1 {
                with(s)
            }
        };
        expect(name, step, b"x", faults!(slot, mine));
    };
    slot("stream number 0", OpenStep::Slot, |s| s[32..40].fill(0));
    slot("another stream number", OpenStep::Seq, |s| s[39] ^= 2);
    slot("another blind", OpenStep::Seq, |s| s[55] ^= 1);
    slot("another content key for me alone", OpenStep::Commit, |s| {
        s[0] ^= 1
    });
}

#[test]
fn a_content_key_of_its_own_for_one_recipient_leaves_the_others_alone() {
    let other = |i: usize, s: &mut Vec<u8>| {
        if i == 1 {
            s[0] ^= 1
        }
    };
    let frame = sealed_frame(net(), "JM", &["BB", "TT"], b"x", &faults!(slot, other));
    let verified = net().verify(&frame, "BB").unwrap();
    assert_eq!(net().open(&verified, "BB").unwrap().notice(), "x");
    assert_eq!(fault_of(&frame, "TT").step, OpenStep::Commit);
}

#[test]
fn a_commit_to_another_key_opens_for_nobody() {
    // k_slot is bound to the commit, so that already SLOT does not open.
    let commit = |t: &mut v1::Trl| t.commit = vec![1; 32].into();
    expect("commit", OpenStep::Slot, b"x", faults!(trl, commit));
}

#[test]
fn encapsulations_of_low_order_are_refused_before_hpke() {
    // The u-coordinates of low order on the curve and its twist, RFC 7748 and
    // <https://cr.yp.to/ecdh.html>, with the top bit in both positions.
    let mut points: Vec<[u8; 32]> = vec![[0; 32]];
    let hex = |text: &str| -> [u8; 32] {
        let byte = |i: usize| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap();
        std::array::from_fn(byte)
    };
    for text in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ] {
        points.push(hex(text));
    }
    for mut point in points.clone() {
        point[31] ^= 0x80;
        points.push(point);
    }
    for point in points {
        let low = move |_: usize, s: &mut Vec<u8>| s[1088..1120].copy_from_slice(&point);
        expect("low order", OpenStep::LowOrder, b"x", faults!(stanza, low));
    }
}

#[test]
fn a_box_or_slot_that_was_changed() {
    for (at, step) in [
        (0, OpenStep::Box),
        (1087, OpenStep::Box),
        (1089, OpenStep::Box),
        (1120, OpenStep::Box),
        (1167, OpenStep::Box),
        (1168, OpenStep::Slot),
        (1239, OpenStep::Slot),
    ] {
        let flip = move |_: usize, s: &mut Vec<u8>| s[at] ^= 1;
        expect("flip", step, b"x", faults!(stanza, flip));
    }
}

#[test]
fn a_stanza_of_another_envelope_or_recipient_does_not_open() {
    let net = net();
    let earlier = reference::seal(net, "JM", &["BB", "TT"], b"earlier", &Faults::default());
    let taken = earlier.stanzas[1].clone();
    let swap = move |i: usize, s: &mut Vec<u8>| {
        if i == 1 {
            *s = taken.to_vec();
        }
    };
    // BOX is for this pair, and opens; SLOT is for the other envelope.
    expect(
        "another envelope's",
        OpenStep::Slot,
        b"later",
        faults!(stanza, swap),
    );
    let neighbour = earlier.stanzas[0].clone();
    let swap = move |_: usize, s: &mut Vec<u8>| *s = neighbour.to_vec();
    expect(
        "another recipient's",
        OpenStep::Box,
        b"later",
        faults!(stanza, swap),
    );
}

/// DM got hold of a stanza that JM made for TT and sends it on as its own: TT must not take it,
/// whether or not it remembers that BOX.
#[test]
fn surreptitious_forwarding_fails_with_and_without_the_box_in_memory() {
    let net = net();
    let real = reference::seal(net, "JM", &["TT"], b"real", &Faults::default());
    let stolen = real.stanzas[0].clone();
    let reuse = move |_: usize, s: &mut Vec<u8>| *s = stolen.to_vec();
    let forged = sealed_frame(net, "DM", &["TT"], b"forged", &faults!(stanza, reuse));
    let mut boxes = OpenedBoxes::default();
    let mut try_open = |frame: &Bytes| {
        let verified = net.verify(frame, "TT").unwrap();
        open(&verified, &net.secrets("TT"), code("TT"), &mut boxes)
    };
    assert_eq!(try_open(&forged).unwrap_err().step, OpenStep::Box);
    assert_eq!(try_open(&frame(&real)).unwrap().notice(), "real");
    assert_eq!(try_open(&forged).unwrap_err().step, OpenStep::Box);
}

/// The whole of JM's envelope under DM's signature: h0 is no longer that of the stanzas.
#[test]
fn an_envelope_signed_again_by_another_does_not_open() {
    let net = net();
    let real = reference::seal(net, "JM", &["TT"], b"real", &Faults::default());
    let hdr = {
        use abeng_keys::Signer;
        use abeng_wire::{encode, prost::Message};
        let hdr = v1::Hdr::decode(real.hdr.clone()).unwrap();
        let mut pre = v1::Pre::decode(hdr.pre.clone()).unwrap();
        pre.originator = "DM".into();
        pre.org_sign_kid = net.keys("DM").org_sign().verify_key().kid().to_bytes();
        encode(&v1::Hdr {
            pre: encode(&pre),
            ..hdr
        })
    };
    let mut stolen = v1::Envelope { hdr, ..real };
    net.sign("DM", &mut stolen);
    assert_eq!(fault_of(&frame(&stolen), "TT").step, OpenStep::Box);
}

#[test]
fn only_a_key_that_is_not_here_is_told_apart() {
    let net = net();
    let frame = sealed_frame(net, "JM", &["TT"], b"x", &Faults::default());
    let verified = net.verify(&frame, "TT").unwrap();
    let fault = open(
        &verified,
        &|_| None,
        code("TT"),
        &mut OpenedBoxes::default(),
    )
    .unwrap_err();
    assert_eq!(
        (fault.reason, fault.step),
        (Reason::KeyGone, OpenStep::KeyGone)
    );
    let wrong_secret = net.secrets("BB");
    let any = |_: &abeng_wire::Kid| {
        wrong_secret(&net.trust.seal_key(code("BB"), crate::fixture::NOW)?.kid())
    };
    let fault = open(&verified, &any, code("TT"), &mut OpenedBoxes::default()).unwrap_err();
    assert_eq!(
        (fault.reason, fault.step),
        (Reason::BadStanza, OpenStep::Box)
    );
}
