//! `abeng recall`, `abeng hold`, `abeng retention`: content that is taken back, held, or due.

use crate::{
    CliError, Exit, Paint, Ui,
    args::{Common, HoldCommand, RecallArgs, RetentionCommand},
    connect,
    inbox::short_id,
    submit::accepted,
    table::{Align, Table},
    texts::{Errors, fill},
};
use abeng_api::{
    ExtendRequest, HoldRequest, KeepReply, KeptItem, RecallRequest, RetentionQuery, SubmitReply,
};
use abeng_notice::printable;
use std::process::ExitCode;

pub(crate) fn recall(args: RecallArgs, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    let mut request = RecallRequest {
        reason: args.reason,
        text: args.text,
        officer: args.officer,
        dry_run: args.dry_run,
        lang: Some(ui.lang.tag().to_owned()),
    };
    connect::block_on(async {
        if !ui.interactive && !args.sure.yes && !args.dry_run {
            let words = Errors::of(ui.error_lang());
            return Err(CliError::usage(words.for_good).with_try(words.say_yes));
        }
        if !args.sure.yes && !args.dry_run {
            // What it would do is told before it is asked for.
            request.dry_run = true;
            let would = client.recall(&args.id, &request).await?;
            let form = &ui.texts().form;
            if !form.confirm(&question(&would, ui), false).unwrap_or(false) {
                ui.remark(ui.texts().keep.not_recalled);
                return Ok(Exit::Usage.into());
            }
            request.dry_run = false;
        }
        let reply = client.recall(&args.id, &request).await?;
        ui.show(&reply, || accepted(&reply, ui))?;
        Ok(Exit::Ok.into())
    })
}

fn question(would: &SubmitReply, ui: &Ui) -> String {
    let to = would.to.join(", ");
    let values = [("matter", &*would.summary), ("to", &*to)];
    printable(&fill(ui.texts().keep.ask_recall, &values))
}

/// Leaving the question is a no.
pub(crate) fn confirm(question: &str) -> bool {
    let ask = inquire::Confirm::new(question)
        .with_default(false)
        .with_parser(&crate::texts::yes);
    ask.prompt().unwrap_or(false)
}

pub(crate) fn hold(command: HoldCommand, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    let request = |reason, officer| HoldRequest { reason, officer };
    let keep = &ui.texts().keep;
    connect::block_on(async {
        match command {
            HoldCommand::Place(args) => {
                let request = request(args.reason, args.officer);
                let reply = client.hold_place(&args.id, &request).await?;
                ui.show(&reply, || told(keep.held, &reply, ui))?;
            }
            HoldCommand::Lift(args) => {
                let request = request(args.reason, args.officer);
                let reply = client.hold_lift(&args.id, &request).await?;
                ui.show(&reply, || told(keep.lifted, &reply, ui))?;
            }
            HoldCommand::List { limit } => {
                let query = RetentionQuery {
                    held: true,
                    ..query(limit, ui)
                };
                let items = client.retention(&query).await?;
                ui.show(&items, || held_list(&items, ui))?;
            }
        }
        Ok(Exit::Ok.into())
    })
}

pub(crate) fn retention(
    command: RetentionCommand,
    common: &Common,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    connect::block_on(async {
        match command {
            RetentionCommand::List { all, limit } => {
                let query = RetentionQuery {
                    all,
                    ..query(limit, ui)
                };
                let items = client.retention(&query).await?;
                ui.show(&items, || due_list(&items, ui))?;
            }
            RetentionCommand::Extend {
                id,
                until,
                reason,
                officer,
            } => {
                let request = ExtendRequest {
                    until,
                    reason,
                    officer,
                };
                let reply = client.extend(&id, &request).await?;
                ui.show(&reply, || told(ui.texts().keep.extended, &reply, ui))?;
            }
        }
        Ok(Exit::Ok.into())
    })
}

fn query(limit: u32, ui: &Ui) -> RetentionQuery {
    RetentionQuery {
        limit: Some(limit),
        lang: Some(ui.lang.tag().to_owned()),
        ..RetentionQuery::default()
    }
}

fn told(text: &str, reply: &KeepReply, ui: &Ui) -> String {
    let (leaf, id) = (reply.leaf.to_string(), short_id(&reply.id));
    let due = reply.due.as_ref().map(|due| ui.full_time(due));
    let values = [
        ("id", &*id),
        ("leaf", &*leaf),
        ("due", due.as_deref().unwrap_or("–")),
    ];
    let said = fill(text, &values);
    match reply.recall_stands {
        true => format!("{said}\n{}", ui.texts().keep.recall_stands),
        false => said,
    }
}

fn due_list(items: &[KeptItem], ui: &Ui) -> String {
    let texts = ui.texts();
    if items.is_empty() {
        return texts.keep.none_due.to_owned();
    }
    let c = &texts.columns;
    let mut table = Table::new([
        (c.id, Align::Left),
        (texts.keep.column_due, Align::Left),
        (c.from, Align::Left),
        (c.matter, Align::Left),
    ]);
    for item in items {
        let due = item.due.as_deref().and_then(|due| due.get(..10));
        table.row([
            short_id(&item.id),
            due.unwrap_or_default().to_owned(),
            item.from.clone(),
            item.summary.clone(),
        ]);
    }
    table.render(ui.line_width(), |line| ui.paint(Paint::Strong, line))
}

fn held_list(items: &[KeptItem], ui: &Ui) -> String {
    let texts = ui.texts();
    if items.is_empty() {
        return texts.keep.none_held.to_owned();
    }
    let c = &texts.columns;
    let mut table = Table::new([
        (c.id, Align::Left),
        (texts.keep.column_held, Align::Left),
        (c.from, Align::Left),
        (texts.keep.column_reason, Align::Left),
    ]);
    for item in items {
        let held = item.held.clone().unwrap_or_default();
        table.row([
            short_id(&item.id),
            held.since.get(..10).unwrap_or_default().to_owned(),
            item.from.clone(),
            format!("{} ({})", held.reason, held.officer),
        ]);
    }
    table.render(ui.line_width(), |line| ui.paint(Paint::Strong, line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{table::columns, ui::plain};
    use abeng_api::{HeldView, KeptSide};
    use abeng_notice::Lang;

    fn item() -> KeptItem {
        KeptItem {
            id: "3f9a1c02b7de".to_owned() + &"0".repeat(52),
            side: KeptSide::Sent,
            from: "JM".into(),
            summary: "139.4 kg cocaine, JMKIN, sea".into(),
            due: Some("2026-12-24T06:05:16Z".into()),
            held: Some(HeldView {
                since: "2026-11-24T06:05:16Z".into(),
                reason: "order of the High Court\u{1b}[2J".into(),
                officer: "K-1".into(),
            }),
        }
    }

    #[test]
    fn what_falls_due_and_what_is_held_fit_a_terminal_in_every_language() {
        insta::assert_snapshot!(due_list(&[item()], &plain(Lang::En)), @r"
        ID            DELETED     FROM  MATTER
        3f9a1c02b7de  2026-12-24  JM    139.4 kg cocaine, JMKIN, sea
        ");
        for lang in Lang::ALL {
            let ui = plain(lang);
            for text in [due_list(&[item()], &ui), held_list(&[item()], &ui)] {
                assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
                assert!(!text.contains('\u{1b}'), "{text}");
            }
            assert!(!due_list(&[], &ui).is_empty() && !held_list(&[], &ui).is_empty());
        }
    }

    #[test]
    fn every_answer_names_the_notice_and_the_leaf() {
        let reply = KeepReply {
            id: item().id,
            leaf: 4711,
            due: item().due,
            recall_stands: false,
        };
        for lang in Lang::ALL {
            let ui = plain(lang);
            let keep = &ui.texts().keep;
            for text in [keep.held, keep.lifted, keep.extended] {
                let told = told(text, &reply, &ui);
                assert!(
                    told.contains("3f9a1c02b7de") && told.contains("4711"),
                    "{told}"
                );
                assert!(!told.contains('{'), "{told}");
            }
            let would = SubmitReply {
                to: vec!["BB".into(), "TT".into()],
                summary: item().summary,
                ..SubmitReply::default()
            };
            let asked = question(&would, &ui);
            assert!(
                asked.contains("BB, TT") && asked.contains("cocaine"),
                "{asked}"
            );
        }
    }
}
