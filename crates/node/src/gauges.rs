//! What is measured and told every so often: gauges, and the status for coordination parties.

use crate::{
    clock,
    shared::{Shared, lock},
};
use std::{sync::Arc, time::Duration};

pub(crate) async fn report(shared: Arc<Shared>) {
    let mut every = tokio::time::interval(Duration::from_millis(shared.config.status_every_ms));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        shared.report().await;
        shared.gauge().await;
        crate::logging::tell_left_out();
    }
}

impl Shared {
    /// Brings the gauges up to date.
    async fn gauge(&self) {
        let now = clock::wall();
        if let Some(queues) = self.core.inspect(crate::health::queues).await {
            let backlog = crate::health::backlog(&queues);
            self.metrics.queue_depth.set(backlog.depth as i64);
            let age = backlog
                .oldest
                .map_or(0, |oldest| now.saturating_sub(oldest) / 1000);
            self.metrics.queue_oldest.set(age as i64);
        }
        self.watch_gaps().await;
        self.metrics.free_disk.set(self.free_disk() as i64);
        let expires = self.trust().roster.expires();
        self.metrics
            .roster_expires
            .set((expires.saturating_sub(now) / 1000) as i64);
        let waiting = self.trust().newcomers(clock::waited()).len();
        self.metrics.newcomers.set(waiting as i64);
        let endpoint = lock(&self.endpoint).clone();
        if let Some(endpoint) = endpoint {
            let stats: Vec<_> = endpoint.links().iter().map(|l| l.stats()).collect();
            self.metrics
                .wire_sent
                .set(stats.iter().map(|s| s.sent).sum());
            self.metrics
                .wire_received
                .set(stats.iter().map(|s| s.received).sum());
        }
    }
}
