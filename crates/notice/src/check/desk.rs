use super::CheckContext;
use crate::codes::{self, CodeList};
use crate::date::DateFault;
use crate::draft::length_ms;
use crate::ids::{IdFault, Identifier};
use crate::show::is_unprintable;
use crate::{DateText, Flaw, FlawCode, NoticeDate, Severity};
use abeng_wire::{EnvelopeId, limits};
use bytes::Bytes;

/// Characters of a name, a number, a reference.
pub(super) const SHORT: usize = 200;
/// Characters of a description or remark.
pub(super) const LONG: usize = 8000;
/// Entries of any list.
pub(super) const ENTRIES: usize = 200;
/// How far east of UTC a member's local day may begin before the same day in UTC: two hours
/// (summer in Madrid, Paris and Amsterdam), in milliseconds.
const EASTMOST_MS: i64 = 2 * 3_600_000;
/// Events longer ago than this are doubted: twenty years, in milliseconds.
const LONG_AGO_MS: i64 = 20 * 365 * 86_400_000;

/// Where a draft is read: knows the context, collects the flaws.
pub(super) struct Desk<'a> {
    pub(super) context: &'a CheckContext,
    flaws: Vec<Flaw>,
}

impl<'a> Desk<'a> {
    pub(super) fn new(context: &'a CheckContext) -> Self {
        Self {
            context,
            flaws: Vec::new(),
        }
    }

    /// Errors first, then in the order in which they were found.
    pub(super) fn into_flaws(mut self) -> Vec<Flaw> {
        self.flaws.sort_by_key(|flaw| flaw.severity);
        self.flaws
    }

    pub(super) fn error(&mut self, code: FlawCode, field: &str, found: &str, expected: &str) {
        self.flaws
            .push(Flaw::new(Severity::Error, code, field, found, expected));
    }

    pub(super) fn doubt(&mut self, code: FlawCode, field: &str, found: &str, expected: &str) {
        self.flaws
            .push(Flaw::new(Severity::Doubt, code, field, found, expected));
    }

    pub(super) fn push(&mut self, flaw: Flaw) {
        self.flaws.push(flaw);
    }

    pub(super) fn missing(&mut self, field: &str, example: &str) {
        self.error(FlawCode::Missing, field, "", example);
    }

    /// Free text: trimmed; too long or unprintable is an error. Newlines are allowed in long texts.
    pub(super) fn text(&mut self, field: &str, text: &str, most: usize) -> String {
        let text = text.trim();
        let length = text.chars().count();
        if length > most {
            self.error(
                FlawCode::TooLong,
                field,
                &length.to_string(),
                &most.to_string(),
            );
            return String::new();
        }
        let bad: Vec<String> = text
            .chars()
            .filter(|&c| is_unprintable(c) && !(most == LONG && matches!(c, '\n' | '\t')))
            .take(3)
            .map(|c| format!("U+{:04X}", u32::from(c)))
            .collect();
        if !bad.is_empty() {
            self.error(FlawCode::Unprintable, field, &bad.join(" "), "");
            return String::new();
        }
        text.to_owned()
    }

    /// [`Desk::text`] of a short field that may be absent.
    pub(super) fn short(&mut self, field: &str, text: &Option<String>) -> String {
        self.text(field, text.as_deref().unwrap_or_default(), SHORT)
    }

    /// [`Desk::text`] of a long field that may be absent.
    pub(super) fn long(&mut self, field: &str, text: &Option<String>) -> String {
        self.text(field, text.as_deref().unwrap_or_default(), LONG)
    }

    /// A list of short texts; empty and repeated entries are named.
    pub(super) fn shorts(&mut self, field: &str, texts: &[String]) -> Vec<String> {
        let mut out = Vec::new();
        for (i, text) in self.entries(field, texts).iter().enumerate() {
            let text = self.text(&format!("{field}[{i}]"), text, SHORT);
            if out.contains(&text) {
                self.doubt(FlawCode::Repeated, &format!("{field}[{i}]"), &text, &text);
            } else if !text.is_empty() {
                out.push(text);
            }
        }
        out
    }

    /// A list, cut where it has more entries than allowed (which is an error).
    pub(super) fn entries<'t, T>(&mut self, field: &str, list: &'t [T]) -> &'t [T] {
        if list.len() > ENTRIES {
            self.error(
                FlawCode::TooMany,
                field,
                &list.len().to_string(),
                &ENTRIES.to_string(),
            );
        }
        &list[..list.len().min(ENTRIES)]
    }

    /// A coded value; empty where absent or unknown.
    pub(super) fn code(&mut self, field: &str, list: CodeList, text: &Option<String>) -> String {
        let Some(text) = text.as_deref().filter(|t| !t.trim().is_empty()) else {
            return String::new();
        };
        match codes::find(list, text) {
            Ok(coded) => coded.code.to_owned(),
            Err(near) => {
                let expected = near.map_or_else(|| some_of(list), str::to_owned);
                self.error(FlawCode::UnknownCode, field, text, &expected);
                String::new()
            }
        }
    }

    /// An identifier; empty where absent, with its doubt where it has one.
    pub(super) fn identifier(
        &mut self,
        field: &str,
        text: &Option<String>,
        read: fn(&str) -> Identifier,
    ) -> String {
        let text = self.short(field, text);
        if text.is_empty() {
            return text;
        }
        let id = read(&text);
        if let Some(fault) = id.fault {
            self.id_fault(field, &id.text, &fault);
        }
        id.text
    }

    pub(super) fn id_fault(&mut self, field: &str, found: &str, fault: &IdFault) {
        let (code, expected) = match fault {
            IdFault::Form(example) => (FlawCode::BadFormat, *example),
            IdFault::CheckDigit(right) => (FlawCode::CheckDigit, right.as_str()),
            IdFault::Range(range) => (FlawCode::OutOfRange, *range),
        };
        self.doubt(code, field, found, expected);
    }

    /// A date of any granularity; `None` where it is absent or none.
    pub(super) fn date(&mut self, field: &str, text: &Option<DateText>) -> Option<NoticeDate> {
        let text = &text.as_ref()?.0;
        match NoticeDate::parse(text) {
            Ok(date) => Some(date),
            Err(DateFault::NoOffset) => {
                self.error(
                    FlawCode::BadFormat,
                    field,
                    text,
                    "2024-05-31T14:30Z, 2024-05-31T10:30-04:00",
                );
                None
            }
            Err(DateFault::Unreadable) => {
                self.error(
                    FlawCode::BadFormat,
                    field,
                    text,
                    "2024-05-31, 2024-05, 2024, 2024-05-31T14:30Z",
                );
                None
            }
        }
    }

    /// Refuses a date that begins in the future, beyond what clocks may be off.
    pub(super) fn not_future(&mut self, field: &str, date: &NoticeDate) {
        let ahead = limits::CLOCK_AHEAD_MS + u64::from(self.context.clock_uncertainty_ms);
        let latest = self.now().saturating_add_unsigned(ahead);
        let start = match date.granularity() {
            crate::Granularity::Moment => date.start_ms(),
            _ => date.start_ms() - EASTMOST_MS,
        };
        if start > latest {
            let now = NoticeDate::moment(self.context.now);
            self.error(FlawCode::InFuture, field, &date.canonical(), &now);
        }
    }

    /// Doubts a date of long ago.
    pub(super) fn not_long_ago(&mut self, field: &str, date: &NoticeDate) {
        let earliest = self.now().saturating_sub(LONG_AGO_MS);
        if i64::try_from(date.end_ms()).unwrap_or(i64::MAX) < earliest {
            let day = NoticeDate::day_of(u64::try_from(earliest).unwrap_or(0));
            self.doubt(FlawCode::LongAgo, field, &date.canonical(), &day);
        }
    }

    /// A date that must lie ahead, or a length from now such as `90d`: its last millisecond; 0
    /// where absent or refused.
    pub(super) fn ahead(&mut self, field: &str, text: &Option<DateText>) -> u64 {
        let length = text.as_ref().and_then(|text| length_ms(&text.0));
        if let Some(ms) = length.filter(|ms| *ms > 0) {
            return self.context.now.saturating_add(ms);
        }
        let Some(date) = self.date(field, text) else {
            return 0;
        };
        if date.end_ms() <= self.context.now {
            let now = NoticeDate::moment(self.context.now);
            self.error(FlawCode::InPast, field, &date.canonical(), &now);
            return 0;
        }
        date.end_ms()
    }

    /// An envelope id; empty where absent or refused.
    pub(super) fn envelope_id(&mut self, field: &str, text: &Option<String>) -> Bytes {
        let Some(text) = text.as_deref().map(str::trim).filter(|t| !t.is_empty()) else {
            return Bytes::new();
        };
        match EnvelopeId::from_hex(text) {
            Some(id) => id.to_bytes(),
            None => {
                self.error(FlawCode::BadFormat, field, text, "64 × 0–9 a–f");
                Bytes::new()
            }
        }
    }

    fn now(&self) -> i64 {
        i64::try_from(self.context.now).unwrap_or(i64::MAX)
    }
}

/// The list where it is short, else its beginning.
fn some_of(list: CodeList) -> String {
    const SHOWN: usize = 12;
    let codes = codes::codes(list);
    let mut out: Vec<&str> = codes.iter().take(SHOWN).map(|c| c.code).collect();
    if codes.len() > SHOWN {
        out.push("…");
    }
    out.join(", ")
}

/// Whether the officer says that a thing is not known, in one of the four languages.
pub(super) fn says_unknown(text: &str) -> bool {
    let text = codes::fold(text);
    matches!(
        text.as_str(),
        "unknown" | "desconocido" | "desconocida" | "inconnu" | "inconnue" | "onbekend" | "?"
    )
}
