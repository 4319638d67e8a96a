//! Options that several commands have, word for word the same.

use clap::Args;
use std::path::PathBuf;

/// How new secrets rest.
#[derive(Debug, Clone, Args)]
pub(crate) struct RestArgs {
    /// File whose first line is the passphrase [default: it is asked for, without being shown]
    #[arg(long, value_name = "FILE", conflicts_with = "insecure_plain_keys")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Keep the keys in files of mode 0600 without a passphrase, for trying things out
    #[arg(long)]
    pub(crate) insecure_plain_keys: bool,
}

/// What is held already.
#[derive(Debug, Clone, Args)]
pub(crate) struct TrustArgs {
    /// The trust bundle held: trust/bundle.pb of a node, or what was published last
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: PathBuf,
    #[command(flatten)]
    pub(crate) first: FirstRootArgs,
}

/// What is held already, where there may be nothing.
#[derive(Debug, Clone, Args)]
pub(crate) struct MaybeTrustArgs {
    /// The trust bundle held; at a founding there is none
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) first: FirstRootArgs,
}

/// Where trust begins.
#[derive(Debug, Clone, Args)]
pub(crate) struct FirstRootArgs {
    /// What the first root's digest must be
    #[arg(long, value_name = "HEX")]
    pub(crate) root: Option<String>,
}

/// What opens a holder's key.
#[derive(Debug, Clone, Args)]
pub(crate) struct KeyPassphraseArgs {
    /// File whose first line is the key's passphrase [default: it is asked for, without being shown]
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// Where a file goes.
#[derive(Debug, Clone, Args)]
pub(crate) struct OutArgs {
    /// File to write
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Write over a file of that name
    #[arg(long)]
    pub(crate) force: bool,
}

/// Which node, by its configuration.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConfigArgs {
    /// The node's configuration [default: node.toml in the data directory]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Whether to ask first.
#[derive(Debug, Clone, Args)]
pub(crate) struct SureArgs {
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}
