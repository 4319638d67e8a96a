//! `abeng limits`: the bounds in force, what is used of them, and what happens beyond.

use crate::{
    CliError, Exit, Paint, Ui,
    args::Common,
    connect,
    status::{bytes, dash},
    table::{Align, Table, wrap},
};
use abeng_api::{LimitUnit, LimitView, LimitsView};
use std::process::ExitCode;

const DAY_MS: u64 = 86_400_000;

pub(crate) fn run(common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let limits = connect::block_on(async { Ok(connect::client(common).limits().await?) })?;
    ui.show(&limits, || table(&limits, ui))?;
    Ok(Exit::Ok.into())
}

fn table(view: &LimitsView, ui: &Ui) -> String {
    let mut table = Table::new([
        ("LIMIT", Align::Right),
        ("AT ONCE", Align::Right),
        ("USED", Align::Right),
        ("OF WHAT", Align::Left),
    ]);
    for limit in &view.limits {
        let told = |n: Option<u64>| n.map_or_else(dash, |n| value(n, limit.unit));
        table.row([
            limit.value.map_or_else(
                || "none".to_owned(),
                |n| per(value(n, limit.unit), limit.unit),
            ),
            told(limit.burst),
            told(limit.used),
            limit.name.clone(),
        ]);
    }
    let mut out = table.render(ui.line_width(), |line| ui.paint(Paint::Strong, line));
    out.push_str("\nBeyond it:\n");
    for (beyond, names) in beyond(&view.limits) {
        let line = wrap(&format!("{beyond}: {}", names.join("; ")), ui.width, 2);
        out.push_str(&format!("{line}\n"));
    }
    out.push_str("\nIn node.toml, then a restart:\n");
    for limit in &view.limits {
        if let Some(key) = &limit.key {
            out.push_str(&format!("  {key}: {}\n", limit.name));
        }
    }
    out
}

/// The limits by what happens beyond them, in the order in which that is met first.
fn beyond(limits: &[LimitView]) -> Vec<(&str, Vec<&str>)> {
    let mut all: Vec<(&str, Vec<&str>)> = Vec::new();
    for limit in limits {
        match all.iter_mut().find(|(beyond, _)| *beyond == limit.beyond) {
            Some((_, names)) => names.push(&limit.name),
            None => all.push((&limit.beyond, vec![&limit.name])),
        }
    }
    all
}

fn value(n: u64, unit: LimitUnit) -> String {
    match unit {
        LimitUnit::Bytes | LimitUnit::BytesPerSecond => bytes(n),
        LimitUnit::Milliseconds if n.is_multiple_of(DAY_MS) => match n / DAY_MS {
            1 => "1 day".to_owned(),
            days => format!("{days} days"),
        },
        LimitUnit::Milliseconds => format!("{n} ms"),
        LimitUnit::Number | LimitUnit::PerSecond => n.to_string(),
    }
}

fn per(value: String, unit: LimitUnit) -> String {
    match unit {
        LimitUnit::PerSecond | LimitUnit::BytesPerSecond => format!("{value}/s"),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{table::columns, ui::plain};
    use abeng_notice::Lang;

    fn limit(name: &str, value: Option<u64>, unit: LimitUnit, beyond: &str) -> LimitView {
        LimitView {
            name: name.into(),
            value,
            unit,
            beyond: beyond.into(),
            ..LimitView::default()
        }
    }

    #[test]
    fn limits_are_told_with_their_units_and_what_comes_beyond() {
        let view = LimitsView {
            limits: vec![
                LimitView {
                    used: Some(3 << 30),
                    key: Some("[quota] disk".into()),
                    ..limit(
                        "data directory",
                        None,
                        LimitUnit::Bytes,
                        "nothing new is taken",
                    )
                },
                LimitView {
                    burst: Some(20_000),
                    key: Some("[limits] envelopes_per_s".into()),
                    ..limit(
                        "envelopes of a peer",
                        Some(5_000),
                        LimitUnit::PerSecond,
                        "they wait",
                    )
                },
                limit("a notice", Some(1 << 20), LimitUnit::Bytes, "refused"),
                limit(
                    "its life",
                    Some(90 * DAY_MS),
                    LimitUnit::Milliseconds,
                    "refused",
                ),
            ],
            ..LimitsView::default()
        };
        let text = table(&view, &plain(Lang::En));
        assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
        insta::assert_snapshot!(text);
    }
}
