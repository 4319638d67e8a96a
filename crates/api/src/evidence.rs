use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

/// What to hand out of a notice as an evidence file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EvidenceQuery {
    /// Also what opens its content. The audit log says which of both was handed out, and to whom.
    #[serde(default)]
    pub disclose: bool,
}
