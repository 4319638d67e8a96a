//! `abeng inbox list` and `abeng inbox show`.

use crate::{
    CliError, Exit, Paint, Ui,
    args::{Common, InboxCommand},
    attachment::{self, in_brief},
    connect,
    table::{Align, Table, columns, wrap},
    texts::{self, fill},
};
use abeng_api::{Client, DeliveredEvent, EventQuery, InboxItem, InboxQuery, NoticeView};
use abeng_notice::printable;
use std::process::ExitCode;

/// Digits of an id in a list: enough for `show` and `track`, short enough for a line.
pub(crate) const ID_DIGITS: usize = 12;
/// How long one wait for new notices lasts, in milliseconds.
const WATCH_MS: u32 = 30_000;

pub(crate) fn run(command: InboxCommand, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    connect::block_on(async {
        match command {
            InboxCommand::List {
                unread,
                from,
                limit,
                watch,
            } => {
                let query = InboxQuery {
                    limit: Some(limit),
                    unread,
                    from: from.map(|code| code.to_ascii_uppercase()),
                    before: None,
                    lang: Some(ui.lang.tag().to_owned()),
                };
                let items = client.inbox(&query).await?;
                if watch {
                    return follow(&client, query, items, ui).await;
                }
                ui.show(&items, || list(&items, Files::WhereAny, ui))?;
            }
            InboxCommand::Show { id } => {
                let view = client.inbox_show(&id, ui.lang.tag()).await?;
                ui.show(&view, || show(&view, ui))?;
            }
        }
        Ok(Exit::Ok.into())
    })
}

/// Prints what is there, then what arrives, until Ctrl-C. With `--json`, one object a line.
async fn follow(
    client: &Client,
    query: InboxQuery,
    mut items: Vec<InboxItem>,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    ui.remark(ui.texts().inbox.watching);
    let mut seen = None;
    let mut heading = true;
    loop {
        items.retain(|item| seen.is_none_or(|leaf| item.leaf > leaf));
        seen = items.iter().map(|item| item.leaf).max().or(seen);
        if ui.json {
            for item in items.iter().rev() {
                ui.give(item)?;
            }
        } else if !items.is_empty() {
            items.reverse();
            let text = list(&items, Files::Always, ui);
            let skip = if heading {
                0
            } else {
                text.find('\n').map_or(0, |i| i + 1)
            };
            ui.say(&text[skip..]);
            heading = false;
        }
        let events: Vec<DeliveredEvent> = loop {
            let wait = EventQuery {
                // Leaf 0 is never a delivery, so that nothing between list and wait is missed.
                after: Some(seen.unwrap_or(0)),
                timeout_ms: Some(WATCH_MS),
                limit: query.limit,
            };
            let events = client.wait_delivered(&wait).await?;
            if !events.is_empty() {
                break events;
            }
        };
        items = client.inbox(&query).await?;
        // Even where the list's filters hide all of them, the wait goes on behind them.
        if items
            .iter()
            .all(|item| seen.is_some_and(|leaf| item.leaf <= leaf))
        {
            seen = events.iter().map(|event| event.leaf).max().max(seen);
        }
    }
}

/// Whether a list has a column that says how many files notices have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Files {
    /// Where one of them has any.
    WhereAny,
    /// Always: what comes later under the same headings may have some.
    Always,
}

/// The column of files.
const FILES: usize = 6;

fn list(items: &[InboxItem], files: Files, ui: &Ui) -> String {
    let texts = ui.texts();
    if items.is_empty() {
        return texts.inbox.empty.to_owned();
    }
    let c = &texts.columns;
    let mut table = Table::new([
        (" ", Align::Left),
        (c.id, Align::Left),
        (c.received, Align::Left),
        (c.from, Align::Left),
        (c.precedence, Align::Left),
        ("TLP", Align::Left),
        (texts::Files::of(ui.lang).column_files, Align::Left),
        (c.matter, Align::Left),
    ]);
    for item in items {
        let word = texts.inbox.exercise.split(' ').next().unwrap_or_default();
        // The summary of a notice that could be opened says it already.
        let matter = if item.exercise && !item.summary.starts_with(word) {
            format!("{word}: {}", item.summary)
        } else {
            item.summary.clone()
        };
        table.row([
            if item.read { " " } else { "*" }.to_owned(),
            short_id(&item.id),
            ui.short_time(&item.received_at),
            item.from.clone(),
            item.precedence.clone(),
            item.tlp.clone(),
            in_brief(item.files, ui),
            matter,
        ]);
    }
    let table = match files {
        Files::WhereAny => table.without_empty(FILES),
        Files::Always => table,
    };
    table.render(ui.line_width(), |line| ui.paint(Paint::Strong, line))
}

fn show(view: &NoticeView, ui: &Ui) -> String {
    let texts = ui.texts();
    let t = &texts.inbox;
    let item = &view.item;
    let mut out = String::new();
    if item.exercise {
        out.push_str(&ui.paint(Paint::Warn, t.exercise));
        out.push('\n');
    }
    let title = format!(
        "{}  TLP:{}  {}",
        item.ty,
        item.tlp,
        printable(&item.summary)
    );
    out.push_str(&ui.paint(Paint::Strong, &wrap(&title, ui.width, 2)));
    out.push_str("\n\n");
    let from = format!("{} ({})", item.from_name, item.from);
    let head = [
        ("ID", item.id.clone()),
        (t.from, from),
        (t.to, view.to.join(", ")),
        (t.received, ui.full_time(&item.received_at)),
    ];
    let fields = view.fields.iter().map(|f| (&*f.label, f.value.clone()));
    out.push_str(&pairs(
        &head.into_iter().chain(fields).collect::<Vec<_>>(),
        ui,
    ));
    if !view.doubts.is_empty() {
        out.push_str(&format!("\n{}\n", ui.paint(Paint::Warn, t.doubts)));
        for doubt in &view.doubts {
            out.push_str(&format!(
                "  - {}\n",
                wrap(&printable(&doubt.text), ui.width, 4)
            ));
        }
    }
    if !item.files.is_none() {
        let line = attachment::how_to_get(&item.id, ui);
        out.push_str(&format!("\n{}\n", ui.paint(Paint::Faint, &line)));
    }
    let leaf = item.leaf.to_string();
    let logged = wrap(&fill(t.reading_logged, &[("leaf", &leaf)]), ui.width, 0);
    out.push_str(&format!("\n{}\n", ui.paint(Paint::Faint, &logged)));
    out
}

/// Labels and values, one below the other, values wrapped behind the widest label.
pub(crate) fn pairs(pairs: &[(&str, String)], ui: &Ui) -> String {
    let widest = pairs.iter().map(|(label, _)| columns(label)).max();
    let wide = widest.unwrap_or(0).min(28);
    let mut out = String::new();
    for (label, value) in pairs {
        let label = printable(label);
        let pad = " ".repeat(wide.saturating_sub(columns(&label)));
        let value = wrap(&printable(value), ui.width, wide + 2);
        out.push_str(&format!(
            "{}{pad}  {value}\n",
            ui.paint(Paint::Faint, &label)
        ));
    }
    out
}

/// The beginning of an id.
pub(crate) fn short_id(id: &str) -> String {
    id.chars().take(ID_DIGITS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::plain;
    use abeng_api::{FilesOf, LabelledValue};
    use abeng_notice::Lang;

    fn item() -> InboxItem {
        InboxItem {
            id: "3f9a1c02b7de".to_owned() + &"0".repeat(52),
            from: "JM".into(),
            from_name: "Jamaica".into(),
            received_at: "2026-11-24T06:05:16Z".into(),
            created_at: "2026-11-24T06:05:15Z".into(),
            precedence: "IMMEDIATE".into(),
            ty: "SEIZURE".into(),
            tlp: "AMBER+STRICT".into(),
            summary: "139.4 kg cocaine, Kingston (JMKIN), sea, in a refrigeration unit".into(),
            read: false,
            exercise: false,
            files: FilesOf::default(),
            leaf: 42,
        }
    }

    #[test]
    fn the_list_fits_eighty_columns() {
        let mut old = item();
        old.read = true;
        old.exercise = true;
        let any = Files::WhereAny;
        insta::assert_snapshot!(list(&[item(), old], any, &plain(Lang::En)), @r"
           ID            RECEIVED      FROM  PREC       TLP           MATTER
        *  3f9a1c02b7de  24 Nov 06:05  JM    IMMEDIATE  AMBER+STRICT  139.4 kg cocaine,…
           3f9a1c02b7de  24 Nov 06:05  JM    IMMEDIATE  AMBER+STRICT  EXERCISE: 139.4 k…
        ");
        let mut with_files = item();
        with_files.files = FilesOf {
            count: 2,
            bytes: 41_400_000,
        };
        insta::assert_snapshot!(list(&[with_files, item()], any, &plain(Lang::Fr)), @r"
           ID            REÇU          DE  PRIO       TLP           PIÈCES       OBJET
        *  3f9a1c02b7de  24 nov 06:05  JM  IMMEDIATE  AMBER+STRICT  2, 39,5 MiB  139.4 k…
        *  3f9a1c02b7de  24 nov 06:05  JM  IMMEDIATE  AMBER+STRICT               139.4 k…
        ");
        let always = list(&[item()], Files::Always, &plain(Lang::En));
        assert!(always.contains("FILES"), "{always}");
        let text = list(&[item()], any, &plain(Lang::Nl));
        assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
        assert_eq!(
            list(&[], any, &plain(Lang::Fr)),
            "La boîte de réception est vide."
        );
    }

    #[test]
    fn a_notice_shows_its_fields_and_who_read_it_is_said() {
        let view = NoticeView {
            item: item(),
            to: vec!["BB".into(), "TT".into()],
            fields: vec![LabelledValue {
                label: "Place".into(),
                value: "Kingston\x1b[2J ".to_owned() + &"word ".repeat(20),
            }],
            ..NoticeView::default()
        };
        let text = show(&view, &plain(Lang::En));
        assert!(text.contains("Jamaica (JM)"), "{text}");
        assert!(text.contains("BB, TT"), "{text}");
        assert!(text.contains("leaf 42"), "{text}");
        assert!(!text.contains("attachment"), "{text}");
        let mut with_files = view.clone();
        with_files.item.files.count = 1;
        let shown = show(&with_files, &plain(Lang::En));
        assert!(
            shown.contains("abeng attachment get 3f9a1c02b7de"),
            "{shown}"
        );
        assert!(!text.contains('\x1b'), "{text}");
        assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
    }
}
