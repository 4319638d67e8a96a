//! Whether what a command makes can be put where it is to go: asked before anything is made.

use super::file;
use crate::{CliError, args::OutArgs};
use std::path::Path;

/// Refuses a file that could not be written, where its directory is made by nobody.
pub(super) fn check_out(out: &OutArgs) -> Result<(), CliError> {
    file::check_free(out)?;
    let dir = directory(&out.out);
    if !dir.is_dir() {
        return Err(CliError::usage(format!(
            "{} cannot be written: {} is no directory",
            out.out.display(),
            dir.display()
        ))
        .with_try(format!(
            "nothing was made: `mkdir -p {}` first, or name another file with --out",
            dir.display()
        )));
    }
    if out.out.is_dir() {
        return Err(CliError::usage(format!(
            "{} cannot be written: it is a directory",
            out.out.display()
        ))
        .with_try("nothing was made: name a file with --out"));
    }
    writable(dir, &out.out)
}

/// The same beside keys that are made with their directory: the file may lie in that.
pub(super) fn check_out_beside(out: &OutArgs, keys: &Path) -> Result<(), CliError> {
    check_keys(keys)?;
    let dir = directory(&out.out);
    match !dir.exists() && keys.starts_with(dir) {
        true => file::check_free(out),
        false => check_out(out),
    }
}

/// Refuses a directory for keys that could not be made, or written into.
pub(crate) fn check_keys(dir: &Path) -> Result<(), CliError> {
    let there = dir
        .ancestors()
        .map(|up| match up.as_os_str().is_empty() {
            true => Path::new("."),
            false => up,
        })
        .find(|up| up.exists());
    let there = there.unwrap_or(Path::new("/"));
    match there.is_dir() {
        true => writable(there, dir),
        false => Err(CliError::usage(format!(
            "no keys can be kept in {}: {} is no directory",
            dir.display(),
            there.display()
        ))
        .with_try("nothing was made: name another directory")),
    }
}

fn directory(file: &Path) -> &Path {
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty());
    dir.unwrap_or(Path::new("."))
}

/// A file without a name is made there, and is gone at once.
fn writable(dir: &Path, what: &Path) -> Result<(), CliError> {
    tempfile::tempfile_in(dir).map(drop).map_err(|e| {
        CliError::internal(format!("cannot write {}: {e}", what.display()))
            .with_try("nothing was made: name a place in a directory that you may write to")
    })
}
