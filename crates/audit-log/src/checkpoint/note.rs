//! C2SP signed-note and tlog-checkpoint, as text.

use super::{Checkpoint, LogOrigin};
use crate::record::sha256;
use abeng_keys::VerifyKey;
use abeng_wire::{LeafHash, PartyCode, limits};
use bytes::Bytes;
use data_encoding::BASE64;

/// The kinds of signature in a note (C2SP signed-note).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Ed25519 over the note's text: a log's.
    Log = 0x01,
    /// Timestamped Ed25519 (C2SP tlog-cosignature): a witness's.
    Witness = 0x04,
}

/// Why a note is not a checkpoint to be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a note, or not a checkpoint of three lines.
    #[error("not a checkpoint: {rule}")]
    Form {
        /// The rule it breaks.
        rule: &'static str,
    },
    /// Of another log.
    #[error("the checkpoint is of log `{found}` instead of `{expected}`")]
    Origin {
        /// Its log.
        found: String,
        /// The log asked for.
        expected: String,
    },
    /// The roster has no log key for this origin.
    #[error("the roster knows no log key for `{origin}`")]
    UnknownLog {
        /// The origin.
        origin: String,
    },
    /// None of the signatures is by the log's key.
    #[error("the checkpoint is not signed by the log's key")]
    Unsigned,
    /// A signature that says it is by the log's key does not hold.
    #[error("the log's signature under the checkpoint does not hold")]
    BadSignature,
    /// A line that says it is by a witness's key does not hold, or has no time.
    #[error("the cosignature of `{party}` under the checkpoint does not hold")]
    BadCosignature {
        /// The witness.
        party: PartyCode,
    },
}

/// A note taken apart; nothing of it is believed.
pub(super) struct Note<'a> {
    pub(super) origin: &'a str,
    pub(super) size: u64,
    pub(super) root: LeafHash,
    /// What is signed: up to and with the last newline before the blank line.
    pub(super) text: &'a str,
    pub(super) signatures: Vec<(&'a str, Vec<u8>)>,
}

fn form(rule: &'static str) -> NoteError {
    NoteError::Form { rule }
}

impl<'a> Note<'a> {
    pub(super) fn parse(note: &'a [u8]) -> Result<Self, NoteError> {
        if note.len() > limits::CHECKPOINT {
            return Err(form("it is too long"));
        }
        let note = std::str::from_utf8(note).map_err(|_| form("it is UTF-8"))?;
        if note.bytes().any(|b| b < 0x20 && b != b'\n') {
            return Err(form("it has no control characters"));
        }
        let split = note
            .rfind("\n\n")
            .ok_or(form("a blank line ends its text"))?;
        let (text, lines) = (&note[..=split], &note[split + 2..]);
        let body: Vec<&str> = text[..split].split('\n').collect();
        let [origin, size, root] = body[..] else {
            return Err(form("it has three lines and no extension"));
        };
        if origin.is_empty() {
            return Err(form("its first line is the origin"));
        }
        let root = decode(root)
            .and_then(|r| LeafHash::from_slice(&r))
            .ok_or(form("its third line is a root of 32 bytes in base64"))?;
        let signed = lines.strip_suffix('\n').ok_or(form("a newline ends it"))?;
        let signatures = signed
            .split('\n')
            .map(signature)
            .collect::<Option<Vec<_>>>();
        let signatures = signatures.ok_or(form("a signature line is `— name base64`"))?;
        if signatures.len() > limits::NOTE_LINES {
            return Err(form("it has too many signatures"));
        }
        let size = decimal(size).ok_or(form("its second line is a size in decimal"))?;
        Ok(Self {
            origin,
            size,
            root,
            text,
            signatures,
        })
    }

    /// Every line of one of these keys holds, and there is one.
    pub(super) fn verify(&self, keys: &[&VerifyKey]) -> Result<(), NoteError> {
        let mut signed = false;
        for (name, bytes) in &self.signatures {
            let (id, signature) = bytes.split_at(4);
            if *name != self.origin {
                continue;
            }
            for key in keys
                .iter()
                .filter(|key| key_id(name, Kind::Log, key) == *id)
            {
                key.verify_message(self.text.as_bytes(), signature)
                    .map_err(|_| NoteError::BadSignature)?;
                signed = true;
            }
        }
        if signed {
            Ok(())
        } else {
            Err(NoteError::Unsigned)
        }
    }

    pub(super) fn checkpoint(&self, note: &Bytes) -> Checkpoint {
        Checkpoint {
            origin: self.origin.to_owned(),
            size: self.size,
            root: self.root,
            note: note.clone(),
        }
    }
}

impl LogOrigin {
    /// The log that a note says it is of. Nothing is believed yet.
    pub fn of_note(note: &[u8]) -> Result<Self, NoteError> {
        Self::parse(Note::parse(note)?.origin)
    }
}

pub(super) fn checkpoint_text(origin: &str, size: u64, root: &LeafHash) -> String {
    format!("{origin}\n{size}\n{}\n", BASE64.encode(&root.0))
}

/// One signature line with its newline. `signature` is what follows the key ID.
pub(super) fn signature_line(name: &str, kind: Kind, key: &VerifyKey, signature: &[u8]) -> String {
    let bytes = [&key_id(name, kind, key)[..], signature].concat();
    format!("— {name} {}\n", BASE64.encode(&bytes))
}

/// The key ID of C2SP signed-note: `SHA-256(name ‖ "\n" ‖ type ‖ key)`, its first 4 bytes.
pub(super) fn key_id(name: &str, kind: Kind, key: &VerifyKey) -> [u8; 4] {
    let hash = sha256(&[name.as_bytes(), b"\n", &[kind as u8], key.bytes()].concat());
    [hash.0[0], hash.0[1], hash.0[2], hash.0[3]]
}

/// A signature line without its newline, as its name and bytes.
pub(super) fn signature(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
    let bytes = decode(signature).filter(|b| b.len() > 4)?;
    let named = !name.is_empty() && !name.contains('+');
    named.then_some((name, bytes))
}

fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.as_bytes()).ok()
}

fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}
