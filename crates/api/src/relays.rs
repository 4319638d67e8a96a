//! Relays: who reaches whom, and what is carried here for others.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/relays`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RelaysView {
    /// When this was.
    pub at: String,
    /// The relays of the roster, this node left out, and others that still have copies.
    pub relays: Vec<RelayView>,
    /// Whether the roster makes this node a relay.
    pub own_flag: bool,
    /// What is carried here, by originator.
    pub carried: Vec<CarriedView>,
    /// How much may be carried here.
    pub quota: CarryQuota,
}

/// One relay, as this node uses it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RelayView {
    /// Party code.
    pub party: String,
    /// Whether it is linked now.
    pub linked: bool,
    /// A coordination party is used only where no other relay is left.
    pub coordination: bool,
    /// The parties that it says it is linked with.
    pub reaches: Vec<String>,
    /// Copies of own notices that it has, or that are on their way to it.
    pub copies: u64,
    /// How often it lately took a copy and brought nothing in time. From 3 on it is used last.
    pub strikes: u32,
}

/// What is carried for one originator.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CarriedView {
    /// Party code.
    pub originator: String,
    /// Envelopes, counted per recipient.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest was made, as its originator says.
    pub oldest_at: String,
}

/// How much a relay carries at a time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CarryQuota {
    /// Envelopes of one originator.
    pub originator_count: u64,
    /// Their bytes.
    pub originator_bytes: u64,
    /// Envelopes in all.
    pub total_count: u64,
    /// Their bytes.
    pub total_bytes: u64,
}
