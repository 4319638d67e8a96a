//! `abeng attachment list` and `abeng attachment get`.

mod get;
mod progress;

pub(crate) use progress::bar;
use progress::{moves, waits};

use crate::{
    CliError, Exit, Paint, Ui,
    args::{AttachmentCommand, Common},
    connect,
    inbox::short_id,
    table::{Align, Table},
    texts::{Counted, Files, fill},
};
use abeng_api::{AttachmentItem, AttachmentState, FilesOf};
use abeng_notice::printable;
use std::process::ExitCode;

pub(crate) fn run(
    command: AttachmentCommand,
    common: &Common,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    connect::block_on(async {
        match command {
            AttachmentCommand::List { id } => {
                let items = client.attachments(&id).await?;
                ui.show(&items, || list(&id, &items, ui))?;
            }
            AttachmentCommand::Get(args) => get::get(&args, &client, ui).await?,
        }
        Ok(Exit::Ok.into())
    })
}

fn list(id: &str, items: &[AttachmentItem], ui: &Ui) -> String {
    let t = Files::of(ui.lang);
    if items.is_empty() {
        return t.none.to_owned();
    }
    let mut table = Table::new([
        ("#", Align::Right),
        (t.column_size, Align::Right),
        (t.column_state, Align::Left),
        (t.column_name, Align::Left),
    ]);
    for item in items {
        let party = item.budget_of.as_deref().unwrap_or(&item.sender);
        let percent = (item.here.saturating_mul(100) / item.cipher_length.max(1)).to_string();
        table.row([
            item.number.to_string(),
            ui.bytes(item.length),
            fill(
                t.state(item.state),
                &[("percent", &percent), ("party", party)],
            ),
            printable(&item.name),
        ]);
    }
    let mut out = table.render(ui.line_width(), |line| ui.paint(Paint::Strong, line));
    if items.iter().any(|item| failed(item, ui).is_none()) {
        let hint = how_to_get(id, ui);
        out.push_str(&format!("\n{}\n", ui.paint(Paint::Faint, &hint)));
    }
    out
}

/// How many files a notice has and how large they are, for a column; nothing where it has none.
pub(crate) fn in_brief(files: FilesOf, ui: &Ui) -> String {
    match files.count {
        0 => String::new(),
        count => format!("{count}, {}", ui.bytes(files.bytes)),
    }
}

/// The same in words.
pub(crate) fn in_words(text: &Counted, files: FilesOf, ui: &Ui) -> String {
    let form = ui.texts().form(text, u64::from(files.count));
    let (count, size) = (files.count.to_string(), ui.bytes(files.bytes));
    fill(form, &[("count", &count), ("size", &size)])
}

/// How the files of a notice are taken out.
pub(crate) fn how_to_get(id: &str, ui: &Ui) -> String {
    let id = printable(&short_id(id));
    fill(Files::of(ui.lang).how_to_get, &[("id", &id)])
}

/// Why a file cannot be had, where that is known: of one that does not come it is not waited for.
fn failed(item: &AttachmentItem, ui: &Ui) -> Option<CliError> {
    let (told, hint) = Files::of(ui.error_lang()).failures.of(item.state)?;
    let (first, rest) = item.root.split_at_checked(2).unwrap_or_default();
    let values = [
        ("number", &*item.number.to_string()),
        ("name", &*printable(&item.name)),
        ("party", &*item.sender),
        ("path", &*format!("blobs/{first}/{rest}")),
    ];
    let exit = match item.state {
        AttachmentState::Gone | AttachmentState::SenderGone => Exit::NotFound,
        _ => Exit::Unverified,
    };
    Some(CliError::new(exit, fill(told, &values)).with_try(fill(hint, &values)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{table::columns, ui::plain};
    use abeng_notice::Lang;

    fn items() -> Vec<AttachmentItem> {
        let item = |number, name: &str, state, here| AttachmentItem {
            number,
            name: name.into(),
            length: 1_449_000,
            cipher_length: 1_449_368,
            here,
            state,
            root: "ab".repeat(32),
            sender: "JM".into(),
            ..AttachmentItem::default()
        };
        vec![
            item(1, "x-ray\u{202e} 7.jpg", AttachmentState::Here, 1_449_368),
            item(2, "scan.pdf", AttachmentState::Coming, 724_684),
            AttachmentItem {
                budget_of: Some("TT".into()),
                ..item(4, "video.mp4", AttachmentState::WaitsBudget, 724_684)
            },
            item(
                3,
                "a name that is rather long for a file.jpg",
                AttachmentState::OnRequest,
                0,
            ),
            item(5, "late.jpg", AttachmentState::Waiting, 0),
            item(6, "lost.jpg", AttachmentState::SenderGone, 0),
            item(7, "bad.jpg", AttachmentState::SenderDamaged, 724_684),
            item(8, "worse.jpg", AttachmentState::Damaged, 1_449_368),
            item(9, "own.jpg", AttachmentState::Gone, 0),
        ]
    }

    #[test]
    fn a_list_says_what_is_here_and_how_to_get_it() {
        let id = "3f9a1c02b7de".to_owned() + &"0".repeat(52);
        insta::assert_snapshot!(list(&id, &items(), &plain(Lang::En)));
        for lang in Lang::ALL {
            let text = list(&id, &items(), &plain(lang));
            assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
            assert!(!text.contains('?') && !text.contains('{'), "{text}");
        }
        for lang in Lang::ALL {
            let failures: Vec<CliError> = items()
                .iter()
                .filter_map(|item| failed(item, &plain(lang)))
                .collect();
            let exits: Vec<Exit> = failures.iter().map(|why| why.exit).collect();
            let (gone, bad) = (Exit::NotFound, Exit::Unverified);
            assert_eq!(exits, [gone, bad, bad, gone]);
            for (why, name) in failures.iter().zip(["lost", "bad", "worse", "own"]) {
                let hint = why.try_this.as_deref().unwrap();
                assert!(why.message.contains(name), "{why}");
                assert!(
                    !why.message.contains('?') && !hint.contains('?'),
                    "{why}: {hint}"
                );
            }
            let hint = failures[2].try_this.as_deref().unwrap();
            assert!(hint.contains("`blobs/ab/abab"), "{hint}");
        }
        assert_eq!(
            list(&id, &[], &plain(Lang::Nl)),
            "De melding heeft geen bijlagen."
        );
    }
}
