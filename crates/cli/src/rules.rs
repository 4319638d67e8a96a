//! `abeng roster import|pending|accept` and `abeng policy`: the roster as a node's own
//! administrator sees it.

use crate::{
    CliError, Exit, Paint, Ui,
    args::{AcceptArgs, Common, ExplainArgs, PolicyCommand, RosterHereCommand},
    connect,
    table::{Align, Table, wrap},
};
use abeng_api::{
    AcceptReply, AcceptRequest, ExplainQuery, ExplainView, NewcomerView, PolicyView, RosterTaken,
    WaitingView,
};
use abeng_node::{Config, Layout, count::count, rules};
use abeng_notice::printable;
use abeng_roster::Trust;
use std::{
    path::Path,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

pub(crate) fn roster(
    command: RosterHereCommand,
    common: &Common,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    match command {
        RosterHereCommand::Import { file } => import(&file, common, ui),
        RosterHereCommand::Pending => pending(common, ui),
        RosterHereCommand::Accept(args) => accept(args, common, ui),
    }
}

pub(crate) fn policy(
    command: PolicyCommand,
    common: &Common,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    match command {
        PolicyCommand::Show => show(common, ui),
        PolicyCommand::Explain(args) => explain(args, common, ui),
    }
}

fn import(path: &Path, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let file = std::fs::read(path).map_err(|e| {
        CliError::usage(format!("cannot read {}: {e}", path.display()))
            .with_try("give the file of the bundle")
    })?;
    let client = connect::client(common);
    connect::block_on(async {
        let taken = client.roster_import(file.into()).await?;
        ui.show(&taken, || told_import(&taken, ui))?;
        Ok(Exit::Ok.into())
    })
}

fn told_import(taken: &RosterTaken, ui: &Ui) -> String {
    if !taken.newer {
        let text = format!(
            "Nothing in it is newer: roster {} is in force.",
            taken.roster
        );
        return format!("{}\n", ui.paint(Paint::Faint, &text));
    }
    let mut parts = Vec::new();
    if taken.roster_before != taken.roster {
        parts.push(format!(
            "roster {} after {}",
            taken.roster, taken.roster_before
        ));
    }
    if taken.root_before != taken.root {
        parts.push(format!("root {} after {}", taken.root, taken.root_before));
    }
    if taken.freshness {
        parts.push("a newer freshness statement".to_owned());
    }
    if taken.seal_keys > 0 {
        parts.push(count(
            taken.seal_keys.into(),
            "newer seal key",
            "newer seal keys",
        ));
    }
    let text = format!("In force: {}.", parts.join(", "));
    let mut out = format!("{}\n", ui.paint(Paint::Good, &text));
    out.push_str(&list(&taken.changes, ui));
    if taken.roster_before != taken.roster {
        out.push_str("See who waits: abeng roster pending. Then: abeng roster accept\n");
    }
    out
}

fn pending(common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    connect::block_on(async {
        let view = client.roster_pending().await?;
        ui.show(&view, || told_pending(&view, ui))?;
        Ok(Exit::Ok.into())
    })
}

fn told_pending(view: &WaitingView, ui: &Ui) -> String {
    let mut out = String::new();
    for dispute in &view.disputes {
        let text = wrap(&format!("! {}", printable(dispute)), ui.width, 2);
        out.push_str(&format!("{}\n", ui.paint(Paint::Warn, &text)));
    }
    if view.changes.is_empty() {
        out.push_str(&format!(
            "Roster {}; its changes were seen.\n",
            view.version
        ));
    } else {
        let text = format!(
            "Roster {} changes, since roster {}, which was seen:",
            view.version, view.seen
        );
        out.push_str(&format!("{}\n", ui.paint(Paint::Warn, &text)));
        out.push_str(&list(&view.changes, ui));
    }
    if view.newcomers.is_empty() {
        out.push_str("Nobody waits.\n");
        return out;
    }
    out.push('\n');
    out.push_str(&newcomers(&view.newcomers, ui));
    out
}

fn newcomers(list: &[NewcomerView], ui: &Ui) -> String {
    let mut table = Table::new([
        ("PARTY", Align::Left),
        ("NEW TO", Align::Left),
        ("SINCE", Align::Right),
        ("WAITS UNTIL", Align::Left),
        ("WOULD GAIN", Align::Left),
    ]);
    for newcomer in list {
        let group = newcomer.group.as_deref();
        let gains = match newcomer.gains.is_empty() {
            true => "nothing".to_owned(),
            false => printable(&newcomer.gains.join("; ")),
        };
        table.row([
            newcomer.party.clone(),
            group.map_or_else(|| "the network".to_owned(), str::to_owned),
            format!("roster {}", newcomer.since),
            ui.full_time(&newcomer.until),
            gains,
        ]);
    }
    table.render(ui.line_width(), |line| ui.paint(Paint::Strong, line))
}

fn accept(args: AcceptArgs, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    connect::block_on(async {
        let view = client.roster_pending().await?;
        let request = AcceptRequest {
            party: args.party,
            group: args.group,
            officer: args.officer,
            version: Some(args.roster.unwrap_or(view.version)),
        };
        let reply = client.roster_accept(&request).await?;
        let told = || format!("{}{}", told_pending(&view, ui), told_accept(&reply, ui));
        ui.show(&reply, told)?;
        Ok(Exit::Ok.into())
    })
}

fn told_accept(reply: &AcceptReply, ui: &Ui) -> String {
    let mut out = format!(
        "The changes up to roster {} count as seen (leaf {}).\n",
        reply.version, reply.leaf
    );
    for newcomer in &reply.accepted {
        let place = match &newcomer.group {
            None => "in the network".to_owned(),
            Some(group) => format!("in the group {group}"),
        };
        let line = format!("{} is accepted {place}.", newcomer.party);
        out.push_str(&format!("{}\n", ui.paint(Paint::Good, &line)));
    }
    out
}

fn show(common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let asked = connect::block_on(async { Ok(connect::client(common).policy().await) })?;
    let view = match asked {
        Ok(view) => view,
        Err(why) => rules::policy(&offline(common, why.into())?),
    };
    ui.show(&view, || told_policy(&view, ui))?;
    Ok(Exit::Ok.into())
}

fn told_policy(view: &PolicyView, ui: &Ui) -> String {
    let mut out = format!("Roster {}.\n\nGroups:\n", view.roster);
    let groups = view.groups.iter();
    let groups: Vec<String> = groups
        .map(|g| format!("{}: {}", g.group, g.members.join(" ")))
        .collect();
    out.push_str(&list(&groups, ui));
    out.push_str("\nMay send (* is every active party):\n");
    out.push_str(&list(&view.grants, ui));
    out
}

fn explain(args: ExplainArgs, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let query = ExplainQuery {
        from: args.from,
        to: args.to,
        ty: args.ty,
        tlp: args.tlp,
    };
    let asked = connect::block_on(async { Ok(connect::client(common).explain(&query).await) })?;
    let view = match asked {
        Ok(view) => view,
        Err(abeng_api::ClientError::Api(why)) => return Err(why.into()),
        Err(why) => {
            let (trust, me) = (offline(common, why.into())?, own(common));
            rules::explain(&trust, me, &query, now().into())?
        }
    };
    let exit = match view.allowed {
        true => Exit::Ok,
        false => Exit::Refused,
    };
    ui.show(&view, || told_explain(&view, ui))?;
    Ok(exit.into())
}

fn told_explain(view: &ExplainView, ui: &Ui) -> String {
    let what = format!(
        "{} with {} from {} to {}",
        view.ty, view.tlp, view.from, view.to
    );
    let mut out = match &view.refusal {
        None => format!(
            "{}\n",
            ui.paint(Paint::Good, &format!("{what}: may be sent."))
        ),
        Some(why) => {
            let text = wrap(&printable(why), ui.width, 0);
            format!(
                "{}\n{text}\n",
                ui.paint(Paint::Warn, &format!("{what}: may not be sent."))
            )
        }
    };
    if view.later {
        let text = format!(
            "That is what the roster says. This version neither writes nor reads notices of type {}.",
            view.ty
        );
        out.push_str(&format!("{}\n", wrap(&text, ui.width, 0)));
    }
    if view.grants.is_empty() {
        out.push_str(&format!(
            "No grant of roster {} is about it.\n",
            view.roster
        ));
        return out;
    }
    out.push_str(&format!("Grants of roster {} about it:\n", view.roster));
    let grants = view.grants.iter().map(|grant| match grant.allows {
        true => format!("{} (allows it)", grant.grant),
        false => format!("{} (does not reach so far)", grant.grant),
    });
    out.push_str(&list(&grants.collect::<Vec<_>>(), ui));
    out
}

fn list(lines: &[String], ui: &Ui) -> String {
    let line = |text: &String| format!("  - {}\n", wrap(&printable(text), ui.width, 4));
    lines.iter().map(line).collect()
}

fn config(common: &Common) -> Option<Config> {
    let dir = common.data.as_ref()?;
    Config::load(&dir.join("node.toml")).ok()
}

fn own(common: &Common) -> Option<abeng_wire::PartyCode> {
    config(common).map(|config| config.party)
}

/// The trust data in the data directory, where no node answers.
fn offline(common: &Common, why: CliError) -> Result<Trust, CliError> {
    let Some(dir) = &common.data else {
        return Err(why);
    };
    let Ok(bundle) = Layout::new(dir).read_trust() else {
        return Err(why);
    };
    let root = config(common).map(|config| config.root);
    Trust::from_bundle(&bundle, root, now()).map_err(|e| {
        CliError::new(
            Exit::Unverified,
            format!("the trust data does not hold: {e}"),
        )
    })
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{table::columns, ui::plain};
    use abeng_notice::Lang;

    #[test]
    fn who_waits_is_told_with_what_it_would_gain() {
        let view = WaitingView {
            version: 4,
            seen: 3,
            changes: vec!["new member GY (Guyana Revenue Authority)".into()],
            newcomers: vec![NewcomerView {
                party: "GY".into(),
                name: "Guyana".into(),
                group: None,
                since: 4,
                until: "2026-12-05T14:30:00Z".into(),
                gains: vec!["* to *: every type up to TLP:RED".into()],
            }],
            disputes: Vec::new(),
        };
        let text = told_pending(&view, &plain(Lang::En));
        for said in [
            "since roster 3",
            "new member GY",
            "the network",
            "2026",
            "every type",
        ] {
            assert!(text.contains(said), "{said} in {text}");
        }
        let none = told_pending(&WaitingView::default(), &plain(Lang::En));
        assert!(none.contains("Nobody waits"), "{none}");
        assert!(none.lines().all(|line| columns(line) <= 80), "{none}");
    }

    #[test]
    fn an_explanation_says_may_or_may_not_and_by_which_grant() {
        let mut view = ExplainView {
            from: "JM".into(),
            to: "TT".into(),
            ty: "LOOKOUT".into(),
            tlp: "TLP:AMBER".into(),
            roster: 3,
            allowed: true,
            refusal: None,
            grants: vec![abeng_api::GrantUse {
                grant: "JM to SEA: LOOKOUT up to TLP:RED".into(),
                allows: true,
            }],
            later: true,
        };
        let text = told_explain(&view, &plain(Lang::En));
        assert!(
            text.contains("may be sent")
                && text.contains("allows it")
                && text.contains("neither writes nor reads"),
            "{text}"
        );
        view.refusal = Some("no grant of roster 3 covers it; ask the JIO (LC)".into());
        view.grants.clear();
        let text = told_explain(&view, &plain(Lang::En));
        assert!(
            text.contains("may not be sent") && text.contains("ask the JIO"),
            "{text}"
        );
    }
}
