use super::{IdFault, Identifier, all_digits, digit, digits, last_is};

/// A freight container's number, as in `CSQU3054383`.
///
/// Source: ISO 6346, annex A: letters count 10 to 38 without multiples of 11, weights are powers
/// of two, sum modulo 11 modulo 10.
pub fn container(text: &str) -> Identifier {
    Identifier::read(text, |text| {
        let well_formed = text.len() == 11
            && text.bytes().enumerate().all(|(i, b)| match i {
                0..=2 => b.is_ascii_uppercase(),
                3 => matches!(b, b'U' | b'J' | b'Z'),
                _ => b.is_ascii_digit(),
            });
        if !well_formed {
            return Err(IdFault::Form("CSQU3054383"));
        }
        let sum: u32 = text
            .bytes()
            .take(10)
            .enumerate()
            .map(|(i, b)| container_value(b) << i)
            .sum();
        last_is(text, digit(sum % 11))
    })
}

fn container_value(b: u8) -> u32 {
    if b.is_ascii_digit() {
        return u32::from(b - b'0');
    }
    let plain = 10 + u32::from(b - b'A');
    // 11, 22 and 33 are left out.
    plain + u32::from(plain >= 11) + u32::from(plain >= 21) + u32::from(plain >= 31)
}

/// A ship's number, as in `9074729`, also written `IMO 9074729`.
///
/// Source: IMO resolution A.1117(30): weights 7 to 2, last digit of the sum.
pub fn imo(text: &str) -> Identifier {
    let text = text.trim();
    let bare = match text.get(..3) {
        Some(prefix) if prefix.eq_ignore_ascii_case("IMO") => &text[3..],
        _ => text,
    };
    Identifier::read(bare, |text| {
        if !all_digits(text, 7) {
            return Err(IdFault::Form("9074729"));
        }
        let sum: u32 = digits(text)
            .take(6)
            .zip((2..=7).rev())
            .map(|(d, w)| d * w)
            .sum();
        last_is(text, digit(sum))
    })
}

/// A maritime mobile service identity, by range: ships have country digits from 201 to 775 in
/// front; groups, coast stations, aircraft, aids to navigation and rescue devices have prefixes.
///
/// Source: ITU-R M.585.
pub fn mmsi(text: &str) -> Identifier {
    Identifier::read(text, |text| {
        if !all_digits(text, 9) {
            return Err(IdFault::Form("339300000"));
        }
        let country_at = match text.as_bytes() {
            [b'0', b'0', ..] => 2,
            [b'0' | b'8', ..] => 1,
            [b'9', b'8' | b'9', ..] => 2,
            [b'9', b'7', b'0' | b'2' | b'4', ..] => return Ok(()),
            [b'1', b'1', b'1', ..] => 3,
            _ => 0,
        };
        let country: u32 = text[country_at..country_at + 3].parse().unwrap_or(0);
        if (201..=775).contains(&country) {
            Ok(())
        } else {
            Err(IdFault::Range("201000000…775999999"))
        }
    })
}

/// A flight number, as in `BW 414` or `BWA414`: the carrier's two characters (IATA) or three
/// letters (ICAO), one to four digits, perhaps a letter.
///
/// Source: IATA Resolution 762 and SSIM; ICAO Doc 8585.
pub fn flight(text: &str) -> Identifier {
    Identifier::read(text, |text| {
        let carrier = |n: usize| -> bool {
            let Some((carrier, number)) = text.split_at_checked(n) else {
                return false;
            };
            let number = number
                .strip_suffix(|c: char| c.is_ascii_uppercase())
                .unwrap_or(number);
            let letters = carrier.bytes().filter(u8::is_ascii_uppercase).count();
            let carrier_fits = carrier.bytes().all(|b| b.is_ascii_alphanumeric())
                && if n == 2 { letters >= 1 } else { letters == 3 };
            carrier_fits
                && (1..=4).contains(&number.len())
                && number.bytes().all(|b| b.is_ascii_digit())
                && number.bytes().any(|b| b != b'0')
        };
        if carrier(2) || carrier(3) {
            Ok(())
        } else {
            Err(IdFault::Form("BW414"))
        }
    })
}

/// An air waybill, as in `020-12345675`: prefix of three digits, serial of seven, and the serial
/// modulo 7.
///
/// Source: IATA Resolution 600a.
pub fn air_waybill(text: &str) -> Identifier {
    Identifier::read(text, |text| {
        if !all_digits(text, 11) {
            return Err(IdFault::Form("020-12345675"));
        }
        let serial: u32 = text[3..10].parse().unwrap_or(0);
        last_is(text, digit(serial % 7))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wrong(id: &Identifier) -> Option<&str> {
        match &id.fault {
            Some(IdFault::CheckDigit(right)) => Some(right),
            _ => None,
        }
    }

    #[test]
    fn containers() {
        assert_eq!(container("CSQU3054383").fault, None);
        assert_eq!(container("csqu 305438-3").text, "CSQU3054383");
        assert_eq!(wrong(&container("CSQU3054384")), Some("CSQU3054383"));
        for bad in [
            "CSQX3054383",
            "CSQU305438",
            "CSQU30543833",
            "ÇSQU305438",
            "",
        ] {
            assert!(
                matches!(container(bad).fault, Some(IdFault::Form(_))),
                "{bad}"
            );
        }
        // The values that ISO 6346 prints.
        let values: Vec<u32> = (b'A'..=b'Z').map(container_value).collect();
        assert_eq!(
            values,
            [
                10, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,
                34, 35, 36, 37, 38
            ]
        );
    }

    #[test]
    fn ships() {
        assert_eq!(imo("9074729").fault, None);
        assert_eq!(imo("IMO 9074729").text, "9074729");
        assert_eq!(wrong(&imo("9074720")), Some("9074729"));
        assert!(matches!(imo("907472").fault, Some(IdFault::Form(_))));
        for good in [
            "339300000",
            "111339001",
            "003391000",
            "992351000",
            "970123456",
            "983391000",
            "833910000",
        ] {
            assert_eq!(mmsi(good).fault, None, "{good}");
        }
        assert!(matches!(mmsi("123456789").fault, Some(IdFault::Range(_))));
        assert!(matches!(mmsi("800000000").fault, Some(IdFault::Range(_))));
        assert!(matches!(mmsi("33930000").fault, Some(IdFault::Form(_))));
    }

    #[test]
    fn flights_and_air_waybills() {
        for good in ["BW414", "bw 414", "BWA414", "3U8633", "AA1A"] {
            assert_eq!(flight(good).fault, None, "{good}");
        }
        for bad in ["", "414", "BW", "BW00", "BW41414", "33414", "BW-", "É1"] {
            assert!(flight(bad).fault.is_some(), "{bad}");
        }
        assert_eq!(air_waybill("020-12345675").fault, None);
        assert_eq!(wrong(&air_waybill("020-12345676")), Some("02012345675"));
        assert!(matches!(
            air_waybill("020-1234567").fault,
            Some(IdFault::Form(_))
        ));
    }

    proptest! {
        #[test]
        fn one_digit_mistyped_is_seen(at in 0usize..6, by in 1u32..10) {
            let mut text: Vec<u8> = b"9074729".to_vec();
            text[at] = b'0' + u8::try_from((u32::from(text[at] - b'0') + by) % 10).unwrap();
            let weight = [7, 6, 5, 4, 3, 2][at];
            // A weight that shares a factor with 10 lets some errors through: the standard's own limit.
            prop_assume!(!(weight * by).is_multiple_of(10));
            prop_assert!(imo(std::str::from_utf8(&text).unwrap()).fault.is_some());
        }

        #[test]
        fn the_corrected_number_is_right(text in "[A-Z]{3}[UJZ][0-9]{7}") {
            if let Some(right) = wrong(&container(&text)) {
                prop_assert_eq!(container(right).fault, None);
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,16}") {
            for check in [container, imo, mmsi, flight, air_waybill] {
                let _ = check(&text);
            }
        }
    }
}
