use super::{ReadError, Shared, Stored};
use crate::{
    Disk,
    journal::{
        format::{BatchHeader, HEADER, PAGE},
        frame::{FRAME, Frame},
        segments::Segment,
        walk::Window,
    },
};
use abeng_wire::LeafIndex;
use std::{collections::VecDeque, sync::Arc};

/// Records in order; see [`Reader::scan`](super::Reader::scan). Ends at the first error.
pub struct Scan<D: Disk> {
    shared: Arc<Shared<D>>,
    next: u64,
    size: u64,
    segment: usize,
    offset: u64,
    window: Option<(Segment, Window<Arc<D::File>>)>,
    ready: VecDeque<Stored>,
    reopened: bool,
}

impl<D: Disk> Scan<D> {
    pub(super) fn new(shared: Arc<Shared<D>>, segment: usize, next: u64, size: u64) -> Self {
        Self {
            shared,
            next,
            size,
            segment,
            offset: PAGE,
            window: None,
            ready: VecDeque::new(),
            reopened: false,
        }
    }

    /// Begins at a batch, if there is one, and not one too far.
    pub(super) fn skip_to(&mut self, offset: u64) {
        if matches!(self.header_at(offset), Ok(Some(header)) if header.first <= self.next) {
            self.offset = offset;
        }
    }

    fn header_at(&mut self, offset: u64) -> Result<Option<BatchHeader>, ReadError> {
        if self.window.is_none() {
            let segment = self.shared.state().segments.get(self.segment).cloned();
            let Some(segment) = segment else {
                return Ok(None);
            };
            let file = self.shared.file(&segment)?;
            let window = Window::new(file, segment.header.bytes);
            self.window = Some((segment, window));
        }
        let Some((segment, window)) = &mut self.window else {
            return Ok(None);
        };
        let head = window.get(offset, HEADER);
        let head = head.map_err(|e| ReadError::io(&segment.path, e))?;
        let ordinal = segment.header.ordinal;
        Ok(BatchHeader::decode(
            head,
            &self.shared.keys,
            ordinal,
            offset,
        ))
    }

    /// Takes the next batch. What does not hold is looked at again, once, in the file that bears
    /// the segment's name now: scrubbing puts another in its place and wipes the old one.
    fn advance(&mut self) -> Result<bool, ReadError> {
        let found = self.next_batch();
        if matches!(found, Err(ReadError::Damaged { .. }))
            && !self.reopened
            && let Some((segment, _)) = self.window.take()
        {
            self.reopened = true;
            self.shared.forget(&segment);
            return Ok(true);
        }
        self.reopened &= found.is_err();
        found
    }

    /// Takes the next batch; false at the end of what is there.
    fn next_batch(&mut self) -> Result<bool, ReadError> {
        let Some(header) = self.header_at(self.offset)? else {
            let following = self.shared.state().segments.get(self.segment + 1).cloned();
            // A later segment begins where this one really ends.
            let at = self.offset;
            let Some((segment, _)) = &self.window else {
                return Ok(false);
            };
            if following.is_none_or(|f| f.first_index() > self.next) {
                let what = "the batch that belongs here is missing or damaged";
                return Err(ReadError::damage(segment, at, what));
            }
            self.window = None;
            self.segment += 1;
            self.offset = PAGE;
            return Ok(true);
        };
        let after = header.first + u64::from(header.leaves);
        if header.first > self.next
            && let Some((segment, _)) = &self.window
        {
            let what = "the batch here does not follow the one before it";
            return Err(ReadError::damage(segment, self.offset, what));
        }
        if after > self.next {
            self.take(&header)?;
        }
        self.offset += header.length;
        Ok(true)
    }

    fn take(&mut self, header: &BatchHeader) -> Result<(), ReadError> {
        let Some((segment, window)) = &mut self.window else {
            return Ok(());
        };
        let bytes = window.get(self.offset, header.length as usize);
        let bytes = bytes.map_err(|e| ReadError::io(&segment.path, e))?;
        let end = (HEADER + header.content as usize).min(bytes.len());
        let mut at = HEADER;
        let mut index = header.first;
        while at < end {
            let wrong = || {
                let what = "a record's checksum does not hold";
                ReadError::damage(segment, self.offset + at as u64, what)
            };
            let frame = Frame::decode(&bytes[at..end]).ok_or_else(wrong)?;
            let data = at + FRAME..at + FRAME + frame.data_len();
            let part = bytes.get(data.clone()).ok_or_else(wrong)?;
            if frame.in_tree {
                if frame.index != index || frame.check(part).is_err() {
                    return Err(wrong());
                }
                if index >= self.next && index < self.size {
                    let record = frame.record(part, &self.shared.keys);
                    let record = record.map_err(|what| {
                        ReadError::damage(segment, self.offset + at as u64, &what)
                    })?;
                    let index = LeafIndex(index);
                    self.ready.push_back(Stored { index, record });
                }
                index += 1;
            }
            at = data.end;
        }
        Ok(())
    }
}

impl<D: Disk> Iterator for Scan<D> {
    type Item = Result<Stored, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            if self.next >= self.size {
                return None;
            }
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(e) => {
                    self.next = self.size;
                    return Some(Err(e));
                }
            }
        }
        let stored = self.ready.pop_front()?;
        self.next = stored.index.0 + 1;
        Some(Ok(stored))
    }
}
