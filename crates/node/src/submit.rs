//! From an officer's draft to a durable, queued envelope.

use crate::{
    attachments::{files_of, ref_of},
    clock,
    desk::{Ended, Positions},
    recent::{SentEnvelope, SentTo},
    refused::refusal_error,
    shared::{Shared, lock},
};
use abeng_api::{
    ApiError, Caller, Cause, ErrorCode, FlawSeverity, FlawView, GroupView, LeftOutView, LeftOutWhy,
    SubmitReply, SubmitRequest,
};
use abeng_keys::{Entropy, SignError, SystemEntropy};
use abeng_notice::{Attachment, CheckContext, Draft, Flaw, Lang, Notice, NoticeType};
use abeng_queue::{Input, PrivateInput, Terms, Ticket};
use abeng_roster::{Cleared, GroupExpansion, LeftOut, Policy, Trust};
use abeng_seal::{SealError, SealInput, Sealed, seal, seq_commit};
use abeng_wire::{EnvelopeId, Incarnation, Millis, PartyCode, StreamSeq, limits, v1};
use std::{
    collections::BTreeMap,
    sync::{Arc, TryLockError},
};

/// Hours that delivery is tried unless the officer says otherwise: 30 days.
const DEFAULT_HOURS: u32 = 720;

/// A notice that may be sealed.
pub(crate) struct Ready {
    pub(crate) notice: Notice,
    pub(crate) cleared: Cleared,
    pub(crate) trust: Arc<Trust>,
    pub(crate) precedence: v1::Precedence,
    pub(crate) created_at: Millis,
    pub(crate) expires_at: Millis,
    pub(crate) private: PrivateInput,
    /// The one that its only recipient could not open, where this is that one sealed anew.
    pub(crate) anew_of: Option<EnvelopeId>,
    /// The files that it names, as the node has called them.
    pub(crate) handles: Vec<String>,
    /// What the groups among its recipients stand for.
    pub(crate) groups: Vec<GroupExpansion>,
}

/// Why a notice was not sealed and queued.
#[derive(Debug)]
pub(crate) enum NotSent {
    /// It is not sent.
    No(ApiError),
    /// The node ended before it was known.
    NobodyKnows,
}

impl From<ApiError> for NotSent {
    fn from(why: ApiError) -> Self {
        Self::No(why)
    }
}

impl From<NotSent> for ApiError {
    fn from(why: NotSent) -> Self {
        match why {
            NotSent::No(why) => why,
            NotSent::NobodyKnows => nobody_knows(),
        }
    }
}

/// The node ended between taking a notice and answering. It must not be told as a refusal, or as
/// something to try again: that would send it twice.
pub(crate) fn nobody_knows() -> ApiError {
    ApiError::internal("the node ended before it could say whether the notice was accepted")
        .with_try("start it, and look with `abeng sent list` before you submit again")
        .because(Cause::NobodyKnows, [])
}

impl Shared {
    /// `POST /v1/notices`.
    pub async fn submit(
        self: &Arc<Self>,
        who: &Caller,
        request: SubmitRequest,
    ) -> Result<SubmitReply, ApiError> {
        let kind = request.notice.get("type").and_then(|ty| ty.as_str());
        if kind.and_then(NoticeType::parse) == Some(NoticeType::Recall) {
            return Err(
                ApiError::invalid("a recall goes to exactly those who have the notice")
                    .with_try("`abeng recall ID --reason CODE` makes it")
                    .because(Cause::RecallSubmitted, []),
            );
        }
        if !request.dry_run {
            // The notice and its stanzas; what they are padded to matters little here.
            let size = request.notice.to_string().len() + limits::STANZA * request.to.len();
            self.admit(size as u64)?;
        }
        self.send(who, request).await
    }

    /// Checks, seals and queues a notice of any type.
    pub async fn send(
        self: &Arc<Self>,
        who: &Caller,
        request: SubmitRequest,
    ) -> Result<SubmitReply, ApiError> {
        let lang = request.lang.as_deref().map_or(Lang::En, Lang::from_locale);
        let dry_run = request.dry_run;
        let age = self.age();
        let may_wait = self.config.dual_control.is_some() || age.asks().is_some();
        let asked = may_wait.then(|| request.clone());
        let (ready, doubts) = self.prepare(who, request, lang, BTreeMap::new())?;
        let mut reply = reply(&ready, &doubts, lang);
        let waits = self.must_wait(&ready.notice, &age);
        if let Some(request) = asked.filter(|_| !waits.is_empty()) {
            return self
                .hold_submission(who, request, ready, (waits, age), reply)
                .await;
        }
        if dry_run {
            return Ok(reply);
        }
        self.may_submit()?;
        // In a task of its own: an officer whose connection breaks still gets a whole submission
        // or none, and no reserved number is left behind.
        let shared = self.clone();
        let sealing = tokio::spawn(async move { shared.seal_in_turn(ready).await });
        let (id, leaf) = sealing.await.map_err(|_| nobody_knows())??;
        reply.id = Some(id.to_string());
        reply.leaf = Some(leaf.0);
        Ok(reply)
    }

    /// Seals and queues what was checked. What replaces another notice goes alone.
    pub(crate) async fn seal_in_turn(
        self: Arc<Self>,
        ready: Ready,
    ) -> Result<(EnvelopeId, abeng_wire::LeafIndex), NotSent> {
        let _alone = match ready.notice.supersedes() {
            Some(_) => Some(self.replacing.lock().await),
            None => None,
        };
        self.clone().seal_and_queue(ready).await
    }

    /// Checks a draft, and whether policy lets it go. `planned` are files beside those that were given:
    /// by the handles that it names, where it waited with them, or by made-up ones, and then the
    /// notice is never sealed.
    pub(crate) fn prepare(
        &self,
        who: &Caller,
        request: SubmitRequest,
        lang: Lang,
        planned: BTreeMap<String, Attachment>,
    ) -> Result<(Ready, Vec<Flaw>), ApiError> {
        let mut draft = read_draft(request.notice)?;
        let mut attachments = self.given_files(&draft.attach);
        let more = planned
            .keys()
            .filter(|handle| !draft.attach.contains(handle));
        let more: Vec<String> = more.cloned().collect();
        draft.attach.extend(more);
        attachments.extend(planned);
        let now = clock::wall();
        let wishes = draft.wishes(now).map_err(|flaws| flawed(&flaws, lang))?;
        let to = if request.to.is_empty() {
            wishes.to
        } else {
            request.to
        };
        // The notice names an officer only where one was named; the audit log keeps, beside that name,
        // who the transport says it was.
        let named = request.officer;
        let officer = named.clone().unwrap_or_else(|| who.name.clone());
        let context = CheckContext {
            officer: named,
            attachments,
            ..CheckContext::new(now, self.me)
        };
        let handles = draft.attach.clone();
        let checked = Notice::check(draft, &context).map_err(|flaws| flawed(&flaws, lang))?;
        let notice = checked.notice;
        let precedence = match request.precedence.as_deref() {
            Some(text) => precedence(text)?,
            None => wishes
                .precedence
                .unwrap_or(notice.notice_type().default_precedence()),
        };
        let expires_at = match (request.expires_in_hours, wishes.expires_at) {
            (None, Some(at)) => at,
            (hours, _) => now + life(hours.unwrap_or(DEFAULT_HOURS))?,
        };
        let trust = self.trust();
        let clock = clock::waits();
        let expanded = Policy::expand(&trust, self.me, &to, clock)
            .map_err(|r| refusal_error(&[r], &trust.roster))?;
        let facts = Self::facts(&notice);
        let cleared = Policy::clear(&trust, self.me, &expanded.to, &facts, clock)
            .map_err(|refusals| refusal_error(&refusals, &trust.roster))?;
        let mut salt = [0; 32];
        SystemEntropy.fill(&mut salt);
        let private = PrivateInput {
            officer,
            via: who.through(),
            salt,
        };
        let ready = Ready {
            notice,
            cleared,
            trust,
            precedence,
            created_at: now,
            expires_at,
            private,
            anew_of: None,
            handles,
            groups: expanded.groups,
        };
        Ok((ready, checked.doubts))
    }

    pub(crate) async fn seal_and_queue(
        self: Arc<Self>,
        ready: Ready,
    ) -> Result<(EnvelopeId, abeng_wire::LeafIndex), NotSent> {
        // Before it takes a number: one that is given out must be used, or voided with a signature.
        self.signer_ready().await.map_err(signer_fails)?;
        // On the disk before its envelope is journalled.
        let files = self.keep_given(&ready.handles).await?;
        let place = {
            let _in_order = lock(&self.ticket_order);
            // Asked once more: nothing gets a number behind the proof.
            self.may_submit()?;
            let place = self.desk.open();
            let reserve = Input::Reserve {
                ticket: place.ticket,
                recipients: ready.cleared.to().to_vec(),
            };
            if self.core.try_give(reserve).is_err() {
                self.desk.leave(place.ticket);
                self.metrics.busy.inc();
                return Err(ApiError::overloaded().into());
            }
            place
        };
        let mut guard = Reserved {
            shared: &self,
            ticket: place.ticket,
            sealed: false,
        };
        let positions = place.positions.await.map_err(|_| ApiError::stopping())?;
        let (sealed, ready) = match self.seal_away(ready, positions).await {
            Ok(done) => done,
            Err(SealError::Sign(why)) => return Err(signer_fails(why).into()),
            Err(e) => {
                tracing::error!(error = %e, "sealing failed");
                return Err(ApiError::internal(format!("sealing failed: {e}"))
                    .with_try("the node's log says more; nothing was sent")
                    .because(Cause::SealingFailed, [])
                    .into());
            }
        };
        self.desk
            .attach(place.ticket, Arc::new(sent_envelope(&sealed)));
        let cleared_under = ready.cleared.roster_version();
        let ty = ready.notice.ty();
        guard.sealed = true;
        let input = Input::Sealed {
            terms: own_terms(&ready),
            ticket: place.ticket,
            sealed: Box::new(sealed),
            private: ready.private,
            cleared_under,
        };
        self.core.give(input).await;
        // From here on it may be durable, whatever becomes of this node.
        match place.ended.await.map_err(|_| NotSent::NobodyKnows)? {
            Ended::Submitted { id, leaf } => {
                files.used();
                self.count(ty, 1, 0);
                Ok((id, leaf))
            }
            _ => Err(ApiError::new(
                ErrorCode::Conflict,
                "the roster changed while the notice was sealed, and no longer allows it",
            )
            .with_try("look at the recipients with `abeng status` and submit again")
            .because(Cause::RosterChanged, [])
            .into()),
        }
    }

    /// Whether the signing key can be used. One in a device is asked where it holds nothing up.
    async fn signer_ready(&self) -> Result<(), SignError> {
        let signer = self.keyring.signer().clone();
        match signer.is_device() {
            true => self.signing.run(move || signer.ready()).await?,
            false => signer.ready(),
        }
    }

    /// Seals, where a signature that is long in coming holds nothing up.
    async fn seal_away(
        self: &Arc<Self>,
        ready: Ready,
        positions: Positions,
    ) -> Result<(Sealed, Ready), SealError> {
        let shared = self.clone();
        let work = move || {
            let sealed = shared.seal(&ready, &positions)?;
            Ok((sealed, ready))
        };
        match self.keyring.signer().is_device() {
            true => self.signing.run(work).await?,
            false => work(),
        }
    }

    fn seal(
        &self,
        ready: &Ready,
        positions: &[(PartyCode, StreamSeq)],
    ) -> Result<Sealed, SealError> {
        // Whichever cache is free; each keeps to its own bounds.
        let mut boxes = match self.boxes[0].try_lock() {
            Ok(boxes) => boxes,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => lock(&self.boxes[1]),
        };
        let files: Vec<_> = ready.notice.attachments().iter().map(ref_of).collect();
        let input = SealInput {
            trust: &ready.trust,
            cleared: &ready.cleared,
            org_sign: self.keyring.signer().as_ref(),
            store: &self.keyring.store,
            incarnation: self.incarnation,
            created_at: ready.created_at,
            expires_at: ready.expires_at,
            precedence: ready.precedence,
            positions,
            notice: ready.notice.bytes(),
            attachments: &files,
            boxes: &mut boxes,
            now: clock::now(),
        };
        seal(input, &mut SystemEntropy)
    }

    /// The roster changed after sealing: clear again under the new one.
    pub async fn clear_again(
        self: Arc<Self>,
        ticket: Ticket,
        sealed: Box<Sealed>,
        private: PrivateInput,
        terms: Terms,
    ) {
        let trust = self.trust();
        let body = v1::BodyPart {
            stanzas: sealed.stanzas().to_vec(),
            body: sealed.body().clone(),
        };
        let notice = abeng_seal::reopen_own(
            sealed.hdr().bytes(),
            &body.body,
            sealed.own_copy(),
            &self.keyring.store,
        )
        .ok()
        .and_then(|bytes| Notice::parse(bytes).ok());
        let cleared = notice.and_then(|notice| {
            let cleared = Policy::clear(
                &trust,
                self.me,
                sealed.recipients(),
                &Self::facts(&notice),
                clock::waits(),
            );
            cleared.ok()
        });
        let input = match cleared {
            Some(cleared) => Input::Sealed {
                terms,
                ticket,
                sealed,
                private,
                cleared_under: cleared.roster_version(),
            },
            None => Input::SealFailed { ticket },
        };
        self.core.give(input).await;
    }
}

fn signer_fails(why: SignError) -> ApiError {
    tracing::error!(error = %why, "the signing key cannot be used");
    ApiError::new(ErrorCode::Busy, format!("the notice was not sent: {why}"))
        .with_try(
            "have the administrator look at the token with the signing key, then submit again",
        )
        .because(Cause::SignerFails, [])
}

/// What is kept of the own copy: as the notice says.
fn own_terms(ready: &Ready) -> Terms {
    let notice = &ready.notice;
    Terms {
        anew_of: ready.anew_of,
        keep_until: notice.keep_until().unwrap_or_default(),
        recalls: notice.recalls(),
        supersedes: notice.supersedes(),
    }
}

/// Voids the numbers of a submission that ends before it is sealed.
struct Reserved<'a> {
    shared: &'a Arc<Shared>,
    ticket: Ticket,
    sealed: bool,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if self.sealed {
            return;
        }
        let (core, ticket) = (self.shared.core.clone(), self.ticket);
        self.shared.desk.leave(ticket);
        tokio::spawn(async move { core.give(Input::SealFailed { ticket }).await });
    }
}

fn sent_envelope(sealed: &Sealed) -> SentEnvelope {
    let to = sealed.blinds().iter().map(|(party, seq, blind)| SentTo {
        party: *party,
        seq: *seq,
        seq_commit: seq_commit(blind, *seq),
    });
    SentEnvelope {
        id: sealed.id(),
        frame: sealed.envelope().clone(),
        incarnation: Incarnation(sealed.pre().message().incarnation),
        precedence: sealed.precedence(),
        expires_at: sealed.expires_at(),
        to: to.collect(),
    }
}

/// What is told of a notice that may be sealed; as after a dry run.
pub(crate) fn reply(ready: &Ready, doubts: &[Flaw], lang: Lang) -> SubmitReply {
    SubmitReply {
        id: None,
        ty: ready.notice.ty().to_owned(),
        to: ready.cleared.to().iter().map(ToString::to_string).collect(),
        precedence: ready.precedence.as_str_name().to_owned(),
        created_at: clock::rfc3339(ready.created_at),
        expires_at: clock::rfc3339(ready.expires_at),
        leaf: None,
        doubts: doubts.iter().map(|f| flaw_view(f, lang)).collect(),
        summary: ready.notice.summary(lang),
        files: files_of(&ready.notice),
        groups: ready.groups.iter().map(group_view).collect(),
        held: None,
    }
}

/// The notice of a draft, and the recipients that the draft itself names; policy is not asked.
pub(crate) fn draft_notice(
    draft: serde_json::Value,
    officer: Option<String>,
    attachments: BTreeMap<String, Attachment>,
    me: PartyCode,
    lang: Lang,
) -> Result<(Notice, Vec<String>), ApiError> {
    let draft = read_draft(draft)?;
    let now = clock::wall();
    let to = draft.wishes(now).map_err(|flaws| flawed(&flaws, lang))?.to;
    let context = CheckContext {
        officer,
        attachments,
        ..CheckContext::new(now, me)
    };
    let checked = Notice::check(draft, &context).map_err(|flaws| flawed(&flaws, lang))?;
    Ok((checked.notice, to))
}

fn read_draft(value: serde_json::Value) -> Result<Draft, ApiError> {
    let text = value.to_string();
    Draft::from_json(&text).map_err(|e| {
        ApiError::invalid(format!("the notice cannot be read: {e}"))
            .with_try("`abeng submit seizure --dry-run -f FILE` shows where; docs/notices.md lists every field")
            .because(Cause::DraftUnreadable, [])
    })
}

fn flawed(flaws: &[Flaw], lang: Lang) -> ApiError {
    let views = flaws.iter().map(|f| flaw_view(f, lang)).collect();
    ApiError::refused("the notice has flaws and was not sent", views)
        .with_try("mend each field that is named; what is marked as a doubt may stay")
        .because(Cause::Flawed, [])
}

/// Milliseconds of a life in hours.
fn life(hours: u32) -> Result<Millis, ApiError> {
    let life = u64::from(hours) * 3_600_000;
    if life == 0 || life > limits::LIFETIME_MS {
        return Err(ApiError::invalid(format!(
            "expires_in_hours is {hours}; it must be 1 to 2160 (90 days)"
        ))
        .because(Cause::BadLife, [("hours", hours.to_string())]));
    }
    Ok(life)
}

fn precedence(text: &str) -> Result<v1::Precedence, ApiError> {
    v1::Precedence::from_str_name(&text.to_ascii_uppercase())
        .filter(|p| *p != v1::Precedence::Unspecified)
        .ok_or_else(|| {
            ApiError::invalid(format!("`{text}` is not a precedence"))
                .with_try("use FLASH, IMMEDIATE, PRIORITY or ROUTINE")
                .because(Cause::NoPrecedence, [("given", text.to_owned())])
        })
}

pub(crate) fn group_view(expanded: &GroupExpansion) -> GroupView {
    let left_out = expanded.left_out.iter().map(|(party, why)| {
        let (why, until) = match why {
            LeftOut::Yourself => (LeftOutWhy::Yourself, None),
            LeftOut::Inactive => (LeftOutWhy::Inactive, None),
            LeftOut::Waits { to_network, until } => (
                match to_network {
                    true => LeftOutWhy::NewToNetwork,
                    false => LeftOutWhy::NewToGroup,
                },
                Some(clock::rfc3339(*until)),
            ),
        };
        LeftOutView {
            party: party.to_string(),
            why,
            until,
        }
    });
    GroupView {
        group: expanded.group.to_string(),
        members: expanded.members.iter().map(ToString::to_string).collect(),
        left_out: left_out.collect(),
    }
}

/// A flaw as the local interface tells it.
pub fn flaw_view(flaw: &Flaw, lang: Lang) -> FlawView {
    FlawView {
        severity: if flaw.is_error() {
            FlawSeverity::Error
        } else {
            FlawSeverity::Doubt
        },
        field: flaw.field.clone(),
        code: flaw.code.name().to_owned(),
        found: flaw.found.clone(),
        expected: flaw.expected.clone(),
        text: flaw.text(lang),
        cause: None,
    }
}
