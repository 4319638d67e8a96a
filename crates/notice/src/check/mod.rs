//! From a draft to a notice: every field is read, every flaw is named, nothing is guessed silently.

mod attach;
mod desk;
mod feedback;
mod goods;
mod header;
mod identity;
mod moves;
mod places;
mod recall;
mod seizure;

use crate::{Attachment, Draft, Flaw, FlawCode, Notice, NoticeError, NoticeType, Severity};
use abeng_wire::{Malformed, Millis, PartyCode, v1};
use desk::Desk;
use std::collections::BTreeMap;

/// The version of the notice's schema that this version writes.
pub const SCHEMA_VERSION: u32 = 1;
/// How long a body is kept where the draft names no date: three years.
pub const DEFAULT_KEEP_DAYS: u64 = 3 * 365;

/// What a check needs to know beside the draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckContext {
    /// Unix milliseconds.
    pub now: Millis,
    /// How far `now` may be off, in milliseconds.
    pub clock_uncertainty_ms: u32,
    /// Our own administration.
    pub party: PartyCode,
    /// The officer's reference, where the draft names none.
    pub officer: Option<String>,
    /// The files that the draft may name, by what it calls them.
    pub attachments: BTreeMap<String, Attachment>,
}

impl CheckContext {
    /// A context with a clock that may be off by one second and no officer.
    pub fn new(now: Millis, party: PartyCode) -> Self {
        Self {
            now,
            clock_uncertainty_ms: 1000,
            party,
            officer: None,
            attachments: BTreeMap::new(),
        }
    }
}

/// A notice that passed, with what is doubtful about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// Ready to be cleared and sealed.
    pub notice: Notice,
    /// Doubts only.
    pub doubts: Vec<Flaw>,
}

impl Notice {
    /// Checks a draft whole. The error holds every flaw, doubts too, at least one of them an error.
    pub fn check(draft: Draft, context: &CheckContext) -> Result<Checked, Vec<Flaw>> {
        let mut desk = Desk::new(context);
        let ty = header::notice_type(&draft, &mut desk);
        let mut message = header::header(&draft, ty, &mut desk);
        header::refuse_foreign(&draft, ty, &mut desk);
        message.content = Some(match ty {
            NoticeType::Seizure => {
                message.event_date = seizure::event_date(&draft, &mut desk);
                v1::notice::Content::Seizure(seizure::seizure(&draft, &mut desk))
            }
            NoticeType::Feedback => {
                message.event_date = feedback::event_date(&draft, &mut desk);
                v1::notice::Content::Feedback(feedback::feedback(&draft, &mut desk))
            }
            NoticeType::Recall => {
                let recall = recall::recall(&draft, &mut desk);
                message.supersedes = recall.notice.clone();
                v1::notice::Content::Recall(recall)
            }
        });
        header::nominal(&draft, &mut message, &mut desk);
        let flaws = desk.into_flaws();
        if flaws.iter().any(Flaw::is_error) {
            return Err(flaws);
        }
        // The recipients see what was doubted.
        message.doubts = flaws.iter().map(Flaw::to_wire).collect();
        match Notice::of(message) {
            Ok(notice) => Ok(Checked {
                notice,
                doubts: flaws,
            }),
            Err(error) => Err(vec![unfit(&error)]),
        }
    }
}

fn unfit(error: &NoticeError) -> Flaw {
    match error {
        NoticeError::Malformed(Malformed::TooLong { length, limit, .. }) => Flaw::new(
            Severity::Error,
            FlawCode::TooLong,
            "notice",
            &length.to_string(),
            limit.to_string(),
        ),
        // What a check wrote is always of its own type and header.
        other => Flaw::new(
            Severity::Error,
            FlawCode::BadFormat,
            "notice",
            &other.to_string(),
            "",
        ),
    }
}
