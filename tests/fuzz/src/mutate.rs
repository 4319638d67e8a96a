//! Inputs that are almost right: where decoders are wrong, if anywhere.

use crate::Chance;

/// Numbers that lie at an edge.
const EDGES: [u64; 10] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    i64::MAX as u64,
    u64::MAX,
];

/// Changes a few things about an input. `others` are inputs to take pieces from.
pub fn mutate(input: &[u8], others: &[Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    let mut data = input.to_vec();
    for _ in 0..=chance.below(4) {
        once(&mut data, others, chance);
    }
    data
}

fn once(data: &mut Vec<u8>, others: &[Vec<u8>], chance: &mut Chance) {
    if data.is_empty() {
        data.push(chance.word() as u8);
        return;
    }
    let at = chance.below(data.len());
    match chance.below(9) {
        0 => data[at] ^= 1 << chance.below(8),
        1 => data[at] = chance.word() as u8,
        2 => data.truncate(at),
        3 => data.insert(at, chance.word() as u8),
        4 => _ = data.remove(at),
        // A number at an edge, as lengths and indexes are written.
        5 => {
            let edge = EDGES[chance.below(EDGES.len())];
            let bytes = match chance.below(3) {
                0 => edge.to_be_bytes()[4..].to_vec(),
                1 => edge.to_le_bytes().to_vec(),
                _ => varint(edge),
            };
            let end = data.len().min(at + bytes.len());
            data.splice(at..end, bytes);
        }
        // A piece of it once more, or moved.
        6 => {
            let end = data.len().min(at + 1 + chance.below(64));
            let piece = data[at..end].to_vec();
            let to = chance.below(data.len());
            data.splice(to..to, piece);
        }
        7 => {
            let end = data.len().min(at + 1 + chance.below(64));
            data.drain(at..end);
        }
        // A piece of another one.
        _ => {
            let Some(other) = others.get(chance.below(others.len().max(1))) else {
                return;
            };
            if other.is_empty() {
                return;
            }
            let from = chance.below(other.len());
            let end = other.len().min(from + 1 + chance.below(256));
            data.splice(at..at, other[from..end].iter().copied());
        }
    }
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
