//! `abeng roster import|pending|accept`, `abeng policy`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What a node's own administrator does about the roster.
#[derive(Debug, Subcommand)]
pub(crate) enum RosterHereCommand {
    /// Give the running node newer trust data: a roster, root, freshness or seal keys
    ///
    /// FILE is a bundle: as published by the Secretariat, or another node's trust/bundle.pb. It
    /// proves itself, or nothing is changed. Linked nodes get it from this one.
    Import {
        /// The bundle
        file: PathBuf,
    },
    /// Who is new to the roster or a group and waits here, until when, and what it would gain
    Pending,
    /// Accept newcomers before their time; without options, say that the roster's changes were seen
    Accept(AcceptArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AcceptArgs {
    /// A party, wherever it is new
    #[arg(long, value_name = "PARTY", conflicts_with = "group")]
    pub(crate) party: Option<String>,
    /// A group: all who are new to it
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// The roster that you have looked at; refused where another is in force. Without it: the one
    /// whose changes this command shows
    #[arg(long, value_name = "VERSION")]
    pub(crate) roster: Option<u64>,
    /// Your reference, for the log
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) officer: Option<String>,
}

/// Who may send what to whom.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Groups and grants of the roster in force
    Show,
    /// Why a party may send something to another, or why not and whom to ask
    ///
    /// Asks the running node. Where none answers, the trust data in --data DIR is read; who waits
    /// here only a running node knows.
    Explain(ExplainArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Who sends it [default: this node's party]
    #[arg(long, value_name = "PARTY")]
    pub(crate) from: Option<String>,
    /// Who gets it
    #[arg(long, value_name = "PARTY")]
    pub(crate) to: String,
    /// The notice's type, such as SEIZURE or FEEDBACK
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) ty: String,
    /// Its label: CLEAR, GREEN, AMBER, AMBER+STRICT or RED [default: AMBER]
    #[arg(long, value_name = "LABEL")]
    pub(crate) tlp: Option<String>,
}
