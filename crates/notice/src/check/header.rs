use super::desk::Desk;
use super::{DEFAULT_KEEP_DAYS, SCHEMA_VERSION};
use crate::codes::{self, CodeList};
use crate::retention::KEEP_LEAST_MS;
use crate::{Draft, FlawCode, GradeDraft, NoticeType, Tlp};
use abeng_wire::v1;

const DAY_MS: u64 = 86_400_000;
/// Keeping longer than ten years is doubted.
const LONG_KEEP_MS: u64 = 3653 * DAY_MS;

/// The type that a draft says it is; SEIZURE where it says nothing or something unknown (an error).
pub(super) fn notice_type(draft: &Draft, desk: &mut Desk<'_>) -> NoticeType {
    let Some(text) = draft.kind.as_deref() else {
        return NoticeType::Seizure;
    };
    NoticeType::parse(text).unwrap_or_else(|| {
        let known = NoticeType::ALL.map(NoticeType::name).join(", ");
        desk.error(FlawCode::UnknownCode, "type", text, &known);
        NoticeType::Seizure
    })
}

/// Everything of a notice but its content.
pub(super) fn header(draft: &Draft, ty: NoticeType, desk: &mut Desk<'_>) -> v1::Notice {
    let own = desk.context.party;
    if let Some(administration) = &draft.administration
        && administration.trim() != own.as_str()
    {
        desk.error(
            FlawCode::NotYours,
            "administration",
            administration,
            own.as_str(),
        );
    }
    let precedence = match draft.precedence.as_deref().map(codes::precedence) {
        None => ty.default_precedence(),
        Some(Ok(precedence)) => precedence,
        Some(Err(flaw)) => {
            desk.push(flaw);
            ty.default_precedence()
        }
    };
    let officer = draft.officer.clone().or(desk.context.officer.clone());
    v1::Notice {
        schema_version: SCHEMA_VERSION,
        r#type: ty.to_wire() as i32,
        originator: Some(v1::Originator {
            party: own.to_string(),
            office: desk.short("reporting_office", &draft.reporting_office),
            officer: desk.short("officer", &officer),
        }),
        event_date: String::new(),
        created_at: desk.context.now,
        clock_uncertainty_ms: desk.context.clock_uncertainty_ms,
        precedence: precedence as i32,
        operation: desk.short("operation", &draft.operation),
        case_reference: desk.short("case_reference", &draft.case_reference),
        in_reply_to: desk.envelope_id("in_reply_to", &draft.in_reply_to),
        supersedes: desk.envelope_id("supersedes", &draft.supersedes),
        reply_by: desk.ahead("reply_by", &draft.reply_by),
        legal_basis: legal_basis(draft, desk),
        purpose: desk.long("purpose", &draft.purpose),
        grade: draft.grade.as_ref().map(|grade| self::grade(grade, desk)),
        handling_code: desk.short("handling_code", &draft.handling_code),
        handling_conditions: desk.shorts("handling_conditions", &draft.handling_conditions),
        tlp: tlp(draft, desk).to_wire() as i32,
        nominal: draft.nominal.unwrap_or(false),
        keep_until: keep_until(draft, desk),
        language: language(draft, desk),
        exercise: draft.exercise,
        source: desk.long("source", &draft.source),
        remarks: desk.long("remarks", &draft.remarks),
        attachments: super::attach::attachments(draft, desk),
        content: None,
        // Known only at the end of the check.
        doubts: Vec::new(),
    }
}

fn tlp(draft: &Draft, desk: &mut Desk<'_>) -> Tlp {
    let Some(text) = draft.tlp.as_deref() else {
        return Tlp::DEFAULT;
    };
    Tlp::parse(text).unwrap_or_else(|| {
        let known = Tlp::ALL.map(Tlp::name).join(", ");
        desk.error(FlawCode::UnknownCode, "tlp", text, &known);
        Tlp::DEFAULT
    })
}

fn keep_until(draft: &Draft, desk: &mut Desk<'_>) -> u64 {
    let now = desk.context.now;
    if draft.keep_until.is_none() {
        return now.saturating_add(DEFAULT_KEEP_DAYS * DAY_MS);
    }
    let until = desk.ahead("keep_until", &draft.keep_until);
    let longest = now.saturating_add(LONG_KEEP_MS);
    if until > longest {
        desk.doubt(
            FlawCode::OutOfRange,
            "keep_until",
            &crate::NoticeDate::day_of(until),
            &format!("≤ {}", crate::NoticeDate::day_of(longest)),
        );
    }
    let shortest = now.saturating_add(KEEP_LEAST_MS);
    if until != 0 && until < shortest {
        // Recipients keep it for so long all the same.
        desk.doubt(
            FlawCode::OutOfRange,
            "keep_until",
            &crate::NoticeDate::day_of(until),
            &format!("≥ {}", crate::NoticeDate::day_of(shortest)),
        );
    }
    until
}

/// A BCP 47 tag, as far as people need it: letters, then parts of letters and digits.
fn language(draft: &Draft, desk: &mut Desk<'_>) -> String {
    let tag = desk.short("language", &draft.language);
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    let fits = tag.is_empty()
        || ((2..=3).contains(&primary.len())
            && primary.bytes().all(|b| b.is_ascii_alphabetic())
            && parts.all(|p| {
                (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric())
            }));
    if fits {
        return tag;
    }
    desk.error(FlawCode::BadFormat, "language", &tag, "en, es, fr, nl, pap");
    String::new()
}

fn legal_basis(draft: &Draft, desk: &mut Desk<'_>) -> Option<v1::LegalBasis> {
    let basis = draft.legal_basis.as_ref()?;
    let out = v1::LegalBasis {
        kind: desk.code("legal_basis.kind", CodeList::LegalBasis, &basis.kind),
        text: desk.long("legal_basis.text", &basis.text),
    };
    if basis.kind.is_none() {
        desk.missing("legal_basis.kind", "treaty");
    }
    Some(out)
}

fn grade(grade: &GradeDraft, desk: &mut Desk<'_>) -> v1::Grade {
    let scheme = desk.code("grade.scheme", CodeList::GradeScheme, &grade.scheme);
    if grade.scheme.is_none() {
        desk.missing("grade.scheme", "admiralty");
    }
    let values: (&[&str], &[&str]) = match scheme.as_str() {
        "admiralty" => (
            &["A", "B", "C", "D", "E", "F"],
            &["1", "2", "3", "4", "5", "6"],
        ),
        "europol" => (&["A", "B", "C", "D", "X"], &["1", "2", "3", "4"]),
        "uk-3x5x2" => (&["1", "2", "3"], &["A", "B", "C", "D", "E"]),
        _ => return v1::Grade::default(),
    };
    let mut value = |field: &str, text: &Option<String>, known: &[&str]| {
        let text = desk.short(field, text).to_uppercase();
        if text.is_empty() {
            desk.missing(field, known[0]);
        } else if !known.contains(&text.as_str()) {
            desk.error(FlawCode::UnknownCode, field, &text, &known.join(", "));
        }
        text
    };
    v1::Grade {
        source: value("grade.source", &grade.source, values.0),
        information: value("grade.information", &grade.information, values.1),
        scheme,
    }
}

/// Refuses fields that belong to another type.
pub(super) fn refuse_foreign(draft: &Draft, ty: NoticeType, desk: &mut Desk<'_>) {
    let of_seizure = [
        ("place", draft.place.is_some()),
        ("office", draft.office.is_some()),
        ("location_type", draft.location_type.is_some()),
        ("direction", draft.direction.is_some()),
        ("goods", !draft.goods.is_empty()),
        ("value", draft.value.is_some()),
        ("conveyance", draft.conveyance.is_some()),
        ("containers", !draft.containers.is_empty()),
        ("bill_of_lading", draft.bill_of_lading.is_some()),
        ("air_waybill", draft.air_waybill.is_some()),
        ("route", draft.route.is_some()),
        ("concealment", draft.concealment.is_some()),
        ("concealment_method", draft.concealment_method.is_some()),
        ("detection", draft.detection.is_some()),
        ("detection_method", draft.detection_method.is_some()),
        ("persons", !draft.persons.is_empty()),
        ("organisations", !draft.organisations.is_empty()),
        ("documents", !draft.documents.is_empty()),
        ("devices", !draft.devices.is_empty()),
        ("arrests", draft.arrests.is_some()),
    ];
    let of_feedback = [
        ("outcome", draft.outcome.is_some()),
        ("control", draft.control.is_some()),
        ("usefulness", draft.usefulness.is_some()),
        ("seizure", draft.seizure.is_some()),
    ];
    let of_recall = [
        ("recalls", draft.recalls.is_some()),
        ("reason", draft.reason.is_some()),
        ("text", draft.text.is_some()),
    ];
    let all: [(NoticeType, &[(&str, bool)]); 3] = [
        (NoticeType::Seizure, &of_seizure),
        (NoticeType::Feedback, &of_feedback),
        (NoticeType::Recall, &of_recall),
    ];
    for (theirs, fields) in all.into_iter().filter(|(theirs, _)| *theirs != ty) {
        for (field, _) in fields.iter().filter(|(_, there)| *there) {
            desk.error(FlawCode::NotForType, field, "", theirs.name());
        }
    }
}

/// Marks a notice that names persons, and doubts a label that is too open for it.
pub(super) fn nominal(draft: &Draft, message: &mut v1::Notice, desk: &mut Desk<'_>) {
    let named = draft
        .persons
        .iter()
        .any(|p| p.family_name.is_some() || p.given_names.is_some() || p.document.is_some());
    if named && draft.nominal == Some(false) {
        desk.doubt(FlawCode::Mismatch, "nominal", "false", "true");
    }
    message.nominal |= named;
    if message.nominal && message.tlp < v1::Tlp::Amber as i32 {
        let label = tlp_name(message.tlp);
        desk.doubt(FlawCode::TooOpen, "tlp", label, Tlp::Amber.name());
    }
}

fn tlp_name(number: i32) -> &'static str {
    u32::try_from(number)
        .ok()
        .and_then(Tlp::from_number)
        .map_or("", Tlp::name)
}
