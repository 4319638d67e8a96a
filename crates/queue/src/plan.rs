//! What the engine wants done.

use crate::{Place, PrivateInput, Proven, Refusable, Terms, Ticket};
use abeng_audit_log::Step;
use abeng_seal::{Opened, Sealed, Verified};
use abeng_wire::{EnvelopeId, Incarnation, LeafIndex, Millis, PartyCode, StreamSeq, v1};

/// The answer to one input.
#[derive(Debug, Default)]
pub struct Plan {
    /// What to journal, and what may leave once that is durable. Plans are appended strictly in
    /// the order in which `handle` returned them.
    pub step: Step<Gated>,
    /// What may be done at once, since it says nothing about new state.
    pub free: Vec<Free>,
}

/// Open numbers of a stream to this party, with closed ones above them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GapReport {
    /// Whose stream.
    pub originator: PartyCode,
    /// Of which life of its log.
    pub incarnation: Incarnation,
    /// The first open number.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// When this process first saw it, Unix milliseconds.
    pub since: Millis,
    /// How often it was asked for since the originator was last linked.
    pub asked: u32,
    /// When it was last asked for, Unix milliseconds.
    pub asked_at: Option<Millis>,
}

/// Numbers of a stream to this party of which its originator said that only a lost disk had them,
/// and on which nothing has come since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostReport {
    /// Whose stream.
    pub originator: PartyCode,
    /// Of which life of its log.
    pub incarnation: Incarnation,
    /// How many.
    pub numbers: u64,
    /// When it was said first and last, Unix milliseconds; `None`: before this process began.
    pub said: Option<(Millis, Millis)>,
}

/// May be done at once.
#[derive(Debug)]
pub enum Free {
    /// Seal with these numbers, then send `Sealed` or `SealFailed`.
    SealNow {
        /// The submission.
        ticket: Ticket,
        /// Each recipient's number, sorted by code.
        positions: Vec<(PartyCode, StreamSeq)>,
    },
    /// The roster has changed since clearing: clear it again, then send `Sealed` or `SealFailed`.
    ClearAgain {
        /// The submission.
        ticket: Ticket,
        /// The envelope.
        sealed: Box<Sealed>,
        /// Who submitted it.
        private: PrivateInput,
        /// What it says about content that is kept.
        terms: Terms,
    },
    /// The look-up or the roster is too old: check it again, then send `Opened`, `Refuse` or
    /// `Duplicate`.
    CheckAgain {
        /// The peer that brought it.
        from: PartyCode,
        /// The envelope.
        opened: Box<Opened>,
    },
    /// As `CheckAgain`, for an envelope that was to be refused.
    RefuseAgain {
        /// The peer that brought it.
        from: PartyCode,
        /// The envelope.
        envelope: Refusable,
        /// Its stream number and blind.
        position: Option<(StreamSeq, [u8; 16])>,
        /// Why.
        reason: v1::Reason,
    },
    /// As `CheckAgain`, for what is to be carried: then send `Carry` or `Duplicate`.
    CarryAgain {
        /// The peer that brought it.
        from: PartyCode,
        /// For whom.
        recipient: PartyCode,
        /// The envelope.
        verified: Box<Verified>,
    },
    /// Look again whether this receipt was taken, then send `ReceiptProven`.
    ProveAgain(
        /// The receipt.
        Box<Proven>,
    ),
    /// Read the Queued leaf of what has expired, then send `Expire`.
    LookExpired {
        /// What has expired.
        place: Place,
    },
    /// Ask for numbers of a stream of the peer's.
    Want {
        /// Whom to ask.
        peer: PartyCode,
        /// The relay that is to carry it, signed, where there is no link to the peer.
        via: Option<PartyCode>,
        /// For what.
        want: v1::Want,
    },
    /// The peer asks for numbers of its stream from here, of which some are not queued. Look up
    /// the [`EndedRow`](crate::rows::EndedRow)s, and send voids of those.
    LookEnded {
        /// Who asks, and for whom the stream is.
        peer: PartyCode,
        /// The relay that brought the question and carries the answer.
        via: Option<PartyCode>,
        /// The first number.
        first: u64,
        /// The last one.
        last: u64,
    },
    /// The peer asks for numbers that were never given out. Nothing to do but say so to the
    /// operator: without proof it means nothing.
    NeverGiven {
        /// Who asks.
        peer: PartyCode,
        /// The last number it asks for.
        last: u64,
        /// The next that will be given out.
        next: u64,
    },
    /// Tell the peer that its copy was dropped.
    TellFault {
        /// The peer.
        peer: PartyCode,
        /// The envelope.
        envelope_id: EnvelopeId,
        /// For whom, where it was to be carried.
        recipient: Option<PartyCode>,
        /// Why.
        kind: v1::FaultKind,
    },
}

/// May leave only behind the commit of everything handled before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gated {
    /// Tell the submitter.
    Submitted {
        /// The submission.
        ticket: Ticket,
        /// The envelope.
        envelope_id: EnvelopeId,
        /// The Submitted leaf.
        submitted: LeafIndex,
    },
    /// Tell the submitter that it failed.
    Failed {
        /// The submission.
        ticket: Ticket,
    },
    /// Load the envelope and put it on the link. Says nothing if that link is gone.
    Forward {
        /// The peer: the recipient, or a relay that reaches it.
        peer: PartyCode,
        /// For whom: the stanzas of the others are pruned.
        recipient: PartyCode,
        /// The link.
        session: u64,
        /// The Submitted leaf or, of what is carried for others, the Relayed one, whose record holds the envelope.
        submitted: LeafIndex,
        /// Which stream of the link.
        precedence: v1::Precedence,
    },
    /// Sign a void and tell the recipient, if it is linked or a relay reaches it. It asks for what
    /// it does not hear of.
    Void {
        /// For whom the stream is.
        recipient: PartyCode,
        /// The relay that is to carry it, where there is no link to the recipient.
        via: Option<PartyCode>,
        /// The number that will not come.
        seq: StreamSeq,
        /// Why.
        reason: v1::VoidReason,
        /// The envelope, where a void may name it.
        envelope_id: Option<EnvelopeId>,
    },
    /// Build the receipt of a leaf (with the Received leaf before it, where it is Delivered) and
    /// send it. Where the leaf is ReceiptTaken, hand on the receipt that it keeps.
    Receipt {
        /// To whom.
        peer: PartyCode,
        /// The leaf.
        outcome: LeafIndex,
    },
    /// The inbox has one more.
    Delivered {
        /// The envelope.
        envelope_id: EnvelopeId,
        /// The Delivered leaf.
        outcome: LeafIndex,
    },
    /// One recipient of a sent envelope is done with.
    Settled {
        /// The envelope.
        envelope_id: EnvelopeId,
        /// The recipient.
        recipient: PartyCode,
        /// Delivered, Refused or Expired.
        kind: v1::LeafKind,
        /// The ReceiptTaken or Expired leaf.
        leaf: LeafIndex,
    },
    /// A note is durable.
    Noted {
        /// Whom to tell.
        ticket: Ticket,
        /// Its leaf.
        leaf: LeafIndex,
    },
}
