use super::desk::{Desk, says_unknown};
use super::places::{self, country_of};
use super::{goods, identity, moves};
use crate::codes::CodeList;
use crate::{Draft, FlawCode, NoticeDate, ids};
use abeng_wire::v1;

/// When it happened: required; `unknown` is an answer and a doubt.
pub(super) fn event_date(draft: &Draft, desk: &mut Desk<'_>) -> String {
    match &draft.date {
        None => {
            desk.missing("date", "2024-05-31, unknown");
            String::new()
        }
        Some(text) if says_unknown(&text.0) => {
            desk.doubt(
                FlawCode::SaidUnknown,
                "date",
                &text.0,
                "2024-05-31, 2024-05, 2024",
            );
            "unknown".to_owned()
        }
        Some(_) => {
            let Some(date) = desk.date("date", &draft.date) else {
                return String::new();
            };
            desk.not_future("date", &date);
            desk.not_long_ago("date", &date);
            date.canonical()
        }
    }
}

/// SEIZURE: where, what, how much, mode, from and to are required.
pub(super) fn seizure(draft: &Draft, desk: &mut Desk<'_>) -> v1::Seizure {
    let event = draft
        .date
        .as_ref()
        .and_then(|d| NoticeDate::parse(&d.0).ok());
    let out = v1::Seizure {
        place: place(draft, desk),
        location_type: desk.code(
            "location_type",
            CodeList::LocationType,
            &draft.location_type,
        ),
        direction: desk.code("direction", CodeList::Direction, &draft.direction),
        goods: goods::goods(&draft.goods, desk),
        value: draft.value.as_ref().map(|value| goods::value(value, desk)),
        conveyance: conveyance(draft, desk),
        containers: moves::containers(&draft.containers, desk),
        bill_of_lading: desk.short("bill_of_lading", &draft.bill_of_lading),
        air_waybill: desk.identifier("air_waybill", &draft.air_waybill, ids::air_waybill),
        route: Some(places::route(draft.route.as_ref(), desk)),
        concealment: concealment(draft, desk),
        detection: detection(draft, desk),
        persons: identity::persons(&draft.persons, event.as_ref(), desk),
        organisations: identity::organisations(&draft.organisations, desk),
        documents: identity::documents(&draft.documents, desk),
        devices: identity::devices(&draft.devices, desk),
        arrests: draft.arrests.unwrap_or(0),
    };
    fits_direction(&out, desk);
    out
}

fn place(draft: &Draft, desk: &mut Desk<'_>) -> Option<v1::Place> {
    let Some(text) = &draft.place else {
        desk.missing("place", "JMKIN, JM");
        return None;
    };
    let mut place = places::place("place", text, desk);
    if place.unknown {
        desk.error(FlawCode::Missing, "place", "", "JMKIN, JM");
    }
    let office = desk.short("office", &draft.office);
    if place.name.is_empty() {
        place.name = office;
    } else if !office.is_empty() {
        place.name = format!("{office}, {}", place.name);
    }
    Some(place)
}

fn conveyance(draft: &Draft, desk: &mut Desk<'_>) -> Option<v1::Conveyance> {
    let Some(conveyance) = &draft.conveyance else {
        desk.missing("conveyance.mode", "sea, air, unknown");
        return None;
    };
    let out = moves::conveyance(conveyance, desk);
    let count = u32::try_from(draft.containers.len()).unwrap_or(u32::MAX);
    if out.container_count != 0 && count > out.container_count {
        desk.doubt(
            FlawCode::Mismatch,
            "conveyance.container_count",
            &out.container_count.to_string(),
            &count.to_string(),
        );
    }
    Some(out)
}

fn concealment(draft: &Draft, desk: &mut Desk<'_>) -> Option<v1::Concealment> {
    let out = v1::Concealment {
        method: desk.code(
            "concealment_method",
            CodeList::Concealment,
            &draft.concealment_method,
        ),
        text: desk.long("concealment", &draft.concealment),
    };
    (out != v1::Concealment::default()).then_some(out)
}

fn detection(draft: &Draft, desk: &mut Desk<'_>) -> Option<v1::Detection> {
    let out = v1::Detection {
        method: desk.code(
            "detection_method",
            CodeList::Detection,
            &draft.detection_method,
        ),
        text: desk.long("detection", &draft.detection),
    };
    (out != v1::Detection::default()).then_some(out)
}

/// Doubts an import that goes elsewhere, and an export that comes from elsewhere.
fn fits_direction(seizure: &v1::Seizure, desk: &mut Desk<'_>) {
    let here = seizure.place.as_ref().and_then(country_of);
    let (Some(here), Some(route)) = (here, &seizure.route) else {
        return;
    };
    let elsewhere = |places: &[v1::Place]| {
        let known: Vec<&str> = places.iter().filter_map(country_of).collect();
        !known.is_empty() && !known.contains(&here)
    };
    let (field, fits) = match seizure.direction.as_str() {
        "import" if elsewhere(&route.destinations) => ("direction", "transit, transhipment"),
        "export" if elsewhere(&route.departures) => ("direction", "transit, transhipment"),
        _ => return,
    };
    desk.doubt(FlawCode::Mismatch, field, &seizure.direction, fits);
}
