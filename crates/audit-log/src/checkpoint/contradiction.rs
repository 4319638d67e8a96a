use super::{Checkpoint, NoteError, hashes};
use crate::{
    merkle::{ProofError, roots_from_consistency},
    subject,
};
use abeng_roster::Roster;
use abeng_wire::{Digest, LeafHash, Malformed, decode, encode, limits, v1};
use bytes::Bytes;

/// What the subject of a Contradiction leaf is taken over: the encoded [`v1::Contradiction`].
pub const CONTRADICTION: &str = "application/vnd.abeng.contradiction.v1";

/// Two checkpoints of one log, both signed by its key, that cannot both be true. Anyone who has
/// the roster sees that, offline; so there is no other way to have one than to have it judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    first: Checkpoint,
    second: Checkpoint,
    path: Vec<LeafHash>,
}

/// Why something is no proof against a log. It does not say that the log is good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContradictionError {
    /// Not a contradiction's encoding.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// One of the notes is not a checkpoint that the log's key signed.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The path does not lead from the smaller size to the larger.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The checkpoints do not contradict each other by it.
    #[error("this proves no contradiction: {rule}")]
    Rule {
        /// The rule it breaks.
        rule: &'static str,
    },
}

fn rule(rule: &'static str) -> ContradictionError {
    ContradictionError::Rule { rule }
}

impl Contradiction {
    /// Judges two verified checkpoints, in any order. Where the sizes differ, `path` is
    /// SUBPROOF(m, D\[n\], false) ([`crate::merkle::contradiction_path`]) from anybody at all: the
    /// log contradicts itself if it leads to the larger one's root and to another than the
    /// smaller one's.
    pub fn prove(
        one: &Checkpoint,
        other: &Checkpoint,
        path: &[LeafHash],
    ) -> Result<Self, ContradictionError> {
        if one.origin() != other.origin() {
            return Err(rule("both notes are of one log"));
        }
        let key = |c: &Checkpoint| (c.size(), c.root());
        let (first, second) = match key(one) <= key(other) {
            true => (one, other),
            false => (other, one),
        };
        let contradiction = Self {
            first: first.clone(),
            second: second.clone(),
            path: path.to_vec(),
        };
        contradiction.judge()?;
        Ok(contradiction)
    }

    /// Decodes and judges: both notes by the log keys that the roster gives for their origin.
    pub fn verify(bytes: &Bytes, roster: &Roster) -> Result<Self, ContradictionError> {
        let said: v1::Contradiction = decode("contradiction", bytes, limits::CONTRADICTION)?;
        let found = said.path.len();
        let contradiction = Self {
            first: Checkpoint::verify_by_roster(&said.first, roster)?,
            second: Checkpoint::verify_by_roster(&said.second, roster)?,
            path: hashes(&said.path).ok_or(ProofError::Length { found })?,
        };
        contradiction.judge()?;
        Ok(contradiction)
    }

    fn judge(&self) -> Result<(), ContradictionError> {
        let (first, second) = (&self.first, &self.second);
        if first.origin() != second.origin() {
            return Err(rule("both notes are of one log"));
        }
        if first.size() == 0 {
            return Err(rule("nothing follows from an empty tree"));
        }
        if first.size() > second.size() {
            return Err(rule("the smaller note comes first"));
        }
        if first.size() == second.size() {
            if first.root() >= second.root() {
                return Err(rule("the roots differ, and the lower one comes first"));
            }
            if !self.path.is_empty() {
                return Err(rule("two roots of one size need no path"));
            }
            return Ok(());
        }
        let (old, new) = roots_from_consistency(first.size(), second.size(), &self.path)?;
        if new != second.root() {
            return Err(rule("the path leads to the larger note's root"));
        }
        if old == first.root() {
            return Err(rule(
                "the path leads to another root than the smaller note's",
            ));
        }
        Ok(())
    }

    /// The smaller checkpoint; of two of one size the one with the lower root.
    pub fn first(&self) -> &Checkpoint {
        &self.first
    }

    /// The other checkpoint.
    pub fn second(&self) -> &Checkpoint {
        &self.second
    }

    /// The path between them; empty where the sizes are equal.
    pub fn path(&self) -> &[LeafHash] {
        &self.path
    }

    /// As a message.
    pub fn message(&self) -> v1::Contradiction {
        v1::Contradiction {
            first: self.first.note().clone(),
            second: self.second.note().clone(),
            path: self.path.iter().map(LeafHash::to_bytes).collect(),
        }
    }

    /// The canonical encoding.
    pub fn bytes(&self) -> Bytes {
        encode(&self.message())
    }

    /// What a Contradiction leaf names it by.
    pub fn subject(&self) -> Digest {
        subject(CONTRADICTION, &self.bytes())
    }
}
