//! The view thread: the only place where sled is touched, behind an overlay that readers ask first.
//!
//! Durable → overlay → acknowledged: [`ViewClient::fold`] runs before anything is said about a
//! batch. The thread writes what is older than [`SETTLE`] and rebuilds the view when it fails.

use crate::{fatal::Fatal, metrics::Metrics};
use abeng_audit_log::{Disk, ReadError, Reader, Record};
use abeng_queue::{
    Overlay, RowError, RowPair, RowSource, SledView, Trusting, View, ViewError, fold,
};
use abeng_wire::LeafIndex;
use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How long rows stay in memory before they are written; what settles within never reaches sled.
const SETTLE: Duration = Duration::from_millis(200);

/// Why the view cannot be had at all.
#[derive(Debug, thiserror::Error)]
pub enum ViewFault {
    /// Even an empty view cannot be made.
    #[error(transparent)]
    View(#[from] ViewError),
    /// The journal, from which it is built, cannot be read.
    #[error(transparent)]
    Journal(#[from] ReadError),
    /// The journal holds what this program does not write.
    #[error("leaf {index} cannot be folded into the view: {source}")]
    Fold {
        /// The leaf.
        index: LeafIndex,
        /// Why.
        source: RowError,
    },
    /// The thread has ended.
    #[error("the view has stopped")]
    Stopped,
}

type Reply<T> = Box<dyn FnOnce(T) + Send>;

enum Call {
    Get(Vec<u8>, Reply<Option<Vec<u8>>>),
    Scan {
        from: Vec<u8>,
        to: Vec<u8>,
        reverse: bool,
        limit: usize,
        reply: Reply<Vec<RowPair>>,
    },
    Close(Reply<()>),
}

/// A way to the view thread; cloning shares it.
#[derive(Clone)]
pub struct ViewClient {
    shared: Arc<Shared>,
    calls: mpsc::Sender<Call>,
}

struct Shared {
    overlay: Mutex<Overlay>,
    rebuilding: AtomicBool,
    applied: AtomicU64,
}

impl Shared {
    fn overlay(&self) -> MutexGuard<'_, Overlay> {
        // The overlay asserts before it changes; a panic there ends its thread, whose guard ends the node.
        self.overlay.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A view that has come to the end of the journal, not yet on its thread.
pub struct ReadyView<D: Disk> {
    view: SledView,
    dir: PathBuf,
    trusting: Trusting,
    reader: Reader<D>,
    metrics: Metrics,
}

impl<D: Disk> ReadyView<D> {
    /// Opens the view, throws it away where it cannot be trusted, and folds what it lacks.
    pub fn open(
        dir: PathBuf,
        trusting: Trusting,
        reader: Reader<D>,
        metrics: Metrics,
    ) -> Result<Self, ViewFault> {
        let (mut view, rebuild) = SledView::open(&dir, &trusting)?;
        if let Some(reason) = rebuild {
            metrics.view_rebuilds.inc();
            tracing::info!(%reason, leaves = trusting.size, "building the view from the journal");
        }
        let from = view.applied()?.map_or(LeafIndex(0), |a| a.position);
        if refold(&mut view, &trusting, &reader, from).is_err() {
            tracing::warn!("the view does not continue from where it stopped; building it anew");
            metrics.view_rebuilds.inc();
            drop(view);
            view = SledView::anew(&dir, &trusting)?;
            refold(&mut view, &trusting, &reader, LeafIndex(0))?;
        }
        Ok(Self {
            view,
            dir,
            trusting,
            reader,
            metrics,
        })
    }

    /// All rows of one kind, before the thread starts.
    pub fn rows(&self, prefix: u8) -> Result<Vec<RowPair>, ViewFault> {
        Ok(self
            .view
            .scan(&[prefix], &[prefix + 1], false, usize::MAX)?)
    }

    /// Hands the view to its thread.
    pub fn spawn(self, fatal: Fatal) -> std::io::Result<(ViewClient, JoinHandle<()>)> {
        let size = LeafIndex(self.trusting.size);
        let shared = Arc::new(Shared {
            overlay: Mutex::new(Overlay::new(self.trusting.incarnation, size)),
            rebuilding: AtomicBool::new(false),
            applied: AtomicU64::new(size.0),
        });
        let (calls, inbox) = mpsc::channel();
        let client = ViewClient {
            shared: shared.clone(),
            calls,
        };
        let thread = thread::Builder::new()
            .name("abeng-view".into())
            .spawn(move || {
                let _broken = fatal.guard("the view thread");
                Worker {
                    ready: self,
                    shared,
                }
                .run(&inbox)
            })?;
        Ok((client, thread))
    }
}

/// Folds the leaves from `from` to the end the trusting names.
fn refold<D: Disk>(
    view: &mut SledView,
    trusting: &Trusting,
    reader: &Reader<D>,
    from: LeafIndex,
) -> Result<(), ViewFault> {
    let mut overlay = Overlay::new(trusting.incarnation, from);
    for stored in reader.scan(from) {
        let stored = stored?;
        if stored.index.0 >= trusting.size {
            break;
        }
        let changes =
            fold(stored.index, &stored.record, &overlay.over(&*view)).map_err(|source| {
                ViewFault::Fold {
                    index: stored.index,
                    source,
                }
            })?;
        overlay.put(stored.index, changes);
        // Rows that come and go within the newest generations never reach the database.
        if overlay.rows() > 4096 {
            write_oldest(view, &mut overlay, stored.index)?;
        }
    }
    let end = overlay.position();
    while write_oldest(view, &mut overlay, end)? {}
    Ok(())
}

fn write_oldest(
    view: &mut SledView,
    overlay: &mut Overlay,
    below: LeafIndex,
) -> Result<bool, ViewError> {
    let Some(batch) = overlay.take_older(below) else {
        return Ok(false);
    };
    view.apply(&batch.changes, batch.applied)?;
    overlay.written();
    Ok(true)
}

struct Worker<D: Disk> {
    ready: ReadyView<D>,
    shared: Arc<Shared>,
}

impl<D: Disk> Worker<D> {
    fn run(mut self, calls: &mpsc::Receiver<Call>) {
        let mut settled = self.shared.overlay().position();
        let mut looked = Instant::now();
        loop {
            match calls.recv_timeout(SETTLE) {
                Ok(Call::Get(key, reply)) => reply(self.answer(|w| w.get(&key))),
                Ok(Call::Scan {
                    from,
                    to,
                    reverse,
                    limit,
                    reply,
                }) => {
                    reply(self.answer(|w| w.scan(&from, &to, reverse, limit)));
                }
                Ok(Call::Close(reply)) => {
                    self.close();
                    reply(());
                    return;
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
            if looked.elapsed() >= SETTLE {
                self.write_below(settled);
                settled = self.shared.overlay().position();
                looked = Instant::now();
            }
        }
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        self.ready.view.get(key)
    }

    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<RowPair>, ViewError> {
        self.shared
            .overlay()
            .scan(&self.ready.view, from, to, reverse, limit)
    }

    /// Answers, rebuilding the view as often as it fails to.
    fn answer<T>(&mut self, ask: impl Fn(&Self) -> Result<T, ViewError>) -> T {
        loop {
            match ask(self) {
                Ok(answer) => return answer,
                Err(e) => self.rebuild(&e),
            }
        }
    }

    fn write_below(&mut self, below: LeafIndex) {
        loop {
            let taken = self.shared.overlay().take_older(below);
            let Some(batch) = taken else { return };
            while let Err(e) = self.ready.view.apply(&batch.changes, batch.applied) {
                self.rebuild(&e);
            }
            self.shared.overlay().written();
            self.shared
                .applied
                .store(batch.applied.position.0, Ordering::Relaxed);
            self.ready
                .metrics
                .view_applied
                .set(batch.applied.position.0 as i64);
        }
    }

    /// Folds everything anew up to where the view had come; the overlay holds the rest.
    fn rebuild(&mut self, why: &ViewError) {
        self.shared.rebuilding.store(true, Ordering::Relaxed);
        self.ready.metrics.view_rebuilds.inc();
        let applied = self.shared.applied.load(Ordering::Relaxed);
        let until = Trusting {
            size: applied,
            ..self.ready.trusting.clone()
        };
        tracing::error!(error = %why, leaves = applied, "the view failed; building it anew from the journal");
        loop {
            let anew = SledView::anew(&self.ready.dir, &until)
                .map_err(ViewFault::from)
                .and_then(|mut view| {
                    refold(&mut view, &until, &self.ready.reader, LeafIndex(0))?;
                    Ok(view)
                });
            match anew {
                Ok(view) => {
                    self.ready.view = view;
                    break;
                }
                Err(e) => {
                    tracing::error!(error = %e, "the view cannot be built; trying again in 5 s");
                    thread::sleep(Duration::from_secs(5));
                }
            }
        }
        self.shared.rebuilding.store(false, Ordering::Relaxed);
    }

    fn close(mut self) {
        let end = self.shared.overlay().position();
        self.write_below(end);
        if let Err(e) = self.ready.view.close() {
            tracing::warn!(error = %e, "the view was not closed in order; it will be rebuilt");
        }
    }
}

impl ViewClient {
    /// Folds records that have just become durable into the overlay. `first` is the next leaf.
    pub fn fold(&self, first: LeafIndex, records: &[Record]) -> Result<(), ViewFault> {
        for (index, record) in (first.0..).map(LeafIndex).zip(records) {
            let changes =
                fold(index, record, self).map_err(|source| ViewFault::Fold { index, source })?;
            self.shared.overlay().put(index, changes);
        }
        Ok(())
    }

    /// One row; waits for the view thread where the overlay does not know.
    pub fn get_blocking(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ViewFault> {
        if let Some(known) = self.shared.overlay().get(key) {
            return Ok(known);
        }
        let (tx, rx) = mpsc::sync_channel(1);
        let reply = Box::new(move |row| _ = tx.send(row));
        self.calls
            .send(Call::Get(key.to_vec(), reply))
            .map_err(|_| ViewFault::Stopped)?;
        rx.recv().map_err(|_| ViewFault::Stopped)
    }

    /// One row.
    pub async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ViewFault> {
        if let Some(known) = self.shared.overlay().get(key) {
            return Ok(known);
        }
        let (tx, rx) = tokio::sync::oneshot::channel();
        let reply = Box::new(move |row| _ = tx.send(row));
        self.calls
            .send(Call::Get(key.to_vec(), reply))
            .map_err(|_| ViewFault::Stopped)?;
        rx.await.map_err(|_| ViewFault::Stopped)
    }

    /// Rows of `from <= key < to`, at most `limit`, from the end with `reverse`.
    pub async fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        limit: usize,
    ) -> Result<Vec<RowPair>, ViewFault> {
        let (tx, rx) = tokio::sync::oneshot::channel();
        let reply = Box::new(move |rows| _ = tx.send(rows));
        let call = Call::Scan {
            from: from.to_vec(),
            to: to.to_vec(),
            reverse,
            limit,
            reply,
        };
        self.calls.send(call).map_err(|_| ViewFault::Stopped)?;
        rx.await.map_err(|_| ViewFault::Stopped)
    }

    /// The first leaf that neither overlay nor view knows.
    pub fn position(&self) -> LeafIndex {
        self.shared.overlay().position()
    }

    /// Leaves that the view on disk reflects, and whether it is being rebuilt.
    pub fn progress(&self) -> (u64, bool) {
        (
            self.shared.applied.load(Ordering::Relaxed),
            self.shared.rebuilding.load(Ordering::Relaxed),
        )
    }

    /// Writes everything and ends the thread.
    pub fn close(&self) {
        let (tx, rx) = mpsc::sync_channel(1);
        if self
            .calls
            .send(Call::Close(Box::new(move |()| _ = tx.send(()))))
            .is_ok()
        {
            let _ = rx.recv();
        }
    }
}

impl RowSource for ViewClient {
    fn row(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        self.get_blocking(key).map_err(|e| match e {
            ViewFault::View(e) => e,
            _ => ViewError::Bad,
        })
    }
}
