//! Starting and stopping one node.
//!
//! The order of a start: hold the directory, unlock the keys, verify all trust data from the
//! pinned root, recover the journal, bring the view to its end, recover the engine, start the
//! threads, link, serve. Anything that does not hold stops the start and changes nothing.

use crate::{
    adoption, again, age,
    attachments::{self, Attachments, Carried},
    blobs::Blobs,
    checking, clock, clocks,
    config::Config,
    core::{Core, core},
    desk::Desk,
    dispatch,
    events::Events,
    fatal::Fatal,
    gauges,
    handler::NodeHandler,
    held::Held,
    identity::retake_trust,
    metered,
    metrics::Metrics,
    newer::NewerLife,
    node_error::NodeError,
    opened::{Opened, remarks},
    operator::NodeOperator,
    outlet::Effects,
    quota::{self, DataDir, Probe},
    rates,
    reading::leaf_time,
    recent::Recent,
    recovery::{
        count_inbox, kept_proofs, last_signed, own_past, recover_engine, recover_logs,
        recover_witnessing,
    },
    relaying,
    retention::{self, Retention, Watch},
    rotation,
    shared::{LinkBook, Shared, lock},
    view::ReadyView,
    writer::Writer,
};
use abeng_api::{Peers, Serving, bind_unix, router, serve_tcp, serve_unix};
use abeng_audit_log::{DirLock, Journal, RealDisk, Witness, past::Proved};
use abeng_keys::{Entropy, SystemEntropy};
use abeng_link::{Endpoint, LinkConfig};
use abeng_queue::{Input, Trusting};
use abeng_seal::BoxCache;
use abeng_wire::{LeafIndex, v1};
use arc_swap::ArcSwap;
use std::{
    fs,
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
    time::Duration,
};
use tokio::{net::TcpListener, runtime::Handle, task::JoinSet};

/// How often the engine is told that time passes, in milliseconds.
const TICK_MS: u64 = 250;
/// How long requests in flight are given at a stop.
const GRACE: Duration = Duration::from_secs(2);
/// How long a stop waits for a segment that is being written anew. Its copy may be left at any point.
const SCRUB_GRACE: Duration = Duration::from_secs(30);

/// A running node.
pub struct Node {
    shared: Arc<Shared>,
    endpoint: Arc<Endpoint>,
    serving: Vec<Serving>,
    tasks: JoinSet<()>,
    core: JoinHandle<()>,
    journal: JoinHandle<Option<Journal<RealDisk>>>,
    dispatch: JoinHandle<()>,
    view: JoinHandle<()>,
    _held: DirLock,
}

impl Node {
    /// Starts a node: returns once it is linked-ready and serves its interface.
    pub async fn start(config: Config) -> Result<Self, NodeError> {
        let room = Arc::new(DataDir(config.data.clone()));
        Self::start_with(config, room).await
    }

    /// The same with another way of measuring the disk.
    pub async fn start_with(config: Config, room: Arc<dyn Probe>) -> Result<Self, NodeError> {
        let Opened {
            layout,
            held,
            quota,
            metered,
            keyring,
            mut trust,
            journal,
            recovery,
            incarnation,
        } = Opened::open(&config, room)?;
        // The last leaf before this start is past without doubt. Before anything is judged by time:
        // until here it is the wall clock's word alone.
        let last = recovery.size.checked_sub(1).map(LeafIndex);
        let last = last.and_then(|last| leaf_time(&journal.reader(), last));
        let before = last.unwrap_or(0);
        clock::know(before);
        let now = clock::wall();
        let notices = remarks(&recovery, &layout);
        let metrics = Metrics::new();
        metrics.leaves.set(recovery.size as i64);
        let trusting = Trusting {
            boot_id: boot_id(),
            clean: recovery.clean,
            size: recovery.size,
            incarnation,
        };
        let fatal = Fatal::new();
        let ready = ReadyView::open(layout.view(), trusting, journal.reader(), metrics.clone())?;
        let engine = recover_engine(&config, incarnation, &trust, recovery.size, &ready)?;
        let adoptions = adoption::recover(&ready, &journal.reader(), &mut trust)?;
        trust.wait_by(clock::waited());
        retake_trust(&layout, &mut trust, now)?;
        clock::know(trust.freshness.as_ref().map_or(0, |fresh| fresh.at()));
        metrics.trust_disputes.set(adoptions.disputes.len() as i64);
        metrics
            .roster_unseen
            .set(i64::from(!adoptions.news.changes.is_empty()));
        let logs = recover_logs(&ready, &trust, &recovery.outside)?;
        let contradictions = kept_proofs(&ready, &journal.reader(), &trust)?;
        metrics.logs_contradicted.set(contradictions.len() as i64);
        let witness = Witness::recover(&recovery.outside)
            .map_err(|_| NodeError::Broken("what this node has witnessed cannot be read"))?;
        let witnessing = recover_witnessing(&journal.reader(), &trust, &recovery.outside, now)?;
        let inbox = count_inbox(&ready)?;
        let signed = last_signed(&journal.reader(), &trust, &recovery.outside);
        let (view, view_thread) = ready.spawn(fatal.clone()).map_err(NodeError::Thread)?;

        let origin = trust
            .roster
            .party(config.party)
            .map(|p| p.log_origin(incarnation))
            .ok_or(NodeError::NotMember {
                party: config.party,
            })?;
        let past = own_past(&journal.reader(), &origin, &trust, &recovery.outside);
        let newer = match past {
            Some(Proved::NewerLife { life }) => Some(NewerLife::recover(life, &layout)),
            _ => None,
        };
        metrics.submitting_stopped.set(i64::from(past.is_some()));
        metrics.roster_version.set(trust.roster.version() as i64);
        let unusable = |source| NodeError::Directory {
            dir: config.data.clone(),
            source,
        };
        let blobs = Blobs::open(&layout).map_err(unusable)?;
        let carried = Blobs::open_carried(&layout)
            .and_then(|blobs| Carried::new(blobs, config.relay_files))
            .map_err(unusable)?;
        let waiting = Held::open(&layout).map_err(unusable)?;
        let (core, seat) = core();
        let shared = Arc::new(Shared {
            me: config.party,
            layout,
            incarnation,
            origin,
            keyring,
            trust: Arc::new(ArcSwap::from_pointee(trust)),
            core: core.clone(),
            view: view.clone(),
            reader: journal.reader(),
            recent: Recent::default(),
            desk: Desk::default(),
            ticket_order: Mutex::new(()),
            metrics: metrics.clone(),
            delivered: Events::new(),
            settled: Events::new(),
            links: LinkBook::default(),
            endpoint: Mutex::new(None),
            logs: Mutex::new(logs),
            witnessing: Mutex::new(witnessing),
            gossip: Mutex::default(),
            contradictions: Mutex::new(contradictions),
            signed: Mutex::new(signed),
            log_reading: Default::default(),
            accused_by: Default::default(),
            boxes: [Mutex::new(BoxCache::new()), Mutex::new(BoxCache::new())],
            opened: Mutex::default(),
            statuses: Mutex::default(),
            counts: Mutex::default(),
            inbox,
            started_at: now,
            notices,
            adopting: Mutex::default(),
            replacing: Default::default(),
            signing: Default::default(),
            untold: Default::default(),
            news: Mutex::new(adoptions.news),
            held_off: Mutex::default(),
            disputes: Mutex::new(adoptions.disputes),
            retention: Retention::default(),
            attachments: Attachments::new(blobs, carried),
            held: waiting,
            told: Mutex::default(),
            key_gone: Mutex::default(),
            gaps_warned: Mutex::default(),
            past: Mutex::new(past),
            newer: Mutex::new(newer),
            stale: Mutex::default(),
            met_peer: Default::default(),
            lost_search: Mutex::default(),
            lost_before: Mutex::default(),
            new_lives: Mutex::default(),
            quota: quota.clone(),
            metered,
            rates: Default::default(),
            courier: Default::default(),
            reaching: Default::default(),
            marks: Mutex::default(),
            offered: Mutex::default(),
            turning: Default::default(),
            looked_for_old: Default::default(),
            copy_behind: Default::default(),
            fatal,
            config,
        });
        if let Some(told) = shared.stopped_told() {
            tracing::error!("{told}");
        }
        let (batches, queue) = mpsc::sync_channel(1);
        let (done, settled) = mpsc::channel();
        let dispatch = dispatch::spawn(shared.clone(), settled).map_err(NodeError::Thread)?;
        let writer = Writer {
            journal,
            batches: queue,
            done,
            core: core.clone(),
            view,
            metrics,
            fatal: shared.fatal.clone(),
            seal: shared.retention.seal.clone(),
            quota,
        };
        let journal = writer.spawn().map_err(NodeError::Thread)?;
        let effects = Effects {
            shared: shared.clone(),
            runtime: Handle::current(),
        };
        let core_thread = seat
            .spawn(engine, witness, batches, effects, shared.fatal.clone())
            .map_err(NodeError::Thread)?;
        if !adoptions.missing.is_empty() {
            for leaf in adoptions.missing {
                core.give(leaf).await;
            }
            // On the disk before anything is done under it.
            core.reached().await;
        }
        core.give(Input::note(v1::LeafKind::Started)).await;
        shared.recover_held().await?;

        shared.refresh_marks().await;
        let mut tasks = JoinSet::new();
        let endpoint = link(&shared, &mut tasks).await?;
        *lock(&shared.endpoint) = Some(endpoint.clone());
        let serving = serve(&shared).await?;
        work(&shared, &mut tasks, Watch::new(clock::now(), before));
        serve_metrics(&shared, &mut tasks).await?;
        Ok(Self {
            shared,
            endpoint,
            serving,
            tasks,
            core: core_thread,
            journal,
            dispatch,
            view: view_thread,
            _held: held,
        })
    }

    /// What the node's parts share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Where a fault that must end the node shows, also while it stops.
    pub fn fatal(&self) -> Fatal {
        self.shared.fatal.clone()
    }

    /// Waits for a fault that must end the node; its words.
    pub async fn failed(&self) -> String {
        self.shared.fatal.stopped().await
    }

    /// Ends the node in order: no new requests, links drained, everything durable, clean marks.
    pub async fn shutdown(mut self) -> Result<(), NodeError> {
        for serving in self.serving.drain(..) {
            serving.shutdown(GRACE).await;
        }
        self.tasks.shutdown().await;
        let stopping = self.shared.clone();
        // A segment that is being written anew is finished first.
        let rested = tokio::task::spawn_blocking(move || stopping.retention.stop());
        if tokio::time::timeout(SCRUB_GRACE, rested).await.is_err() {
            tracing::warn!("a segment is still being written anew; the next start carries it on");
        }
        self.endpoint.shutdown().await;
        self.shared.keep_budget();
        lock(&self.shared.endpoint).take();
        self.shared
            .core
            .give(Input::note(v1::LeafKind::Stopped))
            .await;
        self.shared.core.stop().await;
        let Self {
            shared,
            core,
            journal,
            dispatch,
            view,
            endpoint,
            ..
        } = self;
        drop(endpoint);
        let joined = tokio::task::spawn_blocking(move || {
            let ended = "a thread of the node broke off";
            core.join().map_err(|_| NodeError::Broken(ended))?;
            let journal = journal.join().map_err(|_| NodeError::Broken(ended))?;
            dispatch.join().map_err(|_| NodeError::Broken(ended))?;
            shared.view.close();
            view.join().map_err(|_| NodeError::Broken(ended))?;
            journal
                .ok_or(NodeError::Broken("the journal was not whole"))?
                .close()
                .map_err(NodeError::Journal)
        });
        joined
            .await
            .map_err(|_| NodeError::Broken("the stop broke off"))?
    }
}

fn boot_id() -> String {
    // Where the kernel does not say, no two starts count as one boot.
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_or_else(|_| clock::mono().0.to_string(), |s| s.trim().to_owned())
}

async fn link(shared: &Arc<Shared>, tasks: &mut JoinSet<()>) -> Result<Arc<Endpoint>, NodeError> {
    let mut boot_id = [0; 16];
    SystemEntropy.fill(&mut boot_id);
    let config = LinkConfig {
        me: shared.me,
        listen: shared.config.link.listen,
        profile: shared.config.link.profile,
        profiles: shared.config.link.profiles.clone(),
        limits: shared.config.limits,
        boot_id,
    };
    let (handler, turns) = NodeHandler::new(shared.clone());
    tasks.spawn(turns);
    let handler = Arc::new(handler);
    Ok(Endpoint::start(
        config,
        shared.keyring.node_tls().clone(),
        shared.trust.clone(),
        handler,
    )
    .await?)
}

async fn serve(shared: &Arc<Shared>) -> Result<Vec<Serving>, NodeError> {
    let router = router(Arc::new(NodeOperator::new(shared.clone())));
    let socket = &shared.config.api.socket;
    let peers = match shared.config.api.group {
        true => Peers::Group,
        false => Peers::Owner,
    };
    let listener = bind_unix(socket, peers).map_err(|source| NodeError::Socket {
        path: socket.clone(),
        source,
    })?;
    let mut serving = vec![serve_unix(listener, router.clone(), peers)];
    if let Some((addr, token_file)) = &shared.config.api.tcp {
        let token = fs::read_to_string(token_file)
            .map(zeroize::Zeroizing::new)
            .map_err(|source| NodeError::Token {
                path: token_file.clone(),
                source,
            })?;
        let listener = TcpListener::bind(addr)
            .await
            .map_err(|e| NodeError::listen("api.tcp", *addr, e))?;
        serving.push(serve_tcp(listener, router, token.trim()));
    }
    Ok(serving)
}

/// What a node does by itself for as long as it runs.
fn work(shared: &Arc<Shared>, tasks: &mut JoinSet<()>, watch: Watch) {
    tasks.spawn(tick(shared.core.clone()));
    tasks.spawn(quota::work(shared.clone()));
    tasks.spawn(again::keep_marks(shared.clone()));
    tasks.spawn(metered::work(shared.clone()));
    tasks.spawn(rates::work(shared.clone()));
    tasks.spawn(clocks::work(shared.clone()));
    tasks.spawn(age::work(shared.clone()));
    tasks.spawn(crate::replaced_keys::work(shared.clone()));
    tasks.spawn(crate::not_coming::work(shared.clone()));
    tasks.spawn(retention::work(shared.clone(), watch));
    tasks.spawn(rotation::work(shared.clone()));
    tasks.spawn(adoption::pass_on(shared.clone()));
    tasks.spawn(crate::sealing_anew::work(shared.clone()));
    tasks.spawn(gauges::report(shared.clone()));
    tasks.spawn(crate::watch::watch(shared.clone()));
    tasks.spawn(checking::work(shared.clone()));
    tasks.spawn(relaying::work(shared.clone()));
    tasks.spawn(attachments::fetch(shared.clone()));
    tasks.spawn(attachments::sweep(shared.clone()));
}

async fn serve_metrics(shared: &Arc<Shared>, tasks: &mut JoinSet<()>) -> Result<(), NodeError> {
    if let Some(addr) = shared.config.metrics {
        let listener = TcpListener::bind(addr)
            .await
            .map_err(|e| NodeError::listen("metrics.listen", addr, e))?;
        let router = shared.metrics.router();
        tasks.spawn(async move {
            if let Err(e) = axum::serve(listener, router).await {
                tracing::error!(error = %e, "the metrics port has closed");
            }
        });
    }
    Ok(())
}

async fn tick(core: Core) {
    let mut every = tokio::time::interval(Duration::from_millis(TICK_MS));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        core.give(Input::Tick).await;
    }
}
