use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A long poll.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// Events of leaves above this index; where absent, from the log's end at the time of asking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// How long to wait for the first, in milliseconds; 10,000 where absent, at most 60,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u32>,
    /// At most so many; 1000 where absent, at most 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Something was delivered here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeliveredEvent {
    /// Index of the Delivered leaf.
    pub leaf: u64,
    /// The envelope's id, in full.
    pub id: String,
    /// When the leaf was durable: nanoseconds of this machine's CLOCK_MONOTONIC.
    pub mono_ns: u64,
}

/// Something sent from here was settled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SettledEvent {
    /// Index of the leaf that keeps the receipt (or the expiry).
    pub leaf: u64,
    /// The envelope's id, in full.
    pub id: String,
    /// Code of the recipient.
    pub recipient: String,
    /// Kind of the outcome: `DELIVERED`, `REFUSED`, `EXPIRED`.
    pub kind: String,
    /// When the leaf was durable: nanoseconds of this machine's CLOCK_MONOTONIC.
    pub mono_ns: u64,
}
