use super::{
    contents::{Contents, Sift},
    open, progress, unreadable,
};
use crate::{
    CliError, Exit, Paint, Ui,
    inbox::{short_id, short_precedence},
    status::{bytes, dash},
    table::{Align, Table},
    texts::fill,
};
use abeng_node::courier_fault;
use abeng_notice::printable;
use std::{io::Read, path::Path, process::ExitCode};

/// `abeng courier show`.
pub(super) fn show(path: &Path, limit: usize, ui: &Ui) -> Result<ExitCode, CliError> {
    let (mut file, total) = open(path, ui)?;
    let bar = progress(Some(total), ui);
    let mut sift = Sift::new(limit);
    let mut piece = vec![0; 256 * 1024];
    let read = loop {
        match file
            .read(&mut piece)
            .map_err(|e| unreadable(path, &e, ui))?
        {
            0 => break Ok(()),
            count => {
                bar.inc(count as u64);
                if let Err(fault) = sift.feed(&piece[..count]) {
                    break Err(fault);
                }
            }
        }
    };
    bar.finish_and_clear();
    let contents = sift.end(read).map_err(|fault| {
        let faults = &ui.texts().courier.faults;
        let told = faults.told(courier_fault(&fault));
        CliError::new(Exit::Refused, format!("{}: {told}", path.display()))
            .with_try(faults.give_another)
    })?;
    ui.show(&contents, || tell(&contents, ui))?;
    Ok(match contents.whole && contents.damaged == 0 {
        true => Exit::Ok.into(),
        false => Exit::Unverified.into(),
    })
}

fn tell(contents: &Contents, ui: &Ui) -> String {
    let texts = &ui.texts().courier;
    let at = ui.full_time(&contents.created_at);
    let counts = &ui.texts().counts;
    let (from, to) = (printable(&contents.from), printable(&contents.to));
    let network = printable(&contents.network);
    let head = fill(
        texts.way,
        &[
            ("from", &*from),
            ("to", &*to),
            ("at", &*at),
            ("network", &*network),
        ],
    );
    let held = fill(
        texts.holds,
        &[
            (
                "envelopes",
                &*ui.texts().count(&counts.notices, contents.envelopes),
            ),
            (
                "receipts",
                &*ui.texts().count(&counts.receipts, contents.receipts),
            ),
            ("size", &*bytes(contents.bytes)),
        ],
    );
    let state = match contents.fault {
        Some(fault) => {
            let cut = fill(texts.cut, &[("problem", &texts.faults.told(fault))]);
            ui.paint(Paint::Bad, &cut)
        }
        None => ui.paint(Paint::Good, texts.whole),
    };
    let held = match contents.attachments {
        0 => held,
        count => {
            let (count, size) = (count.to_string(), bytes(contents.attachment_bytes));
            let files = fill(texts.files, &[("count", &*count), ("size", &*size)]);
            format!("{held}\n{files}")
        }
    };
    let mut out = [head, held, state, texts.unproved.to_owned()].join("\n");
    if !contents.items.is_empty() {
        out.push_str("\n\n");
        out.push_str(&table(contents, ui));
    }
    let more = listable(contents).saturating_sub(contents.items.len() as u64);
    if more > 0 && !contents.items.is_empty() {
        out.push_str(&fill(texts.more, &[("count", &more.to_string())]));
    }
    out
}

/// Things that a line may stand for.
fn listable(contents: &Contents) -> u64 {
    contents.envelopes + contents.receipts + contents.attachments
}

fn table(contents: &Contents, ui: &Ui) -> String {
    let columns = &ui.texts().columns;
    let mut table = Table::new([
        (columns.id, Align::Left),
        (columns.from, Align::Left),
        (columns.to, Align::Left),
        (columns.sent, Align::Left),
        (columns.matter, Align::Left),
    ]);
    for item in &contents.items {
        let id = item.id.as_deref().map_or_else(dash, short_id);
        let at = match item.at.as_str() {
            "" => dash(),
            at => ui.short_time(at),
        };
        let matter = match item.what {
            "notice" => short_precedence(&item.about),
            "attachment" => bytes(item.bytes),
            _ => item.about.to_lowercase(),
        };
        table.row([
            id,
            printable(&item.from),
            printable(&item.to.join(", ")),
            at,
            format!("{} {}", item.what, printable(&matter)),
        ]);
    }
    table.render(ui.width, |line| ui.paint(Paint::Strong, line))
}
