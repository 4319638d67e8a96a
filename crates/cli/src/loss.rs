//! `abeng backup`, `abeng restore`, `abeng node new-incarnation`: for administrators, in English.

use crate::{
    CliError, Exit, Ui,
    args::{BackupArgs, Common, NewIncarnationArgs, RestoreArgs},
    connect,
    keeping::confirm,
    keys::exit_of_keys,
};
use abeng_node::{
    BackupError, Config, ConfigError, IfNewer, LackingKey, LifeError, LifeReport, NodeError,
    PlainKeys, RestoreError, Source, back_up, backup_of, count::count, keys::named, lacking_keys,
    new_life, restore,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

/// How long a running node is given to say that what was copied is durable.
const PATIENCE: Duration = Duration::from_secs(60);
const NODE_TOML: &str = "node.toml";
const BETWEEN: Duration = Duration::from_millis(200);

pub(crate) fn backup(args: &BackupArgs, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let (config, path) = configuration(args.node.config.as_deref(), common)?;
    let plain = match args.include_plain_keys {
        true => PlainKeys::Include,
        false => PlainKeys::Refuse,
    };
    let of_node = Common {
        data: Some(config.data.clone()),
        socket: common.socket.clone().or(Some(config.api.socket.clone())),
        ..common.clone()
    };
    let began = Instant::now();
    let report = back_up(&config, &path, &args.out, plain, |leaves| {
        durable(&of_node, leaves)
    })
    .map_err(|e| failed(exit_of_backup(&e), &e, e.hint()))?;
    let seconds = began.elapsed().as_secs_f64();
    if report.manifest.same_disk {
        ui.remark(&format!(
            "WARNING: {} lies on the same file system as the node's data: what takes that disk takes both. Name a directory on another disk or machine.",
            report.out.display()
        ));
    }
    ui.show(&json!({"backup": report, "seconds": seconds}), || {
        format!(
            "Backed up: {} of {} (life {}), {:.1} MiB written to {} in {seconds:.1} s, and verified.\n\
             Keep it on another machine; the passphrase of its keys somewhere else.",
            count(report.manifest.leaves, "leaf", "leaves"),
            report.manifest.party,
            report.manifest.incarnation,
            report.copied as f64 / 1_048_576.0,
            report.out.display(),
        )
    })?;
    Ok(Exit::Ok.into())
}

/// Waits until the running node has so many leaves durable.
fn durable(common: &Common, leaves: u64) -> Result<(), String> {
    let client = connect::client(common);
    let began = Instant::now();
    loop {
        let status = connect::block_on(async { Ok(client.status().await?) });
        match status {
            Ok(status) if status.log.size >= leaves => return Ok(()),
            Ok(_) if began.elapsed() < PATIENCE => std::thread::sleep(BETWEEN),
            Ok(status) => {
                return Err(format!(
                    "the backup has {}, and {} are durable at the node",
                    count(leaves, "leaf", "leaves"),
                    status.log.size
                ));
            }
            Err(e) => return Err(e.message),
        }
    }
}

pub(crate) fn restore_node(
    args: RestoreArgs,
    common: &Common,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    let data = common.data.as_deref().ok_or_else(|| {
        CliError::usage("where to is not said").with_try("add --data DIR, a new directory")
    })?;
    let (source, what) = match (args.from, args.keys, args.trust, args.config) {
        (Some(from), ..) => {
            let of = backup_of(&from).map_err(|e| failed(exit_of_restore(&e), &e, e.hint()))?;
            let what = format!(
                "The backup is of {} from {}, {} of its life {}.",
                of.party,
                of.at,
                count(of.leaves, "leaf", "leaves"),
                of.incarnation
            );
            (Source::Backup(from), what)
        }
        (None, Some(keys), Some(trust), Some(config)) => {
            let what = "From keys alone: inbox and sent notices are empty until peers send again what they still hold.".to_owned();
            (
                Source::Keys {
                    keys,
                    trust,
                    config,
                },
                what,
            )
        }
        _ => {
            return Err(CliError::usage(
                "name --from DIR, or --keys, --trust and --config",
            ));
        }
    };
    let lacking =
        lacking_keys(&source, data).map_err(|e| failed(exit_of_restore(&e), &e, e.hint()))?;
    for key in &lacking.keys {
        ui.remark(&format!(
            "WARNING: this keyring is older than the trust data: it lacks the seal key {key}. What others have sealed to it, and seal to it until the node has published a newer one, is refused here until their nodes have the newer key and seal it anew. Look for a newer copy of the keyring first (another backup, the copies of `abeng keys backup`)."
        ));
    }
    for newer in &lacking.newer {
        ui.remark(&format!(
            "WARNING: a newer keyring lies in {}: it holds {}, which this one lacks. Restore with that one: --keys {0} --trust FILE --config FILE.",
            newer.dir.display(),
            named(&newer.keys)
        ));
    }
    ask(
        &format!(
            "{what}\nIt becomes a new life of the log in {}. The lost machine must never start again",
            data.display()
        ),
        args.sure.yes,
        ui,
    )?;
    let bar = Bar::new(ui);
    let restored = restore(&source, data, &args.reason, &mut |n, of| bar.at(n, of));
    bar.done();
    let report = restored.map_err(|e| failed(exit_of_restore(&e), &e, e.hint()))?;
    told(&report, data, &lacking.keys, ui)
}

pub(crate) fn new_incarnation(
    args: &NewIncarnationArgs,
    common: &Common,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    let (config, _) = configuration(args.node.config.as_deref(), common)?;
    let what = format!(
        "{} begins a new life of its log in {}. Every other copy of this directory must never start again",
        config.party,
        config.data.display()
    );
    ask(&what, args.sure.yes, ui)?;
    let mut opened = open(&config, &args.reason, if_newer(args.although_newer), ui);
    if let Err(newer @ LifeError::Newer { .. }) = &opened
        && ui.interactive
    {
        let what =
            format!("{newer}.\nUsually this copy is the one to switch off. Keep it all the same");
        ask(&what, false, ui)?;
        opened = open(&config, &args.reason, IfNewer::GoOn, ui);
    }
    let report = opened.map_err(|e| failed(exit_of_life(&e), &e, e.hint()))?;
    told(&report, &config.data, &[], ui)
}

fn if_newer(although: bool) -> IfNewer {
    match although {
        true => IfNewer::GoOn,
        false => IfNewer::Refuse,
    }
}

fn open(
    config: &Config,
    reason: &str,
    if_newer: IfNewer,
    ui: &Ui,
) -> Result<LifeReport, LifeError> {
    let bar = Bar::new(ui);
    let opened = new_life(config, reason, if_newer, &mut |n, of| bar.at(n, of));
    bar.done();
    opened
}

fn told(
    report: &LifeReport,
    data: &Path,
    lacking: &[LackingKey],
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    let previous = report.previous.map(|life| life.to_string());
    let lacking: Vec<String> = lacking.iter().map(|key| key.kid.to_string()).collect();
    let value = json!({
        "lacking_seal_keys": lacking,
        "party": report.party.to_string(),
        "incarnation": report.incarnation.to_string(),
        "previous": previous,
        "leaves": report.leaves,
        "kept": report.kept,
        "data": data,
    });
    ui.show(&value, || {
        let mut text = format!(
            "{} is in a new life of its log: {} ({}).\n",
            report.party,
            report.incarnation,
            count(report.leaves, "leaf", "leaves")
        );
        if let Some(kept) = &report.kept {
            text += &format!(
                "The journal of the life before lies in {}. Delete it once this one runs well: what is deleted or taken back later stays in it.\n",
                kept.display()
            );
        }
        text + &format!(
            "Start the node: abengd --config {}/node.toml. Peers witness the new life, warn their operators, and send again what they hold. Your reason stands in the first leaf of this log and does not reach them: tell them by another way.",
            data.display()
        )
    })?;
    Ok(Exit::Ok.into())
}

/// Asks whether it is meant; leaving the question is a no.
pub(crate) fn ask(what: &str, yes: bool, ui: &Ui) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    if !ui.interactive {
        return Err(
            CliError::usage(format!("{what}: this must be meant")).with_try("add --yes if it is")
        );
    }
    match confirm(&format!("{what}. Go on?")) {
        true => Ok(()),
        false => {
            Err(CliError::usage("nothing was changed").with_try("run it again when it is meant"))
        }
    }
}

/// `--config`, or node.toml in the data directory.
pub(crate) fn configuration(
    file: Option<&Path>,
    common: &Common,
) -> Result<(Config, PathBuf), CliError> {
    let file = match (file, &common.data) {
        (Some(file), _) => file.to_owned(),
        (None, Some(dir)) => dir.join(NODE_TOML),
        (None, None) => {
            return Err(CliError::usage("which node is not said")
                .with_try("add --data DIR with its data directory, or --config FILE"));
        }
    };
    match Config::load(&file) {
        Ok(config) => Ok((config, file)),
        Err(ConfigError::Unreadable { path, source })
            if path.file_name().is_some_and(|name| name == NODE_TOML)
                && source.kind() == ErrorKind::NotFound =>
        {
            let dir = path.parent().unwrap_or(&path).display().to_string();
            let dir = if dir.is_empty() { "." } else { &dir };
            Err(CliError::usage(format!("there is no {NODE_TOML} in {dir}"))
                .with_try("name a node's data directory with --data DIR, or its node.toml with --config FILE"))
        }
        Err(e) => Err(CliError::usage(e.to_string()).with_try(e.hint())),
    }
}

fn failed(exit: Exit, error: &dyn std::fmt::Display, hint: String) -> CliError {
    CliError::new(exit, error.to_string()).with_try(hint)
}

pub(crate) fn exit_of_node(error: &NodeError) -> Exit {
    match error {
        NodeError::NoData { .. } => Exit::NotFound,
        NodeError::Keys(error) => Exit::of_keys(error),
        NodeError::TrustFile { .. } => Exit::Usage,
        NodeError::InUse { .. }
        | NodeError::OtherNode { .. }
        | NodeError::HalfRestored { .. }
        | NodeError::KeyNotListed { .. }
        | NodeError::NotMember { .. } => Exit::Refused,
        NodeError::Open(_) | NodeError::Read(_) | NodeError::Trust(_) => Exit::Unverified,
        _ => Exit::Internal,
    }
}

fn exit_of_life(error: &LifeError) -> Exit {
    match error {
        LifeError::Node(error) => exit_of_node(error),
        LifeError::Reason(_) => Exit::Usage,
        LifeError::Room { .. } | LifeError::Newer { .. } => Exit::Refused,
        LifeError::Carry(_) => Exit::Unverified,
        LifeError::Create(_) | LifeError::File { .. } => Exit::Internal,
    }
}

fn exit_of_restore(error: &RestoreError) -> Exit {
    match error {
        RestoreError::NotEmpty { .. } => Exit::Refused,
        RestoreError::NoBackup { .. } => Exit::NotFound,
        RestoreError::Other { .. } | RestoreError::Verify(_) => Exit::Unverified,
        RestoreError::Config(_) => Exit::Usage,
        RestoreError::Node(error) => exit_of_node(error),
        RestoreError::Life(error) => exit_of_life(error),
        RestoreError::File { .. } => Exit::Internal,
    }
}

fn exit_of_backup(error: &BackupError) -> Exit {
    match error {
        BackupError::Node(error) => exit_of_node(error),
        BackupError::PlainKeys
        | BackupError::Foreign { .. }
        | BackupError::Inside { .. }
        | BackupError::OtherLife { .. }
        | BackupError::Older { .. } => Exit::Refused,
        BackupError::NotDurable(_) => Exit::Unreachable,
        BackupError::Unsteady => Exit::Busy,
        BackupError::Verify(_) => Exit::Unverified,
        BackupError::Keys(error) => exit_of_keys(error),
        BackupError::File { .. } => Exit::Internal,
    }
}

/// Leaves carried over, on a terminal.
struct Bar(ProgressBar);

impl Bar {
    fn new(ui: &Ui) -> Self {
        if ui.json || !ui.interactive {
            return Self(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template("{bar:40} {pos} of {len} leaves, {eta} left");
        let bar = ProgressBar::new(0);
        Self(match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }

    fn at(&self, leaves: u64, of: u64) {
        self.0.set_length(of);
        self.0.set_position(leaves);
    }

    fn done(&self) {
        self.0.finish_and_clear();
    }
}
