use abeng_wire::{Millis, v1};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A label of the Traffic Light Protocol 2.0, in ascending strictness. Its number is the one on
/// the wire and in grants.
///
/// Source: FIRST, <https://www.first.org/tlp/>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tlp {
    /// May be told to the world.
    #[serde(rename = "CLEAR")]
    Clear = 1,
    /// May be told within the community.
    #[serde(rename = "GREEN")]
    Green = 2,
    /// For the recipients' organisations and their clients, as needed.
    #[serde(rename = "AMBER")]
    Amber = 3,
    /// For the recipients' organisations only.
    #[serde(rename = "AMBER+STRICT")]
    AmberStrict = 4,
    /// For the eyes of the individual recipients only.
    #[serde(rename = "RED")]
    Red = 5,
}

impl Tlp {
    /// All, from the most open to the strictest.
    pub const ALL: [Self; 5] = [
        Self::Clear,
        Self::Green,
        Self::Amber,
        Self::AmberStrict,
        Self::Red,
    ];

    /// The label of a draft that names none.
    pub const DEFAULT: Self = Self::Amber;

    /// From the number on the wire.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.number() == number)
    }

    /// The number on the wire.
    pub fn number(self) -> u32 {
        self as u32
    }

    /// As TLP 2.0 writes it, without the prefix `TLP:`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clear => "CLEAR",
            Self::Green => "GREEN",
            Self::Amber => "AMBER",
            Self::AmberStrict => "AMBER+STRICT",
            Self::Red => "RED",
        }
    }

    /// From its name in any case, with or without the prefix `TLP:`.
    pub fn parse(text: &str) -> Option<Self> {
        let upper = text.trim().to_ascii_uppercase();
        let name = upper.strip_prefix("TLP:").unwrap_or(&upper);
        Self::ALL.into_iter().find(|t| t.name() == name)
    }

    pub(crate) fn to_wire(self) -> v1::Tlp {
        match self {
            Self::Clear => v1::Tlp::Clear,
            Self::Green => v1::Tlp::Green,
            Self::Amber => v1::Tlp::Amber,
            Self::AmberStrict => v1::Tlp::AmberStrict,
            Self::Red => v1::Tlp::Red,
        }
    }
}

impl fmt::Display for Tlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Everything on a notice that says what may be done with it. TLP is checked by honest nodes at
/// both ends; code and conditions bind people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Handling {
    /// How far it may be told.
    pub tlp: Tlp,
    /// A handling code of the grade's scheme, empty where none.
    pub code: String,
    /// Conditions in words.
    pub conditions: Vec<String>,
    /// Whether names of persons are inside.
    pub nominal: bool,
    /// When its body is to be scrubbed, Unix milliseconds; 0 where the originator names no time.
    pub keep_until: Millis,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_numbers_agree_with_the_wire() {
        for tlp in Tlp::ALL {
            assert_eq!(tlp.to_wire() as i32, tlp as i32);
            assert_eq!(Tlp::from_number(tlp.number()), Some(tlp));
            assert_eq!(
                Tlp::parse(&format!("tlp:{}", tlp.name().to_lowercase())),
                Some(tlp)
            );
        }
        assert_eq!(Tlp::from_number(0), None);
        assert!(Tlp::AmberStrict > Tlp::Amber);
    }
}
