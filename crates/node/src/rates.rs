//! How fast the path to each peer delivers, as links have measured it. In memory alone: after a
//! restart nothing is known until something large was sent.

use crate::shared::{Shared, lock};
use abeng_link::{Delivered, Link};
use abeng_wire::PartyCode;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

/// After so much busy time what was measured before counts half.
const HALF_S: f64 = 30.0;
/// With less busy time than this nothing is said.
const LEAST_S: f64 = 1.0;
/// With fewer bytes than this neither: a path's first window says nothing of its rate.
const LEAST_BYTES: f64 = 16_384.0;
/// How often links are looked at.
const EVERY: Duration = Duration::from_secs(10);

/// A rate, from samples of busy time: the newest half minute of it counts most.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measured {
    bytes: f64,
    seconds: f64,
}

impl Measured {
    /// What was delivered since the last sample.
    pub fn take(&mut self, sample: Delivered) {
        let seconds = sample.time.as_secs_f64();
        let kept = 0.5_f64.powf(seconds / HALF_S);
        self.bytes = self.bytes * kept + sample.bytes as f64;
        self.seconds = self.seconds * kept + seconds;
    }

    /// Bytes a second, once enough was measured. At least 1.
    pub fn per_s(&self) -> Option<u64> {
        let enough = self.seconds >= LEAST_S && self.bytes >= LEAST_BYTES;
        enough.then(|| ((self.bytes / self.seconds) as u64).max(1))
    }
}

/// The rates of all paths. As many as there are peers that were ever linked.
#[derive(Default)]
pub struct Rates {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    measured: BTreeMap<PartyCode, Measured>,
    /// What was counted of each session.
    counted: BTreeMap<(PartyCode, u64), Delivered>,
}

impl State {
    fn take(&mut self, peer: PartyCode, session: u64, whole: Delivered) {
        let counted = self.counted.entry((peer, session)).or_default();
        let sample = Delivered {
            // A connection that moves to another address begins to count anew.
            bytes: whole
                .bytes
                .checked_sub(counted.bytes)
                .unwrap_or(whole.bytes),
            time: whole.time.checked_sub(counted.time).unwrap_or(whole.time),
        };
        *counted = whole;
        self.measured.entry(peer).or_default().take(sample);
    }
}

impl Rates {
    /// Takes what a link has delivered since it was looked at last.
    pub fn look(&self, link: &Link) {
        lock(&self.state).take(link.peer(), link.session(), link.delivered());
    }

    /// The same, and nothing more comes of it.
    pub fn forget(&self, link: &Link) {
        let mut state = lock(&self.state);
        state.take(link.peer(), link.session(), link.delivered());
        state.counted.remove(&(link.peer(), link.session()));
    }

    /// Bytes a second to a peer, if measured.
    pub fn per_s(&self, peer: PartyCode) -> Option<u64> {
        lock(&self.state).measured.get(&peer)?.per_s()
    }
}

impl Shared {
    /// Bytes a second to a peer, as measured up to now.
    pub fn measured_rate(&self, peer: PartyCode) -> Option<u64> {
        if let Some(link) = self.links.link(peer) {
            self.rates.look(&link);
        }
        self.rates.per_s(peer)
    }
}

/// Looks at all links for as long as the node runs.
pub async fn work(shared: Arc<Shared>) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        for link in shared.links.linked() {
            shared.rates.look(&link);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivered(bytes: u64, ms: u64) -> Delivered {
        Delivered {
            bytes,
            time: Duration::from_millis(ms),
        }
    }

    #[test]
    fn nothing_is_said_before_enough_was_measured() {
        let mut rate = Measured::default();
        assert_eq!(rate.per_s(), None);
        rate.take(delivered(500_000, 900));
        assert_eq!(rate.per_s(), None, "too short");
        rate.take(delivered(50_000, 110));
        let per_s = rate.per_s().unwrap();
        assert!((540_000..=550_000).contains(&per_s), "{per_s}");
        let mut slow = Measured::default();
        for second in 0..60 {
            let told = slow.per_s();
            assert_eq!(told.is_some(), second >= 9, "{second}: {told:?}");
            slow.take(delivered(2_000, 1_000));
        }
        let per_s = slow.per_s().unwrap();
        assert!((1_990..=2_010).contains(&per_s), "{per_s}");
    }

    #[test]
    fn a_path_that_changes_is_known_as_it_is_now() {
        let mut rate = Measured::default();
        for _ in 0..600 {
            rate.take(delivered(1_000_000, 1_000));
        }
        for _ in 0..30 {
            rate.take(delivered(10_000, 1_000));
        }
        let half = rate.per_s().unwrap();
        assert!((480_000..530_000).contains(&half), "{half}");
        for _ in 0..270 {
            rate.take(delivered(10_000, 1_000));
        }
        let now = rate.per_s().unwrap();
        assert!((10_000..12_000).contains(&now), "{now}");
        // Idle time takes nothing away.
        for _ in 0..1_000 {
            rate.take(delivered(0, 0));
        }
        assert_eq!(rate.per_s(), Some(now));
    }

    #[test]
    fn each_session_counts_from_where_it_was_and_a_new_one_from_its_beginning() {
        let jm = PartyCode::new("JM").unwrap();
        let mut state = State::default();
        state.take(jm, 1, delivered(1_000_000, 1_000));
        state.take(jm, 1, delivered(1_000_000, 1_000));
        assert_eq!(state.measured[&jm].per_s(), Some(1_000_000), "once");
        state.take(jm, 2, delivered(100, 1_000));
        let per_s = state.measured[&jm].per_s().unwrap();
        assert!(per_s < 520_000, "{per_s}");
        // On another address the connection begins at nothing.
        state.take(jm, 1, delivered(3_000_000, 1_000 / 2));
        let per_s = state.measured[&jm].per_s().unwrap();
        assert!(per_s > 1_000_000, "{per_s}");
    }
}
