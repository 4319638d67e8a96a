//! Every byte of a file counts, in two ways: the digest at its end sees any change, and what
//! bears on the proof fails on its own where the digest was made anew.

use crate::fixture::{FIRST_LINE, file, framed, net};
use abeng_evidence::{Part, verify};
use bytes::Bytes;

#[test]
fn each_byte_changed_in_any_bit_is_refused() {
    let good = file(&net().story().evidence());
    for at in 0..good.len() {
        let mut bad = good.to_vec();
        bad[at] ^= 1 << (at % 8);
        let fault = verify(&bad.into(), None).unwrap_err();
        let expected = match at {
            at if at < FIRST_LINE.len() => Part::File,
            _ => Part::Digest,
        };
        assert_eq!(fault.part, expected, "byte {at}");
    }
}

#[test]
fn a_file_cut_anywhere_or_added_to_is_refused() {
    let good = file(&net().story().evidence());
    for length in 0..good.len() {
        assert!(
            verify(&good.slice(..length), None).is_err(),
            "{length} bytes"
        );
    }
    for more in [&b"\0"[..], b"\n", &good] {
        let bad: Bytes = [&good[..], more].concat().into();
        assert_eq!(verify(&bad, None).unwrap_err().part, Part::Digest);
    }
}

/// With the digest made anew a change must still fail, at its part and without panic. Every byte
/// of the file's own parts, and a sample of the trust data, which is long and slow to verify.
#[test]
fn a_changed_byte_fails_also_under_a_new_digest() {
    let evidence = net().story().evidence();
    let good = file(&evidence);
    let message = &good[FIRST_LINE.len()..good.len() - 32];
    // Where the parts after the trust data begin: HDR is the first.
    let own = find(message, &evidence.hdr);
    let own_parts = (own..message.len()).step_by(17);
    for at in (0..own).step_by(1499).chain(own_parts) {
        let mut bad = message.to_vec();
        bad[at] ^= 1 << (at % 8);
        assert!(
            verify(&framed(&bad), None).is_err(),
            "byte {at} of the message"
        );
    }
}

fn find(within: &[u8], part: &[u8]) -> usize {
    within.windows(part.len()).position(|w| w == part).unwrap()
}
