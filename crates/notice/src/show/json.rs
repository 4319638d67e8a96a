use crate::{Decimal, Notice};
use abeng_wire::{EnvelopeId, v1};
use serde_json::{Map, Value};

/// The notice as JSON. Names are the wire's, with the content under `seizure`, `feedback` or
/// `recall`.
pub(crate) fn to_json(notice: &Notice) -> Value {
    let m = notice.message();
    let object = Object::default()
        .number("schema_version", m.schema_version.into())
        .text("type", notice.ty())
        .put("originator", m.originator.as_ref().map(originator))
        .text("event_date", &m.event_date)
        .number("created_at", m.created_at)
        .number("clock_uncertainty_ms", m.clock_uncertainty_ms.into())
        .text("precedence", notice.precedence().as_str_name())
        .text("operation", &m.operation)
        .text("case_reference", &m.case_reference)
        .id("in_reply_to", &m.in_reply_to)
        .id("supersedes", &m.supersedes)
        .number("reply_by", m.reply_by)
        .put("legal_basis", m.legal_basis.as_ref().map(legal_basis))
        .text("purpose", &m.purpose)
        .put("grade", m.grade.as_ref().map(grade))
        .text("handling_code", &m.handling_code)
        .texts("handling_conditions", &m.handling_conditions)
        .text("tlp", notice.tlp().name())
        .flag("nominal", m.nominal)
        .number("keep_until", m.keep_until)
        .text("language", &m.language)
        .flag("exercise", m.exercise)
        .text("source", &m.source)
        .text("remarks", &m.remarks)
        .list("attachments", &m.attachments, attachment);
    match &m.content {
        Some(v1::notice::Content::Seizure(s)) => object.put("seizure", Some(seizure(s))),
        Some(v1::notice::Content::Feedback(f)) => object.put("feedback", Some(feedback(f))),
        Some(v1::notice::Content::Recall(r)) => object.put("recall", Some(recall(r))),
        None => object,
    }
    .done()
}

/// An object that leaves out what is absent.
#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn put(mut self, key: &str, value: Option<Value>) -> Self {
        if let Some(value) = value {
            self.0.insert(key.to_owned(), value);
        }
        self
    }

    fn text(self, key: &str, text: &str) -> Self {
        self.put(key, (!text.is_empty()).then(|| text.into()))
    }

    fn texts(self, key: &str, texts: &[String]) -> Self {
        self.put(key, (!texts.is_empty()).then(|| texts.into()))
    }

    fn number(self, key: &str, number: u64) -> Self {
        self.put(key, (number != 0).then(|| number.into()))
    }

    fn flag(self, key: &str, flag: bool) -> Self {
        self.put(key, flag.then_some(Value::Bool(true)))
    }

    fn id(self, key: &str, id: &[u8]) -> Self {
        self.put(
            key,
            EnvelopeId::from_slice(id).map(|id| id.to_string().into()),
        )
    }

    fn list<T>(self, key: &str, list: &[T], one: fn(&T) -> Value) -> Self {
        self.put(
            key,
            (!list.is_empty()).then(|| list.iter().map(one).collect()),
        )
    }

    fn done(self) -> Value {
        Value::Object(self.0)
    }
}

fn originator(o: &v1::Originator) -> Value {
    Object::default()
        .text("party", &o.party)
        .text("office", &o.office)
        .text("officer", &o.officer)
        .done()
}

/// Without the key, which is nobody's business but the node's.
fn attachment(a: &v1::Attachment) -> Value {
    Object::default()
        .text("name", &a.name)
        .text("media_type", &a.media_type)
        .number("length", a.length)
        .id("root", &a.root)
        .number("cipher_length", a.cipher_length)
        .done()
}

fn legal_basis(b: &v1::LegalBasis) -> Value {
    Object::default()
        .text("kind", &b.kind)
        .text("text", &b.text)
        .done()
}

fn grade(g: &v1::Grade) -> Value {
    Object::default()
        .text("scheme", &g.scheme)
        .text("source", &g.source)
        .text("information", &g.information)
        .done()
}

fn seizure(s: &v1::Seizure) -> Value {
    Object::default()
        .put("place", s.place.as_ref().map(place))
        .text("location_type", &s.location_type)
        .text("direction", &s.direction)
        .list("goods", &s.goods, goods)
        .put("value", s.value.as_ref().map(value))
        .put("conveyance", s.conveyance.as_ref().map(conveyance))
        .list("containers", &s.containers, container)
        .text("bill_of_lading", &s.bill_of_lading)
        .text("air_waybill", &s.air_waybill)
        .put("route", s.route.as_ref().map(route))
        .put(
            "concealment",
            s.concealment.as_ref().map(|c| method(&c.method, &c.text)),
        )
        .put(
            "detection",
            s.detection.as_ref().map(|d| method(&d.method, &d.text)),
        )
        .list("persons", &s.persons, person)
        .list("organisations", &s.organisations, organisation)
        .list("documents", &s.documents, document)
        .list("devices", &s.devices, device)
        .number("arrests", s.arrests.into())
        .done()
}

fn feedback(f: &v1::Feedback) -> Value {
    Object::default()
        .text("outcome", &f.outcome)
        .text("control", &f.control)
        .text("usefulness", &f.usefulness)
        .id("seizure", &f.seizure)
        .done()
}

fn recall(r: &v1::Recall) -> Value {
    Object::default()
        .id("notice", &r.notice)
        .text("reason", &r.reason)
        .text("text", &r.text)
        .done()
}

fn place(p: &v1::Place) -> Value {
    let degrees = |v: i32| Value::from(f64::from(v) / 100_000.0);
    Object::default()
        .text("code", &p.code)
        .text("name", &p.name)
        .put("lat", p.position.as_ref().map(|at| degrees(at.latitude)))
        .put("lon", p.position.as_ref().map(|at| degrees(at.longitude)))
        .flag("unknown", p.unknown)
        .done()
}

fn goods(g: &v1::Goods) -> Value {
    Object::default()
        .text("hs", &g.hs)
        .text("drug", &g.drug)
        .text("arms", &g.arms)
        .text("description", &g.description)
        .text("brand", &g.brand)
        .texts("serials", &g.serials)
        .put("quantity", g.quantity.as_ref().map(quantity))
        .done()
}

fn quantity(q: &v1::Quantity) -> Value {
    let kg = Decimal::kilograms(q.derived_mg).to_string();
    Object::default()
        .text("amount", &q.amount)
        .text("unit", &q.unit)
        .flag("estimated", q.estimated)
        .text("kg", if q.derived_mg == 0 { "" } else { &kg })
        .number("packages", q.packages.into())
        .flag("unknown", q.unknown)
        .done()
}

fn value(v: &v1::Value) -> Value {
    Object::default()
        .text("amount", &v.amount)
        .text("currency", &v.currency)
        .flag("estimated", v.estimated)
        .done()
}

fn conveyance(c: &v1::Conveyance) -> Value {
    Object::default()
        .text("mode", &c.mode)
        .text("name", &c.name)
        .text("imo", &c.imo)
        .text("mmsi", &c.mmsi)
        .text("registration", &c.registration)
        .text("flag", &c.flag)
        .text("voyage", &c.voyage)
        .text("flight", &c.flight)
        .text("vin", &c.vin)
        .number("container_count", c.container_count.into())
        .text("container_type", &c.container_type)
        .text("seal", &c.seal)
        .done()
}

fn container(c: &v1::Container) -> Value {
    Object::default()
        .text("number", &c.number)
        .text("type", &c.r#type)
        .texts("seals", &c.seals)
        .text("declared", &c.declared)
        .done()
}

fn route(r: &v1::Route) -> Value {
    Object::default()
        .put("origin", r.origin.as_ref().map(place))
        .list("departures", &r.departures, place)
        .list("transit", &r.transit, place)
        .list("destinations", &r.destinations, place)
        .done()
}

fn method(method: &str, text: &str) -> Value {
    Object::default()
        .text("method", method)
        .text("text", text)
        .done()
}

fn person(p: &v1::Person) -> Value {
    Object::default()
        .text("family_name", &p.family_name)
        .text("given_names", &p.given_names)
        .text("born", &p.born)
        .text("nationality", &p.nationality)
        .text("capacity", &p.capacity)
        .put("document", p.document.as_ref().map(document))
        .done()
}

fn organisation(o: &v1::Organisation) -> Value {
    Object::default()
        .text("name", &o.name)
        .text("country", &o.country)
        .text("capacity", &o.capacity)
        .text("address", &o.address)
        .text("register_number", &o.register_number)
        .done()
}

fn document(d: &v1::Document) -> Value {
    Object::default()
        .text("type", &d.r#type)
        .text("number", &d.number)
        .text("country", &d.country)
        .text("mrz", &d.mrz)
        .done()
}

fn device(d: &v1::Device) -> Value {
    Object::default()
        .text("imei", &d.imei)
        .text("description", &d.description)
        .done()
}
