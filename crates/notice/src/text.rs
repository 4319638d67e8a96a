//! Sentences and labels in four languages, from `data/texts.tsv`.

use crate::Lang;
use std::collections::BTreeMap;
use std::sync::OnceLock;

static TEXTS: &str = include_str!("../data/texts.tsv");

fn texts() -> &'static BTreeMap<&'static str, [&'static str; 4]> {
    static MAP: OnceLock<BTreeMap<&'static str, [&'static str; 4]>> = OnceLock::new();
    MAP.get_or_init(|| {
        rows(TEXTS)
            .filter_map(|row| {
                let [key, en, es, fr, nl] = row.try_into().ok()?;
                Some((key, [en, es, fr, nl]))
            })
            .collect()
    })
}

/// The rows of a tab-separated data file; comments start with `#`.
pub(crate) fn rows(file: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    file.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split('\t').collect())
}

/// A text by its key.
pub(crate) fn text(key: &str, lang: Lang) -> Option<&'static str> {
    texts().get(key).map(|row| row[lang.column()])
}

/// A text that a test knows to be there; the key itself where it is not.
pub(crate) fn known(key: &'static str, lang: Lang) -> &'static str {
    text(key, lang).unwrap_or(key)
}

/// The label of a draft's field, from its path: `goods[0].hs` asks for `field.goods.hs`, then `field.hs`.
pub(crate) fn field_label(path: &str, lang: Lang) -> String {
    let plain: Vec<&str> = path
        .split('.')
        .map(|step| step.split('[').next().unwrap_or(step))
        .collect();
    let last = plain.last().copied().unwrap_or_default();
    text(&format!("field.{}", plain.join(".")), lang)
        .or_else(|| text(&format!("field.{last}"), lang))
        .unwrap_or(last)
        .to_owned()
}

/// Puts values into a template's `{name}`s.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        out.extend(values.iter().find(|(n, _)| *n == name).map(|(_, v)| *v));
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_five_filled_columns_and_a_key_of_its_own() {
        let mut keys = std::collections::BTreeSet::new();
        for row in rows(TEXTS) {
            assert_eq!(row.len(), 5, "{row:?}");
            assert!(row.iter().all(|cell| !cell.trim().is_empty()), "{row:?}");
            assert!(keys.insert(row[0]), "{} twice", row[0]);
            for name in ["{found}", "{expected}"] {
                let with = row[1..].iter().filter(|cell| cell.contains(name)).count();
                assert!(with == 0 || with == 4, "{name} in {row:?}");
            }
        }
    }

    #[test]
    fn values_are_filled_in_once() {
        assert_eq!(
            fill("{a} and {b}", &[("a", "{b}"), ("b", "2")]),
            "{b} and 2"
        );
    }
}
