//! Arguments of the ceremonies of roots and rosters: `abeng root`, `abeng roster`.

use super::{
    FirstRootArgs, KeyPassphraseArgs, MaybeTrustArgs, OutArgs, RestArgs, RosterHereCommand,
    SureArgs, TrustArgs,
};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum RootCommand {
    /// Make the key of one who is to sign roots, rosters or freshness statements
    ///
    /// The secret half stays on this machine, or on the stick that DIR is on; the public half goes into FILE, for
    /// whoever makes the root.
    Keygen(RootKeygenArgs),
    /// Make the first root of a network, from the public halves of all its signers
    New(RootNewArgs),
    /// Add one holder's signature to a root or to an override, or put the copies of several together
    Sign(SignArgs),
    /// Make the root after the one held: other signers, another threshold, a later end
    Rotate(RootRotateArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum RosterCommand {
    #[command(flatten)]
    Here(RosterHereCommand),
    /// Make the next roster, from what parties asked for
    Draft(RosterDraftArgs),
    /// Say in plain words what a roster changes and what that means; exit code 6 where something is dangerous
    Diff(RosterDiffArgs),
    /// Add one holder's signature to a roster, or put the copies of several together
    Sign(SignArgs),
    /// Make the trust bundle that nodes take, and verify it as they will
    Publish(RosterPublishArgs),
    /// Verify a trust bundle as a node does
    Verify(RosterVerifyArgs),
    /// Show what is in a trust bundle or in a ceremony file
    Show(RosterShowArgs),
}

/// What a signer signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignerKind {
    /// Roots and overrides.
    Root,
    /// Rosters.
    Roster,
    /// Freshness statements.
    Freshness,
}

#[derive(Debug, Args)]
pub(crate) struct RootKeygenArgs {
    /// What it is to sign
    #[arg(long, value_enum, value_name = "ROLE")]
    pub(crate) role: SignerKind,
    /// The network's code
    #[arg(long, value_name = "CODE")]
    pub(crate) network: String,
    /// Who keeps it, for people
    #[arg(long, value_name = "NAME")]
    pub(crate) holder: String,
    /// Where: ISO 3166-1 alpha-2
    #[arg(long, value_name = "CODE")]
    pub(crate) country: String,
    /// The secret half: DIR/NAME.age is written
    #[arg(long, value_name = "DIR/NAME")]
    pub(crate) key: PathBuf,
    #[command(flatten)]
    pub(crate) rest: RestArgs,
    #[command(flatten)]
    pub(crate) out: OutArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RootNewArgs {
    /// The network's code
    #[arg(long, value_name = "CODE")]
    pub(crate) network: String,
    /// Public halves of all signers, as `abeng root keygen` wrote them
    #[arg(required = true, value_name = "FILE")]
    pub(crate) signers: Vec<PathBuf>,
    /// How many root signers must sign a root
    #[arg(long, value_name = "NUMBER", default_value_t = 4)]
    pub(crate) threshold: u32,
    /// How many roster signers must sign a roster
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    pub(crate) roster_threshold: u32,
    /// Days that it is good for
    #[arg(long, value_name = "NUMBER", default_value_t = 5 * 365)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=3653))]
    pub(crate) days: u32,
    #[command(flatten)]
    pub(crate) out: OutArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RootRotateArgs {
    #[command(flatten)]
    pub(crate) held: TrustArgs,
    /// Public halves of new signers, as `abeng root keygen` wrote them
    #[arg(value_name = "FILE")]
    pub(crate) signers: Vec<PathBuf>,
    /// A signer that goes: its holder's name in full, or the first 8 or more digits of its key. Repeat it
    #[arg(long, value_name = "WHO")]
    pub(crate) remove: Vec<String>,
    /// How many root signers must sign a root [default: as before]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) threshold: Option<u32>,
    /// How many roster signers must sign a roster [default: as before]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) roster_threshold: Option<u32>,
    /// Days that it is good for
    #[arg(long, value_name = "NUMBER", default_value_t = 5 * 365)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=3653))]
    pub(crate) days: u32,
    /// End the equivocations that the trust bundle holds: name both sides of each
    #[arg(long)]
    pub(crate) settle: bool,
    #[command(flatten)]
    pub(crate) out: OutArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SignArgs {
    /// The file, or several copies of it that others have signed
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The holder's secret key, DIR/NAME as it was made; without it the copies are only put together
    #[arg(long, value_name = "DIR/NAME")]
    pub(crate) key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) secret: KeyPassphraseArgs,
    #[command(flatten)]
    pub(crate) held: MaybeTrustArgs,
    /// At a founding: the file with the signed root, to sign the first roster under it
    #[arg(long, value_name = "FILE", conflicts_with = "trust")]
    pub(crate) under: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) sure: SureArgs,
    #[command(flatten)]
    pub(crate) out: OutArgs,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("base").required(true).args(["trust", "under"]))]
pub(crate) struct RosterDraftArgs {
    /// The trust bundle held
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) first: FirstRootArgs,
    /// At a founding: the file with the signed root
    #[arg(long, value_name = "FILE")]
    pub(crate) under: Option<PathBuf>,
    /// Go on from this draft; signatures that it has are dropped
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// A request of a party, or an override that the root's holders signed. Repeat it
    #[arg(long, value_name = "FILE")]
    pub(crate) add: Vec<PathBuf>,
    /// Groups and grants, as `abeng roster show --policy` prints them; a part that it lacks stays as before
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Days that it is good for
    #[arg(long, value_name = "NUMBER", default_value_t = 365)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1096))]
    pub(crate) days: u32,
    #[command(flatten)]
    pub(crate) out: OutArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RosterDiffArgs {
    /// A trust bundle
    pub(crate) old: PathBuf,
    /// A later trust bundle, or the draft of the next roster or root
    pub(crate) new: PathBuf,
    #[command(flatten)]
    pub(crate) first: FirstRootArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RosterPublishArgs {
    /// Signed roots and rosters, freshness statements, requests with seal keys
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) held: MaybeTrustArgs,
    #[command(flatten)]
    pub(crate) sure: SureArgs,
    #[command(flatten)]
    pub(crate) out: OutArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RosterVerifyArgs {
    /// The trust bundle
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) first: FirstRootArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RosterShowArgs {
    /// The trust bundle or the ceremony file
    pub(crate) file: PathBuf,
    /// Print groups and grants as `abeng roster draft --policy` takes them
    #[arg(long)]
    pub(crate) policy: bool,
}
