//! A released recall takes back also what was sealed anew of its notice while it waited, as one that
//! need not wait does. From nobody but those to whom the recall itself goes: whoever released it saw them.

use super::{HELD, Shared, parts::PART};
use crate::{
    held::{Draft, HeldId},
    reading::internal,
    submit::{NotSent, Ready},
};
use abeng_api::ApiError;
use abeng_notice::Lang;
use abeng_queue::rows::IdRow;
use abeng_wire::{EnvelopeId, LeafIndex};
use std::sync::Arc;

impl Shared {
    /// Seals and queues what a second person has released. Of a recall the copies come first: a crash
    /// before the recall itself leaves it waiting, and it is released again, without those that went.
    pub(super) async fn send_released(
        self: &Arc<Self>,
        ready: Ready,
        draft: &Draft,
        id: HeldId,
    ) -> Result<(EnvelopeId, LeafIndex), NotSent> {
        let Some(target) = ready.notice.recalls() else {
            return self.clone().seal_in_turn(ready).await;
        };
        // Nothing is sealed anew from here on until the recall itself is in the log, and then no more.
        let _alone = self.replacing.lock().await;
        for mut recall in self.of_copies(&ready, target, draft, id).await? {
            let via = ready.private.via.strip_suffix(&format!("{HELD}{id}"));
            let via = via.unwrap_or(&ready.private.via);
            recall.private.via = format!("{via}{PART}{id}");
            let (envelope, _) = self.clone().seal_and_queue(recall).await?;
            tracing::info!(%id, %envelope, "a released recall takes back what was sealed anew");
        }
        self.clone().seal_and_queue(ready).await
    }

    /// The recalls of what was sealed anew of a notice, without those that an earlier try has sent.
    async fn of_copies(
        self: &Arc<Self>,
        recall: &Ready,
        target: EnvelopeId,
        draft: &Draft,
        id: HeldId,
    ) -> Result<Vec<Ready>, ApiError> {
        let row = self.view.get(&IdRow::key(&target)).await;
        let row = row.map_err(internal)?.as_deref().map(IdRow::decode);
        let Some(IdRow::Sent { submitted }) = row.transpose().map_err(internal)? else {
            return Ok(Vec::new());
        };
        let copies = self.copies_to_recall(submitted).await?;
        let gone = match copies.is_empty() {
            true => Vec::new(),
            false => self.parts(id, LeafIndex(draft.size)).await?,
        };
        let mut recalls = Vec::new();
        for (_, row, mut to) in copies {
            if gone.iter().any(|part| part.copy == row.envelope_id) {
                continue;
            }
            let shown = recall.cleared.to();
            to.retain(|code| shown.iter().any(|party| party.as_str() == code));
            if to.is_empty() {
                continue;
            }
            let mut request = draft.request.clone();
            request.to = to;
            request.notice["recalls"] = row.envelope_id.to_string().into();
            let (ready, _) = self.prepare(&draft.caller(), request, Lang::En, draft.files())?;
            recalls.push(ready);
        }
        Ok(recalls)
    }
}
