//! Why a text is no draft, in the reader's language.

use crate::Lang;

/// What is wrong at a place of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DraftFault {
    /// A key that no draft has.
    UnknownKey(String),
    /// A value of another kind than the key's, and the kind that belongs there, as serde calls it.
    WrongKind {
        /// What was found: `string "many"`.
        found: String,
        /// What belongs there: `u32`.
        expected: String,
    },
    /// A key that must be there.
    Missing(String),
    /// A key that is there twice.
    Twice(String),
    /// No TOML or JSON, as the parser tells it in English.
    Syntax(String),
}

impl DraftFault {
    /// From what serde says.
    pub(super) fn read(message: &str) -> Self {
        let quoted = |prefix: &str| {
            let rest = message.strip_prefix(prefix)?;
            Some(crate::printable(rest.split_once('`')?.0))
        };
        if let Some(key) = quoted("unknown field `") {
            return Self::UnknownKey(key);
        }
        if let Some(key) = quoted("missing field `") {
            return Self::Missing(key);
        }
        if let Some(key) = quoted("duplicate field `").or_else(|| quoted("duplicate key `")) {
            return Self::Twice(key);
        }
        let kinds = ["invalid type: ", "invalid value: "];
        let wrong = kinds.iter().find_map(|kind| message.strip_prefix(kind));
        if let Some((found, expected)) = wrong.and_then(|rest| rest.rsplit_once(", expected ")) {
            return Self::WrongKind {
                found: crate::printable(found),
                expected: crate::printable(expected),
            };
        }
        Self::Syntax(message.to_owned())
    }

    /// In one sentence.
    pub fn text(&self, lang: Lang) -> String {
        let pick = |texts: [&'static str; 4]| texts[lang.column()];
        match self {
            Self::UnknownKey(key) => {
                let what = pick([
                    "unknown key",
                    "clave desconocida",
                    "clé inconnue",
                    "onbekende sleutel",
                ]);
                format!("{what} `{key}`")
            }
            Self::Missing(key) => {
                let what = pick([
                    "missing key",
                    "falta la clave",
                    "il manque la clé",
                    "er ontbreekt een sleutel:",
                ]);
                format!("{what} `{key}`")
            }
            Self::Twice(key) => {
                let what = pick([
                    "this key is there twice:",
                    "esta clave está dos veces:",
                    "cette clé y est deux fois :",
                    "deze sleutel staat er tweemaal:",
                ]);
                format!("{what} `{key}`")
            }
            Self::WrongKind { found, expected } => {
                let (found, expected) = (value(found, lang), kind(expected, lang));
                match lang {
                    Lang::En => format!("{found} does not belong here, but {expected}"),
                    Lang::Es => format!("aquí no va {found}, sino {expected}"),
                    Lang::Fr => format!("{found} n'a pas sa place ici, mais {expected}"),
                    Lang::Nl => format!("{found} hoort hier niet, maar {expected}"),
                }
            }
            Self::Syntax(message) => match lang {
                Lang::En => message.clone(),
                Lang::Es => format!("no se puede leer ({message})"),
                Lang::Fr => format!("illisible ({message})"),
                Lang::Nl => format!("niet te lezen ({message})"),
            },
        }
    }
}

/// A value as it stands there, else what kind it is: serde writes `string "many"`, `sequence`.
fn value(found: &str, lang: Lang) -> String {
    let written = ["string ", "integer ", "floating point ", "boolean "];
    match written.iter().find_map(|kind| found.strip_prefix(kind)) {
        Some(value) => value.to_owned(),
        None => kind(found, lang),
    }
}

/// A kind of value. One that serde names in another way is left as it is.
fn kind(name: &str, lang: Lang) -> String {
    let texts = match name {
        "u8" | "u16" | "u32" | "u64" | "i32" | "i64" | "usize" => [
            "a whole number",
            "un número entero",
            "un nombre entier",
            "een geheel getal",
        ],
        "f32" | "f64" => ["a number", "un número", "un nombre", "een getal"],
        "a string" => ["a text", "un texto", "un texte", "een tekst"],
        "a boolean" => [
            "true or false",
            "true o false",
            "true ou false",
            "true of false",
        ],
        "a sequence" | "sequence" => ["a list", "una lista", "une liste", "een lijst"],
        "a map" | "map" => ["a table", "una tabla", "un tableau", "een tabel"],
        name if name.starts_with("struct ") => ["a table", "una tabla", "un tableau", "een tabel"],
        name => return name.to_owned(),
    };
    texts[lang.column()].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Draft;

    #[test]
    fn every_fault_is_told_in_every_language() {
        for (text, said) in [
            (
                "remark = \"x\"",
                [
                    "unknown key `remark`",
                    "clave desconocida",
                    "clé inconnue",
                    "onbekende",
                ],
            ),
            (
                "arrests = \"many\"",
                [
                    "\"many\" does not",
                    "aquí no va \"many\"",
                    "un nombre entier",
                    "geheel getal",
                ],
            ),
            (
                "goods = 3",
                ["a list", "una lista", "une liste", "een lijst"],
            ),
            (
                "date = = 3",
                ["", "no se puede leer", "illisible", "niet te lezen"],
            ),
        ] {
            let fault = Draft::from_text(text).unwrap_err().fault;
            let told = Lang::ALL.map(|lang| fault.text(lang));
            for (told, said) in told.iter().zip(said) {
                assert!(told.contains(said), "{said} in {told}");
            }
            for other in &told[1..] {
                assert_ne!(*other, told[0]);
            }
        }
    }
}
