//! What failed at the node, in the reader's language. English is as the node told it.

#[path = "causes/es.rs"]
mod es;
#[path = "causes/fr.rs"]
mod fr;
#[path = "causes/nl.rs"]
mod nl;

use super::fill;
use crate::ui::Ui;
use abeng_api::{Cause, CauseView};
use abeng_notice::Lang;

/// What failed, and what to try; empty where there is nothing to try.
type Words = (&'static str, &'static str);

/// The texts of a cause; `None` in English, where the node's own words stand.
fn words(lang: Lang, cause: Cause) -> Option<Words> {
    match lang {
        Lang::En => None,
        Lang::Es => Some(es::words(cause)),
        Lang::Fr => Some(fr::words(cause)),
        Lang::Nl => Some(nl::words(cause)),
    }
}

/// What failed and what to try in the reader's language; `None` where it is not known, or the node's
/// English is the reader's.
pub(crate) fn told(cause: &CauseView, ui: &Ui) -> Option<(String, Option<String>)> {
    let (message, hint) = words(ui.error_lang(), cause.known()?)?;
    let values = values(cause, ui);
    let values: Vec<(&str, &str)> = values.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let hint = (!hint.is_empty()).then(|| fill(hint, &values));
    let message = fill(message, &values);
    Some(match &cause.first {
        None => (message, hint),
        Some(first) => {
            let (first, _) = words(ui.error_lang(), Cause::parse(first)?)?;
            (format!("{}: {message}", fill(first, &values)), hint)
        }
    })
}

/// The values of a cause as they are shown.
pub(super) fn values<'a>(cause: &'a CauseView, ui: &Ui) -> Vec<(&'a str, String)> {
    let values = cause.values.iter();
    let shown = values.map(|(name, value)| (name.as_str(), shown(name, value, ui)));
    shown.collect()
}

fn shown(name: &str, value: &str, ui: &Ui) -> String {
    match (name, value.parse()) {
        (name, Ok(count)) if name.ends_with("_bytes") => ui.bytes(count),
        ("until" | "since" | "at" | "last", _) => ui.full_time(value),
        _ => value.to_owned(),
    }
}

/// The places of a text.
#[cfg(test)]
pub(super) fn places(text: &str) -> std::collections::BTreeSet<&str> {
    let parts = text.split('{').skip(1);
    parts
        .filter_map(|p| p.split_once('}'))
        .map(|p| p.0)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::plain;
    use std::collections::BTreeSet;

    #[test]
    fn every_cause_that_the_interface_knows_is_told_in_every_language() {
        for &cause in Cause::ALL {
            let known: BTreeSet<&str> = cause.places().iter().copied().collect();
            let mut said = BTreeSet::new();
            for lang in Lang::ALL {
                let Some((message, hint)) = words(lang, cause) else {
                    assert_eq!(lang, Lang::En, "{cause:?} has no text in {lang}");
                    continue;
                };
                assert!(!message.is_empty(), "{cause:?} {lang}");
                let unknown: Vec<_> = places(&format!("{message}{hint}"))
                    .difference(&known)
                    .map(|place| (*place).to_owned())
                    .collect();
                assert!(unknown.is_empty(), "{cause:?} {lang}: {unknown:?}");
                assert!(said.insert(message), "{cause:?} {lang} is not translated");
                for text in [message, hint] {
                    assert!(!text.ends_with('.'), "{text}");
                }
                // A hint names commands; they are the same in every language.
                assert_eq!(hint.matches('`').count() % 2, 0, "{hint}");
            }
        }
    }

    #[test]
    fn sizes_and_moments_are_written_as_the_language_does() {
        let cause = CauseView::new(
            Cause::AttachmentAsked,
            [
                ("here_bytes", "17".to_owned()),
                ("all_bytes", (4_404_019).to_string()),
                ("party", "TT".to_owned()),
            ],
        );
        for (lang, all) in [
            (Lang::Es, "4,2 MiB"),
            (Lang::Fr, "4,2 MiB"),
            (Lang::Nl, "4,2 MiB"),
        ] {
            let (message, hint) = told(&cause, &plain(lang)).unwrap();
            assert!(
                message.contains("17 ") && message.contains(all),
                "{message}"
            );
            assert!(hint.unwrap().contains("TT"));
        }
        assert_eq!(told(&cause, &plain(Lang::En)), None);
        let newer = CauseView {
            name: "of_a_newer_node".into(),
            ..CauseView::default()
        };
        assert_eq!(told(&newer, &plain(Lang::Fr)), None);
    }
}
