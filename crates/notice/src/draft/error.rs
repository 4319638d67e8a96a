use super::{Draft, DraftFault};
use crate::Lang;
use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// Why a text is not a draft.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}{}", hint(.suggestion))]
pub struct DraftError {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong there, in English.
    pub message: String,
    /// The same for a reader of any language.
    pub fault: DraftFault,
    /// The key that was probably meant.
    pub suggestion: Option<String>,
}

fn hint(suggestion: &Option<String>) -> String {
    suggestion
        .as_ref()
        .map(|s| format!("; did you mean `{s}`?"))
        .unwrap_or_default()
}

impl DraftError {
    fn toml(source: &str, error: &toml::de::Error) -> Self {
        let offset = error.span().map_or(0, |span: Range<usize>| span.start);
        let (line, column) = position(source, offset);
        Self::at(line, column, error.message())
    }

    fn json(source: &str, error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let message = text.rfind(" at line ").map_or(&*text, |i| &text[..i]);
        // serde_json counts bytes; people count characters.
        let column = source
            .lines()
            .nth(error.line().saturating_sub(1))
            .and_then(|line| line.get(..error.column()))
            .map_or(error.column(), |before| before.chars().count());
        Self::at(error.line().max(1), column.max(1), message)
    }

    fn at(line: usize, column: usize, message: &str) -> Self {
        let fault = DraftFault::read(message);
        Self {
            line,
            column,
            message: fault.text(Lang::En),
            suggestion: nearest_known(message),
            fault,
        }
    }

    /// What is wrong there, in the reader's language.
    pub fn text(&self, lang: Lang) -> String {
        self.fault.text(lang)
    }
}

impl Draft {
    /// Reads a draft from TOML. Unknown keys are refused.
    pub fn from_toml(source: &str) -> Result<Self, DraftError> {
        toml::from_str(source).map_err(|e| DraftError::toml(source, &e))
    }

    /// Reads a draft from JSON. Unknown keys are refused.
    pub fn from_json(source: &str) -> Result<Self, DraftError> {
        serde_json::from_str(source).map_err(|e| DraftError::json(source, &e))
    }

    /// Reads either: JSON where the first character is `{`, else TOML.
    pub fn from_text(source: &str) -> Result<Self, DraftError> {
        if source.trim_start().starts_with('{') {
            Self::from_json(source)
        } else {
            Self::from_toml(source)
        }
    }
}

/// Reads a file of many drafts: `[[seizure]]` tables.
pub(crate) fn drafts_from_toml(source: &str) -> Result<Vec<Draft>, DraftError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        seizure: Vec<Draft>,
    }
    toml::from_str::<File>(source)
        .map(|file| file.seizure)
        .map_err(|e| DraftError::toml(source, &e))
}

/// Where a flaw's field stands in a TOML draft, as line and column from 1; for a field that is not
/// there, where its nearest parent stands. `None` where the text is no TOML or not even the first key is there.
pub fn locate_toml(source: &str, field: &str) -> Option<(usize, usize)> {
    let table = DeTable::parse(source).ok()?;
    let mut steps = field.split(['.', '[']);
    let (key, value) = lookup(table.get_ref(), steps.next()?)?;
    let mut best = key.span().start;
    let mut here = value;
    for step in steps {
        let next = match (here.get_ref(), step.strip_suffix(']')) {
            (DeValue::Table(table), None) => {
                lookup(table, step).map(|(key, value)| (key.span(), value))
            }
            (DeValue::Array(array), Some(index)) => index
                .parse()
                .ok()
                .and_then(|i: usize| array.get(i))
                .map(|value| (value.span(), value)),
            _ => None,
        };
        let Some((span, value)) = next else { break };
        best = span.start;
        here = value;
    }
    Some(position(source, best))
}

type Entry<'a> = (&'a Spanned<DeString<'a>>, &'a Spanned<DeValue<'a>>);

fn lookup<'a>(table: &'a DeTable<'a>, key: &str) -> Option<Entry<'a>> {
    table.iter().find(|(k, _)| k.get_ref() == key)
}

fn position(source: &str, offset: usize) -> (usize, usize) {
    let before = source.get(..offset).unwrap_or(source);
    let start = before.rfind('\n').map_or(0, |i| i + 1);
    (
        before.matches('\n').count() + 1,
        before[start..].chars().count() + 1,
    )
}

/// serde lists every known key: the nearest to the one that is not known.
fn nearest_known(message: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown field `")?;
    let (found, list) = rest.split_once('`')?;
    let known = list.split('`').skip(1).step_by(2);
    crate::codes::nearest(found, known).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_errors_carry_line_column_and_suggestion() {
        let e = Draft::from_toml("date = \"2024-05-31\"\nplase = \"JMKIN\"\n").unwrap_err();
        assert_eq!((e.line, e.column), (2, 1));
        assert_eq!(e.suggestion.as_deref(), Some("place"));
        assert_eq!(
            e.to_string(),
            "line 2, column 1: unknown key `plase`; did you mean `place`?"
        );

        let e =
            Draft::from_toml("goods = [\n  { hs = \"293972\", quantitty = 3 },\n]").unwrap_err();
        assert_eq!((e.line, e.column), (2, 20));
        assert_eq!(e.suggestion.as_deref(), Some("quantity"));

        let e = Draft::from_toml("date = \"2024-05-31\nplace = 1").unwrap_err();
        assert_eq!(e.line, 1);
        let e = Draft::from_toml("é = 1\narrests = \"many\"").unwrap_err();
        assert_eq!(e.line, 1);
        let e = Draft::from_toml("arrests = \"many\"").unwrap_err();
        assert_eq!((e.line, e.column), (1, 11));
        assert_eq!(e.suggestion, None);
    }

    #[test]
    fn json_errors_too() {
        let e = Draft::from_json("{\n  \"goods\": [{\"drugg\": \"cocaine\"}]\n}").unwrap_err();
        assert_eq!(e.line, 2);
        assert_eq!(e.suggestion.as_deref(), Some("drug"));
        let e = Draft::from_json("{\"é\": ").unwrap_err();
        assert_eq!(e.line, 1);
        assert!(!e.message.contains("at line"), "{e}");
        assert!(Draft::from_text("  {\"date\": 2022}").is_ok());
        assert!(Draft::from_text("date = 2022").is_ok());
    }

    #[test]
    fn native_toml_dates_and_numbers_are_understood() {
        let draft = Draft::from_toml(
            "date = 2024-05-31\nexpires = 2024-06-30T12:00:00Z\ngoods = [{ quantity = 139.4 }, { quantity = 50 }]\n[place]\nlat = 17.9\nlon = -76.8\n",
        )
        .unwrap();
        assert_eq!(draft.date.unwrap().0, "2024-05-31");
        assert_eq!(draft.expires.unwrap().0, "2024-06-30T12:00:00Z");
        assert_eq!(draft.goods[0].quantity.as_ref().unwrap().0, "139.4");
        assert_eq!(draft.goods[1].quantity.as_ref().unwrap().0, "50");
        assert_eq!(draft.place.unwrap().lon, Some(-76.8));
    }

    #[test]
    fn a_flaw_is_found_in_the_text() {
        let source = "date = \"2024\"\n\n[[goods]]\nhs = \"1\"\n\n[[goods]]\ndrug = \"x\"\n";
        assert_eq!(locate_toml(source, "goods[1].drug"), Some((7, 1)));
        assert_eq!(locate_toml(source, "date"), Some((1, 1)));
        assert_eq!(locate_toml(source, "goods[1].hs").map(|p| p.0), Some(6));
        assert_eq!(locate_toml(source, "route.origin"), None);
    }
}
