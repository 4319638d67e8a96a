//! Carrying a log over to the log of a newer life of the same party: every leaf but the first at
//! its own index, with nothing changed but the life that it names. So every statement about an
//! index, every private commitment and every scrub stays true, and whoever has both logs can see that
//! nothing was left out. Leaf 0 of the newer log opens it; it names the older one.

use crate::{Batch, Disk, Fatal, Journal, Outside, ReadError, Reader, Record, Step};
use abeng_wire::{Incarnation, LeafIndex, SignedBytes};

/// Bytes of records that are written at a time.
const AT_ONCE: usize = 4 << 20;

/// Why a log was not carried over. The older one is as it was.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// The older log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The newer log cannot be written.
    #[error(transparent)]
    Write(#[from] Fatal),
    /// The newer log holds more than its first leaf, or the older one holds none.
    #[error(
        "a log is carried over into one that holds its first leaf alone, and this one holds {size}"
    )]
    NotNew {
        /// Its leaves.
        size: u64,
    },
}

impl Record {
    /// The same record in the log of another life: everything beside the leaf stays as it is.
    fn in_life(self, life: Incarnation) -> Self {
        let mut leaf = self.leaf().message().clone();
        leaf.incarnation = life.0;
        self.with_leaf(SignedBytes::of(leaf))
    }
}

/// Carries `old` over into `new`, which holds the leaf that opens `life`. Of the statements
/// outside the tree those about the logs of others go along: what this party has witnessed binds
/// it in every life. `told` hears of every leaf.
pub fn carry_over<D: Disk, E: Disk>(
    old: &Reader<D>,
    outside: Vec<Outside>,
    mut new: Journal<E>,
    life: Incarnation,
    mut told: impl FnMut(u64),
) -> Result<Journal<E>, CarryError> {
    if new.size() != 1 || old.size() == 0 {
        return Err(CarryError::NotNew { size: new.size() });
    }
    let of_others = |said: &Outside| {
        matches!(
            said,
            Outside::HeldCheckpoint { .. } | Outside::Witnessed { .. }
        )
    };
    let mut batch = Batch {
        steps: Vec::new(),
        outside: outside.into_iter().filter(of_others).collect(),
    };
    let mut bytes = 0;
    for stored in old.scan(LeafIndex(1)) {
        let record = stored?.record.in_life(life);
        let part = |p: Option<&bytes::Bytes>| p.map_or(0, bytes::Bytes::len);
        bytes += record.leaf().bytes().len()
            + part(record.proof_bytes())
            + part(record.private_bytes())
            + part(record.body_bytes());
        batch.steps.push(Step::<()> {
            facts: vec![record],
            gated: Vec::new(),
        });
        if bytes >= AT_ONCE {
            (new, bytes) = (new.append(std::mem::take(&mut batch))?.0, 0);
            told(new.size());
        }
    }
    let (new, _) = new.append(batch)?;
    told(new.size());
    match new.size() == old.size() {
        true => Ok(new),
        false => Err(CarryError::NotNew { size: new.size() }),
    }
}
