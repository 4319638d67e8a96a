use crate::codes::{self, CodeList};
use crate::{Decimal, Lang, printable, text};
use abeng_wire::v1;

/// A code in the reader's language; a code that this version does not know as it is.
pub(super) fn code(list: CodeList, code: &str, lang: Lang) -> String {
    codes::coded(list, code).map_or_else(|| printable(code), |coded| coded.name(lang).to_owned())
}

/// A decimal with the reader's decimal sign and groups of three digits; anything else as it is.
pub(super) fn number(text: &str, lang: Lang) -> String {
    if Decimal::parse(text).is_none() {
        return printable(text);
    }
    let (group, point) = match lang {
        Lang::En => (",", "."),
        Lang::Es | Lang::Nl => (".", ","),
        // A no-break space, so that a number is never broken at a line's end.
        Lang::Fr => ("\u{a0}", ","),
    };
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let mut out = String::new();
    for (i, digit) in whole.chars().enumerate() {
        // Four digits stay together: they read as one.
        if i > 0 && whole.len() > 4 && (whole.len() - i).is_multiple_of(3) {
            out.push_str(group);
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push_str(point);
        out.push_str(fraction);
    }
    out
}

/// Kilograms in so many milligrams, to the gram.
pub(super) fn kilograms(milligrams: u64, lang: Lang) -> String {
    let kg = Decimal::kilograms(milligrams);
    let shown = if milligrams < 1000 { kg } else { kg.rounded() };
    format!("{} kg", number(&shown.to_string(), lang))
}

/// Bytes below 1 KiB, else KiB, MiB, GiB or TiB with one decimal, as the language writes it: `4.2 MiB`,
/// `4,2 MiB`.
pub fn size(bytes: u64, lang: Lang) -> String {
    let mut value = bytes as f64;
    let mut unit = "B";
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        // What would be rounded up to 1024.0 is one of the next unit.
        if value < if unit == "B" { 1024.0 } else { 1023.95 } {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    match unit {
        "B" => format!("{bytes} B"),
        unit => format!("{} {unit}", number(&format!("{value:.1}"), lang)),
    }
}

/// A file with its size: `x-ray.jpg (1.4 MiB)`.
pub(super) fn file(name: &str, length: u64, lang: Lang) -> String {
    format!("{} ({})", printable(name), size(length, lang))
}

/// A place with its name: `JMKIN Kingston (Berth 9)`, `Haiti`, `17.90000 -76.80000`.
pub(super) fn place(place: &v1::Place, lang: Lang) -> String {
    if place.unknown {
        return text::known("word.unknown", lang).to_owned();
    }
    let mut out = match place.code.len() {
        0 => String::new(),
        2 => code(CodeList::Country, &place.code, lang),
        _ => match codes::locode(&place.code) {
            Ok(known) => format!("{} {}", known.code, known.name),
            Err(_) => printable(&place.code),
        },
    };
    if let Some(position) = &place.position {
        let degrees = |v: i32| format!("{:.5}", f64::from(v) / 100_000.0);
        push(
            &mut out,
            &format!(
                "{} {}",
                degrees(position.latitude),
                degrees(position.longitude)
            ),
        );
    }
    match (out.is_empty(), place.name.is_empty()) {
        (_, true) => out,
        (true, false) => printable(&place.name),
        (false, false) => format!("{out} ({})", printable(&place.name)),
    }
}

/// A date as it travels, or that it is not known.
pub(super) fn date(date: &str, lang: Lang) -> String {
    match date {
        "unknown" => text::known("word.unknown", lang).to_owned(),
        date => printable(date),
    }
}

/// Appends with a comma.
pub(super) fn push(out: &mut String, part: &str) {
    if !part.is_empty() {
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(part);
    }
}

/// How much, as reported, with the derived kilograms: `50 lb = 22.68 kg, 5 packages`.
pub(super) fn quantity(quantity: &v1::Quantity, lang: Lang) -> String {
    let mut out = String::new();
    if quantity.unknown {
        out.push_str(text::known("word.unknown", lang));
    } else if !quantity.amount.is_empty() {
        out = number(&quantity.amount, lang);
        if !matches!(quantity.unit.as_str(), "NMB" | "C62" | "H87" | "") {
            out.push(' ');
            out.push_str(&unit(&quantity.unit, lang));
        }
        if quantity.derived_mg != 0 && quantity.unit != "KGM" {
            out.push_str(" = ");
            out.push_str(&kilograms(quantity.derived_mg, lang));
        }
        if quantity.estimated {
            push(&mut out, text::known("word.estimated", lang));
        }
    }
    if quantity.packages != 0 {
        push(&mut out, &packages(quantity.packages, lang));
    }
    out
}

/// A unit's symbol where all four languages share one, else its name.
fn unit(unit: &str, lang: Lang) -> String {
    let symbol = match unit {
        "KGM" => "kg",
        "GRM" => "g",
        "MGM" => "mg",
        "TNE" => "t",
        "LBR" => "lb",
        "ONZ" => "oz",
        "LTR" => "l",
        "MLT" => "ml",
        "MTR" => "m",
        "MTK" => "m²",
        "MTQ" => "m³",
        _ => return code(CodeList::Unit, unit, lang),
    };
    symbol.to_owned()
}

/// `1 package`, `38 packages`.
pub(super) fn packages(count: u32, lang: Lang) -> String {
    let word = if count == 1 {
        "word.package"
    } else {
        "word.packages"
    };
    format!(
        "{} {}",
        number(&count.to_string(), lang),
        text::known(word, lang)
    )
}

/// What the goods are: drug, arms, HS name or words, whichever says it best.
pub(super) fn goods(goods: &v1::Goods, lang: Lang) -> String {
    if !goods.drug.is_empty() {
        code(CodeList::Drug, &goods.drug, lang)
    } else if !goods.arms.is_empty() {
        code(CodeList::Arms, &goods.arms, lang)
    } else if !goods.description.is_empty() {
        printable(&goods.description)
    } else if let Some(name) = codes::hs_name(&goods.hs, lang) {
        name.to_owned()
    } else if goods.hs.is_empty() {
        text::known("word.goods", lang).to_owned()
    } else {
        printable(&goods.hs)
    }
}
