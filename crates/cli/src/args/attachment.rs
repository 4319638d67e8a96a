//! Options of `abeng attachment`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `abeng attachment`.
#[derive(Debug, Subcommand)]
pub(crate) enum AttachmentCommand {
    /// The files of a notice, and whether each is here
    List {
        /// The notice's id, or its first 8 or more digits
        id: String,
    },
    /// Take files out of a notice, one or all
    ///
    /// What is not here yet is asked for and waited for; on a metered link nothing comes before it
    /// is asked for. Each file is decrypted and verified as it is written. The audit log says who
    /// took it out.
    Get(AttachmentGetArgs),
}

/// `abeng attachment get`.
#[derive(Debug, Args)]
pub(crate) struct AttachmentGetArgs {
    /// The notice's id, or its first 8 or more digits
    pub(crate) id: String,
    /// Which one, as `attachment list` numbers it [default: all]
    #[arg(value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) number: Option<u32>,
    /// A file, or a directory for the names that they have [default: this directory]
    #[arg(long, value_name = "PATH")]
    pub(crate) out: Option<PathBuf>,
    /// Write over files that are there
    #[arg(long)]
    pub(crate) force: bool,
    /// Do not wait for what is not here; ask for it all the same
    #[arg(long)]
    pub(crate) no_wait: bool,
}
