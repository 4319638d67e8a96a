use super::{open, progress};
use crate::{CliError, Exit, Paint, Ui, args::Common, connect, inbox::short_id, texts::fill};
use abeng_api::{ApiError, CourierReport, CourierTally, Pieces, pieces};
use abeng_notice::printable;
use indicatif::ProgressBar;
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    process::ExitCode,
};

/// Bytes read at once.
const PIECE: usize = 256 * 1024;

/// `abeng courier import`.
pub(super) fn import(path: &Path, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let (file, total) = open(path, ui)?;
    let bar = progress(Some(total), ui);
    let report = connect::block_on(async {
        let client = connect::client(common);
        Ok(client.courier_import(read(file, bar.clone())).await?)
    });
    bar.finish_and_clear();
    let report = report?;
    ui.show(&report, || tell(&report, ui))?;
    Ok(match is_good(&report) {
        true => Exit::Ok.into(),
        false => Exit::Unverified.into(),
    })
}

/// The file in pieces, from a thread of its own: a stick is slow.
fn read(mut file: File, bar: ProgressBar) -> Pieces {
    let (sender, read) = pieces();
    tokio::task::spawn_blocking(move || {
        loop {
            let mut piece = vec![0; PIECE];
            let count = match file.read(&mut piece) {
                Ok(0) => return,
                Ok(count) => count,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => {
                    let why = format!("the stick cannot be read on: {e}");
                    let _ = sender.send_blocking(Err(ApiError::internal(why)));
                    return;
                }
            };
            piece.truncate(count);
            if sender.send_blocking(Ok(piece.into())).is_err() {
                return;
            }
            bar.inc(count as u64);
        }
    });
    read
}

/// Whether all that came was taken, known or refused for good.
fn is_good(report: &CourierReport) -> bool {
    let tallies = [
        report.envelopes,
        report.receipts,
        report.checkpoints,
        report.trust,
        report.wants,
        report.voids,
        report.attachments,
    ];
    report.whole && report.damaged == 0 && tallies.iter().all(|tally| tally.faults == 0)
}

fn tell(report: &CourierReport, ui: &Ui) -> String {
    let texts = &ui.texts().courier;
    let from = printable(&report.from);
    let at = ui.full_time(&report.created_at);
    let mut lines = vec![fill(texts.taken, &[("from", &from), ("at", &at)])];
    lines.push(count(texts.notices, &report.envelopes));
    lines.push(count(texts.receipts, &report.receipts));
    if report.attachments != CourierTally::default() || report.attachments_in_part > 0 {
        let number = |count: u64| count.to_string();
        lines.push(fill(
            texts.files_taken,
            &[
                ("taken", &*number(report.attachments.taken)),
                ("known", &*number(report.attachments.known)),
                ("parts", &*number(report.attachments_in_part)),
                ("faults", &*number(report.attachments.faults)),
            ],
        ));
    }
    if let Some(problem) = &report.problem {
        let fault = report.fault.map(|fault| texts.faults.told(fault));
        let problem = fault.unwrap_or_else(|| printable(problem));
        let cut = fill(texts.cut, &[("problem", &problem)]);
        lines.push(ui.paint(Paint::Bad, &cut));
    }
    if !report.troubles.is_empty() {
        lines.push(ui.paint(Paint::Warn, texts.troubles));
    }
    for trouble in &report.troubles {
        let id = trouble.id.as_ref().map(|id| format!(" {}", short_id(id)));
        lines.push(format!(
            "  - {}{}: {}",
            texts.kind(&trouble.what),
            id.unwrap_or_default(),
            printable(&trouble.why)
        ));
    }
    if report.envelopes != CourierTally::default() || report.attachments.taken > 0 {
        lines.push(fill(texts.back, &[("from", &from)]));
    }
    lines.join("\n")
}

fn count(text: &str, tally: &CourierTally) -> String {
    let number = |count: u64| count.to_string();
    fill(
        text,
        &[
            ("taken", &*number(tally.taken)),
            ("known", &*number(tally.known)),
            ("refused", &*number(tally.refused)),
            ("faults", &*number(tally.faults)),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::plain;
    use abeng_api::{CourierFaultKind, CourierFaultView, CourierTrouble};
    use abeng_notice::Lang;

    #[test]
    fn what_was_cut_off_is_told_and_is_no_success() {
        let mut report = CourierReport {
            from: "JM".into(),
            created_at: "2026-11-24T06:05:16Z".into(),
            envelopes: CourierTally {
                taken: 2,
                known: 1,
                ..Default::default()
            },
            whole: true,
            ..Default::default()
        };
        assert!(is_good(&report));
        report.whole = false;
        report.problem = Some("the courier file is cut off: …".into());
        report.fault = Some(CourierFaultView {
            kind: CourierFaultKind::Cut,
            at: Some(700),
            length: Some(9000),
        });
        report.troubles.push(CourierTrouble {
            what: "envelope".into(),
            id: Some("ab".repeat(32)),
            why: "the body is not the one\u{1b}[2J that was signed".into(),
        });
        assert!(!is_good(&report));
        let told = tell(&report, &plain(Lang::En));
        assert!(told.contains("2 new, 1 known already"), "{told}");
        assert!(
            told.contains("cut off: whole up to byte 700 of 9000"),
            "{told}"
        );
        assert!(told.contains("abeng courier export --to JM"), "{told}");
        assert!(!told.contains('\u{1b}'), "{told}");
        let french = tell(&report, &plain(Lang::Fr));
        assert!(french.contains("jusqu'à l'octet 700 sur 9000"), "{french}");
        report.fault = None;
        let told = tell(&report, &plain(Lang::Fr));
        assert!(
            told.contains("the courier file is cut off"),
            "as the node told it: {told}"
        );
        report.whole = true;
        assert!(is_good(&report) && !told.contains("Attachments"));
        report.attachments_in_part = 3;
        report.attachments.taken = 2;
        let told = tell(&report, &plain(Lang::En));
        let files = "Attachments: 2 whole, 0 known already, 3 in part, 0 passed over.";
        assert!(is_good(&report) && told.contains(files), "{told}");
        report.envelopes.faults = 1;
        assert!(!is_good(&report));
    }
}
