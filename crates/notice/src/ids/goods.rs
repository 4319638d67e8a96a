use super::{IdFault, Identifier, all_digits, digit, digits, last_is};

/// A telephone's equipment identity, as in `490154203237518`.
///
/// Source: 3GPP TS 23.003 annex B (Luhn).
pub fn imei(text: &str) -> Identifier {
    Identifier::read(text, |text| {
        if !all_digits(text, 15) {
            return Err(IdFault::Form("490154203237518"));
        }
        let sum: u32 = digits(&text[..14])
            .enumerate()
            .map(|(i, d)| {
                let d = if i % 2 == 1 { d * 2 } else { d };
                d / 10 + d % 10
            })
            .sum();
        last_is(text, digit(10 - sum % 10))
    })
}

/// A vehicle's identification number, as in `1M8GDM9AXKP042788`. Its check digit is used in North
/// America and China only, so a wrong one is a weak sign.
///
/// Source: ISO 3779; 49 CFR 565.15.
pub fn vin(text: &str) -> Identifier {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    Identifier::read(text, |text| {
        let values: Option<Vec<u32>> = text.bytes().map(vin_value).collect();
        let Some(values) = values.filter(|v| v.len() == 17) else {
            return Err(IdFault::Form("1M8GDM9AXKP042788"));
        };
        let sum: u32 = values.iter().zip(WEIGHTS).map(|(v, w)| v * w).sum();
        let right = match sum % 11 {
            10 => 'X',
            n => digit(n),
        };
        if text.as_bytes()[8] == right as u8 {
            return Ok(());
        }
        Err(IdFault::CheckDigit(format!(
            "{}{right}{}",
            &text[..8],
            &text[9..]
        )))
    })
}

/// `None` for I, O, Q and whatever is no letter or digit.
fn vin_value(b: u8) -> Option<u32> {
    let value = match b {
        b'0'..=b'9' => b - b'0',
        b'A'..=b'H' => b - b'A' + 1,
        b'J'..=b'N' => b - b'J' + 1,
        b'P' => 7,
        b'R' => 9,
        b'S'..=b'Z' => b - b'S' + 2,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn telephones() {
        assert_eq!(imei("490154203237518").fault, None);
        assert_eq!(imei("49-015420-323751-8").text, "490154203237518");
        assert_eq!(
            imei("490154203237517").fault,
            Some(IdFault::CheckDigit("490154203237518".to_owned()))
        );
        assert!(matches!(
            imei("49015420323751").fault,
            Some(IdFault::Form(_))
        ));
    }

    #[test]
    fn vehicles() {
        assert_eq!(vin("1M8GDM9AXKP042788").fault, None);
        assert_eq!(vin("11111111111111111").fault, None);
        assert_eq!(
            vin("1M8GDM9A1KP042788").fault,
            Some(IdFault::CheckDigit("1M8GDM9AXKP042788".to_owned()))
        );
        for bad in [
            "1M8GDM9AXKP04278",
            "1M8GDM9AXKPO42788",
            "",
            "1M8GDM9AXKP04278É",
        ] {
            assert!(matches!(vin(bad).fault, Some(IdFault::Form(_))), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn one_digit_mistyped_is_seen(at in 0usize..15, by in 1u8..10) {
            let mut text = b"490154203237518".to_vec();
            text[at] = b'0' + (text[at] - b'0' + by) % 10;
            prop_assert!(imei(std::str::from_utf8(&text).unwrap()).fault.is_some());
        }
    }
}
