//! Arguments of the ceremonies about a party, and of the daily one: `abeng party`, `abeng freshness`.

use super::{KeyPassphraseArgs, OutArgs, PartyChangeArgs, RestArgs, SureArgs, TrustArgs};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum PartyCommand {
    /// Make the keys of a new party, and the request that the Secretariat enters
    Enrol(PartyEnrolArgs),
    /// Make new signing keys, and the request for them, signed with the old ones
    RotateKeys(PartyRotateArgs),
    /// Change what the roster says of a party, with the keys that it has: its addresses, witnesses or name
    Change(PartyChangeArgs),
    /// Make new keys where the old ones are lost or stolen, and the override that the root's holders sign
    Recover(PartyRecoverArgs),
    /// Suspend a party, or let it leave, in the next roster
    Suspend(PartySuspendArgs),
    /// Revoke keys of a party in the next roster
    Revoke(PartyRevokeArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum FreshnessCommand {
    /// Say with a freshness key that the roster held is still the newest
    Renew(FreshnessRenewArgs),
}

/// The roles of a party's signing keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyKind {
    /// Signs envelopes and seal keys.
    OrgSign,
    /// The node's identity on links.
    NodeTls,
    /// Signs the log's checkpoints.
    Log,
    /// Co-signs the logs of others.
    Witness,
}

#[derive(Debug, Args)]
pub(crate) struct PartyEnrolArgs {
    /// The party's code
    pub(crate) code: String,
    /// The network's code
    #[arg(long, value_name = "CODE")]
    pub(crate) network: String,
    /// Its name, for people
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// member, observer, partner or coordination
    #[arg(long, value_name = "KIND", default_value = "member")]
    pub(crate) kind: String,
    /// ISO 3166-1 alpha-2 [default: the party's code]
    #[arg(long, value_name = "CODE")]
    pub(crate) country: Option<String>,
    /// Where the others reach its node (UDP), best first. Repeat it
    #[arg(long = "address", value_name = "HOST:PORT", required = true)]
    pub(crate) addresses: Vec<String>,
    /// A party that is to co-sign its log. Repeat it
    #[arg(long = "witness", value_name = "CODE")]
    pub(crate) witnesses: Vec<String>,
    /// It may carry the envelopes of others
    #[arg(long)]
    pub(crate) relay: bool,
    /// Years that its signing keys are good for
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10))]
    pub(crate) years: u32,
    /// Directory for its keyring; `abeng restore --keys` takes the keys from there
    #[arg(long, value_name = "DIR")]
    pub(crate) keys: PathBuf,
    #[command(flatten)]
    pub(crate) rest: RestArgs,
    #[command(flatten)]
    pub(crate) out: OutArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PartyRotateArgs {
    #[command(flatten)]
    pub(crate) held: TrustArgs,
    /// Directory of the keyring in use
    #[arg(long, value_name = "DIR")]
    pub(crate) keys: PathBuf,
    /// File whose first line is the passphrase of the keyring in use [default: it is asked for]
    #[arg(long, value_name = "FILE")]
    pub(crate) old_passphrase_file: Option<PathBuf>,
    /// The node's configuration, for a signing key in a token [default: node.toml beside the directory of the keyring, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Directory for the keyring with the new keys
    #[arg(long, value_name = "DIR")]
    pub(crate) new_keys: PathBuf,
    /// Only keys of this role. Repeat it [default: all four, but for one in a token]
    #[arg(long = "role", value_enum, value_name = "ROLE")]
    pub(crate) roles: Vec<KeyKind>,
    /// Days for which the old keys stay good beside the new ones
    #[arg(long, value_name = "NUMBER", default_value_t = 60)]
    #[arg(value_parser = clap::value_parser!(u32).range(30..=365))]
    pub(crate) overlap: u32,
    /// Years that the new keys are good for
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10))]
    pub(crate) years: u32,
    #[command(flatten)]
    pub(crate) rest: RestArgs,
    #[command(flatten)]
    pub(crate) out: OutArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PartyRecoverArgs {
    /// The party's code
    pub(crate) code: String,
    #[command(flatten)]
    pub(crate) held: TrustArgs,
    /// What happened, in words: every node shows it
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Directory for the new keyring
    #[arg(long, value_name = "DIR")]
    pub(crate) keys: PathBuf,
    /// Years that the new signing keys are good for
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10))]
    pub(crate) years: u32,
    #[command(flatten)]
    pub(crate) rest: RestArgs,
    #[command(flatten)]
    pub(crate) out: OutArgs,
}

/// What the next roster stands on.
#[derive(Debug, Args)]
pub(crate) struct NextArgs {
    #[command(flatten)]
    pub(crate) held: TrustArgs,
    /// Go on from this draft; signatures that it has are dropped
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// Days that the roster is good for
    #[arg(long, value_name = "NUMBER", default_value_t = 365)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1096))]
    pub(crate) days: u32,
    #[command(flatten)]
    pub(crate) out: OutArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PartySuspendArgs {
    /// The party's code
    pub(crate) code: String,
    /// It has left for good
    #[arg(long)]
    pub(crate) left: bool,
    /// Why, in words: it stands in the roster
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Since when: a date, a moment, or how long ago [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    #[command(flatten)]
    pub(crate) next: NextArgs,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).multiple(true).args(["kids", "replaced"]))]
pub(crate) struct PartyRevokeArgs {
    /// The party's code
    pub(crate) code: String,
    /// A key: the first 8 or more digits of its identifier. Repeat it
    #[arg(long = "kid", value_name = "HEX")]
    pub(crate) kids: Vec<String>,
    /// Every signing key beside which a newer one of its role is listed
    #[arg(long)]
    pub(crate) replaced: bool,
    /// Why, in words: it stands in the roster
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Since when it may be in wrong hands: a date, a moment, or how long ago [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    #[command(flatten)]
    pub(crate) next: NextArgs,
}

#[derive(Debug, Args)]
pub(crate) struct FreshnessRenewArgs {
    #[command(flatten)]
    pub(crate) held: TrustArgs,
    /// The freshness key, DIR/NAME as it was made
    #[arg(long, value_name = "DIR/NAME")]
    pub(crate) key: PathBuf,
    #[command(flatten)]
    pub(crate) secret: KeyPassphraseArgs,
    /// Hours until the next statement is due
    #[arg(long, value_name = "NUMBER", default_value_t = 48)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=720))]
    pub(crate) hours: u32,
    #[command(flatten)]
    pub(crate) sure: SureArgs,
    #[command(flatten)]
    pub(crate) out: OutArgs,
}
