use super::list::{CodeList, Coded, coded, find};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

static LOCODES: &str = include_str!("../../data/unlocode.tsv");

/// A place of UN/LOCODE.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Locode {
    /// Five characters.
    pub code: &'static str,
    /// Name as UN/LOCODE holds it.
    pub name: &'static str,
    /// UN/LOCODE's eight function characters; the first is `1` for a port, the fourth `4` for an airport.
    pub function: &'static str,
    /// Degrees, WGS 84: latitude, longitude.
    pub position: Option<(f64, f64)>,
}

/// Why a text is no place of UN/LOCODE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocodeFault {
    /// Not two letters and three letters or digits 2–9.
    Form,
    /// The first two letters are no country.
    Country,
    /// The country's places are all in the list, this one is not. Holds the nearest, if any.
    Unknown(Option<&'static str>),
    /// The list holds only some of the country's places, or none.
    NotListed,
}

struct Places {
    rows: BTreeMap<&'static str, Locode>,
    // Large countries of which the list holds ports and airports only.
    partial: BTreeSet<&'static str>,
}

fn places() -> &'static Places {
    static PLACES: OnceLock<Places> = OnceLock::new();
    PLACES.get_or_init(|| {
        let mut rows = BTreeMap::new();
        let mut partial = BTreeSet::new();
        for row in crate::text::rows(LOCODES) {
            match row.as_slice() {
                [country, "partial"] => {
                    partial.insert(*country);
                }
                [code, name, function, lat, lon] => {
                    let position = lat.parse().ok().zip(lon.parse().ok());
                    rows.insert(
                        *code,
                        Locode {
                            code,
                            name,
                            function,
                            position,
                        },
                    );
                }
                _ => {}
            }
        }
        Places { rows, partial }
    })
}

/// A place by its UN/LOCODE, in any case, with or without a space after the country.
pub fn locode(text: &str) -> Result<&'static Locode, LocodeFault> {
    let code: String = text
        .chars()
        .filter(|c| *c != ' ')
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let well_formed = code.len() == 5
        && code.bytes().enumerate().all(|(i, b)| match i {
            0 | 1 => b.is_ascii_uppercase(),
            _ => b.is_ascii_uppercase() || (b'2'..=b'9').contains(&b),
        });
    if !well_formed {
        return Err(LocodeFault::Form);
    }
    let places = places();
    if let Some(place) = places.rows.get(code.as_str()) {
        return Ok(place);
    }
    let country = &code[..2];
    if coded(CodeList::Country, country).is_none() {
        return Err(LocodeFault::Country);
    }
    let mut of_country = places
        .rows
        .keys()
        .copied()
        .filter(|known| known.starts_with(country))
        .peekable();
    if of_country.peek().is_none() || places.partial.contains(country) {
        return Err(LocodeFault::NotListed);
    }
    Err(LocodeFault::Unknown(super::nearest(&code, of_country)))
}

/// A country by its alpha-2 code exactly.
pub fn country(code: &str) -> Option<&'static Coded> {
    coded(CodeList::Country, code)
}

/// A country as people write it: alpha-2, alpha-3 or a name. The error is the nearest code.
pub fn find_country(text: &str) -> Result<&'static Coded, Option<&'static str>> {
    find(CodeList::Country, text)
}

/// A currency by its ISO 4217 code exactly.
pub fn currency(code: &str) -> Option<&'static Coded> {
    coded(CodeList::Currency, code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_or_the_reason_is_given() {
        assert_eq!(locode("jm kin").unwrap().code, "JMKIN");
        assert_eq!(locode("JMKIN").unwrap().name, "Kingston");
        assert!(matches!(
            locode("JMKIX"),
            Err(LocodeFault::Unknown(Some(_)))
        ));
        assert_eq!(locode("XXABC"), Err(LocodeFault::Country));
        assert_eq!(locode("CNSHA"), Err(LocodeFault::NotListed));
        assert_eq!(locode("USZZ9"), Err(LocodeFault::NotListed));
        for bad in ["", "JM", "JMKI1", "JMKINN", "J1KIN", "ÉMKIN"] {
            assert_eq!(locode(bad), Err(LocodeFault::Form), "{bad}");
        }
    }

    #[test]
    fn countries_by_code_and_name() {
        for text in ["JM", "jm", "JAM", "Jamaica", "Jamaïque"] {
            assert_eq!(find_country(text).map(|c| c.code), Ok("JM"), "{text}");
        }
        assert!(country("XX").is_none());
        assert!(currency("JMD").is_some());
    }
}
