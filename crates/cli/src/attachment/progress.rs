use crate::{
    Ui,
    texts::{Files, fill},
};
use abeng_api::AttachmentItem;
use abeng_notice::printable;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// Bytes that move.
const MOVES: &str = "{msg:20!} {bar:24} {bytes} / {total_bytes} ({bytes_per_sec}, {eta})";
/// Nothing moves yet.
const WAITS: &str = "{msg:20!} {spinner} {prefix}";
const TICK: Duration = Duration::from_millis(120);

/// The bytes of one file that move, on a terminal only.
pub(crate) fn bar(name: &str, total: u64, ui: &Ui) -> ProgressBar {
    shown(name, total, MOVES, ui)
}

/// That a file is waited for, and whom for, until [`moves`] is called.
pub(super) fn waits(item: &AttachmentItem, ui: &Ui) -> ProgressBar {
    let bar = shown(&item.name, item.cipher_length, WAITS, ui);
    let text = Files::of(ui.lang).waiting_for;
    bar.set_prefix(fill(text, &[("party", &item.sender)]));
    bar
}

/// Something comes: from here on its bytes are shown, and the time is reckoned from now.
pub(super) fn moves(bar: &ProgressBar, item: &AttachmentItem, ui: &Ui) {
    if ui.interactive && !ui.json && !bar.prefix().is_empty() {
        bar.set_prefix("");
        bar.set_position(item.here);
        bar.reset_eta();
        style(bar, MOVES);
    }
}

fn shown(name: &str, total: u64, template: &str, ui: &Ui) -> ProgressBar {
    if !ui.interactive || ui.json {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(total);
    style(&bar, template);
    bar.set_message(printable(name));
    bar.enable_steady_tick(TICK);
    bar
}

fn style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}
