use super::{IdFault, digit};

/// The check digit of a field of a machine-readable zone: weights 7, 3, 1; letters count from 10,
/// `<` counts 0. `L898902C3` has 6. `None` where a character does not belong there.
///
/// Source: ICAO Doc 9303 part 3, 4.9.
pub fn mrz_check_digit(field: &str) -> Option<char> {
    let mut sum = 0;
    for (b, weight) in field.bytes().zip([7, 3, 1].into_iter().cycle()) {
        let value = match b {
            b'0'..=b'9' => b - b'0',
            b'A'..=b'Z' => b - b'A' + 10,
            b'<' => 0,
            _ => return None,
        };
        sum += u32::from(value) * weight;
    }
    Some(digit(sum))
}

/// Parts of a line: where each checked field stands, and where its digit. A field may be in pieces.
struct Layout {
    lines: usize,
    length: usize,
    checks: &'static [Check],
}

/// The pieces that are summed, as (line, from, to), then the line and place of the digit.
type Check = (&'static [(usize, usize, usize)], usize, usize);

// All counted from 0.
const TD3: Layout = Layout {
    lines: 2,
    length: 44,
    checks: &[
        (&[(1, 0, 9)], 1, 9),
        (&[(1, 13, 19)], 1, 19),
        (&[(1, 21, 27)], 1, 27),
        (&[(1, 28, 42)], 1, 42),
        (&[(1, 0, 10), (1, 13, 20), (1, 21, 43)], 1, 43),
    ],
};
const TD2: Layout = Layout {
    lines: 2,
    length: 36,
    checks: &[
        (&[(1, 0, 9)], 1, 9),
        (&[(1, 13, 19)], 1, 19),
        (&[(1, 21, 27)], 1, 27),
        (&[(1, 0, 10), (1, 13, 20), (1, 21, 35)], 1, 35),
    ],
};
const TD1: Layout = Layout {
    lines: 3,
    length: 30,
    checks: &[
        (&[(0, 5, 14)], 0, 14),
        (&[(1, 0, 6)], 1, 6),
        (&[(1, 8, 14)], 1, 14),
        (&[(0, 5, 30), (1, 0, 7), (1, 8, 15), (1, 18, 29)], 1, 29),
    ],
};

/// Checks a machine-readable zone of a passport, card or visa (TD3, TD2, TD1, MRV-A, MRV-B). Gives
/// it with one newline between lines and what is doubtful: one fault for each wrong digit, which
/// holds the field as it would be right.
///
/// Source: ICAO Doc 9303 parts 4 to 7.
pub fn mrz(text: &str) -> (String, Vec<IdFault>) {
    let lines: Vec<String> = text.split_whitespace().map(str::to_uppercase).collect();
    let joined = lines.join("\n");
    let layout = [&TD3, &TD2, &TD1]
        .into_iter()
        .find(|l| lines.len() == l.lines && lines.iter().all(|line| line.len() == l.length));
    let clean = joined
        .bytes()
        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'<' | b'\n'));
    let Some(layout) = layout.filter(|_| clean) else {
        return (
            joined,
            vec![IdFault::Form("2 × 44, 2 × 36, 3 × 30: A–Z 0–9 <")],
        );
    };
    // Visas have neither the check over optional data nor the one over all.
    let checks = if lines[0].starts_with('V') {
        &layout.checks[..3]
    } else {
        layout.checks
    };
    let faults = checks
        .iter()
        .filter_map(|(pieces, line, at)| {
            let field: String = pieces
                .iter()
                .map(|&(l, from, to)| &lines[l][from..to])
                .collect();
            let right = mrz_check_digit(&field)?;
            let found = lines[*line].as_bytes()[*at];
            // An empty optional field may carry `<` for its digit.
            let empty = found == b'<' && field.bytes().all(|b| b == b'<');
            (found != right as u8 && !empty)
                .then(|| IdFault::CheckDigit(format!("{field} {right}")))
        })
        .collect();
    (joined, faults)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TD3_SAMPLE: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10";
    const TD1_SAMPLE: &str = "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<";
    const TD2_SAMPLE: &str =
        "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6";

    #[test]
    fn the_specimens_of_icao_pass() {
        assert_eq!(mrz_check_digit("L898902C3"), Some('6'));
        assert_eq!(mrz_check_digit("L898902C "), None);
        for sample in [TD3_SAMPLE, TD1_SAMPLE, TD2_SAMPLE] {
            assert_eq!(mrz(sample), (sample.to_owned(), Vec::new()));
            assert_eq!(mrz(&sample.to_lowercase().replace('\n', " ")).1, Vec::new());
        }
    }

    #[test]
    fn a_wrong_digit_or_shape_is_doubted() {
        let wrong = TD3_SAMPLE.replace("L898902C36", "L898902C35");
        let (_, faults) = mrz(&wrong);
        assert_eq!(faults[0], IdFault::CheckDigit("L898902C3 6".to_owned()));
        assert!(matches!(mrz("P<UTO").1[..], [IdFault::Form(_)]));
        assert!(matches!(mrz("").1[..], [IdFault::Form(_)]));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[A-Z0-9<é]{28,46}(\n[A-Z0-9<]{28,46}){0,3}") {
            let _ = mrz(&text);
        }
    }
}
