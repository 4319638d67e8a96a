//! `abeng relays`: who carries what on the way to whom.

use crate::{
    CliError, Exit, Paint, Ui,
    args::Common,
    connect,
    status::{bytes, dash},
    table::{Align, Table, wrap},
    when,
};
use abeng_api::{RelayView, RelaysView};
use abeng_node::count::count;
use std::process::ExitCode;

pub(crate) fn run(common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    connect::block_on(async {
        let view = client.relays().await?;
        ui.show(&view, || render(&view, ui))?;
        Ok(Exit::Ok.into())
    })
}

fn render(view: &RelaysView, ui: &Ui) -> String {
    let mut out = match view.relays.is_empty() {
        true => "The roster names no other relay: a notice waits for the direct link.\n".to_owned(),
        false => relays(&view.relays, ui),
    };
    out.push('\n');
    let quota = &view.quota;
    let own = match view.own_flag {
        false => "This node is no relay: it carries nothing for others.".to_owned(),
        true => format!(
            "This node is a relay. It carries up to {} and {} of each originator, and {} and {} in all.",
            count(quota.originator_count, "envelope", "envelopes"),
            bytes(quota.originator_bytes),
            quota.total_count,
            bytes(quota.total_bytes)
        ),
    };
    out.push_str(&format!("{}\n", wrap(&own, ui.width, 0)));
    if !view.carried.is_empty() {
        out.push_str(&format!("\n{}", carried(view, ui)));
    }
    out
}

fn relays(relays: &[RelayView], ui: &Ui) -> String {
    let mut table = Table::new([
        ("RELAY", Align::Left),
        ("STATE", Align::Left),
        ("STRIKES", Align::Right),
        ("COPIES", Align::Right),
        ("REACHES", Align::Left),
    ]);
    for relay in relays {
        let state = match (relay.linked, relay.coordination) {
            (false, _) => "not linked",
            (true, true) => "linked, used last",
            (true, false) => "linked",
        };
        let reaches = match relay.reaches.is_empty() {
            true => dash(),
            false => relay.reaches.join(" "),
        };
        table.row([
            relay.party.clone(),
            state.to_owned(),
            relay.strikes.to_string(),
            relay.copies.to_string(),
            reaches,
        ]);
    }
    table.render(ui.line_width(), |line| ui.paint(Paint::Strong, line))
}

fn carried(view: &RelaysView, ui: &Ui) -> String {
    let mut table = Table::new([
        ("CARRIED FOR", Align::Left),
        ("ENVELOPES", Align::Right),
        ("BYTES", Align::Right),
        ("OLDEST", Align::Right),
    ]);
    for carried in &view.carried {
        table.row([
            carried.originator.clone(),
            carried.count.to_string(),
            bytes(carried.bytes),
            when::ago(&carried.oldest_at, &view.at).unwrap_or_else(dash),
        ]);
    }
    table.render(ui.line_width(), |line| ui.paint(Paint::Strong, line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{table::columns, ui::plain};
    use abeng_api::{CarriedView, CarryQuota};
    use abeng_notice::Lang;

    #[test]
    fn relays_show_their_reach_and_standing_and_what_is_carried() {
        let view = RelaysView {
            at: "2026-11-24T06:00:00Z".into(),
            relays: vec![
                RelayView {
                    party: "LC".into(),
                    linked: true,
                    coordination: true,
                    reaches: vec!["BB".into(), "TT".into()],
                    ..RelayView::default()
                },
                RelayView {
                    party: "NL".into(),
                    strikes: 3,
                    copies: 12,
                    ..RelayView::default()
                },
            ],
            own_flag: true,
            carried: vec![CarriedView {
                originator: "JM".into(),
                count: 7,
                bytes: 31_000,
                oldest_at: "2026-11-24T05:50:00Z".into(),
            }],
            quota: CarryQuota {
                originator_count: 4096,
                originator_bytes: 256 << 20,
                total_count: 32_768,
                total_bytes: 1 << 30,
            },
        };
        let text = render(&view, &plain(Lang::En));
        assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
        for said in [
            "linked, used last",
            "BB TT",
            "not linked",
            "JM",
            "4096",
            "10 min",
        ] {
            assert!(text.contains(said), "{said} in {text}");
        }
        let none = render(&RelaysView::default(), &plain(Lang::En));
        assert!(
            none.contains("no relay") && none.contains("direct link"),
            "{none}"
        );
    }
}
