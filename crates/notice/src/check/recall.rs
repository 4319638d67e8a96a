use super::desk::Desk;
use crate::codes::CodeList;
use crate::{Draft, FlawCode};
use abeng_wire::v1;

/// RECALL: the notice that is taken back and the reason are required; it supersedes what it
/// recalls and nothing else.
pub(super) fn recall(draft: &Draft, desk: &mut Desk<'_>) -> v1::Recall {
    if draft.recalls.is_none() {
        desk.missing("recalls", "64 × 0–9 a–f");
    }
    if draft.reason.is_none() {
        desk.missing("reason", "wrong-facts");
    }
    let out = v1::Recall {
        notice: desk.envelope_id("recalls", &draft.recalls),
        reason: desk.code("reason", CodeList::RecallReason, &draft.reason),
        text: desk.long("text", &draft.text),
    };
    let other = draft.supersedes.is_some() && draft.supersedes != draft.recalls;
    if let (true, Some(found), Some(recalls)) = (other, &draft.supersedes, &draft.recalls) {
        desk.error(FlawCode::Mismatch, "supersedes", found, recalls);
    }
    out
}
