use crate::{FilesOf, FilesThere};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which sent notices to list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SentQuery {
    /// At most so many; 50 where absent, at most 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only those that some recipient has not settled yet.
    #[serde(default)]
    pub open: bool,
    /// Only those submitted before this leaf, to page backwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// The language of the summaries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
}

/// Where a notice stands with one recipient.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waiting here.
    #[default]
    Queued,
    /// On its way; no receipt yet.
    Forwarded,
    /// The recipient's receipt is verified and kept.
    Delivered,
    /// The recipient signed a refusal.
    Refused,
    /// Its time passed before a receipt came.
    Expired,
    /// It was never sealed.
    Voided,
    /// Taken back: the recipient has proved that its content is deleted there.
    Recalled,
}

impl DeliveryState {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Forwarded => "forwarded",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Voided => "voided",
            Self::Recalled => "recalled",
        }
    }
}

/// One recipient of a sent notice.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SentTo {
    /// Party code.
    pub party: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Since when.
    pub since: String,
}

/// One row of what was sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SentItem {
    /// The envelope's id, in full.
    pub id: String,
    /// When it was submitted.
    pub created_at: String,
    /// When delivery is given up.
    pub expires_at: String,
    /// `FLASH`, `IMMEDIATE`, `PRIORITY` or `ROUTINE`.
    pub precedence: String,
    /// `SEIZURE`, `FEEDBACK` …
    #[serde(rename = "type")]
    pub ty: String,
    /// One line that names the matter.
    pub summary: String,
    /// The recipients, in the order of their codes.
    pub to: Vec<SentTo>,
    /// Its files.
    #[serde(default, skip_serializing_if = "FilesOf::is_none")]
    pub files: FilesOf,
    /// Index of the Submitted leaf.
    #[serde(default)]
    pub leaf: u64,
}

/// What became of one notice.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Timeline {
    /// The envelope's id, in full.
    pub id: String,
    /// `SEIZURE`, `FEEDBACK` …
    #[serde(rename = "type")]
    pub ty: String,
    /// One line that names the matter.
    pub summary: String,
    /// When it was submitted.
    pub created_at: String,
    /// When delivery is given up.
    pub expires_at: String,
    /// `FLASH`, `IMMEDIATE`, `PRIORITY` or `ROUTINE`.
    pub precedence: String,
    /// One timeline per recipient, in the order of their codes.
    pub recipients: Vec<RecipientTimeline>,
}

/// The timeline at one recipient.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecipientTimeline {
    /// Party code.
    pub party: String,
    /// The party's name, from the roster.
    pub name: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Since when no link to the recipient is up; none while linked.
    pub offline_since: Option<String>,
    /// Linked, and yet without a receipt for longer than it should take.
    pub late: bool,
    /// The id under which it was sealed anew for this recipient, which had lost the key that it was
    /// sealed to; none where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_anew: Option<String>,
    /// How many of its files the recipient has proved to have; none where the notice has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<FilesThere>,
    /// The steps, oldest first.
    pub steps: Vec<TimelineStep>,
}

/// A kind of step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Taken from the officer, durable here.
    #[default]
    Submitted,
    /// Queued for this recipient.
    Queued,
    /// Received by the recipient's node.
    Received,
    /// In the recipient's inbox.
    Delivered,
    /// Opened there.
    Read,
    /// Refused by the recipient's node.
    Refused,
    /// Given up.
    Expired,
    /// The recipient's receipt, verified and kept here.
    Receipt,
    /// Never sealed.
    Voided,
    /// Its content deleted by the recipient's node, as the originator asked.
    Recalled,
    /// Carried by another party's node, which says so in its own log: on its way.
    Relayed,
}

/// One step, and what proves it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TimelineStep {
    /// When, as the party that did it claims.
    pub at: String,
    /// What happened.
    pub what: StepKind,
    /// Code of the party whose log says so.
    pub by: String,
    /// Origin of that log.
    pub log_origin: String,
    /// Index of the leaf there.
    pub leaf: u64,
    /// Size of the tree in which the leaf was proved.
    pub tree_size: u64,
    /// Whether this node has checked the proof just now, not only remembers it.
    pub checked: bool,
    /// Why it was refused, as the leaf has it: `HOLD`, `NOT_GRANTED` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The proof in words, in English.
    pub how: String,
    /// The proof in numbers, so that it can be told in the reader's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<ProofView>,
    /// What the witnesses of this node's own log say of the leaf. Absent for leaves of other logs,
    /// and where the log has no witnesses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<StepWitness>,
}

/// How far witnesses have seen a leaf of the own log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StepWitness {
    /// When a quorum had co-signed a checkpoint that covers the leaf, at the latest: the time of
    /// the newest such checkpoint. Absent while too few have.
    pub by: Option<String>,
}

/// An inclusion proof in numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProofView {
    /// Hashes in the inclusion path.
    pub hashes: u32,
    /// Size of the checkpoint's tree.
    pub checkpoint_size: u64,
    /// Code of the party whose log key signed the checkpoint.
    pub signed_by: String,
}
