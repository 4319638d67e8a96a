use super::{Line, words};
use crate::codes::CodeList;
use crate::{Lang, Notice, NoticeDate, codes, printable, text};
use abeng_wire::{EnvelopeId, v1};

/// The lines of a notice, in reading order.
pub(crate) fn describe(notice: &Notice, lang: Lang) -> Vec<Line> {
    let mut table = Table {
        lang,
        lines: Vec::new(),
    };
    table.head(notice);
    match &notice.message().content {
        Some(v1::notice::Content::Seizure(seizure)) => table.seizure(seizure),
        Some(v1::notice::Content::Feedback(feedback)) => table.feedback(feedback),
        Some(v1::notice::Content::Recall(recall)) => table.recall(recall),
        None => {}
    }
    table.foot(notice);
    table.lines
}

struct Table {
    lang: Lang,
    lines: Vec<Line>,
}

impl Table {
    fn line(&mut self, field: &str, value: String) {
        if !value.is_empty() {
            self.lines.push(Line {
                label: text::field_label(field, self.lang),
                value,
            });
        }
    }

    fn words(&mut self, field: &str, value: &str) {
        self.line(field, printable(value));
    }

    fn code(&mut self, field: &str, list: CodeList, code: &str) {
        if !code.is_empty() {
            self.line(field, words::code(list, code, self.lang));
        }
    }

    fn moment(&mut self, field: &str, ms: u64) {
        if ms != 0 {
            self.line(field, NoticeDate::moment(ms));
        }
    }

    fn id(&mut self, field: &str, id: &[u8]) {
        if let Some(id) = EnvelopeId::from_slice(id) {
            self.line(field, id.to_string());
        }
    }

    /// A code and words under one label: `in the hull: behind a plate`.
    fn method(&mut self, field: &str, list: CodeList, code: &str, text: &str) {
        let value = match (code.is_empty(), text.is_empty()) {
            (true, _) => printable(text),
            (false, true) => words::code(list, code, self.lang),
            (false, false) => {
                format!(
                    "{}: {}",
                    words::code(list, code, self.lang),
                    printable(text)
                )
            }
        };
        self.line(field, value);
    }

    fn head(&mut self, notice: &Notice) {
        let (lang, message) = (self.lang, notice.message());
        let mut ty = text::text(&format!("type.{}", notice.ty()), lang)
            .unwrap_or(notice.ty())
            .to_owned();
        if notice.is_exercise() {
            ty = format!("{}: {ty}", text::known("word.exercise", lang));
        }
        self.line("type", ty);
        let tlp = notice.tlp().name();
        let meaning = text::text(&format!("tlp.{tlp}"), lang).unwrap_or_default();
        self.line("tlp", format!("TLP:{tlp} ({meaning})"));
        let precedence = notice.precedence().as_str_name();
        self.line(
            "precedence",
            text::text(&format!("precedence.{precedence}"), lang)
                .unwrap_or(precedence)
                .to_owned(),
        );
        if let Some(originator) = &message.originator {
            let mut from = match codes::country(&originator.party) {
                Some(country) => format!("{} {}", country.code, country.name(lang)),
                None => printable(&originator.party),
            };
            words::push(&mut from, &printable(&originator.office));
            words::push(&mut from, &printable(&originator.officer));
            self.line("originator", from);
        }
        self.moment("created_at", message.created_at);
        self.id("in_reply_to", &message.in_reply_to);
        self.id("supersedes", &message.supersedes);
        self.moment("reply_by", message.reply_by);
        self.words("operation", &message.operation);
        self.words("case_reference", &message.case_reference);
        self.line("date", words::date(&message.event_date, lang));
    }

    fn foot(&mut self, notice: &Notice) {
        let message = notice.message();
        self.words("remarks", &message.remarks);
        for file in notice.attachments() {
            let shown = words::file(&file.name, file.length, self.lang);
            self.line("attach", shown);
        }
        self.words("source", &message.source);
        if let Some(grade) = &message.grade {
            let scheme = words::code(CodeList::GradeScheme, &grade.scheme, self.lang);
            let value = format!("{} {}", grade.source, grade.information);
            self.line("grade", format!("{} – {scheme}", printable(&value)));
        }
        self.words("handling_code", &message.handling_code);
        self.words(
            "handling_conditions",
            &message.handling_conditions.join("; "),
        );
        if message.nominal {
            self.line("nominal", text::known("word.yes", self.lang).to_owned());
        }
        if let Some(basis) = &message.legal_basis {
            self.method(
                "legal_basis",
                CodeList::LegalBasis,
                &basis.kind,
                &basis.text,
            );
        }
        self.words("purpose", &message.purpose);
        if message.keep_until != 0 {
            self.line("keep_until", NoticeDate::day_of(message.keep_until));
        }
        self.words("language", &message.language);
    }

    fn seizure(&mut self, seizure: &v1::Seizure) {
        let lang = self.lang;
        if let Some(place) = &seizure.place {
            self.line("place", words::place(place, lang));
        }
        self.code(
            "location_type",
            CodeList::LocationType,
            &seizure.location_type,
        );
        self.code("direction", CodeList::Direction, &seizure.direction);
        for goods in &seizure.goods {
            self.goods(goods);
        }
        if let Some(value) = &seizure.value {
            let mut shown = format!(
                "{} {}",
                words::number(&value.amount, lang),
                printable(&value.currency)
            );
            if value.estimated {
                words::push(&mut shown, text::known("word.estimated", lang));
            }
            self.line("value", shown);
        }
        if let Some(conveyance) = &seizure.conveyance {
            self.conveyance(conveyance);
        }
        for container in &seizure.containers {
            let mut shown = printable(&container.number);
            words::push(&mut shown, &printable(&container.r#type));
            words::push(&mut shown, &printable(&container.seals.join(" ")));
            words::push(&mut shown, &printable(&container.declared));
            self.line("containers", shown);
        }
        self.words("bill_of_lading", &seizure.bill_of_lading);
        self.words("air_waybill", &seizure.air_waybill);
        if let Some(route) = &seizure.route {
            self.places("route.origin", route.origin.as_slice());
            self.places("route.departures", &route.departures);
            self.places("route.transit", &route.transit);
            self.places("route.destinations", &route.destinations);
        }
        if let Some(c) = &seizure.concealment {
            self.method("concealment", CodeList::Concealment, &c.method, &c.text);
        }
        if let Some(d) = &seizure.detection {
            self.method("detection", CodeList::Detection, &d.method, &d.text);
        }
        self.parties(seizure);
        if seizure.arrests != 0 {
            self.line("arrests", seizure.arrests.to_string());
        }
    }

    fn places(&mut self, field: &str, places: &[v1::Place]) {
        let shown: Vec<String> = places.iter().map(|p| words::place(p, self.lang)).collect();
        self.line(field, shown.join("; "));
    }

    fn goods(&mut self, goods: &v1::Goods) {
        let mut shown = words::goods(goods, self.lang);
        if !goods.description.is_empty() && shown != printable(&goods.description) {
            words::push(&mut shown, &printable(&goods.description));
        }
        words::push(&mut shown, &printable(&goods.brand));
        words::push(&mut shown, &printable(&goods.serials.join(" ")));
        self.line("goods", shown);
        if !goods.hs.is_empty() {
            let name = codes::hs_name(&goods.hs, self.lang).unwrap_or_default();
            self.line(
                "hs",
                format!("{} {name}", printable(&goods.hs)).trim().to_owned(),
            );
        }
        if let Some(quantity) = &goods.quantity {
            self.line("quantity", words::quantity(quantity, self.lang));
        }
    }

    fn conveyance(&mut self, conveyance: &v1::Conveyance) {
        self.code("mode", CodeList::Mode, &conveyance.mode);
        self.words("conveyance", &conveyance.name);
        self.words("imo", &conveyance.imo);
        self.words("mmsi", &conveyance.mmsi);
        self.words("registration", &conveyance.registration);
        self.code("flag", CodeList::Country, &conveyance.flag);
        self.words("voyage", &conveyance.voyage);
        self.words("flight", &conveyance.flight);
        self.words("vin", &conveyance.vin);
        if conveyance.container_count != 0 {
            self.line("container_count", conveyance.container_count.to_string());
        }
        self.words("container_type", &conveyance.container_type);
        self.words("seal", &conveyance.seal);
    }

    fn parties(&mut self, seizure: &v1::Seizure) {
        let lang = self.lang;
        for person in &seizure.persons {
            let mut shown = printable(&person.family_name);
            words::push(&mut shown, &printable(&person.given_names));
            words::push(&mut shown, &printable(&person.born));
            words::push(
                &mut shown,
                &words::code(CodeList::Country, &person.nationality, lang),
            );
            words::push(
                &mut shown,
                &words::code(CodeList::Capacity, &person.capacity, lang),
            );
            if let Some(document) = &person.document {
                words::push(&mut shown, &self.document(document));
            }
            self.line("persons", shown);
        }
        for body in &seizure.organisations {
            let mut shown = printable(&body.name);
            words::push(
                &mut shown,
                &words::code(CodeList::Country, &body.country, lang),
            );
            words::push(
                &mut shown,
                &words::code(CodeList::Capacity, &body.capacity, lang),
            );
            words::push(&mut shown, &printable(&body.address));
            words::push(&mut shown, &printable(&body.register_number));
            self.line("organisations", shown);
        }
        for document in &seizure.documents {
            let shown = self.document(document);
            self.line("documents", shown);
        }
        for device in &seizure.devices {
            let mut shown = printable(&device.imei);
            words::push(&mut shown, &printable(&device.description));
            self.line("devices", shown);
        }
    }

    fn document(&self, document: &v1::Document) -> String {
        let mut shown = words::code(CodeList::Document, &document.r#type, self.lang);
        words::push(&mut shown, &printable(&document.number));
        words::push(
            &mut shown,
            &words::code(CodeList::Country, &document.country, self.lang),
        );
        words::push(&mut shown, &printable(&document.mrz));
        shown
    }

    fn feedback(&mut self, feedback: &v1::Feedback) {
        self.code("outcome", CodeList::Outcome, &feedback.outcome);
        self.code("control", CodeList::Control, &feedback.control);
        self.code("usefulness", CodeList::Usefulness, &feedback.usefulness);
        self.id("seizure", &feedback.seizure);
    }

    fn recall(&mut self, recall: &v1::Recall) {
        self.id("recalls", &recall.notice);
        self.code("reason", CodeList::RecallReason, &recall.reason);
        self.words("text", &recall.text);
    }
}
