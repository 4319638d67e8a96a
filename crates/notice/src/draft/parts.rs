use super::{DateText, PlaceDraft};
use crate::decimal::AmountText;
use serde::{Deserialize, Serialize};

/// One kind of goods: at least one of `hs`, `drug`, `arms`, `description`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GoodsDraft {
    /// Harmonized System 2022, 6 digits; points and spaces are ignored.
    pub hs: Option<String>,
    /// Code of drug.
    pub drug: Option<String>,
    /// Code of arms.
    pub arms: Option<String>,
    /// In words.
    pub description: Option<String>,
    /// Brand.
    pub brand: Option<String>,
    /// Serial numbers.
    pub serials: Vec<String>,
    /// How much, or `unknown`.
    pub quantity: Option<AmountText>,
    /// UN/ECE Recommendation 20 code; kg and the like are understood.
    pub unit: Option<String>,
    /// Whether the quantity is a guess.
    pub estimated: bool,
    /// Number of packages.
    pub packages: Option<u32>,
}

/// What the goods are worth.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ValueDraft {
    /// How much.
    pub amount: Option<AmountText>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// Whether it is a guess.
    pub estimated: bool,
}

/// What carried the goods.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConveyanceDraft {
    /// Code of mode; `unknown` is one.
    pub mode: Option<String>,
    /// Of the vessel, aircraft or carrier.
    pub name: Option<String>,
    /// IMO ship number, 7 digits.
    pub imo: Option<String>,
    /// MMSI, 9 digits.
    pub mmsi: Option<String>,
    /// Registration of an aircraft, a boat or a vehicle.
    pub registration: Option<String>,
    /// Flag, ISO 3166-1.
    pub flag: Option<String>,
    /// Voyage number.
    pub voyage: Option<String>,
    /// Flight number.
    pub flight: Option<String>,
    /// Vehicle identification number, 17 characters.
    pub vin: Option<String>,
    /// Containers, where their numbers are not given.
    pub container_count: Option<u32>,
    /// Type and size of container in words.
    pub container_type: Option<String>,
    /// Seal number or state.
    pub seal: Option<String>,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContainerDraft {
    /// ISO 6346, 11 characters.
    pub number: Option<String>,
    /// Size and type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Seal numbers.
    pub seals: Vec<String>,
    /// Goods as declared.
    pub declared: Option<String>,
}

/// The way of the goods. From: `origin`, `departure` or `departures`; to: `destination` or
/// `destinations`; each may be `unknown`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouteDraft {
    /// Where the goods come from.
    pub origin: Option<PlaceDraft>,
    /// Where they were loaded.
    pub departure: Option<PlaceDraft>,
    /// Where they were loaded, for more than one place.
    pub departures: Vec<PlaceDraft>,
    /// Through.
    pub transit: Vec<PlaceDraft>,
    /// To.
    pub destination: Option<PlaceDraft>,
    /// To, for more than one place.
    pub destinations: Vec<PlaceDraft>,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PersonDraft {
    /// Family name.
    pub family_name: Option<String>,
    /// Given names.
    pub given_names: Option<String>,
    /// Date of birth; a year alone is allowed.
    pub born: Option<DateText>,
    /// ISO 3166-1.
    pub nationality: Option<String>,
    /// Code of capacity.
    pub capacity: Option<String>,
    /// Passport or other paper.
    pub document: Option<DocumentDraft>,
}

/// A company or other body.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrganisationDraft {
    /// Name.
    pub name: Option<String>,
    /// ISO 3166-1.
    pub country: Option<String>,
    /// Code of capacity.
    pub capacity: Option<String>,
    /// Address.
    pub address: Option<String>,
    /// Number in a register of companies or taxpayers.
    pub register_number: Option<String>,
}

/// A paper.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DocumentDraft {
    /// Code of document.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its number.
    pub number: Option<String>,
    /// Who issued it, ISO 3166-1.
    pub country: Option<String>,
    /// Machine-readable zone of ICAO 9303, lines separated by newlines or spaces.
    pub mrz: Option<String>,
}

/// A telephone or other device.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeviceDraft {
    /// IMEI, 15 digits.
    pub imei: Option<String>,
    /// In words.
    pub description: Option<String>,
}

/// Why this may be told.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LegalBasisDraft {
    /// Code of legal-basis.
    pub kind: Option<String>,
    /// The article.
    pub text: Option<String>,
}

/// How far source and information are trusted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GradeDraft {
    /// Code of grade-scheme.
    pub scheme: Option<String>,
    /// The scheme's value for the source.
    pub source: Option<String>,
    /// The scheme's value for the information.
    pub information: Option<String>,
}
