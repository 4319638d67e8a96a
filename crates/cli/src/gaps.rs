//! `abeng gaps`: what was sent to this administration and has not come.

use crate::{
    CliError, Exit, Ui,
    args::Common,
    connect,
    table::{Align, Table},
};
use abeng_api::GapView;
use std::process::ExitCode;

pub(crate) fn run(common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let gaps = connect::block_on(async { Ok(connect::client(common).gaps().await?) })?;
    ui.show(&gaps, || table(&gaps, ui))?;
    Ok(Exit::Ok.into())
}

fn table(gaps: &[GapView], ui: &Ui) -> String {
    let texts = ui.texts();
    let t = &texts.gaps;
    if gaps.is_empty() {
        return t.nothing.to_owned();
    }
    let mut table = Table::new([
        (texts.columns.from, Align::Left),
        (t.life, Align::Left),
        (t.missing, Align::Right),
        (t.numbers, Align::Right),
        (t.since, Align::Left),
        (t.asked, Align::Right),
        (t.last_asked, Align::Left),
        (t.link, Align::Left),
    ]);
    for gap in gaps {
        let asked_at = gap.asked_at.as_deref().map(|at| ui.short_time(at));
        let (asked_at, link) = (
            asked_at.unwrap_or_else(|| "–".to_owned()),
            if gap.linked { t.up } else { t.down },
        );
        let is_other =
            |g: &&GapView| g.originator == gap.originator && g.incarnation != gap.incarnation;
        let life = gaps.iter().find(is_other).map(|_| short_life(gap));
        table.row([
            gap.originator.clone(),
            life.unwrap_or_default(),
            (gap.last - gap.first + 1).to_string(),
            numbers(gap),
            ui.short_time(&gap.since),
            gap.asked.to_string(),
            asked_at,
            link.to_owned(),
        ]);
    }
    let table = table.without_empty(1);
    table.render(ui.line_width(), |line| ui.paint(crate::Paint::Strong, line))
}

/// The last digits of a life: the first ones say when it began, and are much the same in all.
fn short_life(gap: &GapView) -> String {
    let from = gap.incarnation.len().saturating_sub(LIFE_DIGITS);
    format!("…{}", gap.incarnation.get(from..).unwrap_or_default())
}

fn numbers(gap: &GapView) -> String {
    match gap.first == gap.last {
        true => gap.first.to_string(),
        false => format!("{}–{}", gap.first, gap.last),
    }
}

const LIFE_DIGITS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::plain;
    use abeng_notice::Lang;

    #[test]
    fn gaps_of_two_lives_are_told_apart() {
        let gap = |originator: &str, incarnation: &str| GapView {
            originator: originator.into(),
            incarnation: incarnation.into(),
            first: 1,
            last: 1,
            since: "2026-11-24T10:00:00Z".into(),
            ..GapView::default()
        };
        let (old, new) = ("019ac0ffee001111", "019ac0ffee002222");
        let ui = plain(Lang::En);
        let one = table(&[gap("JM", old), gap("TT", new)], &ui);
        assert!(!one.contains("LIFE"), "{one}");
        let two = table(&[gap("JM", old), gap("JM", new), gap("TT", new)], &ui);
        let lines: Vec<_> = two.lines().collect();
        assert!(lines[0].contains("LIFE"), "{two}");
        assert!(
            lines[1].contains("…ee001111") && lines[2].contains("…ee002222"),
            "{two}"
        );
        assert!(!lines[3].contains('…'), "{two}");
    }

    #[test]
    fn a_gap_is_one_line_with_its_numbers() {
        let ui = plain(Lang::En);
        let gap = |first, last, asked_at: Option<&str>| GapView {
            originator: "TT".into(),
            first,
            last,
            since: "2026-11-24T10:00:00Z".into(),
            asked: 3,
            asked_at: asked_at.map(str::to_owned),
            linked: asked_at.is_some(),
            ..GapView::default()
        };
        let text = table(
            &[gap(4, 9, Some("2026-11-24T10:05:00Z")), gap(12, 12, None)],
            &ui,
        );
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|l| l.split_whitespace().collect())
            .collect();
        assert_eq!(lines[1][..3], ["TT", "6", "4–9"]);
        assert_eq!(lines[1].last(), Some(&"up"));
        assert_eq!(lines[2][..3], ["TT", "1", "12"]);
        assert!(lines[2].contains(&"–") && lines[2].last() == Some(&"down"));
        assert!(table(&[], &ui).starts_with("Nothing"));
        for lang in [Lang::Es, Lang::Fr, Lang::Nl] {
            let told = table(&[gap(4, 9, None)], &plain(lang));
            for english in ["FROM", "MISSING", "ASKED", "down"] {
                assert!(!told.contains(english), "{told}");
            }
            assert_ne!(table(&[], &plain(lang)), table(&[], &ui));
        }
    }
}
