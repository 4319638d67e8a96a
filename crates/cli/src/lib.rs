//! The `abeng` command and the `abengd` daemon.
//!
//! In scope: the command line, what people see on a terminal, and exit codes. Every command that
//! speaks with a node does so through `abeng_api::Client`.
//!
//! Not in scope: what a node does (`abeng_node`), what a notice is (`abeng_notice`).

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod args;
mod attachment;
mod audit;
pub mod bench;
mod ceremony;
mod connect;
mod cost;
mod courier;
pub mod demo;
mod drill;
mod error;
mod evidence;
mod gaps;
mod inbox;
mod keeping;
mod keys;
mod limits;
mod loss;
mod manual;
mod network;
mod node;
mod private;
mod relays;
mod release;
mod rules;
mod sent;
mod staged;
mod status;
mod submit;
mod table;
mod texts;
mod track;
mod ui;
mod when;

pub use error::{CliError, Exit};
pub use texts::Texts;
pub use ui::{Colour, Paint, Ui};

use abeng_notice::Lang;
use args::{
    AuditCommand, Cli, Command, CostCommand, Daemon, DrillCommand, EvidenceCommand, LinkCommand,
    NetworkCommand, NodeCommand, SubmitCommand,
};
use clap::Parser;
use std::{ffi::OsString, process::ExitCode};

/// The entry of `abeng`.
pub fn main_abeng() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, &arguments),
    };
    let ui = Ui::new(cli.common.json, cli.common.lang, cli.common.color);
    quiet(&ui);
    end(run(cli, &ui), &ui)
}

/// The entry of `abengd`.
pub fn main_abengd() -> ExitCode {
    let ui = Ui::new(false, None, Colour::Auto);
    let arguments = Daemon::parse();
    quiet(&ui);
    end(node::run(arguments.run, &ui), &ui)
}

/// Before anything secret is in memory. A system that refuses is told, and stops nothing: a sandbox may
/// do the same in its own way.
fn quiet(ui: &Ui) {
    if let Err(e) = private::no_dumps() {
        ui.remark(&format!(
            "core dumps could not be switched off for this process: {e}"
        ));
    }
}

fn run(cli: Cli, ui: &Ui) -> Result<ExitCode, CliError> {
    let common = &cli.common;
    match cli.command {
        Command::Demo(args) => demo::run(args, ui),
        Command::Bench(args) => bench::run(args, ui),
        Command::Network(args) => match args.command {
            Some(NetworkCommand::Init(args)) => network::init(args, ui),
            None => network::show(common, args.watch.then_some(args.every), ui),
        },
        Command::Node(NodeCommand::Run(args)) => node::run(args, ui),
        Command::Node(NodeCommand::NewIncarnation(args)) => {
            loss::new_incarnation(&args, common, ui)
        }
        Command::Root(command) => ceremony::root(command, ui),
        Command::Roster(command) => ceremony::roster(command, common, ui),
        Command::Party(command) => ceremony::party(command, ui),
        Command::Freshness(command) => ceremony::freshness(command, ui),
        Command::Backup(args) => loss::backup(&args, common, ui),
        Command::Restore(args) => loss::restore_node(args, common, ui),
        Command::Keys(command) => keys::run(command, common, ui),
        Command::Submit(SubmitCommand::Seizure(args)) => submit::seizure(*args, common, ui),
        Command::Attachment(command) => attachment::run(command, common, ui),
        Command::Inbox(args) => inbox::run(args.command(), common, ui),
        Command::Sent(args) => sent::run(args.command(), common, ui),
        Command::Track { id } => track::run(&id, common, ui),
        Command::Release(command) => release::run(command, common, ui),
        Command::Recall(args) => keeping::recall(args, common, ui),
        Command::Hold(command) => keeping::hold(command, common, ui),
        Command::Retention(command) => keeping::retention(command, common, ui),
        Command::Courier(command) => courier::run(command, common, ui),
        Command::Cost(CostCommand::Seizure(args)) => cost::seizure(*args, common, ui),
        Command::Link(LinkCommand::Allow(args)) => cost::allow(args, common, ui),
        Command::Drill(DrillCommand::Hurricane(args)) => drill::hurricane(args, common, ui),
        Command::Policy(command) => rules::policy(command, common, ui),
        Command::Status => status::run(common, ui),
        Command::Limits => limits::run(common, ui),
        Command::Gaps => gaps::run(common, ui),
        Command::Relays => relays::run(common, ui),
        Command::Evidence(EvidenceCommand::Export(args)) => evidence::export(args, common, ui),
        Command::Evidence(EvidenceCommand::Verify(args)) => {
            evidence::verify(&args.file, args.root, ui)
        }
        Command::Audit(AuditCommand::Verify(args)) => match &args.path {
            Some(dir) if dir.is_dir() => audit::verify_tiles(dir, &args, common, ui),
            Some(file) => evidence::verify_any(file, args.of_file()?, ui),
            None => audit::verify(&args, common, ui),
        },
        Command::Audit(AuditCommand::ExportTiles(args)) => audit::export_tiles(&args, common, ui),
        Command::Audit(AuditCommand::Contradictions(args)) => {
            evidence::contradictions(args, common, ui)
        }
        Command::Audit(AuditCommand::Judge(args)) => evidence::judge(&args.file, args.root, ui),
        Command::Audit(AuditCommand::Show(args)) => audit::show(args, common, ui),
        Command::Audit(AuditCommand::Watch(args)) => audit::watch(args, common, ui),
        Command::Audit(AuditCommand::Readers { id }) => audit::readers(&id, common, ui),
        Command::Audit(AuditCommand::ReadBy(args)) => audit::read_by(args, common, ui),
        Command::Completions { shell } => manual::completions(shell, ui),
        Command::Man { dir } => manual::pages(dir.as_deref(), ui),
    }
}

fn end(result: Result<ExitCode, CliError>, ui: &Ui) -> ExitCode {
    result.unwrap_or_else(|error| {
        let error = texts::old_copy::told(error, ui.error_lang());
        ui.fail(&error);
        error.exit.into()
    })
}

/// The language of a command line that cannot be read: as it names one, else as the environment does.
fn language(arguments: &[OsString]) -> Lang {
    let words: Vec<&str> = arguments.iter().filter_map(|a| a.to_str()).collect();
    let apart = words.windows(2).find(|pair| pair[0] == "--lang");
    let apart = apart.map(|pair| pair[1]);
    let named = apart.or_else(|| words.iter().find_map(|word| word.strip_prefix("--lang=")));
    let named = named.and_then(Lang::parse);
    Ui::new(false, named, Colour::Never).lang
}

/// What clap has to say: help, the version, or a mistake on the command line.
fn usage(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    let json = arguments.iter().any(|a| a == "--json");
    if json && error.use_stderr() {
        let ui = Ui::new(true, None, Colour::Never);
        let text = error.to_string();
        let message = text.lines().next().unwrap_or_default();
        let message = message.strip_prefix("error: ").unwrap_or(message);
        ui.fail(&CliError::usage(message).with_try("abeng --help lists the commands"));
        return Exit::Usage.into();
    }
    match texts::usage::told(error, language(arguments)) {
        Some(told) => eprint!("{told}"),
        None => _ = error.print(),
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}
