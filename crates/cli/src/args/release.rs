//! `abeng release`.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum ReleaseCommand {
    /// List what waits: all of it for those who may release, else your own
    List {
        /// At most so many
        #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 50)]
        #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Show a notice as it would be sent, and to whom; the audit log records that it was read
    Show {
        /// The id of the submission, or its first 8 or more digits
        id: String,
    },
    /// Release a notice: it is checked again, sealed and sent
    ///
    /// Only for those whom node.toml names, and never for what one submitted oneself: the node
    /// knows people by their user id.
    Grant(GrantArgs),
    /// Send nothing of it, and delete it: those who may release, or whoever submitted it
    Deny(DenyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct GrantArgs {
    /// The id of the submission, or its first 8 or more digits
    pub(crate) id: String,
    /// Reference of the officer who releases it
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) officer: Option<String>,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DenyArgs {
    /// The id of the submission, or its first 8 or more digits
    pub(crate) id: String,
    /// Why. Stays in the log for ever
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Reference of the officer who decides it
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) officer: Option<String>,
}
