//! The daemon: the same entry as `abeng node run`.

use std::process::ExitCode;

fn main() -> ExitCode {
    abeng::main_abengd()
}
