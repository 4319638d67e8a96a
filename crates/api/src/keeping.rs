//! Taking back, holding, and how long content is kept.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Takes back a notice that was sent from here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecallRequest {
    /// Code of recall-reason, or its name in one of the four languages: `wrong-facts`.
    pub reason: String,
    /// Why, in words; recipients read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The officer's reference: for the audit log and, as originator, in the recall.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer: Option<String>,
    /// Check only; send nothing and leave nothing in the log.
    #[serde(default)]
    pub dry_run: bool,
    /// The language in which flaws and the summary are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
}

/// Places or lifts a legal hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldRequest {
    /// Why, in words: a case number, a court's order. Kept in the log for ever.
    pub reason: String,
    /// The officer's reference, for the audit log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer: Option<String>,
}

/// Keeps the own copy of a sent notice longer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendRequest {
    /// A date (`2031-12-31`), or a length from now (`90d`).
    pub until: String,
    /// Why, in words. Kept in the log for ever.
    pub reason: String,
    /// The officer's reference, for the audit log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer: Option<String>,
}

/// What was done about kept content, durably.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KeepReply {
    /// The envelope's id, in full.
    pub id: String,
    /// Index of the leaf that says so.
    pub leaf: u64,
    /// When the content is deleted now; none while it is held, or where no time is known.
    pub due: Option<String>,
    /// Its originator has taken it back, and was told that this was received: the hold keeps it all
    /// the same, and it goes when the hold is lifted.
    #[serde(default)]
    pub recall_stands: bool,
}

/// Which kept content to list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RetentionQuery {
    /// All that has a date, not only what is due within 30 days.
    #[serde(default)]
    pub all: bool,
    /// What is under a legal hold instead.
    #[serde(default)]
    pub held: bool,
    /// At most so many, the first due first; 50 where absent, at most 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The language of the summaries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
}

/// Whose content it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeptSide {
    /// The own copy of what was sent from here.
    #[default]
    Sent,
    /// What came from another party.
    Received,
}

/// Content that is kept for the time being.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KeptItem {
    /// The envelope's id, in full.
    pub id: String,
    /// Sent or received.
    pub side: KeptSide,
    /// Code of the originator.
    pub from: String,
    /// One line that names the matter.
    pub summary: String,
    /// When the content is deleted; none while it is held.
    pub due: Option<String>,
    /// Since when it is held, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldView>,
}

/// A legal hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HeldView {
    /// Since when.
    pub since: String,
    /// Why, in words.
    pub reason: String,
    /// Who placed it, as the audit log has it.
    pub officer: String,
}
