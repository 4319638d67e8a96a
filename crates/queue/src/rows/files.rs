//! Attachments: which files belong to a record, which have come, where a file is named.

use super::{
    RowError,
    codec::{Reader, Writer},
};
use abeng_audit_log::{ATTACHMENT, subject};
use abeng_wire::{Digest, EnvelopeId, Hash32, LeafIndex, PartyCode, encode, limits, v1};
use bytes::Bytes;

/// `'L' ‖ record`: the files of one record that has any, until its content is scrubbed. The
/// record is named by its Submitted leaf or its Received leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesRow {
    /// The envelope.
    pub envelope_id: EnvelopeId,
    /// Who sealed it.
    pub originator: PartyCode,
    /// In the order of TRL; at most [`limits::ATTACHMENTS`].
    pub files: Vec<FileState>,
}

/// One file of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileState {
    /// The root over its pieces.
    pub root: Hash32,
    /// Bytes of its ciphertext.
    pub length: u64,
    /// The Received leaf that says that it is here whole; never for what was sent from here.
    pub arrived: Option<LeafIndex>,
}

impl FileState {
    /// As a message names it.
    pub fn to_wire(&self) -> v1::AttachmentRef {
        v1::AttachmentRef {
            root: Bytes::copy_from_slice(&self.root),
            length: self.length,
        }
    }

    /// What the leaf about its arrival has as subject.
    pub fn subject(&self) -> Digest {
        subject(ATTACHMENT, &encode(&self.to_wire()))
    }
}

impl FilesRow {
    /// The letter that its keys start with.
    pub const PREFIX: u8 = b'L';
    const ROW: &'static str = "files";

    /// Its key.
    pub fn key(record: LeafIndex) -> Vec<u8> {
        Writer::key(Self::PREFIX).leaf(record).done()
    }

    /// The record that a key names.
    pub fn parse_key(key: &[u8]) -> Result<LeafIndex, RowError> {
        let mut reader = Reader::key(Self::ROW, Self::PREFIX, key)?;
        let record = reader.leaf()?;
        reader.end()?;
        Ok(record)
    }

    /// Whether all of them are here.
    pub fn is_complete(&self) -> bool {
        self.files.iter().all(|file| file.arrived.is_some())
    }

    /// Its value.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::value()
            .bytes(&self.envelope_id.0)
            .party(self.originator)
            .u16(self.files.len() as u16);
        for file in &self.files {
            out = out.bytes(&file.root).u64(file.length).maybe(file.arrived);
        }
        out.done()
    }

    /// Reads a value.
    pub fn decode(value: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::value(Self::ROW, value)?;
        let mut row = Self {
            envelope_id: reader.id()?,
            originator: reader.party()?,
            files: Vec::new(),
        };
        let count = usize::from(reader.u16()?);
        if count > limits::ATTACHMENTS {
            return Err(reader.bad("number of files"));
        }
        for _ in 0..count {
            row.files.push(FileState {
                root: reader.array()?,
                length: reader.u64()?,
                arrived: reader.maybe()?,
            });
        }
        reader.end()?;
        Ok(row)
    }
}

/// `'J' ‖ 0 ‖ record`: a delivered record some of whose files are not here yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedRow;

/// `'J' ‖ 1 ‖ root ‖ record`: a record that names a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedRow;

/// `'J' ‖ 2 ‖ record ‖ recipient`: which files of what was sent from here a recipient has proved
/// to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ArrivedRow {
    /// A bit for each file, the lowest for the first.
    pub files: u16,
}

const J: u8 = b'J';

impl WantedRow {
    const ROW: &'static str = "wanted";

    /// Its key.
    pub fn key(record: LeafIndex) -> Vec<u8> {
        Writer::key(J).u8(0).leaf(record).done()
    }

    /// The key behind all of them.
    pub fn end() -> Vec<u8> {
        vec![J, 1]
    }

    /// The record that a key names.
    pub fn parse_key(key: &[u8]) -> Result<LeafIndex, RowError> {
        let mut reader = Reader::key(Self::ROW, J, key)?;
        if reader.u8()? != 0 {
            return Err(reader.bad("kind"));
        }
        let record = reader.leaf()?;
        reader.end()?;
        Ok(record)
    }
}

impl NamedRow {
    const ROW: &'static str = "named";

    /// Its key.
    pub fn key(root: &Hash32, record: LeafIndex) -> Vec<u8> {
        Writer::key(J).u8(1).bytes(root).leaf(record).done()
    }

    /// The record that a key names.
    pub fn parse_key(key: &[u8]) -> Result<LeafIndex, RowError> {
        let mut reader = Reader::key(Self::ROW, J, key)?;
        if reader.u8()? != 1 {
            return Err(reader.bad("kind"));
        }
        let _: Hash32 = reader.array()?;
        let record = reader.leaf()?;
        reader.end()?;
        Ok(record)
    }
}

impl ArrivedRow {
    const ROW: &'static str = "arrived";

    /// Its key.
    pub fn key(submitted: LeafIndex, recipient: PartyCode) -> Vec<u8> {
        Writer::key(J).u8(2).leaf(submitted).party(recipient).done()
    }

    /// Whether the file at a place has been proved to be there.
    pub fn has(&self, nth: usize) -> bool {
        nth < limits::ATTACHMENTS && self.files >> nth & 1 == 1
    }

    /// How many have.
    pub fn count(&self) -> u32 {
        self.files.count_ones()
    }

    /// Its value.
    pub fn encode(&self) -> Vec<u8> {
        Writer::value().u16(self.files).done()
    }

    /// Reads a value.
    pub fn decode(value: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::value(Self::ROW, value)?;
        let row = Self {
            files: reader.u16()?,
        };
        reader.end()?;
        Ok(row)
    }
}

/// The value of rows that are all key.
pub(crate) fn mark() -> Vec<u8> {
    Writer::value().done()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(byte: u8, arrived: Option<LeafIndex>) -> FileState {
        FileState {
            root: [byte; 32],
            length: 17 + u64::from(byte),
            arrived,
        }
    }

    #[test]
    fn rows_go_there_and_back() {
        let row = FilesRow {
            envelope_id: EnvelopeId([7; 32]),
            originator: PartyCode::new("JM").unwrap(),
            files: vec![file(1, None), file(2, Some(LeafIndex(9)))],
        };
        assert_eq!(FilesRow::decode(&row.encode()).unwrap(), row);
        assert!(!row.is_complete());
        let arrived = ArrivedRow { files: 0b101 };
        assert_eq!(ArrivedRow::decode(&arrived.encode()).unwrap(), arrived);
        assert!(arrived.has(0) && !arrived.has(1) && arrived.has(2) && !arrived.has(16));
        assert_eq!(arrived.count(), 2);
        let record = LeafIndex(300);
        assert_eq!(FilesRow::parse_key(&FilesRow::key(record)).unwrap(), record);
        let key = WantedRow::key(record);
        assert_eq!(WantedRow::parse_key(&key).unwrap(), record);
        assert!(key < WantedRow::end());
        let named = NamedRow::key(&[5; 32], record);
        assert_eq!(NamedRow::parse_key(&named).unwrap(), record);
        assert!(WantedRow::parse_key(&named).is_err());
        assert!(named > WantedRow::end());
    }

    #[test]
    fn more_files_than_there_can_be_are_no_row() {
        let mut row = FilesRow {
            envelope_id: EnvelopeId([7; 32]),
            originator: PartyCode::new("JM").unwrap(),
            files: vec![file(1, None); limits::ATTACHMENTS],
        };
        assert!(FilesRow::decode(&row.encode()).is_ok());
        row.files.push(file(2, None));
        assert!(FilesRow::decode(&row.encode()).is_err());
    }
}
