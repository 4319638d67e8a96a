//! Bytes as lines that a tired person types: ten bytes a line, four groups of four characters and
//! two check characters.
//!
//! The characters are Crockford's base 32, which knows no I, L, O and U; what is typed in their place,
//! but for U, is taken for what was meant. The check characters are those of a Reed-Solomon code over
//! GF(2^5) that has the line's number in it: up to two wrong characters, two that changed places, and a
//! line that stands in another's place are always found.

use std::fmt;
use zeroize::Zeroizing;

/// Bytes of one line.
pub const LINE: usize = 10;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters that carry the bytes.
const DATA: usize = 16;
/// With the two that check them.
const WHOLE: usize = DATA + 2;

/// Why a line is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// A character that no sheet has.
    #[error("`{0}` stands on no sheet{hint}", hint = hint(*.0))]
    Character(
        /// The character.
        char,
    ),
    /// Too many or too few.
    #[error("a line has {WHOLE} characters and this has {0}")]
    Length(
        /// How many there are.
        usize,
    ),
    /// The check characters do not fit.
    #[error("something in it is mistyped{}", place(*.group))]
    Check {
        /// Where to look first, groups from 1 to 5: it is there if only one character is wrong.
        group: Option<u8>,
    },
}

fn hint(found: char) -> &'static str {
    match found {
        'U' | 'u' => ": perhaps it is a V",
        _ => "",
    }
}

fn place(group: Option<u8>) -> String {
    match group {
        Some(group) => format!(": look at group {group} first"),
        None => ", or it is another line".to_owned(),
    }
}

/// A line as printed: `K7QF 2MXA 9PRT D4WZ 6H`. `number` is its place on the sheet, from 1.
pub fn write_line(number: usize, bytes: &[u8; LINE]) -> Zeroizing<String> {
    let symbols = symbols(bytes);
    let (sum, weighted) = sums(number, &symbols[..DATA]);
    // Σ v = 0 and Σ v·α^i = 0 over all 18 and the line's number: two equations for the last two.
    let (a, b) = (power(DATA), power(DATA + 1));
    let first = divide(weighted ^ product(b, sum), a ^ b);
    let checks = [first, sum ^ first];
    let mut out = Zeroizing::new(String::with_capacity(WHOLE + 4));
    for (nth, symbol) in symbols[..DATA].iter().chain(&checks).enumerate() {
        if nth > 0 && nth % 4 == 0 {
            out.push(' ');
        }
        out.push(char::from(ALPHABET[usize::from(*symbol)]));
    }
    out
}

/// Reads the line with that number. Case, spaces and hyphens do not matter, nor does the number
/// in front of a colon.
pub fn read_line(number: usize, text: &str) -> Result<Zeroizing<[u8; LINE]>, LineError> {
    let typed = text.split_once(':').map_or(text, |(_, typed)| typed);
    let mut symbols = Zeroizing::new([0_u8; WHOLE]);
    let mut length = 0;
    for found in typed.chars() {
        let symbol = match found.to_ascii_uppercase() {
            ' ' | '-' | '\t' | '\r' | '\n' => continue,
            'O' => 0,
            'I' | 'L' => 1,
            upper => ALPHABET
                .iter()
                .position(|&known| char::from(known) == upper)
                .ok_or(LineError::Character(found))? as u8,
        };
        if let Some(place) = symbols.get_mut(length) {
            *place = symbol;
        }
        length += 1;
    }
    if length != WHOLE {
        return Err(LineError::Length(length));
    }
    match sums(number, &symbols[..]) {
        (0, 0) => Ok(bytes(&symbols)),
        wrong => Err(LineError::Check {
            group: single(wrong),
        }),
    }
}

/// All lines of a sheet; `bytes` in whole lines.
pub fn write_lines(bytes: &[u8]) -> Vec<Zeroizing<String>> {
    let (lines, _) = bytes.as_chunks::<LINE>();
    let numbered = lines.iter().zip(1..);
    numbered.map(|(line, n)| write_line(n, line)).collect()
}

/// The bytes of all lines, or the number of the first that is none and why.
pub fn read_lines<'a>(
    lines: impl IntoIterator<Item = &'a str>,
) -> Result<Zeroizing<Vec<u8>>, (usize, LineError)> {
    let mut out = Zeroizing::new(Vec::with_capacity(64 * LINE));
    for (text, number) in lines.into_iter().zip(1..) {
        let line = read_line(number, text).map_err(|why| (number, why))?;
        out.extend_from_slice(&line[..]);
    }
    Ok(out)
}

/// The sum, and the sum with the weight α^place, of the characters and the line's number behind them.
fn sums(number: usize, symbols: &[u8]) -> (u8, u8) {
    let number = (number % 32) as u8;
    let begun = (number, product(number, power(WHOLE)));
    let placed = symbols.iter().enumerate();
    placed.fold(begun, |(sum, weighted), (place, &symbol)| {
        (sum ^ symbol, weighted ^ product(symbol, power(place)))
    })
}

/// The group of the one character that, alone, would explain these sums.
fn single((sum, weighted): (u8, u8)) -> Option<u8> {
    if sum == 0 || weighted == 0 {
        return None;
    }
    let place = (0..WHOLE).find(|&place| product(sum, power(place)) == weighted)?;
    Some((place / 4) as u8 + 1)
}

/// GF(2^5) modulo x^5 + x^2 + 1, in which α = 2 has order 31.
fn product(a: u8, b: u8) -> u8 {
    let (mut a, mut out) = (a, 0);
    for bit in 0..5 {
        out ^= a & 0_u8.wrapping_sub((b >> bit) & 1);
        a = (a << 1) ^ (0x25 & 0_u8.wrapping_sub((a >> 4) & 1));
    }
    out
}

fn power(exponent: usize) -> u8 {
    (0..exponent % 31).fold(1, |out, _| product(out, 2))
}

/// `a / b`: b^30 is 1 / b.
fn divide(a: u8, b: u8) -> u8 {
    (0..30).fold(a, |out, _| product(out, b))
}

fn symbols(bytes: &[u8; LINE]) -> Zeroizing<[u8; DATA]> {
    let mut out = Zeroizing::new([0; DATA]);
    for (nth, symbol) in out.iter_mut().enumerate() {
        for bit in nth * 5..nth * 5 + 5 {
            *symbol = *symbol << 1 | bytes[bit / 8] >> (7 - bit % 8) & 1;
        }
    }
    out
}

fn bytes(symbols: &[u8; WHOLE]) -> Zeroizing<[u8; LINE]> {
    let mut out = Zeroizing::new([0; LINE]);
    for bit in 0..DATA * 5 {
        out[bit / 8] |= (symbols[bit / 5] >> (4 - bit % 5) & 1) << (7 - bit % 8);
    }
    out
}

impl fmt::Display for Groups<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, byte) in self.0.iter().enumerate() {
            if nth > 0 && nth % 2 == 0 {
                f.write_str("-")?;
            }
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}

/// Bytes to be compared by eye: `3F09-A1C2`.
pub(crate) struct Groups<'a>(pub(crate) &'a [u8]);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_is_pinned() {
        // The check characters were computed with another program from the text of the protocol.
        let line = write_line(1, b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99");
        assert_eq!(*line, LINE_1);
        assert_eq!(*write_line(2, &[0xff; LINE]), LINE_2);
    }

    const LINE_1: &str = "008J 4CT4 ANK7 F24S DV";
    const LINE_2: &str = "ZZZZ ZZZZ ZZZZ ZZZZ CE";

    #[test]
    fn what_a_tired_hand_writes_is_read() {
        let bytes = [0x08, 0x42, 0x10, 0x84, 0x21, 0, 0, 0, 0, 0];
        let line = write_line(3, &bytes);
        assert!(line.starts_with("1111 1111 0000 0000 "), "{}", *line);
        let crooked = line.to_lowercase().replace(' ', "-");
        let crooked = crooked
            .replacen("1111", "iLlI", 1)
            .replacen("0000", "OoOo", 1);
        for text in [
            &crooked[..],
            &format!(" 3: {crooked}\r\n"),
            &line.replace(' ', ""),
        ] {
            assert_eq!(*read_line(3, text).unwrap(), bytes, "{text}");
        }
    }

    #[test]
    fn what_no_sheet_has_is_named() {
        let line = write_line(1, &[7; LINE]);
        assert_eq!(
            read_line(1, &line[..line.len() - 1]),
            Err(LineError::Length(17))
        );
        assert_eq!(
            read_line(1, &format!("{}0", *line)),
            Err(LineError::Length(19))
        );
        assert_eq!(read_line(1, ""), Err(LineError::Length(0)));
        let with_u = format!("U{}", &line[1..]);
        let error = read_line(1, &with_u).unwrap_err();
        assert!(error.to_string().contains("perhaps it is a V"), "{error}");
        assert_eq!(read_line(1, "é"), Err(LineError::Character('é')));
    }

    #[test]
    fn one_wrong_character_is_found_with_its_group() {
        let line = write_line(4, b"0123456789");
        for at in (0..line.len()).filter(|&at| !line[at..].starts_with(' ')) {
            for other in ALPHABET.iter().map(|&b| char::from(b)) {
                let mut wrong = line.to_string();
                wrong.replace_range(at..=at, &other.to_string());
                if wrong != *line {
                    let group = Some((at / 5) as u8 + 1);
                    assert_eq!(read_line(4, &wrong), Err(LineError::Check { group }));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn two_wrong_characters_swaps_and_lines_out_of_place_are_found(
            content in any::<[u8; LINE]>(),
            number in 1_usize..31,
            (a, b) in (0..WHOLE, 0..WHOLE),
            (x, y) in (1_u8..32, 0_u8..32),
            other in 1_usize..31,
        ) {
            let line = write_line(number, &content);
            prop_assert_eq!(*read_line(number, &line).unwrap(), content);
            if other != number {
                prop_assert!(read_line(other, &line).is_err());
            }
            let typed: Vec<u8> = line.bytes().filter(|c| *c != b' ').collect();
            let value = |c: u8| ALPHABET.iter().position(|k| *k == c).unwrap() as u8;
            let text = |typed: &[u8]| String::from_utf8(typed.to_vec()).unwrap();
            let mut wrong = typed.clone();
            for (at, by) in [(a, x), (b, y)] {
                wrong[at] = ALPHABET[usize::from(value(wrong[at]) ^ by)];
            }
            prop_assert_eq!(read_line(number, &text(&wrong)).is_err(), wrong != typed);
            let mut swapped = typed.clone();
            swapped.swap(a, b);
            prop_assert_eq!(read_line(number, &text(&swapped)).is_err(), swapped != typed);
        }
    }

    #[test]
    fn lines_follow_each_other_and_the_wrong_one_is_named() {
        let content: Vec<u8> = (0..40).collect();
        let mut lines = write_lines(&content);
        let read = |lines: &[Zeroizing<String>]| {
            read_lines(lines.iter().map(|l| l.as_str())).map(|bytes| bytes.to_vec())
        };
        assert_eq!(read(&lines), Ok(content));
        lines.swap(1, 2);
        assert!(matches!(read(&lines), Err((2, LineError::Check { .. }))));
    }
}
