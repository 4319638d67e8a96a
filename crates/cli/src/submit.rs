//! `abeng submit seizure`.

mod files;
mod form;
mod input;

use crate::{
    CliError, Paint, Ui,
    args::{Common, SeizureArgs},
    attachment::in_words,
    connect,
    error::Exit,
    release,
    table::wrap,
    texts::{Errors, Files, Groups, Texts, fill, told_cause},
};
use abeng_api::{Client, CostRequest, FlawView, GroupView, SubmitReply, SubmitRequest};
use abeng_notice::{locate_toml, printable};
pub(crate) use input::Input;
use std::process::ExitCode;

pub(crate) fn seizure(args: SeizureArgs, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    if args.file.is_none() && !args.short.any() {
        if ui.interactive && !ui.json {
            return connect::block_on(form::ask(args, &client, ui));
        }
        let words = Errors::of(ui.error_lang());
        return Err(CliError::usage(words.nothing_said).with_try(words.say_it));
    }
    let mut input = Input::read(&args, ui)?;
    let files = files::look(&mut input, &args, ui)?;
    connect::block_on(async {
        if !files.is_empty() && !args.dry_run {
            // What is wrong with the notice shows before a large file has been read.
            let mut request = input.request(&args, ui)?;
            request.dry_run = true;
            let looked = client.submit(&request).await;
            looked.map_err(|e| placed(CliError::from(e), &input, ui))?;
            files::give(&files, &mut input, &client, ui).await?;
        }
        let request = input.request(&args, ui)?;
        send(&client, &request, &input, ui).await
    })
}

/// What was given, and the question of what it would cost. Files are looked at and stay where they are.
pub(crate) fn read(args: &SeizureArgs, ui: &Ui) -> Result<(Input, CostRequest), CliError> {
    let mut input = Input::read(args, ui)?;
    let files = files::look(&mut input, args, ui)?;
    let request = CostRequest {
        submit: input.request(args, ui)?,
        files: files.iter().map(files::Local::planned).collect(),
    };
    Ok((input, request))
}

/// The code that the node gives a refusal by policy.
const POLICY: &str = "policy";

/// Sends it, and tells what came of it.
async fn send(
    client: &Client,
    request: &SubmitRequest,
    input: &Input,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    let reply = client.submit(request).await;
    let reply = reply.map_err(|e| placed(CliError::from(e), input, ui))?;
    ui.show(&reply, || accepted(&reply, ui))?;
    Ok(Exit::Ok.into())
}

/// Tells flaws in the reader's language, each with its place in the file that it came from.
pub(crate) fn placed(mut error: CliError, input: &Input, ui: &Ui) -> CliError {
    if error.flaws.is_empty() {
        return error;
    }
    let t = &Texts::of(ui.error_lang()).submit;
    // A refusal by policy is nothing that the officer wrote wrongly.
    let by_policy = error.flaws.iter().all(|flaw| flaw.code == POLICY);
    let (message, hint) = if by_policy {
        (t.not_allowed, hint_of(&error, ui))
    } else {
        (t.flaws, t.correct.to_owned())
    };
    message.clone_into(&mut error.message);
    error.try_this = Some(hint);
    error.cause = None;
    if let Some((name, source)) = &input.source {
        for flaw in &mut error.flaws {
            if let Some((line, column)) = locate_toml(source, &flaw.field) {
                flaw.text = format!("{name}:{line}:{column}: {}", flaw.text);
            }
        }
    }
    error
}

/// Whom to ask, or who there is, where somebody was named who is not.
fn hint_of(error: &CliError, ui: &Ui) -> String {
    let causes = error.flaws.iter().filter_map(|flaw| flaw.cause.as_ref());
    let mut hints = causes.filter(|cause| cause.values.contains_key("members"));
    let ask = Texts::of(ui.error_lang()).submit.ask.to_owned();
    let Some(cause) = hints.next() else {
        return ask;
    };
    match told_cause(cause, ui) {
        Some((_, hint)) => hint.unwrap_or(ask),
        None => error.try_this.clone().unwrap_or(ask),
    }
}

pub(crate) fn accepted(reply: &SubmitReply, ui: &Ui) -> String {
    if let Some(held) = &reply.held {
        return release::held(reply, held, ui);
    }
    let t = &ui.texts().submit;
    let values = [("type", &*reply.ty), ("to", &*reply.to.join(", "))];
    let mut out = String::new();
    match &reply.id {
        Some(id) => {
            let line = wrap(&fill(t.accepted, &values), ui.width, 0);
            out.push_str(&format!("{}\n", ui.paint(Paint::Good, &line)));
            out.push_str(&format!("{}\n", printable(&reply.summary)));
            out.push_str(&format!("{}\n", fill(t.id, &[("id", id)])));
        }
        None => {
            out.push_str(&format!("{}\n", ui.paint(Paint::Warn, t.dry_run)));
            out.push_str(&format!("{}\n", printable(&reply.summary)));
        }
    }
    if !reply.files.is_none() {
        let line = in_words(&Files::of(ui.lang).follow, reply.files, ui);
        out.push_str(&format!("{line}\n"));
    }
    out.push_str(&groups(&reply.groups, ui));
    let until = ui.full_time(&reply.expires_at);
    let tried = [("precedence", &*reply.precedence), ("until", &*until)];
    out.push_str(&format!("{}\n", fill(t.tried_until, &tried)));
    out.push_str(&doubts(&reply.doubts, ui));
    if let Some(id) = &reply.id {
        let id = crate::inbox::short_id(id);
        let follow = fill(t.follow, &[("id", &id)]);
        out.push_str(&format!("{}\n", ui.paint(Paint::Faint, &follow)));
    }
    out
}

/// What groups stand for, and who is left out: nobody should believe to have told somebody who was
/// not, or wonder who reads it.
pub(crate) fn groups(groups: &[GroupView], ui: &Ui) -> String {
    let t = Groups::of(ui.lang);
    let mut out = String::new();
    let mut line = |text: &str, values: &[(&str, &str)], paint: Paint| {
        let text = wrap(&printable(&fill(text, values)), ui.width, 2);
        out.push_str(&format!("{}\n", ui.paint(paint, &text)));
    };
    for expanded in groups {
        let group = ("group", &*expanded.group);
        match expanded.members.is_empty() {
            true => line(t.nobody, &[group], Paint::Warn),
            false => {
                let members = expanded.members.join(", ");
                line(t.stands_for, &[group, ("members", &members)], Paint::Faint);
            }
        }
        for left_out in &expanded.left_out {
            let until = left_out.until.as_deref().map(|at| ui.full_time(at));
            let values = [
                group,
                ("party", &*left_out.party),
                ("until", until.as_deref().unwrap_or("?")),
            ];
            if let Some(why) = t.left_out(left_out.why) {
                line(why, &values, Paint::Warn);
            }
        }
    }
    out
}

pub(crate) fn doubts(doubts: &[FlawView], ui: &Ui) -> String {
    if doubts.is_empty() {
        return String::new();
    }
    let mut out = format!("{}\n", ui.paint(Paint::Warn, ui.texts().submit.doubts));
    for doubt in doubts {
        out.push_str(&format!(
            "  - {}\n",
            wrap(&printable(&doubt.text), ui.width, 4)
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::plain;
    use abeng_api::{FilesOf, LeftOutWhy};
    use abeng_notice::Lang;

    fn reply(id: Option<String>) -> SubmitReply {
        SubmitReply {
            id,
            ty: "SEIZURE".into(),
            to: vec!["BB".into(), "TT".into()],
            precedence: "FLASH".into(),
            created_at: "2026-11-24T06:05:16Z".into(),
            expires_at: "2026-12-24T06:05:16Z".into(),
            leaf: Some(1),
            doubts: vec![FlawView {
                text: "Container (containers[0].number): check digit".into(),
                ..FlawView::default()
            }],
            summary: "139.4 kg cocaine, JMKIN, sea".into(),
            files: FilesOf {
                count: 2,
                bytes: 41_400_000,
            },
            ..SubmitReply::default()
        }
    }

    #[test]
    fn every_language_shows_what_a_group_stands_for_and_who_is_left_out() {
        let left_out = |party: &str, why| abeng_api::LeftOutView {
            party: party.into(),
            why,
            until: Some("2026-12-05T14:30:00Z".into()),
        };
        let mut reply = reply(None);
        reply.groups = vec![GroupView {
            group: "SEA".into(),
            members: vec!["BB".into(), "TT".into()],
            left_out: vec![
                left_out("JM", LeftOutWhy::Yourself),
                left_out("GY", LeftOutWhy::NewToNetwork),
                left_out("SR", LeftOutWhy::NewToGroup),
                left_out("HT", LeftOutWhy::Inactive),
            ],
        }];
        for lang in Lang::ALL {
            let text = accepted(&reply, &plain(lang));
            for said in ["SEA", "BB, TT", "GY", "SR", "HT", "2026"] {
                assert!(text.contains(said), "{said} in {text}");
            }
            assert!(!text.contains("JM:") && !text.contains('{'), "{text}");
        }
    }

    #[test]
    fn an_acceptance_names_the_id_and_how_to_follow_it() {
        let id = "3f9a1c02b7de".to_owned() + &"0".repeat(52);
        insta::assert_snapshot!(accepted(&reply(Some(id)), &plain(Lang::En)));
    }

    #[test]
    fn policy_is_not_told_as_a_mistake_and_a_flaw_has_its_place() {
        let flaw = |field: &str, code: &str| FlawView {
            field: field.into(),
            code: code.into(),
            text: "why".into(),
            ..FlawView::default()
        };
        let source = "type = \"SEIZURE\"\nplace = \"JMKIM\"\n";
        let input = Input {
            draft: Default::default(),
            source: Some(("x.toml".into(), source.into())),
        };
        let told = |flaw: FlawView| {
            let error = abeng_api::ApiError::refused("no", vec![flaw]);
            placed(error.into(), &input, &plain(Lang::En))
        };
        let policy = told(flaw("to", "policy"));
        assert!(policy.message.contains("rules"), "{policy}");
        assert_eq!(policy.flaws[0].text, "why");
        let place = told(flaw("place", "unknown-code"));
        assert!(place.message.contains("flaws"), "{place}");
        assert_eq!(place.flaws[0].text, "x.toml:2:1: why");
    }

    #[test]
    fn a_dry_run_does_not_look_like_an_acceptance() {
        let text = accepted(&reply(None), &plain(Lang::En));
        assert!(text.contains("Nothing was sent"), "{text}");
        assert!(!text.contains("abeng track"), "{text}");
    }
}
