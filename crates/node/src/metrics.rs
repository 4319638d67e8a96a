//! What Prometheus may read; every name is explained in `docs/metrics.md`, which a test compares.

use axum::{Router, extract::State, http::header, response::IntoResponse, routing::get};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::sync::{Arc, atomic::AtomicU64};

/// One label.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Kind {
    /// What kind of thing is counted.
    pub kind: String,
}

/// One label: a party.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Peer {
    /// Its code.
    pub peer: String,
}

/// All metrics of one node. Cloning shares them.
#[derive(Clone)]
#[allow(
    missing_docs,
    reason = "the help text of each stands in `new` and in docs/metrics.md"
)]
pub struct Metrics {
    registry: Arc<Registry>,
    pub submitted: Counter,
    pub forwarded: Counter,
    pub arrived: Counter,
    pub delivered: Counter,
    pub duplicates: Counter,
    pub refused: Counter,
    pub receipts_taken: Family<Kind, Counter>,
    pub receipts_rejected: Counter,
    pub faults: Family<Kind, Counter>,
    pub busy: Counter,
    pub stream_frames: Family<Kind, Counter>,
    pub gaps: Gauge,
    pub gap_oldest: Gauge,
    pub no_room: Counter,
    pub queue_depth: Gauge,
    pub queue_oldest: Gauge,
    pub linked: Family<Peer, Gauge>,
    pub leaves: Gauge,
    pub batches: Counter,
    pub batch_leaves: Histogram,
    pub sync_seconds: Histogram,
    pub view_applied: Gauge,
    pub view_rebuilds: Counter,
    pub contents_deleted: Counter,
    pub attachments_received: Counter,
    pub pieces_received: Counter,
    pub pieces_sent: Counter,
    pub deletions_failed: Counter,
    pub free_disk: Gauge,
    pub held: Gauge,
    pub quota_left: Gauge,
    pub quota_reserve: Gauge,
    pub clock_jumps: Counter,
    pub clock_off: Gauge,
    pub clock_uncertainty: Gauge,
    pub metered_spent: Gauge,
    pub metered_left: Gauge,
    pub roster_version: Gauge,
    pub roster_expires: Gauge,
    pub roster_age: Gauge,
    pub roster_unseen: Gauge,
    pub newcomers: Gauge,
    pub trust_disputes: Gauge,
    pub checkpoint_contradictions: Counter,
    pub checkpoints_unexplained: Counter,
    pub logs_contradicted: Gauge,
    /// Newer lives of the logs of others that were met.
    pub new_lives: Counter,
    /// Envelopes offered again to a newer life of a recipient's log.
    pub offered_again: Counter,
    /// 1 where nothing is submitted any more, since the own past is proved not to be the newest.
    pub submitting_stopped: Gauge,
    pub cosignatures_given: Counter,
    pub witness_rounds: Counter,
    pub witnessed_leaves: Gauge,
    pub witness_waiting: Gauge,
    pub carried: Gauge,
    pub carried_bytes: Gauge,
    pub carried_receipts: Counter,
    pub relay_copies: Counter,
    pub wire_sent: Gauge<u64, AtomicU64>,
    pub wire_received: Gauge<u64, AtomicU64>,
}

impl Metrics {
    /// All of them, at zero.
    pub fn new() -> Self {
        let mut r = Registry::with_prefix("abeng");
        let mut counter = |name: &str, help: &str| {
            let metric = Counter::default();
            r.register(name, help, metric.clone());
            metric
        };
        let submitted = counter(
            "notices_submitted",
            "Notices accepted from officers, durable",
        );
        let forwarded = counter("envelopes_forwarded", "Envelopes handed to a link");
        let arrived = counter("envelopes_arrived", "Envelopes that came over a link");
        let delivered = counter("notices_delivered", "Notices put in the inbox, durable");
        let duplicates = counter(
            "duplicates_answered",
            "Known envelopes answered with the receipt already given",
        );
        let refused = counter(
            "envelopes_refused",
            "Envelopes refused with a signed receipt",
        );
        let receipts_rejected = counter(
            "receipts_rejected",
            "Receipts that failed verification and were not taken",
        );
        let busy = counter(
            "api_busy",
            "Requests answered 503 because the node's input was full",
        );
        let no_room = counter(
            "api_no_room",
            "Requests answered 507 because the disk is nearly full",
        );
        let clock_jumps = counter("clock_jumps", "Times the wall clock moved by itself");
        let batches = counter("journal_batches", "Batches made durable");
        let view_rebuilds = counter(
            "view_rebuilds",
            "Times the view was rebuilt from the journal",
        );
        let attachments_received = counter(
            "attachments_received",
            "Attachments that came whole and were told to their originator",
        );
        let pieces_received = counter(
            "attachment_pieces_received",
            "Pieces of attachments of at most 1 MiB that came and were good",
        );
        let pieces_sent = counter(
            "attachment_pieces_sent",
            "Pieces of attachments of at most 1 MiB handed to a link",
        );
        let contents_deleted = counter(
            "contents_deleted",
            "Contents deleted because they were taken back or kept long enough",
        );
        let deletions_failed = counter(
            "deletions_failed",
            "Rounds of deleting that came to no end and are tried again",
        );
        let carried_receipts = counter(
            "carried_receipts",
            "Receipts handed on to the originators of what is carried for others",
        );
        let relay_copies = counter(
            "relay_copies",
            "Copies given to relays because the recipient was not linked",
        );
        let new_lives = counter(
            "new_lives",
            "Newer lives of the logs of others that were met",
        );
        let offered_again = counter(
            "envelopes_offered_again",
            "Envelopes offered again to a newer life of a recipient's log",
        );
        let checkpoint_contradictions = counter(
            "checkpoint_contradictions",
            "Checkpoints met that contradict another of the same log",
        );
        let checkpoints_unexplained = counter(
            "checkpoints_unexplained",
            "Checkpoints whose log's owner did not show how they go together with others",
        );
        let witness_rounds = counter(
            "witness_rounds",
            "Times the log was looked at for something to show its witnesses",
        );
        let cosignatures_given = counter(
            "cosignatures_given",
            "Cosignatures given to the logs of others",
        );
        let receipts_taken = Family::default();
        r.register(
            "receipts_taken",
            "Verified receipts by outcome",
            receipts_taken.clone(),
        );
        let faults = Family::default();
        r.register(
            "carrier_faults",
            "Copies dropped for a fault a carrier could have caused",
            faults.clone(),
        );
        let stream_frames = Family::default();
        r.register(
            "stream_frames",
            "Frames that ask for missing numbers of streams or say that they will not come",
            stream_frames.clone(),
        );
        let linked = Family::default();
        r.register(
            "linked",
            "1 while the link to the peer is up",
            linked.clone(),
        );
        let mut gauge = |name: &str, help: &str| {
            let metric = Gauge::<i64>::default();
            r.register(name, help, metric.clone());
            metric
        };
        let queue_depth = gauge(
            "queue_depth",
            "Envelopes awaiting proof of delivery, counted per recipient",
        );
        let queue_oldest = gauge("queue_oldest_seconds", "Age of the oldest of them");
        let gaps = gauge(
            "stream_gap_numbers",
            "Numbers of streams to here that are missing below one that came",
        );
        let gap_oldest = gauge("stream_gap_oldest_seconds", "Age of the oldest gap");
        let leaves = gauge("journal_leaves", "Durable leaves of the audit log");
        let view_applied = gauge(
            "view_applied_leaves",
            "Leaves that the view on disk reflects",
        );
        let free_disk = gauge(
            "disk_free_bytes",
            "Free bytes on the disk of the data directory",
        );
        let held = gauge(
            "held_submissions",
            "Submissions that wait for a second person to release them",
        );
        let quota_left = gauge(
            "quota_left_bytes",
            "Bytes of new content until nothing more is taken",
        );
        let quota_reserve = gauge(
            "quota_reserve",
            "1 while nothing new is taken because the disk is nearly full",
        );
        let metered_spent = gauge(
            "metered_spent_bytes",
            "Bytes of today on metered paths, both ways",
        );
        let metered_left = gauge(
            "metered_left_bytes",
            "Bytes left today for all but FLASH on metered paths; -1 without a budget",
        );
        let clock_off = gauge(
            "clock_off_seconds",
            "How far the wall clock is ahead of the time that is believed",
        );
        let clock_uncertainty = gauge(
            "clock_uncertainty_seconds",
            "How far the time that is believed may be wrong either way",
        );
        let roster_version = gauge("roster_version", "Version of the roster in force here");
        let roster_age = gauge(
            "roster_age_seconds",
            "Whole days, in seconds, since the roster was last confirmed",
        );
        let roster_expires = gauge("roster_expires_seconds", "Seconds until the roster expires");
        let roster_unseen = gauge(
            "roster_unseen",
            "1 while nobody here has said that the roster's changes were seen",
        );
        let newcomers = gauge(
            "roster_newcomers",
            "Places in the roster and in groups whose party waits here",
        );
        let trust_disputes = gauge(
            "trust_disputes",
            "Pairs of well-signed statements of one version that differ",
        );
        let submitting_stopped = gauge(
            "submitting_stopped",
            "1 where this node submits nothing, since it runs on an older copy of its data or twice",
        );
        let logs_contradicted = gauge(
            "logs_contradicted",
            "Logs of others that are proved to contradict themselves",
        );
        let carried = gauge(
            "carried_envelopes",
            "Envelopes that are carried for others, counted per recipient",
        );
        let carried_bytes = gauge("carried_bytes", "Their bytes");
        let witnessed_leaves = gauge(
            "witnessed_leaves",
            "Leaves of the own log that a quorum of witnesses has seen",
        );
        let witness_waiting = gauge(
            "witness_waiting_seconds",
            "How long something new in the own log has waited for a quorum of witnesses",
        );
        let wire_sent = Gauge::default();
        r.register(
            "link_sent_bytes",
            "UDP payload bytes sent on links now up",
            wire_sent.clone(),
        );
        let wire_received = Gauge::default();
        r.register(
            "link_received_bytes",
            "UDP payload bytes received on links now up",
            wire_received.clone(),
        );
        let batch_leaves = Histogram::new([1.0, 2.0, 4.0, 16.0, 64.0, 256.0, 1024.0]);
        r.register(
            "journal_batch_leaves",
            "Leaves per batch",
            batch_leaves.clone(),
        );
        let sync_seconds =
            Histogram::new([0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.02, 0.1, 1.0]);
        r.register(
            "journal_append_seconds",
            "Write and sync of one batch",
            sync_seconds.clone(),
        );
        Self {
            registry: Arc::new(r),
            submitted,
            forwarded,
            arrived,
            delivered,
            duplicates,
            refused,
            receipts_taken,
            receipts_rejected,
            faults,
            busy,
            stream_frames,
            gaps,
            gap_oldest,
            no_room,
            queue_depth,
            queue_oldest,
            linked,
            leaves,
            batches,
            batch_leaves,
            sync_seconds,
            view_applied,
            view_rebuilds,
            contents_deleted,
            attachments_received,
            pieces_received,
            pieces_sent,
            deletions_failed,
            free_disk,
            held,
            quota_left,
            quota_reserve,
            clock_jumps,
            clock_off,
            clock_uncertainty,
            metered_spent,
            metered_left,
            roster_version,
            roster_age,
            roster_expires,
            roster_unseen,
            newcomers,
            trust_disputes,
            checkpoint_contradictions,
            checkpoints_unexplained,
            logs_contradicted,
            new_lives,
            offered_again,
            submitting_stopped,
            cosignatures_given,
            witness_rounds,
            witnessed_leaves,
            witness_waiting,
            carried,
            carried_bytes,
            carried_receipts,
            relay_copies,
            wire_sent,
            wire_received,
        }
    }

    /// OpenMetrics text.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut out, &self.registry);
        out
    }

    /// `GET /metrics`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/metrics", get(serve))
            .with_state(self.clone())
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

async fn serve(State(metrics): State<Metrics>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], metrics.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_explained_and_every_explained_metric_exists() {
        let metrics = Metrics::new();
        // A family shows only once it has a member.
        let kind = || Kind { kind: "x".into() };
        drop(metrics.receipts_taken.get_or_create(&kind()));
        drop(metrics.stream_frames.get_or_create(&kind()));
        drop(metrics.faults.get_or_create(&kind()));
        drop(metrics.linked.get_or_create(&Peer { peer: "JM".into() }));
        let text = metrics.text();
        let page = include_str!("../../../docs/metrics.md");
        let exported: Vec<&str> = text
            .lines()
            .filter_map(|l| l.strip_prefix("# TYPE "))
            .filter_map(|l| l.split(' ').next())
            .collect();
        assert!(exported.len() > 20);
        for name in &exported {
            assert!(
                page.contains(&format!("`{name}`")),
                "docs/metrics.md does not explain {name}"
            );
        }
        for name in page
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|n| n.starts_with("abeng_"))
        {
            assert!(
                exported.contains(&name),
                "docs/metrics.md explains {name}, which does not exist"
            );
        }
    }
}
