//! A file that has come whole: in its place, in the journal, and told to whoever sent it.

use super::{Store, named};
use crate::{
    blobs::Partial,
    desk::Ended,
    reading::{internal, pre_of},
    shared::{Shared, lock},
};
use abeng_api::ApiError;
use abeng_queue::{Input, rows::FileState};
use abeng_seal::AttachmentRef;
use abeng_wire::{EnvelopeId, LeafIndex, v1};
use std::sync::Arc;

impl Shared {
    pub(super) async fn complete(
        self: &Arc<Self>,
        store: Store,
        partial: Option<Partial>,
    ) -> Result<(), ApiError> {
        let Some(partial) = partial else {
            return Ok(());
        };
        let blobs = self.attachments.store(store).clone();
        let done = tokio::task::spawn_blocking(move || blobs.complete(partial)).await;
        done.map_err(internal)?.map_err(internal)
    }

    /// A file of a delivered notice is here: a leaf, and its receipt to whoever sent it.
    pub(super) async fn arrived(self: &Arc<Self>, envelope: &EnvelopeId, of: AttachmentRef) {
        let noted = async {
            for record in self.naming(&of.root).await? {
                self.note_arrived(record, of).await?;
            }
            Ok::<(), ApiError>(())
        };
        if let Err(e) = noted.await {
            // The next look finds it whole, and says so then.
            tracing::error!(error = %e.message, %envelope, "the arrival of an attachment is not journalled yet");
        }
    }

    pub(super) async fn note_arrived(
        self: &Arc<Self>,
        record: LeafIndex,
        of: AttachmentRef,
    ) -> Result<(), ApiError> {
        let _one_at_a_time = self.attachments.arriving.lock().await;
        // As it is now: another look may have been faster, or the content is to go.
        let row = self.files_row(record).await?;
        let Some(row) = row.filter(|row| row.originator != self.me) else {
            return Ok(());
        };
        let here = |file: &&FileState| named(file) == of && file.arrived.is_none();
        let Some(file) = row.files.iter().find(here) else {
            return Ok(());
        };
        let stored = self.reader.read(record).map_err(internal)?.record;
        let proof = stored.proof().map_err(internal)?.and_then(|p| p.of);
        let Some(v1::proof_part::Of::Received(received)) = proof else {
            return Err(internal("files of a record that holds no envelope"));
        };
        let to = pre_of(&received.hdr)?.recipients;
        let mine = to.into_iter().find(|r| r.party == self.me.as_str());
        let leaf = v1::Leaf {
            kind: v1::LeafKind::Received.into(),
            envelope_id: row.envelope_id.to_bytes(),
            originator: row.originator.to_string(),
            recipient: self.me.to_string(),
            seq_commit: mine.map(|r| r.seq_commit).unwrap_or_default(),
            subject: file.subject().to_bytes(),
            ..Default::default()
        };
        let proof = v1::proof_part::Of::Attachment(file.to_wire());
        let place = self.desk.open();
        let input = Input::Note {
            leaf: Box::new(leaf),
            proof: Some(v1::ProofPart { of: Some(proof) }),
            private: None,
            tell: Some(place.ticket),
            receipt_to: Some(row.originator),
        };
        self.core.give(input).await;
        match place.ended.await {
            Ok(Ended::Noted { .. }) => {
                lock(&self.attachments.asks).arrived(&of.root);
                self.metrics.attachments_received.inc();
                tracing::info!(
                    envelope = %row.envelope_id,
                    bytes = of.length,
                    "an attachment has come whole"
                );
                Ok(())
            }
            _ => Err(ApiError::busy("the node is stopping", 5)),
        }
    }
}
