//! Identifiers and their check digits. A wrong check digit is a doubt, never an error: a false
//! number can itself be the intelligence.

mod goods;
mod mrz;
mod transport;

pub use goods::{imei, vin};
pub use mrz::{mrz, mrz_check_digit};
pub use transport::{air_waybill, container, flight, imo, mmsi};

/// What an identifier check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdFault {
    /// Not written as such an identifier is. Holds a pattern or an example.
    Form(&'static str),
    /// The check digit does not fit. Holds the identifier with the digit that would.
    CheckDigit(String),
    /// Well formed, but outside the numbers that are given out. Holds the range.
    Range(&'static str),
}

/// An identifier as it travels (upper case, separators off), and what is doubtful about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    /// As it travels.
    pub text: String,
    /// `None` where all is well.
    pub fault: Option<IdFault>,
}

impl Identifier {
    /// Takes spaces, points, hyphens and slashes off, upper-cases, then asks `check`.
    fn read(text: &str, check: impl FnOnce(&str) -> Result<(), IdFault>) -> Self {
        let text: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '.' | '-' | '/'))
            .flat_map(char::to_uppercase)
            .collect();
        let fault = check(&text).err();
        Self { text, fault }
    }
}

fn all_digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_digit())
}

/// The values of decimal digits; other bytes count as 0 and are refused before.
fn digits(text: &str) -> impl DoubleEndedIterator<Item = u32> + '_ {
    text.bytes().map(|b| u32::from(b.wrapping_sub(b'0')) % 10)
}

/// Compares the last character of `text` with the right one.
fn last_is(text: &str, right: char) -> Result<(), IdFault> {
    let mut fixed = text.to_owned();
    if fixed.pop() == Some(right) {
        return Ok(());
    }
    fixed.push(right);
    Err(IdFault::CheckDigit(fixed))
}

fn digit(value: u32) -> char {
    char::from_digit(value % 10, 10).unwrap_or('0')
}
