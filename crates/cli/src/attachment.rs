//! `abeng attachment list` and `abeng attachment get`.

mod get;
mod progress;

pub(crate) use get::there;
pub(crate) use progress::bar;

use crate::{
    CliError, Exit, Paint, Ui,
    args::{AttachmentCommand, Common},
    connect,
    inbox::short_id,
    table::{Align, Table},
    texts::{Files, fill},
};
use abeng_api::AttachmentItem;
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
        let party = item.budget_of.as_deref().unwrap_or_default();
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
    let id = short_id(id);
    let hint = fill(t.how_to_get, &[("id", &printable(&id))]);
    out.push_str(&format!("\n{}\n", ui.paint(Paint::Faint, &hint)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{table::columns, ui::plain};
    use abeng_api::AttachmentState;
    use abeng_notice::Lang;

    fn items() -> Vec<AttachmentItem> {
        let item = |number, name: &str, state, here| AttachmentItem {
            number,
            name: name.into(),
            length: 1_449_000,
            cipher_length: 1_449_368,
            here,
            state,
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
        assert_eq!(
            list(&id, &[], &plain(Lang::Nl)),
            "De melding heeft geen bijlagen."
        );
    }
}
