//! `abeng cost` and `abeng link allow`: what a notice costs before it goes, and leave to spend more.

use crate::{
    CliError, Exit, Paint, Ui,
    args::{Common, LinkAllowArgs, SeizureArgs},
    connect, submit,
    table::{Align, Table, wrap},
    texts::fill,
};
use abeng_api::{AllowRequest, BudgetView, CostLine, CostReply, RateFrom};
use abeng_notice::printable;
use std::process::ExitCode;

pub(crate) fn seizure(args: SeizureArgs, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    let (input, request) = submit::read(&args, ui)?;
    connect::block_on(async {
        let reply = client.cost(&request).await;
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
            ui.bytes(line.envelope_bytes),
            ui.bytes(line.sent_bytes),
            ui.bytes(line.received_bytes),
            span(line.time_ms, ui),
            line.budget_share
                .map_or_else(|| "-".to_owned(), |share| percent(share, ui)),
        ]);
    }
    out.push_str(&table.render(ui.line_width(), |line| ui.paint(Paint::Strong, line)));
    out.push_str(&files(reply, ui));
    out.push('\n');
    out.push_str(&rates(&reply.lines, ui));
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

/// What follows the notice, on each path.
fn files(reply: &CostReply, ui: &Ui) -> String {
    let t = &ui.texts().cost;
    let sizes = reply.files.iter().map(|file| file.cipher_length);
    let size = ui.bytes(sizes.sum());
    let mut table = Table::new([
        (ui.texts().columns.to, Align::Left),
        (t.path, Align::Left),
        (t.out, Align::Right),
        (t.back, Align::Right),
        (t.time, Align::Right),
        (t.share, Align::Right),
    ]);
    let mut on_request = Vec::new();
    for line in &reply.lines {
        let Some(files) = &line.files else {
            return String::new();
        };
        if files.on_request {
            on_request.push(line.recipient.as_str());
        }
        table.row([
            line.recipient.clone(),
            path(line, ui),
            ui.bytes(files.sent_bytes),
            ui.bytes(files.received_bytes),
            span(files.time_ms, ui),
            files
                .budget_share
                .map_or_else(|| "-".to_owned(), |share| percent(share, ui)),
        ]);
    }
    let count = ui.texts().count(&t.files, reply.files.len() as u64);
    let head = fill(t.behind, &[("files", &count), ("size", &size)]);
    let mut out = format!("\n{}\n", wrap(&head, ui.width, 0));
    out.push_str(&table.render(ui.line_width(), |line| ui.paint(Paint::Strong, line)));
    if !on_request.is_empty() {
        let line = fill(t.on_request, &[("to", &on_request.join(", "))]);
        out.push_str(&format!("\n{}\n", wrap(&line, ui.width, 0)));
    }
    out
}

/// With which rates times are reckoned, and where they are from.
fn rates(lines: &[CostLine], ui: &Ui) -> String {
    let t = &ui.texts().cost;
    let per_s = |rate: u64| format!("{}/s", ui.bytes(rate));
    let told = lines.iter().map(|line| {
        let from = match (line.rate_from, line.measured) {
            (RateFrom::Usual, _) => t.rate_usual.to_owned(),
            (RateFrom::Measured, _) => t.rate_measured.to_owned(),
            (RateFrom::Configured, None) => t.rate_configured.to_owned(),
            (RateFrom::Configured, Some(rate)) => {
                fill(t.rate_configured_beside, &[("rate", &per_s(rate))])
            }
        };
        format!("{} {} ({from})", line.recipient, per_s(line.rate))
    });
    let told = told.collect::<Vec<_>>().join(", ");
    let line = fill(t.rates, &[("rates", &told)]);
    format!("{}\n", wrap(&line, ui.width, 0))
}

fn waiting(lines: &[CostLine]) -> Vec<&str> {
    let waits = lines.iter().filter(|line| line.waits);
    waits.map(|line| line.recipient.as_str()).collect()
}

fn path(line: &CostLine, ui: &Ui) -> String {
    let profile = ui.texts().cost.profile(&line.profile);
    match line.linked {
        true => profile.to_owned(),
        false => format!("{profile}, {}", ui.texts().cost.no_link),
    }
}

fn today(budget: &BudgetView, ui: &Ui) -> String {
    let t = &ui.texts().cost;
    let spent = ui.bytes(budget.spent);
    match budget.budget {
        None => fill(t.no_budget, &[("spent", &spent)]),
        Some(whole) => {
            let (whole, flash) = (ui.bytes(whole), ui.bytes(budget.flash));
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
fn span(ms: u64, ui: &Ui) -> String {
    match ms {
        0..=99_999 => ui.decimal(&format!("{:.1} s", ms as f64 / 1000.0)),
        _ => format!("{} min", ms.div_ceil(60_000)),
    }
}

/// Hundredths of a percent.
fn percent(share: u64, ui: &Ui) -> String {
    ui.decimal(&format!("{:.1} %", share as f64 / 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{table::columns, ui::plain};
    use abeng_api::{CostFileView, FilesCost};
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
            rate_from: RateFrom::Usual,
            measured: None,
            time_ms: 718,
            budget_share: None,
            waits: false,
            files: None,
        };
        CostReply {
            ty: "SEIZURE".into(),
            precedence: "PRIORITY".into(),
            summary: "139.4 kg cocaine, JMKIN, sea".into(),
            disk_bytes: 5_200,
            files: Vec::new(),
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
            let sizes = match lang {
                Lang::En => ["14.4 MiB", "19.1 MiB", "0.7 s"],
                _ => ["14,4 MiB", "19,1 MiB", "0,7 s"],
            };
            assert!(sizes.iter().all(|size| text.contains(size)), "{text}");
            assert!(!text.contains('{'), "{text}");
            assert_eq!(text.contains("metered"), lang == Lang::En, "{text}");
        }
        let mut free = reply();
        free.budget = None;
        free.lines.truncate(1);
        let text = render(&free, &plain(Lang::Fr));
        assert!(!text.contains("14,4 MiB"), "{text}");
    }

    fn with_files() -> CostReply {
        let mut reply = reply();
        let file = |name: &str, length: u64| CostFileView {
            name: name.into(),
            length,
            cipher_length: length + 16 * length.div_ceil(65_536),
            pieces: length.div_ceil(1 << 20),
        };
        reply.files = vec![file("x-ray.jpg", 3_000_000), file("scan.pdf", 400_000)];
        for (nth, line) in reply.lines.iter_mut().enumerate() {
            line.files = Some(FilesCost {
                sent_bytes: 3_650_000,
                received_bytes: 160_000,
                time_ms: 238_000,
                budget_share: (nth == 1).then_some(1905),
                on_request: nth == 1,
            });
        }
        reply
    }

    #[test]
    fn files_are_told_apart_from_the_notice_that_goes_first() {
        insta::assert_snapshot!(render(&with_files(), &plain(Lang::En)));
        for lang in Lang::ALL {
            let text = render(&with_files(), &plain(lang));
            assert!(!text.contains('{') && !text.contains('?'), "{text}");
            let shares = ["19.1 %", "19.0 %", "19,1 %", "19,0 %"];
            assert!(shares.iter().any(|share| text.contains(share)), "{text}");
            // Lines break where they must.
            let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(flat.matches("abeng attachment get").count(), 1, "{text}");
        }
        let none = render(&reply(), &plain(Lang::En));
        assert!(!none.contains("attachment get"), "{none}");
    }
}
