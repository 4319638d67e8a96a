use super::desk::Desk;
use crate::codes::CodeList;
use crate::{Draft, FlawCode};
use abeng_wire::v1;

/// When it was controlled; may be absent.
pub(super) fn event_date(draft: &Draft, desk: &mut Desk<'_>) -> String {
    let Some(date) = desk.date("date", &draft.date) else {
        return String::new();
    };
    desk.not_future("date", &date);
    desk.not_long_ago("date", &date);
    date.canonical()
}

/// FEEDBACK: the notice it answers and the outcome are required; a positive outcome should name
/// its seizure.
pub(super) fn feedback(draft: &Draft, desk: &mut Desk<'_>) -> v1::Feedback {
    if draft.in_reply_to.is_none() {
        desk.missing("in_reply_to", "64 × 0–9 a–f");
    }
    if draft.outcome.is_none() {
        desk.missing("outcome", "negative");
    }
    let out = v1::Feedback {
        outcome: desk.code("outcome", CodeList::Outcome, &draft.outcome),
        control: desk.code("control", CodeList::Control, &draft.control),
        usefulness: desk.code("usefulness", CodeList::Usefulness, &draft.usefulness),
        seizure: desk.envelope_id("seizure", &draft.seizure),
    };
    let controlled = matches!(out.outcome.as_str(), "negative" | "positive");
    if controlled && out.control == "none" {
        desk.error(
            FlawCode::Mismatch,
            "control",
            "none",
            "physical, scan, documents",
        );
    }
    if matches!(out.outcome.as_str(), "not-arrived" | "arrived-unchecked")
        && !matches!(out.control.as_str(), "" | "none")
    {
        desk.doubt(FlawCode::Mismatch, "control", &out.control, "none");
    }
    if draft.seizure.is_some() && !matches!(out.outcome.as_str(), "positive" | "") {
        desk.doubt(FlawCode::Mismatch, "outcome", &out.outcome, "positive");
    }
    out
}
