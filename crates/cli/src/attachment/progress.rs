use crate::Ui;
use abeng_notice::printable;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// The bytes of one file that move, on a terminal only.
pub(crate) fn bar(name: &str, total: u64, ui: &Ui) -> ProgressBar {
    if !ui.interactive || ui.json {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(total);
    let template = "{msg:20!} {bar:24} {bytes} / {total_bytes} ({bytes_per_sec}, {eta})";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(printable(name));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
