//! What is kept outside the tree: checkpoints of this log and of others.

use super::Check;
use crate::{Checkpoint, CosignedCheckpoint, NoteError, Outside, Witnessed, merkle::Frontier};
use abeng_wire::LeafHash;
use bytes::Bytes;

impl Check<'_> {
    pub(super) fn outside(&mut self, said: &Outside) -> Result<(), String> {
        match said {
            Outside::OwnCheckpoint(note) => match self.signed(note)? {
                Some(checkpoint) => self.own_checkpoint(&checkpoint)?,
                None => return Ok(()),
            },
            Outside::Cosigned(note) => match self.cosigned(note)? {
                Some(cosigned) => {
                    self.own_checkpoint(cosigned.checkpoint())?;
                    self.report.cosignatures += cosigned.by().len() as u64;
                }
                None => return Ok(()),
            },
            Outside::HeldCheckpoint {
                origin,
                note,
                peaks,
            } => match self.signed(note)? {
                Some(checkpoint) => held(origin, peaks, &checkpoint)?,
                None => return Ok(()),
            },
            Outside::Witnessed { origin, note } => {
                let checkpoint = self.signed(note)?;
                self.witnessed(origin, note)?;
                if checkpoint.is_none() {
                    return Ok(());
                }
            }
            // What it proves is told by the leaf about it.
            Outside::Claim(_) => return Ok(()),
        }
        self.report.checkpoints += 1;
        Ok(())
    }

    /// The checkpoint in a note; `None` where this roster cannot judge it.
    fn signed(&mut self, note: &Bytes) -> Result<Option<Checkpoint>, String> {
        let verified = Checkpoint::verify_by_roster(note, &self.trust.roster);
        self.judged(verified)
    }

    fn cosigned(&mut self, note: &Bytes) -> Result<Option<CosignedCheckpoint>, String> {
        let verified = CosignedCheckpoint::verify(note, &self.trust.roster);
        self.judged(verified)
    }

    fn judged<T>(&mut self, verified: Result<T, NoteError>) -> Result<Option<T>, String> {
        match verified {
            Ok(holds) => Ok(Some(holds)),
            Err(NoteError::UnknownLog { .. } | NoteError::Unsigned) => {
                self.report.unjudged += 1;
                Ok(None)
            }
            Err(e) => Err(e.to_string()),
        }
    }

    fn own_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), String> {
        let at = self
            .roots
            .binary_search_by_key(&checkpoint.size(), |known| known.0);
        match at.map(|at| self.roots[at].1 == checkpoint.root()) {
            Ok(true) => Ok(()),
            Ok(false) => Err("a checkpoint of this log has another root than the log".into()),
            Err(_) => Err("a checkpoint of this log has a size that the log never had".into()),
        }
    }

    /// What this party has co-signed of a log never gets smaller, nor another.
    fn witnessed(&mut self, origin: &str, note: &Bytes) -> Result<(), String> {
        let now = Witnessed::read(note).map_err(|e| e.to_string())?;
        if now.origin().to_string() != origin {
            return Err("a witnessed checkpoint is of another log than it is kept for".into());
        }
        if let Some(before) = self.witnessed.get(&now.origin().party) {
            let (life, lived) = (now.origin().incarnation, before.origin().incarnation);
            if life < lived {
                return Err("a life of a log was witnessed after a newer one had begun".into());
            }
            if life == lived && now.size() < before.size() {
                return Err(format!(
                    "{} leaves of a log were witnessed after {}",
                    now.size(),
                    before.size()
                ));
            }
            if life == lived && now.size() == before.size() && now.root() != before.root() {
                return Err("two roots of one size of a log were witnessed".into());
            }
        }
        self.witnessed.insert(now.origin().party, now);
        Ok(())
    }
}

fn held(origin: &str, peaks: &[LeafHash], checkpoint: &Checkpoint) -> Result<(), String> {
    if origin != checkpoint.origin() {
        return Err("a held checkpoint is of another log than it is kept for".into());
    }
    if peaks.is_empty() {
        return Ok(());
    }
    let range = Frontier::from_peaks(checkpoint.size(), peaks);
    if range.map(|r| r.root()) != Some(checkpoint.root()) {
        return Err("the subtrees of a held checkpoint do not lead to its root".into());
    }
    Ok(())
}
