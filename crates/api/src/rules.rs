//! The roster and its rules: bringing a newer one, who waits, who may send what to whom.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What an import brought: `POST /v1/roster/import`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RosterTaken {
    /// Whether anything was newer.
    pub newer: bool,
    /// The roster in force before.
    pub roster_before: u64,
    /// The roster in force.
    pub roster: u64,
    /// The root in force before.
    pub root_before: u64,
    /// The root in force.
    pub root: u64,
    /// Whether a newer freshness statement came.
    pub freshness: bool,
    /// Newer seal keys.
    pub seal_keys: u32,
    /// What the roster changes, in words.
    pub changes: Vec<String>,
}

/// Who waits, and what nobody here has seen: `GET /v1/roster/pending`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WaitingView {
    /// The roster in force.
    pub version: u64,
    /// The newest roster whose changes somebody here has seen.
    pub seen: u64,
    /// What changed since, in words.
    pub changes: Vec<String>,
    /// Who waits, the roster itself first, then group by group.
    pub newcomers: Vec<NewcomerView>,
    /// Well-signed statements of one version that differ, in words.
    pub disputes: Vec<String>,
}

/// A party that is new in the roster or in a group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NewcomerView {
    /// Its code.
    pub party: String,
    /// Its name.
    pub name: String,
    /// The group; none: the roster itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The roster version that brought it there.
    pub since: u64,
    /// When it need not wait any longer.
    pub until: String,
    /// Grants that speak of it there, in words.
    pub gains: Vec<String>,
}

/// Accepts newcomers, or says that changes were seen: `POST /v1/roster/accept`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptRequest {
    /// A party, wherever it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<String>,
    /// A group: whoever waits in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Who decides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer: Option<String>,
    /// The roster whose changes were looked at, as `pending` shows it: refused where another is in
    /// force by now. Without it: whichever is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// What was accepted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AcceptReply {
    /// The roster whose changes count as seen.
    pub version: u64,
    /// The leaf that says so.
    pub leaf: u64,
    /// Who need not wait any longer.
    pub accepted: Vec<NewcomerView>,
}

/// What a group stands for, here and now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GroupView {
    /// Its code.
    pub group: String,
    /// Members that it is expanded into; in `GET /v1/policy` all.
    pub members: Vec<String>,
    /// Members that it is not expanded into.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOutView>,
}

/// A member that a group is not expanded into.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LeftOutView {
    /// Its code.
    pub party: String,
    /// Why.
    pub why: LeftOutWhy,
    /// Until when, where it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// Why a group is not expanded into a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeftOutWhy {
    /// It is the originator.
    Yourself,
    /// It is suspended or has left.
    Inactive,
    /// It is new to the network and waits.
    NewToNetwork,
    /// It is new to the group and waits.
    NewToGroup,
}

/// `GET /v1/policy/explain`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExplainQuery {
    /// Who sends it; none: this node's party.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Who gets it.
    pub to: String,
    /// The notice's type, as `SEIZURE`.
    #[serde(rename = "type")]
    pub ty: String,
    /// Its label; none: AMBER.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tlp: Option<String>,
}

/// Why something may go, or not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExplainView {
    /// Who sends it.
    pub from: String,
    /// Who gets it.
    pub to: String,
    /// The notice's type.
    #[serde(rename = "type")]
    pub ty: String,
    /// Its label.
    pub tlp: String,
    /// The roster that says so.
    pub roster: u64,
    /// Whether it may go.
    pub allowed: bool,
    /// The rule against it, and whom to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// Grants that speak of both and of the type.
    pub grants: Vec<GrantUse>,
    /// Whether a later version alone writes and reads notices of that type.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub later: bool,
}

/// A grant that is about what was asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GrantUse {
    /// In words.
    pub grant: String,
    /// Whether it allows it.
    pub allows: bool,
}

/// Groups and grants of the roster in force: `GET /v1/policy`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PolicyView {
    /// Its version.
    pub roster: u64,
    /// Groups with their members.
    pub groups: Vec<GroupView>,
    /// Grants, in words.
    pub grants: Vec<String>,
}
