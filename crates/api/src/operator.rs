use crate::{
    AcceptReply, AcceptRequest, ExplainQuery, ExplainView, PolicyView, RosterTaken, WaitingView,
};
use crate::{
    AllowRequest, ApiError, AuditQuery, BudgetView, ContradictionView, CostReply, CostRequest,
    CourierExportQuery, CourierReport, DeliveredEvent, DrillView, EventQuery, EvidenceQuery,
    ExtendRequest, GapView, HoldRequest, InboxItem, InboxQuery, KeepReply, KeptItem, LeafPage,
    LimitsView, NetworkView, NoticeView, PartyView, Pieces, RecallRequest, RelaysView,
    RetentionQuery, SentItem, SentQuery, SettledEvent, StatusView, SubmitReply, SubmitRequest,
    Timeline,
};
use crate::{
    AttachQuery, AttachReply, AttachmentItem, DestroyKeyRequest, Download, SealKeyReply, Upload,
};
use crate::{DenyReply, DenyRequest, GrantRequest, ReleaseItem, ReleaseQuery, ReleaseView};
use async_trait::async_trait;
use bytes::Bytes;
use std::fmt;

/// How a request reached the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The Unix socket; the kernel vouches for the caller's user id.
    Unix,
    /// TCP with the node's token.
    Tcp,
}

impl Via {
    /// `unix` or `tcp`, as the audit log writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unix => "unix",
            Self::Tcp => "tcp",
        }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who asks, as far as the transport knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user id of the process at the other end; none over TCP.
    pub uid: Option<u32>,
    /// What the audit log calls the caller where the request names no officer: `uid:1000`, `token`.
    pub name: String,
    /// The interface.
    pub via: Via,
}

impl Caller {
    /// A process on this machine.
    pub fn unix(uid: u32) -> Self {
        Self {
            uid: Some(uid),
            name: format!("uid:{uid}"),
            via: Via::Unix,
        }
    }

    /// The way a request came and who the transport says it was, as the audit log keeps them beside
    /// the officer that the request names: `unix uid:1000`, `tcp token`.
    pub fn through(&self) -> String {
        format!("{} {}", self.via, self.name)
    }

    /// A bearer of the node's token.
    pub fn token() -> Self {
        Self {
            uid: None,
            name: "token".to_owned(),
            via: Via::Tcp,
        }
    }
}

/// Everything that a node does for the people of its own administration.
///
/// Each method ends in an [`ApiError`] that says what failed and, where there is something to
/// try, what. An `id` argument is an envelope id in full (64 hex digits) or a prefix of at least
/// 8 that only one envelope has; a shorter or shared prefix is [`ErrorCode::Invalid`], an unknown
/// one [`ErrorCode::NotFound`].
///
/// [`ErrorCode::Invalid`]: crate::ErrorCode::Invalid
/// [`ErrorCode::NotFound`]: crate::ErrorCode::NotFound
#[async_trait]
pub trait Operator: Send + Sync + 'static {
    /// Checks a draft and, unless it is a dry run, seals and queues it, or holds it where policy asks
    /// for a second person. Returns when the submission is durable. Flaws and policy end in [`ErrorCode::Refused`](crate::ErrorCode::Refused).
    async fn submit(&self, who: &Caller, request: SubmitRequest) -> Result<SubmitReply, ApiError>;

    /// Submissions that wait for a second person: all of them for a releaser, else the caller's own.
    async fn releases(
        &self,
        who: &Caller,
        query: ReleaseQuery,
    ) -> Result<Vec<ReleaseItem>, ApiError>;

    /// Opens one of them as it would be sent, for releasers and whoever submitted it. Leaves an
    /// Admin leaf in the audit log before it answers.
    async fn release_show(
        &self,
        who: &Caller,
        id: &str,
        lang: &str,
    ) -> Result<ReleaseView, ApiError>;

    /// Releases one: checked again in full, then sealed and queued. By a releaser alone, whose proven
    /// user id is not the submitter's. Where it is refused it goes on waiting.
    async fn release_grant(
        &self,
        who: &Caller,
        id: &str,
        request: GrantRequest,
    ) -> Result<SubmitReply, ApiError>;

    /// Ends one without sending it: a releaser, or whoever submitted it.
    async fn release_deny(
        &self,
        who: &Caller,
        id: &str,
        request: DenyRequest,
    ) -> Result<DenyReply, ApiError>;

    /// Takes back a notice that was sent from here: sends a RECALL to everybody who has it or may
    /// still get it. Only the originator's own notices; a recall cannot be taken back.
    async fn recall(
        &self,
        who: &Caller,
        id: &str,
        request: RecallRequest,
    ) -> Result<SubmitReply, ApiError>;

    /// Places a legal hold: neither time nor its originator deletes the content here.
    async fn hold_place(
        &self,
        who: &Caller,
        id: &str,
        request: HoldRequest,
    ) -> Result<KeepReply, ApiError>;

    /// Lifts a legal hold.
    async fn hold_lift(
        &self,
        who: &Caller,
        id: &str,
        request: HoldRequest,
    ) -> Result<KeepReply, ApiError>;

    /// Content that falls due, or is held, the first due first.
    async fn retention(&self, query: RetentionQuery) -> Result<Vec<KeptItem>, ApiError>;

    /// Keeps the own copy of a sent notice longer.
    async fn extend(
        &self,
        who: &Caller,
        id: &str,
        request: ExtendRequest,
    ) -> Result<KeepReply, ApiError>;

    /// What was delivered here, newest first.
    async fn inbox(&self, query: InboxQuery) -> Result<Vec<InboxItem>, ApiError>;

    /// Opens one delivered notice. Leaves a Read leaf in the audit log before it answers.
    async fn inbox_show(&self, who: &Caller, id: &str, lang: &str) -> Result<NoticeView, ApiError>;

    /// What was sent from here, newest first.
    async fn sent(&self, query: SentQuery) -> Result<Vec<SentItem>, ApiError>;

    /// Proofs kept here that a party's log contradicts itself, each fit to be shown to anyone.
    async fn contradictions(&self) -> Result<Vec<ContradictionView>, ApiError>;

    /// Numbers of streams to here that have not come, while they have not.
    async fn gaps(&self) -> Result<Vec<GapView>, ApiError>;

    /// What became of one sent notice at each recipient, with the proof behind each step.
    async fn track(&self, id: &str, lang: &str) -> Result<Timeline, ApiError>;

    /// One notice's evidence file, sent from here or received: see `abeng-evidence`. Leaves an
    /// Exported leaf in the audit log before it answers.
    async fn evidence(
        &self,
        who: &Caller,
        id: &str,
        query: EvidenceQuery,
    ) -> Result<Bytes, ApiError>;

    /// A courier file for a party: what is queued for it and what is owed to it, as a stream.
    /// Leaves an Exported leaf in the audit log before it answers. Envelopes stay queued.
    async fn courier_export(
        &self,
        who: &Caller,
        query: CourierExportQuery,
    ) -> Result<Pieces, ApiError>;

    /// Takes a courier file, as a link would. Answers when everything that it brought is durable,
    /// also where it turns out to be cut or damaged.
    async fn courier_import(&self, who: &Caller, file: Pieces) -> Result<CourierReport, ApiError>;

    /// Takes a file, encrypts it and keeps it for the submission that names it. Returns when the
    /// whole of it is on the disk.
    async fn attach(
        &self,
        who: &Caller,
        query: AttachQuery,
        upload: Upload,
    ) -> Result<AttachReply, ApiError>;

    /// The files of a notice, sent from here or delivered, and where each is.
    async fn attachments(&self, id: &str) -> Result<Vec<AttachmentItem>, ApiError>;

    /// Takes a file out. Leaves an Acted leaf in the audit log before the first byte. One that is
    /// not here is asked for, and ends in [`ErrorCode::Conflict`](crate::ErrorCode::Conflict).
    async fn attachment(
        &self,
        who: &Caller,
        notice: &str,
        root: &str,
    ) -> Result<Download, ApiError>;

    /// What a submission would cost on the path to each recipient. Sends nothing, takes no file.
    async fn cost(&self, who: &Caller, request: CostRequest) -> Result<CostReply, ApiError>;

    /// Bounds in force, and how much of them is used.
    async fn limits(&self) -> Result<LimitsView, ApiError>;

    /// Whether this node is ready for weeks alone, as far as it can see itself.
    async fn drill(&self) -> Result<DrillView, ApiError>;

    /// Lets more bytes be spent on metered paths today.
    async fn allow(&self, who: &Caller, request: AllowRequest) -> Result<BudgetView, ApiError>;

    /// Takes newer trust data from a file, as from a peer. Returns when it is durable and in force.
    async fn roster_import(&self, who: &Caller, file: Bytes) -> Result<RosterTaken, ApiError>;

    /// Who is new to the roster or a group and waits, and what changed that nobody here has seen.
    async fn roster_pending(&self) -> Result<WaitingView, ApiError>;

    /// Accepts newcomers before their time, or says that the roster's changes were seen. Leaves
    /// an Admin leaf.
    async fn roster_accept(
        &self,
        who: &Caller,
        request: AcceptRequest,
    ) -> Result<AcceptReply, ApiError>;

    /// Groups and grants of the roster in force.
    async fn policy(&self) -> Result<PolicyView, ApiError>;

    /// Why a party may send something to another, or not.
    async fn explain(&self, query: ExplainQuery) -> Result<ExplainView, ApiError>;

    /// A new seal key now. It is published once a backup holds it; then, and after a call without
    /// that, the answer says which.
    async fn rotate_seal_key(&self, who: &Caller) -> Result<SealKeyReply, ApiError>;

    /// Destroys an old seal key. [`ErrorCode::Conflict`](crate::ErrorCode::Conflict) while something needs
    /// it.
    async fn destroy_seal_key(
        &self,
        who: &Caller,
        request: DestroyKeyRequest,
    ) -> Result<SealKeyReply, ApiError>;

    /// How this node is.
    async fn status(&self) -> Result<StatusView, ApiError>;

    /// How all nodes are. On coordination nodes only; elsewhere
    /// [`ErrorCode::Forbidden`](crate::ErrorCode::Forbidden) with a hint.
    async fn network(&self) -> Result<NetworkView, ApiError>;

    /// Who reaches whom, and what is carried here for others.
    async fn relays(&self) -> Result<RelaysView, ApiError>;

    /// Leaves of the own audit log: a part of what was asked for, and where to go on.
    async fn audit_show(&self, query: AuditQuery) -> Result<LeafPage, ApiError>;

    /// The members of the network, in the order of their codes.
    async fn parties(&self) -> Result<Vec<PartyView>, ApiError>;

    /// Waits until something was delivered here after leaf `query.after`. Empty at the time-out.
    async fn wait_delivered(&self, query: EventQuery) -> Result<Vec<DeliveredEvent>, ApiError>;

    /// Waits until something sent from here was settled (its receipt verified and durable) after
    /// leaf `query.after`. Empty at the time-out.
    async fn wait_settled(&self, query: EventQuery) -> Result<Vec<SettledEvent>, ApiError>;
}
