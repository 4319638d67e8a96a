use serde::{Deserialize, Serialize};
use std::fmt;

/// A language that people of the network read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English, also for every language that is not here.
    #[default]
    En,
    /// Spanish.
    Es,
    /// French.
    Fr,
    /// Dutch.
    Nl,
}

impl Lang {
    /// All, in the order in which data files hold them.
    pub const ALL: [Self; 4] = [Self::En, Self::Es, Self::Fr, Self::Nl];

    /// From a POSIX locale or a BCP 47 tag: `es_DO.UTF-8`, `fr-HT`, `nl`. `None` for a language
    /// that is not here.
    pub fn parse(text: &str) -> Option<Self> {
        let primary = text.split(['_', '-', '.', '@']).next()?;
        Self::ALL
            .into_iter()
            .find(|l| l.tag().eq_ignore_ascii_case(primary))
    }

    /// Like [`Lang::parse`], English where the language is not here (`C`, `POSIX`, empty).
    pub fn from_locale(text: &str) -> Self {
        Self::parse(text).unwrap_or_default()
    }

    /// BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
            Self::Fr => "fr",
            Self::Nl => "nl",
        }
    }

    pub(crate) fn column(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_are_read() {
        assert_eq!(Lang::from_locale("es_DO.UTF-8"), Lang::Es);
        assert_eq!(Lang::from_locale("FR-ht"), Lang::Fr);
        assert_eq!(Lang::from_locale("nl"), Lang::Nl);
        assert_eq!(Lang::from_locale("C.UTF-8"), Lang::En);
        assert_eq!(Lang::parse("pap"), None);
    }
}
