//! `abeng audit`: reading the log and checking it.

mod csv;
mod pages;
mod readers;
mod tiles;
mod verify;
mod watch;

pub(crate) use readers::{read_by, readers};
pub(crate) use tiles::{export_tiles, verify as verify_tiles};
pub(crate) use verify::verify;
pub(crate) use watch::watch;

use crate::{
    CliError, Exit, Paint, Ui,
    args::{AuditFilter, AuditShowArgs, Common, Format, Span},
    connect,
    inbox::short_id,
    status::dash,
    table::{Align, Table},
    when,
};
use abeng_api::{AuditQuery, Client, LeafView};
use std::process::ExitCode;

/// Leaves in a table where nothing is said.
const LEAVES: u64 = 50;

pub(crate) fn show(args: AuditShowArgs, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    let query = AuditQuery {
        from: args.from,
        ..query(args.filter)?
    };
    connect::block_on(async {
        match args.format {
            Format::Table => {
                let leaves = few(&client, query, args.limit.unwrap_or(LEAVES)).await?;
                ui.show(&leaves, || render(&leaves, ui))?;
            }
            Format::Csv => {
                ui.say(&csv::heading()?);
                all(&client, query, args.limit, |part| {
                    ui.say(&csv::rows(part)?);
                    Ok(())
                })
                .await?;
            }
            Format::Jsonl => {
                let give = |part: &[LeafView]| part.iter().try_for_each(|leaf| ui.give(leaf));
                all(&client, query, args.limit, give).await?;
            }
        }
        Ok(Exit::Ok.into())
    })
}

/// The first `limit` from an index, else the newest, the lowest index first.
async fn few(client: &Client, query: AuditQuery, limit: u64) -> Result<Vec<LeafView>, CliError> {
    if query.from.is_none() {
        return pages::newest(client, query, limit).await;
    }
    let mut found = Vec::new();
    pages::upwards(client, query, Some(limit), |part| {
        found.extend_from_slice(part);
        Ok(())
    })
    .await?;
    Ok(found)
}

/// Everything that fits, the oldest first, in parts that need not be held together; with a limit
/// and no index, the newest.
async fn all(
    client: &Client,
    query: AuditQuery,
    limit: Option<u64>,
    mut each: impl FnMut(&[LeafView]) -> Result<(), CliError>,
) -> Result<(), CliError> {
    match (query.from, limit) {
        (None, Some(limit)) => each(&pages::newest(client, query, limit).await?),
        (from, limit) => {
            let from = Some(from.unwrap_or(0));
            pages::upwards(client, AuditQuery { from, ..query }, limit, each).await
        }
    }
}

/// The question behind the options.
fn query(filter: AuditFilter) -> Result<AuditQuery, CliError> {
    let (since, until) = span(&filter.span)?;
    Ok(AuditQuery {
        kind: (!filter.kind.is_empty()).then(|| filter.kind.join(",")),
        party: filter.party.map(|code| code.to_ascii_uppercase()),
        officer: filter.officer,
        notice: filter.notice,
        since,
        until,
        ..AuditQuery::default()
    })
}

fn span(span: &Span) -> Result<(Option<String>, Option<String>), CliError> {
    let read = |text: &str, end| {
        when::moment(text, end, jiff::Timestamp::now()).ok_or_else(|| {
            CliError::usage(format!("`{}` is not a time", abeng_notice::printable(text))).with_try(
                "write a date such as 2026-11-24, a moment such as 2026-11-24T06:00:00Z, \
                 or how long ago, such as \"3 days\" or 2h",
            )
        })
    };
    let since = span.since.as_deref().map(|s| read(s, when::Bound::Since));
    let until = span.until.as_deref().map(|s| read(s, when::Bound::Until));
    Ok((since.transpose()?, until.transpose()?))
}

fn render(leaves: &[LeafView], ui: &Ui) -> String {
    if leaves.is_empty() {
        return "No leaf fits.".to_owned();
    }
    let mut table = Table::new([
        ("LEAF", Align::Right),
        ("TIME", Align::Left),
        ("KIND", Align::Left),
        ("NOTICE", Align::Left),
        ("FROM", Align::Left),
        ("TO", Align::Left),
        ("BY OR WHY", Align::Left),
    ]);
    for leaf in leaves {
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(dash);
        table.row([
            leaf.index.to_string(),
            ui.short_time(&leaf.at),
            leaf.kind.clone(),
            leaf.notice.as_deref().map_or_else(dash, short_id),
            or_dash(&leaf.originator),
            or_dash(&leaf.recipient),
            by_or_why(leaf),
        ]);
    }
    table.render(ui.line_width(), |line| ui.paint(Paint::Strong, line))
}

/// Who did what, or why it ended.
fn by_or_why(leaf: &LeafView) -> String {
    let who = officer(leaf);
    let said = [&who, &leaf.act, &leaf.reason];
    let said: Vec<&str> = said.into_iter().filter_map(|s| s.as_deref()).collect();
    match said.is_empty() {
        true => dash(),
        false => said.join(": "),
    }
}

/// The name that was given, and who the interface said it was: a name is anybody's to type.
fn officer(leaf: &LeafView) -> Option<String> {
    let via = leaf.via.as_deref().map(|via| {
        let people = via.split(", held ").next().unwrap_or(via);
        people.replace("unix ", "")
    });
    match (&leaf.officer, via) {
        (Some(name), Some(via)) if *name != via => Some(format!("{name} ({via})")),
        (Some(name), _) => Some(name.clone()),
        (None, via) => via,
    }
}

#[cfg(test)]
mod tests;
