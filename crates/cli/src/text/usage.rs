//! What is wrong with a command line, in the reader's language. English is as clap says it; so is what a
//! value's own reader says.

use super::fill;
use abeng_notice::{Lang, printable};
use clap::{
    Error,
    error::{ContextKind, ContextValue, ErrorKind},
};

/// The texts of one language.
struct Words {
    error: &'static str,
    usage: &'static str,
    /// `{given}`.
    unknown_argument: &'static str,
    /// `{given}`.
    unknown_command: &'static str,
    /// `{near}`.
    near: &'static str,
    /// `{missing}`.
    missing: &'static str,
    /// `{argument}`.
    no_value: &'static str,
    /// `{given}`, `{argument}`.
    bad_value: &'static str,
    /// `{values}`.
    values: &'static str,
    /// `{argument}`, `{other}`.
    conflict: &'static str,
    /// `{argument}`.
    twice: &'static str,
    more: &'static str,
}

/// The whole text; `None` in English, and for what is not known here.
pub(crate) fn told(error: &Error, lang: Lang) -> Option<String> {
    let t = match lang {
        Lang::En => return None,
        Lang::Es => &ES,
        Lang::Fr => &FR,
        Lang::Nl => &NL,
    };
    let of = |kind| list(error, kind);
    let (what, tip) = match error.kind() {
        ErrorKind::UnknownArgument => (
            fill(
                t.unknown_argument,
                &[("given", &of(ContextKind::InvalidArg)?)],
            ),
            near(t, of(ContextKind::SuggestedArg)),
        ),
        ErrorKind::InvalidSubcommand => (
            fill(
                t.unknown_command,
                &[("given", &of(ContextKind::InvalidSubcommand)?)],
            ),
            near(t, of(ContextKind::SuggestedSubcommand)),
        ),
        ErrorKind::MissingRequiredArgument => {
            let missing = of(ContextKind::InvalidArg)?;
            (fill(t.missing, &[("missing", &missing)]), None)
        }
        ErrorKind::InvalidValue => {
            let argument = ("argument", &*of(ContextKind::InvalidArg)?);
            let given = of(ContextKind::InvalidValue).filter(|given| !given.is_empty());
            let what = match &given {
                Some(given) => fill(t.bad_value, &[("given", given), argument]),
                None => fill(t.no_value, &[argument]),
            };
            let values = of(ContextKind::ValidValue).filter(|values| !values.is_empty());
            let values = values.map(|values| fill(t.values, &[("values", &values)]));
            (what, values.or(near(t, of(ContextKind::SuggestedValue))))
        }
        ErrorKind::ArgumentConflict => {
            let (argument, other) = (of(ContextKind::InvalidArg)?, of(ContextKind::PriorArg)?);
            let what = match argument == other {
                true => fill(t.twice, &[("argument", &argument)]),
                false => fill(t.conflict, &[("argument", &argument), ("other", &other)]),
            };
            (what, None)
        }
        _ => return None,
    };
    let mut text = format!("{} {what}\n", t.error);
    if let Some(tip) = tip {
        text.push_str(&format!("  {tip}\n"));
    }
    if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
        let usage = usage.to_string();
        let usage = usage.strip_prefix("Usage:").unwrap_or(&usage).trim_end();
        text.push_str(&format!("\n{}{usage}\n", t.usage));
    }
    text.push_str(&format!("\n{}\n", t.more));
    Some(text)
}

fn near(t: &Words, near: Option<String>) -> Option<String> {
    Some(fill(t.near, &[("near", &near?)]))
}

/// What clap knows of one thing, harmless on a terminal.
fn list(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(one) => Some(printable(one)),
        ContextValue::Strings(many) => {
            let many: Vec<String> = many.iter().map(|one| printable(one)).collect();
            Some(many.join(", "))
        }
        _ => None,
    }
}

static ES: Words = Words {
    error: "error:",
    usage: "Uso:",
    unknown_argument: "no se conoce el argumento `{given}`",
    unknown_command: "no se conoce la orden `{given}`",
    near: "¿quería decir `{near}`?",
    missing: "falta lo que es obligatorio: {missing}",
    no_value: "falta el valor de `{argument}`",
    bad_value: "`{given}` no es un valor de `{argument}`",
    values: "valores posibles: {values}",
    conflict: "`{argument}` no se puede usar junto con `{other}`",
    twice: "`{argument}` no se puede dar dos veces",
    more: "Más información (en inglés) con `--help`.",
};

static FR: Words = Words {
    error: "erreur :",
    usage: "Usage :",
    unknown_argument: "l'argument `{given}` est inconnu",
    unknown_command: "la commande `{given}` est inconnue",
    near: "vouliez-vous dire `{near}` ?",
    missing: "il manque ce qui est obligatoire : {missing}",
    no_value: "il manque la valeur de `{argument}`",
    bad_value: "`{given}` n'est pas une valeur de `{argument}`",
    values: "valeurs possibles : {values}",
    conflict: "`{argument}` ne va pas avec `{other}`",
    twice: "`{argument}` ne peut pas être donné deux fois",
    more: "Plus d'informations (en anglais) avec `--help`.",
};

static NL: Words = Words {
    error: "fout:",
    usage: "Gebruik:",
    unknown_argument: "het argument `{given}` is onbekend",
    unknown_command: "de opdracht `{given}` is onbekend",
    near: "bedoelde u `{near}`?",
    missing: "wat verplicht is ontbreekt: {missing}",
    no_value: "de waarde van `{argument}` ontbreekt",
    bad_value: "`{given}` is geen waarde van `{argument}`",
    values: "mogelijke waarden: {values}",
    conflict: "`{argument}` gaat niet samen met `{other}`",
    twice: "`{argument}` kan niet twee keer worden gegeven",
    more: "Meer informatie (in het Engels) met `--help`.",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::Parser;

    fn of(line: &str, lang: Lang) -> Option<String> {
        let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
        told(&error, lang)
    }

    #[test]
    fn the_usual_mistakes_are_told_in_each_language_with_what_was_meant() {
        for (line, says) in [
            ("abeng status --jsn", &["`--jsn`", "`--json`"][..]),
            ("abeng statsu", &["`statsu`", "status"]),
            ("abeng track", &["<ID>"]),
            (
                "abeng --color blue status",
                &["`blue`", "--color", "always, never"],
            ),
            ("abeng status --socket", &["--socket"]),
            ("abeng status --json --json", &["--json"]),
        ] {
            assert_eq!(of(line, Lang::En), None);
            let mut all = std::collections::BTreeSet::new();
            for lang in [Lang::Es, Lang::Fr, Lang::Nl] {
                let text = of(line, lang).unwrap_or_else(|| panic!("{line} {lang}"));
                for part in says {
                    assert!(text.contains(part), "{part}: {text}");
                }
                for english in ["Usage: ", "error: unexpected", "required", "{", "tip:"] {
                    assert!(!text.contains(english), "{english}: {text}");
                }
                assert!(text.contains("`--help`"), "{text}");
                assert!(all.insert(text));
            }
        }
        // What a value's own reader says, and help, stay as they are.
        assert_eq!(of("abeng --lang xx status", Lang::Fr), None);
        assert_eq!(of("abeng --help", Lang::Fr), None);
    }
}
