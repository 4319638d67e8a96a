//! `abeng audit verify`: the whole log, from its files. The node may run or not.

use crate::{CliError, Ui, args::Common};
use std::process::ExitCode;

pub(crate) fn verify(_common: &Common, _ui: &Ui) -> Result<ExitCode, CliError> {
    Err(CliError::internal("the check of a whole log is not built yet"))
}
