use super::{Checkpoint, Cosignature, LogOrigin, NoteError, cosignature::witnesses_of, note::Note};
use abeng_roster::{Party, Roster};
use abeng_wire::{LeafHash, Millis, PartyCode};
use bytes::Bytes;
use std::collections::BTreeMap;

/// A witness that has co-signed, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WitnessedBy {
    /// The witness.
    pub party: PartyCode,
    /// Unix milliseconds, in whole seconds: the witness's word.
    pub at: Millis,
}

/// Cosignatures that make a checkpoint witnessed: one more than half of the witnesses that the
/// log's party has; `None` where it has none, and nothing is ever witnessed.
pub fn quorum(party: &Party) -> Option<usize> {
    let witnesses = party.witnesses.len();
    (witnesses > 0).then_some(witnesses / 2 + 1)
}

/// A checkpoint with the cosignatures under it, all of which hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignedCheckpoint {
    checkpoint: Checkpoint,
    by: Vec<WitnessedBy>,
    needed: Option<usize>,
    of: usize,
}

impl CosignedCheckpoint {
    /// Verifies a note by the roster: the log's key as [`Checkpoint::verify_by_roster`], and every
    /// line by a witness that the roster gives to the log's party. A witness counts once, however
    /// many lines and keys it has, with the earliest of its times. Lines by others are not looked
    /// at.
    pub fn verify(note: &Bytes, roster: &Roster) -> Result<Self, NoteError> {
        let checkpoint = Checkpoint::verify_by_roster(note, roster)?;
        let parsed = Note::parse(note)?;
        let origin = LogOrigin::parse(parsed.origin)?;
        let mut earliest: BTreeMap<PartyCode, u64> = BTreeMap::new();
        for (party, time) in witnesses_of(&parsed, roster, &origin)? {
            let known = earliest.entry(party).or_insert(time);
            *known = time.min(*known);
        }
        let log = roster.party(origin.party);
        Ok(Self {
            checkpoint,
            by: in_order(&earliest),
            needed: log.and_then(quorum),
            of: log.map_or(0, |log| log.witnesses.len()),
        })
    }

    /// The note with one more cosignature; unchanged where its witness is there already. The
    /// cosignature must be one of this checkpoint, and the roster the same.
    pub fn with(&self, cosignature: &Cosignature, roster: &Roster) -> Result<Self, NoteError> {
        if self.by.iter().any(|by| by.party == cosignature.witness()) {
            return Ok(self.clone());
        }
        let line = cosignature.line().as_bytes();
        let note = [&self.checkpoint.note()[..], line].concat();
        Self::verify(&note.into(), roster)
    }

    /// The checkpoint; its note holds all lines.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Leaves.
    pub fn size(&self) -> u64 {
        self.checkpoint.size()
    }

    /// The root over them.
    pub fn root(&self) -> LeafHash {
        self.checkpoint.root()
    }

    /// The signed note with all lines.
    pub fn note(&self) -> &Bytes {
        self.checkpoint.note()
    }

    /// The witnesses, the earliest first.
    pub fn by(&self) -> &[WitnessedBy] {
        &self.by
    }

    /// Witnesses that are needed; `None` where the log has none.
    pub fn needed(&self) -> Option<usize> {
        self.needed
    }

    /// Witnesses that the log has.
    pub fn of(&self) -> usize {
        self.of
    }

    /// When a quorum had seen it: the time of the witness that completed the earliest quorum, in
    /// Unix milliseconds. `None` while too few have.
    pub fn witnessed_at(&self) -> Option<Millis> {
        let last = self.needed?.checked_sub(1)?;
        self.by.get(last).map(|by| by.at)
    }
}

fn in_order(earliest: &BTreeMap<PartyCode, u64>) -> Vec<WitnessedBy> {
    let mut by: Vec<WitnessedBy> = earliest
        .iter()
        .map(|(&party, &time)| WitnessedBy {
            party,
            at: time.saturating_mul(1000),
        })
        .collect();
    by.sort_by_key(|by| (by.at, by.party));
    by
}
