//! Cubic that also takes a growing round trip for a full path.
//!
//! A modem in front of a slow path holds back what it cannot send at once, often for many seconds
//! (RFC 8033, section 1). Cubic (RFC 9438) fills that store until it overflows, and what is urgent
//! then waits behind what is large however streams are ordered. So once in a round trip the
//! least delay of that round is compared with the least of the last minutes, the *base*:
//!
//! - more than half of the base on top (a quarter at the beginning): the window is cut to what the path holds without a store;
//! - hardly more: it may grow by an eighth, since the path may have become faster;
//! - in between: it may grow by a packet.
//!
//! While nothing is known of a path the window doubles in each round, and a round is too long to
//! wait: there a few packets in a row decide.
//!
//! The result is a ceiling above Cubic, which keeps its own answer to loss. Never below the
//! initial window (RFC 6928): where others fill the store, giving way without end would be to
//! stop.

use quinn_proto::{
    RttEstimator,
    congestion::{Controller, ControllerFactory, ControllerMetrics, Cubic, CubicConfig},
};
use std::{
    any::Any,
    sync::Arc,
    time::{Duration, Instant},
};

/// The base is the least delay of this time and of the same time before it: a path that has
/// become longer for good is known as such after that.
const BASE: Duration = Duration::from_secs(300);
/// On paths so short nothing is made of smaller differences.
const TOLERANCE: Duration = Duration::from_millis(50);

/// Packets in a row that decide at the beginning.
const FEW: u32 = 4;

/// Makes [`DelayBounded`] controllers.
#[derive(Debug, Clone, Default)]
pub(crate) struct DelayBoundedConfig {
    cubic: Arc<CubicConfig>,
}

impl ControllerFactory for DelayBoundedConfig {
    fn build(self: Arc<Self>, now: Instant, current_mtu: u16) -> Box<dyn Controller> {
        let cubic = Cubic::new(Arc::clone(&self.cubic), now, current_mtu);
        Box::new(DelayBounded {
            floor: cubic.initial_window(),
            cubic,
            mtu: u64::from(current_mtu),
            ceiling: u64::MAX,
            base: Base::new(now),
            round: Round::new(now),
            few: (Duration::MAX, 0),
        })
    }
}

#[derive(Debug, Clone)]
struct DelayBounded {
    cubic: Cubic,
    floor: u64,
    mtu: u64,
    ceiling: u64,
    base: Base,
    round: Round,
    // The same of a few packets in a row, and how many there are.
    few: (Duration, u32),
}

/// The least delay of the last minutes, in two portions.
#[derive(Debug, Clone)]
struct Base {
    since: Instant,
    this: Duration,
    before: Duration,
}

impl Base {
    fn new(now: Instant) -> Self {
        Self {
            since: now,
            this: Duration::MAX,
            before: Duration::MAX,
        }
    }

    fn take(&mut self, now: Instant, delay: Duration) {
        if now.saturating_duration_since(self.since) > BASE {
            self.before = self.this;
            self.this = delay;
            self.since = now;
        }
        self.this = self.this.min(delay);
    }

    fn least(&self) -> Duration {
        self.this.min(self.before)
    }
}

/// One round trip: it ends when something sent after its beginning is acknowledged.
#[derive(Debug, Clone)]
struct Round {
    begun: Instant,
    least: Duration,
}

impl Round {
    fn new(now: Instant) -> Self {
        Self {
            begun: now,
            least: Duration::MAX,
        }
    }
}

impl DelayBounded {
    /// Whether packets are held back for more than one part in `part` of the base.
    fn is_full(&self, delay: Duration, part: u32) -> bool {
        let base = self.base.least();
        delay.saturating_sub(base) > (base / part).max(TOLERANCE)
    }

    /// At the beginning: whether a few packets in a row were all held back.
    fn begins(&mut self, delay: Duration) {
        let (least, packets) = self.few;
        self.few = (least.min(delay), packets + 1);
        if packets + 1 < FEW {
            return;
        }
        let least = self.few.0;
        self.few = (Duration::MAX, 0);
        if self.is_full(least, 4) {
            self.cut(least);
        }
    }

    /// Leaves in flight what does not wait in the store.
    fn cut(&mut self, delay: Duration) {
        let base = self.base.least();
        let held = self.window() as f64 * base.as_secs_f64() / delay.as_secs_f64();
        self.ceiling = (held as u64).max(self.floor);
    }

    /// What one round says about the path.
    fn judge(&mut self, delay: Duration) {
        let base = self.base.least();
        let more = delay.saturating_sub(base);
        if self.is_full(delay, 2) {
            self.cut(delay);
        } else if self.ceiling == u64::MAX {
            // Cubic doubles by itself.
        } else if more < (base / 8).max(TOLERANCE / 2) {
            self.ceiling = self.ceiling.saturating_add(self.ceiling / 8);
        } else {
            self.ceiling = self.ceiling.saturating_add(self.mtu);
        }
    }
}

impl Controller for DelayBounded {
    fn on_ack(
        &mut self,
        now: Instant,
        sent: Instant,
        bytes: u64,
        app_limited: bool,
        rtt: &RttEstimator,
    ) {
        // Below the ceiling nobody knows what a larger window would have done.
        let held_back = self.ceiling < self.cubic.window();
        self.cubic
            .on_ack(now, sent, bytes, app_limited || held_back, rtt);
        let delay = now.saturating_duration_since(sent);
        self.base.take(now, delay);
        self.round.least = self.round.least.min(delay);
        if self.ceiling == u64::MAX {
            self.begins(delay);
        }
        if sent >= self.round.begun {
            let least = self.round.least;
            self.round = Round::new(now);
            self.judge(least);
        }
    }

    fn on_congestion_event(
        &mut self,
        now: Instant,
        sent: Instant,
        is_persistent_congestion: bool,
        lost_bytes: u64,
    ) {
        self.cubic
            .on_congestion_event(now, sent, is_persistent_congestion, lost_bytes);
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.mtu = u64::from(new_mtu);
        self.cubic.on_mtu_update(new_mtu);
    }

    fn window(&self) -> u64 {
        self.cubic.window().min(self.ceiling)
    }

    fn metrics(&self) -> ControllerMetrics {
        let mut metrics = self.cubic.metrics();
        metrics.congestion_window = self.window();
        metrics
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        self.cubic.initial_window()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
