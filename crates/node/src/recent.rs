//! Envelopes submitted here lately, whole, so that forwarding and checking receipts need no disk.

use abeng_wire::{
    Digest, EnvelopeId, Incarnation, LeafIndex, Millis, PartyCode, StreamSeq, v1::Precedence,
};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

/// Bytes of envelopes that are kept; older ones are read from the journal.
const KEPT_BYTES: usize = 12 << 20;

/// One envelope of ours.
#[derive(Debug)]
pub struct SentEnvelope {
    /// Its id.
    pub id: EnvelopeId,
    /// The encoded envelope, as it travels; empty where its content is scrubbed.
    pub frame: Bytes,
    /// The life of this log that it was sealed in.
    pub incarnation: Incarnation,
    /// How urgent.
    pub precedence: Precedence,
    /// When it stops being offered.
    pub expires_at: Millis,
    /// For whom, in PRE's order; the Queued leaf of the n-th stands n + 1 after the Submitted leaf.
    pub to: Vec<SentTo>,
}

/// One recipient of an envelope of ours.
#[derive(Debug, Clone)]
pub struct SentTo {
    /// Who.
    pub party: PartyCode,
    /// The number in that stream.
    pub seq: StreamSeq,
    /// What PRE commits to it with.
    pub seq_commit: Digest,
}

/// A bounded set of them, oldest out first.
#[derive(Default)]
pub struct Recent {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    by_leaf: BTreeMap<LeafIndex, Arc<SentEnvelope>>,
    by_id: HashMap<EnvelopeId, LeafIndex>,
    bytes: usize,
}

impl Recent {
    /// Keeps one that is durable at `submitted`.
    pub fn keep(&self, submitted: LeafIndex, sent: Arc<SentEnvelope>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.bytes += sent.frame.len();
        inner.by_id.insert(sent.id, submitted);
        if let Some(same) = inner.by_leaf.insert(submitted, sent) {
            inner.bytes -= same.frame.len();
        }
        while inner.bytes > KEPT_BYTES {
            let Some((_, old)) = inner.by_leaf.pop_first() else {
                break;
            };
            inner.bytes -= old.frame.len();
            inner.by_id.remove(&old.id);
        }
    }

    /// Drops one whose content is scrubbed.
    pub fn forget(&self, submitted: LeafIndex) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gone) = inner.by_leaf.remove(&submitted) {
            inner.bytes -= gone.frame.len();
            inner.by_id.remove(&gone.id);
        }
    }

    /// By its Submitted leaf.
    pub fn at(&self, submitted: LeafIndex) -> Option<Arc<SentEnvelope>> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.by_leaf.get(&submitted).cloned()
    }

    /// By its id.
    pub fn of(&self, id: &EnvelopeId) -> Option<(LeafIndex, Arc<SentEnvelope>)> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let leaf = *inner.by_id.get(id)?;
        inner.by_leaf.get(&leaf).map(|sent| (leaf, sent.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(n: u8, size: usize) -> Arc<SentEnvelope> {
        Arc::new(SentEnvelope {
            incarnation: Incarnation(1),
            id: EnvelopeId([n; 32]),
            frame: vec![0; size].into(),
            precedence: Precedence::Routine,
            expires_at: 0,
            to: Vec::new(),
        })
    }

    #[test]
    fn the_oldest_go_first_and_the_bytes_stay_bounded() {
        let recent = Recent::default();
        for n in 0..5 {
            recent.keep(LeafIndex(u64::from(n)), envelope(n, KEPT_BYTES / 4));
        }
        assert!(recent.at(LeafIndex(0)).is_none());
        assert!(recent.of(&EnvelopeId([0; 32])).is_none());
        assert_eq!(recent.of(&EnvelopeId([4; 32])).unwrap().0, LeafIndex(4));
        assert_eq!(recent.inner.lock().unwrap().by_leaf.len(), 4);
        assert_eq!(recent.inner.lock().unwrap().by_id.len(), 4);
        recent.forget(LeafIndex(4));
        assert!(recent.at(LeafIndex(4)).is_none() && recent.of(&EnvelopeId([4; 32])).is_none());
        assert_eq!(recent.inner.lock().unwrap().bytes, 3 * (KEPT_BYTES / 4));
    }
}
