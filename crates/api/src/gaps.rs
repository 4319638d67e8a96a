use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Numbers of a stream to this administration that have not come, below one that has:
/// `GET /v1/gaps`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GapView {
    /// Whose stream.
    pub originator: String,
    /// Of which life of its log, 16 hex digits.
    pub incarnation: String,
    /// The first missing number.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// Since when the running process knows of it.
    pub since: String,
    /// How often it was asked for since the originator was last linked.
    pub asked: u32,
    /// When it was last asked for.
    pub asked_at: Option<String>,
    /// Who was asked.
    pub asked_of: Option<String>,
    /// Whether there is a link to the originator now.
    pub linked: bool,
}
