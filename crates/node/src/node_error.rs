//! Why a node does not start, or does not end in order: what failed and what to try.

use crate::{clock::rfc3339, logging::BadFilter, view::ViewFault};
use abeng_audit_log::{Fatal, OpenError, ReadError};
use abeng_keys::{KeyringError, Role};
use abeng_link::LinkError;
use abeng_queue::RowError;
use abeng_roster::TrustError;
use abeng_wire::{Millis, PartyCode};
use std::{io, net::SocketAddr, path::PathBuf};

/// What to try where the system says that this user may not.
pub(crate) const DENIED: &str = "this user may not read it: run it as the node's user";

pub(crate) fn denied(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

/// See the head of this file.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each field is what its message names")]
pub enum NodeError {
    /// There is no data directory.
    #[error("there is no data directory {}", dir.display())]
    NoData { dir: PathBuf },
    /// The data directory cannot be used.
    #[error("the data directory {} cannot be used: {source}", dir.display())]
    Directory { dir: PathBuf, source: io::Error },
    /// What was spent today cannot be read.
    #[error("what was spent today on metered paths cannot be read from {}: {source}", path.display())]
    Budget {
        path: std::path::PathBuf,
        source: io::Error,
    },
    /// Another process holds it.
    #[error("another node runs on {}", dir.display())]
    InUse { dir: PathBuf },
    /// The journal is another party's.
    #[error("{} holds the journal of {found}, not of {expected}", dir.display())]
    OtherNode {
        dir: PathBuf,
        found: String,
        expected: PartyCode,
    },
    /// A restore did not come to its end.
    #[error("the restore into {} did not come to its end", dir.display())]
    HalfRestored { dir: PathBuf },
    /// Leaf 0 is not an Incarnation.
    #[error("the journal in {} does not begin with an incarnation", dir.display())]
    NoIncarnation { dir: PathBuf },
    /// Keys cannot be had.
    #[error(transparent)]
    Keys(#[from] KeyringError),
    /// A key here is not one of the roster's for us.
    #[error("the roster has no active {role:?} key of {party} like the one in this keyring")]
    KeyNotListed { party: PartyCode, role: Role },
    /// A key here was revoked: nothing that it signs is believed any more.
    #[error("the {role:?} key of {party} in this keyring is revoked since {}", rfc3339(*at))]
    KeyRevoked {
        party: PartyCode,
        role: Role,
        at: Millis,
    },
    /// A key here was brought by an override of the root, and nobody uses it yet.
    #[error("the {role:?} key of {party} in this keyring waits until {}: the root brought it in place of a lost one", rfc3339(*until))]
    KeyWaits {
        party: PartyCode,
        role: Role,
        until: Millis,
    },
    /// The trust bundle cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    TrustFile { path: PathBuf, source: io::Error },
    /// Trust data does not verify.
    #[error("the trust data does not hold: {0}")]
    Trust(#[from] TrustError),
    /// We are no party.
    #[error("{party} is not a party of the roster")]
    NotMember { party: PartyCode },
    /// The trust data is older than what was in force here.
    #[error("trust/ holds roster {held}, and roster {adopted} was adopted here before")]
    OlderRoster { held: u64, adopted: u64 },
    /// The trust data holds another roster than the one that was in force here.
    #[error("trust/ holds another roster {version} than the one that was adopted here")]
    OtherRoster { version: u64 },
    /// The journal does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The journal cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The journal could not be closed.
    #[error(transparent)]
    Journal(Fatal),
    /// The view cannot be had.
    #[error(transparent)]
    View(#[from] ViewFault),
    /// A row of the view does not decode.
    #[error("the view holds a bad row: {0}")]
    Row(#[from] RowError),
    /// The link port cannot be had.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A TCP port cannot be had.
    #[error("cannot listen on TCP {addr} ({key}): {source}")]
    Listen {
        key: &'static str,
        addr: SocketAddr,
        source: io::Error,
    },
    /// The local socket cannot be had.
    #[error("cannot listen on {}: {source}", path.display())]
    Socket { path: PathBuf, source: io::Error },
    /// The token cannot be read.
    #[error("cannot read the token {}: {source}", path.display())]
    Token { path: PathBuf, source: io::Error },
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// The runtime cannot be started.
    #[error("cannot start the runtime: {0}")]
    Runtime(io::Error),
    /// The log filter is wrong.
    #[error(transparent)]
    Filter(#[from] BadFilter),
    /// The token with the signing key does not serve.
    #[error("the signing key cannot be had: {0}")]
    SigningKey(String),
    /// A fault ended the node.
    #[error("{0}")]
    Failed(String),
    /// A part broke off: a defect.
    #[error("{0}")]
    Broken(&'static str),
}

impl NodeError {
    pub(crate) fn listen(key: &'static str, addr: SocketAddr, source: io::Error) -> Self {
        Self::Listen { key, addr, source }
    }

    /// What to try.
    pub fn hint(&self) -> String {
        match self {
            Self::NoData { .. } => "make one with `abeng network init`, or mend `data` in node.toml".into(),
            Self::Directory { .. } => "check its owner and mode: the node's user must own it".into(),
            Self::Budget { .. } => "move the file away: the day then begins anew, and what was spent today is forgotten".into(),
            Self::InUse { .. } => "stop the other one first (`abeng status --data DIR` shows its process id); never copy a data directory to run it twice".into(),
            Self::OtherNode { expected, .. } => format!("set `data` in node.toml to the data directory of {expected}"),
            Self::HalfRestored { dir } => format!("delete {} and restore once more: as it is, it would go on in the life that the lost machine had", dir.display()),
            Self::NoIncarnation { .. } => "this is no journal of abengd; restore the data directory from its backup".into(),
            Self::Keys(KeyringError::WrongPassphrase { .. }) => "check the passphrase that [keys] in node.toml names; the keys were not changed".into(),
            Self::Keys(KeyringError::OtherParty { .. }) => "`party` and `data` in node.toml must belong together".into(),
            Self::Keys(KeyringError::Io { source, .. }) if denied(source) => DENIED.into(),
            Self::Keys(_) => "see docs/operations.md, Keys".into(),
            Self::KeyNotListed { .. } => "the keyring and trust/ are of different times: restore both from one backup, or fetch the newest roster from a peer".into(),
            Self::KeyRevoked { .. } => "if the party has newer keys, put the newest keyring in place (docs/operations.md, Keys); if not, it needs others in their place: `abeng party recover`, docs/operations.md. Nothing here was changed".into(),
            Self::KeyWaits { .. } => "start it again after that time; until then no node believes what this key signs. If this machine's clock is behind, set it (`date -u`)".into(),
            Self::TrustFile { source, .. } if denied(source) => DENIED.into(),
            Self::TrustFile { .. } => "copy trust/bundle.pb from another node of the network: it proves itself".into(),
            Self::Trust(_) => "copy trust/bundle.pb from another node; if that does not hold either, compare `root` in node.toml with the founding record by telephone".into(),
            Self::OlderRoster { .. } => "put the newer trust/bundle.pb back: copy it from a backup or another node of the network, it proves itself".into(),
            Self::OtherRoster { .. } => "somebody signs two rosters of one version: keep both files and speak with the Secretariat; the one that was in force is in a backup, or at the peers".into(),
            Self::NotMember { .. } => "`party` in node.toml must be a party of this network; if it is new, copy trust/bundle.pb from a node that has the roster which names it".into(),
            Self::Open(_) | Self::Read(_) | Self::Journal(_) => "nothing was changed; keep the disk as it is and read docs/operations.md, Damage".into(),
            Self::View(_) | Self::Row(_) => "stop the node and delete the directory view/: it is built anew from the journal".into(),
            Self::Link(_) => "mend link.listen in node.toml".into(),
            Self::Listen { key, .. } => format!("choose another address for {key} in node.toml, or stop the program that has it"),
            Self::Socket { .. } => "check that the directory is there and yours, and that no other program made that file".into(),
            Self::Token { .. } => "write a random token into that file, mode 0600".into(),
            Self::Thread(_) | Self::Runtime(_) => "the machine is out of threads or memory".into(),
            Self::Filter(_) => "mend log.filter in node.toml, for example filter = \"info\"".into(),
            Self::SigningKey(_) => "check [keys.token] in node.toml: module, the labels of token and key, the PIN (a wrong one is not tried twice), and that it is plugged in".into(),
            Self::Failed(_) => "nothing acknowledged is lost; mend the cause and start the node again".into(),
            Self::Broken(_) => "start it again; please report it with the log".into(),
        }
    }
}
