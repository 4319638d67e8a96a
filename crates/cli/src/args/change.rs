//! Arguments of `abeng party change`.

use super::{OutArgs, TrustArgs};
use clap::{ArgGroup, Args};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true)
    .args(["name", "addresses", "witnesses", "relay", "active"]))]
pub(crate) struct PartyChangeArgs {
    #[command(flatten)]
    pub(crate) held: TrustArgs,
    /// Directory of the keyring in use
    #[arg(long, value_name = "DIR")]
    pub(crate) keys: PathBuf,
    /// File whose first line is the keyring's passphrase [default: it is asked for]
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The node's configuration, for a signing key in a token [default: node.toml beside the directory of the keyring, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Its name, for people
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Where the others reach its node (UDP), in place of all those listed, best first. Repeat it
    #[arg(long = "address", value_name = "HOST:PORT")]
    pub(crate) addresses: Vec<String>,
    /// A party that is to co-sign its log, in place of all those listed. Repeat it
    #[arg(long = "witness", value_name = "CODE")]
    pub(crate) witnesses: Vec<String>,
    /// Whether it may carry the envelopes of others
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    pub(crate) relay: Option<bool>,
    /// Take part again after a suspension
    #[arg(long)]
    pub(crate) active: bool,
    #[command(flatten)]
    pub(crate) out: OutArgs,
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("write yes or no".to_owned()),
    }
}
