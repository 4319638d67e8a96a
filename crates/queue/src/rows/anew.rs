//! What is to be sealed anew.

use super::{
    RowError,
    codec::{Reader, Writer},
};
use abeng_wire::{LeafIndex, Millis, PartyCode};

/// `'Z' ‖ time ‖ record ‖ party`: a recipient refused a notice because it had lost the key that it
/// was sealed to ([`abeng_wire::v1::Reason::KeyGone`]), which is not final. The time is when the
/// notice expires; the record its Submitted leaf. Goes with the notice that replaces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnewRow;

impl AnewRow {
    /// The letter that its keys start with.
    pub const PREFIX: u8 = b'Z';
    const ROW: &'static str = "anew";

    /// Its key.
    pub fn key(expires_at: Millis, submitted: LeafIndex, party: PartyCode) -> Vec<u8> {
        let key = Writer::key(Self::PREFIX).u64(expires_at);
        key.leaf(submitted).party(party).done()
    }

    /// Where the keys begin of what has not expired at a time.
    pub fn from(now: Millis) -> Vec<u8> {
        Writer::key(Self::PREFIX).u64(now).done()
    }

    /// The record and the party that a key names.
    pub fn parse_key(key: &[u8]) -> Result<(LeafIndex, PartyCode), RowError> {
        let mut reader = Reader::key(Self::ROW, Self::PREFIX, key)?;
        reader.u64()?;
        let named = (reader.leaf()?, reader.party()?);
        reader.end()?;
        Ok(named)
    }

    /// Its value.
    pub fn encode(&self) -> Vec<u8> {
        Writer::value().done()
    }
}
