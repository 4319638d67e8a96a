//! The recalls of copies that went before the recall they belong to: it may have failed then. What the log
//! says of them counts, so that a release that is repeated sends none again, and a denial tells of them.

use super::Shared;
use crate::{
    held::{Draft, HeldId, Known},
    reading::internal,
};
use abeng_api::{ApiError, Cause, CauseView};
use abeng_audit_log::{ReadError, Stored};
use abeng_wire::{EnvelopeId, LeafIndex, v1};
use std::sync::Arc;

/// In place of [`HELD`](super::HELD) where a leaf does not end the matter.
pub(super) const PART: &str = ", part of held ";

/// One of them.
pub(super) struct Part {
    /// The recall.
    pub(super) recall: EnvelopeId,
    /// What it takes back.
    pub(super) copy: EnvelopeId,
}

impl Shared {
    /// Those that the log has from a leaf on.
    pub(super) async fn parts(
        self: &Arc<Self>,
        id: HeldId,
        from: LeafIndex,
    ) -> Result<Vec<Part>, ApiError> {
        let shared = self.clone();
        let read = tokio::task::spawn_blocking(move || shared.read_parts(id, from));
        read.await.map_err(internal)?.map_err(internal)
    }

    fn read_parts(&self, id: HeldId, from: LeafIndex) -> Result<Vec<Part>, ReadError> {
        let mut parts = Vec::new();
        if from.0 >= self.reader.size() {
            return Ok(parts);
        }
        let ending = format!("{PART}{id}");
        for stored in self.reader.scan(from) {
            parts.extend(part(&stored?, &ending));
        }
        Ok(parts)
    }

    /// Those of one that is denied. Of what cannot be opened any more nobody knows since when it waits:
    /// there only what may still be on its way is told.
    pub(super) async fn parts_of_denied(
        self: &Arc<Self>,
        id: HeldId,
        known: Option<&Known>,
    ) -> Result<Vec<String>, ApiError> {
        let from = match (known, self.open_held(id).await) {
            (_, Ok(draft)) if !draft.is_recall() => return Ok(Vec::new()),
            (_, Ok(draft)) => LeafIndex(draft.size),
            (Some(known), Err(_)) => LeafIndex(known.size()),
            (None, Err(_)) => self.oldest_owed(),
        };
        let parts = self.parts(id, from).await?;
        Ok(parts.iter().map(|part| part.recall.to_string()).collect())
    }

    /// What a refusal at the release says first: nothing is lost, or what went already.
    pub(super) async fn still_waits(
        self: &Arc<Self>,
        id: HeldId,
        draft: &Draft,
        why: ApiError,
    ) -> ApiError {
        let parts = match draft.is_recall() {
            true => self.parts(id, LeafIndex(draft.size)).await,
            false => Ok(Vec::new()),
        };
        let gone = parts.map_or_else(
            |error| {
                tracing::error!(error = %error.message, %id, "whether recalls of copies went already cannot be read");
                0
            },
            |parts| parts.len(),
        );
        waits(why, gone)
    }
}

fn waits(mut why: ApiError, gone: usize) -> ApiError {
    let first = match gone {
        0 => Cause::StillWaits,
        _ => Cause::HalfReleased,
    };
    why.message = match gone {
        0 => format!("not released, it goes on waiting: {}", why.message),
        _ => format!(
            "what was sealed anew is recalled already ({}), the recall itself is not sent and goes on waiting; granting it again finishes it: {}",
            crate::count::count(gone as u64, "copy", "copies"),
            why.message
        ),
    };
    why.cause = why.cause.take().map(|cause| {
        let mut cause = *cause;
        if gone > 0 {
            cause.values.insert("copies".to_owned(), gone.to_string());
        }
        Box::new(CauseView::after(cause, first))
    });
    why
}

fn part(stored: &Stored, ending: &str) -> Option<Part> {
    let record = &stored.record;
    let leaf = record.leaf().message();
    if leaf.kind() != v1::LeafKind::Submitted {
        return None;
    }
    let private = record.private().ok()??;
    if !private.via.ends_with(ending) {
        return None;
    }
    let Some(v1::proof_part::Of::Submitted(proof)) = record.proof().ok()??.of else {
        return None;
    };
    Some(Part {
        recall: EnvelopeId::from_slice(&leaf.envelope_id)?,
        copy: EnvelopeId::from_slice(&proof.recalls)?,
    })
}
