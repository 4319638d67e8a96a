//! Code lists: data files with names in four languages, parsed once when first asked.

mod geo;
mod hs;
mod list;

pub use geo::{Locode, LocodeFault, country, currency, find_country, locode};
pub use hs::{HsFault, hs_name, hs_search};
pub use list::{CodeList, Coded, coded, codes, find, plainly};

pub(crate) use hs::check_hs;
pub(crate) use list::fold;

use crate::{Flaw, FlawCode, Severity};
use abeng_wire::v1;

/// The nearest of `known` to a mistyped text, if one is near enough to be meant.
pub fn nearest<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let found = list::fold(found);
    let mut best: Option<(f64, &'a str)> = None;
    for candidate in known {
        let score = strsim::jaro_winkler(&found, &list::fold(candidate));
        if score > best.map_or(0.8, |(s, _)| s) {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// A precedence by its name, in any case.
pub fn precedence(text: &str) -> Result<v1::Precedence, Flaw> {
    let upper = text.trim().to_ascii_uppercase();
    v1::Precedence::from_str_name(&upper)
        .filter(|p| *p != v1::Precedence::Unspecified)
        .ok_or_else(|| {
            Flaw::new(
                Severity::Error,
                FlawCode::UnknownCode,
                "precedence",
                text,
                "FLASH, IMMEDIATE, PRIORITY, ROUTINE",
            )
        })
}
