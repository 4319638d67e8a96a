//! `abeng evidence` and `abeng audit judge`: files that anybody can check.

mod export;
mod judge;
mod tell;
mod value;

pub(crate) use export::export;
pub(crate) use judge::judge;

use crate::{CliError, Exit, Ui};
use abeng_evidence::{FileKind, kind_of, verify as verify_file};
use abeng_wire::{Digest, limits};
use bytes::Bytes;
use jiff::Timestamp;
use std::{fs::File, io::Read, path::Path, process::ExitCode};

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
        _ => error.with_try(
            "do not rely on it: it was not made by `abeng evidence export` as it stands. \
             Keep it and ask whoever gave it to you",
        ),
    }
}

/// RFC 3339.
fn time(millis: u64) -> String {
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).map_or_else(|_| "?".to_owned(), |at| at.to_string())
}

#[cfg(test)]
mod tests;
