//! Numbers that ended without a delivery: at their originator, and where they were awaited.

use super::{
    RowError,
    codec::{Reader, Writer},
};
use crate::voided::Voided;
use abeng_wire::{EnvelopeId, Incarnation, LeafIndex, PartyCode, StreamSeq, v1};

/// `'V' ‖ recipient ‖ seq`: a number of a stream from here that ended without proof of delivery.
/// What a void is signed from when the recipient asks for the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedRow {
    /// The leaf that ended it.
    pub leaf: LeafIndex,
    /// What a void says of it.
    pub reason: v1::VoidReason,
    /// The envelope, where a void may name one.
    pub envelope_id: Option<EnvelopeId>,
}

impl EndedRow {
    /// The letter that its keys start with.
    pub const PREFIX: u8 = b'V';
    const ROW: &'static str = "ended";

    /// Its key.
    pub fn key(recipient: PartyCode, seq: StreamSeq) -> Vec<u8> {
        Writer::key(Self::PREFIX)
            .party(recipient)
            .u64(seq.get())
            .done()
    }

    /// The recipient and the number that a key names.
    pub fn parse_key(key: &[u8]) -> Result<(PartyCode, StreamSeq), RowError> {
        let mut reader = Reader::key(Self::ROW, Self::PREFIX, key)?;
        let named = (reader.party()?, reader.seq()?);
        reader.end()?;
        Ok(named)
    }

    /// Its value.
    pub fn encode(&self) -> Vec<u8> {
        Writer::value()
            .leaf(self.leaf)
            .u8(self.reason as i32 as u8)
            .bytes(&self.envelope_id.unwrap_or_default().0)
            .done()
    }

    /// Reads a value.
    pub fn decode(value: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::value(Self::ROW, value)?;
        let row = Self {
            leaf: reader.leaf()?,
            reason: reason(&mut reader)?,
            envelope_id: Some(reader.id()?).filter(|id| *id != EnvelopeId::default()),
        };
        reader.end()?;
        Ok(row)
    }
}

/// `'G' ‖ originator ‖ incarnation`: which numbers of a stream to this party its originator has
/// voided, where nothing else closed them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VoidedRow {
    /// First, last and reason: ascending, none twice.
    pub ranges: Vec<(u64, u64, v1::VoidReason)>,
}

impl VoidedRow {
    /// The letter that its keys start with.
    pub const PREFIX: u8 = b'G';
    const ROW: &'static str = "voided";

    /// Its key.
    pub fn key(originator: PartyCode, incarnation: Incarnation) -> Vec<u8> {
        Writer::key(Self::PREFIX)
            .party(originator)
            .u64(incarnation.0)
            .done()
    }

    /// The stream that a key names.
    pub fn parse_key(key: &[u8]) -> Result<(PartyCode, Incarnation), RowError> {
        let mut reader = Reader::key(Self::ROW, Self::PREFIX, key)?;
        let stream = (reader.party()?, reader.incarnation()?);
        reader.end()?;
        Ok(stream)
    }

    /// Its value.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::value().u32(self.ranges.len() as u32);
        for &(first, last, why) in &self.ranges {
            out = out.u64(first).u64(last).u8(why as i32 as u8);
        }
        out.done()
    }

    /// Reads a value.
    pub fn decode(value: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::value(Self::ROW, value)?;
        let mut row = Self::default();
        let mut end = 0;
        for _ in 0..reader.u32()? {
            let (first, last) = (reader.u64()?, reader.u64()?);
            if first <= end || last < first {
                return Err(reader.bad("range"));
            }
            end = last;
            row.ranges.push((first, last, reason(&mut reader)?));
        }
        reader.end()?;
        Ok(row)
    }
}

fn reason(reader: &mut Reader<'_>) -> Result<v1::VoidReason, RowError> {
    match v1::VoidReason::try_from(i32::from(reader.u8()?)) {
        Ok(v1::VoidReason::Unspecified) | Err(_) => Err(reader.bad("reason")),
        Ok(reason) => Ok(reason),
    }
}

impl From<&VoidedRow> for Voided {
    fn from(row: &VoidedRow) -> Self {
        row.ranges.iter().copied().collect()
    }
}

impl From<&Voided> for VoidedRow {
    fn from(voided: &Voided) -> Self {
        Self {
            ranges: voided.iter().collect(),
        }
    }
}
