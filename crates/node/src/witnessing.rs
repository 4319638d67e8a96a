//! The own log, as far as witnesses have seen it. Free of IO.
//!
//! Of the log there is now and then a *target*, one checkpoint that all witnesses are asked to
//! co-sign, so that their lines meet under one note. The last few are kept: a slow witness's line
//! still counts under the one that it was asked for.

use abeng_audit_log::{Checkpoint, Cosignature, CosignedCheckpoint, NoteError};
use abeng_roster::Roster;
use abeng_wire::{LeafHash, Millis, PartyCode};
use std::collections::{BTreeMap, VecDeque};

/// Targets that lines are still taken for.
const TARGETS: usize = 8;

/// What a witness's line did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It is for no target here, or known.
    Nothing,
    /// One more, and still too few.
    Line,
    /// A quorum has seen the log up to here, for the first time or with one line more.
    Quorum(CosignedCheckpoint),
}

/// A checkpoint for one witness, with the size to prove from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The witness.
    pub witness: PartyCode,
    /// What it is asked to co-sign.
    pub checkpoint: Checkpoint,
    /// What it is believed to hold.
    pub old_size: u64,
}

/// How far the witnesses of the own log are.
#[derive(Debug, Default)]
pub struct Witnessing {
    targets: VecDeque<CosignedCheckpoint>,
    witnessed: Option<CosignedCheckpoint>,
    /// What each witness is believed to hold.
    holds: BTreeMap<PartyCode, u64>,
    /// The size that each witness was asked for last, on its link of that session.
    asked: BTreeMap<PartyCode, (u64, u64)>,
    /// Leaves up to the last one that is more than bookkeeping.
    worth: u64,
    /// Since when something new waits for a quorum.
    waiting: Option<Millis>,
}

impl Witnessing {
    /// From the newest checkpoint with a quorum, and the leaves up to the last one that is more
    /// than bookkeeping.
    pub fn recover(witnessed: Option<CosignedCheckpoint>, worth: u64, now: Millis) -> Self {
        let mut recovered = Self {
            targets: witnessed.iter().cloned().collect(),
            witnessed: witnessed.filter(|w| w.witnessed_at().is_some()),
            ..Self::default()
        };
        recovered.grew(worth, now);
        recovered
    }

    /// The log has grown by something that is more than bookkeeping: `worth` leaves up to that.
    pub fn grew(&mut self, worth: u64, now: Millis) {
        self.worth = self.worth.max(worth);
        if self.witnessed_size() < self.worth {
            self.waiting.get_or_insert(now);
        }
    }

    /// Whether a new target is due.
    pub fn wants_target(&self) -> bool {
        self.targets
            .back()
            .is_none_or(|last| last.size() < self.worth)
    }

    /// Takes a signed checkpoint of the whole log as the next target.
    pub fn aim(&mut self, checkpoint: &Checkpoint, roster: &Roster) -> Result<(), NoteError> {
        let target = CosignedCheckpoint::verify(checkpoint.note(), roster)?;
        if self
            .targets
            .back()
            .is_some_and(|last| last.size() >= target.size())
        {
            return Ok(());
        }
        if self.targets.len() == TARGETS {
            self.targets.pop_front();
        }
        self.targets.push_back(target);
        Ok(())
    }

    /// What to ask a linked witness, if it has not been asked on this session.
    pub fn ask(&mut self, witness: PartyCode, session: u64) -> Option<Ask> {
        let target = self.targets.back()?;
        let lacks = !target.by().iter().any(|by| by.party == witness);
        let asked = self.asked.get(&witness) == Some(&(session, target.size()));
        if !lacks || asked {
            return None;
        }
        self.asked.insert(witness, (session, target.size()));
        let old_size = self.holds.get(&witness).copied().unwrap_or(0);
        Some(Ask {
            witness,
            checkpoint: target.checkpoint().clone(),
            old_size: old_size.min(target.size()),
        })
    }

    /// A witness holds another size than it was believed to. Asks again from there, once, where
    /// that can help.
    pub fn conflict(&mut self, witness: PartyCode, session: u64, held: u64) -> Option<Ask> {
        let believed = self.holds.insert(witness, held).unwrap_or(0);
        let newest = self.targets.back()?.size();
        if believed == held || held > newest {
            return None;
        }
        self.asked.remove(&witness);
        self.ask(witness, session)
    }

    /// The target of this size and root.
    pub fn target(&self, size: u64, root: LeafHash) -> Option<&CosignedCheckpoint> {
        let mut targets = self.targets.iter();
        targets.find(|target| target.size() == size && target.root() == root)
    }

    /// A witness's line under one of the targets, verified.
    pub fn take(
        &mut self,
        target: (u64, LeafHash),
        cosignature: &Cosignature,
        roster: &Roster,
        now: Millis,
    ) -> Result<Taken, NoteError> {
        let mut targets = self.targets.iter_mut();
        let found = targets.find(|t| (t.size(), t.root()) == target);
        let Some(found) = found else {
            return Ok(Taken::Nothing);
        };
        let held = self.holds.entry(cosignature.witness()).or_default();
        *held = target.0.max(*held);
        let more = found.with(cosignature, roster)?;
        if more == *found {
            return Ok(Taken::Nothing);
        }
        *found = more.clone();
        let newer = self
            .witnessed
            .as_ref()
            .is_none_or(|w| w.size() <= more.size());
        if more.witnessed_at().is_none() || !newer {
            return Ok(Taken::Line);
        }
        self.waiting = (more.size() < self.worth).then_some(now);
        self.witnessed = Some(more.clone());
        Ok(Taken::Quorum(more))
    }

    /// The newest checkpoint that a quorum has seen.
    pub fn witnessed(&self) -> Option<&CosignedCheckpoint> {
        self.witnessed.as_ref()
    }

    /// The newest checkpoint that the witnesses were asked for.
    pub fn newest_target(&self) -> Option<&CosignedCheckpoint> {
        self.targets.back()
    }

    /// Leaves that a quorum has seen.
    pub fn witnessed_size(&self) -> u64 {
        self.witnessed.as_ref().map_or(0, CosignedCheckpoint::size)
    }

    /// Since when something new waits for a quorum.
    pub fn waiting(&self) -> Option<Millis> {
        self.waiting
    }
}

#[cfg(test)]
#[path = "witnessing_tests.rs"]
mod tests;
