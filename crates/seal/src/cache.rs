//! A BOX costs two orders of magnitude more than the rest of a stanza, so it is sent again for a
//! little while, and its opening is remembered.
//!
//! It is one ciphertext sent again: no nonce and no context is used twice, since every SLOT has
//! a key of its own. The cost: who learns one LK can open every notice that went with its BOX,
//! at most [`BoxCache::MOST_USES`] of one pair.

use crate::{
    derive::{Secret, sha256},
    stanza::{BOX, HpkeFailed, Pair, seal_box},
};
use abeng_keys::{Entropy, SealPublic};
use abeng_wire::{Hash32, Kid, Mono};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
};
use zeroize::Zeroizing;

/// The sender's side: the BOX in use for each recipient's seal key. Lives in memory only, so
/// that no BOX outlives a restart.
#[derive(Default)]
pub struct BoxCache {
    boxes: BTreeMap<Kid, Sent>,
}

struct Sent {
    pair: Pair,
    own_key: Kid,
    made: Mono,
    uses: u32,
    lk: Secret,
    sealed: [u8; BOX],
}

impl BoxCache {
    /// How long one BOX may be sent again, in milliseconds.
    pub const LONGEST_MS: u64 = 10 * 60 * 1000;
    /// In how many envelopes one BOX may stand.
    pub const MOST_USES: u32 = 1024;

    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// The BOX to use now and its LK: the last one while its bounds allow, else a new one.
    /// `own_key` is the key that will sign the envelope. Counts as a use.
    pub(crate) fn take(
        &mut self,
        key: &SealPublic,
        pair: Pair,
        own_key: Kid,
        now: Mono,
        entropy: &mut dyn Entropy,
    ) -> Result<(&Secret, &[u8; BOX]), HpkeFailed> {
        let good = |sent: &Sent| sent.pair == pair && sent.own_key == own_key && sent.usable(now);
        if !self.boxes.get(&pair.kid).is_some_and(good) {
            // Also what keeps the cache small: no entry outlives its ten minutes by much.
            self.boxes.retain(|_, sent| sent.usable(now));
            let mut lk = Zeroizing::new([0; 32]);
            entropy.fill(&mut lk[..]);
            let sealed = seal_box(key, &pair, &lk, entropy)?;
            let fresh = Sent {
                pair,
                own_key,
                made: now,
                uses: 0,
                lk,
                sealed,
            };
            self.boxes.insert(pair.kid, fresh);
        }
        let sent = self.boxes.get_mut(&pair.kid).ok_or(HpkeFailed)?;
        sent.uses += 1;
        Ok((&sent.lk, &sent.sealed))
    }
}

impl Sent {
    fn usable(&self, now: Mono) -> bool {
        self.uses < BoxCache::MOST_USES
            && self.made <= now
            && now < self.made.plus_ms(BoxCache::LONGEST_MS)
    }
}

impl fmt::Debug for BoxCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BoxCache of {}", self.boxes.len())
    }
}

/// The recipient's side: BOXes opened lately and their LK, the oldest forgotten first.
///
/// The digest that names one covers BOX *and* what it is bound to, so that a BOX under another
/// originator, incarnation or recipient is never found here and goes through HPKE, which refuses
/// it.
pub struct OpenedBoxes {
    capacity: usize,
    known: BTreeMap<Hash32, (Kid, Secret)>,
    oldest_first: VecDeque<Hash32>,
}

impl OpenedBoxes {
    /// BOXes remembered unless said otherwise.
    pub const CAPACITY: usize = 4096;

    /// Remembers at most `capacity` BOXes; with 0 none.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            known: BTreeMap::new(),
            oldest_first: VecDeque::new(),
        }
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Forgets every BOX for one seal key: call it when that key is destroyed.
    pub fn forget(&mut self, kid: &Kid) {
        self.known.retain(|_, (of, _)| of != kid);
        self.oldest_first
            .retain(|name| self.known.contains_key(name));
    }

    pub(crate) fn name(info: &[u8], sealed: &[u8; BOX]) -> Hash32 {
        sha256(&[info, sealed].concat())
    }

    pub(crate) fn get(&self, name: &Hash32) -> Option<&Secret> {
        self.known.get(name).map(|(_, lk)| lk)
    }

    pub(crate) fn put(&mut self, name: Hash32, kid: Kid, lk: Secret) {
        if self.capacity == 0 {
            return;
        }
        while self.known.len() >= self.capacity {
            let Some(oldest) = self.oldest_first.pop_front() else {
                break;
            };
            self.known.remove(&oldest);
        }
        if self.known.insert(name, (kid, lk)).is_none() {
            self.oldest_first.push_back(name);
        }
    }
}

impl Default for OpenedBoxes {
    fn default() -> Self {
        Self::new(Self::CAPACITY)
    }
}

impl fmt::Debug for OpenedBoxes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenedBoxes {} of {}", self.known.len(), self.capacity)
    }
}
