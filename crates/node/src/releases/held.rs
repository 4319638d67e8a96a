//! A submission that policy asks a second person for: checked in full, and held.

use super::{ReleaseAct, Shared, release, why};
use crate::{
    age::{Age, goes_at_any_age},
    clock,
    held::{Draft, HeldId, Mark},
    reading::internal,
    roster_acts,
    submit::Ready,
};
use abeng_api::{
    ApiError, Caller, Cause, ErrorCode, HeldReply, ReleaseWhy, SubmitReply, SubmitRequest,
};
use abeng_notice::{Flaw, Lang, Notice};
use abeng_roster::digest;
use abeng_wire::v1;
use std::sync::Arc;

impl Shared {
    /// Why a notice must wait; empty where it need not.
    pub(crate) fn must_wait(&self, notice: &Notice, age: &Age) -> Vec<ReleaseWhy> {
        let control = self.config.dual_control.as_ref();
        let triggers = control.map_or(Vec::new(), |control| control.asks(notice));
        let aged = age.asks().filter(|_| !goes_at_any_age(notice));
        triggers.into_iter().map(why).chain(aged).collect()
    }

    /// Holds what was checked, or says that it would be held.
    pub(crate) async fn hold_submission(
        self: &Arc<Self>,
        who: &Caller,
        request: SubmitRequest,
        ready: Ready,
        (why, age): (Vec<ReleaseWhy>, Age),
        mut reply: SubmitReply,
    ) -> Result<SubmitReply, ApiError> {
        let Some(uid) = who.uid else {
            return Err(unproved(&why, &age));
        };
        let mut held = HeldReply {
            id: None,
            age_days: age_days(&why, &age),
            releasers: self.releasers(),
            why,
        };
        if !request.dry_run {
            self.may_submit()?;
            let by = roster_acts::private(who, Some(ready.private.officer.clone()));
            let shared = self.clone();
            let because = Because::of(&held.why, &age);
            let holding =
                tokio::spawn(
                    async move { shared.hold_draft(uid, request, ready, (by, because)).await },
                );
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
        (by, because): (abeng_queue::PrivateInput, Because),
    ) -> Result<HeldId, ApiError> {
        let attached = self.given_files(&ready.handles);
        // Blobs from here on, as for a submission that is sealed.
        let files = self.keep_given(&ready.handles).await?;
        let life = (self.incarnation, self.reader.size());
        let draft = Draft::new(request, uid, clock::wall(), life, attached)
            .for_any_second(because.age_alone);
        let (turn, sealed) = self.hold_new(&draft).await?;
        let id = turn.id;
        let said = v1::Release {
            digest: digest(&sealed).to_bytes(),
            reason: because.reason,
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

/// What the age of the trust data has to do with it that one waits.
struct Because {
    /// Nothing else asks.
    age_alone: bool,
    /// What its leaf says; empty where it has nothing to do with it.
    reason: String,
}

impl Because {
    fn of(why: &[ReleaseWhy], age: &Age) -> Self {
        Self {
            age_alone: why.iter().all(is_age),
            reason: match why.iter().any(is_age) {
                true => age.reason(),
                false => String::new(),
            },
        }
    }
}

fn is_age(why: &ReleaseWhy) -> bool {
    matches!(why, ReleaseWhy::Age | ReleaseWhy::Expired)
}

/// Since when the roster was last confirmed, where that is why.
pub(super) fn age_days(why: &[ReleaseWhy], age: &Age) -> Option<u64> {
    why.iter().any(is_age).then_some(age.days)
}

/// The token proves nobody: a releaser who has it could release his own.
fn unproved(why: &[ReleaseWhy], age: &Age) -> ApiError {
    let told = match why.iter().any(is_age) {
        true => format!(" ({})", age.reason()),
        false => String::new(),
    };
    ApiError::forbidden(format!(
        "a second person must release this notice{told}, and over TCP the node cannot tell who submits it"
    ))
    .with_try("submit it over the Unix socket, where the kernel says who it is")
    .because(Cause::ReleaseUnproved, [])
}
