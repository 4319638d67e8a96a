//! The node's clock against those of its peers.

use crate::{
    clock,
    shared::Shared,
    timekeeper::{Believed, Trust},
};
use abeng_api::{ClockState, ClockView, Warned, Warning};
use std::{sync::Arc, time::Duration};

const EVERY: Duration = Duration::from_secs(1);

/// Compares for as long as the node runs.
pub async fn work(shared: Arc<Shared>) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut before = Trust::Plain;
    loop {
        every.tick().await;
        let peers: Vec<_> = shared
            .links
            .linked()
            .iter()
            .filter_map(|link| link.peer_time())
            .collect();
        for jump in clock::hear(&peers) {
            shared.metrics.clock_jumps.inc();
            tracing::error!(
                by_ms = jump.by_ms,
                "the wall clock has jumped; nothing ends by it until peers confirm it"
            );
        }
        let believed = clock::believed();
        tell(before, &believed);
        before = believed.trust;
        shared.metrics.clock_off.set(believed.off_ms / 1000);
        shared
            .metrics
            .clock_uncertainty
            .set((believed.uncertainty_ms() / 1000) as i64);
    }
}

fn tell(before: Trust, believed: &Believed) {
    if before == believed.trust {
        return;
    }
    match believed.trust {
        Trust::Plain => tracing::info!("the wall clock is believed"),
        Trust::Doubted => {
            tracing::warn!(
                off_ms = believed.off_ms,
                "the wall clock is in doubt: expiry waits for what passes or for a peer"
            );
        }
        Trust::Corrected => {
            tracing::error!(
                off_ms = believed.off_ms,
                "the wall clock is wrong, as most peers say; their time is used. Set the clock"
            );
        }
    }
}

impl Shared {
    /// The clock as `abeng status` shows it.
    pub fn clock_view(&self) -> ClockView {
        let believed = clock::believed();
        ClockView {
            state: match believed.trust {
                Trust::Plain => ClockState::Believed,
                Trust::Doubted => ClockState::Doubted,
                Trust::Corrected => ClockState::Corrected,
            },
            off_ms: believed.off_ms,
            uncertainty_ms: believed.uncertainty_ms(),
            jumps: self.metrics.clock_jumps.get(),
        }
    }

    /// What an operator should know of the clock.
    pub fn clock_warning(&self) -> Option<Warning> {
        let believed = clock::believed();
        let minutes = believed.off_ms.unsigned_abs() / 60_000;
        match believed.trust {
            Trust::Plain => None,
            Trust::Doubted => {
                let minutes = believed.uncertainty_ms() / 60_000;
                let told = Warning::from(format!(
                    "the clock is in doubt: it has jumped, or is far from the last thing known here (uncertainty {minutes} min). Nothing expires by it until a peer confirms it; check it with `date -u`"
                ));
                Some(told.because(Warned::ClockDoubted, [("minutes", minutes.to_string())]))
            }
            Trust::Corrected => {
                let told = Warning::from(format!(
                    "the clock is wrong by {minutes} min, as most peers say; their time is used meanwhile. Set it (`timedatectl`), and see that the machine keeps time"
                ));
                Some(told.because(Warned::ClockWrong, [("minutes", minutes.to_string())]))
            }
        }
    }
}
