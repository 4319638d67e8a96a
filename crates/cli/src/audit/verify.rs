//! `abeng audit verify`: the whole log, from its files. The node may run or not.

use crate::{
    CliError, Exit, Paint, Ui,
    args::{AuditVerifyArgs, Common},
    connect,
    inbox::pairs,
};
use abeng_audit_log::{LogFault, LogReport, RealDisk, verify_log};
use abeng_node::{Config, Layout, count::count};
use abeng_roster::Trust;
use abeng_wire::{Digest, PartyCode};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Whose log it is, where it lies, and the root that its trust data must come from.
pub(super) struct Subject {
    pub(super) party: PartyCode,
    pub(super) data: PathBuf,
    pub(super) root: Digest,
}

pub(crate) fn verify(
    args: &AuditVerifyArgs,
    common: &Common,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    let subject = subject(args.config.as_deref(), common)?;
    let trust = trust(&subject.data, subject.root)?;
    let began = Instant::now();
    let bar = progress(ui);
    let checked = verify_log(
        &RealDisk::new(&subject.data),
        &trust,
        subject.party,
        |leaves| bar.set_position(leaves),
    );
    bar.finish_and_clear();
    let report = checked.map_err(|fault| damaged(&fault))?;
    let seconds = began.elapsed().as_secs_f64();
    ui.show(&value(&subject, &report, seconds), || {
        told(&subject, &report, seconds, ui)
    })?;
    Ok(if report.unjudged == 0 {
        Exit::Ok.into()
    } else {
        ui.remark(&format!(
            "error: {} could not be judged with the trust data at hand\n  \
             try: start the node once, so that it fetches the newest roster, then check again; what a key signed that \
             has been revoked since can be judged no more",
            count(report.unjudged, "statement", "statements")
        ));
        Exit::Unverified.into()
    })
}

/// From `--config`, else DIR/node.toml, else from the running node.
pub(super) fn subject(config: Option<&Path>, common: &Common) -> Result<Subject, CliError> {
    let file = match (config, &common.data) {
        (Some(file), _) => Some(file.to_owned()),
        (None, Some(dir)) => Some(dir.join("node.toml")),
        (None, None) => None,
    };
    if let Some(file) = file {
        let config = Config::load(&file).map_err(|e| {
            let error = CliError::usage(e.to_string());
            match e {
                abeng_node::ConfigError::Unreadable { ref source, .. }
                    if source.kind() != std::io::ErrorKind::PermissionDenied =>
                {
                    error.with_try(
                        "give --data DIR with the node's data directory, or --config FILE \
                     where its configuration lies elsewhere",
                    )
                }
                e => error.with_try(e.hint()),
            }
        })?;
        return Ok(Subject {
            party: config.party,
            data: config.data,
            root: config.root,
        });
    }
    let status = connect::block_on(async { Ok(connect::client(common).status().await?) })
        .map_err(|e| e.with_try("give --data DIR: the files can be checked without the node"))?;
    let strange = |what: &str| CliError::internal(format!("the node's status names no {what}"));
    Ok(Subject {
        party: PartyCode::new(&status.party).map_err(|_| strange("party"))?,
        root: Digest::from_hex(&status.root_digest).ok_or_else(|| strange("root"))?,
        data: status.data_dir.into(),
    })
}

/// The trust data of a node, as far as it comes from the root.
pub(super) fn trust(data: &Path, root: Digest) -> Result<Trust, CliError> {
    let layout = Layout::new(data);
    let bundle = layout.read_trust().map_err(|e| {
        CliError::usage(format!("cannot read {}: {e}", layout.trust().display()))
            .with_try("give the node's data directory with --data DIR")
    })?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX));
    Trust::from_bundle(&bundle, Some(root), now).map_err(|e| {
        CliError::new(
            Exit::Unverified,
            format!("{} does not hold: {e}", layout.trust().display()),
        )
        .with_try("compare `root` in node.toml with the founding record")
    })
}

/// A count that moves, on a terminal only.
pub(super) fn progress(ui: &Ui) -> ProgressBar {
    if !ui.interactive || ui.json {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} leaves checked ({elapsed})") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn damaged(fault: &LogFault) -> CliError {
    CliError::new(
        Exit::Unverified,
        format!("the audit log does not hold: {fault}"),
    )
    .with_try("keep the disk as it is and read docs/operations.md, Damage; nothing was changed")
}

fn value(subject: &Subject, report: &LogReport, seconds: f64) -> serde_json::Value {
    serde_json::json!({
        "verified": report.unjudged == 0,
        "party": subject.party.to_string(),
        "data": subject.data,
        "leaves": report.leaves,
        "batches": report.batches,
        "root": report.root.to_string(),
        "checkpoints": report.checkpoints,
        "receipts": report.receipts,
        "signatures": report.signatures,
        "commitments": report.commitments,
        "scrubbed": report.scrubbed,
        "unjudged": report.unjudged,
        "unfinished": report.unfinished,
        "by_kind": report.by_kind,
        "seconds": seconds,
    })
}

fn told(subject: &Subject, report: &LogReport, seconds: f64, ui: &Ui) -> String {
    let (verdict, paint) = if report.unjudged == 0 {
        ("holds whole", Paint::Good)
    } else {
        ("holds as far as it could be judged", Paint::Warn)
    };
    let head = format!(
        "The audit log of {} {verdict} ({seconds:.1} s).",
        subject.party
    );
    let mut rows = vec![
        ("Leaves", report.leaves.to_string()),
        ("Batches", report.batches.to_string()),
        ("Checkpoints", report.checkpoints.to_string()),
        ("Receipts", report.receipts.to_string()),
        ("Signatures", report.signatures.to_string()),
        ("Commitments", report.commitments.to_string()),
        ("Root", report.root.to_string()),
    ];
    if report.scrubbed > 0 {
        rows.push(("Scrubbed", report.scrubbed.to_string()));
    }
    if report.unjudged > 0 {
        rows.push(("Not judged", report.unjudged.to_string()));
    }
    if report.unfinished > 0 {
        let bytes = format!("{} bytes of a batch at the end", report.unfinished);
        rows.push(("Unfinished", bytes));
    }
    let kinds: Vec<String> = report
        .by_kind
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    rows.push(("By kind", kinds.join(", ")));
    format!("{}\n{}", ui.paint(paint, &head), pairs(&rows, ui))
}
