//! `abeng recall`, `abeng hold`, `abeng retention`.

use super::SureArgs;
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct RecallArgs {
    /// The notice's id, or its first 8 or more digits
    pub(crate) id: String,
    /// Why: wrong-facts, wrong-recipient, duplicate, source-at-risk, legal, no-longer-needed or other
    #[arg(long, value_name = "CODE")]
    pub(crate) reason: String,
    /// Why, in words; the recipients read it
    #[arg(long, value_name = "TEXT")]
    pub(crate) text: Option<String>,
    /// Reference of the officer who takes it back
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) officer: Option<String>,
    #[command(flatten)]
    pub(crate) sure: SureArgs,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What both acts about a hold need.
#[derive(Debug, Args)]
pub(crate) struct HoldArgs {
    /// The notice's id, or its first 8 or more digits
    pub(crate) id: String,
    /// Why: a case number, a court's order. Stays in the log for ever
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Reference of the officer who decides it
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) officer: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HoldCommand {
    /// Hold a notice, sent or received: neither time nor its originator deletes it here
    Place(HoldArgs),
    /// Lift a hold
    Lift(HoldArgs),
    /// List what is held, since when and why
    List {
        /// At most so many
        #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 50)]
        #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RetentionCommand {
    /// List what is deleted within 30 days, the first first
    List {
        /// Everything that has a date
        #[arg(long)]
        all: bool,
        /// At most so many
        #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 50)]
        #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Keep the own copy of a notice that was sent from here longer
    Extend {
        /// The notice's id, or its first 8 or more digits
        id: String,
        /// A date (2031-12-31), or a length from now (365d)
        #[arg(long, value_name = "DATE")]
        until: String,
        /// Why. Stays in the log for ever
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Reference of the officer who decides it
        #[arg(long, value_name = "REFERENCE")]
        officer: Option<String>,
    },
}
