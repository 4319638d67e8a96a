//! The journal thread: one write and one sync per batch, then overlay, then the word to the core
//! and to the dispatch thread. A failed sync ends the process.

use crate::{
    core::{Core, CoreBatch, Effect},
    fatal::Fatal,
    metrics::Metrics,
    quota::{AHEAD_MARGIN, Quota},
    view::ViewClient,
};
use abeng_audit_log::{Disk, Journal, Record, Settled};
use abeng_wire::{LeafIndex, Mono};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Without a batch the thread looks this often whether a new segment is wanted.
const IDLE: Duration = Duration::from_millis(250);

/// A batch that is durable and in the overlay.
pub struct Done {
    /// Its steps.
    pub settled: Vec<Settled<Effect>>,
    /// When the sync returned.
    pub at: Mono,
}

/// What the threads around the journal need.
pub struct Writer<D: Disk> {
    /// The journal.
    pub journal: Journal<D>,
    /// Batches from the core.
    pub batches: mpsc::Receiver<CoreBatch>,
    /// To the dispatch thread.
    pub done: mpsc::Sender<Done>,
    /// Back to the core.
    pub core: Core,
    /// The overlay.
    pub view: ViewClient,
    /// Counters.
    pub metrics: Metrics,
    /// Where a fault goes that ends the node.
    pub fatal: Fatal,
    /// Set where the journal is to go on in a new segment.
    pub seal: Arc<AtomicBool>,
    /// Room on disk.
    pub quota: Arc<Quota>,
}

impl<D: Disk> Writer<D> {
    /// Starts the thread. It ends with the core, and hands the journal back to be closed.
    pub fn spawn(self) -> io::Result<JoinHandle<Option<Journal<D>>>> {
        thread::Builder::new()
            .name("abeng-journal".into())
            .spawn(move || {
                let _broken = self.fatal.guard("the journal thread");
                self.run()
            })
    }

    fn run(self) -> Option<Journal<D>> {
        let Self {
            mut journal,
            batches,
            done,
            core,
            view,
            metrics,
            fatal: stop,
            seal,
            quota,
        } = self;
        let ahead = Ahead::spawn(quota).ok()?;
        ahead.consider(&journal);
        loop {
            if seal.swap(false, Ordering::SeqCst) {
                journal = match journal.seal_segment() {
                    Ok(sealed) => sealed,
                    Err(fatal) => {
                        tracing::error!(error = %fatal, "the journal stops this node");
                        stop.stop(&fatal.to_string());
                        return None;
                    }
                };
                ahead.consider(&journal);
            }
            let batch = match batches.recv_timeout(IDLE) {
                Ok(batch) => batch,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    ahead.consider(&journal);
                    continue;
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            };
            let first = LeafIndex(journal.size());
            // Shares the records' bytes; the journal takes the records themselves.
            let records: Vec<Record> = batch
                .steps
                .iter()
                .flat_map(|s| s.facts.iter().cloned())
                .collect();
            let begun = Instant::now();
            let (written, settled) = match journal.append(batch) {
                Ok(ok) => ok,
                Err(fatal) => {
                    tracing::error!(error = %fatal, "the journal stops this node");
                    stop.stop(&fatal.to_string());
                    return None;
                }
            };
            journal = written;
            let at = crate::clock::mono();
            if let Err(e) = view.fold(first, &records) {
                tracing::error!(error = %e, "the view stops this node; the journal is whole");
                stop.stop(&e.to_string());
                return None;
            }
            if !records.is_empty() {
                metrics.batches.inc();
                metrics.batch_leaves.observe(records.len() as f64);
                metrics.sync_seconds.observe(begun.elapsed().as_secs_f64());
                metrics.leaves.set(journal.size() as i64);
            }
            core.durable(LeafIndex(journal.size()));
            if done.send(Done { settled, at }).is_err() {
                break;
            }
            ahead.consider(&journal);
        }
        Some(journal)
    }
}

/// Writes segments with zeros ahead of their use, in a thread of its own.
struct Ahead<D: Disk> {
    jobs: mpsc::SyncSender<abeng_audit_log::AheadJob<D>>,
    quota: Arc<Quota>,
}

impl<D: Disk> Ahead<D> {
    fn spawn(quota: Arc<Quota>) -> io::Result<Self> {
        let (jobs, queue) = mpsc::sync_channel::<abeng_audit_log::AheadJob<D>>(0);
        thread::Builder::new().name("abeng-ahead".into()).spawn(move || {
            while let Ok(job) = queue.recv() {
                // The pause lets the journal's own syncs pass between two pieces.
                if let Err(e) = job.run(|| thread::sleep(Duration::from_millis(2))) {
                    tracing::warn!(error = %e, "cannot prepare a journal segment ahead; is the disk full?");
                    thread::sleep(Duration::from_secs(5));
                }
            }
        })?;
        Ok(Self { jobs, quota })
    }

    fn consider(&self, journal: &Journal<D>) {
        self.quota.owe_ahead(journal.missing_ahead());
        // A segment that cannot be finished would only take room from index and tiles.
        if self.quota.room().free < journal.segment_bytes() + AHEAD_MARGIN {
            return;
        }
        if let Some(job) = journal.prepare_ahead() {
            // Not taken while the thread is at work: the next batch asks again.
            let _ = self.jobs.try_send(job);
        }
    }
}
