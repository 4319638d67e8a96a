//! What a file proves, and what it does not.

use abeng_audit_log::{LogOrigin, WitnessedBy};
use abeng_wire::{Digest, EnvelopeId, Incarnation, Kid, Millis, NetworkCode, PartyCode, v1};
use bytes::Bytes;
use std::fmt;

/// What an evidence file proves to anybody.
#[derive(Clone, PartialEq)]
pub struct Verdict {
    /// The network.
    pub network: NetworkCode,
    /// The digest of the root it stands on.
    pub root: Digest,
    /// Whether that is the root that the reader named.
    pub pinned: bool,
    /// The version of the newest root in the file.
    pub newest_root: u64,
    /// Version and digest of the newest roster in the file.
    pub newest_roster: (u64, Digest),
    /// The roster that the envelope names.
    pub named_roster: (u64, Digest),
    /// The version of the roster that its signature was judged by.
    pub judged_by: u64,
    /// The envelope.
    pub envelope_id: EnvelopeId,
    /// Who sealed it, and what its log says. Its facts about a recipient stand with that one.
    pub originator: PartyFacts,
    /// The key that signed it.
    pub kid: Kid,
    /// The life of the originator's journal.
    pub incarnation: Incarnation,
    /// When it was made: the originator's claim.
    pub created_at: Millis,
    /// Until when it was to be delivered.
    pub expires_at: Millis,
    /// How urgent.
    pub precedence: v1::Precedence,
    /// Attachments that belong to it.
    pub attachments: usize,
    /// For whom it was sealed, and what became of it there. In PRE's order.
    pub recipients: Vec<PartyFacts>,
    /// What relays say.
    pub relays: Vec<Fact>,
    /// Whose log holds the export of this file.
    pub maker: PartyCode,
    /// The export.
    pub exported: Fact,
    /// The checkpoints that all facts stand under.
    pub checkpoints: Vec<CheckpointProof>,
    /// The notice, byte for byte, where its content is disclosed.
    pub content: Option<Bytes>,
    /// What is not proved.
    pub doubts: Vec<Doubt>,
}

// The content does not belong in a log.
impl fmt::Debug for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verdict on {:?}", self.envelope_id)
    }
}

/// A party and what is proved about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyFacts {
    /// Its code.
    pub party: PartyCode,
    /// Its name in the newest roster; empty where that does not know it.
    pub name: String,
    /// What logs hold about it, in the order of logs and leaves.
    pub facts: Vec<Fact>,
}

/// A leaf that is in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it says was done.
    pub kind: v1::LeafKind,
    /// Whose log says so.
    pub by: PartyCode,
    /// Why, where it was refused or ended.
    pub reason: v1::Reason,
    /// When: the claim of the log's party.
    pub claimed_at: Millis,
    /// Its place in the log.
    pub index: u64,
    /// Which of [`Verdict::checkpoints`] proves it.
    pub checkpoint: usize,
    /// By when a quorum of witnesses had seen it, or a leaf that names it: the time of the thing.
    /// `None`: nobody but the log's own party vouches for the time.
    pub seen_by: Option<Millis>,
}

/// A checkpoint in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointProof {
    /// The log.
    pub origin: LogOrigin,
    /// Leaves.
    pub size: u64,
    /// The root over them, in hex.
    pub root: String,
    /// The version of the roster whose keys signed it.
    pub judged_by: u64,
    /// Witnesses that co-signed it, the earliest first.
    pub by: Vec<WitnessedBy>,
    /// Witnesses that make a quorum; `None` where the log has no witnesses.
    pub needed: Option<usize>,
    /// Witnesses of the log.
    pub of: usize,
    /// The time at which a quorum had co-signed.
    pub witnessed_at: Option<Millis>,
    /// Whether it is shown to continue the checkpoint before it in the file.
    pub continues: bool,
}

/// Something that the file does not prove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// The reader named no root.
    RootNotPinned {
        /// The root that everything stands on.
        root: Digest,
    },
    /// No quorum of witnesses stands behind a checkpoint.
    NotWitnessed {
        /// Which of [`Verdict::checkpoints`].
        checkpoint: usize,
    },
    /// The file does not hold the roster that the envelope names.
    RosterNotHeld {
        /// Its version.
        version: u64,
    },
    /// The originator's key was revoked later.
    KeyRevoked {
        /// From when.
        effective_at: Millis,
    },
    /// A checkpoint's signatures hold under an older roster only.
    OlderRoster {
        /// Which of [`Verdict::checkpoints`].
        checkpoint: usize,
    },
    /// Two checkpoints of one log, and nothing shows that the later continues the earlier.
    NotConnected {
        /// The later one among [`Verdict::checkpoints`].
        checkpoint: usize,
    },
    /// Nothing says what became of the envelope at a recipient.
    NoOutcome {
        /// The recipient.
        party: PartyCode,
    },
    /// A log holds more than one final outcome of one recipient: its party misbehaved.
    SecondOutcome {
        /// Whose log.
        party: PartyCode,
    },
    /// The content is not disclosed.
    NotDisclosed,
}
