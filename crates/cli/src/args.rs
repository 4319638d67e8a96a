//! The command line. Doc comments here are what `--help` says.

mod attachment;
mod audit;
mod ceremony;
mod change;
mod courier;
mod drill;
mod evidence;
mod keeping;
mod keys;
mod link;
mod loss;
mod party;
mod release;
mod rules;
mod seizure;
mod shared;

pub(crate) use attachment::{AttachmentCommand, AttachmentGetArgs};
pub(crate) use audit::{
    AuditExportTilesArgs, AuditFilter, AuditReadByArgs, AuditShowArgs, AuditVerifyArgs,
    AuditWatchArgs, Format, Span,
};
pub(crate) use ceremony::{
    RootCommand, RootKeygenArgs, RootNewArgs, RootRotateArgs, RosterCommand, RosterDiffArgs,
    RosterDraftArgs, RosterPublishArgs, RosterShowArgs, RosterVerifyArgs, SignArgs, SignerKind,
};
pub(crate) use change::PartyChangeArgs;
pub(crate) use courier::{CourierCommand, CourierExportArgs};
pub(crate) use drill::{DrillCommand, HurricaneArgs};
pub(crate) use evidence::{ContradictionsArgs, EvidenceCommand, EvidenceExportArgs, JudgeArgs};
pub(crate) use keeping::{HoldCommand, RecallArgs, RetentionCommand};
pub(crate) use keys::{
    KeysBackupArgs, KeysCombineArgs, KeysCommand, KeysDestroyArgs, KeysListArgs, KeysSplitArgs,
};
pub(crate) use link::{LinkAllowArgs, LinkCommand};
pub(crate) use loss::{BackupArgs, NewIncarnationArgs, RestoreArgs};
pub(crate) use party::{
    FreshnessCommand, FreshnessRenewArgs, KeyKind, NextArgs, PartyCommand, PartyEnrolArgs,
    PartyRecoverArgs, PartyRevokeArgs, PartyRotateArgs, PartySuspendArgs,
};
pub(crate) use release::{GrantArgs, ReleaseCommand};
pub(crate) use rules::{AcceptArgs, ExplainArgs, PolicyCommand, RosterHereCommand};
pub(crate) use seizure::SeizureArgs;
#[cfg(test)]
pub(crate) use seizure::ShortArgs;
pub(crate) use shared::{
    ConfigArgs, FirstRootArgs, KeyPassphraseArgs, MaybeTrustArgs, OutArgs, RestArgs, SureArgs,
    TrustArgs,
};

use crate::{bench::BenchArgs, demo::DemoArgs, ui::Colour};
use abeng_notice::Lang;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Listed at the end of `abeng --help`.
const AFTER_HELP: &str = "\
Exit codes:
  0  all went well
  1  internal error
  2  the command or its input cannot be read
  3  refused: flaws in the notice, or policy
  4  the node cannot be reached
  5  no such thing
  6  something did not verify, or drill or roster diff found trouble
  7  busy: try again

Try it: abeng demo";

/// Secure store-and-forward broker for customs intelligence
#[derive(Debug, Parser)]
#[command(name = "abeng", version, after_help = AFTER_HELP, max_term_width = 100)]
#[command(
    propagate_version = false,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Run an Abeng node (the same as `abeng node run`)
#[derive(Debug, Parser)]
#[command(name = "abengd", version, max_term_width = 100)]
pub(crate) struct Daemon {
    #[command(flatten)]
    pub(crate) run: NodeRunArgs,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Common {
    /// Print one JSON value instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The node's data directory; its socket is DIR/abeng.sock
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The node's socket [env: ABENG_SOCKET] [default: /run/abeng/abeng.sock]
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// Language: en, es, fr or nl [default: that of the environment]
    #[arg(long, global = true, value_name = "LANG", value_parser = lang)]
    pub(crate) lang: Option<Lang>,
    /// When to use colours (NO_COLOR is heeded)
    #[arg(
        long,
        visible_alias = "colour",
        global = true,
        value_name = "WHEN",
        default_value = "auto"
    )]
    pub(crate) color: Colour,
}

fn lang(text: &str) -> Result<Lang, String> {
    Lang::parse(text).ok_or_else(|| "the languages are en, es, fr and nl".to_owned())
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show it all at work: five nodes on this machine, one cut off and brought back
    Demo(DemoArgs),
    /// Watch the whole network (coordination node), or found one
    Network(NetworkArgs),
    /// Run a node
    #[command(subcommand)]
    Node(NodeCommand),
    /// Send a notice
    #[command(subcommand)]
    Submit(SubmitCommand),
    /// What a notice would cost on the path to each recipient, before it goes; the arguments of `abeng submit`
    #[command(subcommand)]
    Cost(CostCommand),
    /// Find out on a quiet day what would lack in a storm
    #[command(subcommand)]
    Drill(DrillCommand),
    /// Paths to other nodes
    #[command(subcommand)]
    Link(LinkCommand),
    /// What was delivered here; without a command: inbox list
    Inbox(InboxArgs),
    /// Files beside notices: which there are, and taking them out
    #[command(subcommand)]
    Attachment(AttachmentCommand),
    /// What was sent from here; without a command: sent list
    Sent(SentArgs),
    /// What became of a notice at each recipient, with the proof behind each step
    Track {
        /// The notice's id, or its first 8 or more digits
        id: String,
    },
    /// Files that prove a notice to anybody
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// What a second person must release before it is sent
    #[command(subcommand)]
    Release(ReleaseCommand),
    /// Take back a notice that was sent from here: its recipients' nodes delete the content and prove it
    Recall(RecallArgs),
    /// Legal holds: what is held is deleted by nothing
    #[command(subcommand)]
    Hold(HoldCommand),
    /// What is deleted when, and keeping the own copy longer
    #[command(subcommand)]
    Retention(RetentionCommand),
    /// Notices, receipts and files on a stick, where no link reaches
    #[command(subcommand)]
    Courier(CourierCommand),
    /// Who may send what to whom
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// How this node is
    Status,
    /// Bounds in force: what is used of them, what happens beyond, what changes them
    Limits,
    /// What was sent to this administration and has not come, while it has not
    Gaps,
    /// Relays: whom they reach, how they stand, and what this node carries for others
    Relays,
    /// The tamper-evident log
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Ceremony: who may sign roots, rosters and freshness statements
    #[command(subcommand)]
    Root(RootCommand),
    /// Ceremony: who is a member, with which keys, and who may send what to whom
    #[command(subcommand)]
    Roster(RosterCommand),
    /// Ceremony: a party's keys, and what happens to a party
    #[command(subcommand)]
    Party(PartyCommand),
    /// Ceremony: the daily word that the roster is still the newest
    #[command(subcommand)]
    Freshness(FreshnessCommand),
    /// Copy a node, running or not, so that it can be restored
    ///
    /// Reads the files of the data directory (--data DIR), as the node's user. Only what grew since an
    /// earlier backup in the same directory is copied; the copy is verified whole.
    Backup(BackupArgs),
    /// Bring a lost node back, from a backup or from its keys alone, as a new life of its log
    ///
    /// --data DIR names the new data directory.
    Restore(RestoreArgs),
    /// The node's keys: what rests where, backups, and shares of them on paper
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Measure two nodes on this machine against the machine's own floor
    Bench(BenchArgs),
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one page per command
    Man {
        /// Directory to write the pages to
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct NetworkArgs {
    #[command(subcommand)]
    pub(crate) command: Option<NetworkCommand>,
    /// Draw the table again every few seconds
    #[arg(long)]
    pub(crate) watch: bool,
    /// Seconds between two tables
    #[arg(long, value_name = "SECONDS", default_value_t = 2, requires = "watch")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub(crate) every: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NetworkCommand {
    /// Hold the founding ceremony of a network on this machine, for trying things out
    Init(NetworkInitArgs),
}

#[derive(Debug, Args)]
pub(crate) struct NetworkInitArgs {
    /// Directory to make; each party gets DIR/<code>
    pub(crate) dir: PathBuf,
    /// A party, as CODE, CODE:KIND or CODE:KIND@HOST:PORT. Repeat it. KIND is member or
    /// coordination; HOST:PORT is where the others reach its node, for one that will run on
    /// another machine
    #[arg(
        long = "party",
        value_name = "CODE[:KIND][@HOST:PORT]",
        required = true
    )]
    pub(crate) parties: Vec<String>,
    /// A party that carries envelopes between others that are not linked. Repeat it
    #[arg(long = "relay", value_name = "CODE")]
    pub(crate) relays: Vec<String>,
    /// The network's code
    #[arg(long, value_name = "CODE", default_value = "trial")]
    pub(crate) name: String,
    /// Keep the keys in files of mode 0600 without a passphrase
    #[arg(long)]
    pub(crate) insecure_plain_keys: bool,
    /// File whose first line is the passphrase of all keys; the nodes read it at their start
    #[arg(long, value_name = "FILE", conflicts_with = "insecure_plain_keys")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Address at which the nodes listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) host: String,
    /// UDP port of the first node; the others follow it. Free ones are chosen where absent
    #[arg(long, value_name = "PORT")]
    pub(crate) base_port: Option<u16>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// Run a node until it is told to stop (SIGTERM, Ctrl-C)
    Run(NodeRunArgs),
    /// Open a new life of the node's log, where the old one ran on in a copy
    ///
    /// The node must not run. All that the old log holds goes over into the new one.
    NewIncarnation(NewIncarnationArgs),
}

#[derive(Debug, Args)]
pub(crate) struct NodeRunArgs {
    /// The node's configuration
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Read and check the configuration, then end
    #[arg(long)]
    pub(crate) check_config: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SubmitCommand {
    /// Report a seizure: by options, from a file, or by answering questions
    ///
    /// The short form needs when, where, what, how much, how it was carried, and both ends
    /// of its way, or "unknown":
    ///
    ///   abeng submit seizure --to TT,BB --when 2026-11-24 --place JMKIN \
    ///     --drug cocaine --quantity 139.4 --unit kg --mode sea \
    ///     --route-from unknown --route-to NLRTM
    ///
    /// On a terminal without options it asks.
    #[command(verbatim_doc_comment)]
    Seizure(Box<SeizureArgs>),
}

/// As many rows as a list has where nothing is said.
const ROWS: u32 = 50;

#[derive(Debug, Subcommand)]
pub(crate) enum CostCommand {
    /// What reporting a seizure would cost on the path to each recipient; nothing is sent
    ///
    /// It takes what `abeng submit seizure` takes.
    Seizure(Box<SeizureArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct InboxArgs {
    #[command(subcommand)]
    pub(crate) command: Option<InboxCommand>,
}

impl InboxArgs {
    /// The list where no command is named.
    pub(crate) fn command(self) -> InboxCommand {
        self.command.unwrap_or(InboxCommand::List {
            unread: false,
            from: None,
            limit: ROWS,
            watch: false,
        })
    }
}

#[derive(Debug, Args)]
pub(crate) struct SentArgs {
    #[command(subcommand)]
    pub(crate) command: Option<SentCommand>,
}

impl SentArgs {
    /// The list where no command is named.
    pub(crate) fn command(self) -> SentCommand {
        self.command.unwrap_or(SentCommand::List {
            open: false,
            limit: ROWS,
        })
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum InboxCommand {
    /// List what was delivered here, newest first
    List {
        /// Only what nobody here has opened
        #[arg(long)]
        unread: bool,
        /// Only from this party
        #[arg(long, value_name = "PARTY")]
        from: Option<String>,
        /// At most so many
        #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = ROWS)]
        #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Stay and print what arrives
        #[arg(long)]
        watch: bool,
    },
    /// Open a notice; the audit log records that it was read
    Show {
        /// The notice's id, or its first 8 or more digits
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SentCommand {
    /// List what was sent from here, newest first
    List {
        /// Only what is not settled with every recipient
        #[arg(long)]
        open: bool,
        /// At most so many
        #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = ROWS)]
        #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Check every leaf, batch, checkpoint and receipt of the own log; or a file or tiles
    ///
    /// Reads the files of the data directory (--data DIR); the node may run or not. Without
    /// DIR the running node is asked where they are. With PATH it checks that instead: an evidence
    /// or contradiction file, which needs nothing else, or a directory of C2SP tlog-tiles, by the
    /// log's key (--vkey) or else by the roster of the own node.
    Verify(AuditVerifyArgs),
    /// Write the own log as C2SP tlog-tiles, to be checked with the tools of others
    ///
    /// Reads the files of the data directory (--data DIR); the node may run or not. A directory
    /// that holds an earlier export of the same log is added to. Prints the log's key as a line
    /// that whoever checks the tiles needs; give it to them by another way than the tiles.
    ExportTiles(AuditExportTilesArgs),
    /// What this node holds against logs that contradict themselves
    Contradictions(ContradictionsArgs),
    /// Say why a contradiction file is proof against a log: needs no node and no network
    Judge(JudgeArgs),
    /// Show leaves of the own log, or write them out for a spreadsheet or a program
    Show(AuditShowArgs),
    /// Stay and print leaves as they become durable
    Watch(AuditWatchArgs),
    /// Who opened or exported a notice, here and, as far as proved, at its recipients
    Readers {
        /// The notice's id, or its first 8 or more digits
        id: String,
    },
    /// Which notices an officer opened or exported
    ReadBy(AuditReadByArgs),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        Cli::command().debug_assert();
        Daemon::command().debug_assert();
    }
}
