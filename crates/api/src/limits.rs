//! What a submission costs, what may still be spent, and whether a node is ready for weeks alone.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a notice would cost: `POST /v1/cost` answers a [`SubmitRequest`](crate::SubmitRequest).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CostReply {
    /// The notice's type: `SEIZURE`.
    #[serde(rename = "type")]
    pub ty: String,
    /// The precedence given.
    pub precedence: String,
    /// One line that names the matter.
    pub summary: String,
    /// What it takes on the disk here, in bytes.
    pub disk_bytes: u64,
    /// One per recipient, in the order of their codes.
    pub lines: Vec<CostLine>,
    /// Today's budget, where a path is metered.
    pub budget: Option<BudgetView>,
}

/// What a notice would cost on the path to one recipient.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CostLine {
    /// Party code.
    pub recipient: String,
    /// `cable`, `satellite` or `metered`.
    pub profile: String,
    /// Whether the link is up; where it is not, a handshake comes on top.
    pub linked: bool,
    /// The envelope as it travels to this recipient, without the others' stanzas. Exact.
    pub envelope_bytes: u64,
    /// All that goes out: envelope, headers of every packet, a handshake where there is no link.
    pub sent_bytes: u64,
    /// All that comes back: acknowledgements, the receipt with its proof, the handshake's answer.
    pub received_bytes: u64,
    /// Bytes a second that are reckoned with.
    pub rate: u64,
    /// Whether node.toml names that rate; else it is usual for the profile.
    pub configured: bool,
    /// Time at that rate, with the round trips it takes, in milliseconds.
    pub time_ms: u64,
    /// Where metered: hundredths of a percent of today's budget.
    pub budget_share: Option<u64>,
    /// Where metered: whether it waits until the next day.
    pub waits: bool,
}

/// A day's bytes on metered paths.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BudgetView {
    /// Spent today, both ways.
    pub spent: u64,
    /// The budget with what was allowed beyond it; none: no bound.
    pub budget: Option<u64>,
    /// Of it, kept for FLASH.
    pub flash: u64,
    /// Left for all but FLASH; none: no bound.
    pub left: Option<u64>,
    /// When the next day begins.
    pub until: String,
}

/// Lets more be spent today: `POST /v1/link/allow`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AllowRequest {
    /// How many bytes more; a whole day's budget where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The officer's reference, for the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer: Option<String>,
}

/// Bounds in force: `GET /v1/limits`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LimitsView {
    /// Room on disk.
    pub disk: crate::DiskView,
    /// Today's budget, where a path is metered.
    pub budget: Option<BudgetView>,
    /// Envelopes a second that each peer may send.
    pub envelopes_per_s: u64,
    /// Their bytes a second.
    pub bytes_per_s: u64,
    /// Control frames a second that ask.
    pub questions_per_s: u64,
}
