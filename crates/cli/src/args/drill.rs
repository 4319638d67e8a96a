use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum DrillCommand {
    /// Is this node ready for weeks without a cable? Backup, keys, stick, disk, relays, trust data,
    /// clock, links: each with what to do, and a score of 100. Exit code 6 where something fails
    Hurricane(HurricaneArgs),
}

#[derive(Debug, Args)]
pub(crate) struct HurricaneArgs {
    /// Try the stick that is mounted there: a file is written, read back and removed
    #[arg(long, value_name = "DIR")]
    pub(crate) stick: Option<PathBuf>,
    /// Ask for the passphrase of the keys, to see that somebody here knows it
    #[arg(long)]
    pub(crate) passphrase: bool,
}
