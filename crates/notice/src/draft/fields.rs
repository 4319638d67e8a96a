use super::{
    ContainerDraft, ConveyanceDraft, DateText, DeviceDraft, DocumentDraft, GoodsDraft, GradeDraft,
    LegalBasisDraft, OrganisationDraft, PersonDraft, PlaceDraft, RouteDraft, ValueDraft,
};
use serde::{Deserialize, Serialize};

/// A notice as an officer writes it, in TOML or JSON. Flat: the keys of the header, then those of
/// the type. Codes may be written as their code or as their name in any of the four languages.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Draft {
    /// `SEIZURE` (where absent), `FEEDBACK` or `RECALL`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The administration that the draft is written for; refused at another.
    pub administration: Option<String>,
    /// Recipients: codes of parties or groups. They stand on the envelope, see [`Draft::wishes`].
    pub to: Vec<String>,
    /// `FLASH`, `IMMEDIATE`, `PRIORITY` or `ROUTINE`.
    pub precedence: Option<String>,
    /// When the envelope stops being carried: a date, or a length such as `30d` or `12h`.
    pub expires: Option<DateText>,
    /// Training traffic, never counted.
    pub exercise: bool,
    /// TLP 2.0 label; AMBER where absent.
    pub tlp: Option<String>,
    /// Handling code of the grade's scheme.
    pub handling_code: Option<String>,
    /// Handling conditions in words.
    pub handling_conditions: Vec<String>,
    /// Reference of the officer, never a source's name.
    pub officer: Option<String>,
    /// The office that reports.
    pub reporting_office: Option<String>,
    /// Operation code.
    pub operation: Option<String>,
    /// Case reference.
    pub case_reference: Option<String>,
    /// Envelope id (64 hex digits) of the notice that this one answers.
    pub in_reply_to: Option<String>,
    /// Envelope id (64 hex digits) of the notice that this one replaces.
    pub supersedes: Option<String>,
    /// When an answer is due.
    pub reply_by: Option<DateText>,
    /// Treaty article, memorandum or national law.
    pub legal_basis: Option<LegalBasisDraft>,
    /// What it may be used for.
    pub purpose: Option<String>,
    /// Source and information grade.
    pub grade: Option<GradeDraft>,
    /// Whether names of persons are inside; set by itself where persons are named.
    pub nominal: Option<bool>,
    /// When the body is to be scrubbed everywhere.
    pub keep_until: Option<DateText>,
    /// Language of free text, BCP 47.
    pub language: Option<String>,
    /// Where the facts come from; never a person's name.
    pub source: Option<String>,
    /// Anything else, in words.
    pub remarks: Option<String>,
    /// Files that belong to it. The command puts what the node has called each in its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attach: Vec<String>,

    /// When it happened: `2024-05-31`, `2024-05`, `2024`, `2024-05-31T14:30Z` or `unknown`.
    pub date: Option<DateText>,
    /// SEIZURE: where: UN/LOCODE, country, or a table with `code`, `name`, `lat`, `lon`.
    pub place: Option<PlaceDraft>,
    /// SEIZURE: the office, terminal or berth in words.
    pub office: Option<String>,
    /// SEIZURE: code of location-type.
    pub location_type: Option<String>,
    /// SEIZURE: code of direction.
    pub direction: Option<String>,
    /// SEIZURE: what and how much.
    pub goods: Vec<GoodsDraft>,
    /// SEIZURE: what it is worth.
    pub value: Option<ValueDraft>,
    /// SEIZURE: what carried it.
    pub conveyance: Option<ConveyanceDraft>,
    /// SEIZURE: containers by number.
    pub containers: Vec<ContainerDraft>,
    /// SEIZURE: bill of lading.
    pub bill_of_lading: Option<String>,
    /// SEIZURE: air waybill, 11 digits.
    pub air_waybill: Option<String>,
    /// SEIZURE: from, through and to.
    pub route: Option<RouteDraft>,
    /// SEIZURE: how it was hidden, in words.
    pub concealment: Option<String>,
    /// SEIZURE: code of concealment.
    pub concealment_method: Option<String>,
    /// SEIZURE: how it was found, in words.
    pub detection: Option<String>,
    /// SEIZURE: code of detection.
    pub detection_method: Option<String>,
    /// SEIZURE: persons.
    pub persons: Vec<PersonDraft>,
    /// SEIZURE: organisations.
    pub organisations: Vec<OrganisationDraft>,
    /// SEIZURE: documents.
    pub documents: Vec<DocumentDraft>,
    /// SEIZURE: telephones and the like.
    pub devices: Vec<DeviceDraft>,
    /// SEIZURE: persons arrested.
    pub arrests: Option<u32>,

    /// FEEDBACK: code of outcome.
    pub outcome: Option<String>,
    /// FEEDBACK: code of control.
    pub control: Option<String>,
    /// FEEDBACK: code of usefulness.
    pub usefulness: Option<String>,
    /// FEEDBACK: envelope id of the seizure that it led to.
    pub seizure: Option<String>,

    /// RECALL: envelope id of the own notice that is taken back.
    pub recalls: Option<String>,
    /// RECALL: code of recall-reason.
    pub reason: Option<String>,
    /// RECALL: why, in words.
    pub text: Option<String>,
}
