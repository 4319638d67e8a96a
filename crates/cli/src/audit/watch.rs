//! `abeng audit watch`.

use super::{query, render};
use crate::{
    CliError, Exit, Ui,
    args::{AuditWatchArgs, Common},
    connect,
};
use abeng_api::{AuditQuery, Client, ClientError, LeafPage, LeafView};
use std::{process::ExitCode, time::Duration};

/// How long one wait for new leaves lasts, in milliseconds.
const WAIT_MS: u32 = 25_000;
/// Leaves in one answer.
const PAGE: u32 = 500;
/// How long to wait for a node that does not answer before asking again.
const AGAIN: Duration = Duration::from_secs(1);

/// Prints what fits as it becomes durable, until Ctrl-C. With `--json`, one object a line.
pub(crate) fn watch(args: AuditWatchArgs, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    let asked = query(args.filter)?;
    connect::block_on(async {
        let from = match args.from {
            Some(from) => from,
            None => end_of_log(&client).await?,
        };
        let follow = follow(&client, asked, from, ui);
        tokio::select! {
            done = follow => done,
            _ = tokio::signal::ctrl_c() => Ok(()),
        }?;
        Ok(Exit::Ok.into())
    })
}

async fn end_of_log(client: &Client) -> Result<u64, CliError> {
    let query = AuditQuery {
        limit: Some(1),
        ..AuditQuery::default()
    };
    Ok(client.audit_show(&query).await?.size)
}

async fn follow(
    client: &Client,
    mut query: AuditQuery,
    from: u64,
    ui: &Ui,
) -> Result<(), CliError> {
    query.limit = Some(PAGE);
    query.wait_ms = Some(WAIT_MS);
    query.from = Some(from);
    ui.remark(&format!(
        "Watching the log from leaf {from}. Ctrl-C leaves."
    ));
    let mut silent = false;
    let mut heading = true;
    loop {
        let page = match client.audit_show(&query).await {
            Ok(page) => page,
            // What the node refuses, it refuses again.
            Err(e @ ClientError::Api(_)) => return Err(e.into()),
            Err(e) => {
                if !silent {
                    ui.remark(&format!("The node does not answer ({e}); waiting for it."));
                }
                silent = true;
                tokio::time::sleep(AGAIN).await;
                continue;
            }
        };
        silent = false;
        print(&page.leaves, &mut heading, ui)?;
        query.from = Some(next(&page, query.from));
    }
}

/// Where the next question begins: nothing is passed over, also where nothing fitted, and
/// nothing is shown that lies before what was asked for.
fn next(page: &LeafPage, asked: Option<u64>) -> u64 {
    page.next.unwrap_or(page.size).max(asked.unwrap_or(0))
}

fn print(leaves: &[LeafView], heading: &mut bool, ui: &Ui) -> Result<(), CliError> {
    if ui.json {
        return leaves.iter().try_for_each(|leaf| ui.give(leaf));
    }
    if leaves.is_empty() {
        return Ok(());
    }
    let text = render(leaves, ui);
    let skip = match *heading {
        true => 0,
        false => text.find('\n').map_or(0, |i| i + 1),
    };
    ui.say(&text[skip..]);
    *heading = false;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_goes_on_where_the_last_ended_and_never_back() {
        let page = |next, size| LeafPage {
            next,
            size,
            ..LeafPage::default()
        };
        assert_eq!(next(&page(Some(7), 90), Some(3)), 7);
        assert_eq!(next(&page(None, 90), Some(3)), 90);
        // The log has not come so far yet.
        assert_eq!(next(&page(None, 90), Some(1000)), 1000);
    }
}
