//! Watching over the logs of others: C2SP tlog-witness, without IO.
//!
//! The order of things, which makes check, persist and sign one step for each log:
//!
//! 1. One owner asks [`Witness::submit`] for every submission, one after the other. The state
//!    moves at once, so that the next one is held against it.
//! 2. [`Pending::outside`] goes to the journal, in that order.
//! 3. Once it is durable, the journal's [`Reader`] shows it as [`Persisted`], and only that can be
//!    signed. A crash before loses a signature that nobody has seen; it never loses one that
//!    somebody has.

use crate::{
    Checkpoint, Cosignature, Disk, LogOrigin, NoteError, Outside, Reader,
    checkpoint::{note_head, note_text},
    merkle::{ProofError, empty_root, verify_witness_consistency},
};
use abeng_keys::{SignError, Signer};
use abeng_roster::Roster;
use abeng_wire::{LeafHash, NetworkCode, PartyCode};
use bytes::Bytes;
use std::collections::BTreeMap;

/// The largest checkpoint of a log that a witness stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessed {
    origin: LogOrigin,
    size: u64,
    root: LeafHash,
    note: Bytes,
}

impl Witnessed {
    /// What an own journal holds. The log's signature was checked before it was written, and is
    /// not again: what a witness has signed binds it, whatever became of the log's key.
    pub(crate) fn read(note: &Bytes) -> Result<Self, NoteError> {
        let (origin, size, root) = note_head(note)?;
        Ok(Self {
            origin,
            size,
            root,
            note: note.clone(),
        })
    }

    /// The log.
    pub fn origin(&self) -> LogOrigin {
        self.origin
    }

    /// Leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    pub fn root(&self) -> LeafHash {
        self.root
    }

    /// The signed note, as it was submitted.
    pub fn note(&self) -> &Bytes {
        &self.note
    }
}

/// A checkpoint that somebody wants co-signed, signed by its log and to be watched by us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    new: Witnessed,
    old_size: u64,
    proof: Vec<LeafHash>,
}

impl Submission {
    /// Takes a checkpoint with the consistency proof from `old_size`, if the roster makes `me` a
    /// witness of its log. [`Checkpoint::verify_by_roster`] must have found it under that roster.
    pub fn new(
        checkpoint: &Checkpoint,
        old_size: u64,
        proof: Vec<LeafHash>,
        me: PartyCode,
        roster: &Roster,
    ) -> Result<Self, WitnessRefusal> {
        let new = Witnessed::read(checkpoint.note())?;
        let log = roster.party(new.origin.party);
        if !log.is_some_and(|log| log.witnesses.contains(&me)) {
            let party = new.origin.party;
            return Err(WitnessRefusal::NotWitness { party });
        }
        Ok(Self {
            new,
            old_size,
            proof,
        })
    }

    /// The log.
    pub fn origin(&self) -> LogOrigin {
        self.new.origin
    }
}

/// Why a checkpoint is not co-signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessRefusal {
    /// Not a checkpoint.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The roster gives the log to other witnesses.
    #[error("this party is no witness of the log of `{party}`")]
    NotWitness {
        /// Whose log it is.
        party: PartyCode,
    },
    /// The log has begun a newer life, which closed this one.
    #[error("the log of incarnation {found} is closed: {held} has begun")]
    Closed {
        /// The incarnation submitted.
        found: abeng_wire::Incarnation,
        /// The one that is held.
        held: abeng_wire::Incarnation,
    },
    /// The proof does not begin at the size held: to be asked again from there.
    #[error("the proof begins at {old_size} leaves, but {held_size} are held")]
    Conflict {
        /// Where it begins.
        old_size: u64,
        /// Where it must.
        held_size: u64,
    },
    /// The same size with another root: the log contradicts itself, and both notes prove it.
    #[error("another root is held for {size} leaves")]
    Contradiction {
        /// The size.
        size: u64,
        /// The note that is held.
        held: Bytes,
    },
    /// The proof does not lead from what is held to what is submitted. The log may contradict
    /// itself; this alone does not prove it.
    #[error("the consistency proof does not hold: {0}")]
    Proof(ProofError),
}

/// Holds a submission against what is held of its log.
pub fn check(submission: &Submission, held: Option<&Witnessed>) -> Result<Pending, WitnessRefusal> {
    let new = &submission.new;
    let begun = held.map(|held| held.origin.incarnation);
    if let Some(begun) = begun.filter(|begun| *begun > new.origin.incarnation) {
        return Err(WitnessRefusal::Closed {
            found: new.origin.incarnation,
            held: begun,
        });
    }
    let held = held.filter(|held| held.origin == new.origin);
    let (held_size, held_root) = held.map_or((0, empty_root()), |h| (h.size, h.root));
    // Before anything else: both notes are signed, whatever the proof is said to begin at.
    if let Some(held) = held.filter(|h| h.size == new.size && h.root != new.root) {
        return Err(WitnessRefusal::Contradiction {
            size: new.size,
            held: held.note.clone(),
        });
    }
    if submission.old_size != held_size {
        return Err(WitnessRefusal::Conflict {
            old_size: submission.old_size,
            held_size,
        });
    }
    let (old, size) = ((held_size, &held_root), (new.size, &new.root));
    verify_witness_consistency(old, size, &submission.proof).map_err(WitnessRefusal::Proof)?;
    Ok(Pending {
        new: new.clone(),
        grown: held.is_none_or(|held| held.size < new.size),
    })
}

/// A checkpoint that may be co-signed as soon as it is durable, and not before.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "it must be made durable before anything after it is"]
pub struct Pending {
    new: Witnessed,
    grown: bool,
}

impl Pending {
    /// What the journal must hold first; `None` where it holds it already, or was given it before.
    pub fn outside(&self) -> Option<Outside> {
        self.grown.then(|| Outside::Witnessed {
            origin: self.new.origin.to_string(),
            note: self.new.note.clone(),
        })
    }

    /// The log.
    pub fn origin(&self) -> LogOrigin {
        self.new.origin
    }
}

/// What one party watches: the newest life of each log, and how far it has co-signed that.
#[derive(Debug, Default)]
pub struct Witness {
    held: BTreeMap<PartyCode, Witnessed>,
}

impl Witness {
    /// As the journal's statements say ([`crate::Recovery`]). Others than those of a witness do
    /// not matter.
    pub fn recover(statements: &[Outside]) -> Result<Self, NoteError> {
        let mut held = BTreeMap::new();
        for said in statements {
            if let Outside::Witnessed { note, .. } = said {
                let witnessed = Witnessed::read(note)?;
                held.insert(witnessed.origin.party, witnessed);
            }
        }
        Ok(Self { held })
    }

    /// The largest checkpoint of a party's log that is co-signed or about to be.
    pub fn held(&self, party: PartyCode) -> Option<&Witnessed> {
        self.held.get(&party)
    }

    /// Checks a submission and, if it is good, holds every later one against it. What comes back
    /// must reach the journal in the order of the calls.
    pub fn submit(&mut self, submission: &Submission) -> Result<Pending, WitnessRefusal> {
        let party = submission.new.origin.party;
        let pending = check(submission, self.held.get(&party))?;
        if pending.grown {
            self.held.insert(party, pending.new.clone());
        }
        Ok(pending)
    }
}

/// A statement outside the tree that is durable. Only a journal's [`Reader`] gives one out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persisted<T> {
    fact: T,
}

impl<T> Persisted<T> {
    /// What is durable.
    pub fn fact(&self) -> &T {
        &self.fact
    }
}

impl Persisted<Witnessed> {
    /// Co-signs what is durable, as the witness `me`, at a time in Unix seconds, which is not 0.
    pub fn cosign(
        &self,
        me: PartyCode,
        time: u64,
        signer: &dyn Signer,
    ) -> Result<Cosignature, SignError> {
        let network: NetworkCode = self.fact.origin.network;
        Cosignature::sign(note_text(&self.fact.note), (network, me), time, signer)
    }
}

impl<D: Disk> Reader<D> {
    /// The largest checkpoint of a party's log that this journal durably stands for.
    pub fn witnessed(
        &self,
        network: NetworkCode,
        party: PartyCode,
    ) -> Option<Persisted<Witnessed>> {
        let subject = Outside::witnessed_subject(&format!("abeng/{network}/{party}/"));
        match self.said(&subject)? {
            Outside::Witnessed { note, .. } => {
                let fact = Witnessed::read(&note).ok()?;
                Some(Persisted { fact })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
