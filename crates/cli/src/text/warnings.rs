//! What a node warns its administrators of, in the reader's language. English is as the node told it.

#[path = "warnings/es.rs"]
mod es;
#[path = "warnings/fr.rs"]
mod fr;
#[path = "warnings/nl.rs"]
mod nl;

use super::{causes, fill};
use crate::ui::Ui;
use abeng_api::{CauseView, StatusView, Warned};
use abeng_notice::Lang;

/// The warnings of a status, in its order.
pub(crate) fn told(status: &StatusView, ui: &Ui) -> Vec<String> {
    let causes = status.warning_causes.iter().map(Option::as_ref);
    let causes = causes.chain(std::iter::repeat(None));
    let both = status.warnings.iter().zip(causes);
    both.map(|(text, cause)| {
        let told = cause.and_then(|cause| told_one(cause, ui));
        told.unwrap_or_else(|| text.clone())
    })
    .collect()
}

/// One of them; `None` where it is not known, or the node's English is the reader's.
fn told_one(cause: &CauseView, ui: &Ui) -> Option<String> {
    let Some(warned) = Warned::parse(&cause.name) else {
        // One that goes by the name of a failure.
        let (message, hint) = causes::told(cause, ui)?;
        return Some(match hint {
            Some(hint) => format!("{message}. {hint}"),
            None => message,
        });
    };
    let values = causes::values(cause, ui);
    let values: Vec<(&str, &str)> = values.iter().map(|(n, v)| (*n, v.as_str())).collect();
    Some(fill(words(ui.error_lang(), warned)?, &values))
}

/// The text of a warning; `None` in English, where the node's own words stand.
fn words(lang: Lang, warned: Warned) -> Option<&'static str> {
    match lang {
        Lang::En => None,
        Lang::Es => Some(es::words(warned)),
        Lang::Fr => Some(fr::words(warned)),
        Lang::Nl => Some(nl::words(warned)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{texts::causes::places, ui::plain};
    use abeng_api::{Cause, Warning};
    use std::collections::BTreeSet;

    #[test]
    fn every_warning_is_told_in_every_language_with_all_that_it_says() {
        for &warned in Warned::ALL {
            let known: BTreeSet<&str> = warned.places().iter().copied().collect();
            let mut said = BTreeSet::new();
            for lang in Lang::ALL.into_iter().filter(|lang| *lang != Lang::En) {
                let text = words(lang, warned).unwrap();
                assert_eq!(places(text), known, "{warned:?} {lang}");
                assert!(said.insert(text), "{warned:?} {lang} is not translated");
                assert!(!text.ends_with('.'), "{text}");
                assert_eq!(text.matches('`').count() % 2, 0, "{text}");
            }
        }
    }

    #[test]
    fn warnings_keep_their_order_and_what_is_not_known_stays_english() {
        let full = CauseView::new(
            Cause::NoRoomDisk,
            ["free_bytes", "needed_bytes", "short_bytes", "reserve_bytes"]
                .map(|name| (name, "1048576".to_owned())),
        );
        let mut of = [
            Warning::from("5 days").because(Warned::RosterExpires, [("days", "5".to_owned())]),
            Warning::from("of a newer node"),
            Warning::from("no room").by(Some(full)),
            Warning::from("new life").because(
                Warned::NewLife,
                [
                    ("party", "TT".to_owned()),
                    ("at", "2026-11-24T05:00:00Z".to_owned()),
                ],
            ),
        ];
        let status = StatusView {
            warning_causes: of.iter_mut().map(|w| w.cause.take()).collect(),
            warnings: of.into_iter().map(Warning::into_text).collect(),
            ..StatusView::default()
        };
        let es = told(&status, &plain(Lang::Es));
        assert!(es[0].contains("padrón: 5"), "{es:?}");
        assert_eq!(es[1], "of a newer node");
        assert!(
            es[2].contains("1,0 MiB") && es[2].contains(". libere"),
            "{es:?}"
        );
        assert!(
            es[3].starts_with("TT") && es[3].contains("24 nov 2026"),
            "{es:?}"
        );
        assert_eq!(told(&status, &plain(Lang::En)), status.warnings);
        // A node that knows no names.
        let older = StatusView {
            warning_causes: Vec::new(),
            ..status.clone()
        };
        assert_eq!(told(&older, &plain(Lang::Nl)), status.warnings);
    }
}
