//! [`Operator`] for a node: what its own people may ask of it.

use crate::{
    clock,
    count::count,
    health,
    shared::{Shared, lock},
    watch::UNWITNESSED_MS,
};
use abeng_api::{
    AcceptReply, AcceptRequest, ExplainQuery, ExplainView, PolicyView, RosterTaken, WaitingView,
};
use abeng_api::{
    AllowRequest, ApiError, AuditQuery, BudgetView, Caller, ContradictionView, CostReply,
    CostRequest, CourierExportQuery, CourierReport, DeliveredEvent, DrillView, EventQuery,
    EvidenceQuery, ExtendRequest, GapView, HoldRequest, InboxItem, InboxQuery, KeepReply, KeptItem,
    LeafPage, LimitsView, NetworkView, NoticeView, Operator, PartyView, Pieces, RecallRequest,
    RelaysView, RetentionQuery, SentItem, SentQuery, SettledEvent, StatusView, SubmitReply,
    SubmitRequest, Timeline,
};
use abeng_api::{
    AttachQuery, AttachReply, AttachmentItem, DestroyKeyRequest, Download, SealKeyReply, Upload,
};
use abeng_api::{DenyReply, DenyRequest, GrantRequest, ReleaseItem, ReleaseQuery, ReleaseView};
use abeng_api::{Warned, Warning};
use abeng_notice::Lang;
use abeng_wire::PartyCode;
use abeng_wire::v1::HoldAct;
use async_trait::async_trait;
use bytes::Bytes;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// The node behind its local interface.
pub struct NodeOperator {
    shared: Arc<Shared>,
}

impl NodeOperator {
    /// Of this node.
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

/// A language as a request names it.
pub fn language(tag: Option<&str>) -> Lang {
    tag.map_or(Lang::En, Lang::from_locale)
}

#[async_trait]
impl Operator for NodeOperator {
    async fn submit(&self, who: &Caller, request: SubmitRequest) -> Result<SubmitReply, ApiError> {
        self.shared.submit(who, request).await
    }

    async fn recall(
        &self,
        who: &Caller,
        id: &str,
        request: RecallRequest,
    ) -> Result<SubmitReply, ApiError> {
        self.shared.recall(who, id, request).await
    }

    async fn releases(
        &self,
        who: &Caller,
        query: ReleaseQuery,
    ) -> Result<Vec<ReleaseItem>, ApiError> {
        self.shared.release_list(who, query).await
    }

    async fn release_show(
        &self,
        who: &Caller,
        id: &str,
        lang: &str,
    ) -> Result<ReleaseView, ApiError> {
        self.shared
            .release_view(who, id, language(Some(lang)))
            .await
    }

    async fn release_grant(
        &self,
        who: &Caller,
        id: &str,
        request: GrantRequest,
    ) -> Result<SubmitReply, ApiError> {
        self.shared.release_grant(who, id, request).await
    }

    async fn release_deny(
        &self,
        who: &Caller,
        id: &str,
        request: DenyRequest,
    ) -> Result<DenyReply, ApiError> {
        self.shared.release_deny(who, id, request).await
    }

    async fn hold_place(
        &self,
        who: &Caller,
        id: &str,
        request: HoldRequest,
    ) -> Result<KeepReply, ApiError> {
        let act = HoldAct::HoldPlaced;
        self.shared.hold(who, id, act, request).await
    }

    async fn hold_lift(
        &self,
        who: &Caller,
        id: &str,
        request: HoldRequest,
    ) -> Result<KeepReply, ApiError> {
        let act = HoldAct::HoldLifted;
        self.shared.hold(who, id, act, request).await
    }

    async fn retention(&self, query: RetentionQuery) -> Result<Vec<KeptItem>, ApiError> {
        self.shared.retention_list(query).await
    }

    async fn extend(
        &self,
        who: &Caller,
        id: &str,
        request: ExtendRequest,
    ) -> Result<KeepReply, ApiError> {
        self.shared.extend(who, id, request).await
    }

    async fn inbox(&self, query: InboxQuery) -> Result<Vec<InboxItem>, ApiError> {
        self.shared.inbox_items(query).await
    }

    async fn inbox_show(&self, who: &Caller, id: &str, lang: &str) -> Result<NoticeView, ApiError> {
        self.shared.show(who, id, language(Some(lang))).await
    }

    async fn sent(&self, query: SentQuery) -> Result<Vec<SentItem>, ApiError> {
        self.shared.sent_items(query).await
    }

    async fn track(&self, id: &str, lang: &str) -> Result<Timeline, ApiError> {
        self.shared.timeline(id, language(Some(lang))).await
    }

    async fn evidence(
        &self,
        who: &Caller,
        id: &str,
        query: EvidenceQuery,
    ) -> Result<Bytes, ApiError> {
        self.shared.evidence(who, id, query).await
    }

    async fn courier_export(
        &self,
        who: &Caller,
        query: CourierExportQuery,
    ) -> Result<Pieces, ApiError> {
        self.shared.courier_export(who, query).await
    }

    async fn courier_import(&self, who: &Caller, file: Pieces) -> Result<CourierReport, ApiError> {
        self.shared.courier_import(who, file).await
    }

    async fn attach(
        &self,
        _: &Caller,
        query: AttachQuery,
        upload: Upload,
    ) -> Result<AttachReply, ApiError> {
        self.shared.attach(query, upload).await
    }

    async fn attachments(&self, id: &str) -> Result<Vec<AttachmentItem>, ApiError> {
        self.shared.attachment_list(id).await
    }

    async fn attachment(
        &self,
        who: &Caller,
        notice: &str,
        root: &str,
    ) -> Result<Download, ApiError> {
        self.shared.attachment(who, notice, root).await
    }

    async fn status(&self) -> Result<StatusView, ApiError> {
        self.shared.status_view().await
    }

    async fn cost(&self, who: &Caller, request: CostRequest) -> Result<CostReply, ApiError> {
        self.shared.cost(who, request)
    }

    async fn limits(&self) -> Result<LimitsView, ApiError> {
        Ok(self.shared.limits_view())
    }

    async fn drill(&self) -> Result<DrillView, ApiError> {
        let shared = self.shared.clone();
        // It reads leaves from the disk.
        tokio::task::spawn_blocking(move || shared.drill())
            .await
            .map_err(|_| ApiError::internal("the drill broke off"))
    }

    async fn allow(&self, who: &Caller, request: AllowRequest) -> Result<BudgetView, ApiError> {
        self.shared.allow_bytes(who, &request)
    }

    async fn roster_import(&self, who: &Caller, file: Bytes) -> Result<RosterTaken, ApiError> {
        self.shared.roster_import(who, file).await
    }

    async fn roster_pending(&self) -> Result<WaitingView, ApiError> {
        Ok(self.shared.roster_pending())
    }

    async fn roster_accept(
        &self,
        who: &Caller,
        request: AcceptRequest,
    ) -> Result<AcceptReply, ApiError> {
        self.shared.roster_accept(who, request).await
    }

    async fn policy(&self) -> Result<PolicyView, ApiError> {
        Ok(self.shared.policy())
    }

    async fn explain(&self, query: ExplainQuery) -> Result<ExplainView, ApiError> {
        self.shared.explain(&query)
    }

    async fn rotate_seal_key(&self, who: &Caller) -> Result<SealKeyReply, ApiError> {
        self.shared.rotate_seal_key(who).await
    }

    async fn destroy_seal_key(
        &self,
        who: &Caller,
        request: DestroyKeyRequest,
    ) -> Result<SealKeyReply, ApiError> {
        self.shared.destroy_seal_key(who, request).await
    }

    async fn network(&self) -> Result<NetworkView, ApiError> {
        self.shared.network().await
    }

    async fn relays(&self) -> Result<RelaysView, ApiError> {
        self.shared.relays_view().await
    }

    async fn audit_show(&self, query: AuditQuery) -> Result<LeafPage, ApiError> {
        self.shared.leaves(query).await
    }

    async fn contradictions(&self) -> Result<Vec<ContradictionView>, ApiError> {
        Ok(self.shared.contradiction_views())
    }

    async fn gaps(&self) -> Result<Vec<GapView>, ApiError> {
        Ok(self.shared.gap_views().await)
    }

    async fn parties(&self) -> Result<Vec<PartyView>, ApiError> {
        let trust = self.shared.trust();
        let party = |p: &abeng_roster::Party| PartyView {
            code: p.code.to_string(),
            name: p.name.clone(),
            kind: health::kind_name(p.kind).to_owned(),
            country: p.country.clone(),
            active: p.is_active(),
            own: p.code == self.shared.me,
        };
        Ok(trust.roster.parties().map(party).collect())
    }

    async fn wait_delivered(&self, query: EventQuery) -> Result<Vec<DeliveredEvent>, ApiError> {
        let (after, limit, wait) = self.poll(query);
        Ok(self.shared.delivered.after(after, limit, wait).await)
    }

    async fn wait_settled(&self, query: EventQuery) -> Result<Vec<SettledEvent>, ApiError> {
        let (after, limit, wait) = self.poll(query);
        Ok(self.shared.settled.after(after, limit, wait).await)
    }
}

impl NodeOperator {
    fn poll(&self, query: EventQuery) -> (Option<u64>, usize, Duration) {
        let end = || self.shared.reader.size().checked_sub(1);
        let limit = query.limit.unwrap_or(1000).min(10_000) as usize;
        let wait = Duration::from_millis(u64::from(query.timeout_ms.unwrap_or(10_000).min(60_000)));
        (query.after.or_else(end), limit, wait)
    }
}

impl Shared {
    async fn status_view(self: &Arc<Self>) -> Result<StatusView, ApiError> {
        let trust = self.trust();
        let now = clock::wall();
        let queues = self
            .core
            .inspect(health::queues)
            .await
            .ok_or_else(ApiError::stopping)?;
        let (applied, rebuilding) = self.view.progress();
        let party = trust.roster.party(self.me);
        let (total, read) = (
            self.inbox.total.load(Ordering::Relaxed),
            self.inbox.read.load(Ordering::Relaxed),
        );
        let head = self.reader.head();
        let due = self.due_soon().await;
        let not_coming = self.not_coming_told(now).await;
        let stale_copies = lock(&self.stale).views(now);
        let warnings = self.warnings(now).into_iter().chain(not_coming);
        let warnings = warnings.chain(self.stranded(&queues)).chain(due);
        let (warnings, warning_causes) = warnings
            .map(|mut warning| {
                let cause = warning.cause.take();
                (warning.into_text(), cause)
            })
            .unzip();
        Ok(StatusView {
            party: self.me.to_string(),
            name: party.map(|p| p.name.clone()).unwrap_or_default(),
            network: trust.roster.network().to_string(),
            kind: party
                .map(|p| health::kind_name(p.kind))
                .unwrap_or_default()
                .to_owned(),
            software: health::SOFTWARE.to_owned(),
            incarnation: self.incarnation.to_string(),
            started_at: clock::rfc3339(self.started_at),
            roster: abeng_api::RosterView {
                version: trust.roster.version(),
                digest: trust.roster.digest().to_string(),
                expires: clock::rfc3339(trust.roster.expires()),
                parties: trust.roster.parties().filter(|p| p.is_active()).count() as u32,
                age: self.age_view(),
            },
            root_digest: self.config.root.to_string(),
            log: abeng_api::LogView {
                size: head.size,
                root: head.root.to_string(),
                origin: self.origin.clone(),
            },
            witness: self.witness_view(),
            contradicted: self.contradicted(),
            submitting_stopped: self.stopped_submitting().map(|why| why.to_string()),
            newer_life: self.newer_life().map(|newer| newer.view()),
            stale_copies,
            queue: abeng_api::QueueDepth {
                depth: health::backlog(&queues).depth,
                by: queues.iter().map(queue_view).collect(),
            },
            held: self.held.count(),
            links: trust
                .roster
                .parties()
                .filter(|p| p.code != self.me && p.is_active())
                .map(|p| self.link_view(p))
                .collect(),
            inbox: abeng_api::InboxCount {
                total,
                unread: total.saturating_sub(read),
            },
            files: self.pending_files(),
            disk: abeng_api::DiskView {
                free_bytes: self.free_disk(),
                journal_bytes: self.journal_bytes(),
                ..self.disk_view()
            },
            view: abeng_api::ViewProgress {
                state: if rebuilding {
                    abeng_api::ViewState::Rebuilding
                } else {
                    abeng_api::ViewState::Ready
                },
                applied,
            },
            clock: self.clock_view(),
            warnings,
            warning_causes,
            pid: std::process::id(),
            data_dir: self.layout.root().display().to_string(),
        })
    }

    fn link_view(&self, party: &abeng_roster::Party) -> abeng_api::LinkView {
        let entry = self.links.entry(party.code);
        let link = entry.as_ref().and_then(|e| e.link.as_ref());
        abeng_api::LinkView {
            peer: party.code.to_string(),
            linked: link.is_some(),
            since: entry.as_ref().map(|e| clock::rfc3339(e.since)),
            rtt_ms: link.map(|l| l.rtt().as_secs_f64() * 1000.0),
            offset_ms: link.and_then(|l| l.clock_offset_ms()),
            address: link
                .map(|l| l.remote_addr().to_string())
                .or_else(|| party.addresses.first().cloned()),
        }
    }

    pub(crate) fn journal_bytes(&self) -> u64 {
        let entries = std::fs::read_dir(self.layout.journal())
            .into_iter()
            .flatten()
            .flatten();
        entries
            .filter_map(|e| e.metadata().ok())
            .map(|m| m.len())
            .sum()
    }

    fn warnings(&self, now: u64) -> Vec<Warning> {
        let trust = self.trust();
        let mut warnings = Vec::new();
        warnings.extend(self.stopped_told().map(Warning::from));
        if let Some(why) = self.keyring.signer().trouble() {
            let told = Warning::from(format!(
                "THIS NODE COULD NOT SIGN when it last tried: {why}. Nothing is submitted from here until the token is back and signs (submit once more to try; after a refused PIN the node must be started again); what comes is taken and proved as before"
            ));
            warnings.push(told.because(Warned::SignerTrouble, []));
        }
        warnings.extend(self.standing_warnings());
        warnings.extend(self.roster_warnings());
        warnings.extend(crate::replaced_keys::told(&trust));
        warnings.extend(self.clock_warning());
        warnings.extend(self.room_warning());
        warnings.extend(self.budget_warning());
        warnings.extend(self.files_warnings());
        warnings.extend(self.damaged_warning());
        warnings.extend(self.held_warnings());
        for party in self.contradicted() {
            let told = Warning::from(format!(
                "the log of {party} contradicts itself: the proof is kept here and its link is closed. Speak with {party} and the coordination office; `accept_contradicted` in [link] of node.toml opens the link again"
            ));
            warnings.push(told.because(Warned::Contradicted, [("party", party)]));
        }
        let waiting = lock(&self.witnessing).waiting();
        if waiting.is_some_and(|since| now.saturating_sub(since) >= UNWITNESSED_MS) {
            let told = Warning::from(
                "for more than four hours too few witnesses have co-signed what is new in the log: are the links to them up?",
            );
            warnings.push(told.because(Warned::Unwitnessed, []));
        }
        let accused: Vec<String> = lock(&self.accused_by)
            .iter()
            .map(PartyCode::to_string)
            .collect();
        if !accused.is_empty() {
            let parties = accused.join(", ");
            let told = Warning::from(format!(
                "{parties} closed the link: there is said to be proof there that the log of this node contradicts itself. Stop this node and find out whether an older copy of its data was started (docs/operations.md)"
            ));
            warnings.push(told.because(Warned::Accused, [("parties", parties)]));
        }
        let unexplained: Vec<String> = lock(&self.logs)
            .unexplained()
            .map(|party| party.to_string())
            .collect();
        if !unexplained.is_empty() {
            let parties = unexplained.join(", ");
            let told = Warning::from(format!(
                "the log of {parties} does not explain how checkpoints that others were shown go together: ask its operator; a second past may be hidden there"
            ));
            warnings.push(told.because(Warned::Unexplained, [("parties", parties)]));
        }
        let lacking = crate::lacking::lacking(&trust, &self.keyring, now);
        warnings.extend(lacking.iter().map(crate::lacking::told));
        warnings.extend(lock(&self.key_gone).told());
        warnings.extend(self.seal_key_warnings(now));
        warnings.extend(crate::copied_keys::told(&trust));
        warnings.extend(crate::keys::stays(&self.config).map(|(_, told)| told));
        let stale = lock(&self.stale).views(now);
        warnings.extend(stale.iter().map(crate::stale::told));
        warnings.extend(self.new_lives_told());
        warnings.extend(self.notices.clone());
        let left = trust.roster.expires().saturating_sub(now);
        let days = left / 86_400_000;
        if left > 0 && days < 30 {
            let told = Warning::from(format!(
                "the roster expires in {}: ask the Secretariat for the next one",
                count(days, "day", "days")
            ));
            warnings.push(told.because(Warned::RosterExpires, [("days", days.to_string())]));
        }
        if self.free_disk() < 1 << 30 {
            let told = Warning::from("less than 1 GiB is free on the data directory's disk");
            warnings.push(told.because(Warned::DiskLow, []));
        }
        if matches!(self.config.keys, crate::config::KeysConfig::InsecurePlain) {
            let told = Warning::from("the keys rest unencrypted (insecure_plain): for trials only");
            warnings.push(told.because(Warned::KeysPlain, []));
        }
        warnings
    }
}

fn queue_view(queue: &abeng_wire::v1::QueueStatus) -> abeng_api::QueueView {
    abeng_api::QueueView {
        recipient: queue.recipient.clone(),
        precedence: queue.precedence().as_str_name().to_owned(),
        depth: queue.depth,
        oldest_at: clock::rfc3339(queue.oldest),
    }
}
