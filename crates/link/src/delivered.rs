//! What a path delivers while it is full, watched around a congestion controller.
//!
//! A rate can only be seen while the sender has more to send than the window lets through. Then
//! acknowledged bytes over the time between their acknowledgements are what the path delivers;
//! while the sender has nothing to say they are what it said.

use quinn_proto::{
    RttEstimator,
    congestion::{Controller, ControllerFactory, ControllerMetrics},
};
use std::{
    any::Any,
    sync::Arc,
    time::{Duration, Instant},
};

/// Bytes that came over, and the time that it took, as long as the sender was not idle. Bytes are
/// UDP payload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Acknowledged.
    pub bytes: u64,
    /// In so long.
    pub time: Duration,
}

/// Takes the time between two batches of acknowledgements.
#[derive(Debug, Clone, Copy, Default)]
struct Watch {
    delivered: Delivered,
    // Acknowledged in the batch that is under way.
    batch: u64,
    // When the last batch ended, if more has waited to be sent ever since.
    since: Option<Instant>,
}

impl Watch {
    fn acked(&mut self, bytes: u64) {
        self.batch = self.batch.saturating_add(bytes);
    }

    /// A batch is over. `idle`: the sender had no more to send before it came.
    fn ended(&mut self, now: Instant, in_flight: u64, idle: bool) {
        let batch = std::mem::take(&mut self.batch);
        if let Some(since) = self.since.take()
            && !idle
        {
            self.delivered.bytes += batch;
            self.delivered.time += now.saturating_duration_since(since);
        }
        // With nothing on the way the time until the next one may be a pause.
        self.since = (!idle && in_flight > 0).then_some(now);
    }
}

/// Makes controllers that are watched.
pub(crate) struct WatchedConfig {
    inner: Arc<dyn ControllerFactory + Send + Sync>,
}

impl WatchedConfig {
    pub(crate) fn new(inner: Arc<dyn ControllerFactory + Send + Sync>) -> Self {
        Self { inner }
    }
}

impl ControllerFactory for WatchedConfig {
    fn build(self: Arc<Self>, now: Instant, current_mtu: u16) -> Box<dyn Controller> {
        Box::new(Watched {
            inner: Arc::clone(&self.inner).build(now, current_mtu),
            watch: Watch::default(),
        })
    }
}

/// A controller with a watch beside it. Decides nothing.
pub(crate) struct Watched {
    inner: Box<dyn Controller>,
    watch: Watch,
}

impl Watched {
    /// What a connection's controller has seen.
    pub(crate) fn seen(controller: Box<dyn Controller>) -> Delivered {
        let watched = controller.into_any().downcast::<Self>();
        watched.map_or_else(|_| Delivered::default(), |w| w.watch.delivered)
    }
}

impl Controller for Watched {
    fn on_sent(&mut self, now: Instant, bytes: u64, last_packet_number: u64) {
        self.inner.on_sent(now, bytes, last_packet_number);
    }

    fn on_ack(
        &mut self,
        now: Instant,
        sent: Instant,
        bytes: u64,
        app_limited: bool,
        rtt: &RttEstimator,
    ) {
        self.watch.acked(bytes);
        self.inner.on_ack(now, sent, bytes, app_limited, rtt);
    }

    fn on_end_acks(
        &mut self,
        now: Instant,
        in_flight: u64,
        app_limited: bool,
        largest_packet_num_acked: Option<u64>,
    ) {
        self.watch.ended(now, in_flight, app_limited);
        self.inner
            .on_end_acks(now, in_flight, app_limited, largest_packet_num_acked);
    }

    fn on_congestion_event(
        &mut self,
        now: Instant,
        sent: Instant,
        is_persistent_congestion: bool,
        lost_bytes: u64,
    ) {
        self.inner
            .on_congestion_event(now, sent, is_persistent_congestion, lost_bytes);
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.inner.on_mtu_update(new_mtu);
    }

    fn window(&self) -> u64 {
        self.inner.window()
    }

    fn metrics(&self) -> ControllerMetrics {
        self.inner.metrics()
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(Self {
            inner: self.inner.clone_box(),
            watch: self.watch,
        })
    }

    fn initial_window(&self) -> u64 {
        self.inner.initial_window()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(100);

    fn batch(watch: &mut Watch, at: Instant, bytes: u64, (in_flight, idle): (u64, bool)) {
        watch.acked(bytes / 2);
        watch.acked(bytes - bytes / 2);
        watch.ended(at, in_flight, idle);
    }

    #[test]
    fn only_what_comes_between_two_batches_of_a_busy_sender_counts() {
        let (mut watch, begin) = (Watch::default(), Instant::now());
        batch(&mut watch, begin, 9_000, (1, false));
        assert_eq!(watch.delivered, Delivered::default(), "since when?");
        batch(&mut watch, begin + STEP, 3_000, (1, false));
        batch(&mut watch, begin + 2 * STEP, 3_000, (1, false));
        let so_far = Delivered {
            bytes: 6_000,
            time: 2 * STEP,
        };
        assert_eq!(watch.delivered, so_far);
        // What an idle sender had said, and the pause behind it, say nothing.
        batch(&mut watch, begin + 3 * STEP, 10, (1, true));
        batch(&mut watch, begin + 100 * STEP, 3_000, (1, false));
        assert_eq!(watch.delivered, so_far);
        batch(&mut watch, begin + 101 * STEP, 3_000, (1, false));
        assert_eq!(watch.delivered.bytes, 9_000);
    }

    #[test]
    fn a_pause_behind_the_last_acknowledgement_is_no_slow_path() {
        let (mut watch, begin) = (Watch::default(), Instant::now());
        batch(&mut watch, begin, 3_000, (1, false));
        batch(&mut watch, begin + STEP, 3_000, (0, false));
        let before = watch.delivered;
        assert_eq!(before.time, STEP);
        batch(&mut watch, begin + 900 * STEP, 3_000, (1, false));
        assert_eq!(watch.delivered, before);
    }
}
