//! `abeng audit show` and `abeng audit verify`.

mod verify;

pub(crate) use verify::verify;

use crate::{
    CliError, Exit, Paint, Ui,
    args::{AuditShowArgs, Common},
    connect,
    inbox::short_id,
    status::dash,
    table::{Align, Table},
};
use abeng_api::{AuditQuery, LeafView};
use std::process::ExitCode;

pub(crate) fn show(args: AuditShowArgs, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    connect::block_on(async {
        let query = AuditQuery {
            from: args.from,
            limit: Some(args.limit),
            kind: args.kind,
            party: args.party.map(|code| code.to_ascii_uppercase()),
            notice: args.notice,
        };
        let leaves = client.audit_show(&query).await?;
        ui.show(&leaves, || render(&leaves, ui))?;
        Ok(Exit::Ok.into())
    })
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
            or_dash(leaf.reason.as_ref().map_or(&leaf.officer, |_| &leaf.reason)),
        ]);
    }
    table.render(ui.width, |line| ui.paint(Paint::Strong, line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{table::columns, ui::plain};
    use abeng_notice::Lang;

    #[test]
    fn leaves_fit_eighty_columns() {
        let leaf = LeafView {
            index: 1_204_331,
            at: "2026-11-24T06:00:00Z".into(),
            kind: "RECEIPT_TAKEN".into(),
            notice: Some("3f9a1c02b7de".repeat(5)),
            originator: Some("JM".into()),
            recipient: Some("TT".into()),
            reason: None,
            officer: Some("badge 4711, night shift, Kingston".into()),
            hash: "ab".repeat(32),
        };
        let start = LeafView {
            index: 0,
            at: "2026-11-24T05:00:00Z".into(),
            kind: "INCARNATION".into(),
            ..LeafView::default()
        };
        let text = render(&[start, leaf], &plain(Lang::En));
        assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
        insta::assert_snapshot!(text);
    }
}
