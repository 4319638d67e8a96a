use abeng_wire::Digest;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `abeng evidence`.
#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceCommand {
    /// Write everything that proves a notice into one file
    ///
    /// For a notice sent from here or received. The file proves who sent it, to whom, and what
    /// became of it; with --disclose also what it says. Whoever has the file can check it without
    /// a node. The audit log says that it was exported, by whom, and whether with its content.
    Export(EvidenceExportArgs),
    /// Check an evidence file: needs no node, no data directory and no network
    Verify(EvidenceVerifyArgs),
}

/// `abeng evidence export`.
#[derive(Debug, Args)]
pub(crate) struct EvidenceExportArgs {
    /// The notice's id, or its first 8 or more digits
    pub(crate) id: String,
    /// Also what the notice says: whoever has the file can then read it
    #[arg(long)]
    pub(crate) disclose: bool,
    /// Where to write it [default: the first 12 digits of the id, with .evidence]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Do not ask whether to disclose
    #[arg(long)]
    pub(crate) yes: bool,
}

/// `abeng evidence verify`.
#[derive(Debug, Args)]
pub(crate) struct EvidenceVerifyArgs {
    /// The evidence file
    pub(crate) file: PathBuf,
    /// The digest of the network's first root, as the founding record has it
    #[arg(long, value_name = "HEX", value_parser = digest)]
    pub(crate) root: Option<Digest>,
}

/// `abeng audit judge`.
#[derive(Debug, Args)]
pub(crate) struct JudgeArgs {
    /// The contradiction file
    pub(crate) file: PathBuf,
    /// The digest of the network's first root, as the founding record has it
    #[arg(long, value_name = "HEX", value_parser = digest)]
    pub(crate) root: Option<Digest>,
}

/// `abeng audit contradictions`.
#[derive(Debug, Args)]
pub(crate) struct ContradictionsArgs {
    /// Write each into a file in this directory, for `abeng audit judge`
    #[arg(long, value_name = "DIR")]
    pub(crate) export: Option<PathBuf>,
}

pub(crate) fn digest(text: &str) -> Result<Digest, String> {
    // As `network init` and node.toml write it, or bare.
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    Digest::from_hex(hex).ok_or_else(|| "a digest has 64 hex digits".to_owned())
}
