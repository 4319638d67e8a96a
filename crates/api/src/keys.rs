//! Seal keys: `POST /v1/keys/rotate`, `POST /v1/keys/destroy`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What became of a seal key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SealKeyReply {
    /// Its identifier, hex.
    pub kid: String,
    /// Whether others seal to it from now on.
    pub published: bool,
    /// What it waits for before it is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<String>,
}

/// Destroys an old seal key: `POST /v1/keys/destroy`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DestroyKeyRequest {
    /// Its identifier, or the first 8 or more of its hex digits.
    pub kid: String,
    /// Also where something that is kept here, or may still come, cannot be opened then.
    #[serde(default)]
    pub anyway: bool,
}
