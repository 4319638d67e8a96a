use crate::{Lang, text};
use abeng_wire::v1;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a flaw means for the notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The notice is not sent.
    Error,
    /// The notice is sent; the officer is told. A false container number can itself be the intelligence.
    Doubt,
}

/// What is wrong. The comments say what `found` and `expected` of the [`Flaw`] hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlawCode {
    /// A required field is not there. Expected: an example.
    Missing,
    /// A code that is not in its list. Expected: the nearest code, or some of the list.
    UnknownCode,
    /// Not written as this field is written. Expected: an example or a pattern.
    BadFormat,
    /// The check digit does not fit. Expected: the identifier with the right digit.
    CheckDigit,
    /// Outside the numbers that exist. Expected: the range.
    OutOfRange,
    /// Lies in the future. Expected: the latest that is accepted.
    InFuture,
    /// Lies in the past. Expected: the earliest that is accepted.
    InPast,
    /// So long ago that a typing error is likely. Expected: the earliest that is not doubted.
    LongAgo,
    /// Two dates in the wrong order. Expected: the date that this one may not cross.
    WrongOrder,
    /// Longer than allowed. Found: its length in characters; expected: the limit.
    TooLong,
    /// More entries than allowed. Found: their number; expected: the limit.
    TooMany,
    /// Written for another administration. Expected: this one.
    NotYours,
    /// A field of another type of notice. Expected: that type.
    NotForType,
    /// Does not fit another field. Expected: what would fit.
    Mismatch,
    /// The officer says that it is not known. Expected: an example.
    SaidUnknown,
    /// Well formed, but not in the lists that Abeng carries, which do not hold all. Expected: the list's name.
    NotListed,
    /// Control characters or characters that reorder text. Found: their code points; expected: empty.
    Unprintable,
    /// The same entry twice.
    Repeated,
    /// The label is too open for names of persons. Expected: the most open label that fits.
    TooOpen,
    /// Words without a code that machines can count. Expected: the field that would hold the code.
    OnlyWords,
    /// A file that the node does not have. Expected: how it is given to it.
    NotUploaded,
}

impl FlawCode {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::Missing,
        Self::UnknownCode,
        Self::BadFormat,
        Self::CheckDigit,
        Self::OutOfRange,
        Self::InFuture,
        Self::InPast,
        Self::LongAgo,
        Self::WrongOrder,
        Self::TooLong,
        Self::TooMany,
        Self::NotYours,
        Self::NotForType,
        Self::Mismatch,
        Self::SaidUnknown,
        Self::NotListed,
        Self::Unprintable,
        Self::Repeated,
        Self::TooOpen,
        Self::OnlyWords,
        Self::NotUploaded,
    ];

    /// In kebab-case, as JSON holds it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::UnknownCode => "unknown-code",
            Self::BadFormat => "bad-format",
            Self::CheckDigit => "check-digit",
            Self::OutOfRange => "out-of-range",
            Self::InFuture => "in-future",
            Self::InPast => "in-past",
            Self::LongAgo => "long-ago",
            Self::WrongOrder => "wrong-order",
            Self::TooLong => "too-long",
            Self::TooMany => "too-many",
            Self::NotYours => "not-yours",
            Self::NotForType => "not-for-type",
            Self::Mismatch => "mismatch",
            Self::SaidUnknown => "said-unknown",
            Self::NotListed => "not-listed",
            Self::Unprintable => "unprintable",
            Self::Repeated => "repeated",
            Self::TooOpen => "too-open",
            Self::OnlyWords => "only-words",
            Self::NotUploaded => "not-uploaded",
        }
    }
}

/// One thing that a check found in a draft.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Flaw {
    /// Whether it stops the notice.
    pub severity: Severity,
    /// The draft's key, with its path: `goods[0].hs`.
    pub field: String,
    /// What is wrong.
    pub code: FlawCode,
    /// What stands there, shortened to [`Flaw::SHOWN`] characters; empty where nothing does.
    pub found: String,
    /// What would be right, free of any language; empty where nothing is to be said.
    pub expected: String,
}

impl Flaw {
    /// Characters of `found` that are kept.
    pub const SHOWN: usize = 80;

    pub(crate) fn new(
        severity: Severity,
        code: FlawCode,
        field: impl Into<String>,
        found: &str,
        expected: impl Into<String>,
    ) -> Self {
        Self {
            severity,
            field: field.into(),
            code,
            found: crate::printable(found).chars().take(Self::SHOWN).collect(),
            expected: expected.into(),
        }
    }

    pub(crate) fn to_wire(&self) -> v1::Doubt {
        v1::Doubt {
            field: self.field.clone(),
            code: self.code.name().to_owned(),
            found: self.found.clone(),
            expected: self.expected.clone(),
        }
    }

    /// A doubt as a notice carries it; `None` for a rule that this version does not know.
    pub(crate) fn from_wire(doubt: &v1::Doubt) -> Option<Self> {
        let code = serde_json::from_value(doubt.code.clone().into()).ok()?;
        let (field, expected) = (
            crate::printable(&doubt.field),
            crate::printable(&doubt.expected),
        );
        Some(Self::new(
            Severity::Doubt,
            code,
            field,
            &doubt.found,
            expected,
        ))
    }

    /// Whether it stops the notice.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The flaw as a sentence in the officer's language, naming the field, what was found and
    /// what would be right.
    pub fn text(&self, lang: Lang) -> String {
        let key = match (self.code, self.expected.is_empty()) {
            (FlawCode::UnknownCode, true) => "flaw.unknown-code.bare".to_owned(),
            (code, _) => format!("flaw.{}", code.name()),
        };
        let label = text::field_label(&self.field, lang);
        let template = text::text(&key, lang).unwrap_or("{found} → {expected}");
        let sentence = text::fill(
            template,
            &[("found", &self.found), ("expected", &self.expected)],
        );
        format!("{label} ({}): {sentence}", self.field)
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Lang::En))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flaw_has_its_sentence_in_four_languages() {
        for code in FlawCode::ALL {
            let json = serde_json::to_string(&code).unwrap();
            assert_eq!(json, format!("\"{}\"", code.name()));
            let texts: Vec<String> = Lang::ALL
                .iter()
                .map(|&lang| {
                    text::text(&format!("flaw.{}", code.name()), lang)
                        .unwrap_or_else(|| panic!("{code:?} in {lang}"))
                        .to_owned()
                })
                .collect();
            for (i, one) in texts.iter().enumerate() {
                assert!(!texts[i + 1..].contains(one), "{one} twice");
            }
        }
    }

    #[test]
    fn a_sentence_names_field_found_and_expected() {
        let flaw = Flaw::new(
            Severity::Doubt,
            FlawCode::CheckDigit,
            "containers[1].number",
            "CSQU3054384",
            "CSQU3054383",
        );
        for lang in Lang::ALL {
            let text = flaw.text(lang);
            for part in ["containers[1].number", "CSQU3054384", "CSQU3054383"] {
                assert!(text.contains(part), "{text}");
            }
            assert!(!text.contains('{'), "{text}");
        }
    }
}
