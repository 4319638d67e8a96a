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

#[cfg(test)]
mod tests {
    use super::*;
    use abeng_keys::SealSecret;
    use abeng_wire::{Incarnation, PartyCode};

    struct Counter(u8);

    impl Entropy for Counter {
        fn fill(&mut self, out: &mut [u8]) {
            for byte in out {
                self.0 = self.0.wrapping_mul(5).wrapping_add(29);
                *byte = self.0;
            }
            self.0 ^= 0x5a;
        }
    }

    struct Bench {
        cache: BoxCache,
        entropy: Counter,
        key: SealSecret,
        pair: Pair,
    }

    impl Bench {
        fn new() -> Self {
            let mut entropy = Counter(1);
            let key = SealSecret::generate(&mut entropy);
            let pair = Pair {
                originator: PartyCode::new("JM").unwrap(),
                incarnation: Incarnation(7),
                to: PartyCode::new("TT").unwrap(),
                kid: key.kid(),
            };
            Self {
                cache: BoxCache::new(),
                entropy,
                key,
                pair,
            }
        }

        fn take_as(&mut self, pair: Pair, own: Kid, now: Mono) -> [u8; BOX] {
            let Self {
                cache,
                entropy,
                key,
                ..
            } = self;
            *cache.take(key.public(), pair, own, now, entropy).unwrap().1
        }

        fn take(&mut self, now: Mono) -> [u8; BOX] {
            self.take_as(self.pair, Kid([1; 32]), now)
        }
    }

    #[test]
    fn a_box_lives_ten_minutes() {
        let mut b = Bench::new();
        let start = Mono(1_000);
        let first = b.take(start);
        let end = start.plus_ms(BoxCache::LONGEST_MS);
        assert_eq!(b.take(Mono(end.0 - 1)), first);
        let second = b.take(end);
        assert_ne!(second, first);
        assert_eq!(b.take(end), second);
        assert_ne!(
            b.take(start),
            second,
            "a clock that went back proves nothing"
        );
    }

    #[test]
    fn a_box_stands_in_1024_envelopes() {
        let mut b = Bench::new();
        let first = b.take(Mono(0));
        for _ in 1..BoxCache::MOST_USES {
            assert_eq!(b.take(Mono(0)), first);
        }
        assert_ne!(b.take(Mono(0)), first);
    }

    #[test]
    fn a_box_is_for_one_pair_of_keys_and_one_life() {
        let mut b = Bench::new();
        let first = b.take(Mono(0));
        let own = b.take_as(b.pair, Kid([2; 32]), Mono(0));
        assert_ne!(own, first, "own key changed");
        let next_life = Pair {
            incarnation: Incarnation(8),
            ..b.pair
        };
        let life = b.take_as(next_life, Kid([2; 32]), Mono(0));
        assert_ne!(life, own, "incarnation changed");
        b.key = SealSecret::generate(&mut b.entropy);
        b.pair.kid = b.key.kid();
        assert_ne!(b.take(Mono(0)), first, "recipient's key changed");
        let mut restarted = Bench::new();
        restarted.entropy.0 = 99;
        assert_ne!(restarted.take(Mono(0)), first, "restart");
    }

    #[test]
    fn old_boxes_do_not_pile_up() {
        let mut b = Bench::new();
        for i in 0..8 {
            b.pair.kid = Kid([i; 32]);
            b.take(Mono(0).plus_ms(u64::from(i) * BoxCache::LONGEST_MS));
        }
        assert_eq!(b.cache.boxes.len(), 1);
    }

    #[test]
    fn what_is_opened_is_bounded_and_can_be_forgotten() {
        let mut opened = OpenedBoxes::new(3);
        let lk = |i| Zeroizing::new([i; 32]);
        for i in 0..5u8 {
            opened.put([i; 32], Kid([i % 2; 32]), lk(i));
        }
        assert_eq!(opened.len(), 3);
        assert!(opened.get(&[1; 32]).is_none(), "the oldest went first");
        assert_eq!(opened.get(&[4; 32]), Some(&lk(4)));
        opened.forget(&Kid([0; 32]));
        assert_eq!(opened.len(), 1);
        assert_eq!(opened.get(&[3; 32]), Some(&lk(3)));
        for i in 5..8u8 {
            opened.put([i; 32], Kid([1; 32]), lk(i));
        }
        assert_eq!(opened.len(), 3, "forgetting leaves no ghosts in the order");
        let mut none = OpenedBoxes::new(0);
        none.put([1; 32], Kid([1; 32]), lk(1));
        assert!(none.is_empty());
    }

    #[test]
    fn no_secret_shows() {
        let mut b = Bench::new();
        b.take(Mono(0));
        let mut opened = OpenedBoxes::default();
        opened.put([1; 32], Kid([1; 32]), Zeroizing::new([0xab; 32]));
        assert_eq!(
            format!("{:?} {opened:?}", b.cache),
            "BoxCache of 1 OpenedBoxes 1 of 4096"
        );
    }
}
