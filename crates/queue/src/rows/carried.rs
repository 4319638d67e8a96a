//! What is carried for others: waiting for its recipient, and known for good.

use super::{
    RowError,
    codec::{Reader, Writer},
};
use abeng_wire::{Digest, EnvelopeId, LeafIndex, Millis, PartyCode, v1};

/// `'R' ‖ recipient ‖ precedence ‖ relayed`: an envelope that waits here for another party.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CarriedRow {
    /// The envelope.
    pub envelope_id: EnvelopeId,
    /// Who sent it, and brought it.
    pub originator: PartyCode,
    /// Unix milliseconds.
    pub created_at: Millis,
    /// Unix milliseconds.
    pub expires_at: Millis,
    /// Bytes on a link.
    pub size: u32,
}

impl CarriedRow {
    /// The letter that its keys start with.
    pub const PREFIX: u8 = b'R';
    const ROW: &'static str = "carried";

    /// Its key.
    pub fn key(recipient: PartyCode, precedence: v1::Precedence, relayed: LeafIndex) -> Vec<u8> {
        Writer::key(Self::PREFIX)
            .party(recipient)
            .precedence(precedence)
            .leaf(relayed)
            .done()
    }

    /// The recipient, the precedence and the Relayed leaf that a key names.
    pub fn parse_key(key: &[u8]) -> Result<(PartyCode, v1::Precedence, LeafIndex), RowError> {
        let mut reader = Reader::key(Self::ROW, Self::PREFIX, key)?;
        let place = (reader.party()?, reader.precedence()?, reader.leaf()?);
        reader.end()?;
        Ok(place)
    }

    /// Its value.
    pub fn encode(&self) -> Vec<u8> {
        Writer::value()
            .bytes(&self.envelope_id.0)
            .party(self.originator)
            .u64(self.created_at)
            .u64(self.expires_at)
            .u32(self.size)
            .done()
    }

    /// Reads a value.
    pub fn decode(value: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::value(Self::ROW, value)?;
        let row = Self {
            envelope_id: reader.id()?,
            originator: reader.party()?,
            created_at: reader.u64()?,
            expires_at: reader.u64()?,
            size: reader.u32()?,
        };
        reader.end()?;
        Ok(row)
    }
}

/// `'Y' ‖ envelope id ‖ recipient`: what is known of an envelope that was carried from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CarriedIdRow {
    /// The Relayed leaf, whose record holds the envelope.
    pub relayed: LeafIndex,
    /// Who sent it.
    pub originator: PartyCode,
    /// How urgent.
    pub precedence: v1::Precedence,
    /// The recipient's commitment in PRE.
    pub seq_commit: Digest,
    /// The ReceiptTaken leaf of the recipient's outcome.
    pub outcome: Option<LeafIndex>,
}

impl CarriedIdRow {
    /// The letter that its keys start with.
    pub const PREFIX: u8 = b'Y';
    const ROW: &'static str = "carried id";

    /// Its key.
    pub fn key(id: &EnvelopeId, recipient: PartyCode) -> Vec<u8> {
        Writer::key(Self::PREFIX)
            .bytes(&id.0)
            .party(recipient)
            .done()
    }

    /// The leaf that a copy is answered with: the recipient's outcome where it is known, else the
    /// Relayed one.
    pub fn answer(&self) -> LeafIndex {
        self.outcome.unwrap_or(self.relayed)
    }

    /// Its value.
    pub fn encode(&self) -> Vec<u8> {
        Writer::value()
            .leaf(self.relayed)
            .party(self.originator)
            .precedence(self.precedence)
            .bytes(&self.seq_commit.0)
            .maybe(self.outcome)
            .done()
    }

    /// Reads a value.
    pub fn decode(value: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::value(Self::ROW, value)?;
        let row = Self {
            relayed: reader.leaf()?,
            originator: reader.party()?,
            precedence: reader.precedence()?,
            seq_commit: Digest(reader.array()?),
            outcome: reader.maybe()?,
        };
        reader.end()?;
        Ok(row)
    }
}
