//! `abeng demo`: five nodes on this machine, one of them cut off and brought back.

mod count;
pub(crate) mod fleet;
mod logs;
mod story;
mod tell;

use crate::{CliError, Exit, Ui};
use clap::Args;
use serde::Serialize;
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

/// What the demonstration found, counted, not assumed.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// Node processes that ran.
    pub nodes: usize,
    /// Notices accepted from officers.
    pub submitted: usize,
    /// Pairs of notice and recipient found in the recipients' inboxes, each counted once.
    pub delivered: usize,
    /// Rows and Delivered leaves beyond one for each such pair, and rows nobody sent there.
    pub duplicates: usize,
    /// Pairs that should be there and are not.
    pub lost: usize,
    /// Pairs whose receipt the originator's node verified, just now, down to the signed checkpoint.
    pub receipts_verified: usize,
    /// Logs checked from their files: every leaf, batch, checkpoint and receipt.
    pub logs_verified: usize,
    /// From the founding to the last check.
    pub seconds: f64,
    /// Pairs there should be.
    #[serde(skip)]
    pub expected: usize,
    /// Where a log failed, and how.
    #[serde(skip)]
    pub faults: Vec<String>,
}

impl Outcome {
    /// Whether everything that the demonstration claims is so.
    pub fn holds(&self) -> bool {
        self.nodes == story::PARTIES.len()
            && self.submitted > 0
            && self.expected > 0
            && self.delivered == self.expected
            && self.duplicates == 0
            && self.lost == 0
            && self.receipts_verified == self.expected
            && self.logs_verified == self.nodes
            && self.faults.is_empty()
    }
}

/// Runs the demonstration.
pub fn run(args: DemoArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    let quiet = args.check || ui.json;
    let say = tell::Voice::new(ui, quiet);
    let (dir, temp) = fleet::place(args.keep.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (outcome, times) = fleet::until_interrupted(&runtime, story::run(&dir, &say))?;
    if quiet {
        ui.give(&outcome)?;
    } else {
        say.proved(&outcome, &times, args.keep.as_deref());
    }
    for fault in &outcome.faults {
        ui.remark(fault);
    }
    drop(temp);
    Ok(if outcome.holds() {
        Exit::Ok
    } else {
        Exit::Unverified
    }
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Outcome {
        Outcome {
            nodes: 5,
            submitted: 9,
            delivered: 36,
            receipts_verified: 36,
            logs_verified: 5,
            expected: 36,
            seconds: 3.0,
            ..Outcome::default()
        }
    }

    #[test]
    fn nothing_holds_unless_everything_does() {
        assert!(good().holds());
        assert!(!Outcome::default().holds());
        for broken in [
            Outcome {
                nodes: 4,
                logs_verified: 4,
                ..good()
            },
            Outcome {
                delivered: 35,
                ..good()
            },
            Outcome {
                duplicates: 1,
                ..good()
            },
            Outcome { lost: 1, ..good() },
            Outcome {
                receipts_verified: 35,
                ..good()
            },
            Outcome {
                logs_verified: 4,
                ..good()
            },
            Outcome {
                faults: vec!["log of JM".into()],
                ..good()
            },
        ] {
            assert!(!broken.holds(), "{broken:?}");
        }
    }

    #[test]
    fn the_check_prints_exactly_the_keys_that_are_promised() {
        let value = serde_json::to_value(good()).unwrap();
        let mut keys: Vec<&str> = value
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut promised = [
            "nodes",
            "submitted",
            "delivered",
            "duplicates",
            "lost",
            "receipts_verified",
            "logs_verified",
            "seconds",
        ];
        promised.sort_unstable();
        keys.sort_unstable();
        assert_eq!(keys, promised);
    }
}
