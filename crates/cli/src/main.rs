//! The `abeng` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    abeng::main_abeng()
}
