use crate::frame::locate;
use abeng_audit_log::{ConsistencyError, ContradictionError, NoteError, merkle::ProofError};
use abeng_roster::TrustError;
use abeng_seal::{DisclosureFault, HeaderFault};
use abeng_wire::Malformed;
use std::fmt;

/// A part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The file as a whole.
    File,
    /// SHA-256 at its end.
    Digest,
    /// The message between first line and digest.
    Message,
    /// The root in this place.
    Root(usize),
    /// The roster in this place.
    Roster(usize),
    /// What the originator signed.
    Hdr,
    /// The originator's signature.
    Sig,
    /// The sealed body.
    Body,
    /// The key that discloses it.
    ContentKey,
    /// The checkpoint of the log in this place.
    Checkpoint(usize),
    /// What leads from the checkpoint before to that of the log in this place.
    Consistency(usize),
    /// A leaf.
    Leaf {
        /// The log's place.
        log: usize,
        /// The leaf's place there.
        leaf: usize,
    },
    /// A leaf's inclusion path.
    Path {
        /// The log's place.
        log: usize,
        /// The leaf's place there.
        leaf: usize,
    },
    /// The statement that a leaf is about.
    Statement {
        /// The log's place.
        log: usize,
        /// The leaf's place there.
        leaf: usize,
    },
    /// The two checkpoints and the path between them, of a contradiction file.
    Contradiction,
}

impl Part {
    fn path(self) -> Vec<(u32, usize)> {
        match self {
            Self::File | Self::Digest | Self::Message => vec![],
            Self::Root(nth) => vec![(2, nth)],
            Self::Roster(nth) => vec![(3, nth)],
            Self::Hdr => vec![(4, 0)],
            Self::Sig => vec![(5, 0)],
            Self::Body => vec![(6, 0)],
            Self::ContentKey => vec![(7, 0)],
            Self::Checkpoint(log) => vec![(8, log), (1, 0)],
            Self::Consistency(log) => vec![(8, log), (2, 0)],
            Self::Leaf { log, leaf } => vec![(8, log), (3, leaf), (1, 0)],
            Self::Path { log, leaf } => vec![(8, log), (3, leaf), (3, 0)],
            Self::Statement { log, leaf } => vec![(8, log), (3, leaf), (4, 0)],
            Self::Contradiction => vec![(4, 0)],
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::File => f.write_str("the file"),
            Self::Digest => f.write_str("the digest at its end"),
            Self::Message => f.write_str("the message in it"),
            Self::Root(nth) => write!(f, "root {}", nth + 1),
            Self::Roster(nth) => write!(f, "roster {}", nth + 1),
            Self::Hdr => f.write_str("the signed header"),
            Self::Sig => f.write_str("the originator's signature"),
            Self::Body => f.write_str("the body"),
            Self::ContentKey => f.write_str("the content key"),
            Self::Checkpoint(log) => write!(f, "checkpoint {}", log + 1),
            Self::Consistency(log) => write!(f, "the consistency path of checkpoint {}", log + 1),
            Self::Leaf { log, leaf } => {
                write!(f, "leaf {} under checkpoint {}", leaf + 1, log + 1)
            }
            Self::Path { log, leaf } => {
                let (leaf, log) = (leaf + 1, log + 1);
                write!(f, "the path of leaf {leaf} under checkpoint {log}")
            }
            Self::Statement { log, leaf } => {
                let (leaf, log) = (leaf + 1, log + 1);
                write!(f, "the statement of leaf {leaf} under checkpoint {log}")
            }
            Self::Contradiction => f.write_str("the contradiction"),
        }
    }
}

/// Why a part is refused.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    /// Its first line is another one.
    #[error("it does not begin with the first line of such a file of version 1")]
    FirstLine,
    /// More than anything that could be meant.
    #[error("it is longer than {limit} bytes")]
    TooLong {
        /// Bytes that are allowed.
        limit: usize,
    },
    /// Its end is missing.
    #[error("it ends before its digest")]
    Truncated,
    /// Damaged or changed since it was made.
    #[error("it is not the SHA-256 of what stands before it: the file was damaged or changed")]
    Digest,
    /// Another version.
    #[error("its version is {found}; this program knows version 1")]
    Version {
        /// What it says.
        found: u32,
    },
    /// Not the one canonical encoding.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Root or roster is not to be believed.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// HDR or SIG prove nothing.
    #[error(transparent)]
    Header(#[from] HeaderFault),
    /// Body and content key disclose nothing.
    #[error(transparent)]
    Disclosure(#[from] DisclosureFault),
    /// Not a checkpoint to be believed.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Two checkpoints of one log that do not go together.
    #[error(transparent)]
    Consistency(#[from] ConsistencyError),
    /// The leaf is not in the log.
    #[error("the leaf is not in the log: {0}")]
    Proof(#[from] ProofError),
    /// No contradiction.
    #[error(transparent)]
    NoContradiction(#[from] ContradictionError),
    /// It breaks a rule.
    #[error("{0}")]
    Rule(
        /// The rule, as it must be.
        &'static str,
    ),
}

/// Why a file proves nothing: the part that fails, where it lies, and the reason.
#[derive(Debug, thiserror::Error)]
#[error("{part}, at byte {offset}: {why}")]
pub struct Fault {
    /// The part.
    pub part: Part,
    /// Its first byte in the file.
    pub offset: usize,
    /// The reason.
    pub why: Box<Why>,
}

impl Fault {
    pub(crate) fn at(part: Part, offset: usize, why: Why) -> Self {
        let why = Box::new(why);
        Self { part, offset, why }
    }
}

/// A failing part whose place is not looked up yet.
pub(crate) struct Failing {
    part: Part,
    why: Box<Why>,
}

impl Failing {
    pub(crate) fn new(part: Part, why: impl Into<Why>) -> Self {
        let why = Box::new(why.into());
        Self { part, why }
    }

    pub(crate) fn rule(part: Part, rule: &'static str) -> Self {
        Self::new(part, Why::Rule(rule))
    }

    /// Finds the part in the message that begins at byte `begin` of the file.
    pub(crate) fn placed(self, begin: usize, message: &[u8]) -> Fault {
        let inside = locate(message, &self.part.path()).unwrap_or(0);
        Fault {
            part: self.part,
            offset: begin + inside,
            why: self.why,
        }
    }
}
