use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which leaves to show.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// The first index; where absent, the newest `limit` leaves are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// At most so many; 50 where absent, at most 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only of this kind, as `LeafView::kind` names it: `DELIVERED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Only those that name this party as originator or recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<String>,
    /// Only those of this envelope (id or prefix).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
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
    /// The officer or caller, where the private part is still there.
    pub officer: Option<String>,
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
