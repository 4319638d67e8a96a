//! `abeng sent list`.

use crate::{
    CliError, Exit, Paint, Ui,
    args::{Common, SentCommand},
    attachment::in_brief,
    connect,
    inbox::short_id,
    table::{Align, Table},
    texts::Files,
};
use abeng_api::{SentItem, SentQuery, SentTo};
use std::process::ExitCode;

/// The column of files.
const FILES: usize = 4;
/// Recipients named in a row; of more only the states are counted.
const NAMED: usize = 2;

pub(crate) fn run(command: SentCommand, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let SentCommand::List { open, limit } = command;
    let client = connect::client(common);
    connect::block_on(async {
        let query = SentQuery {
            limit: Some(limit),
            open,
            before: None,
            lang: Some(ui.lang.tag().to_owned()),
        };
        let items = client.sent(&query).await?;
        ui.show(&items, || list(&items, ui))?;
        Ok(Exit::Ok.into())
    })
}

fn list(items: &[SentItem], ui: &Ui) -> String {
    let texts = ui.texts();
    if items.is_empty() {
        return texts.inbox.none_sent.to_owned();
    }
    let c = &texts.columns;
    let mut table = Table::new([
        (c.id, Align::Left),
        (c.sent, Align::Left),
        (c.precedence, Align::Left),
        (c.to, Align::Left),
        (Files::of(ui.lang).column_files, Align::Left),
        (c.matter, Align::Left),
    ]);
    for item in items {
        table.row([
            short_id(&item.id),
            ui.short_time(&item.created_at),
            item.precedence.clone(),
            recipients(&item.to, ui),
            in_brief(item.files, ui),
            item.summary.clone(),
        ]);
    }
    let table = table.without_empty(FILES);
    table.render(ui.line_width(), |line| ui.paint(Paint::Strong, line))
}

/// `TT delivered, BB queued`, or `5/7 delivered, 2/7 queued`.
fn recipients(to: &[SentTo], ui: &Ui) -> String {
    let texts = ui.texts();
    if to.len() <= NAMED {
        let named = to
            .iter()
            .map(|r| format!("{} {}", r.party, texts.state(r.state)));
        return named.collect::<Vec<_>>().join(", ");
    }
    let mut counts: Vec<(abeng_api::DeliveryState, usize)> = Vec::new();
    for recipient in to {
        match counts
            .iter_mut()
            .find(|(state, _)| *state == recipient.state)
        {
            Some((_, count)) => *count += 1,
            None => counts.push((recipient.state, 1)),
        }
    }
    let all = to.len();
    let counted = counts
        .into_iter()
        .map(|(state, n)| format!("{n}/{all} {}", texts.state(state)));
    counted.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{table::columns, ui::plain};
    use abeng_api::{DeliveryState, FilesOf};
    use abeng_notice::Lang;

    fn to(party: &str, state: DeliveryState) -> SentTo {
        SentTo {
            party: party.into(),
            state,
            since: "2026-11-24T06:05:16Z".into(),
        }
    }

    #[test]
    fn few_recipients_are_named_and_many_counted() {
        use DeliveryState::{Delivered, Queued};
        let item = |to: Vec<SentTo>| SentItem {
            id: "3f9a1c02b7de".to_owned() + &"0".repeat(52),
            created_at: "2026-11-24T06:05:16Z".into(),
            precedence: "FLASH".into(),
            summary: "139.4 kg cocaine, JMKIN, sea".into(),
            to,
            ..SentItem::default()
        };
        let items = [
            item(vec![to("TT", Delivered), to("BB", Queued)]),
            item(vec![
                to("BB", Delivered),
                to("DM", Queued),
                to("TT", Delivered),
            ]),
        ];
        let text = list(&items, &plain(Lang::En));
        insta::assert_snapshot!(text, @r"
        ID            SENT          PREC   TO                         MATTER
        3f9a1c02b7de  24 Nov 06:05  FLASH  TT delivered, BB queued    139.4 kg cocaine,…
        3f9a1c02b7de  24 Nov 06:05  FLASH  2/3 delivered, 1/3 queued  139.4 kg cocaine,…
        ");
        let mut with_files = items.to_vec();
        with_files[1].files = FilesOf {
            count: 2,
            bytes: 41_400_000,
        };
        let text = list(&with_files, &plain(Lang::En));
        insta::assert_snapshot!(text, @r"
        ID            SENT          PREC   TO                         FILES        MATTER
        3f9a1c02b7de  24 Nov 06:05  FLASH  TT delivered, BB queued                 139.4 k…
        3f9a1c02b7de  24 Nov 06:05  FLASH  2/3 delivered, 1/3 queued  2, 39.5 MiB  139.4 k…
        ");
        for lang in Lang::ALL {
            let text = list(&items, &plain(lang));
            assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
        }
    }
}
