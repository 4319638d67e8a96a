//! Submissions that a second person must release before they are sealed.

use crate::{CauseView, FlawView, GroupView, LabelledValue};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A reason for which a notice waits for its release.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseWhy {
    /// Its type.
    #[default]
    Type,
    /// Its label.
    Tlp,
    /// Names of persons in it.
    Nominal,
    /// The age of the node's trust data, past its limit.
    Age,
    /// The node's roster, or the root over it, has expired.
    Expired,
}

/// That a submission waits, or would wait, for a second person. Nothing of it is sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HeldReply {
    /// How `abeng release` names it, 32 hex digits; none after a dry run.
    pub id: Option<String>,
    /// Why it waits.
    pub why: Vec<ReleaseWhy>,
    /// Who may release it: user names or `uid:1001`. Empty where the node's configuration names nobody and
    /// only the age of its trust data asks: then any other user of its socket.
    pub releasers: Vec<String>,
    /// Whole days since the node's roster was last confirmed, where that is why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_days: Option<u64>,
}

/// Which held submissions to list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReleaseQuery {
    /// At most so many, the oldest first; 50 where absent, at most 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The language of the summaries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
}

/// A submission that waits.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReleaseItem {
    /// Its id, 32 hex digits.
    pub id: String,
    /// Since when.
    pub since: String,
    /// Who submitted it, as the socket proved it: `uid:1000`.
    pub by: String,
    /// The officer that it names; where it names none, the same.
    pub officer: String,
    /// Whether the caller submitted it.
    pub own: bool,
    /// The notice's type.
    #[serde(rename = "type")]
    pub ty: String,
    /// Its label.
    pub tlp: String,
    /// Recipients as they were named, groups not expanded.
    pub to: Vec<String>,
    /// One line that names the matter.
    pub summary: String,
    /// It comes from an earlier life of this node's log, such as a backup: it may have been released
    /// since, and sent.
    pub maybe_sent: bool,
    /// Why it cannot be released as it is, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// The same by name, for those who tell it in another language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble_cause: Option<CauseView>,
}

/// A submission that waits, opened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReleaseView {
    /// What the list says of it.
    pub item: ReleaseItem,
    /// Why it waits by the policy of now.
    pub why: Vec<ReleaseWhy>,
    /// Whole days since the node's roster was last confirmed, where that is why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_days: Option<u64>,
    /// Who would get it, groups expanded.
    pub to: Vec<String>,
    /// What the groups among the recipients stand for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupView>,
    /// The precedence that it would have; empty where it cannot be released.
    pub precedence: String,
    /// The notice's fields in the reader's language.
    pub fields: Vec<LabelledValue>,
    /// The notice as data.
    #[schema(value_type = Object)]
    pub notice: serde_json::Value,
    /// Flaws that would not stop it.
    pub doubts: Vec<FlawView>,
    /// The leaf that says that it was opened here.
    pub leaf: u64,
}

/// Lets a submission go.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantRequest {
    /// The recipients that were shown, sorted; where they are not those of now, nothing is sent. Absent:
    /// whoever they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Vec<String>>,
    /// The reference of whoever decides, for the audit log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer: Option<String>,
    /// The language in which flaws and the summary are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
}

/// Ends a submission that waits: nothing of it is sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DenyRequest {
    /// Why, in words. Kept in the log for ever.
    pub reason: String,
    /// The reference of whoever decides, for the audit log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer: Option<String>,
}

/// What was decided, durably.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DenyReply {
    /// The id, in full.
    pub id: String,
    /// Index of the leaf that says so.
    pub leaf: u64,
    /// The ids of recalls that an earlier try to release it had sent: of what was sealed anew of the
    /// notice. They stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recalled: Vec<String>,
}

/// Submissions that wait for their release, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HeldCount {
    /// How many.
    pub count: u32,
    /// Since when the oldest waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<String>,
}
