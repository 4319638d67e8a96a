//! Rows newer than the view, in memory.
//!
//! Changes are gathered in generations, each small enough to be one atomic write of the view and
//! each ending at a leaf: so the view is always exactly the fold of the leaves below its
//! position, whenever the process ends. A row that is made and deleted before its generation is
//! taken is dropped from it: the deletion's leaf is durable, so the row could only come back in
//! order to be deleted again.

use crate::{
    rows::{AppliedRow, RowChange},
    view::{Applied, BATCH, RowPair, RowSource, View, ViewError},
};
use abeng_wire::{Incarnation, LeafIndex};
use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
};

/// A generation is closed when it has so many rows. One leaf changes at most nine, but a ScrubBegun
/// leaf two for each record that it names and one more.
const GENERATION: usize = BATCH - 40;

type Value = Option<Vec<u8>>;

/// One batch for [`View::apply`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlayBatch {
    /// Changes with sorted, unique keys, fewer than [`BATCH`](crate::view::BATCH).
    pub changes: Vec<RowChange>,
    /// How far the view comes with them.
    pub applied: Applied,
}

#[derive(Debug)]
struct Newest {
    value: Value,
    // The generation that holds this value.
    generation: u64,
    // The key is in no view, and in no generation but this one.
    fresh: bool,
}

#[derive(Debug)]
struct Generation {
    number: u64,
    rows: BTreeMap<Vec<u8>, Value>,
    // Leaves from `first` and below `end`.
    first: LeafIndex,
    end: LeafIndex,
}

/// Rows newer than the view. Reads ask it first; the view thread takes from it what is oldest.
#[derive(Debug)]
pub struct Overlay {
    incarnation: Incarnation,
    newest: BTreeMap<Vec<u8>, Newest>,
    // Oldest first; the first may be taken, and stays until it is written.
    generations: VecDeque<Generation>,
    taken: bool,
    next_number: u64,
    end: LeafIndex,
}

impl Overlay {
    /// Over a view that has come to `position`.
    pub fn new(incarnation: Incarnation, position: LeafIndex) -> Self {
        Self {
            incarnation,
            newest: BTreeMap::new(),
            generations: VecDeque::new(),
            taken: false,
            next_number: 0,
            end: position,
        }
    }

    /// The first leaf that is neither here nor in the view.
    pub fn position(&self) -> LeafIndex {
        self.end
    }

    /// Rows held.
    pub fn rows(&self) -> usize {
        self.newest.len()
    }

    /// Whether the view holds everything.
    pub fn is_empty(&self) -> bool {
        self.generations.is_empty()
    }

    /// Adds the changes of the leaf at `index`, which must be the next one.
    pub fn put(&mut self, index: LeafIndex, changes: Vec<RowChange>) {
        assert_eq!(index, self.end, "leaves are folded in order, each once");
        let number = self.young(index);
        for change in changes {
            self.change(number, change);
        }
        self.end = LeafIndex(index.0 + 1);
        if let Some(young) = self.generations.back_mut() {
            young.end = self.end;
        }
    }

    /// The generation that still grows; a new one if there is none.
    fn young(&mut self, index: LeafIndex) -> u64 {
        let only_taken = self.taken && self.generations.len() == 1;
        let is_full = |g: &Generation| g.rows.len() >= GENERATION;
        match self.generations.back() {
            Some(last) if !only_taken && !is_full(last) => last.number,
            _ => {
                let number = self.next_number;
                self.next_number += 1;
                self.generations.push_back(Generation {
                    number,
                    rows: BTreeMap::new(),
                    first: index,
                    end: index,
                });
                number
            }
        }
    }

    fn change(&mut self, number: u64, change: RowChange) {
        let RowChange { key, value, fresh } = change;
        let before = self.newest.get(&key);
        let was_fresh = before.filter(|b| b.fresh && !self.is_taken(b));
        let only_in = was_fresh.map(|b| b.generation);
        if let (Some(only), None) = (only_in, &value) {
            self.newest.remove(&key);
            if let Some(generation) = self.generation(only) {
                generation.rows.remove(&key);
            }
            return;
        }
        // An older generation keeps its own value: the view must be able to stop there.
        let fresh = match before {
            None => fresh,
            Some(_) => only_in == Some(number),
        };
        let newest = Newest {
            value: value.clone(),
            generation: number,
            fresh,
        };
        self.newest.insert(key.clone(), newest);
        if let Some(young) = self.generation(number) {
            young.rows.insert(key, value);
        }
    }

    fn is_taken(&self, newest: &Newest) -> bool {
        let first = self.generations.front().map(|g| g.number);
        self.taken && first == Some(newest.generation)
    }

    fn generation(&mut self, number: u64) -> Option<&mut Generation> {
        let first = self.generations.front()?.number;
        self.generations.get_mut((number - first) as usize)
    }

    /// The newest word on a key: `None` if only the view knows, `Some(None)` if it is deleted.
    pub fn get(&self, key: &[u8]) -> Option<Option<Vec<u8>>> {
        self.newest.get(key).map(|newest| newest.value.clone())
    }

    /// The oldest batch, if a leaf below `position` is in it. It stays readable here until
    /// [`Self::written`]; until then there is no further one.
    pub fn take_older(&mut self, position: LeafIndex) -> Option<OverlayBatch> {
        let first = self.generations.front()?;
        if self.taken || first.first >= position {
            return None;
        }
        self.taken = true;
        let change = |(key, value): (&Vec<u8>, &Value)| RowChange {
            key: key.clone(),
            value: value.clone(),
            fresh: false,
        };
        Some(OverlayBatch {
            changes: first.rows.iter().map(change).collect(),
            applied: Applied {
                position: first.end,
                incarnation: self.incarnation,
            },
        })
    }

    /// The view holds the batch that was taken.
    pub fn written(&mut self) {
        if !std::mem::take(&mut self.taken) {
            return;
        }
        let Some(done) = self.generations.pop_front() else {
            return;
        };
        for key in done.rows.keys() {
            if self
                .newest
                .get(key)
                .is_some_and(|n| n.generation == done.number)
            {
                self.newest.remove(key);
            }
        }
    }

    /// [`View::scan`] over the view as it will be once everything here is written.
    pub fn scan(
        &self,
        view: &dyn ScanView,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<RowPair>, ViewError> {
        if from >= to || limit == 0 {
            return Ok(Vec::new());
        }
        let bounds = (Bound::Included(from), Bound::Excluded(to));
        let range = || self.newest.range::<[u8], _>(bounds);
        // Each row here hides at most one of the view.
        let hidden = range().count();
        let below = view.scan_rows(from, to, reverse, limit.saturating_add(hidden))?;
        let mut rows: BTreeMap<Vec<u8>, Vec<u8>> = below.into_iter().collect();
        for (key, newest) in range() {
            match &newest.value {
                Some(value) => _ = rows.insert(key.clone(), value.clone()),
                None => _ = rows.remove(key),
            }
        }
        let rows = rows.into_iter();
        Ok(match reverse {
            false => rows.take(limit).collect(),
            true => rows.rev().take(limit).collect(),
        })
    }

    /// Both as one source for [`fold`](crate::fold()).
    pub fn over<'a>(&'a self, view: &'a dyn ScanView) -> Layered<'a> {
        Layered {
            overlay: self,
            view,
        }
    }
}

/// The reading half of a [`View`], which can be made an object.
pub trait ScanView {
    /// [`View::get`].
    fn get_row(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError>;
    /// [`View::scan`].
    fn scan_rows(
        &self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<RowPair>, ViewError>;
}

impl<V: View> ScanView for V {
    fn get_row(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        self.get(key)
    }

    fn scan_rows(
        &self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<RowPair>, ViewError> {
        self.scan(from, to, reverse, limit)
    }
}

/// A view behind its overlay.
pub struct Layered<'a> {
    overlay: &'a Overlay,
    view: &'a dyn ScanView,
}

impl RowSource for Layered<'_> {
    fn row(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        debug_assert_ne!(key, AppliedRow::KEY, "the position is the view's own");
        match self.overlay.get(key) {
            Some(value) => Ok(value),
            None => self.view.get_row(key),
        }
    }
}
