//! `abeng bench`.

use crate::{CliError, Ui};
use clap::Args;
use std::process::ExitCode;

/// Options of `abeng bench`.
#[derive(Debug, Clone, Args)]
pub struct BenchArgs {
    /// How many notices to send in each mode; by time where absent
    #[arg(long, value_name = "NUMBER")]
    pub notices: Option<u64>,
    /// How many are under way at once in the pipelined mode
    #[arg(long, value_name = "NUMBER", default_value_t = 256)]
    pub in_flight: u32,
    /// Size of a notice in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 2048)]
    pub size: u32,
    /// How long each mode runs
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub seconds: u32,
}

/// Runs the measurement.
pub fn run(_args: BenchArgs, _ui: &Ui) -> Result<ExitCode, CliError> {
    Err(CliError::internal("the measurement is not built yet"))
}
