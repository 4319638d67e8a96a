//! How long content is kept: what falls due, what is held, what is taken back, what is scrubbed.
//!
//! A record is named by its leaf: the Submitted leaf of what was sent from here, the Received
//! leaf of what came.

use super::{
    RowError,
    codec::{Reader, Writer},
};
use abeng_wire::{EnvelopeId, LeafIndex, Millis, PartyCode, v1};

/// `'T' ‖ record`: what is out of the ordinary about the content of one record. A record without
/// this row is kept until the time that its sent or inbox row names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CareRow {
    /// The Delivered leaf, where it does not stand right behind the Received leaf.
    pub delivered: Option<LeafIndex>,
    /// A later keep-until, Unix milliseconds; 0 where there is none.
    pub extended: Millis,
    /// The leaf that placed the legal hold on it.
    pub hold: Option<LeafIndex>,
    /// The Delivered leaf of the recall.
    pub asked: Option<LeafIndex>,
    /// The ScrubBegun leaf.
    pub begun: Option<LeafIndex>,
    /// The Scrubbed leaf.
    pub scrubbed: Option<LeafIndex>,
    /// Why it is scrubbed.
    pub why: v1::ScrubWhy,
    /// The Recalled leaf.
    pub recalled: Option<LeafIndex>,
}

impl CareRow {
    /// The letter that its keys start with.
    pub const PREFIX: u8 = b'T';
    const ROW: &'static str = "care";

    /// Its key.
    pub fn key(record: LeafIndex) -> Vec<u8> {
        Writer::key(Self::PREFIX).leaf(record).done()
    }

    /// Its value.
    pub fn encode(&self) -> Vec<u8> {
        Writer::value()
            .maybe(self.delivered)
            .u64(self.extended)
            .maybe(self.hold)
            .maybe(self.asked)
            .maybe(self.begun)
            .maybe(self.scrubbed)
            .u8(self.why as i32 as u8)
            .maybe(self.recalled)
            .done()
    }

    /// Reads a value.
    pub fn decode(value: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::value(Self::ROW, value)?;
        let row = Self {
            delivered: reader.maybe()?,
            extended: reader.u64()?,
            hold: reader.maybe()?,
            asked: reader.maybe()?,
            begun: reader.maybe()?,
            scrubbed: reader.maybe()?,
            why: v1::ScrubWhy::try_from(i32::from(reader.u8()?)).map_err(|_| reader.bad("why"))?,
            recalled: reader.maybe()?,
        };
        reader.end()?;
        Ok(row)
    }
}

/// `'K' ‖ time ‖ record`: when content falls due. Not there while it is held, nor once its
/// scrubbing has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueRow {
    /// Sent from here.
    Sent,
    /// Came from another party.
    Received {
        /// The Delivered leaf, which its inbox row is found by.
        delivered: LeafIndex,
    },
    /// Was carried for others and is done with.
    Carried,
}

impl DueRow {
    /// The letter that its keys start with.
    pub const PREFIX: u8 = b'K';
    const ROW: &'static str = "due";

    /// Its key.
    pub fn key(due: Millis, record: LeafIndex) -> Vec<u8> {
        Writer::key(Self::PREFIX).u64(due).leaf(record).done()
    }

    /// The end of the keys of what is due at a time or before.
    pub fn until(due: Millis) -> Vec<u8> {
        Writer::key(Self::PREFIX)
            .u64(due)
            .leaf(LeafIndex(u64::MAX))
            .done()
    }

    /// The time and the record that a key names.
    pub fn parse_key(key: &[u8]) -> Result<(Millis, LeafIndex), RowError> {
        let mut reader = Reader::key(Self::ROW, Self::PREFIX, key)?;
        let named = (reader.u64()?, reader.leaf()?);
        reader.end()?;
        Ok(named)
    }

    /// Its value.
    pub fn encode(&self) -> Vec<u8> {
        let out = Writer::value();
        match *self {
            Self::Sent => out.u8(0),
            Self::Received { delivered } => out.u8(1).leaf(delivered),
            Self::Carried => out.u8(2),
        }
        .done()
    }

    /// Reads a value.
    pub fn decode(value: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::value(Self::ROW, value)?;
        let row = match reader.u8()? {
            0 => Self::Sent,
            1 => Self::Received {
                delivered: reader.leaf()?,
            },
            2 => Self::Carried,
            _ => return Err(reader.bad("case")),
        };
        reader.end()?;
        Ok(row)
    }
}

/// Rows that are nothing but a letter, one record or leaf, and an envelope id.
macro_rules! marks {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $row:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name {
            /// The envelope.
            pub envelope_id: EnvelopeId,
        }

        impl $name {
            /// The letter that its keys start with.
            pub const PREFIX: u8 = $prefix;
            const ROW: &'static str = $row;

            /// Its key.
            pub fn key(at: LeafIndex) -> Vec<u8> {
                Writer::key(Self::PREFIX).leaf(at).done()
            }

            /// The leaf that a key names.
            pub fn parse_key(key: &[u8]) -> Result<LeafIndex, RowError> {
                let mut reader = Reader::key(Self::ROW, Self::PREFIX, key)?;
                let at = reader.leaf()?;
                reader.end()?;
                Ok(at)
            }

            /// Its value.
            pub fn encode(&self) -> Vec<u8> {
                Writer::value().bytes(&self.envelope_id.0).done()
            }

            /// Reads a value.
            pub fn decode(value: &[u8]) -> Result<Self, RowError> {
                let mut reader = Reader::value(Self::ROW, value)?;
                let row = Self {
                    envelope_id: reader.id()?,
                };
                reader.end()?;
                Ok(row)
            }
        }
    };
}

marks!(
    /// `'H' ‖ record`: a legal hold.
    HoldRow,
    b'H',
    "hold"
);
marks!(
    /// `'P' ‖ record`: its originator asks for its deletion, and there is no Recalled leaf yet.
    AskedRow,
    b'P',
    "asked"
);
marks!(
    /// `'Z' ‖ ScrubBegun leaf`: a scrub without its Scrubbed leaf. The id is that of the one notice
    /// it is about, or zeros.
    BegunRow,
    b'Z',
    "begun"
);

/// Rows that are nothing but a letter, an originator and a leaf whose receipt is owed to it.
macro_rules! owed {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $row:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name;

        impl $name {
            /// The letter that its keys start with.
            pub const PREFIX: u8 = $prefix;
            const ROW: &'static str = $row;

            /// Its key.
            pub fn key(originator: PartyCode, leaf: LeafIndex) -> Vec<u8> {
                Writer::key(Self::PREFIX)
                    .party(originator)
                    .leaf(leaf)
                    .done()
            }

            /// The originator and the leaf that a key names.
            pub fn parse_key(key: &[u8]) -> Result<(PartyCode, LeafIndex), RowError> {
                let mut reader = Reader::key(Self::ROW, Self::PREFIX, key)?;
                let named = (reader.party()?, reader.leaf()?);
                reader.end()?;
                Ok(named)
            }

            /// Its value.
            pub fn encode(&self) -> Vec<u8> {
                Writer::value().done()
            }
        }
    };
}

owed!(
    /// `'D' ‖ originator ‖ leaf`: a Recalled leaf, or the first Read leaf of a notice. No copy of
    /// the envelope asks for these receipts again, so the originator is told at every new link for
    /// a while.
    ToldRow,
    b'D',
    "told"
);
owed!(
    /// `'F' ‖ originator ‖ leaf`: an outcome here that is not a delivery. What was delivered is
    /// in the inbox; with both every receipt is found that a party may still lack.
    ClosedRow,
    b'F',
    "closed"
);

/// `'W' ‖ originator ‖ envelope id`: a recall of what has not come here yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingRow {
    /// When no honest copy can come any more, Unix milliseconds.
    pub until: Millis,
}

impl WaitingRow {
    /// The letter that its keys start with.
    pub const PREFIX: u8 = b'W';
    const ROW: &'static str = "waiting";

    /// Its key.
    pub fn key(originator: PartyCode, recalled: &EnvelopeId) -> Vec<u8> {
        Writer::key(Self::PREFIX)
            .party(originator)
            .bytes(&recalled.0)
            .done()
    }

    /// The originator and the recalled envelope that a key names.
    pub fn parse_key(key: &[u8]) -> Result<(PartyCode, EnvelopeId), RowError> {
        let mut reader = Reader::key(Self::ROW, Self::PREFIX, key)?;
        let named = (reader.party()?, reader.id()?);
        reader.end()?;
        Ok(named)
    }

    /// Its value.
    pub fn encode(&self) -> Vec<u8> {
        Writer::value().u64(self.until).done()
    }

    /// Reads a value.
    pub fn decode(value: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::value(Self::ROW, value)?;
        let row = Self {
            until: reader.u64()?,
        };
        reader.end()?;
        Ok(row)
    }
}
