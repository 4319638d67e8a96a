use serde::{Deserialize, Deserializer, Serialize, de};
use std::fmt;

/// A decimal number that is not negative, as an officer wrote it: no binary fraction ever touches
/// it. At most 15 digits before and 6 after the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// The number times 10^6.
    micros: u128,
}

const SCALE: u32 = 6;
const ONE: u128 = 10u128.pow(SCALE);

impl Decimal {
    /// Reads `139.4` or `139,4`. `None` for signs, exponents, separators of thousands, or more
    /// digits than allowed.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
        let digits = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        };
        if !digits(whole, 15) || !digits(fraction, SCALE as usize) {
            return None;
        }
        let fraction_digits = u32::try_from(fraction.len()).ok()?;
        let whole: u128 = whole.parse().ok()?;
        let fraction: u128 = fraction.parse().ok()?;
        Some(Self {
            micros: whole * ONE + fraction * 10u128.pow(SCALE - fraction_digits),
        })
    }

    /// Whether it is nought.
    pub fn is_zero(self) -> bool {
        self.micros == 0
    }

    /// The mass in milligrams when one unit is `ng` nanograms, rounded down; `None` past u64.
    pub(crate) fn milligrams(self, ng: u64) -> Option<u64> {
        u64::try_from(self.micros.checked_mul(u128::from(ng))? / ONE / 1_000_000).ok()
    }

    /// The kilograms in so many milligrams.
    pub(crate) fn kilograms(milligrams: u64) -> Self {
        Self {
            micros: u128::from(milligrams),
        }
    }

    /// Rounded to three digits after the point.
    pub(crate) fn rounded(self) -> Self {
        Self {
            micros: (self.micros + 500) / 1000 * 1000,
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.micros / ONE, self.micros % ONE);
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{fraction:06}");
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

/// An amount in a draft: a number, or a text that may be `unknown`. Kept as text until checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct AmountText(pub String);

impl<'de> Deserialize<'de> for AmountText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = AmountText;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or \"unknown\"")
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<AmountText, E> {
                Ok(AmountText(v.to_owned()))
            }
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<AmountText, E> {
                Ok(AmountText(v.to_string()))
            }
            fn visit_u64<E: de::Error>(self, v: u64) -> Result<AmountText, E> {
                Ok(AmountText(v.to_string()))
            }
            fn visit_f64<E: de::Error>(self, v: f64) -> Result<AmountText, E> {
                // The shortest text that reads back as this float: what the officer typed.
                Ok(AmountText(v.to_string()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_read_and_written() {
        for (text, out) in [
            ("139.4", "139.4"),
            ("139,40", "139.4"),
            ("007", "7"),
            ("0.000001", "0.000001"),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().to_string(), out);
        }
        for bad in [
            "",
            "-1",
            "+1",
            "1e3",
            "1.",
            ".5",
            "1,000.5",
            "1.0000001",
            "1234567890123456",
            "NaN",
        ] {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn fifty_pounds_in_kilograms() {
        let mg = Decimal::parse("50")
            .unwrap()
            .milligrams(453_592_370_000)
            .unwrap();
        assert_eq!(mg, 22_679_618);
        assert_eq!(Decimal::kilograms(mg).to_string(), "22.679618");
        assert_eq!(Decimal::kilograms(mg).rounded().to_string(), "22.68");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(micros in 0u64..) {
            let decimal = Decimal { micros: u128::from(micros) };
            prop_assert_eq!(Decimal::parse(&decimal.to_string()), Some(decimal));
        }
    }
}
