//! What the node tells the engine.

use crate::rows::QueueRow;
use abeng_audit_log::Record;
use abeng_seal::{Opened, Rejected, Sealed, Verified};
use abeng_wire::{Digest, EnvelopeId, Incarnation, LeafIndex, Millis, PartyCode, StreamSeq, v1};
use std::collections::BTreeSet;

/// A submission between its reservation and its answer. The node counts up from 1 per process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Who did something locally: becomes the scrubbable private part of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateInput {
    /// The officer's name as the local interface knows it.
    pub officer: String,
    /// The local interface it came through.
    pub via: String,
    /// 32 random bytes: what keeps the leaf's commitment from being guessed.
    pub salt: [u8; 32],
}

/// What the node had looked at when it let something pass. The engine compares it with what has
/// changed since and asks for another look where that could matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// The index of the first leaf that the look-up in view and overlay did *not* cover.
    pub looked: LeafIndex,
    /// The version of the roster under which signature and grants were checked.
    pub roster_version: u64,
}

/// What a notice says about content that is kept: its own and, in a recall, another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    /// When its content is to be deleted here, Unix milliseconds, within the rules of the node.
    pub keep_until: Millis,
    /// The notice that it takes back.
    pub recalls: Option<EnvelopeId>,
    /// The notice that it replaces, or takes back.
    pub supersedes: Option<EnvelopeId>,
    /// The one that its recipient could not open, of which it is the same sealed to a newer key.
    pub anew_of: Option<EnvelopeId>,
}

/// What the view has of the notice that a recall names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Target {
    /// Nothing; also where nothing is recalled.
    #[default]
    Unknown,
    /// It was sent from here, or is itself a recall: nobody may take it back from here.
    NotRecallable,
    /// It was refused here, or its life ended first: there is no content.
    Closed {
        /// Who sent it.
        originator: PartyCode,
    },
    /// Its content is or was here.
    Delivered {
        /// Who sent it.
        originator: PartyCode,
        /// The Recalled leaf, where it was taken back before.
        recalled: Option<LeafIndex>,
    },
}

/// Content whose scrubbing may begin: the record's leaf and its envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScrubItem {
    /// The Submitted leaf, or the Received one.
    pub record: LeafIndex,
    /// The envelope.
    pub envelope_id: EnvelopeId,
}

/// A notice whose content is scrubbed because its originator asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenBack {
    /// The envelope.
    pub envelope_id: EnvelopeId,
    /// Who sent it.
    pub originator: PartyCode,
    /// The commitment in PRE to this party's number.
    pub seq_commit: Digest,
}

/// For whom this party has something queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Custody {
    /// It was submitted here.
    Own {
        /// In which life of this log.
        life: Incarnation,
        /// Its number in the recipient's stream of that life.
        seq: StreamSeq,
    },
    /// It was submitted here in an earlier life, and its number does not matter.
    Earlier,
    /// It is carried for another party.
    Carried,
}

/// One queued (notice, recipient).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Whose it is.
    pub custody: Custody,
    /// For whom it is queued.
    pub recipient: PartyCode,
    /// How urgent.
    pub precedence: v1::Precedence,
    /// The Submitted leaf, whose record holds the envelope.
    pub submitted: LeafIndex,
    /// The Queued leaf.
    pub queued: LeafIndex,
}

impl Place {
    /// Where what is carried for another party waits: under its Relayed leaf, since its number is
    /// the secret of both ends.
    pub fn carried(recipient: PartyCode, precedence: v1::Precedence, relayed: LeafIndex) -> Self {
        Self {
            custody: Custody::Carried,
            recipient,
            precedence,
            submitted: relayed,
            queued: relayed,
        }
    }

    /// Whether it is carried for another party.
    pub fn is_carried(&self) -> bool {
        self.custody == Custody::Carried
    }
}

/// A receipt that the node has proved against the roster and the peer's checkpoints.
#[derive(Debug, Clone, PartialEq)]
pub struct Proven {
    /// Who handed it over.
    pub from: PartyCode,
    /// What it settles, as the sent row or that of what is carried says.
    pub place: Place,
    /// The envelope.
    pub envelope_id: EnvelopeId,
    /// Who sent it: this party, or another where it is carried.
    pub originator: PartyCode,
    /// The recipient's commitment in PRE.
    pub seq_commit: Digest,
    /// Delivered, Refused, Expired, Recalled or Read, from the receipt's leaf; Relayed where it is
    /// a relay's.
    pub kind: v1::LeafKind,
    /// The receipt's leaf's reason; unspecified for Delivered.
    pub reason: v1::Reason,
    /// The receipt, whole, with its checkpoint.
    pub receipt: v1::Receipt,
    /// The ReceiptTaken leaf that the view already has for this envelope and recipient; of a
    /// relay's receipt, for this relay.
    pub settled: Option<LeafIndex>,
    /// The index of the first leaf that the look-up for `settled` did not cover.
    pub looked: LeafIndex,
}

/// In which order relays are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RelayRank {
    /// Any party with the relay flag.
    Ordinary,
    /// A coordination party, which would also see what it carries: only where no other is left.
    Coordination,
}

/// An envelope whose signature and hashes hold, so that what is wrong with it is the
/// originator's or the policy's doing.
#[derive(Debug)]
pub enum Refusable {
    /// Verified, then not opened or not granted.
    Verified(
        /// The envelope.
        Box<Verified>,
    ),
    /// Rejected while it was verified, under a good signature.
    Rejected(
        /// What is known of it.
        Box<Rejected>,
    ),
}

/// What may be sent to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Allowed {
    /// Everything.
    #[default]
    All,
    /// FLASH alone: the path is paid for, and the rest of what may be spent is kept for it.
    Flash,
}

impl Allowed {
    /// Whether an envelope of this precedence may go.
    pub(crate) fn covers(self, precedence: u8) -> bool {
        self == Self::All || precedence == v1::Precedence::Flash as u8
    }
}

/// Everything that can happen to the engine.
#[derive(Debug)]
pub enum Input {
    /// A cleared notice asks for its stream numbers. Answered at once by
    /// [`Free::SealNow`](crate::Free::SealNow); must be followed by `Sealed` or `SealFailed`, since
    /// later tickets wait for it.
    Reserve {
        /// The submission, above every ticket before it.
        ticket: Ticket,
        /// `Cleared::to`: sorted, unique, not empty.
        recipients: Vec<PartyCode>,
    },
    /// The envelope of a reserved ticket.
    Sealed {
        /// The submission.
        ticket: Ticket,
        /// The envelope, with exactly the reserved numbers.
        sealed: Box<Sealed>,
        /// Who submitted it. The own copy is kept beside it.
        private: PrivateInput,
        /// The version of the roster under which it was last cleared.
        cleared_under: u64,
        /// What the notice says about kept content.
        terms: Terms,
    },
    /// Sealing failed, or it is no longer cleared: its numbers are voided.
    SealFailed {
        /// The submission.
        ticket: Ticket,
    },
    /// An envelope for this party, verified, opened and granted.
    Opened {
        /// The peer that brought it, who gets the receipt.
        from: PartyCode,
        /// The envelope.
        opened: Box<Opened>,
        /// What the notice says about kept content.
        terms: Terms,
        /// What the view has of the notice that it takes back.
        target: Target,
        /// What was looked at.
        checked: Checked,
    },
    /// An envelope whose fault is the originator's or the policy's.
    Refuse {
        /// The peer that brought it, who gets the receipt.
        from: PartyCode,
        /// The envelope.
        envelope: Refusable,
        /// Its stream number and blind, where it could be opened.
        position: Option<(StreamSeq, [u8; 16])>,
        /// Why.
        reason: v1::Reason,
        /// What was looked at.
        checked: Checked,
    },
    /// An envelope for another party, which its originator brought: verified, with the stanza of
    /// that party and no other. Only at a relay.
    Carry {
        /// The peer that brought it: its originator.
        from: PartyCode,
        /// For whom.
        recipient: PartyCode,
        /// The envelope, verified as that party would.
        verified: Box<Verified>,
        /// What was looked at.
        checked: Checked,
    },
    /// A relay says which parties it is linked with. The node lets this in only from a party with
    /// the relay flag.
    Reach {
        /// The relay.
        peer: PartyCode,
        /// The link that said so.
        session: u64,
        /// What it reaches: replaces what it said before.
        parties: BTreeSet<PartyCode>,
        /// When it is used.
        rank: RelayRank,
    },
    /// The view knows the envelope: the same receipt again.
    Duplicate {
        /// The peer that brought the copy.
        from: PartyCode,
        /// The leaf of the outcome.
        outcome: LeafIndex,
    },
    /// A recipient has proved what became of an envelope.
    ReceiptProven(
        /// The receipt.
        Box<Proven>,
    ),
    /// The answer to [`Free::LookExpired`](crate::Free::LookExpired).
    Expire {
        /// What has expired.
        place: Place,
        /// Its Queued leaf.
        leaf: Box<v1::Leaf>,
    },
    /// A recipient asks for numbers of its stream.
    Wanted {
        /// Who asks.
        peer: PartyCode,
        /// The relay that brought it, where it did not come over the recipient's own link. Then
        /// the node has verified it as the recipient's word.
        via: Option<PartyCode>,
        /// For what.
        want: v1::Want,
    },
    /// A void for this party, verified against the roster.
    Voided {
        /// The peer that brought it: its originator, or a relay.
        from: PartyCode,
        /// As it is signed.
        signed: Box<v1::Signed>,
        /// What it says.
        void: Box<v1::Void>,
    },
    /// What an older life of a recipient's log has delivered is offered to the newer one. Its
    /// receipts are journalled anew; nothing else that becomes of it is.
    OfferAgain {
        /// The recipient.
        recipient: PartyCode,
        /// What was queued once, and how urgently.
        rows: Vec<(v1::Precedence, QueueRow)>,
    },
    /// A peer dropped a copy, or cannot take more. Never an outcome.
    Fault {
        /// The peer.
        from: PartyCode,
        /// What it dropped; where it is for another party, a copy that the peer was to relay.
        envelope: Option<Place>,
        /// Why.
        kind: v1::FaultKind,
    },
    /// A link exists: both hellos were believed and both sides are ready.
    LinkUp {
        /// The peer.
        peer: PartyCode,
        /// Names this link among all of this process.
        session: u64,
        /// Envelopes that the peer takes.
        envelopes: u64,
        /// Bytes of envelopes that the peer takes.
        bytes: u64,
    },
    /// The peer takes more: totals since the link came up.
    Credit {
        /// The peer.
        peer: PartyCode,
        /// The link.
        session: u64,
        /// Envelopes, in all.
        envelopes: u64,
        /// Bytes, in all.
        bytes: u64,
    },
    /// The link is gone.
    LinkDown {
        /// The peer.
        peer: PartyCode,
        /// The link.
        session: u64,
    },
    /// What may be sent to a peer from now on, over this link and any later one.
    Allow {
        /// The peer.
        peer: PartyCode,
        /// What.
        allowed: Allowed,
    },
    /// A leaf about the node itself or about a person's act: Started, Stopped, Read, Admin,
    /// RosterAdopted … The engine fills in version, actor, incarnation, time and roster.
    Note {
        /// Kind and what it is about.
        leaf: Box<v1::Leaf>,
        /// The proof part.
        proof: Option<v1::ProofPart>,
        /// Who did it.
        private: Option<PrivateInput>,
        /// Whom to tell once it is durable.
        tell: Option<Ticket>,
        /// The peer that gets a receipt of the leaf: the originator of what was read.
        receipt_to: Option<PartyCode>,
    },
    /// A legal hold is placed or lifted. Answered by [`Gated::Noted`](crate::Gated::Noted), or
    /// by [`Gated::Failed`](crate::Gated::Failed) where it is so already or something else was done
    /// about this content since the look-up.
    Hold {
        /// The statement.
        hold: Box<v1::Hold>,
        /// The index of the first leaf that the look-up did not cover.
        looked: LeafIndex,
        /// Who did it.
        private: PrivateInput,
        /// Whom to tell.
        tell: Ticket,
    },
    /// The own copy of a notice is kept longer. Answered like `Hold`.
    Extend {
        /// The statement.
        retention: Box<v1::Retention>,
        /// The index of the first leaf that the look-up did not cover.
        looked: LeafIndex,
        /// Who did it.
        private: PrivateInput,
        /// Whom to tell.
        tell: Ticket,
    },
    /// Content is to be scrubbed. What is held, or what something was done about since the
    /// look-up, is left out. Answered by `Noted` with the first ScrubBegun leaf, or by `Failed`
    /// where nothing is left.
    ScrubBegin {
        /// The content.
        items: Vec<ScrubItem>,
        /// Why.
        why: v1::ScrubWhy,
        /// The index of the first leaf that the look-up did not cover.
        looked: LeafIndex,
        /// Whom to tell.
        tell: Ticket,
    },
    /// The disk holds zeros in place of what was to be scrubbed.
    ScrubDone {
        /// The statements of the ScrubBegun leaves.
        scrubs: Vec<v1::Scrub>,
        /// What is now taken back. Its originator gets the receipt.
        taken_back: Vec<TakenBack>,
        /// The index of the first leaf that the look-up did not cover.
        looked: LeafIndex,
        /// Whom to tell.
        tell: Ticket,
    },
    /// A newer roster holds from here on. The leaf about it is a `Note` of its own.
    RosterAdopted {
        /// The roster.
        reference: v1::RosterRef,
    },
    /// Every leaf below `position` is durable and in the overlay or the view.
    Durable {
        /// The index of the first leaf that is not.
        position: LeafIndex,
    },
    /// Time has passed: see [`Engine::wake_at`](crate::Engine::wake_at).
    Tick,
}

impl Input {
    /// A `Note` without proof, private part or anybody to tell.
    pub fn note(kind: v1::LeafKind) -> Self {
        let leaf = v1::Leaf {
            kind: kind.into(),
            ..v1::Leaf::default()
        };
        Self::Note {
            leaf: Box::new(leaf),
            proof: None,
            private: None,
            tell: None,
            receipt_to: None,
        }
    }
}

impl PrivateInput {
    /// Puts the private part beside a record, with the originator's own copy where there is one.
    pub(crate) fn add_to(self, record: Record, own_copy: bytes::Bytes) -> Record {
        record.with_private(&v1::PrivatePart {
            salt: bytes::Bytes::copy_from_slice(&self.salt),
            officer: self.officer,
            via: self.via,
            own_copy,
        })
    }
}
