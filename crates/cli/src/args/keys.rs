//! Arguments of `abeng keys`.

use super::{ConfigArgs, SureArgs};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Which keys there are, what each is for, until when, and where it rests; never a secret
    List(KeysListArgs),
    /// Copy the encrypted keys, and what a new machine needs beside them, to another disk; and read them back
    Backup(KeysBackupArgs),
    /// Make printable shares of the keys: any few of them together give the keys back
    ///
    /// The sheets go to standard output, to a printer: `abeng keys split … | lpr`. The keys are also
    /// sealed into keys/keyring.sealed, which every backup holds from then on, and which the shares open.
    /// Shares of an earlier set open only what was sealed to them.
    Split(KeysSplitArgs),
    /// A new key for others to seal to, by the running node
    ///
    /// It is published once a backup holds it; then others seal to it, and what was sealed to the old one still
    /// opens. It happens by itself every `rotate_days`.
    Rotate(KeysRotateArgs),
    /// Destroy an old seal key before its time, by the running node; leaves a leaf in the audit log
    Destroy(KeysDestroyArgs),
    /// Bring the keys back from shares, typed line by line or read from files
    ///
    /// Without --share the lines of part A of each sheet are asked for; one that is mistyped is named at
    /// once and asked for again. The keys are written to --out under a new passphrase, for
    /// `abeng restore --keys`.
    Combine(KeysCombineArgs),
}

#[derive(Debug, Args)]
pub(crate) struct KeysListArgs {
    #[command(flatten)]
    pub(crate) node: ConfigArgs,
}

#[derive(Debug, Args)]
pub(crate) struct KeysBackupArgs {
    /// Directory of the copy, on another disk
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) node: ConfigArgs,
    /// Also where the keys rest without a passphrase: whoever has the copy then has them
    #[arg(long)]
    pub(crate) include_plain_keys: bool,
}

#[derive(Debug, Args)]
pub(crate) struct KeysSplitArgs {
    /// How many sheets to make
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=16))]
    pub(crate) shares: u8,
    /// How many of them are needed
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u8).range(2..=15))]
    pub(crate) threshold: u8,
    /// Write the sheets as files into this new directory in place of printing them
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) node: ConfigArgs,
    #[command(flatten)]
    pub(crate) sure: SureArgs,
}

#[derive(Debug, Args)]
pub(crate) struct KeysRotateArgs {
    /// The seal key; other keys change with the roster
    #[arg(long, required = true)]
    pub(crate) seal: bool,
}

#[derive(Debug, Args)]
pub(crate) struct KeysDestroyArgs {
    /// The key, or the first 8 or more digits of its identifier
    pub(crate) kid: String,
    /// Also where notices that are kept here, or may still come, cannot be opened any more
    #[arg(long)]
    pub(crate) anyway: bool,
    #[command(flatten)]
    pub(crate) sure: SureArgs,
}

#[derive(Debug, Args)]
pub(crate) struct KeysCombineArgs {
    /// Directory to write the keys to; must not hold any
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// keyring.sealed from a backup, or a directory that holds it
    #[arg(long, value_name = "PATH", required_unless_present = "paper")]
    pub(crate) sealed: Option<PathBuf>,
    /// No file is left: part B of a sheet is asked for, too
    #[arg(long, conflicts_with = "sealed")]
    pub(crate) paper: bool,
    /// A file with a sheet, or with its four lines. Repeat it
    #[arg(long = "share", value_name = "FILE")]
    pub(crate) shares: Vec<PathBuf>,
    /// File whose first line is the new passphrase [default: it is asked for]
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}
