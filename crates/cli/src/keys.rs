//! `abeng keys`: for administrators, in English.

mod combine;
mod list;

use crate::{
    CliError, Exit, Ui,
    args::{Common, KeysBackupArgs, KeysCommand, KeysDestroyArgs, KeysSplitArgs},
    connect,
    loss::{ask, configuration, exit_of_node},
};
use abeng_api::DestroyKeyRequest;
use abeng_keys::{BackupKey, BackupSecret, Passphrase, SystemEntropy};
use abeng_node::{
    Config, Layout, PlainKeys,
    count::count,
    keys::{KeysError, SplitRequest, keep_backup, split},
};
use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{IsTerminal, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::ExitCode,
};
use zeroize::Zeroizing;

pub(crate) fn run(command: KeysCommand, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    match command {
        KeysCommand::List(args) => list::run(&args, common, ui),
        KeysCommand::Backup(args) => backup(&args, common, ui),
        KeysCommand::Split(args) => split_keys(&args, common, ui),
        KeysCommand::Combine(args) => combine::run(args, ui),
        KeysCommand::Rotate(_) => rotate(common, ui),
        KeysCommand::Destroy(args) => destroy(args, common, ui),
    }
}

fn rotate(common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    let reply = connect::block_on(async { Ok(client.rotate_seal_key().await?) })?;
    ui.show(&reply, || match &reply.waits {
        None => format!(
            "Published: others seal to {:.12} from now on, as soon as they hear of it.",
            reply.kid
        ),
        Some(waits) => format!(
            "{:.12} is in the keyring and not published: {waits}.",
            reply.kid
        ),
    })?;
    Ok(Exit::Ok.into())
}

fn destroy(args: KeysDestroyArgs, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let what = match args.anyway {
        true => {
            "What is sealed to this key and kept here, or comes later, can never be opened again"
        }
        false => "The key is destroyed for good, here; backups still hold it",
    };
    ask(what, args.sure.yes, ui)?;
    let request = DestroyKeyRequest {
        kid: args.kid,
        anyway: args.anyway,
    };
    let client = connect::client(common);
    let reply = connect::block_on(async { Ok(client.destroy_seal_key(&request).await?) })?;
    ui.show(&reply, || {
        format!(
            "{:.12} is destroyed, and the log says so. Older backups still hold it: let them expire.",
            reply.kid
        )
    })?;
    Ok(Exit::Ok.into())
}

fn backup(args: &KeysBackupArgs, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let (config, path) = configuration(args.node.config.as_deref(), common)?;
    let plain = match args.include_plain_keys {
        true => PlainKeys::Include,
        false => PlainKeys::Refuse,
    };
    let kept = keep_backup(&config, &path, &args.out, plain, || passphrase(ui)).map_err(failed)?;
    ui.show(&kept, || {
        let set = match &kept.set {
            Some(set) => format!(", and the shares of set {set} open them too"),
            None => String::new(),
        };
        format!(
            "The keys of {} are in {} and were read back: {}{set}.\n\
             Restore from them with: abeng restore --data NEW --keys {out}/keys --trust {out}/trust/bundle.pb --config {out}/node.toml",
            kept.party,
            kept.out.display(),
            count(kept.seal_keys as u64, "seal key", "seal keys"),
            out = kept.out.display(),
        )
    })?;
    Ok(Exit::Ok.into())
}

fn split_keys(args: &KeysSplitArgs, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let (config, _) = configuration(args.node.config.as_deref(), common)?;
    if ui.json && args.out.is_none() {
        return Err(CliError::usage("sheets are for people, and JSON is not")
            .with_try("add --out DIR, and the sheets are written there"));
    }
    if args.out.is_none() && std::io::stdout().is_terminal() {
        return Err(
            CliError::usage("on a terminal the shares would stay in its history")
                .with_try("send them to a printer, `abeng keys split … | lpr`; or add --out DIR"),
        );
    }
    meant(&config, args, ui)?;
    // Before a directory is made for them.
    let secret = BackupSecret::generate(&mut SystemEntropy);
    let trial = secret.split(args.threshold, args.shares, &mut SystemEntropy);
    trial.map_err(|e| failed(e.into()))?;
    if let Some(dir) = &args.out {
        let made = DirBuilder::new().mode(0o700).create(dir);
        made.map_err(|e| {
            CliError::new(Exit::Refused, format!("cannot make {}: {e}", dir.display())).with_try(
                "name a new directory, best one that is in memory, such as /dev/shm/sheets",
            )
        })?;
    }
    let request = SplitRequest {
        threshold: args.threshold,
        shares: args.shares,
    };
    let report = split(&config, request, || passphrase(ui)).map_err(failed)?;
    let files = match &args.out {
        Some(dir) => write_sheets(dir, &report.sheets)?,
        None => {
            print_sheets(&report.sheets).map_err(|e| {
                CliError::internal(format!("the sheets cannot be written: {e}")).with_try(
                    "destroy those that came out; no set was made, and one that there was is in force",
                )
            })?;
            Vec::new()
        }
    };
    // A set that there was is good until here.
    let key = report.commit().map_err(failed)?;
    let told = format!(
        "{} sheets of set {}, any {} of which give the keys of {} back; each was read back before it was written.\n\
         Now: give each to another holder, delete the files (`shred -u`), and take a backup: it holds keyring.sealed, which the shares open.",
        key.shares,
        key.set(),
        key.threshold,
        key.party,
    );
    match &args.out {
        Some(_) => {
            let value = serde_json::json!({
                "party": key.party.to_string(),
                "set": key.set().to_string(),
                "kid": key.kid().to_string(),
                "threshold": key.threshold,
                "shares": key.shares,
                "files": files,
            });
            ui.show(&value, || told)?;
        }
        None => ui.remark(&told),
    }
    Ok(Exit::Ok.into())
}

/// A set that there is already stops being kept up to date.
fn meant(config: &Config, args: &KeysSplitArgs, ui: &Ui) -> Result<(), CliError> {
    let before = BackupKey::load(&Layout::new(&config.data).keys());
    let before = before.map_err(|e| failed(e.into()))?;
    let Some(before) = before else { return Ok(()) };
    let what = format!(
        "The keys of {} are split already: set {}, {} of {} sheets. A new set takes its place, and those sheets open only backups taken before",
        config.party,
        before.set(),
        before.threshold,
        before.shares
    );
    ask(&what, args.sure.yes, ui)
}

/// To standard output, with a form feed after each: every one on a page of its own.
fn print_sheets(sheets: &[Zeroizing<String>]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for sheet in sheets {
        out.write_all(sheet.as_bytes())?;
        out.write_all(b"\x0c\n")?;
    }
    out.flush()
}

fn write_sheets(dir: &Path, sheets: &[Zeroizing<String>]) -> Result<Vec<PathBuf>, CliError> {
    let write = |(sheet, number): (&Zeroizing<String>, usize)| {
        let path = dir.join(format!("share-{number}.txt"));
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&path);
        file.and_then(|mut file| {
            file.write_all(sheet.as_bytes())
                .and_then(|()| file.sync_all())
        })
        .map_err(|e| CliError::internal(format!("cannot write {}: {e}", path.display())))?;
        Ok(path)
    };
    let files = sheets.iter().zip(1..).map(write).collect();
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(|e| CliError::internal(format!("cannot write {}: {e}", dir.display())))?;
    files
}

/// The passphrase, typed without being shown.
pub(crate) fn passphrase(ui: &Ui) -> Result<Passphrase, String> {
    if !ui.interactive {
        return Err(
            "it cannot be read where node.toml says, and there is nobody to ask".to_owned(),
        );
    }
    let typed = inquire::Password::new("Passphrase of the keys")
        .without_confirmation()
        .with_display_mode(inquire::PasswordDisplayMode::Hidden)
        .prompt()
        .map(Zeroizing::new)
        .map_err(|e| e.to_string())?;
    Passphrase::from_line(typed.as_bytes()).ok_or_else(|| "nothing was typed".to_owned())
}

fn failed(error: KeysError) -> CliError {
    CliError::new(exit_of_keys(&error), error.to_string()).with_try(error.hint())
}

pub(crate) fn exit_of_keys(error: &KeysError) -> Exit {
    match error {
        KeysError::Node(error) => exit_of_node(error),
        KeysError::Keyring(error) => Exit::of_keys(error),
        KeysError::File { .. } => Exit::Internal,
        KeysError::Shares(_) => Exit::Usage,
        KeysError::PlainKeys
        | KeysError::Inside { .. }
        | KeysError::Foreign { .. }
        | KeysError::Newer { .. }
        | KeysError::Closed { .. } => Exit::Refused,
        KeysError::Recovery(_) | KeysError::Differs { .. } => Exit::Unverified,
    }
}
