use super::{
    Book,
    header::{envelope, faults},
    root::flipped,
    wrong,
};
use crate::{
    file::Breaks::Seal,
    fixture::{Net, frame, seed},
    reference::{self, Faults, chacha, nonce},
};
use abeng_wire::v1;
use ring::aead;

/// A chunk of plaintext, and of ciphertext with its tag.
const PLAIN: usize = 65_536;
const FULL: usize = PLAIN + 16;

const CLOSED: &str = "REFUSED BAD_STANZA: chunk";
const PADDED: &str = "REFUSED BAD_STANZA: padding";

pub fn make(net: &Net, book: &mut Book) {
    book.begin("body", &["roster-1"]);
    book.against().me = Some("TT".into());
    book.against().seal_keys = vec!["seal-TT".into()];
    let good = envelope(net, "body", &Faults::default());
    book.good(
        "good-short",
        "From JM to BB and TT, a notice of nine bytes in one chunk of 2,048.",
        &frame(&good),
    );
    carried(net, book, &good);
    padding(net, book);
    sealing(net, book);
    chunks(net, book);
}

/// What a carrier can do.
fn carried(net: &Net, book: &mut Book, good: &v1::Envelope) {
    let earlier = envelope(net, "an earlier envelope", &Faults::default());
    let mut put = |name: &str, what: &str, with: &dyn Fn(&mut v1::Envelope)| {
        let mut e = good.clone();
        with(&mut e);
        book.bad(
            name,
            wrong(Seal, what, "FAULT_DAMAGED: body-hash"),
            &frame(&e),
        );
    };
    put(
        "changed-on-the-way",
        "One bit of BODY was changed on the way.",
        &|e| e.body = flipped(&e.body, 77),
    );
    put(
        "cut-on-the-way",
        "BODY lost its last byte on the way.",
        &|e| e.body = e.body.slice(..e.body.len() - 1),
    );
    put(
        "of-an-earlier-envelope",
        "BODY is that of an earlier envelope from JM.",
        &|e| e.body = earlier.body.clone(),
    );
    let short = |t: &mut v1::Trl| t.body_length -= 16;
    let e = envelope(net, "body", &faults!(trl, short));
    let without = wrong(
        Seal,
        "TRL says BODY's length without its tag.",
        "FAULT_DAMAGED: body-hash",
    );
    book.bad("length-without-its-tag", without, &frame(&e));
}

/// What an originator can do: it is signed as it stands.
fn padding(net: &Net, book: &mut Book) {
    let mut put = |name: &str, what: &str, with: fn(&mut Vec<u8>)| {
        let e = envelope(net, "body", &faults!(plain, with));
        book.bad(name, wrong(Seal, what, PADDED), &frame(&e));
    };
    put(
        "padding-not-zero-at-its-end",
        "The last byte of the padding is not zero.",
        |p| p[2047] = 1,
    );
    put(
        "padding-not-zero-at-its-beginning",
        "The first byte of the padding is not zero.",
        |p| p[17] = 1,
    );
    put("no-padding", "The plaintext ends with the notice.", |p| {
        p.truncate(17)
    });
    put(
        "padding-one-short",
        "The padding is a byte too short.",
        |p| p.truncate(2047),
    );
    put("padding-one-long", "The padding is a byte too long.", |p| {
        p.push(0)
    });
    put(
        "padding-of-the-next-step",
        "It is padded to the step after the right one: a length that could tell something.",
        |p| p.resize(2176, 0),
    );
    put(
        "length-beyond-the-plaintext",
        "The notice would end behind the plaintext.",
        |p| p[..8].copy_from_slice(&2041u64.to_be_bytes()),
    );
    put(
        "length-of-everything",
        "The notice's length is 2^64 - 1.",
        |p| p[..8].fill(0xff),
    );
    put(
        "length-little-endian",
        "The notice's length is in little-endian.",
        |p| p[..8].reverse(),
    );
    put(
        "no-room-for-a-length",
        "The plaintext has seven bytes.",
        |p| p.truncate(7),
    );
}

fn sealed(key: &[u8], plain: &[u8], nonce: aead::Nonce, aad: &[u8]) -> Vec<u8> {
    let mut out = plain.to_vec();
    chacha(key)
        .seal_in_place_append_tag(nonce, aead::Aad::from(aad), &mut out)
        .unwrap();
    out
}

/// One chunk, sealed otherwise than it must be.
fn sealing(net: &Net, book: &mut Book) {
    type Way = fn(&[u8], &[u8], &[u8]) -> Vec<u8>;
    let mut put = |name: &str, what: &str, with: Way| {
        let e = envelope(net, "body", &faults!(chunks, with));
        book.bad(name, wrong(Seal, what, CLOSED), &frame(&e));
    };
    put(
        "no-final-flag",
        "The last chunk's nonce has no final flag: more could follow.",
        |k, h0, p| sealed(k, p, nonce(0, false), h0),
    );
    put(
        "counter-from-1",
        "The first chunk's counter is 1.",
        |k, h0, p| sealed(k, p, nonce(1, true), h0),
    );
    put("aad-empty", "The chunk is not bound to PRE.", |k, _, p| {
        sealed(k, p, nonce(0, true), &[])
    });
    put(
        "aad-of-another-envelope",
        "The chunk is bound to another PRE.",
        |k, _, p| sealed(k, p, nonce(0, true), &[7; 32]),
    );
    put(
        "key-of-zeros",
        "The chunk is sealed under a key of zeros.",
        |_, h0, p| sealed(&[0; 32], p, nonce(0, true), h0),
    );
    put(
        "flag-before-the-counter",
        "The nonce has its flag first and its counter behind.",
        |k, h0, p| {
            let mut bytes = [0; 12];
            bytes[0] = 1;
            sealed(k, p, aead::Nonce::assume_unique_for_key(bytes), h0)
        },
    );
    put(
        "tag-changed",
        "One bit of the chunk's tag is another.",
        |k, h0, p| {
            let mut out = sealed(k, p, nonce(0, true), h0);
            *out.last_mut().unwrap() ^= 1;
            out
        },
    );
    put(
        "no-tag",
        "The chunk has no tag: it is the bare stream.",
        |k, h0, p| {
            let mut out = sealed(k, p, nonce(0, true), h0);
            out.truncate(p.len());
            out
        },
    );
    put(
        "in-the-clear",
        "The chunk is not sealed at all.",
        |_, _, p| p.to_vec(),
    );
    put(
        "small-chunks",
        "There are two chunks of 1,024 bytes, where only the last may be short.",
        |k, h0, p| {
            let (a, b) = p.split_at(1024);
            [
                sealed(k, a, nonce(0, false), h0),
                sealed(k, b, nonce(1, true), h0),
            ]
            .concat()
        },
    );
}

/// Three chunks; all files name the same ones.
fn chunks(net: &Net, book: &mut Book) {
    // 8 + 2 * 65,536 bytes, padded to 135,168: the last chunk has 4,096.
    let notice = vec![b'n'; 2 * PLAIN];
    let long = |faults: &Faults| {
        seed("body of three chunks");
        reference::seal(net, "JM", &["BB", "TT"], &notice, faults)
    };
    let good = long(&Faults::default());
    assert_eq!(good.body.len(), 2 * FULL + 4096 + 16);
    book.given.put("part-chunk-1", &good.body[..FULL]);
    book.given.put("part-chunk-2", &good.body[FULL..2 * FULL]);
    book.good(
        "good-long",
        "The same with a notice of 131,072 bytes in three chunks.",
        &frame(&good),
    );
    let mut put = |name: &str, what: &str, refused: &str, with: fn(&mut Vec<u8>)| {
        let e = long(&faults!(body, with));
        book.bad(name, wrong(Seal, what, refused), &frame(&e));
    };
    put(
        "last-chunk-cut",
        "The last chunk is missing.",
        CLOSED,
        |b| b.truncate(2 * FULL),
    );
    put(
        "last-byte-cut",
        "The last chunk's last byte is missing.",
        CLOSED,
        |b| b.truncate(b.len() - 1),
    );
    put(
        "first-chunk-cut",
        "The first chunk is missing.",
        CLOSED,
        |b| drop(b.drain(..FULL)),
    );
    put(
        "middle-chunk-cut",
        "The middle chunk is missing.",
        CLOSED,
        |b| drop(b.drain(FULL..2 * FULL)),
    );
    put(
        "chunks-reordered",
        "The first two chunks have changed places.",
        CLOSED,
        |b| b[..2 * FULL].rotate_left(FULL),
    );
    put(
        "chunk-repeated",
        "The first chunk stands in the second's place too.",
        CLOSED,
        |b| b.copy_within(..FULL, FULL),
    );
    put(
        "chunks-extended",
        "The first chunk follows the last once more.",
        CLOSED,
        |b| b.extend_from_within(..FULL),
    );
    put(
        "bytes-added",
        "Sixteen bytes follow the last chunk.",
        CLOSED,
        |b| b.extend([0; 16]),
    );
    type Way = fn(&[u8], &[u8], &[u8]) -> Vec<u8>;
    let mut put = |name: &str, what: &str, with: Way| {
        let e = long(&faults!(chunks, with));
        book.bad(name, wrong(Seal, what, CLOSED), &frame(&e));
    };
    put(
        "final-flag-before-the-end",
        "The second of three chunks has the final flag.",
        |k, h0, p| {
            let first = sealed(k, &p[..PLAIN], nonce(0, false), h0);
            let second = sealed(k, &p[PLAIN..2 * PLAIN], nonce(1, true), h0);
            [
                first,
                second,
                sealed(k, &p[2 * PLAIN..], nonce(2, true), h0),
            ]
            .concat()
        },
    );

    // 8 + 65,528 bytes need no padding: one full chunk.
    let notice = vec![b'n'; PLAIN - 8];
    let full = |faults: &Faults| {
        seed("body of a full chunk");
        reference::seal(net, "JM", &["BB", "TT"], &notice, faults)
    };
    book.good(
        "good-full",
        "The same with a notice that fills one chunk.",
        &frame(&full(&Faults::default())),
    );
    let with: Way = |k, h0, p| {
        [
            sealed(k, p, nonce(0, false), h0),
            sealed(k, &[], nonce(1, true), h0),
        ]
        .concat()
    };
    let what = "A last chunk with its final flag and no byte follows the full one.";
    book.bad(
        "empty-last-chunk",
        wrong(Seal, what, CLOSED),
        &frame(&full(&faults!(chunks, with))),
    );
}
