//! `abeng network`: the whole network as its coordination node sees it, and founding one.

mod init;

pub(crate) use init::init;

use crate::{
    CliError, Exit, Paint, Ui,
    args::Common,
    connect,
    status::dash,
    table::{Align, Table, wrap},
    when,
};
use abeng_api::NetworkView;
use std::{io::IsTerminal, process::ExitCode, time::Duration};

/// Prints the table once, or every so many seconds until Ctrl-C. With `--json`, one object a line.
pub(crate) fn show(common: &Common, every_s: Option<u32>, ui: &Ui) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    connect::block_on(async {
        loop {
            let view = client.network().await?;
            // Clears the screen, where there is one.
            let clear = match every_s {
                Some(_) if !ui.json && std::io::stdout().is_terminal() => "\x1b[H\x1b[2J",
                _ => "",
            };
            ui.show(&view, || format!("{clear}{}", render(&view, ui)))?;
            match every_s {
                Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds.into())).await,
                None => return Ok(Exit::Ok.into()),
            }
        }
    })
}

fn render(view: &NetworkView, ui: &Ui) -> String {
    let mut table = Table::new([
        ("PARTY", Align::Left),
        ("STATE", Align::Left),
        ("BACKLOG", Align::Right),
        ("OLDEST", Align::Right),
        ("RTT MS", Align::Right),
        ("LOG", Align::Right),
        ("ROSTER", Align::Right),
        ("SOFTWARE", Align::Left),
    ]);
    let number = |n: Option<u64>| n.map_or_else(dash, |n| n.to_string());
    let ago = |at: &Option<String>| at.as_deref().and_then(|at| when::ago(at, &view.at));
    for row in &view.parties {
        let state = match (row.linked, ago(&row.silent_since)) {
            (true, _) => "linked".to_owned(),
            (false, Some(ago)) => format!("SILENT {ago}"),
            (false, None) => "NEVER HEARD".to_owned(),
        };
        table.row([
            row.party.clone(),
            state,
            number(row.backlog),
            ago(&row.oldest_undelivered).unwrap_or_else(dash),
            row.rtt_ms.map_or_else(dash, |ms| format!("{ms:.1}")),
            number(row.log_size),
            number(row.roster_version),
            row.software.clone().unwrap_or_else(dash),
        ]);
    }
    let linked = view.parties.iter().filter(|row| row.linked).count();
    format!(
        "{}{}\n{} of {} linked at {}.\n",
        alarms(view, ui),
        table.render(ui.line_width(), |line| ui.paint(Paint::Strong, line)),
        linked,
        view.parties.len(),
        ui.full_time(&view.at)
    )
}

/// Logs that contradict themselves, as proved here or as others say: gravest, so first.
fn alarms(view: &NetworkView, ui: &Ui) -> String {
    let mut out = String::new();
    for row in &view.parties {
        let told = view
            .parties
            .iter()
            .filter(|other| other.contradicted.contains(&row.party));
        let by: Vec<&str> = told.map(|other| other.party.as_str()).collect();
        let text = match (row.contradicts_itself, by.is_empty()) {
            (false, true) => continue,
            (true, _) => format!(
                "! The log of {} contradicts itself: the proof is kept here and its link is closed.",
                row.party
            ),
            (false, false) => format!(
                "! {} says that it holds proof that the log of {} contradicts itself.",
                by.join(", "),
                row.party
            ),
        };
        let text = wrap(&text, ui.width, 2);
        out.push_str(&format!("{}\n", ui.paint(Paint::Warn, &text)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{table::columns, ui::plain};
    use abeng_api::NetworkRow;
    use abeng_notice::Lang;

    #[test]
    fn the_network_fits_eighty_columns_and_silence_stands_out() {
        let view = NetworkView {
            at: "2026-11-24T06:00:00Z".into(),
            parties: vec![
                NetworkRow {
                    party: "BB".into(),
                    linked: true,
                    backlog: Some(0),
                    rtt_ms: Some(41.26),
                    log_size: Some(1_204_331),
                    roster_version: Some(3),
                    software: Some("abeng 0.1.0".into()),
                    contradicted: vec!["DM".into(), "TT".into()],
                    ..NetworkRow::default()
                },
                NetworkRow {
                    party: "TT".into(),
                    silent_since: Some("2026-11-24T05:50:00Z".into()),
                    backlog: Some(12_345),
                    oldest_undelivered: Some("2026-11-20T05:50:00Z".into()),
                    ..NetworkRow::default()
                },
                NetworkRow {
                    party: "DM".into(),
                    contradicts_itself: true,
                    ..NetworkRow::default()
                },
            ],
        };
        let text = render(&view, &plain(Lang::En));
        assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
        insta::assert_snapshot!(text);
    }
}
