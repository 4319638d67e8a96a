//! A submission that policy asks a second person for: checked in full, and held.

use super::{ReleaseAct, Shared, release, why};
use crate::{
    clock,
    config::Trigger,
    held::{Draft, HeldId, Mark},
    reading::internal,
    roster_acts,
    submit::Ready,
};
use abeng_api::{ApiError, Caller, Cause, ErrorCode, HeldReply, SubmitReply, SubmitRequest};
use abeng_notice::{Flaw, Lang};
use abeng_roster::digest;
use abeng_wire::v1;
use std::sync::Arc;

impl Shared {
    /// Why a notice must wait; empty where it need not.
    pub(crate) fn must_wait(&self, ready: &Ready) -> Vec<Trigger> {
        let control = self.config.dual_control.as_ref();
        control.map_or(Vec::new(), |control| control.asks(&ready.notice))
    }

    /// Holds what was checked, or says that it would be held.
    pub(crate) async fn hold_submission(
        self: &Arc<Self>,
        who: &Caller,
        request: SubmitRequest,
        ready: Ready,
        (triggers, mut reply): (Vec<Trigger>, SubmitReply),
    ) -> Result<SubmitReply, ApiError> {
        let Some(uid) = who.uid else {
            return Err(unproved());
        };
        let mut held = HeldReply {
            id: None,
            why: triggers.into_iter().map(why).collect(),
            releasers: self.releasers(),
        };
        if !request.dry_run {
            self.may_submit()?;
            let by = roster_acts::private(who, Some(ready.private.officer.clone()));
            let shared = self.clone();
            let holding =
                tokio::spawn(async move { shared.hold_draft(uid, request, ready, by).await });
            let id = holding.await.map_err(|_| super::nobody_knows())??;
            held.id = Some(id.to_string());
        }
        reply.held = Some(held);
        Ok(reply)
    }

    async fn hold_draft(
        self: Arc<Self>,
        uid: u32,
        request: SubmitRequest,
        ready: Ready,
        by: abeng_queue::PrivateInput,
    ) -> Result<HeldId, ApiError> {
        let attached = self.given_files(&ready.handles);
        // Blobs from here on, as for a submission that is sealed.
        let files = self.keep_given(&ready.handles).await?;
        let life = (self.incarnation, self.reader.size());
        let draft = Draft::new(request, uid, clock::wall(), life, attached);
        let (turn, sealed) = self.hold_new(&draft).await?;
        let id = turn.id;
        let said = v1::Release {
            digest: digest(&sealed).to_bytes(),
            ..release(id, ReleaseAct::ReleaseHeld)
        };
        if let Err(e) = self.say(said, by).await {
            turn.keep();
            return Err(e);
        }
        // It waits, whatever comes now: the next start reads in the log that it does.
        if let Err(e) = self.mark_held(id, Mark::Held).await {
            tracing::error!(error = %e.message, %id, "a submission waits, and its file is not marked so");
        }
        files.used();
        Ok(id)
    }

    /// Opens one.
    pub(super) async fn open_held(self: &Arc<Self>, id: HeldId) -> Result<Draft, ApiError> {
        let shared = self.clone();
        let open = move || shared.held.read(id, &shared.keyring.store);
        tokio::task::spawn_blocking(open).await.map_err(internal)?
    }

    /// Checks one as if it came now.
    pub(super) fn prepare_held(
        &self,
        draft: &Draft,
        lang: Lang,
    ) -> Result<(Ready, Vec<Flaw>), ApiError> {
        self.prepare(&draft.caller(), draft.request.clone(), lang, draft.files())
    }

    /// Whether its files are still there.
    pub(super) fn files_here(&self, draft: &Draft) -> Result<(), ApiError> {
        let files = draft.files();
        let lost = files.values().find(|file| {
            let of = crate::attachments::ref_of(file);
            !self.attachments.blobs.has(of)
        });
        match lost {
            None => Ok(()),
            Some(file) => Err(ApiError::new(
                ErrorCode::Conflict,
                format!("its file {} is not on this disk any more", file.name),
            )
            .with_try("deny it, and have it submitted again with its files")
            .because(Cause::ReleaseFile, [("name", file.name.clone())])),
        }
    }
}

/// The token proves nobody: a releaser who has it could release his own.
fn unproved() -> ApiError {
    ApiError::forbidden(
        "a second person must release this notice, and over TCP the node cannot tell who submits it",
    )
    .with_try("submit it over the Unix socket, where the kernel says who it is")
    .because(Cause::ReleaseUnproved, [])
}
