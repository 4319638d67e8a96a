//! `abeng audit export-tiles`, and `abeng audit verify` of what it wrote, here or elsewhere.

use super::verify::{progress, subject, trust};
use crate::{
    CliError, Exit, Paint, Ui,
    args::{AuditExportTilesArgs, AuditVerifyArgs, Common},
    inbox::pairs,
};
use abeng_audit_log::{
    CosignedCheckpoint, RealDisk, VerifierKey, WitnessedBy,
    export::{
        ExportError, ExportOf, Exported, TilesFault, TilesKey, TilesReport, export_tiles as write,
        verify_tiles,
    },
};
use std::{path::Path, process::ExitCode};

pub(crate) fn export_tiles(
    args: &AuditExportTilesArgs,
    common: &Common,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    let subject = subject(args.config.as_deref(), common)?;
    let trust = trust(&subject.data, subject.root)?;
    let of = if args.cosigned {
        ExportOf::Cosigned
    } else {
        ExportOf::Newest
    };
    let (log, target) = (RealDisk::new(&subject.data), RealDisk::new(&args.tiles));
    let bar = progress(ui);
    let written = write(&log, &trust.roster, of, &target, |at| bar.set_position(at));
    bar.finish_and_clear();
    let exported = written.map_err(|e| unwritten(&e, args))?;
    ui.show(&exported_value(&exported, &args.tiles), || {
        exported_told(&exported, &args.tiles, ui)
    })?;
    Ok(Exit::Ok.into())
}

fn unwritten(error: &ExportError, args: &AuditExportTilesArgs) -> CliError {
    let (exit, hint) = match error {
        ExportError::Log(_) | ExportError::Root { .. } => (
            Exit::Unverified,
            "run `abeng audit verify` and read docs/operations.md, Damage",
        ),
        ExportError::NoCheckpoint if args.cosigned => (
            Exit::NotFound,
            "leave out --cosigned, or wait until witnesses have co-signed",
        ),
        ExportError::NoCheckpoint => (
            Exit::NotFound,
            "a node signs its log when it first exchanges notices with another; try again then",
        ),
        ExportError::Checkpoint(_) => (
            Exit::Unverified,
            "start the node once, so that it fetches the newest roster",
        ),
        ExportError::NotTiles { .. } | ExportError::OtherLog { .. } => {
            (Exit::Usage, "give a new or empty directory")
        }
        ExportError::Ahead { .. } => (
            Exit::Unverified,
            "leave out --cosigned where it was given; otherwise this log has lost leaves that it \
             once had: read docs/operations.md, Damage",
        ),
        ExportError::Contradicts { .. } => (
            Exit::Unverified,
            "keep that directory, and export into a new one: one of them has been changed. \
             `abeng audit verify` of each says which",
        ),
        ExportError::Io { .. } => (
            Exit::Internal,
            "check the directory's permissions and the room on its disk; the same command goes on",
        ),
    };
    let file = args.tiles.display();
    CliError::new(exit, format!("cannot export to {file}: {error}")).with_try(hint)
}

fn exported_value(exported: &Exported, dir: &Path) -> serde_json::Value {
    let checkpoint = &exported.checkpoint;
    serde_json::json!({
        "tiles": dir,
        "origin": checkpoint.checkpoint().origin(),
        "leaves": checkpoint.size(),
        "root": checkpoint.root().to_string(),
        "vkey": exported.key.to_string(),
        "leaves_before": exported.before,
        "files_written": exported.files,
        "cosignatures": witnesses_value(checkpoint.by()),
        "cosignatures_needed": checkpoint.needed(),
    })
}

fn exported_told(exported: &Exported, dir: &Path, ui: &Ui) -> String {
    let checkpoint: &CosignedCheckpoint = &exported.checkpoint;
    let head = format!("The audit log is in {} as tiles.", dir.display());
    let mut rows = vec![
        ("Log", checkpoint.checkpoint().origin().to_owned()),
        ("Leaves", checkpoint.size().to_string()),
        ("Root", checkpoint.root().to_string()),
        (
            "Co-signed by",
            parties(checkpoint.by(), checkpoint.needed()),
        ),
        ("Files written", exported.files.to_string()),
    ];
    if exported.before > 0 {
        rows.insert(2, ("Of these before", exported.before.to_string()));
    }
    let key = format!(
        "Whoever checks it needs this key, by another way than the tiles:\n{}",
        exported.key
    );
    format!(
        "{}\n{}\n{key}",
        ui.paint(Paint::Good, &head),
        pairs(&rows, ui)
    )
}

/// Checks a directory of tiles, of whatever log.
pub(crate) fn verify(
    dir: &Path,
    args: &AuditVerifyArgs,
    common: &Common,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    let line = args.vkey.as_deref().map(key).transpose()?;
    let own = match &line {
        Some(_) => None,
        None => Some(roster(args, common)?),
    };
    let by = match (&line, &own) {
        (Some(line), _) => TilesKey::Line(line),
        (None, Some(trust)) => TilesKey::Roster(&trust.roster),
        (None, None) => return Err(CliError::internal("no key")),
    };
    let bar = progress(ui);
    let checked = verify_tiles(&RealDisk::new(dir), by, |leaves| bar.set_position(leaves));
    bar.finish_and_clear();
    let report = checked.map_err(|fault| unsound(&fault, dir))?;
    ui.show(&checked_value(&report, dir), || checked_told(&report, ui))?;
    Ok(Exit::Ok.into())
}

fn key(line: &str) -> Result<VerifierKey, CliError> {
    VerifierKey::parse(line).ok_or_else(|| {
        CliError::usage("--vkey is not the key of a log").with_try(
            "give the whole line that `abeng audit export-tiles` printed, in quotes: \
             <name>+<8 hex digits>+<base64>",
        )
    })
}

/// The roster of the node at hand.
fn roster(args: &AuditVerifyArgs, common: &Common) -> Result<abeng_roster::Trust, CliError> {
    let (data, root) = match args.root {
        Some(root) => {
            let data = common.data.clone().ok_or_else(|| {
                CliError::usage("--root says what to hold a roster against, but there is none")
                    .with_try("give --data DIR too, or --vkey LINE instead")
            })?;
            (data, root)
        }
        None => {
            let subject = subject(args.config.as_deref(), common)
                .map_err(|e| e.with_try("give --vkey LINE, or --data DIR of a node"))?;
            (subject.data, subject.root)
        }
    };
    trust(&data, root)
}

fn unsound(fault: &TilesFault, dir: &Path) -> CliError {
    let exit = match fault {
        TilesFault::Io { .. } => Exit::Internal,
        TilesFault::NoCheckpoint => Exit::NotFound,
        _ => Exit::Unverified,
    };
    let hint = match fault {
        TilesFault::Io { .. } => "check that the directory can be read",
        TilesFault::NoCheckpoint => "give the directory that holds the file `checkpoint`",
        TilesFault::Checkpoint(_) => {
            "compare the key with the one that the log's administration has published"
        }
        _ => "fetch the directory again; where it stays so, keep it: it is evidence",
    };
    let what = format!("the tiles in {} do not hold: {fault}", dir.display());
    CliError::new(exit, what).with_try(hint)
}

fn checked_value(report: &TilesReport, dir: &Path) -> serde_json::Value {
    serde_json::json!({
        "verified": true,
        "tiles": dir,
        "origin": report.checkpoint.origin(),
        "leaves": report.checkpoint.size(),
        "root": report.checkpoint.root().to_string(),
        "files": report.files,
        "cosignatures": witnesses_value(&report.witnesses),
        "cosignatures_needed": report.needed,
    })
}

fn checked_told(report: &TilesReport, ui: &Ui) -> String {
    let head = "The tiles hold whole: signature, entries, hashes and root.";
    let rows = [
        ("Log", report.checkpoint.origin().to_owned()),
        ("Leaves", report.checkpoint.size().to_string()),
        ("Root", report.checkpoint.root().to_string()),
        ("Co-signed by", parties(&report.witnesses, report.needed)),
        ("Files checked", report.files.to_string()),
    ];
    format!("{}\n{}", ui.paint(Paint::Good, head), pairs(&rows, ui))
}

fn witnesses_value(by: &[WitnessedBy]) -> Vec<serde_json::Value> {
    let value = |w: &WitnessedBy| serde_json::json!({ "party": w.party.to_string(), "at": abeng_node::rfc3339(w.at) });
    by.iter().map(value).collect()
}

fn parties(by: &[WitnessedBy], needed: Option<usize>) -> String {
    let names: Vec<String> = by.iter().map(|w| w.party.to_string()).collect();
    let who = if names.is_empty() {
        "nobody that is known here".to_owned()
    } else {
        names.join(", ")
    };
    match needed {
        Some(needed) => format!("{who} ({needed} needed)"),
        None => who,
    }
}
