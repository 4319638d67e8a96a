use super::desk::Desk;
use super::places::country;
use crate::codes::CodeList;
use crate::{
    DeviceDraft, DocumentDraft, FlawCode, NoticeDate, OrganisationDraft, PersonDraft, ids,
};
use abeng_wire::v1;

/// Persons: a name or a document each; nobody is born after the event.
pub(super) fn persons(
    drafts: &[PersonDraft],
    event: Option<&NoticeDate>,
    desk: &mut Desk<'_>,
) -> Vec<v1::Person> {
    let mut out = Vec::new();
    for (i, draft) in desk.entries("persons", drafts).iter().enumerate() {
        let at = |name: &str| format!("persons[{i}].{name}");
        let born = desk.date(&at("born"), &draft.born);
        if let Some(born) = &born {
            desk.not_future(&at("born"), born);
            if let Some(event) = event
                && born.start_ms() > event.start_ms()
            {
                desk.error(
                    FlawCode::WrongOrder,
                    &at("born"),
                    &born.canonical(),
                    &format!("≤ {}", event.canonical()),
                );
            }
        }
        let person = v1::Person {
            family_name: desk.short(&at("family_name"), &draft.family_name),
            given_names: desk.short(&at("given_names"), &draft.given_names),
            born: born.map(|date| date.canonical()).unwrap_or_default(),
            nationality: country(&at("nationality"), &draft.nationality, desk),
            capacity: desk.code(&at("capacity"), CodeList::Capacity, &draft.capacity),
            document: draft
                .document
                .as_ref()
                .map(|paper| document(&at("document"), paper, desk)),
        };
        if person == v1::Person::default() {
            desk.missing(&at("family_name"), "…");
        }
        out.push(person);
    }
    out
}

/// Companies and other bodies: a name each.
pub(super) fn organisations(
    drafts: &[OrganisationDraft],
    desk: &mut Desk<'_>,
) -> Vec<v1::Organisation> {
    let mut out = Vec::new();
    for (i, draft) in desk.entries("organisations", drafts).iter().enumerate() {
        let at = |name: &str| format!("organisations[{i}].{name}");
        let name = desk.short(&at("name"), &draft.name);
        if name.is_empty() {
            desk.missing(&at("name"), "…");
        }
        out.push(v1::Organisation {
            name,
            country: country(&at("country"), &draft.country, desk),
            capacity: desk.code(&at("capacity"), CodeList::Capacity, &draft.capacity),
            address: desk.long(&at("address"), &draft.address),
            register_number: desk.short(&at("register_number"), &draft.register_number),
        });
    }
    out
}

/// Papers that belong to no person.
pub(super) fn documents(drafts: &[DocumentDraft], desk: &mut Desk<'_>) -> Vec<v1::Document> {
    let mut out = Vec::new();
    for (i, draft) in desk.entries("documents", drafts).iter().enumerate() {
        out.push(document(&format!("documents[{i}]"), draft, desk));
    }
    out
}

fn document(field: &str, draft: &DocumentDraft, desk: &mut Desk<'_>) -> v1::Document {
    let at = |name: &str| format!("{field}.{name}");
    let mut mrz = String::new();
    if let Some(text) = &draft.mrz {
        let (lines, faults) = ids::mrz(text);
        for fault in &faults {
            desk.id_fault(&at("mrz"), &lines, fault);
        }
        mrz = desk.text(&at("mrz"), &lines, super::desk::LONG);
    }
    let out = v1::Document {
        r#type: desk.code(&at("type"), CodeList::Document, &draft.kind),
        number: desk.short(&at("number"), &draft.number),
        country: country(&at("country"), &draft.country, desk),
        mrz,
    };
    if out.number.is_empty() && out.mrz.is_empty() {
        desk.missing(&at("number"), "L898902C3");
    }
    out
}

/// Telephones and the like.
pub(super) fn devices(drafts: &[DeviceDraft], desk: &mut Desk<'_>) -> Vec<v1::Device> {
    let mut out = Vec::new();
    for (i, draft) in desk.entries("devices", drafts).iter().enumerate() {
        let at = |name: &str| format!("devices[{i}].{name}");
        let device = v1::Device {
            imei: desk.identifier(&at("imei"), &draft.imei, ids::imei),
            description: desk.long(&at("description"), &draft.description),
        };
        if device == v1::Device::default() {
            desk.missing(&at("imei"), "490154203237518");
        }
        out.push(device);
    }
    out
}
