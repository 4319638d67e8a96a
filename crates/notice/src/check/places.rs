use super::desk::{Desk, SHORT, says_unknown};
use crate::codes::{self, CodeList, LocodeFault};
use crate::{FlawCode, PlaceDraft, RouteDraft};
use abeng_wire::v1;

/// A place: UN/LOCODE, country, position or words; `unknown` is kept as such.
pub(super) fn place(field: &str, draft: &PlaceDraft, desk: &mut Desk<'_>) -> v1::Place {
    let name = desk.text(
        &format!("{field}.name"),
        draft.name.as_deref().unwrap_or_default(),
        SHORT,
    );
    let mut out = v1::Place {
        name,
        position: position(field, draft, desk),
        ..v1::Place::default()
    };
    match draft.code.as_deref().map(str::trim) {
        Some(text) if says_unknown(text) => out.unknown = true,
        Some(text) if !text.is_empty() => out.code = code(field, text, desk),
        _ if out.name.is_empty() && out.position.is_none() => {
            desk.missing(field, "JMKIN, JM");
        }
        _ => {}
    }
    out
}

/// Two letters or a country's name: a country; else a UN/LOCODE.
fn code(field: &str, text: &str, desk: &mut Desk<'_>) -> String {
    let fault = match codes::locode(text) {
        Ok(place) => return place.code.to_owned(),
        Err(fault) => fault,
    };
    if let Ok(country) = codes::find_country(text) {
        return country.code.to_owned();
    }
    match fault {
        LocodeFault::NotListed => {
            desk.doubt(FlawCode::NotListed, field, text, "UN/LOCODE");
            return text
                .chars()
                .filter(|c| *c != ' ')
                .flat_map(char::to_uppercase)
                .collect();
        }
        LocodeFault::Form if text.len() == 2 => {
            let near = codes::find_country(text)
                .err()
                .flatten()
                .unwrap_or("JM, TT, BB");
            desk.error(FlawCode::UnknownCode, field, text, near);
        }
        LocodeFault::Form => {
            let near = codes::find_country(text).err().flatten();
            desk.error(
                FlawCode::BadFormat,
                field,
                text,
                near.unwrap_or("JMKIN, JM"),
            );
        }
        LocodeFault::Country => desk.error(FlawCode::UnknownCode, field, text, "JMKIN, JM"),
        LocodeFault::Unknown(near) => {
            desk.error(
                FlawCode::UnknownCode,
                field,
                text,
                near.unwrap_or("JMKIN, JM"),
            );
        }
    }
    String::new()
}

fn position(field: &str, draft: &PlaceDraft, desk: &mut Desk<'_>) -> Option<v1::Position> {
    let (lat, lon) = match (draft.lat, draft.lon) {
        (Some(lat), Some(lon)) => (lat, lon),
        (None, None) => return None,
        (Some(_), None) => {
            desk.missing(&format!("{field}.lon"), "-76.8");
            return None;
        }
        (None, Some(_)) => {
            desk.missing(&format!("{field}.lat"), "17.9");
            return None;
        }
    };
    let mut axis = |name: &str, degrees: f64, most: f64, range: &str| {
        if degrees.abs() <= most {
            // At most 18,000,000, checked on the line above.
            return Some((degrees * 100_000.0).round() as i32);
        }
        desk.error(
            FlawCode::OutOfRange,
            &format!("{field}.{name}"),
            &degrees.to_string(),
            range,
        );
        None
    };
    let latitude = axis("lat", lat, 90.0, "-90…90");
    let longitude = axis("lon", lon, 180.0, "-180…180");
    Some(v1::Position {
        latitude: latitude?,
        longitude: longitude?,
    })
}

/// The way of the goods: from and to are required, `unknown` is an answer.
pub(super) fn route(draft: Option<&RouteDraft>, desk: &mut Desk<'_>) -> v1::Route {
    let Some(draft) = draft else {
        desk.missing("route.departure", "GYGEO, GY, unknown");
        desk.missing("route.destination", "JMKIN, JM, unknown");
        return v1::Route::default();
    };
    let out = v1::Route {
        origin: draft
            .origin
            .as_ref()
            .map(|origin| place("route.origin", origin, desk)),
        departures: places(
            "departure",
            draft.departure.as_ref(),
            &draft.departures,
            desk,
        ),
        transit: places("transit", None, &draft.transit, desk),
        destinations: places(
            "destination",
            draft.destination.as_ref(),
            &draft.destinations,
            desk,
        ),
    };
    if out.origin.is_none() && out.departures.is_empty() {
        desk.missing("route.departure", "GYGEO, GY, unknown");
    }
    if out.destinations.is_empty() {
        desk.missing("route.destination", "JMKIN, JM, unknown");
    }
    out
}

fn places(
    name: &str,
    one: Option<&PlaceDraft>,
    many: &[PlaceDraft],
    desk: &mut Desk<'_>,
) -> Vec<v1::Place> {
    let mut out: Vec<v1::Place> = one
        .map(|draft| place(&format!("route.{name}"), draft, desk))
        .into_iter()
        .collect();
    let list = match name {
        "transit" => "route.transit".to_owned(),
        name => format!("route.{name}s"),
    };
    for (i, draft) in desk.entries(&list, many).iter().enumerate() {
        let field = format!("{list}[{i}]");
        let place = place(&field, draft, desk);
        if out.contains(&place) && place != v1::Place::default() {
            desk.doubt(FlawCode::Repeated, &field, &place.code, &place.code);
        } else {
            out.push(place);
        }
    }
    out
}

/// The country of a place, where its code says it.
pub(super) fn country_of(place: &v1::Place) -> Option<&str> {
    place.code.get(..2)
}

/// A country by code or name; empty where absent or unknown.
pub(super) fn country(field: &str, text: &Option<String>, desk: &mut Desk<'_>) -> String {
    desk.code(field, CodeList::Country, text)
}
