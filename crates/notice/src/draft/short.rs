use super::{ConveyanceDraft, DateText, Draft, GoodsDraft, PlaceDraft, RouteDraft};
use crate::decimal::AmountText;

/// The short form of a seizure: what an officer can say in sixty seconds. Everything is text as
/// typed and is checked later; `unknown` is an answer where it says so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShortSeizure {
    /// When: a date, or `unknown`.
    pub when: String,
    /// Where: UN/LOCODE or country.
    pub place: String,
    /// What: Harmonized System code.
    pub hs: Option<String>,
    /// What: drug by code or name.
    pub drug: Option<String>,
    /// What: arms by code or name.
    pub arms: Option<String>,
    /// What, in words.
    pub description: Option<String>,
    /// How much: a number, or `unknown`.
    pub quantity: Option<String>,
    /// Its unit: `kg`, or a code of UN/ECE Recommendation 20.
    pub unit: Option<String>,
    /// Number of packages.
    pub packages: Option<u32>,
    /// How it was carried: code of mode, or `unknown`.
    pub mode: String,
    /// From where: UN/LOCODE, country, or `unknown`.
    pub from: String,
    /// To where: UN/LOCODE, country, or `unknown`.
    pub to: String,
}

impl Draft {
    /// A draft from the short form. Empty texts count as absent.
    pub fn seizure_short(short: ShortSeizure) -> Self {
        let given = |text: String| (!text.trim().is_empty()).then_some(text);
        Self {
            kind: Some("SEIZURE".to_owned()),
            date: given(short.when).map(DateText),
            place: given(short.place).map(|p| PlaceDraft::from(&*p)),
            goods: vec![GoodsDraft {
                hs: short.hs.and_then(given),
                drug: short.drug.and_then(given),
                arms: short.arms.and_then(given),
                description: short.description.and_then(given),
                quantity: short.quantity.and_then(given).map(AmountText),
                unit: short.unit.and_then(given),
                packages: short.packages,
                ..GoodsDraft::default()
            }],
            conveyance: Some(ConveyanceDraft {
                mode: given(short.mode),
                ..ConveyanceDraft::default()
            }),
            route: Some(RouteDraft {
                departure: given(short.from).map(|p| PlaceDraft::from(&*p)),
                destination: given(short.to).map(|p| PlaceDraft::from(&*p)),
                ..RouteDraft::default()
            }),
            ..Self::default()
        }
    }
}
