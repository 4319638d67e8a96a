//! `abeng audit readers` and `abeng audit read-by`: who opened what.

use super::{pages, span};
use crate::{
    CliError, Exit, Paint, Ui,
    args::{AuditReadByArgs, Common},
    connect,
    inbox::short_id,
    status::dash,
    table::{Align, Table},
};
use abeng_api::{AuditQuery, Client, ClientError, ErrorCode, LeafView, StepKind};
use serde::Serialize;
use std::process::ExitCode;

/// Leaves that say that somebody saw the content.
const KINDS: &str = "READ,EXPORTED";

/// One person, or one administration, that saw a notice.
#[derive(Debug, PartialEq, Serialize)]
struct Reader {
    /// When, by the clock of the node whose log says so.
    at: String,
    /// Whose log says so.
    log: String,
    /// The leaf there.
    leaf: u64,
    /// The officer; which one it was at another administration stays there.
    officer: Option<String>,
    /// `opened`, `exported with content` or `exported without content`.
    how: String,
    /// The local interface.
    via: Option<String>,
}

pub(crate) fn readers(id: &str, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    connect::block_on(async {
        let own = client.status().await?.party;
        let query = AuditQuery {
            from: Some(0),
            kind: Some(KINDS.to_owned()),
            notice: Some(id.to_owned()),
            ..AuditQuery::default()
        };
        let mut found: Vec<Reader> = Vec::new();
        pages::upwards(&client, query, None, |part| {
            found.extend(part.iter().map(|leaf| here(leaf, &own)));
            Ok(())
        })
        .await?;
        found.extend(elsewhere(&client, id, ui).await?);
        ui.show(&found, || told(&found, ui))?;
        Ok(Exit::Ok.into())
    })
}

/// What recipients have proved about opening a notice that was sent from here.
async fn elsewhere(client: &Client, id: &str, ui: &Ui) -> Result<Vec<Reader>, CliError> {
    let timeline = match client.track(id, ui.lang.tag()).await {
        Ok(timeline) => timeline,
        // It came from another administration.
        Err(ClientError::Api(e)) if e.code == ErrorCode::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e.into()),
    };
    let steps = timeline.recipients.iter().flat_map(|r| &r.steps);
    let read = steps.filter(|step| step.what == StepKind::Read && step.checked);
    let reader = |step: &abeng_api::TimelineStep| Reader {
        at: step.at.clone(),
        log: step.by.clone(),
        leaf: step.leaf,
        officer: None,
        how: "opened".to_owned(),
        via: None,
    };
    Ok(read.map(reader).collect())
}

fn here(leaf: &LeafView, own: &str) -> Reader {
    Reader {
        at: leaf.at.clone(),
        log: own.to_owned(),
        leaf: leaf.index,
        officer: leaf.officer.clone(),
        how: how(leaf),
        via: leaf.via.clone(),
    }
}

fn how(leaf: &LeafView) -> String {
    match (leaf.kind.as_str(), &leaf.act) {
        ("READ", _) => "opened".to_owned(),
        (_, Some(act)) => format!("exported {act}"),
        (_, None) => "exported".to_owned(),
    }
}

fn told(readers: &[Reader], ui: &Ui) -> String {
    if readers.is_empty() {
        return "Nobody has opened it, as far as the log here can prove.".to_owned();
    }
    let mut table = Table::new([
        ("TIME", Align::Left),
        ("LOG", Align::Left),
        ("LEAF", Align::Right),
        ("HOW", Align::Left),
        ("VIA", Align::Left),
        ("WHO", Align::Left),
    ]);
    for reader in readers {
        table.row([
            ui.full_time(&reader.at),
            reader.log.clone(),
            reader.leaf.to_string(),
            reader.how.clone(),
            reader.via.clone().unwrap_or_else(dash),
            reader.officer.clone().unwrap_or_else(dash),
        ]);
    }
    table.render(ui.line_width(), |line| ui.paint(Paint::Strong, line))
}

pub(crate) fn read_by(
    args: AuditReadByArgs,
    common: &Common,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    let (since, until) = span(&args.span)?;
    let query = AuditQuery {
        from: Some(0),
        kind: Some(KINDS.to_owned()),
        officer: Some(args.officer),
        since,
        until,
        ..AuditQuery::default()
    };
    connect::block_on(async {
        let mut found: Vec<LeafView> = Vec::new();
        pages::upwards(&client, query, None, |part| {
            found.extend_from_slice(part);
            Ok(())
        })
        .await?;
        ui.show(&found, || notices(&found, ui))?;
        Ok(Exit::Ok.into())
    })
}

fn notices(leaves: &[LeafView], ui: &Ui) -> String {
    if leaves.is_empty() {
        return "No notice was opened by that officer in that time, as far as the log tells. \
                Names are those of `abeng audit show --kind READ`."
            .to_owned();
    }
    let mut table = Table::new([
        ("TIME", Align::Left),
        ("NOTICE", Align::Left),
        ("FROM", Align::Left),
        ("HOW", Align::Left),
        ("VIA", Align::Left),
        ("LEAF", Align::Right),
    ]);
    for leaf in leaves {
        table.row([
            ui.full_time(&leaf.at),
            leaf.notice.as_deref().map_or_else(dash, short_id),
            leaf.originator.clone().unwrap_or_else(dash),
            how(leaf),
            leaf.via.clone().unwrap_or_else(dash),
            leaf.index.to_string(),
        ]);
    }
    table.render(ui.line_width(), |line| ui.paint(Paint::Strong, line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{audit::tests::leaf, table::columns, ui::plain};
    use abeng_notice::Lang;

    #[test]
    fn readers_fit_eighty_columns_and_others_officers_stay_theirs() {
        let mut found = vec![here(&leaf(1_204_331, "badge 4711, night shift"), "TT")];
        found.push(Reader {
            log: "JM".into(),
            officer: None,
            via: None,
            ..here(&leaf(12, ""), "JM")
        });
        let text = told(&found, &plain(Lang::En));
        assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
        insta::assert_snapshot!(text);
    }
}
