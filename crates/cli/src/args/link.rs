use abeng_node::size::Size;
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum LinkCommand {
    /// Let more bytes be spent on metered paths until midnight UTC
    Allow(LinkAllowArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LinkAllowArgs {
    /// How many more, such as "5 MB" [default: another day's budget]
    #[arg(long, value_name = "SIZE")]
    pub(crate) bytes: Option<Size>,
    /// Your reference, for the log
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) officer: Option<String>,
}
