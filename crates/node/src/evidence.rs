//! `GET /v1/notices/{id}/evidence`: everything that proves one notice, put into one file.

use crate::{reading::internal, shared::Shared};
use abeng_api::{ApiError, Caller, EvidenceQuery};
use abeng_audit_log::{Checkpoint, CosignedCheckpoint, LogOrigin, ReadError};
use abeng_evidence::{EvidenceFile, export_subject};
use abeng_queue::rows::{CareRow, IdRow, InboxRow, SentOutcome, SentRow, SentTo};
use abeng_seal::{ContentKey, own_content_key, received_content_key};
use abeng_wire::{EnvelopeId, Kid, LeafHash, LeafIndex, v1};
use bytes::Bytes;
use std::sync::Arc;
use v1::proof_part::Of;

/// A notice and where this log speaks of it.
struct Subject {
    id: EnvelopeId,
    originator: String,
    hdr: Bytes,
    sig: Bytes,
    /// Own leaves.
    leaves: Vec<LeafIndex>,
    /// The record that holds the content.
    holder: LeafIndex,
}

impl Shared {
    /// Makes the file; what the log says of the export is in it.
    pub async fn evidence(
        self: &Arc<Self>,
        who: &Caller,
        id: &str,
        query: EvidenceQuery,
    ) -> Result<Bytes, ApiError> {
        let (id, row) = self.find_id(id).await?;
        let leaves = self.leaves_about(&row).await?;
        let shared = self.clone();
        // The log must not tell of a disclosure that turns out to be impossible.
        let gathered = tokio::task::spawn_blocking(move || {
            let subject = shared.subject(id, &row, leaves)?;
            let key = query.disclose.then(|| shared.disclose(&subject));
            Ok::<_, ApiError>((subject, key.transpose()?))
        });
        let (mut subject, disclosed) = gathered.await.map_err(internal)??;
        let exported = self.leave_export(who, &subject, query.disclose).await?;
        subject.leaves.push(exported);
        let shared = self.clone();
        tokio::task::spawn_blocking(move || shared.build_evidence(subject, disclosed))
            .await
            .map_err(internal)?
    }

    /// Where the rows say that this log speaks of a notice.
    async fn leaves_about(&self, row: &IdRow) -> Result<Vec<LeafIndex>, ApiError> {
        match *row {
            IdRow::Sent { submitted } => {
                let value = self.view.get(&SentRow::key(submitted)).await;
                let value = value.map_err(internal)?;
                let value = value.ok_or_else(|| ApiError::internal("the view lacks the row"))?;
                let sent = SentRow::decode(&value).map_err(internal)?;
                let about = sent.recipients.iter().flat_map(leaves_to);
                let relayed = sent.relayed.iter().map(|relayed| relayed.taken);
                let about = about.chain(relayed);
                Ok([submitted].into_iter().chain(about).collect())
            }
            IdRow::Received { received, .. } => Ok(vec![received]),
            IdRow::Held {
                received, outcome, ..
            } => {
                let inbox = self.view.get(&InboxRow::key(outcome)).await;
                let inbox = inbox.map_err(internal)?.map(|row| InboxRow::decode(&row));
                let inbox = inbox.transpose().map_err(internal)?;
                let care = self.view.get(&CareRow::key(received)).await;
                let care = care.map_err(internal)?.map(|row| CareRow::decode(&row));
                let care = care.transpose().map_err(internal)?;
                let later = [
                    inbox.and_then(|row| row.first_read),
                    care.and_then(|row| row.recalled),
                ];
                let first = [received, outcome].into_iter();
                Ok(first.chain(later.into_iter().flatten()).collect())
            }
        }
    }

    fn subject(
        &self,
        id: EnvelopeId,
        row: &IdRow,
        leaves: Vec<LeafIndex>,
    ) -> Result<Subject, ApiError> {
        let holder = match *row {
            IdRow::Sent { submitted } => submitted,
            IdRow::Received { received, .. } | IdRow::Held { received, .. } => received,
        };
        let record = self.reader.read(holder).map_err(internal)?.record;
        let (hdr, sig) = match record.proof().map_err(internal)?.and_then(|p| p.of) {
            Some(Of::Submitted(proof)) => (proof.hdr, proof.sig),
            Some(Of::Received(proof)) => (proof.hdr, proof.sig),
            _ => return Err(ApiError::internal("the journal's record holds no envelope")),
        };
        Ok(Subject {
            originator: record.leaf().message().originator.clone(),
            id,
            hdr,
            sig,
            leaves,
            holder,
        })
    }

    /// The sealed body and what opens it.
    fn disclose(&self, subject: &Subject) -> Result<(Bytes, ContentKey), ApiError> {
        // Also what is taken back and not scrubbed yet is not handed out.
        self.still_there(subject.holder)
            .map_err(|e| ApiError { cause: None, ..e }.with_try("leave out --disclose"))?;
        let record = self.reader.read(subject.holder).map_err(internal)?.record;
        let scrubbed = || {
            ApiError::not_found("the content was deleted here; what is proved of it stays")
                .with_try("leave out --disclose")
        };
        let body = record.body().map_err(internal)?.ok_or_else(scrubbed)?;
        let key = if subject.originator == self.me.as_str() {
            let private = record.private().map_err(internal)?.ok_or_else(scrubbed)?;
            own_content_key(&subject.hdr, &private.own_copy, &self.keyring.store)
        } else {
            let secrets = |kid: &Kid| self.keyring.seal_secret(kid);
            received_content_key(&subject.hdr, &body.stanzas, self.me, &secrets)
        };
        let key = key.map_err(|e| {
            ApiError::not_found(format!("its content cannot be disclosed: {e}"))
                .with_try("leave out --disclose")
        })?;
        Ok((body.body, key))
    }

    /// Says in the log, durably, that a file is handed out, to whom, and whether with content.
    async fn leave_export(
        &self,
        who: &Caller,
        subject: &Subject,
        content: bool,
    ) -> Result<LeafIndex, ApiError> {
        let own = subject.originator == self.me.as_str();
        let leaf = v1::Leaf {
            kind: v1::LeafKind::Exported.into(),
            envelope_id: subject.id.to_bytes(),
            originator: subject.originator.clone(),
            recipient: if own {
                String::new()
            } else {
                self.me.to_string()
            },
            subject: export_subject(&subject.id, content).to_bytes(),
            ..Default::default()
        };
        self.note_act(who, leaf, None).await
    }

    fn build_evidence(
        &self,
        subject: Subject,
        disclosed: Option<(Bytes, ContentKey)>,
    ) -> Result<Bytes, ApiError> {
        let receipts = subject.leaves.iter().map(|leaf| self.receipt_in(*leaf));
        let receipts: Result<Vec<_>, _> = receipts.collect();
        let own = self.own_logs(&subject).map_err(internal)?;
        let trust = self.trust().to_bundle();
        let file = EvidenceFile {
            roots: trust.roots,
            rosters: trust.rosters,
            hdr: subject.hdr,
            sig: subject.sig,
            disclosed,
            own,
            receipts: receipts?.into_iter().flatten().collect(),
        };
        let mut file = file.build().map_err(internal)?;
        Ok(std::mem::take(&mut *file).into())
    }

    /// The receipt that a ReceiptTaken leaf keeps.
    fn receipt_in(&self, leaf: LeafIndex) -> Result<Option<v1::Receipt>, ApiError> {
        let record = self.reader.read(leaf).map_err(internal)?.record;
        Ok(match record.proof().map_err(internal)?.and_then(|p| p.of) {
            Some(Of::Receipt(receipt)) => Some(receipt),
            _ => None,
        })
    }

    /// Each own leaf in the first checkpoint over it that a quorum is known to have seen, so that
    /// its time is close; the rest in a checkpoint of now. Each is shown to continue the one before.
    fn own_logs(&self, subject: &Subject) -> Result<Vec<v1::LogProof>, ReadError> {
        let now = self.checkpoint_at(self.reader.size())?;
        let mut leaves = self.speaking_of(subject)?;
        leaves.insert(0, LeafIndex(0));
        leaves.sort_unstable();
        leaves.dedup();
        let mut logs = Vec::new();
        let mut shown: Option<Checkpoint> = None;
        let mut rest = &leaves[..];
        while let Some(first) = rest.first() {
            let seen = self.cosigned_over(*first);
            let seen = seen.map(|cosigned| cosigned.checkpoint().clone());
            let under = seen.unwrap_or_else(|| now.clone());
            let (these, others) = rest.split_at(rest.partition_point(|leaf| leaf.0 < under.size()));
            logs.push(self.log_proof(&under, these, shown.as_ref())?);
            shown = Some(under);
            rest = others;
        }
        Ok(logs)
    }

    /// Those of the leaves that name the envelope: a voided number need not.
    fn speaking_of(&self, subject: &Subject) -> Result<Vec<LeafIndex>, ReadError> {
        let mut speaking = Vec::new();
        for &leaf in &subject.leaves {
            let record = self.reader.read(leaf)?.record;
            if record.leaf().message().envelope_id == subject.id.0[..] {
                speaking.push(leaf);
            }
        }
        Ok(speaking)
    }

    /// The first own checkpoint over a leaf with a quorum of cosignatures, as far as is known; the
    /// newest where the roster does not speak for the first any more.
    pub fn cosigned_over(&self, leaf: LeafIndex) -> Option<CosignedCheckpoint> {
        let trust = self.trust();
        let first = self.reader.cosigned_over(leaf);
        let notes = first.into_iter().chain(self.reader.cosigned());
        let cosigned =
            notes.filter_map(|note| CosignedCheckpoint::verify(&note, &trust.roster).ok());
        let mut good = cosigned.filter(|cosigned| {
            let origin = LogOrigin::parse(cosigned.checkpoint().origin());
            let own = origin.is_ok_and(|origin| {
                origin.party == self.me && origin.incarnation == self.incarnation
            });
            own && cosigned.size() > leaf.0 && cosigned.witnessed_at().is_some()
        });
        good.next()
    }

    fn log_proof(
        &self,
        checkpoint: &Checkpoint,
        leaves: &[LeafIndex],
        before: Option<&Checkpoint>,
    ) -> Result<v1::LogProof, ReadError> {
        let size = checkpoint.size();
        let consistency = match before {
            Some(before) => self.reader.consistency(before.size(), size)?,
            None => Vec::new(),
        };
        let proofs = leaves.iter().map(|&leaf| self.leaf_proof(leaf, size));
        Ok(v1::LogProof {
            checkpoint: checkpoint.note().clone(),
            consistency: consistency.iter().map(LeafHash::to_bytes).collect(),
            leaves: proofs.collect::<Result<_, _>>()?,
        })
    }

    fn leaf_proof(&self, index: LeafIndex, size: u64) -> Result<v1::LeafProof, ReadError> {
        let record = self.reader.read(index)?.record;
        let path = self.reader.inclusion(index, size)?;
        let statement = match record.proof().ok().flatten().and_then(|p| p.of) {
            Some(Of::Statement(signed)) if index.0 == 0 => Some(signed),
            _ => None,
        };
        Ok(v1::LeafProof {
            leaf: record.leaf().bytes().clone(),
            index: index.0,
            path: path.iter().map(LeafHash::to_bytes).collect(),
            statement,
        })
    }
}

/// Where this log speaks of a recipient of its own notice.
fn leaves_to(to: &SentTo) -> Vec<LeafIndex> {
    let outcome = match to.outcome {
        SentOutcome::Queued => [None, None],
        SentOutcome::Delivered { taken, .. } | SentOutcome::Refused { taken, .. } => {
            [Some(taken), None]
        }
        SentOutcome::Expired { leaf } | SentOutcome::Voided { leaf } => [Some(leaf), None],
        SentOutcome::Recalled {
            taken, delivered, ..
        } => [Some(taken), delivered],
    };
    let later = outcome.into_iter().flatten().chain(to.read);
    [to.queued].into_iter().chain(later).collect()
}
