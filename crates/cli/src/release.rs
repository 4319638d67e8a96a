//! `abeng release`: what a second person must let go before it is sent.

use crate::{
    CliError, Exit, Paint, Ui,
    args::{Common, GrantArgs, ReleaseCommand},
    connect,
    inbox::{pairs, short_id},
    keeping::confirm,
    submit::{accepted, doubts, groups},
    table::{Align, Table, wrap},
    texts::{Release, fill, told_cause},
};
use abeng_api::{
    Client, DenyRequest, GrantRequest, HeldReply, ReleaseItem, ReleaseQuery, ReleaseView,
    SubmitReply,
};
use abeng_notice::{Lang, printable};
use std::process::ExitCode;

pub(crate) fn run(command: ReleaseCommand, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    let t = Release::of(ui.lang);
    connect::block_on(async {
        match command {
            ReleaseCommand::List { limit } => {
                let query = ReleaseQuery {
                    limit: Some(limit),
                    lang: Some(ui.lang.tag().to_owned()),
                };
                let items = client.releases(&query).await?;
                ui.show(&items, || list(&items, ui))?;
            }
            ReleaseCommand::Show { id } => {
                let view = client.release_show(&id, ui.lang.tag()).await?;
                ui.show(&view, || show(&view, ui))?;
            }
            ReleaseCommand::Grant(args) => return grant(&client, args, ui).await,
            ReleaseCommand::Deny(args) => {
                let request = DenyRequest {
                    reason: args.reason,
                    officer: args.officer,
                };
                let reply = client.release_deny(&args.id, &request).await?;
                let values = [
                    ("id", short_id(&reply.id)),
                    ("leaf", reply.leaf.to_string()),
                ];
                let values = values.each_ref().map(|(name, value)| (*name, &**value));
                ui.show(&reply, || {
                    let denied = fill(t.denied, &values);
                    match reply.recalled.is_empty() {
                        true => denied,
                        false => {
                            let recalls = reply.recalled.join(", ");
                            let recalls = fill(t.recalled_already, &[("recalls", &recalls)]);
                            format!("{denied}\n{recalls}")
                        }
                    }
                })?;
            }
        }
        Ok(Exit::Ok.into())
    })
}

async fn grant(client: &Client, args: GrantArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    let t = Release::of(ui.lang);
    if !ui.interactive && !args.yes {
        return Err(CliError::usage(t.needs_yes).with_try(t.add_yes));
    }
    let mut shown = None;
    if !args.yes {
        // What is asked about is shown first, as it would go.
        let view = client.release_show(&args.id, ui.lang.tag()).await?;
        shown = Some(view.to.clone());
        ui.remark(&show(&view, ui));
        let values = [
            ("by", &*view.item.by),
            ("matter", &*view.item.summary),
            ("to", &*view.to.join(", ")),
        ];
        if !confirm(&printable(&fill(t.ask, &values))) {
            ui.remark(t.not_released);
            return Ok(Exit::Usage.into());
        }
    }
    let request = GrantRequest {
        to: shown,
        officer: args.officer,
        lang: Some(ui.lang.tag().to_owned()),
    };
    let reply = client.release_grant(&args.id, &request).await?;
    ui.show(&reply, || accepted(&reply, ui))?;
    Ok(Exit::Ok.into())
}

/// What is told in place of an acceptance.
pub(crate) fn held(reply: &SubmitReply, held: &HeldReply, ui: &Ui) -> String {
    let t = Release::of(ui.lang);
    let mut out = String::new();
    let mut line = |text: &str, paint: Option<Paint>| {
        let text = wrap(text, ui.width, 0);
        let text = paint.map_or(text.clone(), |paint| ui.paint(paint, &text));
        out.push_str(&format!("{text}\n"));
    };
    let values = [("type", &*reply.ty), ("to", &*reply.to.join(", "))];
    let first = match &held.id {
        Some(_) => t.held,
        None => t.would_be_held,
    };
    if held.id.is_none() {
        line(ui.texts().submit.dry_run, Some(Paint::Warn));
    }
    line(&fill(first, &values), Some(Paint::Warn));
    line(&printable(&reply.summary), None);
    line(&fill(t.because, &[("why", &t.why(&held.why))]), None);
    if let Some(days) = held.age_days {
        line(&t.aged(days), Some(Paint::Warn));
    }
    let releasers = held.releasers.join(", ");
    match held.releasers.is_empty() {
        true => line(t.anybody, None),
        false => line(&fill(t.who, &[("releasers", &releasers)]), None),
    }
    if let Some(id) = &held.id {
        line(&fill(t.id, &[("id", id)]), None);
    }
    out.push_str(&groups(&reply.groups, ui));
    out.push_str(&doubts(&reply.doubts, ui));
    if held.age_days.is_some() {
        let how = wrap(t.renew, ui.width, 0);
        out.push_str(&format!("{}\n", ui.paint(Paint::Faint, &how)));
    }
    if let Some(id) = &held.id {
        let withdraw = fill(t.withdraw, &[("id", &short_id(id))]);
        for how in [t.follow, &withdraw] {
            let how = wrap(how, ui.width, 0);
            out.push_str(&format!("{}\n", ui.paint(Paint::Faint, &how)));
        }
    }
    out
}

fn list(items: &[ReleaseItem], ui: &Ui) -> String {
    let t = Release::of(ui.lang);
    if items.is_empty() {
        return t.none.to_owned();
    }
    let c = &ui.texts().columns;
    let mut table = Table::new([
        (c.id, Align::Left),
        (t.column_since, Align::Left),
        (t.column_by, Align::Left),
        (c.to, Align::Left),
        ("TLP", Align::Left),
        (c.matter, Align::Left),
    ]);
    for item in items {
        let matter = match trouble(item, ui) {
            Some((trouble, lang)) => format!("{}: {trouble}", Release::of(lang).stuck),
            None => item.summary.clone(),
        };
        table.row([
            short_id(&item.id),
            match item.since.is_empty() {
                true => crate::status::dash(),
                false => ui.short_time(&item.since),
            },
            item.by.clone(),
            item.to.join(","),
            item.tlp.clone(),
            matter,
        ]);
    }
    let mut out = table.render(ui.width, |line| ui.paint(Paint::Strong, line));
    if items.iter().any(|item| item.maybe_sent) {
        let ids = items.iter().filter(|item| item.maybe_sent);
        let ids: Vec<String> = ids.map(|item| short_id(&item.id)).collect();
        let text = format!("! {}: {}", ids.join(", "), t.maybe_sent);
        let text = wrap(&text, ui.width, 2);
        out.push_str(&format!("{}\n", ui.paint(Paint::Warn, &text)));
    }
    out
}

/// What stands in the way of a release, in the reader's language where the node said it by name, else
/// in English; and in which.
fn trouble(item: &ReleaseItem, ui: &Ui) -> Option<(String, Lang)> {
    let told = item.trouble_cause.as_ref();
    let told = told.and_then(|cause| told_cause(cause, ui));
    let told = told.map(|(why, _)| (why, ui.lang));
    told.or_else(|| Some((item.trouble.clone()?, Lang::En)))
}

fn show(view: &ReleaseView, ui: &Ui) -> String {
    let t = Release::of(ui.lang);
    let item = &view.item;
    let mut out = String::new();
    let mut warn = |text: &str| {
        let text = wrap(&format!("! {}", printable(text)), ui.width, 2);
        out.push_str(&format!("{}\n", ui.paint(Paint::Warn, &text)));
    };
    if item.maybe_sent {
        warn(t.maybe_sent);
    }
    if let Some((why, lang)) = trouble(item, ui) {
        warn(&fill(Release::of(lang).trouble, &[("why", &why)]));
    }
    let title = format!(
        "{}  TLP:{}  {}",
        item.ty,
        item.tlp,
        printable(&item.summary)
    );
    out.push_str(&ui.paint(Paint::Strong, &wrap(&title, ui.width, 2)));
    out.push_str("\n\n");
    let by = match item.officer == item.by {
        true => item.by.clone(),
        false => fill(
            t.names_officer,
            &[("by", &item.by), ("officer", &item.officer)],
        ),
    };
    let to = match view.to.is_empty() {
        true => item.to.join(", "),
        false => view.to.join(", "),
    };
    let mut head = vec![
        ("ID", item.id.clone()),
        (t.label_by, by),
        (t.label_since, ui.full_time(&item.since)),
        (t.label_to, to),
    ];
    if !view.precedence.is_empty() {
        head.push((t.label_precedence, view.precedence.clone()));
    }
    let fields = view.fields.iter().map(|f| (&*f.label, f.value.clone()));
    head.extend(fields);
    out.push_str(&pairs(&head, ui));
    out.push_str(&groups(&view.groups, ui));
    if !view.why.is_empty() {
        let why = fill(t.because, &[("why", &t.why(&view.why))]);
        out.push_str(&format!("\n{}\n", wrap(&why, ui.width, 0)));
    }
    if let Some(days) = view.age_days {
        let aged = wrap(&t.aged(days), ui.width, 0);
        out.push_str(&format!("{}\n", ui.paint(Paint::Warn, &aged)));
    }
    out.push_str(&doubts(&view.doubts, ui));
    let leaf = view.leaf.to_string();
    let logged = wrap(&fill(t.logged, &[("leaf", &leaf)]), ui.width, 0);
    out.push_str(&format!("{}\n", ui.paint(Paint::Faint, &logged)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{table::columns, ui::plain};
    use abeng_api::{Cause, CauseView, LabelledValue, ReleaseWhy};

    fn reply(id: Option<String>) -> SubmitReply {
        SubmitReply {
            ty: "SEIZURE".into(),
            to: vec!["BB".into(), "TT".into()],
            summary: "139.4 kg cocaine, JMKIN, sea".into(),
            held: Some(HeldReply {
                id,
                why: vec![ReleaseWhy::Tlp, ReleaseWhy::Nominal],
                releasers: vec!["ann".into(), "uid:1002".into()],
                age_days: None,
            }),
            ..SubmitReply::default()
        }
    }

    #[test]
    fn what_is_held_does_not_look_sent() {
        let id = "3f9a1c02b7de".to_owned() + &"0".repeat(20);
        insta::assert_snapshot!(accepted(&reply(Some(id.clone())), &plain(Lang::En)), @r"
        SEIZURE for BB, TT is HELD: nothing is sent yet. A second person must release
        it.
        139.4 kg cocaine, JMKIN, sea
        It waits because of: its label (TLP), names of persons.
        Who may release it, but never what they submitted themselves: ann, uid:1002.
        Id while it waits: 3f9a1c02b7de00000000000000000000
        Follow it with: abeng release list
        Withdraw it with: abeng release deny 3f9a1c02b7de --reason TEXT
        ");
        for lang in Lang::ALL {
            let text = accepted(&reply(Some(id.clone())), &plain(lang));
            for said in ["BB, TT", &*id, "ann, uid:1002", "release list", "TLP"] {
                assert!(text.contains(said), "{said} in {text}");
            }
            assert!(
                !text.contains("abeng track") && !text.contains('{'),
                "{text}"
            );
            assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
            let dry = accepted(&reply(None), &plain(lang));
            assert!(!dry.contains("release deny"), "{dry}");
            assert!(
                dry.contains(
                    plain(lang)
                        .texts()
                        .submit
                        .dry_run
                        .split('.')
                        .next()
                        .unwrap()
                ),
                "{dry}"
            );
        }
    }

    #[test]
    fn what_waits_for_the_age_of_the_roster_says_whom_to_ask_and_what_ends_it() {
        for lang in Lang::ALL {
            let mut reply = reply(Some("0".repeat(32)));
            let held = reply.held.as_mut().unwrap();
            held.why = vec![ReleaseWhy::Age, ReleaseWhy::Expired];
            held.releasers.clear();
            held.age_days = Some(34);
            let text = accepted(&reply, &plain(lang));
            for said in ["34 ", "[policy.dual_control]", "courier", "release list"] {
                assert!(text.contains(said), "{lang} {said}: {text}");
            }
            assert!(!text.contains('{'), "{text}");
            assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
            let mut view = ReleaseView {
                why: vec![ReleaseWhy::Age],
                age_days: Some(1),
                ..ReleaseView::default()
            };
            let aged = Release::of(lang).aged(1);
            let first = aged.split(" 1").next().unwrap();
            assert!(show(&view, &plain(lang)).contains(&first[..20]), "{lang}");
            view.age_days = None;
            let shown = show(&view, &plain(lang));
            let why = Release::of(lang).why(&view.why);
            assert!(shown.contains(&why), "{shown}");
        }
    }

    #[test]
    fn a_list_and_a_notice_tell_what_stands_in_the_way() {
        let item = ReleaseItem {
            id: "3f9a1c02b7de".to_owned() + &"0".repeat(20),
            since: "2026-11-24T06:05:16Z".into(),
            by: "uid:1000".into(),
            officer: "B-117".into(),
            ty: "SEIZURE".into(),
            tlp: "RED".into(),
            to: vec!["SEA".into()],
            summary: "139.4 kg cocaine, JMKIN, sea".into(),
            maybe_sent: true,
            ..ReleaseItem::default()
        };
        let stuck = ReleaseItem {
            trouble: Some("not sent: TT is suspended".into()),
            trouble_cause: Some(CauseView::new(
                Cause::Inactive,
                [("code", "TT".to_owned()), ("ask", "LC".to_owned())],
            )),
            maybe_sent: false,
            ..item.clone()
        };
        let view = ReleaseView {
            item: stuck.clone(),
            why: vec![ReleaseWhy::Type],
            to: vec!["BB".into(), "TT".into()],
            precedence: "FLASH".into(),
            fields: vec![LabelledValue {
                label: "Place".into(),
                value: "Kingston\x1b[2J".into(),
            }],
            leaf: 42,
            ..ReleaseView::default()
        };
        for lang in Lang::ALL {
            let ui = plain(lang);
            let text = list(&[item.clone(), stuck.clone()], &ui);
            assert!(text.contains(Release::of(lang).stuck), "{text}");
            assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
            assert!(text.contains("! 3f9a1c02b7de: "), "{text}");
            let text = show(&view, &ui);
            assert_eq!(text.contains("TT is suspended"), lang == Lang::En);
            for said in ["TT", "uid:1000", "B-117", "BB, TT", "FLASH", "42"] {
                assert!(text.contains(said), "{said} in {text}");
            }
            assert!(!text.contains('{') && !text.contains('\x1b'), "{text}");
            assert_eq!(list(&[], &ui), Release::of(lang).none);
            // What a newer node says and this command cannot, all in English.
            let mut newer = view.clone();
            newer.item.trouble_cause = None;
            let text = show(&newer, &ui);
            assert!(text.contains("As it is, it cannot be released: not sent: TT"));
        }
    }
}
