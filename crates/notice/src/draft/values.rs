use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize, de};
use std::fmt;

/// A date or moment as written: text, a TOML date, or a year as a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct DateText(pub String);

impl From<&str> for DateText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl<'de> Deserialize<'de> for DateText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = DateText;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date such as \"2024-05-31\", \"2024-05\" or \"2024\"")
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<DateText, E> {
                Ok(DateText(v.to_owned()))
            }
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<DateText, E> {
                Ok(DateText(v.to_string()))
            }
            fn visit_u64<E: de::Error>(self, v: u64) -> Result<DateText, E> {
                Ok(DateText(v.to_string()))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<DateText, A::Error> {
                // How the toml crate hands over its native dates.
                let date = toml::value::Datetime::deserialize(MapAccessDeserializer::new(map))?;
                Ok(DateText(date.to_string()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Degrees, WGS 84.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// North positive.
    pub lat: f64,
    /// East positive.
    pub lon: f64,
}

/// A place: a text (UN/LOCODE, country code or `unknown`), or a table with `code`, `name`, `lat`, `lon`.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct PlaceDraft {
    /// UN/LOCODE, ISO 3166-1 alpha-2, or `unknown`.
    pub code: Option<String>,
    /// In words.
    pub name: Option<String>,
    /// Latitude in degrees.
    pub lat: Option<f64>,
    /// Longitude in degrees.
    pub lon: Option<f64>,
}

impl From<&str> for PlaceDraft {
    fn from(code: &str) -> Self {
        Self {
            code: Some(code.to_owned()),
            ..Self::default()
        }
    }
}

impl<'de> Deserialize<'de> for PlaceDraft {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            code: Option<String>,
            name: Option<String>,
            lat: Option<f64>,
            lon: Option<f64>,
        }
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = PlaceDraft;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a place such as \"JMKIN\", \"JM\", \"unknown\" or { lat = 17.9, lon = -76.8 }",
                )
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<PlaceDraft, E> {
                Ok(v.into())
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<PlaceDraft, A::Error> {
                let Table {
                    code,
                    name,
                    lat,
                    lon,
                } = Table::deserialize(MapAccessDeserializer::new(map))?;
                Ok(PlaceDraft {
                    code,
                    name,
                    lat,
                    lon,
                })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
