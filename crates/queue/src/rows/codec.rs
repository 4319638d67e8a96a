//! Fixed big-endian layouts: what every row is written with.

use super::RowError;
use abeng_wire::{EnvelopeId, Incarnation, LeafIndex, PartyCode, StreamSeq, v1};

/// The first byte of every value.
const VERSION: u8 = 4;

pub(super) struct Writer(Vec<u8>);

impl Writer {
    /// A value: starts with the version.
    pub(super) fn value() -> Self {
        Self(vec![VERSION])
    }

    /// A key: starts with the letter of its kind.
    pub(super) fn key(prefix: u8) -> Self {
        Self(vec![prefix])
    }

    pub(super) fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub(super) fn u16(mut self, value: u16) -> Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(super) fn u32(mut self, value: u32) -> Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(super) fn u64(mut self, value: u64) -> Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(super) fn leaf(self, value: LeafIndex) -> Self {
        self.u64(value.0)
    }

    /// No leaf is the last of 2^64, so that value is free to mean "none".
    pub(super) fn maybe(self, value: Option<LeafIndex>) -> Self {
        self.u64(value.map_or(u64::MAX, |leaf| leaf.0))
    }

    pub(super) fn precedence(self, value: v1::Precedence) -> Self {
        self.u8(value as u8)
    }

    pub(super) fn bytes(mut self, value: &[u8]) -> Self {
        self.0.extend_from_slice(value);
        self
    }

    pub(super) fn party(mut self, value: PartyCode) -> Self {
        let mut filled = [0; 16];
        let text = value.as_str().as_bytes();
        filled[..text.len()].copy_from_slice(text);
        self.0.extend_from_slice(&filled);
        self
    }

    pub(super) fn done(self) -> Vec<u8> {
        self.0
    }
}

/// Reads a row back; every error names the row.
pub(super) struct Reader<'a> {
    row: &'static str,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn value(row: &'static str, bytes: &'a [u8]) -> Result<Self, RowError> {
        let mut reader = Self { row, rest: bytes };
        match reader.u8()? {
            VERSION => Ok(reader),
            version => Err(RowError::Version { row, version }),
        }
    }

    pub(super) fn key(row: &'static str, prefix: u8, bytes: &'a [u8]) -> Result<Self, RowError> {
        let mut reader = Self { row, rest: bytes };
        match reader.u8()? == prefix {
            true => Ok(reader),
            false => Err(reader.bad("key")),
        }
    }

    pub(super) fn bad(&self, field: &'static str) -> RowError {
        RowError::Value {
            row: self.row,
            field,
        }
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], RowError> {
        let (head, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(RowError::Short { row: self.row })?;
        self.rest = rest;
        Ok(*head)
    }

    pub(super) fn u8(&mut self) -> Result<u8, RowError> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, RowError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, RowError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, RowError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    pub(super) fn leaf(&mut self) -> Result<LeafIndex, RowError> {
        Ok(LeafIndex(self.u64()?))
    }

    pub(super) fn maybe(&mut self) -> Result<Option<LeafIndex>, RowError> {
        Ok(match self.u64()? {
            u64::MAX => None,
            leaf => Some(LeafIndex(leaf)),
        })
    }

    pub(super) fn seq(&mut self) -> Result<StreamSeq, RowError> {
        StreamSeq::new(self.u64()?).ok_or_else(|| self.bad("stream number"))
    }

    pub(super) fn id(&mut self) -> Result<EnvelopeId, RowError> {
        Ok(EnvelopeId(self.array()?))
    }

    pub(super) fn incarnation(&mut self) -> Result<Incarnation, RowError> {
        Ok(Incarnation(self.u64()?))
    }

    pub(super) fn precedence(&mut self) -> Result<v1::Precedence, RowError> {
        let value = self.u8()?;
        v1::Precedence::try_from(i32::from(value)).map_err(|_| self.bad("precedence"))
    }

    pub(super) fn party(&mut self) -> Result<PartyCode, RowError> {
        let filled: [u8; 16] = self.array()?;
        let end = filled.iter().position(|&b| b == 0).unwrap_or(16);
        let (text, zeros) = filled.split_at(end);
        let code = std::str::from_utf8(text)
            .ok()
            .and_then(|text| PartyCode::new(text).ok());
        match code {
            Some(code) if zeros.iter().all(|&b| b == 0) => Ok(code),
            _ => Err(self.bad("party")),
        }
    }

    /// What is left: for the last field.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    pub(super) fn end(self) -> Result<(), RowError> {
        match self.rest.is_empty() {
            true => Ok(()),
            false => Err(self.bad("length")),
        }
    }
}
