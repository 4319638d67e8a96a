//! `abeng evidence` and `abeng audit judge`: files that anybody can check.

mod contradictions;
mod export;
mod judge;
mod tell;
mod value;

pub(crate) use contradictions::contradictions;
pub(crate) use export::export;
pub(crate) use judge::judge;

use crate::{CliError, Exit, Ui};
use abeng_evidence::{FileKind, kind_of, verify as verify_file};
use abeng_wire::{Digest, limits};
use bytes::Bytes;
use jiff::Timestamp;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::ExitCode,
};

/// `abeng evidence verify FILE`.
pub(crate) fn verify(path: &Path, root: Option<Digest>, ui: &Ui) -> Result<ExitCode, CliError> {
    let file = read(path)?;
    if kind_of(&file) == Some(FileKind::Contradiction) {
        let what = format!("{} is a contradiction file", path.display());
        let judge = format!("abeng audit judge {}", path.display());
        return Err(CliError::usage(what).with_try(judge));
    }
    let verdict = verify_file(&file, root).map_err(|fault| refused(path, &fault))?;
    ui.show(&value::verdict(&verdict), || tell::verdict(&verdict, ui))?;
    Ok(Exit::Ok.into())
}

/// `abeng audit verify FILE`, whatever kind of file it is.
pub(crate) fn verify_any(path: &Path, root: Option<Digest>, ui: &Ui) -> Result<ExitCode, CliError> {
    match kind_of(&read(path)?) {
        Some(FileKind::Contradiction) => judge(path, root, ui),
        _ => verify(path, root, ui),
    }
}

/// A file that was given, bounded before it is looked at.
fn read(path: &Path) -> Result<Bytes, CliError> {
    let unreadable = |e: std::io::Error| {
        CliError::usage(format!("cannot read {}: {e}", path.display()))
            .with_try("give the path of the file")
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    // One more than any file may have, so that a longer one is refused for its length.
    let most = limits::EVIDENCE as u64 + 1;
    file.take(most)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Ok(bytes.into())
}

fn refused(path: &Path, fault: &abeng_evidence::Fault) -> CliError {
    let what = format!("{} proves nothing: {fault}", path.display());
    let error = CliError::new(Exit::Unverified, what);
    match fault.part {
        abeng_evidence::Part::File | abeng_evidence::Part::Digest => error.with_try(
            "get the file again from whoever exported it; if it was changed on purpose, \
             keep this copy too",
        ),
        abeng_evidence::Part::Root(0) => error.with_try(
            "compare the digest with your founding record: it may be mistyped, or the file is of \
             another network",
        ),
        _ => error.with_try(
            "do not rely on it: it was not made by `abeng evidence export` as it stands. \
             Keep it and ask whoever gave it to you",
        ),
    }
}

/// For its owner alone, durable, and never over another file.
fn write_new(out: &Path, file: &[u8]) -> Result<(), CliError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut made = options.open(out).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => there(out),
        _ => unwritable(out, &e),
    })?;
    let written = made.write_all(file).and_then(|()| made.sync_all());
    written.map_err(|e| {
        // Half a file is none, and may hold the key to the content.
        let _ = fs::remove_file(out);
        unwritable(out, &e)
    })
}

fn unwritable(out: &Path, e: &io::Error) -> CliError {
    CliError::usage(format!("cannot write {}: {e}", out.display()))
        .with_try("give a name in a directory that you may write to with --out FILE")
}

fn there(out: &Path) -> CliError {
    CliError::usage(format!("{} is there already", out.display()))
        .with_try("give another name with --out FILE, or move that file away")
}

/// RFC 3339.
fn time(millis: u64) -> String {
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).map_or_else(|_| "?".to_owned(), |at| at.to_string())
}
