use crate::CauseView;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a node is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatusView {
    /// Code of the administration.
    pub party: String,
    /// Its name, from the roster.
    pub name: String,
    /// The network's code.
    pub network: String,
    /// Its kind in the roster: `member`, `coordination` …
    pub kind: String,
    /// Name and version of the software.
    pub software: String,
    /// The journal's incarnation, 16 hex digits.
    pub incarnation: String,
    /// When the process started.
    pub started_at: String,
    /// The roster in force.
    pub roster: RosterView,
    /// SHA-256 of the root's signed bytes, hex.
    pub root_digest: String,
    /// The audit log.
    pub log: LogView,
    /// How far witnesses have co-signed the log.
    #[serde(default)]
    pub witness: WitnessView,
    /// Parties whose log is proved here to contradict itself.
    #[serde(default)]
    pub contradicted: Vec<String>,
    /// Why this node submits nothing any more, in words; none where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitting_stopped: Option<String>,
    /// The newer life of this node's own log that is why: this is an old copy of its data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer_life: Option<NewerLifeView>,
    /// Old copies of others' nodes that tried to link here lately, and were refused.
    #[serde(default)]
    pub stale_copies: Vec<StaleCopyView>,
    /// What waits to be delivered.
    pub queue: QueueDepth,
    /// Submissions that wait for a second person.
    #[serde(default)]
    pub held: crate::HeldCount,
    /// Links, in the order of the peers' codes.
    pub links: Vec<LinkView>,
    /// The inbox.
    pub inbox: InboxCount,
    /// Files of notices that are under way.
    #[serde(default)]
    pub files: crate::PendingView,
    /// Room on disk.
    pub disk: DiskView,
    /// The index.
    pub view: ViewProgress,
    /// The clock.
    #[serde(default)]
    pub clock: ClockView,
    /// What an administrator should look at, in words, gravest first.
    pub warnings: Vec<String>,
    /// The same by name, one for each in their order, for those who tell them in another language; `null` for
    /// what has no name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warning_causes: Vec<Option<CauseView>>,
    /// Process id.
    pub pid: u32,
    /// The data directory.
    pub data_dir: String,
}

/// The roster in force.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RosterView {
    /// Its version.
    pub version: u64,
    /// SHA-256 of its signed bytes, hex.
    pub digest: String,
    /// When it expires.
    pub expires: String,
    /// Active members.
    #[serde(default)]
    pub parties: u32,
    /// How old the word is that it is the newest.
    #[serde(default)]
    pub age: RosterAge,
}

/// How old the trust data is, and what that means.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RosterAge {
    /// What it means.
    pub state: RosterState,
    /// When the roster was last known to be the newest.
    pub confirmed_at: String,
    /// Whole days since.
    pub days: u64,
    /// Days from which on new submissions wait for a second person.
    pub limit_days: u64,
    /// When the roster, or the root over it, went past its time; none before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired_at: Option<String>,
    /// Whether the roster says that this party takes no part: nothing is submitted then.
    #[serde(default)]
    pub suspended: bool,
}

/// What the age of the trust data means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RosterState {
    /// Confirmed lately.
    #[default]
    Fresh,
    /// For 14 days or longer nothing has confirmed it.
    Ageing,
    /// Past the limit: new submissions wait for a second person.
    PastLimit,
    /// Past its own time, or the root's: the same.
    Expired,
}

/// The audit log in numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LogView {
    /// Durable leaves.
    pub size: u64,
    /// The tree's root, hex.
    pub root: String,
    /// The log's origin.
    pub origin: String,
}

/// How far witnesses have co-signed the log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WitnessView {
    /// Leaves of the checkpoint that the witnesses were asked for last.
    pub size: u64,
    /// Leaves of the newest checkpoint that enough of them have co-signed; 0: none.
    pub witnessed_size: u64,
    /// When the one that completed the quorum had seen it.
    pub witnessed_at: Option<String>,
    /// How many of them are enough; 0: there are none, and nothing is ever witnessed.
    pub needed: u32,
    /// How many there are.
    pub of: u32,
    /// Who has co-signed that checkpoint, or the one asked for where there is none yet.
    pub by: Vec<WitnessedByView>,
    /// Since when something new waits for enough of them.
    pub waiting_since: Option<String>,
}

/// A witness and its time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WitnessedByView {
    /// Party code.
    pub party: String,
    /// When it co-signed, as it says.
    pub at: String,
}

/// A proof that a party's log contradicts itself: `GET /v1/contradictions`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContradictionView {
    /// Whose log.
    pub party: String,
    /// The journal's incarnation, 16 hex digits.
    pub incarnation: String,
    /// When the proof was kept.
    pub kept_at: String,
    /// Leaves of the smaller checkpoint.
    pub first_size: u64,
    /// Leaves of the larger one, or of the other with the same size.
    pub second_size: u64,
    /// Whether links to that party are refused here.
    pub quarantined: bool,
    /// The proof: the protocol's `Contradiction`, base64.
    pub proof: String,
    /// The trust data that it is judged by, a `TrustBundle` in base64.
    pub trust: String,
}

/// A newer life of a node's own log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NewerLifeView {
    /// The life, 16 hex digits.
    pub incarnation: String,
    /// When it was begun, as the clock there said.
    pub begun_at: String,
    /// The peer that showed it here first; none where that is not known any more.
    pub shown_by: Option<String>,
    /// When.
    pub shown_at: Option<String>,
}

/// An old copy of another's node: it runs in a life of its log that a newer one has closed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StaleCopyView {
    /// Party code.
    pub party: String,
    /// The life that it runs in, 16 hex digits.
    pub incarnation: String,
    /// The life that has closed it.
    pub newer: String,
    /// When it was refused first.
    pub since: String,
    /// When it was refused last.
    pub last_seen: String,
    /// How often.
    pub times: u64,
}

/// All that waits to be delivered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QueueDepth {
    /// Pairs of notice and recipient without a receipt.
    pub depth: u64,
    /// The same by recipient and precedence.
    pub by: Vec<QueueView>,
}

/// What waits for one recipient at one precedence.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QueueView {
    /// Party code.
    pub recipient: String,
    /// `FLASH`, `IMMEDIATE`, `PRIORITY` or `ROUTINE`.
    pub precedence: String,
    /// How many.
    pub depth: u64,
    /// When the oldest was submitted.
    pub oldest_at: String,
}

/// The link to one peer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LinkView {
    /// Party code.
    pub peer: String,
    /// Up or down.
    pub linked: bool,
    /// Since when; none where it was never up.
    pub since: Option<String>,
    /// Round-trip time in milliseconds.
    pub rtt_ms: Option<f64>,
    /// How far the peer's clock is ahead of this one, in milliseconds.
    pub offset_ms: Option<i64>,
    /// The address in use, or tried last.
    pub address: Option<String>,
}

/// The inbox in numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InboxCount {
    /// Delivered, ever.
    pub total: u64,
    /// Of these, not opened by anybody.
    pub unread: u64,
}

/// Room on disk, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DiskView {
    /// Free on the data directory's file system.
    pub free_bytes: u64,
    /// Taken by the journal's segments.
    pub journal_bytes: u64,
    /// Taken by the whole data directory.
    #[serde(default)]
    pub used_bytes: u64,
    /// What the data directory may take; none: all of its file system.
    #[serde(default)]
    pub quota_bytes: Option<u64>,
    /// Kept for what is under way.
    #[serde(default)]
    pub reserve_bytes: u64,
    /// New content until nothing more is taken.
    #[serde(default)]
    pub left_bytes: u64,
    /// Nothing new is taken, since only the reserve is left.
    #[serde(default)]
    pub closed: bool,
}

/// Whether the index can be trusted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ViewState {
    /// It answers.
    #[default]
    Ready,
    /// It is being built again from the journal.
    Rebuilding,
}

/// What a clock is taken for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClockState {
    /// Nothing speaks against it.
    #[default]
    Believed,
    /// It has jumped, or is far from anything known, and no peer has confirmed it.
    Doubted,
    /// It is wrong, as most peers say; their time is used.
    Corrected,
}

/// The clock.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClockView {
    /// What it is taken for.
    pub state: ClockState,
    /// How far it is ahead of what is believed, in milliseconds.
    pub off_ms: i64,
    /// How far what is believed may be wrong either way, in milliseconds.
    pub uncertainty_ms: u64,
    /// Jumps since the start.
    pub jumps: u64,
}

/// How far the index is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ViewProgress {
    /// Whether it answers.
    pub state: ViewState,
    /// Leaves applied.
    pub applied: u64,
}

/// How all nodes are, as the coordination node sees it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NetworkView {
    /// When it was looked at.
    pub at: String,
    /// One row per active member, in the order of their codes.
    pub parties: Vec<NetworkRow>,
}

/// How one node is. What it has not told yet is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NetworkRow {
    /// Party code.
    pub party: String,
    /// Name, from the roster.
    pub name: String,
    /// Whether a link to it is up.
    pub linked: bool,
    /// Since when not; none while linked, or where it was never heard.
    pub silent_since: Option<String>,
    /// Its undelivered pairs of notice and recipient.
    pub backlog: Option<u64>,
    /// When the oldest of these was submitted.
    pub oldest_undelivered: Option<String>,
    /// Round-trip time to it in milliseconds.
    pub rtt_ms: Option<f64>,
    /// Leaves of its log.
    pub log_size: Option<u64>,
    /// Leaves of its log that a quorum of its witnesses has seen.
    #[serde(default)]
    pub witnessed_size: Option<u64>,
    /// Parties whose log is proved there to contradict itself.
    #[serde(default)]
    pub contradicted: Vec<String>,
    /// Whether its own log is proved here to contradict itself.
    #[serde(default)]
    pub contradicts_itself: bool,
    /// The roster it uses.
    pub roster_version: Option<u64>,
    /// Its software.
    pub software: Option<String>,
    /// When its last status came.
    pub last_status: Option<String>,
}
