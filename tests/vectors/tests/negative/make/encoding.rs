//! The ways in which bytes say the same and are not the one canonical encoding.

use bytes::Bytes;

/// A field that no message has: number 127, a varint.
pub fn unknown_field(bytes: &Bytes) -> Bytes {
    [&bytes[..], &[0xf8, 0x07, 1]].concat().into()
}

/// The first field behind all others.
pub fn first_field_last(bytes: &Bytes) -> Bytes {
    let first = field_end(bytes);
    [&bytes[first..], &bytes[..first]].concat().into()
}

/// The varint of the first field, or its length, with a byte more than it needs.
pub fn long_varint(bytes: &Bytes) -> Bytes {
    let end = 1 + varint(&bytes[1..]).1;
    let mut out = bytes[..end].to_vec();
    *out.last_mut().unwrap() |= 0x80;
    out.push(0);
    out.extend(&bytes[end..]);
    out.into()
}

/// A field of this number, a varint that is 0, written out behind all others.
pub fn written_default(bytes: &Bytes, number: u8) -> Bytes {
    [&bytes[..], &[number << 3, 0]].concat().into()
}

/// Cut within its last field.
pub fn cut(bytes: &Bytes) -> Bytes {
    bytes.slice(..bytes.len() - 1)
}

fn field_end(bytes: &[u8]) -> usize {
    let (value, used) = varint(&bytes[1..]);
    match bytes[0] & 7 {
        2 => 1 + used + usize::try_from(value).unwrap(),
        _ => 1 + used,
    }
}

fn varint(bytes: &[u8]) -> (u64, usize) {
    let mut value = 0;
    for (i, byte) in bytes.iter().enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return (value, i + 1);
        }
    }
    panic!("a varint ends");
}
