//! Dual control: what policy asks a second person for is held, shown, granted, denied. Who somebody is
//! says the socket alone, by user id; what a request claims decides nothing.

mod held;
mod look;
mod parts;
mod recalls;

use crate::{
    desk::Ended,
    held::{HeldId, Known, Mark},
    roster_acts,
    shared::Shared,
    submit::{NotSent, nobody_knows},
};
use abeng_api::{
    ApiError, Caller, Cause, DenyReply, DenyRequest, ErrorCode, GrantRequest, ReleaseWhy,
    SubmitReply,
};
use abeng_audit_log::{RELEASE, subject};
use abeng_keys::{Entropy, SystemEntropy};
use abeng_notice::Lang;
use abeng_queue::{Input, PrivateInput};
use abeng_wire::{EnvelopeId, LeafIndex, v1};
use std::sync::Arc;
use v1::ReleaseAct;

use crate::config::Trigger;

/// Bytes of a reason.
const REASON: usize = 1000;
/// Characters of an officer's reference.
const OFFICER: usize = 200;
/// What the private part of a released submission ends with, before the id.
const HELD: &str = ", held ";

/// The held submission that a private part names: the node writes the last words of `via` itself.
pub(crate) fn of_held(via: &str) -> Option<HeldId> {
    HeldId::from_hex(via.rsplit_once(HELD)?.1)
}

/// What keeps a leaf's commitment from being guessed.
pub(crate) fn salt() -> [u8; 32] {
    let mut salt = [0; 32];
    SystemEntropy.fill(&mut salt);
    salt
}

impl Shared {
    /// `POST /v1/releases/{id}/grant`.
    pub async fn release_grant(
        self: &Arc<Self>,
        who: &Caller,
        id: &str,
        request: GrantRequest,
    ) -> Result<SubmitReply, ApiError> {
        // Whoever may release nothing does not learn what waits.
        if self.config.dual_control.is_some() || who.uid.is_none() {
            self.releaser(who, None)?;
        }
        check_officer(request.officer.as_deref())?;
        let id = self.held.find(id)?;
        let known = self.held.known(id)?;
        self.releaser(who, known.as_ref())?;
        if let Some(known) = known {
            not_own(who, &known)?;
        }
        let turn = self.take_turn(id)?;
        // In a task of its own: whoever's connection breaks has released it or not.
        let (shared, who) = (self.clone(), who.clone());
        let granting = tokio::spawn(async move { shared.grant(turn, &who, request).await });
        granting.await.map_err(|_| nobody_knows())?
    }

    async fn grant(
        self: &Arc<Self>,
        turn: crate::held::Turn,
        who: &Caller,
        request: GrantRequest,
    ) -> Result<SubmitReply, ApiError> {
        let id = turn.id;
        let lang = lang_of(request.lang.as_deref());
        let draft = self.open_held(id).await?;
        // What the sealed draft says, once more: the index is only memory.
        if who.uid == Some(draft.uid) {
            return Err(own());
        }
        let (mut ready, doubts) = match self.prepare_held(&draft, lang) {
            Ok(checked) => checked,
            Err(why) => return Err(self.still_waits(id, &draft, why).await),
        };
        let to: Vec<String> = ready.cleared.to().iter().map(ToString::to_string).collect();
        if request.to.as_ref().is_some_and(|shown| *shown != to) {
            return Err(others_now(&to));
        }
        self.may_submit()?;
        self.admit(ready.notice.bytes().len() as u64)?;
        self.files_here(&draft)?;
        let by = roster_acts::private(who, request.officer.clone());
        ready.private.via = released_by(&draft.caller(), who, request.officer.as_deref(), id);
        // They are blobs already.
        ready.handles.clear();
        let mut reply = crate::submit::reply(&ready, &doubts, lang);
        self.mark_held(id, Mark::Granting(self.reader.size()))
            .await?;
        let (envelope, leaf) = match self.send_released(ready, &draft, id).await {
            Ok(sent) => sent,
            Err(NotSent::No(why)) => {
                self.mark_held(id, Mark::Held).await?;
                return Err(self.still_waits(id, &draft, why).await);
            }
            Err(NotSent::NobodyKnows) => {
                // The log says it at the next start.
                turn.keep();
                return Err(nobody_knows());
            }
        };
        // It is sent, whatever comes now: what is not done here the next start does.
        if let Err(e) = self.close_granted(id, envelope, by).await {
            tracing::error!(error = %e.message, %id, "a released submission is sent, and its draft not taken away");
            turn.keep();
        }
        reply.id = Some(envelope.to_string());
        reply.leaf = Some(leaf.0);
        Ok(reply)
    }

    async fn close_granted(
        &self,
        id: HeldId,
        envelope: EnvelopeId,
        by: PrivateInput,
    ) -> Result<(), ApiError> {
        self.say_granted(id, envelope, by).await?;
        self.drop_held(id).await
    }

    /// `POST /v1/releases/{id}/deny`.
    pub async fn release_deny(
        self: &Arc<Self>,
        who: &Caller,
        id: &str,
        request: DenyRequest,
    ) -> Result<DenyReply, ApiError> {
        let reason = reason(&request.reason)?;
        check_officer(request.officer.as_deref())?;
        let id = self.held.find(id)?;
        let known = self.held.known(id)?;
        let own = known
            .as_ref()
            .is_some_and(|known| who.uid == Some(known.uid));
        if !own {
            self.releaser(who, known.as_ref())?;
        }
        let turn = self.take_turn(id)?;
        let by = roster_acts::private(who, request.officer);
        let shared = self.clone();
        let denying = tokio::spawn(async move { shared.deny(turn, known, reason, by).await });
        denying.await.map_err(|_| nobody_knows())?
    }

    async fn deny(
        self: &Arc<Self>,
        turn: crate::held::Turn,
        known: Option<Known>,
        reason: String,
        by: PrivateInput,
    ) -> Result<DenyReply, ApiError> {
        let id = turn.id;
        let recalled = self.parts_of_denied(id, known.as_ref()).await?;
        self.mark_held(id, Mark::Denying(self.reader.size()))
            .await?;
        let said = v1::Release {
            reason,
            ..release(id, ReleaseAct::ReleaseDenied)
        };
        let leaf = match self.say(said, by).await {
            Ok(leaf) => leaf,
            Err(e) => {
                turn.keep();
                return Err(e);
            }
        };
        if let Err(e) = self.drop_held(id).await {
            // It is denied, and nobody may release it any more; the next start takes it away.
            turn.keep();
            return Err(e);
        }
        for root in known.into_iter().flat_map(|known| known.roots) {
            self.let_go(root).await?;
        }
        Ok(DenyReply {
            id: id.to_string(),
            leaf: leaf.0,
            recalled,
        })
    }

    /// Says in the log that one was granted.
    pub(crate) async fn say_granted(
        &self,
        id: HeldId,
        envelope: EnvelopeId,
        by: PrivateInput,
    ) -> Result<LeafIndex, ApiError> {
        let said = v1::Release {
            envelope_id: envelope.to_bytes(),
            ..release(id, ReleaseAct::ReleaseGranted)
        };
        self.say(said, by).await
    }

    /// One leaf about a held submission, durable.
    async fn say(&self, said: v1::Release, by: PrivateInput) -> Result<LeafIndex, ApiError> {
        let leaf = v1::Leaf {
            kind: v1::LeafKind::Admin.into(),
            subject: subject(RELEASE, &abeng_wire::encode(&said)).to_bytes(),
            ..Default::default()
        };
        let place = self.desk.open();
        let input = Input::Note {
            leaf: Box::new(leaf),
            proof: Some(v1::ProofPart {
                of: Some(v1::proof_part::Of::Release(said)),
            }),
            private: Some(by),
            tell: Some(place.ticket),
            receipt_to: None,
        };
        self.core.give(input).await;
        match place.ended.await {
            Ok(Ended::Noted { leaf }) => Ok(leaf),
            _ => Err(
                ApiError::internal("the node ended before it could say what became of it")
                    .with_try("start it, and look with `abeng release list`")
                    .because(Cause::ReleaseUnknown, []),
            ),
        }
    }

    /// Refuses whoever may not release one. Where the configuration names nobody, and the age of the
    /// trust data alone asks, anybody whom the socket proves may; nobody what they submitted.
    fn releaser(&self, who: &Caller, known: Option<&Known>) -> Result<(), ApiError> {
        let may = |uid| match &self.config.dual_control {
            Some(control) => control.may_release(uid),
            None => known.is_some_and(|known| known.any_second),
        };
        if who.uid.is_some_and(may) {
            return Ok(());
        }
        let who = who.through();
        let releasers = self.releasers().join(", ");
        let error = ApiError::forbidden(format!("{who} may not release what others submitted"));
        let who = ("who", who);
        Err(match releasers.is_empty() {
            true => error
                .with_try("node.toml names nobody who may: `releasers` under [policy.dual_control]; what waits because of the roster's age alone may be released by any other user, over the Unix socket")
                .because(Cause::NoReleasers, [who]),
            false => error
                .with_try(format!(
                    "{releasers} may, over the Unix socket, each under a user of their own; whoever submitted it may withdraw it with `abeng release deny`"
                ))
                .because(Cause::NotReleaser, [who, ("releasers", releasers)]),
        })
    }

    /// Who may release, as people read it.
    fn releasers(&self) -> Vec<String> {
        let control = self.config.dual_control.iter();
        let releasers = control.flat_map(|control| &control.releasers);
        let named = releasers.map(|r| match &r.name {
            Some(name) => name.clone(),
            None => format!("uid:{}", r.uid),
        });
        named.collect()
    }
}

fn release(id: HeldId, act: ReleaseAct) -> v1::Release {
    v1::Release {
        held_id: id.0.to_vec().into(),
        act: act.into(),
        ..Default::default()
    }
}

fn why(trigger: Trigger) -> ReleaseWhy {
    match trigger {
        Trigger::Type => ReleaseWhy::Type,
        Trigger::Tlp => ReleaseWhy::Tlp,
        Trigger::Nominal => ReleaseWhy::Nominal,
    }
}

/// Who did both, as the audit log keeps it beside the officer that the submission names. The id stands
/// last, where nothing that a request says can stand.
fn released_by(submitter: &Caller, who: &Caller, officer: Option<&str>, id: HeldId) -> String {
    let releaser = match officer {
        Some(officer) => format!("{officer} ({})", who.through()),
        None => who.through(),
    };
    format!("{}, released by {releaser}{HELD}{id}", submitter.through())
}

fn not_own(who: &Caller, known: &Known) -> Result<(), ApiError> {
    match who.uid == Some(known.uid) {
        true => Err(own()),
        false => Ok(()),
    }
}

fn own() -> ApiError {
    ApiError::forbidden(
        "whoever submitted a notice cannot release it: the node knows people by their user id, and both have the same",
    )
    .with_try("another releaser must do it, under a user of their own; you may withdraw it with `abeng release deny`")
    .because(Cause::ReleaseOwn, [])
}

fn others_now(to: &[String]) -> ApiError {
    let to = to.join(", ");
    let why = format!("it would go to others now than were shown: to {to}");
    ApiError::new(ErrorCode::Conflict, why)
        .with_try("look at it again with `abeng release show`, and release it then")
        .because(Cause::ReleaseOthers, [("to", to)])
}

fn check_officer(officer: Option<&str>) -> Result<(), ApiError> {
    match officer.is_some_and(|o| o.is_empty() || o.chars().count() > OFFICER) {
        true => Err(ApiError::invalid(format!(
            "an officer's reference is 1 to {OFFICER} characters"
        ))
        .because(Cause::OfficerReference, [("limit", OFFICER.to_string())])),
        false => Ok(()),
    }
}

fn reason(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    match (1..=REASON).contains(&text.len()) {
        true => Ok(text.to_owned()),
        false => Err(ApiError::new(
            ErrorCode::Invalid,
            format!("the reason must be 1 to {REASON} bytes"),
        )
        .with_try("say in a few words why: it stays in the log for ever")
        .because(Cause::ReasonNeeded, [])),
    }
}

/// The language of a request.
fn lang_of(tag: Option<&str>) -> Lang {
    crate::operator::language(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_words_of_via_name_a_held_submission() {
        let id = HeldId([7; 16]);
        let (a, b) = (Caller::unix(1000), Caller::unix(1001));
        let via = released_by(&a, &b, None, id);
        assert_eq!(
            via,
            format!("unix uid:1000, released by unix uid:1001, held {id}")
        );
        assert_eq!(of_held(&via), Some(id));
        let other = HeldId([8; 16]);
        let claims = format!("S-7, held {other}");
        let via = released_by(&a, &b, Some(&claims), id);
        assert!(via.contains("released by S-7, held"), "{via}");
        assert_eq!(of_held(&via), Some(id));
        assert_eq!(of_held("unix uid:1000"), None);
        assert_eq!(of_held(", held 12"), None);
    }
}
