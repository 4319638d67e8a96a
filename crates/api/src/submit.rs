use crate::{CauseView, FilesOf, GroupView, HeldReply};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A draft with what travels beside it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitRequest {
    /// Party codes or groups, in any order: `["TT", "BB"]`. Where empty, the draft's own `to`.
    #[serde(default)]
    pub to: Vec<String>,
    /// `FLASH`, `IMMEDIATE`, `PRIORITY` or `ROUTINE`. Where absent, the draft's, else that of its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precedence: Option<String>,
    /// How long delivery is tried, in hours; 720 (30 days) where absent, at most 2160.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_hours: Option<u32>,
    /// The officer's reference, such as a badge number: for the audit log and, as originator, in
    /// the notice, where recipients see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer: Option<String>,
    /// Check only; send nothing and leave nothing in the log.
    #[serde(default)]
    pub dry_run: bool,
    /// The language in which flaws and the summary are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// The draft, as `abeng_notice::Draft` reads it from JSON.
    #[schema(value_type = Object)]
    pub notice: serde_json::Value,
}

/// What was accepted, or would be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SubmitReply {
    /// The envelope's id; none after a dry run, and while it is held.
    pub id: Option<String>,
    /// The notice's type: `SEIZURE`.
    #[serde(rename = "type")]
    pub ty: String,
    /// Party codes, groups expanded, sorted.
    pub to: Vec<String>,
    /// The precedence given.
    pub precedence: String,
    /// When it was taken.
    pub created_at: String,
    /// When delivery is given up.
    pub expires_at: String,
    /// Index of the Submitted leaf; none after a dry run.
    pub leaf: Option<u64>,
    /// Flaws that did not stop it and travel with it.
    pub doubts: Vec<FlawView>,
    /// One line that names the matter.
    pub summary: String,
    /// Its files.
    #[serde(default, skip_serializing_if = "FilesOf::is_none")]
    pub files: FilesOf,
    /// What the groups among the recipients stand for, and who is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupView>,
    /// Policy asks for a second person: it is held, or would be, and nothing of it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldReply>,
}

/// How grave a flaw is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FlawSeverity {
    /// The notice is not sent.
    #[default]
    Error,
    /// The notice is sent, the doubt shown with it.
    Doubt,
}

/// One thing that is wrong, or may be, in a draft.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlawView {
    /// Error or doubt.
    pub severity: FlawSeverity,
    /// The field's path in the draft: `containers[0].number`.
    pub field: String,
    /// A stable name of the rule.
    #[serde(default)]
    pub code: String,
    /// What was found there.
    pub found: String,
    /// What would be right.
    pub expected: String,
    /// The whole in one sentence, in the language asked for.
    pub text: String,
    /// Which rule of the network is against it; the text is in English then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<CauseView>,
}
