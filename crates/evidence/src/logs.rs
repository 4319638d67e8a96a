//! The logs in a file: checkpoints, how they go together, and the leaves under them.

use crate::{
    CheckpointProof, Fact, Part, Why,
    fault::Failing,
    leaves::{About, opening},
    notes,
};
use abeng_audit_log::{
    Checkpoint, ConsistencyError, Leaf, LogOrigin, hashes,
    merkle::{ProofError, leaf_hash, verify_inclusion},
    subject,
};
use abeng_roster::Roster;
use abeng_wire::{Digest, LeafHash, PartyCode, SignedBytes, limits, pae_signature_type, v1};
use bytes::Bytes;

/// A leaf that holds, and the recipient it is about.
pub(crate) struct Proved {
    pub(crate) fact: Fact,
    pub(crate) recipient: Option<PartyCode>,
    /// What a ReceiptTaken leaf about it has for its subject.
    taken_as: Digest,
    subject: Bytes,
    part: Part,
}

/// All logs of a file.
#[derive(Default)]
pub(crate) struct Logs {
    pub(crate) checkpoints: Vec<CheckpointProof>,
    pub(crate) leaves: Vec<Proved>,
    last: Option<(LogOrigin, Checkpoint)>,
}

impl Logs {
    /// Judges every log of the file.
    pub(crate) fn judge(logs: &[v1::LogProof], about: &About<'_>) -> Result<Self, Failing> {
        if logs.len() > limits::EVIDENCE_LEAVES {
            let rule = "it has at most 1024 checkpoints";
            return Err(Failing::rule(Part::Message, rule));
        }
        let mut judged = Self::default();
        for (nth, log) in logs.iter().enumerate() {
            judged.log(nth, log, about)?;
        }
        judged.see();
        judged.take_receipts()?;
        Ok(judged)
    }

    fn log(&mut self, nth: usize, log: &v1::LogProof, about: &About<'_>) -> Result<(), Failing> {
        let at = Part::Checkpoint(nth);
        let (cosigned, roster) =
            notes::judge(&log.checkpoint, about.chain).map_err(|why| Failing::new(at, why))?;
        let checkpoint = cosigned.checkpoint();
        let origin = LogOrigin::parse(checkpoint.origin()).map_err(|why| Failing::new(at, why))?;
        let continues = self.order(nth, &origin, checkpoint, &log.consistency)?;
        self.checkpoints.push(CheckpointProof {
            origin,
            size: cosigned.size(),
            root: cosigned.root().to_string(),
            judged_by: roster.version(),
            by: cosigned.by().to_vec(),
            needed: cosigned.needed(),
            of: cosigned.of(),
            witnessed_at: cosigned.witnessed_at(),
            continues,
        });
        if log.leaves.is_empty() || log.leaves.len() > limits::EVIDENCE_LEAVES {
            return Err(Failing::rule(
                at,
                "1 to 1024 leaves stand under a checkpoint",
            ));
        }
        for leaf in 0..log.leaves.len() {
            let proved = Self::leaf((nth, leaf), log, (checkpoint, &origin, roster), about)?;
            self.add(proved)?;
        }
        self.last = Some((origin, checkpoint.clone()));
        Ok(())
    }

    /// Holds a checkpoint against the one before it in the file. Whether it continues that one.
    fn order(
        &self,
        nth: usize,
        origin: &LogOrigin,
        checkpoint: &Checkpoint,
        consistency: &[Bytes],
    ) -> Result<bool, Failing> {
        let at = Part::Checkpoint(nth);
        let Some((_, before)) = self.last.as_ref().filter(|(o, _)| o == origin) else {
            if self.last.as_ref().is_some_and(|(o, _)| o > origin) {
                let rule = "checkpoints are in the order of party, incarnation and size";
                return Err(Failing::rule(at, rule));
            }
            if !consistency.is_empty() {
                let rule = "a consistency path leads from a checkpoint of the same log";
                return Err(Failing::rule(Part::Consistency(nth), rule));
            }
            return Ok(false);
        };
        if before.size() == checkpoint.size() && before.root() != checkpoint.root() {
            let size = before.size();
            let both = ConsistencyError::Contradiction { size };
            return Err(Failing::new(at, both));
        }
        if before.size() >= checkpoint.size() {
            let rule = "checkpoints of one log grow: none is smaller than the one before, or the same again";
            return Err(Failing::rule(at, rule));
        }
        if consistency.is_empty() {
            return Ok(false);
        }
        let at = Part::Consistency(nth);
        let path = path(consistency).map_err(|why| Failing::new(at, why))?;
        checkpoint
            .consistent_with(before, &path)
            .map_err(|why| Failing::new(at, why))?;
        Ok(true)
    }

    fn leaf(
        (log, leaf): (usize, usize),
        proof: &v1::LogProof,
        (checkpoint, origin, roster): (&Checkpoint, &LogOrigin, &Roster),
        about: &About<'_>,
    ) -> Result<Proved, Failing> {
        let at = Part::Leaf { log, leaf };
        let fails = |why: Why| Failing::new(at, why);
        let given = &proof.leaves[leaf];
        let parsed: Leaf = SignedBytes::parse("leaf", given.leaf.clone(), limits::LEAF)
            .map_err(|e| fails(e.into()))?;
        let inside = || -> Result<(), Why> {
            let path = path(&given.path)?;
            let (hash, size) = (leaf_hash(parsed.bytes()), checkpoint.size());
            verify_inclusion(&hash, given.index, size, &path, &checkpoint.root())?;
            Ok(())
        };
        inside().map_err(|why| Failing::new(Part::Path { log, leaf }, why))?;
        let recipient = about.check(&parsed, origin, roster).map_err(fails)?;
        opening(&parsed, given.index, given.statement.as_ref(), about.chain)
            .map_err(|why| Failing::new(Part::Statement { log, leaf }, why))?;
        let says = parsed.message();
        Ok(Proved {
            fact: Fact {
                kind: says.kind(),
                by: origin.party,
                reason: says.reason(),
                claimed_at: says.time,
                index: given.index,
                checkpoint: log,
                seen_by: None,
            },
            recipient,
            taken_as: subject(&pae_signature_type("leaf.v1"), parsed.bytes()),
            subject: says.subject.clone(),
            part: at,
        })
    }

    /// Leaves ascend within a log, over all its checkpoints in the file.
    fn add(&mut self, proved: Proved) -> Result<(), Failing> {
        let origin = self.checkpoints[proved.fact.checkpoint].origin;
        let same = |p: &&Proved| self.checkpoints[p.fact.checkpoint].origin == origin;
        let before = self.leaves.iter().rev().find(same);
        if before.is_some_and(|before| before.fact.index >= proved.fact.index) {
            return Err(Failing::rule(
                proved.part,
                "the leaves of a log ascend, and none comes twice",
            ));
        }
        self.leaves.push(proved);
        Ok(())
    }

    /// A leaf is as old as the earliest quorum over a checkpoint that holds it: its own, or a
    /// later one that is shown to continue it.
    fn see(&mut self) {
        for proved in &mut self.leaves {
            let own = proved.fact.checkpoint;
            let later = self.checkpoints[own + 1..].iter();
            let covering = later.take_while(|checkpoint| checkpoint.continues);
            let times = covering.filter_map(|checkpoint| checkpoint.witnessed_at);
            let own = self.checkpoints[own].witnessed_at;
            proved.fact.seen_by = times.chain(own).min();
        }
    }

    /// A ReceiptTaken leaf names a leaf of the recipient's log, or of a relay's about it, which must
    /// be shown, and which is at least as old: whoever saw the one has seen the hash of the other.
    fn take_receipts(&mut self) -> Result<(), Failing> {
        for taken in 0..self.leaves.len() {
            let leaf = &self.leaves[taken];
            if leaf.fact.kind != v1::LeafKind::ReceiptTaken {
                continue;
            }
            let (part, seen_by) = (leaf.part, leaf.fact.seen_by);
            let named = |p: &Proved| {
                let relayed = p.fact.kind == v1::LeafKind::Relayed;
                let theirs = Some(p.fact.by) == leaf.recipient;
                p.taken_as.0[..] == leaf.subject[..]
                    && (theirs || relayed && p.recipient == leaf.recipient)
            };
            let Some(shown) = self.leaves.iter().position(named) else {
                let rule = "the receipt that the originator's leaf is about is in the file";
                return Err(Failing::rule(part, rule));
            };
            let shown = &mut self.leaves[shown].fact;
            shown.seen_by = shown.seen_by.into_iter().chain(seen_by).min();
        }
        Ok(())
    }
}

fn path(hashes_given: &[Bytes]) -> Result<Vec<LeafHash>, Why> {
    let found = hashes_given.len();
    hashes(hashes_given).ok_or(Why::Proof(ProofError::Length { found }))
}
