//! `abeng cost` and `abeng link allow`: what a notice costs before it goes, and leave to spend more.

use crate::{
    CliError, Exit, Paint, Ui,
    args::{Common, LinkAllowArgs, SeizureArgs},
    connect,
    status::bytes,
    submit,
    table::{Align, Table},
    texts::fill,
};
use abeng_api::{AllowRequest, BudgetView, CostLine, CostReply};
use abeng_notice::printable;
use std::process::ExitCode;

pub(crate) fn seizure(args: SeizureArgs, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    let (input, request) = submit::read(&args, ui)?;
    let body = serde_json::to_vec(&request).map_err(|e| {
        CliError::new(
            Exit::Internal,
            format!("the request cannot be written: {e}"),
        )
    })?;
    connect::block_on(async {
        let reply = client.cost(body.into()).await;
        let reply = reply.map_err(|e| submit::placed(CliError::from(e), &input, ui))?;
        ui.show(&reply, || render(&reply, ui))?;
        Ok(Exit::Ok.into())
    })
}

pub(crate) fn allow(args: LinkAllowArgs, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    let request = AllowRequest {
        bytes: args.bytes.map(|size| size.0),
        officer: args.officer,
    };
    connect::block_on(async {
        let budget = client.allow(&request).await?;
        ui.show(&budget, || format!("{}\n", today(&budget, ui)))?;
        Ok(Exit::Ok.into())
    })
}

fn render(reply: &CostReply, ui: &Ui) -> String {
    let t = &ui.texts().cost;
    let mut out = format!("{}\n\n", printable(&reply.summary));
    let mut table = Table::new([
        (ui.texts().columns.to, Align::Left),
        (t.path, Align::Left),
        (t.envelope, Align::Right),
        (t.out, Align::Right),
        (t.back, Align::Right),
        (t.time, Align::Right),
        (t.share, Align::Right),
    ]);
    for line in &reply.lines {
        table.row([
            line.recipient.clone(),
            path(line, ui),
            bytes(line.envelope_bytes),
            bytes(line.sent_bytes),
            bytes(line.received_bytes),
            span(line.time_ms),
            line.budget_share.map_or_else(|| "-".to_owned(), percent),
        ]);
    }
    out.push_str(&table.render(ui.width, |line| ui.paint(Paint::Strong, line)));
    out.push('\n');
    if let Some(budget) = &reply.budget {
        out.push_str(&format!("{}\n", today(budget, ui)));
    }
    let waits: Vec<&str> = waiting(&reply.lines);
    if !waits.is_empty() {
        let line = fill(t.waits, &[("to", &waits.join(", "))]);
        out.push_str(&format!("{}\n", ui.paint(Paint::Warn, &line)));
    }
    out.push_str(&format!("{}\n", ui.paint(Paint::Faint, t.nothing_sent)));
    out
}

fn waiting(lines: &[CostLine]) -> Vec<&str> {
    let waits = lines.iter().filter(|line| line.waits);
    waits.map(|line| line.recipient.as_str()).collect()
}

fn path(line: &CostLine, ui: &Ui) -> String {
    match line.linked {
        true => line.profile.clone(),
        false => format!("{}, {}", line.profile, ui.texts().cost.no_link),
    }
}

fn today(budget: &BudgetView, ui: &Ui) -> String {
    let t = &ui.texts().cost;
    let spent = bytes(budget.spent);
    match budget.budget {
        None => fill(t.no_budget, &[("spent", &spent)]),
        Some(whole) => {
            let (whole, flash) = (bytes(whole), bytes(budget.flash));
            let until = ui.full_time(&budget.until);
            let values = [
                ("spent", &*spent),
                ("budget", &*whole),
                ("flash", &*flash),
                ("until", &*until),
            ];
            fill(t.today, &values)
        }
    }
}

/// `4.2 s`, `3 min`.
fn span(ms: u64) -> String {
    match ms {
        0..=99_999 => format!("{:.1} s", ms as f64 / 1000.0),
        _ => format!("{} min", ms.div_ceil(60_000)),
    }
}

/// Hundredths of a percent.
fn percent(share: u64) -> String {
    format!("{:.1} %", share as f64 / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{table::columns, ui::plain};
    use abeng_notice::Lang;

    fn reply() -> CostReply {
        let line = |recipient: &str, profile: &str| CostLine {
            recipient: recipient.into(),
            profile: profile.into(),
            linked: true,
            envelope_bytes: 3_900,
            sent_bytes: 4_600,
            received_bytes: 2_100,
            rate: 16_000,
            configured: false,
            time_ms: 718,
            budget_share: None,
            waits: false,
        };
        CostReply {
            ty: "SEIZURE".into(),
            precedence: "PRIORITY".into(),
            summary: "139.4 kg cocaine, JMKIN, sea".into(),
            disk_bytes: 5_200,
            lines: vec![
                line("BB", "cable"),
                CostLine {
                    linked: false,
                    budget_share: Some(335),
                    waits: true,
                    time_ms: 130_000,
                    ..line("TT", "metered")
                },
            ],
            budget: Some(BudgetView {
                spent: 15_100_000,
                budget: Some(20_000_000),
                flash: 5_000_000,
                left: Some(0),
                until: "2026-11-25T00:00:00Z".into(),
            }),
        }
    }

    #[test]
    fn a_cost_is_told_for_each_path_with_what_waits() {
        let text = render(&reply(), &plain(Lang::En));
        assert!(text.contains("3.4 %") || text.contains("3.3 %"), "{text}");
        assert!(text.contains("metered, no link"), "{text}");
        assert!(text.contains("3 min"), "{text}");
        assert!(text.contains("TT"), "{text}");
        assert!(text.contains("Nothing was sent"), "{text}");
        assert!(text.lines().all(|line| columns(line) <= 120), "{text}");
    }

    #[test]
    fn every_language_says_what_waits_and_what_is_left() {
        for lang in [Lang::En, Lang::Es, Lang::Fr, Lang::Nl] {
            let text = render(&reply(), &plain(lang));
            assert!(
                text.contains("14.4 MiB") && text.contains("19.1 MiB"),
                "{text}"
            );
            assert!(!text.contains('{'), "{text}");
        }
        let mut free = reply();
        free.budget = None;
        free.lines.truncate(1);
        let text = render(&free, &plain(Lang::Fr));
        assert!(!text.contains("14.4 MiB"), "{text}");
    }
}
