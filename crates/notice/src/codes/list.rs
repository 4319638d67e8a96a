use crate::{Lang, text};
use std::collections::BTreeMap;
use std::sync::OnceLock;

static CODES: &str = include_str!("../../data/codes.tsv");
static COUNTRIES: &str = include_str!("../../data/countries.tsv");
static CURRENCIES: &str = include_str!("../../data/currencies.tsv");

/// A list of codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CodeList {
    /// Mode of conveyance; `unknown` is one.
    Mode,
    /// Kind of place.
    LocationType,
    /// Direction of the goods.
    Direction,
    /// Kind of drug.
    Drug,
    /// Kind of arms.
    Arms,
    /// Way of hiding.
    Concealment,
    /// Way of finding.
    Detection,
    /// What became of a warning.
    Outcome,
    /// Kind of control.
    Control,
    /// How useful a warning was.
    Usefulness,
    /// Why a notice is taken back.
    RecallReason,
    /// What a person or organisation is in the matter.
    Capacity,
    /// Kind of paper.
    Document,
    /// Kind of legal basis.
    LegalBasis,
    /// Scheme of a grade.
    GradeScheme,
    /// Unit of UN/ECE Recommendation 20.
    Unit,
    /// ISO 3166-1 alpha-2.
    Country,
    /// ISO 4217.
    Currency,
}

impl CodeList {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Mode,
        Self::LocationType,
        Self::Direction,
        Self::Drug,
        Self::Arms,
        Self::Concealment,
        Self::Detection,
        Self::Outcome,
        Self::Control,
        Self::Usefulness,
        Self::RecallReason,
        Self::Capacity,
        Self::Document,
        Self::LegalBasis,
        Self::GradeScheme,
        Self::Unit,
        Self::Country,
        Self::Currency,
    ];

    /// As data files and comments of the wire format name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mode => "mode",
            Self::LocationType => "location-type",
            Self::Direction => "direction",
            Self::Drug => "drug",
            Self::Arms => "arms",
            Self::Concealment => "concealment",
            Self::Detection => "detection",
            Self::Outcome => "outcome",
            Self::Control => "control",
            Self::Usefulness => "usefulness",
            Self::RecallReason => "recall-reason",
            Self::Capacity => "capacity",
            Self::Document => "document",
            Self::LegalBasis => "legal-basis",
            Self::GradeScheme => "grade-scheme",
            Self::Unit => "unit",
            Self::Country => "country",
            Self::Currency => "currency",
        }
    }
}

/// One code with its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coded {
    /// As it travels.
    pub code: &'static str,
    names: [&'static str; 4],
    /// Units: nanograms in one, empty where it is not a unit of mass. Drugs and arms: codes of the
    /// Harmonized System that fit, separated by `|`.
    pub(crate) extra: &'static str,
    aliases: &'static str,
}

impl Coded {
    /// Its name in a language.
    pub fn name(&self, lang: Lang) -> &'static str {
        self.names[lang.column()]
    }
}

struct Lists {
    by_list: BTreeMap<&'static str, Vec<Coded>>,
    by_word: BTreeMap<(&'static str, String), &'static str>,
}

fn lists() -> &'static Lists {
    static LISTS: OnceLock<Lists> = OnceLock::new();
    LISTS.get_or_init(|| {
        let mut by_list: BTreeMap<&'static str, Vec<Coded>> = BTreeMap::new();
        for row in text::rows(CODES)
            .chain(text::rows(COUNTRIES))
            .chain(text::rows(CURRENCIES))
        {
            let [list, code, en, es, fr, nl, rest @ ..] = row.as_slice() else {
                continue;
            };
            by_list.entry(list).or_default().push(Coded {
                code,
                names: [en, es, fr, nl],
                extra: rest.first().copied().unwrap_or_default(),
                aliases: rest.get(1).copied().unwrap_or_default(),
            });
        }
        let mut by_word = BTreeMap::new();
        for (list, codes) in &by_list {
            // A code wins over every name, a name over every alias.
            for coded in codes {
                by_word.insert((*list, fold(coded.code)), coded.code);
            }
            for coded in codes {
                for name in coded.names {
                    by_word.entry((*list, fold(name))).or_insert(coded.code);
                }
            }
            for coded in codes {
                for alias in coded.aliases.split('|').filter(|a| !a.is_empty()) {
                    by_word.entry((*list, fold(alias))).or_insert(coded.code);
                }
            }
        }
        Lists { by_list, by_word }
    })
}

/// All codes of a list, in the order in which people are to be offered them.
pub fn codes(list: CodeList) -> &'static [Coded] {
    lists()
        .by_list
        .get(list.name())
        .map_or(&[], |codes| codes.as_slice())
}

/// A code by itself, exactly as it travels.
pub fn coded(list: CodeList, code: &str) -> Option<&'static Coded> {
    codes(list).iter().find(|c| c.code == code)
}

/// A code as people write it: the code in any case, a name in one of the four languages, or an
/// everyday word, with or without accents. The error is the nearest code, if one is near.
pub fn find(list: CodeList, text: &str) -> Result<&'static Coded, Option<&'static str>> {
    let lists = lists();
    if let Some(code) = lists.by_word.get(&(list.name(), fold(text))) {
        return coded(list, code).ok_or(None);
    }
    let words = lists.by_word.iter().filter(|((l, _), _)| *l == list.name());
    let near = super::nearest(text, words.clone().map(|((_, word), _)| word.as_str()));
    Err(near.and_then(|near| {
        words
            .filter(|((_, word), _)| word == near)
            .map(|(_, code)| *code)
            .next()
    }))
}

/// Lower case, accents off, spaces and underscores as hyphens: how words are compared.
pub(crate) fn fold(text: &str) -> String {
    text.trim()
        .chars()
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' => 'a',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'í' | 'ì' | 'î' | 'ï' => 'i',
            'ó' | 'ò' | 'ô' | 'ö' | 'õ' => 'o',
            'ú' | 'ù' | 'û' | 'ü' => 'u',
            'ç' => 'c',
            'ñ' => 'n',
            '’' => '\'',
            ' ' | '_' => '-',
            c => c,
        })
        .collect()
}

/// Letters and digits alone, lower case, accents off: how names are compared that people could take
/// for one another. Empty for a name without either.
pub fn plainly(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_there_complete_and_without_repeats() {
        for list in CodeList::ALL {
            let codes = codes(list);
            assert!(codes.len() >= 3, "{list:?}");
            let mut seen = std::collections::BTreeSet::new();
            for coded in codes {
                assert!(seen.insert(coded.code), "{list:?} {}", coded.code);
                for lang in Lang::ALL {
                    assert!(!coded.name(lang).trim().is_empty(), "{list:?} {coded:?}");
                }
            }
        }
        let rows = text::rows(CODES).count()
            + text::rows(COUNTRIES).count()
            + text::rows(CURRENCIES).count();
        assert_eq!(
            rows,
            CodeList::ALL.iter().map(|l| codes(*l).len()).sum::<usize>()
        );
    }

    #[test]
    fn every_name_finds_its_code() {
        for list in CodeList::ALL {
            for coded in codes(list) {
                assert_eq!(find(list, coded.code).map(|c| c.code), Ok(coded.code));
                for lang in Lang::ALL {
                    assert_eq!(
                        find(list, coded.name(lang)).map(|c| c.code),
                        Ok(coded.code),
                        "{list:?} {lang} {}",
                        coded.name(lang)
                    );
                }
            }
        }
    }

    #[test]
    fn words_of_four_languages_and_typing_errors() {
        assert_eq!(find(CodeList::Drug, "cocaïne").unwrap().code, "cocaine");
        assert_eq!(find(CodeList::Drug, "COCAINA").unwrap().code, "cocaine");
        assert_eq!(find(CodeList::Drug, "cocane"), Err(Some("cocaine")));
        assert_eq!(find(CodeList::Drug, "zzz"), Err(None));
        assert_eq!(find(CodeList::Unit, "kg").unwrap().code, "KGM");
        assert_eq!(find(CodeList::Mode, "mer").unwrap().code, "sea");
    }
}
