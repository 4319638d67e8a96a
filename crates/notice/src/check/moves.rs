use super::desk::Desk;
use super::places::country;
use crate::codes::CodeList;
use crate::{ContainerDraft, ConveyanceDraft, FlawCode, ids};
use abeng_wire::v1;

/// What carried the goods: the mode is required, `unknown` is one.
pub(super) fn conveyance(draft: &ConveyanceDraft, desk: &mut Desk<'_>) -> v1::Conveyance {
    let at = |name: &str| format!("conveyance.{name}");
    if draft.mode.is_none() {
        desk.missing(&at("mode"), "sea, air, unknown");
    }
    let out = v1::Conveyance {
        mode: desk.code(&at("mode"), CodeList::Mode, &draft.mode),
        name: desk.short(&at("name"), &draft.name),
        imo: desk.identifier(&at("imo"), &draft.imo, ids::imo),
        mmsi: desk.identifier(&at("mmsi"), &draft.mmsi, ids::mmsi),
        registration: desk.short(&at("registration"), &draft.registration),
        flag: country(&at("flag"), &draft.flag, desk),
        voyage: desk.short(&at("voyage"), &draft.voyage),
        flight: desk.identifier(&at("flight"), &draft.flight, ids::flight),
        vin: desk.identifier(&at("vin"), &draft.vin, ids::vin),
        container_count: draft.container_count.unwrap_or(0),
        container_type: desk.short(&at("container_type"), &draft.container_type),
        seal: desk.short(&at("seal"), &draft.seal),
    };
    fits_mode(&out, desk);
    out
}

/// Doubts identifiers of one mode under another.
fn fits_mode(conveyance: &v1::Conveyance, desk: &mut Desk<'_>) {
    let mode = conveyance.mode.as_str();
    let water = ["sea", "inland-water"];
    let expected = [
        (&conveyance.imo, &water[..]),
        (&conveyance.mmsi, &water[..]),
        (&conveyance.voyage, &["sea", "inland-water", "rail"][..]),
        (&conveyance.flight, &["air", "post", "courier"][..]),
        (&conveyance.vin, &["road", "rail", "sea"][..]),
    ]
    .into_iter()
    .find(|(id, modes)| !id.is_empty() && !modes.contains(&mode));
    if let Some((_, modes)) = expected
        && !matches!(mode, "" | "unknown")
    {
        desk.doubt(FlawCode::Mismatch, "conveyance.mode", mode, modes[0]);
    }
}

/// Containers by number.
pub(super) fn containers(drafts: &[ContainerDraft], desk: &mut Desk<'_>) -> Vec<v1::Container> {
    let mut out: Vec<v1::Container> = Vec::new();
    for (i, draft) in desk.entries("containers", drafts).iter().enumerate() {
        let at = |name: &str| format!("containers[{i}].{name}");
        let container = v1::Container {
            number: desk.identifier(&at("number"), &draft.number, ids::container),
            r#type: desk.short(&at("type"), &draft.kind),
            seals: desk.shorts(&at("seals"), &draft.seals),
            declared: desk.long(&at("declared"), &draft.declared),
        };
        if container.number.is_empty() {
            desk.missing(&at("number"), "CSQU3054383");
        } else if out.iter().any(|known| known.number == container.number) {
            desk.doubt(
                FlawCode::Repeated,
                &at("number"),
                &container.number,
                &container.number,
            );
        }
        out.push(container);
    }
    out
}
