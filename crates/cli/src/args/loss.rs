//! Arguments of what is for the day when a node is lost.

use super::{ConfigArgs, SureArgs};
use clap::{ArgGroup, Args};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// Directory of the backup, on another disk; one of an earlier backup is brought up to date
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) node: ConfigArgs,
    /// Also where the keys rest without a passphrase: whoever has the backup then has them
    #[arg(long)]
    pub(crate) include_plain_keys: bool,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("source").required(true).args(["from", "keys"]))]
pub(crate) struct RestoreArgs {
    /// Directory of a backup
    #[arg(long, value_name = "DIR")]
    pub(crate) from: Option<PathBuf>,
    /// Directory with the keyring, where there is no backup: peers send again what they still hold
    #[arg(long, value_name = "DIR", requires = "trust", requires = "config")]
    pub(crate) keys: Option<PathBuf>,
    /// With --keys: trust/bundle.pb of any node of the network; it proves itself
    #[arg(long, value_name = "FILE", requires = "keys")]
    pub(crate) trust: Option<PathBuf>,
    /// With --keys: a node.toml with party, root and addresses
    #[arg(long, value_name = "FILE", requires = "keys")]
    pub(crate) config: Option<PathBuf>,
    /// What happened, in words: auditors read it in the log's first leaf, peers are not told
    #[arg(long, value_name = "TEXT", default_value = "restored after a loss")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) sure: SureArgs,
}

#[derive(Debug, Args)]
pub(crate) struct NewIncarnationArgs {
    /// What happened, in words: auditors read it in the log's first leaf, peers are not told
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) node: ConfigArgs,
    #[command(flatten)]
    pub(crate) sure: SureArgs,
    /// Also where peers have shown a newer life of this log: the copy that runs in it is refused from
    /// then on. --yes does not say this
    #[arg(long)]
    pub(crate) although_newer: bool,
}
