use super::words;
use crate::codes::CodeList;
use crate::{Lang, Notice, printable, text};
use abeng_wire::{EnvelopeId, v1};

/// Characters of a summary that are shown.
const SHOWN: usize = 160;
/// Kinds of goods that a summary names.
const KINDS: usize = 3;

/// One line of a notice.
pub(crate) fn summary(notice: &Notice, lang: Lang) -> String {
    let mut out = match &notice.message().content {
        Some(v1::notice::Content::Seizure(seizure)) => self::seizure(seizure, lang),
        Some(v1::notice::Content::Feedback(feedback)) => self::feedback(feedback, lang),
        Some(v1::notice::Content::Recall(recall)) => self::recall(recall, lang),
        None => notice.ty().to_owned(),
    };
    if notice.is_exercise() {
        out = format!("{}: {out}", text::known("word.exercise", lang));
    }
    if out.chars().count() > SHOWN {
        out = out.chars().take(SHOWN - 1).chain(['…']).collect();
    }
    out
}

fn seizure(seizure: &v1::Seizure, lang: Lang) -> String {
    let mut goods: Vec<String> = seizure
        .goods
        .iter()
        .take(KINDS)
        .map(|goods| amount_of(goods, lang))
        .collect();
    if seizure.goods.len() > KINDS {
        goods.push("…".to_owned());
    }
    let mut out = goods.join(" + ");
    if let Some(place) = &seizure.place {
        let short = if place.code.is_empty() {
            words::place(place, lang)
        } else {
            printable(&place.code)
        };
        words::push(&mut out, &short);
    }
    if let Some(conveyance) = &seizure.conveyance
        && !conveyance.mode.is_empty()
        && conveyance.mode != "unknown"
    {
        words::push(
            &mut out,
            &words::code(CodeList::Mode, &conveyance.mode, lang),
        );
    }
    out
}

/// `139.4 kg cocaine`, `20 pistols`, `38 packages cannabis herb`, `ammunition`.
fn amount_of(goods: &v1::Goods, lang: Lang) -> String {
    let what = words::goods(goods, lang);
    let Some(quantity) = &goods.quantity else {
        return what;
    };
    let amount = if quantity.derived_mg != 0 {
        words::kilograms(quantity.derived_mg, lang)
    } else if !quantity.amount.is_empty() {
        words::quantity(
            &v1::Quantity {
                packages: 0,
                estimated: false,
                ..quantity.clone()
            },
            lang,
        )
    } else if quantity.packages != 0 {
        words::packages(quantity.packages, lang)
    } else {
        return what;
    };
    format!("{amount} {what}")
}

fn feedback(feedback: &v1::Feedback, lang: Lang) -> String {
    let mut out = words::code(CodeList::Outcome, &feedback.outcome, lang);
    for (list, code) in [
        (CodeList::Control, &feedback.control),
        (CodeList::Usefulness, &feedback.usefulness),
    ] {
        if !code.is_empty() {
            words::push(&mut out, &words::code(list, code, lang));
        }
    }
    out
}

/// `recall of 8f00c1d2e3f4: wrong recipient`.
fn recall(recall: &v1::Recall, lang: Lang) -> String {
    let id = EnvelopeId::from_slice(&recall.notice).unwrap_or_default();
    format!(
        "{} {id:.12}: {}",
        text::known("word.recall-of", lang),
        words::code(CodeList::RecallReason, &recall.reason, lang)
    )
}
