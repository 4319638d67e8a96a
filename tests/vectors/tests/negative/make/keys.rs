//! Ed25519 keys that nobody admits.

use curve25519_dalek::{
    constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION},
    edwards::CompressedEdwardsY,
};

/// Name, what is wrong, reason, key.
pub fn bad_ed25519() -> Vec<(&'static str, &'static str, &'static str, Vec<u8>)> {
    vec![
        (
            "short",
            "has 31 bytes",
            "length: Ed25519, 31 bytes for 32",
            vec![9; 31],
        ),
        (
            "not-a-point",
            "is no point of the curve",
            "not-a-point",
            not_a_point(),
        ),
        (
            "spelt-twice",
            "is a point whose y is written with p added",
            "not-canonical",
            spelt_twice(),
        ),
        (
            "small-order",
            "is a point of order 8: everybody can sign for it",
            "small-order",
            small_order(),
        ),
        (
            "torsion",
            "is a good point plus one of order 8: verifiers disagree",
            "torsion",
            torsion(),
        ),
    ]
}

fn not_a_point() -> Vec<u8> {
    let candidates = (2u8..).map(|y| {
        let mut bytes = [0; 32];
        bytes[0] = y;
        bytes
    });
    let mut none = candidates.filter(|b| CompressedEdwardsY(*b).decompress().is_none());
    none.next().unwrap().to_vec()
}

/// y + p, for a y below 19 that is one of a point of large order.
fn spelt_twice() -> Vec<u8> {
    let candidates = (2u8..19).map(|y| {
        let mut bytes = [0xff; 32];
        (bytes[0], bytes[31]) = (0xed + y, 0x7f);
        bytes
    });
    let points = candidates.filter_map(|b| Some((b, CompressedEdwardsY(b).decompress()?)));
    let mut large = points.filter(|(_, point)| !point.is_small_order());
    large.next().unwrap().0.to_vec()
}

fn small_order() -> Vec<u8> {
    EIGHT_TORSION[1].compress().as_bytes().to_vec()
}

fn torsion() -> Vec<u8> {
    let point = ED25519_BASEPOINT_POINT + EIGHT_TORSION[1];
    point.compress().as_bytes().to_vec()
}
