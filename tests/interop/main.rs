//! Abeng against implementations that nobody here wrote: `tests/interop/run`.
//!
//! - An envelope sealed here is opened by `envelope.py`, and one sealed there is opened here, each by
//!   every recipient; one that was changed on the way is refused on both sides.
//! - The key exchange of a link shakes hands with OpenSSL (`tls_group.py`), from both sides.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod envelope;
mod tls_group;

use std::{
    path::Path,
    process::{Command, Output},
};

/// The interpreter with what `requirements.txt` names, as `tests/interop/run` installs it.
struct Python(String);

impl Python {
    fn command(&self, script: &str) -> Command {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../interop");
        let mut command = Command::new(&self.0);
        command.arg(path.join(script));
        command
    }
}

/// Standard output of a program that must have succeeded.
#[track_caller]
fn said(what: &str, output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {errors}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn main() {
    let python = std::env::args()
        .nth(1)
        .expect("the interpreter is missing: run tests/interop/run");
    let python = Python(python);
    let passed = envelope::run(&python) + tls_group::run(&python);
    println!("{passed} passed, 0 failed");
}
