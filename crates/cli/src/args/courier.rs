use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `abeng courier`.
#[derive(Debug, Subcommand)]
pub(crate) enum CourierCommand {
    /// Write a file for another party's node: notices, receipts, keys, checkpoints, attachments
    ///
    /// For when no cable and no satellite reaches it. Whoever carries the file can neither read
    /// nor change what is in it, but sees who writes to whom, when and how urgently. Notices stay
    /// queued here until their receipts come back.
    Export(CourierExportArgs),
    /// Take in a file that another party's node wrote for this one
    ///
    /// The same checks and the same receipts as over a link. Harmless when repeated, old or cut
    /// off.
    Import {
        /// The courier file
        file: PathBuf,
    },
    /// List what is in a courier file: needs no node and no keys
    Show {
        /// The courier file
        file: PathBuf,
        /// List at most so many things
        #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 50)]
        #[arg(value_parser = clap::value_parser!(u32).range(0..=100_000))]
        limit: u32,
    },
}

/// `abeng courier export`.
#[derive(Debug, Args)]
pub(crate) struct CourierExportArgs {
    /// Code of the party that the file is for
    #[arg(long, value_name = "PARTY")]
    pub(crate) to: String,
    /// Where to write it
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The most it may take, such as 500M or 4G; the most urgent goes first, attachments last
    #[arg(long, value_name = "SIZE", value_parser = crate::courier::size)]
    pub(crate) limit: Option<u64>,
    /// Begin at the most urgent again: an earlier file is lost
    #[arg(long)]
    pub(crate) again: bool,
    /// Leave out the files of notices
    #[arg(long)]
    pub(crate) no_attachments: bool,
    /// Write over a file that is there
    #[arg(long)]
    pub(crate) force: bool,
}
