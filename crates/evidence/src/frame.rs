//! The file around the message: a first line for people, the message, SHA-256 over both.

use crate::{Fault, Part, Why};
use abeng_roster::digest;
use abeng_wire::{limits, prost::Message};
use bytes::Bytes;

/// The first line of an evidence file.
const EVIDENCE: &[u8] = b"Abeng evidence file 1: check it with `abeng evidence verify FILE`\n";
/// The first line of a contradiction file.
const CONTRADICTION: &[u8] =
    b"Abeng contradiction file 1: check it with `abeng audit judge FILE`\n";
/// The digest at the end.
const DIGEST: usize = 32;

/// What a file is, by its first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Evidence about one envelope.
    Evidence,
    /// Two checkpoints that cannot both be true.
    Contradiction,
}

impl FileKind {
    pub(crate) fn first_line(self) -> &'static [u8] {
        match self {
            Self::Evidence => EVIDENCE,
            Self::Contradiction => CONTRADICTION,
        }
    }

    fn limit(self) -> usize {
        match self {
            Self::Evidence => limits::EVIDENCE,
            Self::Contradiction => limits::TRUST_BUNDLE + limits::CONTRADICTION,
        }
    }
}

/// What a file says it is; nothing of it is believed. Enough of its beginning will do.
pub fn kind_of(file: &[u8]) -> Option<FileKind> {
    [FileKind::Evidence, FileKind::Contradiction]
        .into_iter()
        .find(|kind| file.starts_with(kind.first_line()))
}

/// Puts a file together.
#[allow(
    clippy::expect_used,
    reason = "encoding fails only for want of room, and a Vec has room"
)]
pub(crate) fn frame(kind: FileKind, message: &impl Message) -> Vec<u8> {
    let line = kind.first_line();
    // Never grows, so that no copy of a content key stays behind in freed memory.
    let mut file = Vec::with_capacity(line.len() + message.encoded_len() + DIGEST);
    file.extend_from_slice(line);
    message.encode(&mut file).expect("room in a Vec");
    let end = digest(&file);
    file.extend_from_slice(&end.0);
    file
}

/// Takes a file apart, if it is as it was made: the message's bytes.
pub(crate) fn unframe(kind: FileKind, file: &Bytes) -> Result<Bytes, Fault> {
    let whole = |why| Fault::at(Part::File, 0, why);
    if kind_of(file) != Some(kind) {
        return Err(whole(Why::FirstLine));
    }
    if file.len() > kind.limit() {
        return Err(whole(Why::TooLong {
            limit: kind.limit(),
        }));
    }
    let begin = kind.first_line().len();
    let end = file
        .len()
        .checked_sub(DIGEST)
        .filter(|end| *end > begin)
        .ok_or_else(|| Fault::at(Part::File, file.len(), Why::Truncated))?;
    if digest(&file[..end]).0[..] != file[end..] {
        return Err(Fault::at(Part::Digest, end, Why::Digest));
    }
    Ok(file.slice(begin..end))
}

/// Where a part of the message lies: a path of field numbers, each with the place of the
/// occurrence at its level. `None` where the message has no such part. The message must have been
/// decoded before.
pub(crate) fn locate(message: &[u8], path: &[(u32, usize)]) -> Option<usize> {
    let (&(field, nth), deeper) = path.split_first()?;
    let mut seen = 0;
    let mut at = 0;
    while at < message.len() {
        let key = varint(message, &mut at)?;
        let length = match key & 7 {
            0 => {
                varint(message, &mut at)?;
                continue;
            }
            2 => usize::try_from(varint(message, &mut at)?).ok()?,
            _ => return None,
        };
        let inner = message.get(at..at.checked_add(length)?)?;
        if key >> 3 == u64::from(field) {
            if seen == nth {
                let inside = if deeper.is_empty() {
                    0
                } else {
                    // The nearest part that is there is better than none.
                    locate(inner, deeper).unwrap_or(0)
                };
                return Some(at + inside);
            }
            seen += 1;
        }
        at += length;
    }
    None
}

fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use abeng_wire::{encode, v1};

    #[test]
    fn a_part_is_found_by_its_path() {
        let leaf = |byte: u8| v1::LeafProof {
            leaf: vec![byte; 3].into(),
            index: 300,
            path: vec![vec![byte + 1; 32].into(), vec![byte + 2; 32].into()],
            statement: None,
        };
        let log = |byte| v1::LogProof {
            checkpoint: vec![byte; 200].into(),
            consistency: vec![],
            leaves: vec![leaf(byte + 1), leaf(byte + 4)],
        };
        let bytes = encode(&v1::Evidence {
            version: 1,
            sig: vec![9; 64].into(),
            logs: vec![log(10), log(20)],
            ..Default::default()
        });
        let first = |path: &[(u32, usize)]| bytes[locate(&bytes, path).unwrap()];
        assert_eq!(first(&[(5, 0)]), 9);
        assert_eq!(first(&[(8, 1), (1, 0)]), 20);
        assert_eq!(first(&[(8, 1), (3, 1), (1, 0)]), 24);
        assert_eq!(first(&[(8, 0), (3, 0), (3, 1)]), 13);
        assert_eq!(locate(&bytes, &[(4, 0)]), None);
        assert_eq!(locate(&bytes, &[(8, 2)]), None);
        assert_eq!(locate(&bytes[..bytes.len() - 1], &[(8, 1)]), None);
    }
}
