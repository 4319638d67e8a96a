use super::{
    Book,
    header::{envelope, faults},
    wrong,
};
use crate::{
    file::Breaks::{self, Key, Place, Seal},
    fixture::{LIFE, NOW, Net, frame, seed},
    reference::{self, Faults, chacha, pae},
};
use abeng_wire::v1;
use bytes::Bytes;
use curve25519_dalek::{constants::EIGHT_TORSION, edwards::EdwardsPoint};
use ring::aead;

pub fn make(net: &Net, book: &mut Book) {
    book.begin("stanza", &["roster-1"]);
    book.against().me = Some("TT".into());
    book.against().seal_keys = vec!["seal-TT".into()];
    let good = envelope(net, "stanza", &Faults::default());
    book.good(
        "good",
        "From JM to BB and TT, as TT opens it.",
        &frame(&good),
    );
    carried(net, book, &good);
    boxes(net, book);
    slots(net, book);
    readers(net, book, &good);
}

/// What a carrier can do: SIG stands, and a stanza is not the one that was signed.
fn carried(net: &Net, book: &mut Book, good: &v1::Envelope) {
    let earlier = envelope(net, "an earlier envelope", &Faults::default());
    let mut put = |name: &str, what: &str, refused: &str, with: &dyn Fn(&mut v1::Envelope)| {
        let mut envelope = good.clone();
        with(&mut envelope);
        book.bad(name, wrong(Seal, what, refused), &frame(&envelope));
    };
    put(
        "mine-pruned",
        "TT's stanza was pruned on the way.",
        "FAULT_DAMAGED: stanza-missing",
        &|e| e.stanzas[1].clear(),
    );
    put(
        "one-left-out",
        "BB's stanza was left out instead of pruned.",
        "FAULT_DAMAGED: stanza-count: 1 for 2",
        &|e| drop(e.stanzas.remove(0)),
    );
    put(
        "one-added",
        "A third stanza was added.",
        "FAULT_DAMAGED: stanza-count: 3 for 2",
        &|e| e.stanzas.push(Bytes::new()),
    );
    put(
        "of-1239-bytes",
        "TT's stanza lost a byte.",
        "FAULT_DAMAGED: size: STANZA of 1239",
        &|e| e.stanzas[1] = e.stanzas[1].slice(1..),
    );
    put(
        "mine-damaged",
        "One bit of TT's stanza was changed on the way.",
        "FAULT_DAMAGED: stanza-hash: 1",
        &|e| e.stanzas[1] = super::root::flipped(&e.stanzas[1], 1200),
    );
    put(
        "a-neighbours-damaged",
        "One bit of BB's stanza was changed on the way.",
        "FAULT_DAMAGED: stanza-hash: 0",
        &|e| e.stanzas[0] = super::root::flipped(&e.stanzas[0], 1200),
    );
    put(
        "exchanged-between-recipients",
        "BB's and TT's stanzas changed places on the way.",
        "FAULT_DAMAGED: stanza-hash: 0",
        &|e| e.stanzas.swap(0, 1),
    );
    put(
        "taken-from-an-earlier-envelope",
        "TT's stanza is that of an earlier envelope from JM.",
        "FAULT_DAMAGED: stanza-hash: 1",
        &|e| e.stanzas[1] = earlier.stanzas[1].clone(),
    );
}

/// What an originator can do: everything is signed as it stands.
fn boxes(net: &Net, book: &mut Book) {
    let mut put = |name: &str, breaks: Breaks, what: &str, refused: &str, faults: Faults| {
        let e = envelope(net, "stanza", &faults);
        book.bad(name, wrong(breaks, what, refused), &frame(&e));
    };
    let order_8 = |point: EdwardsPoint| point.to_montgomery().to_bytes();
    let mut unreduced = [0xff; 32];
    (unreduced[0], unreduced[31]) = (0xed, 0x7f); // p, which is 0
    let mut one = [0; 32];
    one[0] = 1;
    let mut one_high = one;
    one_high[31] = 0x80;
    for (name, what, point) in [
        (
            "encapsulation-of-zero",
            "The X25519 half of the encapsulation is 0.",
            [0; 32],
        ),
        (
            "encapsulation-of-one",
            "The X25519 half of the encapsulation is 1, of order 4.",
            one,
        ),
        (
            "encapsulation-of-one-with-its-top-bit",
            "The X25519 half of the encapsulation is 1 with the bit set that nobody looks at.",
            one_high,
        ),
        (
            "encapsulation-of-order-8",
            "The X25519 half of the encapsulation is of order 8.",
            order_8(EIGHT_TORSION[1]),
        ),
        (
            "encapsulation-of-zero-spelt-p",
            "The X25519 half of the encapsulation is p, which is 0.",
            unreduced,
        ),
    ] {
        let low = mine(move |s| s[1088..1120].copy_from_slice(&point));
        put(
            name,
            Key,
            what,
            "REFUSED BAD_STANZA: low-order-encapsulation",
            faults!(stanza, low),
        );
    }
    let closed = "REFUSED BAD_STANZA: box";
    let flip = |at: usize| mine(move |s| s[at] ^= 1);
    put(
        "ml-kem-half-changed",
        Seal,
        "One bit of the ML-KEM half of the encapsulation is another.",
        closed,
        faults!(stanza, flip(0)),
    );
    put(
        "x25519-half-changed",
        Seal,
        "One bit of the X25519 half of the encapsulation is another.",
        closed,
        faults!(stanza, flip(1100)),
    );
    put(
        "box-ciphertext-changed",
        Seal,
        "One bit of BOX's ciphertext is another.",
        closed,
        faults!(stanza, flip(1121)),
    );
    put(
        "box-tag-changed",
        Seal,
        "One bit of BOX's tag is another.",
        closed,
        faults!(stanza, flip(1167)),
    );

    // BOX is bound to who sends, in which life, to whom, under which key: each of them another's.
    let kid = net
        .trust
        .seal_key(crate::fixture::code("TT"), NOW)
        .unwrap()
        .kid();
    let info = move |label: &[u8], from: &str, life: u64, to: &str, kid: &[u8]| {
        let from = [from.as_bytes(), &life.to_be_bytes()].concat();
        pae(
            label,
            &[
                &pae(b"originator", &from)[..],
                &pae(b"to", to.as_bytes()),
                kid,
            ]
            .concat(),
        )
    };
    let tt = kid.0;
    let bound = [
        (
            "box-of-another-originator",
            "BOX was made for an envelope from BB: surreptitious forwarding.",
            info(b"abeng/1/box", "BB", LIFE.0, "TT", &tt),
        ),
        (
            "box-of-another-life",
            "BOX was made in another life of JM's log.",
            info(b"abeng/1/box", "JM", LIFE.0 + 1, "TT", &tt),
        ),
        (
            "box-to-another-recipient",
            "BOX was made to TT's key in the name of BB.",
            info(b"abeng/1/box", "JM", LIFE.0, "BB", &tt),
        ),
        (
            "box-to-another-kid",
            "BOX was made to TT's key under another kid.",
            info(b"abeng/1/box", "JM", LIFE.0, "TT", &[1; 32]),
        ),
        (
            "box-of-another-suite",
            "BOX's label is that of a suite 2, which does not exist.",
            info(b"abeng/2/box", "JM", LIFE.0, "TT", &tt),
        ),
        (
            "box-bound-to-nothing",
            "BOX is bound to nothing.",
            Vec::new(),
        ),
    ];
    for (name, what, bytes) in bound {
        put(
            name,
            Seal,
            what,
            closed,
            faults!(info, mine(move |s| *s = bytes.clone())),
        );
    }
    let neighbour = envelope(net, "stanza", &Faults::default()).stanzas[0].clone();
    put(
        "box-of-the-neighbour",
        Seal,
        "TT's stanza is BB's once more.",
        closed,
        faults!(stanza, mine(move |s| *s = neighbour.to_vec())),
    );
}

fn slots(net: &Net, book: &mut Book) {
    let mut put = |name: &str, what: &str, refused: &str, faults: Faults| {
        let e = envelope(net, "stanza", &faults);
        book.bad(name, wrong(Seal, what, refused), &frame(&e));
    };
    let (closed, seq) = (
        "REFUSED BAD_STANZA: slot",
        "REFUSED BAD_STANZA: stream-number-not-committed",
    );
    let commit = "REFUSED BAD_STANZA: content-key-not-committed";
    put(
        "slot-changed",
        "One bit of SLOT is another.",
        closed,
        faults!(stanza, mine(|s| s[1170] ^= 1)),
    );
    put(
        "slot-tag-changed",
        "One bit of SLOT's tag is another.",
        closed,
        faults!(stanza, mine(|s| s[1239] ^= 1)),
    );
    put(
        "stream-number-0",
        "The stream number is 0; they begin at 1.",
        closed,
        faults!(slot, mine(|s| s[32..40].fill(0))),
    );
    put(
        "another-stream-number",
        "SLOT says number 3, PRE commits to 1.",
        seq,
        faults!(slot, mine(|s| s[39] = 3)),
    );
    put(
        "another-blind",
        "SLOT's blind does not open the commitment in PRE.",
        seq,
        faults!(slot, mine(|s| s[55] ^= 1)),
    );
    put(
        "another-content-key-for-me",
        "SLOT holds another content key than the one that TRL commits to: TT would read something else than BB.",
        commit,
        faults!(slot, mine(|s| s[0] ^= 1)),
    );
    let other = envelope(net, "an earlier envelope", &Faults::default()).stanzas[1].clone();
    put(
        "stanza-of-an-earlier-envelope",
        "JM has signed TT's stanza of an earlier envelope again: BOX is good, SLOT is of the other.",
        closed,
        faults!(stanza, mine(move |s| *s = other.to_vec())),
    );
    let to_bb = |i: usize, entry: &mut v1::PreRecipient| {
        if i == 1 {
            entry.party = "BB".into();
        }
    };
    put(
        "slot-to-another-recipient",
        "SLOT's key is bound to BB.",
        closed,
        faults!(slot_for, to_bb),
    );
    let to_kid = |i: usize, entry: &mut v1::PreRecipient| {
        if i == 1 {
            entry.seal_kid = vec![1; 32].into();
        }
    };
    put(
        "slot-to-another-kid",
        "SLOT's key is bound to another seal key.",
        closed,
        faults!(slot_for, to_kid),
    );
    put(
        "commit-to-another-key",
        "TRL commits to another content key than the one that all SLOTs hold.",
        closed,
        faults!(trl, |t: &mut v1::Trl| t.commit = vec![1; 32].into()),
    );
    let under_zero = mine(|s| {
        let mut slot = vec![7; 56];
        let nonce = aead::Nonce::assume_unique_for_key([0; 12]);
        chacha(&[0; 32])
            .seal_in_place_append_tag(nonce, aead::Aad::empty(), &mut slot)
            .unwrap();
        s.truncate(1168);
        s.extend(slot);
    });
    put(
        "slot-under-a-key-of-zeros",
        "SLOT is sealed under a key of zeros.",
        closed,
        faults!(stanza, under_zero),
    );
}

/// What is wrong with who reads it.
fn readers(net: &Net, book: &mut Book, good: &v1::Envelope) {
    let mut at = |name: &str, breaks, what: &str, refused: &str, me: &str, keys: &[&str]| {
        book.bad_against(name, wrong(breaks, what, refused), &frame(good), |a| {
            a.me = Some(me.into());
            a.seal_keys = keys.iter().map(|&k| k.into()).collect();
        });
    };
    at(
        "seal-key-gone",
        Key,
        "TT no longer has the seal key; JM may seal it again.",
        "REFUSED KEY_GONE: no-such-seal-key",
        "TT",
        &[],
    );
    at(
        "not-addressed-to-the-reader",
        Place,
        "LC reads it, which is no recipient.",
        "REFUSED BAD_STANZA: not-mine",
        "LC",
        &["seal-LC"],
    );
    at(
        "read-with-the-neighbours-key",
        Key,
        "BB's node reads it as TT.",
        "REFUSED KEY_GONE: no-such-seal-key",
        "TT",
        &["seal-BB"],
    );
    seed("stanza");
    let kid = net
        .trust
        .seal_key(crate::fixture::code("BB"), NOW)
        .unwrap()
        .kid();
    let named = move |p: &mut v1::Pre| p.recipients[1].seal_kid = kid.to_bytes();
    let e = reference::seal(net, "JM", &["BB", "TT"], b"A notice.", &faults!(pre, named));
    book.bad(
        "pre-names-a-neighbours-seal-key",
        wrong(
            Key,
            "PRE names BB's seal key for TT.",
            "REFUSED KEY_GONE: no-such-seal-key",
        ),
        &frame(&e),
    );
}

/// A knob for TT's stanza alone.
fn mine(with: impl Fn(&mut Vec<u8>) + 'static) -> impl Fn(usize, &mut Vec<u8>) {
    move |i, bytes| {
        if i == 1 {
            with(bytes);
        }
    }
}
