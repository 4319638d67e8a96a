use crate::Lang;
use std::sync::OnceLock;

static HS: &str = include_str!("../../data/hs2022.tsv");
static HS_NAMES: &str = include_str!("../../data/hs-names.tsv");

/// Why a text is no code of the Harmonized System with six digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HsFault {
    /// Not six digits.
    Form,
    /// Six digits, but not in HS 2022. Holds the first code of the same heading or chapter, if any.
    Unknown(Option<&'static str>),
}

type Rows = Vec<(&'static str, &'static str)>;

fn hs() -> &'static Rows {
    static ROWS: OnceLock<Rows> = OnceLock::new();
    ROWS.get_or_init(|| {
        HS.lines()
            .filter_map(|line| line.split_once('\t'))
            .collect()
    })
}

fn names() -> &'static Vec<Vec<&'static str>> {
    static ROWS: OnceLock<Vec<Vec<&'static str>>> = OnceLock::new();
    ROWS.get_or_init(|| crate::text::rows(HS_NAMES).collect())
}

/// Checks a code: points and spaces are ignored, the rest must be six digits of HS 2022.
pub(crate) fn check_hs(text: &str) -> Result<&'static str, HsFault> {
    let digits: String = text.chars().filter(|c| !matches!(c, '.' | ' ')).collect();
    if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(HsFault::Form);
    }
    let rows = hs();
    match rows.binary_search_by(|(code, _)| (*code).cmp(digits.as_str())) {
        Ok(at) => Ok(rows[at].0),
        Err(_) => {
            let near = [4, 2].iter().find_map(|&n| {
                rows.iter()
                    .map(|(code, _)| *code)
                    .find(|code| code.get(..n) == digits.get(..n))
            });
            Err(HsFault::Unknown(near))
        }
    }
}

/// What a six-digit code means. English for every code; in the other languages the name of the
/// code or of its chapter where the lists hold one, else English.
pub fn hs_name(code: &str, lang: Lang) -> Option<&'static str> {
    let rows = hs();
    let at = rows.binary_search_by(|(c, _)| (*c).cmp(code)).ok()?;
    let named = names()
        .iter()
        .find(|row| row.first() == Some(&code))
        .or_else(|| {
            (lang != Lang::En)
                .then(|| {
                    names()
                        .iter()
                        .find(|row| row.first().copied() == code.get(..2))
                })
                .flatten()
        });
    named
        .and_then(|row| row.get(1 + lang.column()).copied())
        .or(Some(rows[at].1))
}

/// Codes whose English description holds every word of `words` (any case), at most `limit`.
pub fn hs_search(words: &str, limit: usize) -> Vec<(&'static str, &'static str)> {
    let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    hs().iter()
        .filter(|(_, name)| {
            let name = name.to_lowercase();
            words.iter().all(|word| name.contains(word.as_str()))
        })
        .take(limit)
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_found() {
        assert!(hs().is_sorted_by(|a, b| a.0 < b.0));
        assert!(hs().len() > 5500);
        assert_eq!(check_hs("2939.72"), Ok("293972"));
        assert_eq!(check_hs("293999"), Err(HsFault::Unknown(Some("293911"))));
        assert_eq!(check_hs("779999"), Err(HsFault::Unknown(None)));
        for bad in ["", "2939", "29397200", "29397x", "-93972"] {
            assert_eq!(check_hs(bad), Err(HsFault::Form), "{bad}");
        }
        assert!(
            hs_name("293972", Lang::En)
                .unwrap()
                .to_lowercase()
                .contains("cocaine")
        );
        assert!(
            hs_search("cocaine", 5)
                .iter()
                .any(|(code, _)| *code == "293972")
        );
    }
}
