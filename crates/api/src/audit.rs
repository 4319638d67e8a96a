use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which leaves to show, and in which direction to look for them.
///
/// With `from` the log is read upwards from there; otherwise downwards, from `before` or from the
/// newest leaf. All filters that are present must fit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Upwards, from this index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// Downwards, from below this index. Not together with `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// At most so many; 50 where absent, at most 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only of these kinds, as `LeafView::kind` names them, separated by commas: `READ,EXPORTED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Only those that name this party as originator or recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<String>,
    /// Only what this officer or caller did, as `LeafView::officer` or the end of `LeafView::via`
    /// names them; upper and lower case are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer: Option<String>,
    /// Only those of this envelope (id or prefix).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// Only at or after this moment, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Only before this moment, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Where `from` is the end of the log: how long to wait for a leaf, in milliseconds; not at
    /// all where absent, at most 60,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u32>,
}

/// A part of what was asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LeafPage {
    /// Leaves that fit, the lowest index first.
    pub leaves: Vec<LeafView>,
    /// Where to go on, as `from` or `before`, in the direction of the question; absent where
    /// everything in that direction was looked at. There may be more even where `leaves` is empty:
    /// a filter that seldom fits is answered in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    /// Leaves of the log when the question was answered.
    pub size: u64,
}

/// One leaf of the audit log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LeafView {
    /// Its index.
    pub index: u64,
    /// When, by the node's own clock.
    pub at: String,
    /// `SUBMITTED`, `QUEUED`, `DELIVERED` …
    pub kind: String,
    /// The envelope it is about.
    pub notice: Option<String>,
    /// Code of the envelope's originator.
    pub originator: Option<String>,
    /// Code of the recipient it is about.
    pub recipient: Option<String>,
    /// Why, for a refusal or an end: `NOT_GRANTED`.
    pub reason: Option<String>,
    /// What was done, where the kind alone does not say it: `DELIVERED` for a receipt taken,
    /// `HOLD_PLACED: reason`, `kept until … : reason`, `with content` for an export.
    #[serde(default)]
    pub act: Option<String>,
    /// The officer or caller, where the private part is still there.
    pub officer: Option<String>,
    /// The local interface it came through and who the transport says it was, where the private
    /// part is still there: `unix uid:1000`, `tcp token`.
    #[serde(default)]
    pub via: Option<String>,
    /// SHA-256 of the statement it is about, hex.
    #[serde(default)]
    pub subject: Option<String>,
    /// The leaf's RFC 6962 hash, hex.
    pub hash: String,
}

/// A member of the network.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PartyView {
    /// Party code.
    pub code: String,
    /// Name.
    pub name: String,
    /// `member`, `coordination` …
    pub kind: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Whether it may send and receive now.
    pub active: bool,
    /// Whether it is this node's own administration.
    pub own: bool,
}
