//! What a submission costs, what may still be spent, and whether a node is ready for weeks alone.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A submission whose cost is asked for: `POST /v1/cost`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CostRequest {
    /// The submission, as it would be sent.
    pub submit: crate::SubmitRequest,
    /// Files that would be attached, beside those that were given already and that the draft names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<CostFile>,
}

/// A file that would be attached. Nothing of it is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CostFile {
    /// Its name, without a path.
    pub name: String,
    /// Its bytes.
    pub length: u64,
}

/// What a notice would cost: the answer to a [`CostRequest`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CostReply {
    /// The notice's type: `SEIZURE`.
    #[serde(rename = "type")]
    pub ty: String,
    /// The precedence given.
    pub precedence: String,
    /// One line that names the matter.
    pub summary: String,
    /// What it takes on the disk here, in bytes, its files included.
    pub disk_bytes: u64,
    /// Its files, in the notice's order.
    #[serde(default)]
    pub files: Vec<CostFileView>,
    /// One per recipient, in the order of their codes.
    pub lines: Vec<CostLine>,
    /// Today's budget, where a path is metered.
    pub budget: Option<BudgetView>,
}

/// A file as it would travel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CostFileView {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub length: u64,
    /// Bytes of its ciphertext. Exact.
    pub cipher_length: u64,
    /// Pieces of 1 MiB that it travels in.
    pub pieces: u64,
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
    /// Where that rate is from.
    pub rate_from: RateFrom,
    /// Bytes a second that this path delivered lately while it was full; none before something
    /// large was sent since the node's start.
    pub measured: Option<u64>,
    /// Time at that rate, with the round trips it takes, in milliseconds.
    pub time_ms: u64,
    /// Where metered: hundredths of a percent of today's budget.
    pub budget_share: Option<u64>,
    /// Where metered: whether it waits until the next day.
    pub waits: bool,
    /// The files, which follow the notice; none where it has none.
    #[serde(default)]
    pub files: Option<FilesCost>,
}

/// Where a rate is from. What node.toml says is taken before what was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RateFrom {
    /// node.toml names it.
    Configured,
    /// The path delivered so much lately.
    Measured,
    /// It is usual for the profile.
    #[default]
    Usual,
}

/// What the files of a notice would cost on one path, all of them together and beside the notice.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FilesCost {
    /// All that goes out: pieces, the hashes of all pieces, headers of every packet.
    pub sent_bytes: u64,
    /// All that comes back: what asks for them, acknowledgements, a receipt for each.
    pub received_bytes: u64,
    /// Time at the line's rate, in milliseconds, after the notice.
    pub time_ms: u64,
    /// Where metered: hundredths of a percent of today's budget; more than 10,000 takes several days.
    pub budget_share: Option<u64>,
    /// Where metered: they go only once somebody asks for them there.
    pub on_request: bool,
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
    /// All of them, the disk's first.
    pub limits: Vec<LimitView>,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitUnit {
    /// Things, at one time.
    #[default]
    Number,
    /// Things a second, lasting.
    PerSecond,
    /// Bytes.
    Bytes,
    /// Bytes a second, lasting.
    BytesPerSecond,
    /// Milliseconds.
    Milliseconds,
}

/// A bound in force.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LimitView {
    /// Of what, in words.
    pub name: String,
    /// How much or how many; none: no bound.
    pub value: Option<u64>,
    /// Of rates: how much at once, after a quiet time.
    pub burst: Option<u64>,
    /// What it counts.
    pub unit: LimitUnit,
    /// How much of it is used, where that is known.
    pub used: Option<u64>,
    /// What happens to what is beyond it, in words.
    pub beyond: String,
    /// Section and key of node.toml that change it; none: nothing does.
    pub key: Option<String>,
}
