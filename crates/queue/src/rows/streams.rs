//! Numbers: marks of streams to this party, next numbers of streams from it, checkpoints held,
//! and how far the view has come.

use super::{
    RowError,
    codec::{Reader, Writer},
};
use abeng_wire::{Incarnation, LeafHash, LeafIndex, PartyCode, StreamSeq};
use bytes::Bytes;

/// `'M' ‖ originator ‖ incarnation`: which numbers of a stream to this party are closed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MarkRow {
    /// Every number up to this one is closed; 0: none.
    pub contiguous: u64,
    /// Closed numbers above it, as inclusive ranges: ascending, with gaps between them.
    pub above: Vec<(u64, u64)>,
}

impl MarkRow {
    /// The letter that its keys start with.
    pub const PREFIX: u8 = b'M';
    const ROW: &'static str = "mark";

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
        let mut out = Writer::value()
            .u64(self.contiguous)
            .u32(self.above.len() as u32);
        for &(first, last) in &self.above {
            out = out.u64(first).u64(last);
        }
        out.done()
    }

    /// Reads a value.
    pub fn decode(value: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::value(Self::ROW, value)?;
        let mut row = Self {
            contiguous: reader.u64()?,
            above: Vec::new(),
        };
        let mut end = row.contiguous;
        for _ in 0..reader.u32()? {
            let (first, last) = (reader.u64()?, reader.u64()?);
            if first <= end.saturating_add(1) || last < first {
                return Err(reader.bad("range"));
            }
            end = last;
            row.above.push((first, last));
        }
        reader.end()?;
        Ok(row)
    }
}

/// `'N' ‖ recipient`: the next number of the stream to a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamRow {
    /// The number that the next envelope gets.
    pub next: StreamSeq,
}

impl StreamRow {
    /// The letter that its keys start with.
    pub const PREFIX: u8 = b'N';
    const ROW: &'static str = "stream";

    /// Its key.
    pub fn key(recipient: PartyCode) -> Vec<u8> {
        Writer::key(Self::PREFIX).party(recipient).done()
    }

    /// The recipient that a key names.
    pub fn parse_key(key: &[u8]) -> Result<PartyCode, RowError> {
        let mut reader = Reader::key(Self::ROW, Self::PREFIX, key)?;
        let recipient = reader.party()?;
        reader.end()?;
        Ok(recipient)
    }

    /// Its value.
    pub fn encode(&self) -> Vec<u8> {
        Writer::value().u64(self.next.get()).done()
    }

    /// Reads a value.
    pub fn decode(value: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::value(Self::ROW, value)?;
        let row = Self {
            next: reader.seq()?,
        };
        reader.end()?;
        Ok(row)
    }
}

/// `'C' ‖ party`: the newest checkpoint of a party's log that came in a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRow {
    /// The log's incarnation.
    pub incarnation: Incarnation,
    /// Its size.
    pub size: u64,
    /// Its root.
    pub root: LeafHash,
    /// The signed note, whole.
    pub checkpoint: Bytes,
}

impl HeldRow {
    /// The letter that its keys start with.
    pub const PREFIX: u8 = b'C';
    const ROW: &'static str = "checkpoint";

    /// Its key.
    pub fn key(party: PartyCode) -> Vec<u8> {
        Writer::key(Self::PREFIX).party(party).done()
    }

    /// Its value.
    pub fn encode(&self) -> Vec<u8> {
        Writer::value()
            .u64(self.incarnation.0)
            .u64(self.size)
            .bytes(&self.root.0)
            .bytes(&self.checkpoint)
            .done()
    }

    /// Reads a value.
    pub fn decode(value: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::value(Self::ROW, value)?;
        Ok(Self {
            incarnation: reader.incarnation()?,
            size: reader.u64()?,
            root: LeafHash(reader.array()?),
            checkpoint: Bytes::copy_from_slice(reader.rest()),
        })
    }
}

/// `'X' ‖ leaf`: a proof kept here that a log contradicts itself. There are few, and the node
/// looks at all of them when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContradictionRow {
    /// The Contradiction leaf.
    pub leaf: LeafIndex,
}

impl ContradictionRow {
    /// The letter that its keys start with.
    pub const PREFIX: u8 = b'X';
    const ROW: &'static str = "contradiction";

    /// Its key.
    pub fn key(self) -> Vec<u8> {
        Writer::key(Self::PREFIX).leaf(self.leaf).done()
    }

    /// Its value.
    pub fn encode(self) -> Vec<u8> {
        Writer::value().leaf(self.leaf).done()
    }

    /// Reads a value.
    pub fn decode(value: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::value(Self::ROW, value)?;
        let row = Self {
            leaf: reader.leaf()?,
        };
        reader.end()?;
        Ok(row)
    }
}

/// `'O' ‖ leaf`: a leaf about the roster, adopted or accepted. There are few, and the node looks at
/// all of them when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustRow {
    /// The RosterAdopted or Admin leaf.
    pub leaf: LeafIndex,
}

impl TrustRow {
    /// The letter that its keys start with.
    pub const PREFIX: u8 = b'O';
    const ROW: &'static str = "trust";

    /// Its key.
    pub fn key(self) -> Vec<u8> {
        Writer::key(Self::PREFIX).leaf(self.leaf).done()
    }

    /// Its value.
    pub fn encode(self) -> Vec<u8> {
        Writer::value().leaf(self.leaf).done()
    }

    /// Reads a value.
    pub fn decode(value: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::value(Self::ROW, value)?;
        let row = Self {
            leaf: reader.leaf()?,
        };
        reader.end()?;
        Ok(row)
    }
}

/// `'A'`: how far a view has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppliedRow {
    /// The first leaf that is not in it.
    pub position: LeafIndex,
    /// The log that it is a view of.
    pub incarnation: Incarnation,
}

impl AppliedRow {
    /// Its key.
    pub const KEY: &'static [u8] = b"A";
    const ROW: &'static str = "applied";

    /// Its value.
    pub fn encode(&self) -> Vec<u8> {
        Writer::value()
            .leaf(self.position)
            .u64(self.incarnation.0)
            .done()
    }

    /// Reads a value.
    pub fn decode(value: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::value(Self::ROW, value)?;
        let row = Self {
            position: reader.leaf()?,
            incarnation: reader.incarnation()?,
        };
        reader.end()?;
        Ok(row)
    }
}
