//! Completion scripts and manual pages.

use crate::{CliError, Exit, Ui, args::Cli};
use clap::CommandFactory;
use std::{io, path::Path, process::ExitCode};

/// Prints a completion script.
pub(crate) fn completions(shell: clap_complete::Shell, ui: &Ui) -> Result<ExitCode, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "abeng", &mut script);
    ui.say(&String::from_utf8_lossy(&script));
    Ok(Exit::Ok.into())
}

/// Prints `abeng(1)`, or writes a page per command into `dir`.
pub(crate) fn pages(dir: Option<&Path>, ui: &Ui) -> Result<ExitCode, CliError> {
    let command = Cli::command();
    match dir {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            ui.say(&String::from_utf8_lossy(&page));
        }
        Some(dir) => {
            let failed = |e: io::Error| {
                CliError::internal(format!("cannot write the pages to {}: {e}", dir.display()))
                    .with_try("name a directory that you may write to")
            };
            std::fs::create_dir_all(dir).map_err(failed)?;
            clap_mangen::generate_to(command, dir).map_err(failed)?;
            ui.remark(&format!("The pages are in {}.", dir.display()));
        }
    }
    Ok(Exit::Ok.into())
}
