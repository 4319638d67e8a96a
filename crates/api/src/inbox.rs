use crate::{FilesOf, FlawView};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which delivered notices to list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InboxQuery {
    /// At most so many; 50 where absent, at most 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only those that nobody here has opened.
    #[serde(default)]
    pub unread: bool,
    /// Only those of this originator (party code).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Only those delivered before this leaf, to page backwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// The language of the summaries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
}

/// One row of the inbox.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InboxItem {
    /// The envelope's id, in full.
    pub id: String,
    /// Code of the originator.
    pub from: String,
    /// Name of the originator, from the roster.
    pub from_name: String,
    /// When it was delivered here.
    pub received_at: String,
    /// When the originator says it was made.
    pub created_at: String,
    /// `FLASH`, `IMMEDIATE`, `PRIORITY` or `ROUTINE`.
    pub precedence: String,
    /// `SEIZURE`, `FEEDBACK` …
    #[serde(rename = "type")]
    pub ty: String,
    /// `RED`, `AMBER+STRICT`, `AMBER`, `GREEN` or `CLEAR`.
    pub tlp: String,
    /// One line that names the matter.
    pub summary: String,
    /// Whether somebody here has opened it.
    pub read: bool,
    /// Training traffic.
    pub exercise: bool,
    /// Its files, here or to come.
    #[serde(default, skip_serializing_if = "FilesOf::is_none")]
    pub files: FilesOf,
    /// Index of the Delivered leaf.
    #[serde(default)]
    pub leaf: u64,
}

/// A label and a value, both in the reader's language.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LabelledValue {
    /// "Place".
    pub label: String,
    /// "Kingston (JMKIN), Jamaica".
    pub value: String,
}

/// One delivered notice, opened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NoticeView {
    /// What the inbox's row says.
    #[serde(flatten)]
    pub item: InboxItem,
    /// Codes of all recipients.
    pub to: Vec<String>,
    /// The notice for display, in order.
    pub fields: Vec<LabelledValue>,
    /// The notice for machines.
    #[schema(value_type = Object)]
    pub notice: serde_json::Value,
    /// Doubts on it.
    pub doubts: Vec<FlawView>,
}
