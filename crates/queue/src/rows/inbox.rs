//! What came here: the inbox and the ids that are known.

use super::{
    RowError,
    codec::{Reader, Writer},
};
use abeng_wire::{EnvelopeId, Incarnation, LeafIndex, Millis, PartyCode, StreamSeq, v1};

/// `'I' ‖ envelope id`: what is known of an envelope here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdRow {
    /// Submitted here.
    Sent {
        /// The Submitted leaf.
        submitted: LeafIndex,
    },
    /// Received, its outcome still open (its Delivered leaf follows, in most cases at once).
    Received {
        /// The Received leaf.
        received: LeafIndex,
        /// Who sent it.
        originator: PartyCode,
        /// The originator's incarnation.
        incarnation: Incarnation,
        /// Its number in the stream to this party; `None` where it was not opened.
        seq: Option<StreamSeq>,
        /// How urgent.
        precedence: v1::Precedence,
        /// Unix milliseconds, by the originator's clock.
        created_at: Millis,
        /// Unix milliseconds, as bounded here; 0 where none is known.
        keep_until: Millis,
        /// The notice that it takes back.
        recalls: Option<EnvelopeId>,
    },
    /// Its outcome stands.
    Held {
        /// The Received leaf, or the outcome's where there is none.
        received: LeafIndex,
        /// The outcome's leaf: what a copy is answered with.
        outcome: LeafIndex,
        /// Delivered, Refused or Expired.
        kind: v1::LeafKind,
    },
}

impl IdRow {
    /// The letter that its keys start with.
    pub const PREFIX: u8 = b'I';
    const ROW: &'static str = "id";

    /// Its key.
    pub fn key(id: &EnvelopeId) -> Vec<u8> {
        Writer::key(Self::PREFIX).bytes(&id.0).done()
    }

    /// Its value.
    pub fn encode(&self) -> Vec<u8> {
        let out = Writer::value();
        match *self {
            Self::Sent { submitted } => out.u8(0).leaf(submitted),
            Self::Received {
                received,
                originator,
                incarnation,
                seq,
                precedence,
                created_at,
                keep_until,
                recalls,
            } => out
                .u8(1)
                .leaf(received)
                .party(originator)
                .u64(incarnation.0)
                .u64(seq.map_or(0, StreamSeq::get))
                .precedence(precedence)
                .u64(created_at)
                .u64(keep_until)
                .bytes(&recalls.unwrap_or_default().0),
            Self::Held {
                received,
                outcome,
                kind,
            } => out.u8(2).leaf(received).leaf(outcome).u8(kind as i32 as u8),
        }
        .done()
    }

    /// Reads a value.
    pub fn decode(value: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::value(Self::ROW, value)?;
        let row = match reader.u8()? {
            0 => Self::Sent {
                submitted: reader.leaf()?,
            },
            1 => Self::Received {
                received: reader.leaf()?,
                originator: reader.party()?,
                incarnation: reader.incarnation()?,
                seq: StreamSeq::new(reader.u64()?),
                precedence: reader.precedence()?,
                created_at: reader.u64()?,
                keep_until: reader.u64()?,
                recalls: Some(reader.id()?).filter(|id| *id != EnvelopeId::default()),
            },
            2 => Self::Held {
                received: reader.leaf()?,
                outcome: reader.leaf()?,
                kind: v1::LeafKind::try_from(i32::from(reader.u8()?))
                    .map_err(|_| reader.bad("kind"))?,
            },
            _ => return Err(reader.bad("case")),
        };
        reader.end()?;
        Ok(row)
    }
}

/// `'B' ‖ delivered`: one notice in the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxRow {
    /// The envelope.
    pub envelope_id: EnvelopeId,
    /// The Received leaf, whose record holds the envelope.
    pub received: LeafIndex,
    /// Who sent it.
    pub originator: PartyCode,
    /// The originator's incarnation.
    pub incarnation: Incarnation,
    /// Its number in the stream to this party.
    pub seq: StreamSeq,
    /// How urgent.
    pub precedence: v1::Precedence,
    /// Unix milliseconds, by the originator's clock.
    pub created_at: Millis,
    /// Unix milliseconds, by the clock here.
    pub delivered_at: Millis,
    /// The first Read leaf.
    pub first_read: Option<LeafIndex>,
    /// When its content is deleted, Unix milliseconds; 0 where no time is known.
    pub keep_until: Millis,
}

impl InboxRow {
    /// The letter that its keys start with.
    pub const PREFIX: u8 = b'B';
    const ROW: &'static str = "inbox";

    /// Its key.
    pub fn key(delivered: LeafIndex) -> Vec<u8> {
        Writer::key(Self::PREFIX).leaf(delivered).done()
    }

    /// The Delivered leaf that a key names.
    pub fn parse_key(key: &[u8]) -> Result<LeafIndex, RowError> {
        let mut reader = Reader::key(Self::ROW, Self::PREFIX, key)?;
        let delivered = reader.leaf()?;
        reader.end()?;
        Ok(delivered)
    }

    /// Its value.
    pub fn encode(&self) -> Vec<u8> {
        Writer::value()
            .bytes(&self.envelope_id.0)
            .leaf(self.received)
            .party(self.originator)
            .u64(self.incarnation.0)
            .u64(self.seq.get())
            .precedence(self.precedence)
            .u64(self.created_at)
            .u64(self.delivered_at)
            .maybe(self.first_read)
            .u64(self.keep_until)
            .done()
    }

    /// Reads a value.
    pub fn decode(value: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::value(Self::ROW, value)?;
        let row = Self {
            envelope_id: reader.id()?,
            received: reader.leaf()?,
            originator: reader.party()?,
            incarnation: reader.incarnation()?,
            seq: reader.seq()?,
            precedence: reader.precedence()?,
            created_at: reader.u64()?,
            delivered_at: reader.u64()?,
            first_read: reader.maybe()?,
            keep_until: reader.u64()?,
        };
        reader.end()?;
        Ok(row)
    }
}
