//! The local interface of an Abeng node.
//!
//! In scope: the [`Operator`] trait that a node implements, the types that cross it, the HTTP
//! router over any `Operator`, serving that router on a Unix socket or on TCP, the client, and
//! the description of it all as OpenAPI ([`openapi`]).
//!
//! Not in scope: what a notice may contain (crate `notice`), who may send to whom (crate
//! `roster`), and pages for people (crate `console`).
//!
//! Moments are RFC 3339 texts in UTC (`2026-11-24T06:05:16Z`), ids are lower-case hex, and a
//! language is a tag or locale name (`fr`, `fr_FR.UTF-8`); one that is not known means English.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod attach;
mod audit;
mod cause;
mod client;
mod client_error;
mod courier;
mod drill;
mod error;
mod events;
mod evidence;
mod extract;
mod gaps;
mod health;
mod inbox;
mod keeping;
mod keys;
mod limits;
mod operator;
mod query;
mod relays;
mod release;
mod router;
mod rules;
mod sent;
mod serve;
mod stream;
mod submit;
mod warning;

pub use attach::{
    AttachQuery, AttachReply, AttachmentItem, AttachmentQuery, AttachmentState, Download, FilesOf,
    FilesThere, PendingView, Upload,
};
pub use audit::{AuditQuery, LeafPage, LeafView, PartyView};
pub use cause::{Cause, CauseView};
pub use client::{Client, Incomer};
pub use client_error::{ClientError, NotOurs};
pub use courier::{
    CourierExportQuery, CourierFaultKind, CourierFaultView, CourierReport, CourierTally,
    CourierTrouble,
};
pub use drill::{DrillItem, DrillMark, DrillView};
pub use error::{ApiError, ErrorBody, ErrorCode};
pub use events::{DeliveredEvent, EventQuery, SettledEvent};
pub use evidence::EvidenceQuery;
pub use gaps::GapView;
pub use health::{
    ClockState, ClockView, ContradictionView, DiskView, InboxCount, LinkView, LogView, NetworkRow,
    NetworkView, NewerLifeView, QueueDepth, QueueView, RosterAge, RosterState, RosterView,
    StaleCopyView, StatusView, ViewProgress, ViewState, WitnessView, WitnessedByView,
};
pub use inbox::{InboxItem, InboxQuery, LabelledValue, NoticeView};
pub use keeping::{
    ExtendRequest, HeldView, HoldRequest, KeepReply, KeptItem, KeptSide, RecallRequest,
    RetentionQuery,
};
pub use keys::{DestroyKeyRequest, SealKeyReply};
pub use limits::{
    AllowRequest, BudgetView, CostFile, CostFileView, CostLine, CostReply, CostRequest, FilesCost,
    LimitUnit, LimitView, LimitsView, RateFrom,
};
pub use operator::{Caller, Operator, Via};
pub use relays::{CarriedView, CarryQuota, RelayView, RelaysView};
pub use release::{
    DenyReply, DenyRequest, GrantRequest, HeldCount, HeldReply, ReleaseItem, ReleaseQuery,
    ReleaseView, ReleaseWhy,
};
pub use router::{openapi, router};
pub use rules::{
    AcceptReply, AcceptRequest, ExplainQuery, ExplainView, GrantUse, GroupView, LeftOutView,
    LeftOutWhy, NewcomerView, PolicyView, RosterTaken, WaitingView,
};
pub use sent::{
    DeliveryState, ProofView, RecipientTimeline, SentItem, SentQuery, SentTo, StepKind,
    StepWitness, Timeline, TimelineStep,
};
pub use serve::{Peers, Serving, bind_unix, serve_tcp, serve_unix};
pub use stream::{Gone, PieceSender, Pieces, pieces};
pub use submit::{FlawSeverity, FlawView, SubmitReply, SubmitRequest};
pub use warning::{Warned, Warning};
