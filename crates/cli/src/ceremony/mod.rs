//! Ceremonies: `abeng root`, `roster`, `party` and `freshness`. Offline, file in and file out; no
//! running node is touched but by `roster import|pending|accept`, which are in [`crate::rules`]. For administrators, in English. What is written is verified on its
//! way out by the code that nodes verify with.

mod begin;
mod change;
mod diff;
mod dispute;
mod draft;
mod enrol;
mod file;
mod freshness;
mod grants;
mod own;
mod place;
mod policy;
mod publish;
mod recover;
mod root;
mod rotate;
mod seals;
mod secrets;
mod show;
mod sign;
mod strike;
mod words;

pub(crate) use place::check_keys;
pub(crate) use secrets::{ask_new, new_from_file};

use crate::{
    CliError, Ui,
    args::{Common, FreshnessCommand, PartyCommand, RootCommand, RosterCommand},
    keeping::confirm,
    rules,
};
use abeng_roster::{Trust, TrustError};
use abeng_wire::{Digest, Millis, v1};
use std::{path::Path, process::ExitCode};

/// Milliseconds of a day.
const DAY_MS: Millis = 24 * 60 * 60 * 1000;
/// Keys begin this much before they are made, so that a machine whose clock is behind can use them.
const HEAD_START_MS: Millis = DAY_MS;

pub(crate) fn root(command: RootCommand, ui: &Ui) -> Result<ExitCode, CliError> {
    match command {
        RootCommand::Keygen(args) => begin::keygen(&args, ui),
        RootCommand::New(args) => begin::new(&args, ui),
        RootCommand::Sign(args) => sign::sign(&args, ui),
        RootCommand::Rotate(args) => root::rotate(&args, ui),
    }
}

pub(crate) fn roster(
    command: RosterCommand,
    common: &Common,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    match command {
        RosterCommand::Here(command) => rules::roster(command, common, ui),
        RosterCommand::Draft(args) => draft::draft(&args, ui),
        RosterCommand::Diff(args) => diff::run(&args, ui),
        RosterCommand::Sign(args) => sign::sign(&args, ui),
        RosterCommand::Publish(args) => publish::publish(&args, ui),
        RosterCommand::Verify(args) => publish::verify(&args, ui),
        RosterCommand::Show(args) => show::show(&args, ui),
    }
}

pub(crate) fn party(command: PartyCommand, ui: &Ui) -> Result<ExitCode, CliError> {
    match command {
        PartyCommand::Enrol(args) => enrol::enrol(&args, ui),
        PartyCommand::RotateKeys(args) => rotate::rotate(&args, ui),
        PartyCommand::Change(args) => change::change(&args, ui),
        PartyCommand::Recover(args) => recover::recover(&args, ui),
        PartyCommand::Suspend(args) => strike::suspend(&args, ui),
        PartyCommand::Revoke(args) => strike::revoke(&args, ui),
    }
}

pub(crate) fn freshness(command: FreshnessCommand, ui: &Ui) -> Result<ExitCode, CliError> {
    match command {
        FreshnessCommand::Renew(args) => freshness::renew(&args, ui),
    }
}

/// A trust bundle that is held, verified.
struct Held {
    bundle: v1::TrustBundle,
    trust: Trust,
}

impl Held {
    fn load(path: &Path, root: Option<&str>) -> Result<Self, CliError> {
        let bundle = file::bundle(path)?;
        let trust = Trust::from_bundle(&bundle, pinned(root)?, now());
        let trust = trust.map_err(|e| match e {
            // No newer one has another first root.
            TrustError::OtherRoot { .. } => refused(&e).with_try(
                "sign nothing and send nothing on: compare the digest with what you wrote down at the founding, and ask another root holder by telephone. Either it was copied wrongly, or this bundle is not this network's",
            ),
            e => refused(&e).with_try(format!(
                "get a newer {} from a node or from the Secretariat",
                path.display()
            )),
        })?;
        Ok(Self { bundle, trust })
    }

    /// The last roster as it was signed, to be edited.
    fn roster(&self) -> Result<v1::Roster, CliError> {
        file::decode(&self.trust.roster.signed().bytes)
    }

    /// The last root as it was signed, to be edited.
    fn root(&self) -> Result<v1::Root, CliError> {
        file::decode(&self.trust.root.signed().bytes)
    }
}

/// The machine's clock.
fn now() -> Millis {
    Millis::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}

/// The root that `--root` names.
fn pinned(root: Option<&str>) -> Result<Option<Digest>, CliError> {
    let Some(text) = root else { return Ok(None) };
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    match Digest::from_hex(hex) {
        Some(digest) => Ok(Some(digest)),
        None => Err(CliError::usage("--root is 64 hex digits")
            .with_try("copy it from what was written down at the founding; nodes have it in [trust] of node.toml")),
    }
}

/// Says what is about to happen, and asks; without a terminal it wants `--yes`.
fn ask(told: &str, question: &str, yes: bool, ui: &Ui) -> Result<(), CliError> {
    if !ui.json {
        ui.remark(told);
    }
    if yes {
        return Ok(());
    }
    if !ui.interactive {
        return Err(CliError::usage(format!("{question} This must be meant"))
            .with_try("read the above, compare the fingerprint, then add --yes"));
    }
    match confirm(question) {
        true => Ok(()),
        false => {
            Err(CliError::usage("nothing was written").with_try("run it again when it is meant"))
        }
    }
}

/// Trust data that the rules refuse.
fn refused(error: &TrustError) -> CliError {
    CliError::new(crate::Exit::Unverified, error.to_string())
}
