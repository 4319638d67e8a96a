//! Options of the commands that read the log.

use crate::CliError;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// A span of time.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Span {
    /// Only from this moment on: a date (2026-11-24), a moment (2026-11-24T06:00:00Z), or how
    /// long ago ("3 days", "2h"). Dates are UTC
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// Only before this moment; a date counts whole
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<String>,
}

/// Which leaves are wanted. All that is given must fit.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct AuditFilter {
    #[command(flatten)]
    pub(crate) span: Span,
    /// Only of this kind: SUBMITTED, DELIVERED, READ … Repeat it, or separate by commas
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub(crate) kind: Vec<String>,
    /// Only those that name this party as originator or recipient
    #[arg(long, value_name = "PARTY")]
    pub(crate) party: Option<String>,
    /// Only what this officer or caller did
    #[arg(long, value_name = "NAME")]
    pub(crate) officer: Option<String>,
    /// Only those about this notice
    #[arg(long, value_name = "ID")]
    pub(crate) notice: Option<String>,
}

/// How leaves are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For reading: the newest 50 that fit, the oldest of them first
    Table,
    /// RFC 4180 with a row of headings: everything that fits, the oldest first
    Csv,
    /// One JSON object a line: everything that fits, the oldest first
    Jsonl,
}

#[derive(Debug, Args)]
pub(crate) struct AuditShowArgs {
    #[command(flatten)]
    pub(crate) filter: AuditFilter,
    /// Begin at this leaf; the newest ones where absent
    #[arg(long, value_name = "INDEX")]
    pub(crate) from: Option<u64>,
    /// At most so many: the first ones from INDEX, else the newest
    #[arg(short = 'n', long, value_name = "NUMBER")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    /// How to write them
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct AuditWatchArgs {
    #[command(flatten)]
    pub(crate) filter: AuditFilter,
    /// Begin at this leaf; at the end of the log where absent
    #[arg(long, value_name = "INDEX")]
    pub(crate) from: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct AuditReadByArgs {
    /// The officer or caller, as the log names them
    pub(crate) officer: String,
    #[command(flatten)]
    pub(crate) span: Span,
}

/// What is checked, and by what.
#[derive(Debug, Args)]
pub(crate) struct AuditVerifyArgs {
    /// An evidence or contradiction file, or a directory of tiles, in place of the own log
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<PathBuf>,
    /// The log's key, as `audit export-tiles` prints it: tiles need no node then
    #[arg(long, value_name = "LINE", requires = "path", conflicts_with_all = ["config", "root"])]
    pub(crate) vkey: Option<String>,
    /// The digest of the network's first root: for a file, or for tiles where DIR has no
    /// configuration
    #[arg(long, value_name = "HEX", requires = "path", conflicts_with = "config")]
    #[arg(value_parser = super::evidence::digest)]
    pub(crate) root: Option<abeng_wire::Digest>,
    /// The node's configuration, where it is not DIR/node.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

impl AuditVerifyArgs {
    /// The root for an evidence or contradiction file, which takes nothing else.
    pub(crate) fn of_file(&self) -> Result<Option<abeng_wire::Digest>, CliError> {
        if self.vkey.is_none() && self.config.is_none() {
            return Ok(self.root);
        }
        Err(
            CliError::usage("--vkey and --config are for tiles and for the own log")
                .with_try("give the file alone, or with --root HEX"),
        )
    }
}

/// What is exported, and where to.
#[derive(Debug, Args)]
pub(crate) struct AuditExportTilesArgs {
    /// The directory to write: new, empty, or an earlier export of the same log
    #[arg(value_name = "TILES")]
    pub(crate) tiles: PathBuf,
    /// Export up to the newest checkpoint that witnesses have co-signed, instead of the newest
    #[arg(long)]
    pub(crate) cosigned: bool,
    /// The node's configuration, where it is not DIR/node.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}
