use super::{ReadError, Reader, Shared, cosigned::Spot};
use crate::{
    Access, Disk,
    journal::{
        OpenError,
        format::Keys,
        frame::Frame,
        segments::Segment,
        walk::{At, Visitor, walk_sealed},
    },
};
use std::sync::Arc;

/// Reads sealed segments whole, oldest first, one with each step: every byte, the chain of batches,
/// the root in each commit frame. Changes nothing. A start reads only the newest two so.
pub struct SealedCheck<D: Disk> {
    shared: Arc<Shared<D>>,
    segments: Vec<Segment>,
    next: usize,
}

/// A sealed segment that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedSegment {
    /// The file, relative to the data directory.
    pub file: String,
    /// Leaves in it.
    pub leaves: u64,
}

impl<D: Disk> Reader<D> {
    /// The check of all segments that are sealed now.
    pub fn check_sealed(&self) -> SealedCheck<D> {
        SealedCheck {
            shared: Arc::clone(&self.shared),
            segments: self.shared.segments(),
            next: 0,
        }
    }
}

impl<D: Disk> Iterator for SealedCheck<D> {
    type Item = Result<CheckedSegment, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let [segment, following, ..] = self.segments.get(self.next..)? else {
            return None;
        };
        self.next += 1;
        let mut checked = walked(&self.shared, segment, following);
        if matches!(checked, Err(ReadError::Damaged { .. })) {
            // It may have been scrubbed meanwhile, and its old file wiped.
            checked = walked(&self.shared, segment, following);
        }
        Some(checked.map(|()| CheckedSegment {
            file: segment.path.clone(),
            leaves: following.first_index() - segment.first_index(),
        }))
    }
}

fn walked<D: Disk>(
    shared: &Shared<D>,
    segment: &Segment,
    following: &Segment,
) -> Result<(), ReadError> {
    let file = shared.disk.open(&segment.path, Access::Read);
    let file = file.map_err(|e| ReadError::io(&segment.path, e))?;
    let mut looks = Looks {
        keys: &shared.keys,
        cosigned: Vec::new(),
    };
    let walked = walk_sealed(file, &shared.keys, segment, &following.header, &mut looks);
    walked.map_err(|error| ReadError::from_walk(segment, error))?;
    shared.add_cosigned(looks.cosigned);
    Ok(())
}

/// Changes nothing, and remembers where cosigned checkpoints stand: a start reads only the newest.
struct Looks<'a> {
    keys: &'a Keys,
    cosigned: Vec<Spot>,
}

impl Visitor for Looks<'_> {
    fn record(&mut self, at: At<'_>, frame: &Frame, data: &[u8]) -> Result<(), OpenError> {
        if !frame.in_tree
            && let Some(said) = frame.outside(data, self.keys)
        {
            self.cosigned.extend(Spot::of(&said, at.segment, at.offset));
        }
        Ok(())
    }
}
