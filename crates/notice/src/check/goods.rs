use super::desk::{Desk, says_unknown};
use crate::codes::{self, CodeList, HsFault};
use crate::decimal::AmountText;
use crate::{Decimal, FlawCode, GoodsDraft, ValueDraft};
use abeng_wire::v1;

/// What and how much: at least one entry, each with an HS code, drug, arms or words; at least one
/// amount, number of packages or `unknown` among them.
pub(super) fn goods(drafts: &[GoodsDraft], desk: &mut Desk<'_>) -> Vec<v1::Goods> {
    if drafts.is_empty() {
        desk.missing(
            "goods",
            "{ drug = \"cocaine\", quantity = 139.4, unit = \"KGM\" }",
        );
    }
    let out: Vec<v1::Goods> = desk
        .entries("goods", drafts)
        .iter()
        .enumerate()
        .map(|(i, draft)| one(&format!("goods[{i}]"), draft, desk))
        .collect();
    let without = drafts
        .iter()
        .enumerate()
        .filter(|(_, draft)| !has_amount(draft));
    let all_without = !drafts.iter().any(has_amount);
    for (i, _) in without {
        let field = format!("goods[{i}].quantity");
        if all_without {
            desk.missing(&field, "139.4, unknown");
        } else {
            desk.doubt(FlawCode::Missing, &field, "", "139.4, unknown");
        }
    }
    out
}

fn has_amount(draft: &GoodsDraft) -> bool {
    draft.quantity.is_some() || draft.packages.is_some()
}

fn one(field: &str, draft: &GoodsDraft, desk: &mut Desk<'_>) -> v1::Goods {
    let at = |name: &str| format!("{field}.{name}");
    let out = v1::Goods {
        hs: hs(&at("hs"), draft, desk),
        drug: desk.code(&at("drug"), CodeList::Drug, &draft.drug),
        arms: desk.code(&at("arms"), CodeList::Arms, &draft.arms),
        description: desk.long(&at("description"), &draft.description),
        brand: desk.short(&at("brand"), &draft.brand),
        serials: desk.shorts(&at("serials"), &draft.serials),
        quantity: quantity(field, draft, desk),
    };
    if draft.hs.is_none() && draft.drug.is_none() && draft.arms.is_none() {
        if out.description.is_empty() {
            desk.missing(&at("hs"), "293972");
        } else {
            desk.doubt(
                FlawCode::OnlyWords,
                &at("description"),
                &out.description,
                &at("hs"),
            );
        }
    }
    fits_hs(&at("hs"), &out, desk);
    out
}

/// Doubts an HS code under which the named drug or arms are not classified.
fn fits_hs(field: &str, goods: &v1::Goods, desk: &mut Desk<'_>) {
    for (list, code) in [(CodeList::Drug, &goods.drug), (CodeList::Arms, &goods.arms)] {
        let fitting = codes::coded(list, code).map_or("", |coded| coded.extra);
        if !goods.hs.is_empty()
            && !fitting.is_empty()
            && !fitting.split('|').any(|fit| fit == goods.hs)
        {
            let expected = fitting.replace('|', ", ");
            desk.doubt(FlawCode::Mismatch, field, &goods.hs, &expected);
        }
    }
}

fn hs(field: &str, draft: &GoodsDraft, desk: &mut Desk<'_>) -> String {
    let Some(text) = draft.hs.as_deref() else {
        return String::new();
    };
    match codes::check_hs(text) {
        Ok(code) => return code.to_owned(),
        Err(HsFault::Form) => {
            let digits: String = text.chars().filter(char::is_ascii_digit).take(6).collect();
            let expected = codes::check_hs(&digits).unwrap_or("293972");
            desk.error(FlawCode::BadFormat, field, text, expected);
        }
        Err(HsFault::Unknown(near)) => {
            desk.error(FlawCode::UnknownCode, field, text, near.unwrap_or("293972"));
        }
    }
    String::new()
}

fn quantity(field: &str, draft: &GoodsDraft, desk: &mut Desk<'_>) -> Option<v1::Quantity> {
    let at = |name: &str| format!("{field}.{name}");
    if !has_amount(draft) {
        if draft.unit.is_some() {
            desk.missing(&at("quantity"), "139.4, unknown");
        }
        return None;
    }
    if draft.packages == Some(0) {
        desk.error(FlawCode::OutOfRange, &at("packages"), "0", "≥ 1");
    }
    let mut out = v1::Quantity {
        unit: desk.code(&at("unit"), CodeList::Unit, &draft.unit),
        estimated: draft.estimated,
        packages: draft.packages.unwrap_or(0),
        ..v1::Quantity::default()
    };
    match &draft.quantity {
        Some(AmountText(text)) if says_unknown(text) => out.unknown = true,
        Some(text) => {
            let amount = amount(&at("quantity"), text, desk);
            if draft.unit.is_none() {
                desk.missing(&at("unit"), "KGM, NMB, LTR");
            }
            out.derived_mg = amount.and_then(|a| mass(a, &out.unit)).unwrap_or(0);
            out.amount = amount.map(|a| a.to_string()).unwrap_or_default();
        }
        None => {}
    }
    Some(out)
}

/// The mass in milligrams, where the unit is one of mass.
fn mass(amount: Decimal, unit: &str) -> Option<u64> {
    let ng = codes::coded(CodeList::Unit, unit)?.extra.parse().ok()?;
    amount.milligrams(ng)
}

fn amount(field: &str, text: &AmountText, desk: &mut Desk<'_>) -> Option<Decimal> {
    match Decimal::parse(text.0.trim()) {
        Some(amount) if amount.is_zero() => {
            desk.error(FlawCode::OutOfRange, field, &text.0, "> 0");
            None
        }
        Some(amount) => Some(amount),
        None => {
            desk.error(FlawCode::BadFormat, field, &text.0, "139.4");
            None
        }
    }
}

/// What it is worth: amount and currency.
pub(super) fn value(draft: &ValueDraft, desk: &mut Desk<'_>) -> v1::Value {
    let amount = match &draft.amount {
        Some(text) => amount("value.amount", text, desk),
        None => {
            desk.missing("value.amount", "13300000");
            None
        }
    };
    if draft.currency.is_none() {
        desk.missing("value.currency", "JMD");
    }
    v1::Value {
        amount: amount.map(|a| a.to_string()).unwrap_or_default(),
        currency: desk.code("value.currency", CodeList::Currency, &draft.currency),
        estimated: draft.estimated,
    }
}
