//! A long queue: the recipient is down, notices wait, and the node that keeps them starts again.

use super::{body, load, process::Used};
use crate::{
    CliError, Ui,
    demo::fleet::{Fleet, NodeProcess},
};
use serde::Serialize;
use std::time::Instant;

/// How fast a node starts again.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Restart {
    /// Leaves of its log.
    pub(super) leaves: u64,
    /// SIGTERM to the end of the process, milliseconds.
    pub(super) stop_ms: f64,
    /// Exec to the first answer on the socket after that clean stop, milliseconds.
    pub(super) start_clean_ms: f64,
    /// And after SIGKILL.
    pub(super) start_killed_ms: f64,
}

/// Stops a running node and starts it, kills it and starts it.
pub(super) async fn restart(node: &mut NodeProcess) -> Result<Restart, CliError> {
    let leaves = node.client.status().await?.log.size;
    let clock = Instant::now();
    node.terminate()?;
    node.stopped().await?;
    let stop_ms = ms(clock);
    let start_clean_ms = start(node).await?;
    node.kill()?;
    let start_killed_ms = start(node).await?;
    Ok(Restart {
        leaves,
        stop_ms,
        start_clean_ms,
        start_killed_ms,
    })
}

/// What a long queue costs.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Queued {
    /// Notices that wait.
    notices: u64,
    /// Notices accepted per second while nothing could be delivered.
    accepted_per_s: f64,
    /// Resident memory of the node with all of them queued, MiB.
    rss_mib: f64,
    /// The greatest it ever was, MiB.
    peak_rss_mib: f64,
    /// Its restarts with all of them queued.
    #[serde(flatten)]
    restart: Restart,
    /// Resident memory after that start, MiB.
    rss_after_start_mib: f64,
    /// Queued still, as the node says after both.
    queued_after: u64,
}

/// Queues `notices` at the first node of the fleet for the second, which is stopped.
pub(super) async fn measure(
    fleet: &mut Fleet,
    notices: u64,
    in_flight: u32,
    size: u32,
    ui: &Ui,
) -> Result<Queued, CliError> {
    let [from, to] = fleet.nodes.as_mut_slice() else {
        return Err(CliError::internal("the measurement needs two nodes"));
    };
    let body = body::request(from.code, to.code, size as usize)?;
    to.terminate()?;
    to.stopped().await?;
    ui.remark(&format!("Queueing {notices} notices …"));
    let seconds = load::queue(&from.client, &body, in_flight, notices).await?;
    let used = Used::by(from).await?;
    ui.remark("Starting after a clean stop, then after SIGKILL …");
    let restart = restart(from).await?;
    let after = Used::by(from).await?;
    let status = from.client.status().await?;
    if status.queue.depth != notices {
        let what = format!(
            "{} of {notices} notices are queued after the restarts",
            status.queue.depth
        );
        return Err(CliError::internal(what));
    }
    Ok(Queued {
        notices,
        accepted_per_s: notices as f64 / seconds,
        rss_mib: mib(used.resident_kib),
        peak_rss_mib: mib(used.peak_kib),
        restart,
        rss_after_start_mib: mib(after.resident_kib),
        queued_after: status.queue.depth,
    })
}

impl Queued {
    pub(super) fn text(&self) -> String {
        format!(
            "Queue of {} notices, recipient down\n  \
             accepted          {:>10.0} /s\n  \
             memory            {:>10.1} MiB (peak {:.1}), {:.1} MiB after a restart\n  \
             log               {:>10} leaves\n  \
             stop              {:>10.0} ms\n  \
             start, clean stop {:>10.0} ms\n  \
             start, SIGKILL    {:>10.0} ms\n",
            self.notices,
            self.accepted_per_s,
            self.rss_mib,
            self.peak_rss_mib,
            self.rss_after_start_mib,
            self.restart.leaves,
            self.restart.stop_ms,
            self.restart.start_clean_ms,
            self.restart.start_killed_ms
        )
    }
}

async fn start(node: &mut NodeProcess) -> Result<f64, CliError> {
    let clock = Instant::now();
    node.spawn()?;
    node.answering().await?;
    Ok(ms(clock))
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
