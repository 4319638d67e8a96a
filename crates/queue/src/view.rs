//! Where rows are kept: the `View` trait and the view in memory.

use crate::rows::{AppliedRow, RowChange, RowError};
use std::collections::BTreeMap;

/// How far a view has come: the log's incarnation and the first leaf it does not hold.
pub type Applied = AppliedRow;

/// A key and its value.
pub type RowPair = (Vec<u8>, Vec<u8>);

/// The most operations that a view writes at once: larger batches of sled cost gigabytes.
pub const BATCH: usize = 256;

/// Why a view cannot answer. The node throws the view away and folds it again.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The database panicked; what it holds is not to be trusted.
    #[error("the view's database panicked while {doing}: {message}; it will be rebuilt")]
    Panicked {
        /// The operation.
        doing: &'static str,
        /// The panic's words.
        message: String,
    },
    /// The database answered with an error.
    #[error("the view's database failed while {doing}: {message}; it will be rebuilt")]
    Database {
        /// The operation.
        doing: &'static str,
        /// The database's words.
        message: String,
    },
    /// The view failed before and has answered nothing since.
    #[error("the view failed before; it will be rebuilt")]
    Bad,
    /// The directory cannot be read or written.
    #[error("the view's directory `{path}` cannot be used: {source}")]
    Directory {
        /// The path.
        path: String,
        /// The system's word.
        source: std::io::Error,
    },
    /// A row does not decode.
    #[error("the view holds a bad row: {0}")]
    Row(#[from] RowError),
}

/// Something that rows can be read from: a view, or a view behind its overlay.
pub trait RowSource {
    /// The value of a key.
    fn row(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError>;
}

/// A place for rows that may be deleted and folded again at any time.
pub trait View: Send {
    /// How far it has come; `None` when nothing was ever applied, or a large batch was torn.
    fn applied(&self) -> Result<Option<Applied>, ViewError>;

    /// Writes changes, whose keys are sorted and unique, together with the position. Up to
    /// [`BATCH`] − 1 changes are one atomic write. More are split, and the position is absent
    /// until the last part, so that a view torn between them is rebuilt.
    fn apply(&mut self, changes: &[RowChange], applied: Applied) -> Result<(), ViewError>;

    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError>;

    /// At most `limit` rows of `from <= key < to` in key order, or from the end with `reverse`.
    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<RowPair>, ViewError>;

    /// Ends the view so that the next opening may trust it after a reboot.
    fn close(self) -> Result<(), ViewError>
    where
        Self: Sized;
}

/// A view in memory: for tests, and for the first fold of a rebuild.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct MemView {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl MemView {
    /// An empty view.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every row, in key order.
    pub fn rows(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.rows.iter().map(|(k, v)| (&k[..], &v[..]))
    }

    /// Sets a row to any bytes: for tests that garble a view.
    pub fn garble(&mut self, key: &[u8], value: Option<Vec<u8>>) {
        match value {
            Some(value) => self.rows.insert(key.to_vec(), value),
            None => self.rows.remove(key),
        };
    }
}

impl RowSource for MemView {
    fn row(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        self.get(key)
    }
}

impl View for MemView {
    fn applied(&self) -> Result<Option<Applied>, ViewError> {
        let row = self.rows.get(AppliedRow::KEY);
        Ok(row.map(|v| AppliedRow::decode(v)).transpose()?)
    }

    fn apply(&mut self, changes: &[RowChange], applied: Applied) -> Result<(), ViewError> {
        for change in changes {
            self.garble(&change.key, change.value.clone());
        }
        self.rows.insert(AppliedRow::KEY.to_vec(), applied.encode());
        Ok(())
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        Ok(self.rows.get(key).cloned())
    }

    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<RowPair>, ViewError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let range = self.rows.range(from.to_vec()..to.to_vec());
        let pair = |(k, v): (&Vec<u8>, &Vec<u8>)| (k.clone(), v.clone());
        Ok(match reverse {
            false => range.take(limit).map(pair).collect(),
            true => range.rev().take(limit).map(pair).collect(),
        })
    }

    fn close(self) -> Result<(), ViewError> {
        Ok(())
    }
}
