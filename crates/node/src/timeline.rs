//! `track`: what became of a notice at each recipient, with the proof behind each step.
//!
//! Nothing is only remembered: every step is read from the journal and its proof is checked
//! again while the answer is made.

use crate::{
    clock,
    count::count,
    reading::{internal, outcome_leaf},
    shared::{Shared, lock},
};
use abeng_api::{
    ApiError, DeliveryState, ProofView, RecipientTimeline, StepKind, StepWitness, Timeline,
    TimelineStep,
};
use abeng_audit_log::{
    Checkpoint, CosignedCheckpoint, Expect, LogOrigin,
    merkle::{leaf_hash, verify_inclusion},
    quorum, receipt,
};
use abeng_notice::Lang;
use abeng_queue::rows::{IdRow, SentOutcome, SentRow, SentTo};
use abeng_seal::seq_commit;
use abeng_wire::{Digest, EnvelopeId, LeafIndex, SignedBytes, limits, v1};
use std::sync::Arc;

/// After so long on a live link without a receipt a notice is called late, in milliseconds.
const LATE_MS: u64 = 60_000;

impl Shared {
    /// `GET /v1/notices/{id}/track`.
    pub async fn timeline(self: &Arc<Self>, id: &str, lang: Lang) -> Result<Timeline, ApiError> {
        let (id, row) = self.find_id(id).await?;
        let IdRow::Sent { submitted } = row else {
            return Err(
                ApiError::not_found(format!("{id:.12} was not sent from here"))
                    .with_try("`abeng inbox show` shows what came from others"),
            );
        };
        let value = self
            .view
            .get(&SentRow::key(submitted))
            .await
            .map_err(internal)?;
        let value =
            value.ok_or_else(|| ApiError::internal("the view lacks the row of this notice"))?;
        let row = SentRow::decode(&value).map_err(internal)?;
        let shared = self.clone();
        tokio::task::spawn_blocking(move || shared.build_timeline(id, submitted, &row, lang))
            .await
            .map_err(internal)?
    }

    fn build_timeline(
        &self,
        id: EnvelopeId,
        submitted: LeafIndex,
        row: &SentRow,
        lang: Lang,
    ) -> Result<Timeline, ApiError> {
        let notice = self.open_own(submitted);
        let mut recipients = Vec::new();
        for to in &row.recipients {
            recipients.push(self.recipient_timeline(id, submitted, row, to)?);
        }
        Ok(Timeline {
            id: id.to_string(),
            ty: notice
                .as_ref()
                .map(|n| n.ty())
                .unwrap_or_default()
                .to_owned(),
            summary: notice.map_or_else(|e| e.message, |n| n.summary(lang)),
            created_at: clock::rfc3339(row.created_at),
            expires_at: clock::rfc3339(row.expires_at),
            precedence: row.precedence.as_str_name().to_owned(),
            recipients,
        })
    }

    fn recipient_timeline(
        &self,
        id: EnvelopeId,
        submitted: LeafIndex,
        row: &SentRow,
        to: &SentTo,
    ) -> Result<RecipientTimeline, ApiError> {
        let trust = self.trust();
        let state = self.delivery_state(row, to);
        let is_open = matches!(state, DeliveryState::Queued | DeliveryState::Forwarded);
        let entry = self.links.entry(to.party);
        let linked = entry.as_ref().is_some_and(|e| e.link.is_some());
        let offline = entry.map_or(self.started_at, |e| e.since);
        let mut steps = vec![
            self.own_step(submitted, StepKind::Submitted)?,
            self.own_step(to.queued, StepKind::Queued)?,
        ];
        let delivered = match to.outcome {
            SentOutcome::Recalled { delivered, .. } => delivered,
            _ => None,
        };
        // In the order in which the proofs came.
        let mut proofs: Vec<LeafIndex> = [delivered, to.read, outcome_leaf(&to.outcome)]
            .into_iter()
            .flatten()
            .chain(row.relayed_to(to.party).map(|relayed| relayed.taken))
            .collect();
        proofs.sort_unstable();
        for leaf in proofs {
            steps.extend(self.outcome_steps(id, to, leaf)?);
        }
        let anew = to
            .anew
            .map(|leaf| self.view.get_blocking(&SentRow::key(leaf)));
        let anew = anew.transpose().map_err(internal)?.flatten();
        let anew = anew.map(|row| SentRow::decode(&row)).transpose();
        Ok(RecipientTimeline {
            sealed_anew: anew
                .map_err(internal)?
                .map(|row| row.envelope_id.to_string()),
            party: to.party.to_string(),
            name: trust
                .roster
                .party(to.party)
                .map(|p| p.name.clone())
                .unwrap_or_default(),
            state,
            offline_since: (is_open && !linked).then(|| clock::rfc3339(offline)),
            files: self.files_there(submitted, to.party)?,
            late: is_open && linked && clock::wall().saturating_sub(row.created_at) > LATE_MS,
            steps,
        })
    }

    /// A leaf of our own log, proved to the newest size of it.
    fn own_step(&self, index: LeafIndex, what: StepKind) -> Result<TimelineStep, ApiError> {
        let stored = self.reader.read(index).map_err(internal)?;
        let leaf = stored.record.leaf();
        let head = self.reader.head();
        let proof = self.reader.inclusion(index, head.size).map_err(internal)?;
        let checked = verify_inclusion(
            &leaf_hash(leaf.bytes()),
            index.0,
            head.size,
            &proof,
            &head.root,
        )
        .is_ok();
        Ok(TimelineStep {
            at: clock::rfc3339(leaf.message().time),
            what,
            by: self.me.to_string(),
            log_origin: self.origin.clone(),
            leaf: index.0,
            tree_size: head.size,
            checked,
            reason: None,
            how: format!(
                "inclusion proof of {} in our own log of {}",
                count(proof.len() as u64, "hash", "hashes"),
                count(head.size, "leaf", "leaves")
            ),
            proof: Some(ProofView {
                hashes: proof.len() as u32,
                checkpoint_size: head.size,
                signed_by: self.me.to_string(),
            }),
            witness: self.witnessed_by(index),
        })
    }

    /// What the witnesses of our log have seen of a leaf; `None` where there are none.
    fn witnessed_by(&self, index: LeafIndex) -> Option<StepWitness> {
        let trust = self.trust();
        trust.roster.party(self.me).and_then(quorum)?;
        // The first that covers it: everything later has been seen later.
        let first = self.cosigned_over(index);
        let by = first.and_then(|seen| seen.witnessed_at()).or_else(|| {
            let witnessing = lock(&self.witnessing);
            let covers = |seen: &&CosignedCheckpoint| index.0 < seen.size();
            let seen = witnessing.witnessed().filter(covers);
            seen.and_then(CosignedCheckpoint::witnessed_at)
        });
        Some(StepWitness {
            by: by.map(clock::rfc3339),
        })
    }

    /// What the recipient's receipt proves, and our own leaf that keeps it.
    fn outcome_steps(
        &self,
        id: EnvelopeId,
        to: &SentTo,
        taken: LeafIndex,
    ) -> Result<Vec<TimelineStep>, ApiError> {
        let record = self.reader.read(taken).map_err(internal)?.record;
        let proof = record.proof().map_err(internal)?.and_then(|p| p.of);
        let Some(v1::proof_part::Of::Receipt(receipt)) = proof else {
            let what = match record.leaf().message().kind() {
                v1::LeafKind::Voided => StepKind::Voided,
                _ => StepKind::Expired,
            };
            return Ok(vec![self.own_step(taken, what)?]);
        };
        let mut steps = self.receipt_steps(id, to, &receipt)?;
        steps.push(self.own_step(taken, StepKind::Receipt)?);
        Ok(steps)
    }

    fn receipt_steps(
        &self,
        id: EnvelopeId,
        to: &SentTo,
        receipt: &v1::Receipt,
    ) -> Result<Vec<TimelineStep>, ApiError> {
        let trust = self.trust();
        let origin = LogOrigin::of_note(&receipt.checkpoint).map_err(internal)?;
        let expect = Expect {
            roster: &trust.roster,
            envelope_id: id,
            originator: self.me,
            recipient: to.party,
            seq_commit: self.seq_commit_of(to.queued)?,
        };
        let proven = receipt::verify_alone(receipt, &expect);
        let checkpoint = Checkpoint::verify_by_roster(&receipt.checkpoint, &trust.roster);
        let size = checkpoint.as_ref().map_or(0, Checkpoint::size);
        if let Err(why) = &proven {
            tracing::error!(%why, envelope = %id, "a receipt that was taken does not verify any more");
        }
        let step =
            |leaf: &bytes::Bytes, index: u64, hashes: usize| -> Result<TimelineStep, ApiError> {
                let leaf = SignedBytes::<v1::Leaf>::parse("leaf", leaf.clone(), limits::LEAF)
                    .map_err(internal)?;
                let what = match leaf.message().kind() {
                    v1::LeafKind::Received => StepKind::Received,
                    v1::LeafKind::Delivered => StepKind::Delivered,
                    v1::LeafKind::Refused => StepKind::Refused,
                    v1::LeafKind::Read => StepKind::Read,
                    v1::LeafKind::Recalled => StepKind::Recalled,
                    v1::LeafKind::Relayed => StepKind::Relayed,
                    _ => StepKind::Expired,
                };
                Ok(TimelineStep {
                    at: clock::rfc3339(leaf.message().time),
                    what,
                    by: origin.party.to_string(),
                    log_origin: origin.to_string(),
                    leaf: index,
                    tree_size: size,
                    checked: proven.is_ok(),
                    reason: (what == StepKind::Refused)
                        .then(|| leaf.message().reason().as_str_name().to_owned()),
                    how: match &proven {
                        Ok(_) => format!(
                            "inclusion proof of {} to the checkpoint of {} signed by {}'s log key",
                            count(hashes as u64, "hash", "hashes"),
                            count(size, "leaf", "leaves"),
                            origin.party
                        ),
                        Err(why) => format!("NOT PROVED: {why}"),
                    },
                    proof: Some(ProofView {
                        hashes: hashes as u32,
                        checkpoint_size: size,
                        signed_by: origin.party.to_string(),
                    }),
                    witness: None,
                })
            };
        let mut steps = Vec::new();
        if !receipt.companion.is_empty() {
            steps.push(step(
                &receipt.companion,
                receipt.index.saturating_sub(1),
                receipt.companion_proof.len(),
            )?);
        }
        steps.push(step(&receipt.leaf, receipt.index, receipt.proof.len())?);
        Ok(steps)
    }

    fn seq_commit_of(&self, queued: LeafIndex) -> Result<Digest, ApiError> {
        let record = self.reader.read(queued).map_err(internal)?.record;
        let Some(v1::proof_part::Of::Queued(position)) =
            record.proof().map_err(internal)?.and_then(|p| p.of)
        else {
            return Err(ApiError::internal(
                "the journal's record is not a queue leaf",
            ));
        };
        let blind: [u8; 16] = position.blind[..].try_into().map_err(internal)?;
        let seq = abeng_wire::StreamSeq::new(position.stream_seq)
            .ok_or_else(|| internal("stream number 0"))?;
        Ok(seq_commit(&blind, seq))
    }
}
