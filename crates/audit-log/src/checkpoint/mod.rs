//! Checkpoints: C2SP tlog-checkpoint, signed notes by the `log` key.

mod contradiction;
mod cosignature;
mod cosigned;
mod note;
mod origin;
mod vkey;

pub use contradiction::{CONTRADICTION, Contradiction, ContradictionError};
pub use cosignature::Cosignature;
pub use cosigned::{CosignedCheckpoint, WitnessedBy, quorum};
pub use note::NoteError;
pub use origin::LogOrigin;
pub use vkey::VerifierKey;

use crate::merkle::{ProofError, verify_consistency};
use abeng_keys::{Role, SignError, Signer, VerifyKey};
use abeng_roster::Roster;
use abeng_wire::{LeafHash, limits};
use bytes::Bytes;
use note::Note;

/// A checkpoint whose signature by the log's key holds. There is no other way to have one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: LeafHash,
    note: Bytes,
}

impl Checkpoint {
    /// Signs a size and a root, which must be durable, under the log's origin.
    pub fn sign(
        origin: &str,
        size: u64,
        root: LeafHash,
        signer: &dyn Signer,
    ) -> Result<Self, SignError> {
        let text = note::checkpoint_text(origin, size, &root);
        let signature = signer.sign_message(text.as_bytes())?;
        let line = note::signature_line(origin, note::Kind::Log, signer.verify_key(), &signature);
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
            note: format!("{text}\n{line}").into(),
        })
    }

    /// The size that a note speaks of, by its own word.
    pub(crate) fn size_of_note(note: &Bytes) -> Option<u64> {
        Note::parse(note).ok().map(|note| note.size)
    }

    /// Verifies a note of the log with this origin and key. Lines of others are not looked at; a
    /// line of this key that does not hold refuses the note.
    pub fn verify(note: &Bytes, origin: &str, key: &VerifyKey) -> Result<Self, NoteError> {
        let parsed = Note::parse(note)?;
        if parsed.origin != origin {
            return Err(NoteError::Origin {
                found: parsed.origin.to_owned(),
                expected: origin.to_owned(),
            });
        }
        parsed.verify(&[key])?;
        Ok(parsed.checkpoint(note))
    }

    /// Verifies a note by the log keys that the roster gives for the party its origin names. A
    /// rotated key serves for what it signed; a revoked one does not.
    pub fn verify_by_roster(note: &Bytes, roster: &Roster) -> Result<Self, NoteError> {
        let parsed = Note::parse(note)?;
        let origin = LogOrigin::parse(parsed.origin)?;
        let keys = log_keys(roster, &origin);
        if keys.is_empty() {
            return Err(NoteError::UnknownLog {
                origin: parsed.origin.to_owned(),
            });
        }
        parsed.verify(&keys)?;
        Ok(parsed.checkpoint(note))
    }

    /// The log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    pub fn root(&self) -> LeafHash {
        self.root
    }

    /// The signed note.
    pub fn note(&self) -> &Bytes {
        &self.note
    }

    /// What the log's key and witnesses sign: the note up to the blank line.
    pub(crate) fn text(&self) -> &str {
        note_text(&self.note)
    }

    /// Checks that this checkpoint and the newest one `held` of the same log can both be true.
    /// `proof` leads from the smaller to the larger; where the sizes are equal it is empty.
    pub fn consistent_with(
        &self,
        held: &Checkpoint,
        proof: &[LeafHash],
    ) -> Result<(), ConsistencyError> {
        if self.origin != held.origin {
            return Err(ConsistencyError::OtherLog);
        }
        if self.size == held.size && self.root != held.root {
            return Err(ConsistencyError::Contradiction { size: self.size });
        }
        let (old, new) = if held.size <= self.size {
            (held, self)
        } else {
            (self, held)
        };
        verify_consistency((old.size, &old.root), (new.size, &new.root), proof)?;
        Ok(())
    }
}

/// The signed text of a note; empty where it is none.
pub(crate) fn note_text(note: &[u8]) -> &str {
    let note = std::str::from_utf8(note).unwrap_or_default();
    note.rfind("\n\n").map_or("", |end| &note[..=end])
}

/// What a note says; nothing of it is believed.
pub(crate) fn note_head(note: &[u8]) -> Result<(LogOrigin, u64, LeafHash), NoteError> {
    let parsed = Note::parse(note)?;
    Ok((LogOrigin::parse(parsed.origin)?, parsed.size, parsed.root))
}

/// Why two checkpoints do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsistencyError {
    /// They are of different logs.
    #[error("the checkpoints are of different logs")]
    OtherLog,
    /// They cannot both be true: evidence against the log.
    #[error("two checkpoints of {size} leaves have different roots")]
    Contradiction {
        /// Their size.
        size: u64,
    },
    /// The proof does not connect them. That proves nothing against the log.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

/// The log keys that the roster gives for the party of an origin: those that are not revoked,
/// rotated ones included. Empty where the network or the party is another.
pub fn log_keys<'a>(roster: &'a Roster, origin: &LogOrigin) -> Vec<&'a VerifyKey> {
    let party = roster
        .party(origin.party)
        .filter(|_| roster.network() == origin.network);
    let Some(party) = party else {
        return Vec::new();
    };
    party
        .keys(Role::Log)
        .filter(|key| key.revoked_at.is_none())
        .map(|key| &key.key)
        .collect()
}

/// Takes hashes as a message holds them; `None` where one has not 32 bytes or there are too many.
pub fn hashes(proof: &[Bytes]) -> Option<Vec<LeafHash>> {
    if proof.len() > limits::PROOF_HASHES {
        return None;
    }
    proof.iter().map(|h| LeafHash::from_slice(h)).collect()
}

#[cfg(test)]
mod tests;
