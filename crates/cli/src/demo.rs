//! `abeng demo`.

use crate::{CliError, Ui};
use clap::Args;
use std::{path::PathBuf, process::ExitCode};

/// Options of `abeng demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// Ask nothing, print one JSON object and fail unless everything holds
    #[arg(long)]
    pub check: bool,
    /// Leave the data directories in DIR for a look with the other commands
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

/// Runs the demonstration.
pub fn run(_args: DemoArgs, _ui: &Ui) -> Result<ExitCode, CliError> {
    Err(CliError::internal("the demonstration is not built yet"))
}
