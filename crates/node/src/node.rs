//! Starting and stopping one node.
//!
//! The order of a start: hold the directory, unlock the keys, verify all trust data from the
//! pinned root, recover the journal, bring the view to its end, recover the engine, start the
//! threads, link, serve. Anything that does not hold stops the start and changes nothing.

use crate::{
    again,
    attachments::{self, Attachments},
    blobs::Blobs,
    checking, clock, clocks,
    config::{Config, KeysConfig},
    core::{Core, core},
    desk::Desk,
    dispatch,
    events::Events,
    fatal::Fatal,
    handler::NodeHandler,
    layout::Layout,
    life::{finish_switch, kept_lives},
    metered::{self, Metered},
    metrics::Metrics,
    node_error::NodeError,
    operator::NodeOperator,
    outlet::Effects,
    past::WAY_FORWARD,
    quota::{self, DataDir, Probe, Quota},
    recent::Recent,
    recovery::{
        count_inbox, kept_proofs, last_signed, own_past, recover_engine, recover_logs,
        recover_witnessing,
    },
    relaying,
    restore::not_half_restored,
    retention::{self, Retention, Watch},
    shared::{LinkBook, Shared, lock},
    view::ReadyView,
    watch,
    writer::Writer,
};
use abeng_api::{Peers, Serving, bind_unix, router, serve_tcp, serve_unix};
use abeng_audit_log::{DirLock, Journal, OpenOptions, RealDisk, Witness};
use abeng_keys::{Entropy, Keyring, Passphrase, Role, SystemEntropy};
use abeng_link::{Endpoint, LinkConfig};
use abeng_queue::{Input, Trusting};
use abeng_roster::{Trust, verify_incarnation};
use abeng_seal::BoxCache;
use abeng_wire::{Incarnation, LeafIndex, PartyCode, v1};
use arc_swap::ArcSwap;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
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
        let layout = Layout::new(&config.data);
        if !layout.root().is_dir() {
            return Err(NodeError::NoData {
                dir: config.data.clone(),
            });
        }
        let disk = RealDisk::new(layout.root());
        let held = disk.lock().map_err(|source| NodeError::Directory {
            dir: config.data.clone(),
            source,
        })?;
        let held = held.ok_or_else(|| NodeError::InUse {
            dir: config.data.clone(),
        })?;
        not_half_restored(&config.data)?;
        // A new life whose opening a crash cut short is whole, or was not begun.
        finish_switch(&layout).map_err(|e| NodeError::Failed(e.to_string()))?;
        let now = clock::wall();
        let quota =
            Arc::new(
                Quota::new(config.quota, room).map_err(|source| NodeError::Directory {
                    dir: config.data.clone(),
                    source,
                })?,
            );
        let spent = layout.budget();
        let metered = Metered::open(config.link.metered, spent.clone()).map_err(|source| {
            NodeError::Budget {
                path: spent,
                source,
            }
        })?;
        let keyring = Arc::new(unlock(&config, &layout)?);
        let trust = load_trust(&config, &layout, now)?;
        check_keys(&keyring, &trust, now)?;

        let metrics = Metrics::new();
        let (journal, recovery) = Journal::open(disk, OpenOptions::default())?;
        let incarnation = open_identity(&journal, &trust, config.party, &config.data)?;
        let mut notices = Vec::new();
        if let Some(torn) = &recovery.torn_tail {
            tracing::warn!(file = %torn.file, offset = torn.offset, bytes = torn.bytes, "a batch that was being written when the node stopped was cut off; it was never acknowledged");
            notices.push(format!(
                "a torn batch of {} bytes at {}:{} was cut off at the last start",
                torn.bytes, torn.file, torn.offset
            ));
        }
        if recovery.tiles_ahead > 0 {
            tracing::error!(
                leaves = recovery.tiles_ahead,
                "tiles hold leaves that the journal does not: acknowledged leaves were lost, or this is an old copy"
            );
            notices.push(format!(
                "{} leaves known from tiles are missing in the journal: this may be an old copy",
                recovery.tiles_ahead
            ));
        }
        if recovery.tiles_rebuilt > 0 {
            tracing::info!(
                leaves = recovery.tiles_rebuilt,
                "node hashes were computed again"
            );
        }
        if kept_lives(&layout) > 0 {
            notices.push(format!(
                "the journal of an earlier life lies in {}: what is deleted or taken back here stays there. Once this life runs well, delete that directory",
                layout.root().join("lives").display()
            ));
        }
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
        if let Some(proved) = &past {
            metrics.submitting_stopped.set(1);
            tracing::error!("this node submits nothing: {proved}. {WAY_FORWARD}");
        }
        metrics.roster_version.set(trust.roster.version() as i64);
        let blobs = Blobs::open(&layout).map_err(|source| NodeError::Directory {
            dir: config.data.clone(),
            source,
        })?;
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
            adopting: Mutex::new(()),
            retention: Retention::default(),
            attachments: Attachments::new(blobs),
            told: Mutex::default(),
            gaps_warned: Mutex::default(),
            past: Mutex::new(past),
            met_peer: Default::default(),
            lost_search: Mutex::default(),
            new_lives: Mutex::default(),
            quota: quota.clone(),
            metered,
            courier: Default::default(),
            reaching: Default::default(),
            marks: Mutex::default(),
            offered: Mutex::default(),
            fatal,
            config,
        });
        // The last leaf before this start: what is past without doubt.
        let past = recovery.size.checked_sub(1).map(LeafIndex);
        let past = past.and_then(|last| shared.leaf_time(last)).unwrap_or(0);
        clock::know(past.max(shared.trust().roster.issued()));
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
        core.give(Input::note(v1::LeafKind::Started)).await;

        shared.refresh_marks().await;
        let mut tasks = JoinSet::new();
        let endpoint = link(&shared, &mut tasks).await?;
        *lock(&shared.endpoint) = Some(endpoint.clone());
        let serving = serve(&shared).await?;
        tasks.spawn(tick(core.clone()));
        tasks.spawn(quota::work(shared.clone()));
        tasks.spawn(again::keep_marks(shared.clone()));
        tasks.spawn(metered::work(shared.clone()));
        tasks.spawn(clocks::work(shared.clone()));
        tasks.spawn(retention::work(
            shared.clone(),
            Watch::new(clock::now(), past),
        ));
        tasks.spawn(report(shared.clone()));
        tasks.spawn(watch::watch(shared.clone()));
        tasks.spawn(checking::work(shared.clone()));
        tasks.spawn(relaying::work(shared.clone()));
        tasks.spawn(attachments::fetch(shared.clone()));
        tasks.spawn(attachments::sweep(shared.clone()));
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

pub(crate) fn unlock(config: &Config, layout: &Layout) -> Result<Keyring, NodeError> {
    let passphrase = || -> Result<Passphrase, String> {
        let read = |path: &Path| {
            fs::read(path)
                .map(zeroize::Zeroizing::new)
                .map_err(|e| format!("cannot read {}: {e}", path.display()))
        };
        let line = match &config.keys {
            KeysConfig::InsecurePlain => return Err("[keys] says insecure_plain".to_owned()),
            KeysConfig::PassphraseFile(path) => {
                private(path)?;
                read(path)?
            }
            KeysConfig::PassphraseCredential(name) => {
                let dir = std::env::var_os("CREDENTIALS_DIRECTORY").ok_or(
                    "CREDENTIALS_DIRECTORY is not set: start under systemd with LoadCredential=",
                )?;
                read(&Path::new(&dir).join(name))?
            }
        };
        Passphrase::from_line(&line)
            .ok_or_else(|| "the passphrase is empty or not UTF-8".to_owned())
    };
    let keyring = Keyring::load(&layout.keys(), passphrase)?.expect_party(config.party)?;
    Ok(keyring)
}

/// Refuses a file that others could read.
fn private(path: &Path) -> Result<(), String> {
    let mode = fs::metadata(path)
        .map_err(|e| format!("cannot read {}: {e}", path.display()))?
        .permissions()
        .mode();
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(format!(
            "{} has mode {:04o}: others could read it; `chmod 600` it and choose another passphrase",
            path.display(),
            mode & 0o7777
        )),
    }
}

pub(crate) fn load_trust(config: &Config, layout: &Layout, now: u64) -> Result<Trust, NodeError> {
    let bundle = layout.read_trust().map_err(|source| NodeError::TrustFile {
        path: layout.trust(),
        source,
    })?;
    let trust = Trust::from_bundle(&bundle, Some(config.root), now)?;
    trust.check_time(now)?;
    let party = trust.roster.party(config.party).filter(|p| p.is_active());
    party.ok_or(NodeError::NotMember {
        party: config.party,
    })?;
    Ok(trust)
}

/// The keys here must be those that the roster has for us.
pub(crate) fn check_keys(keyring: &Keyring, trust: &Trust, now: u64) -> Result<(), NodeError> {
    use abeng_keys::Signer;
    let party = trust
        .roster
        .party(keyring.party)
        .ok_or(NodeError::NotMember {
            party: keyring.party,
        })?;
    let keys: [(Role, &dyn Signer); 3] = [
        (Role::OrgSign, keyring.org_sign().as_ref()),
        (Role::NodeTls, keyring.node_tls().as_ref()),
        (Role::Log, keyring.log().as_ref()),
    ];
    for (role, signer) in keys {
        let listed = party.key(role, &signer.verify_key().kid());
        if !listed.is_some_and(|k| k.is_active(now)) {
            return Err(NodeError::KeyNotListed {
                party: keyring.party,
                role,
            });
        }
    }
    Ok(())
}

/// Leaf 0 says whose journal this is, and in which life.
pub(crate) fn open_identity(
    journal: &Journal<RealDisk>,
    trust: &Trust,
    me: PartyCode,
    dir: &Path,
) -> Result<Incarnation, NodeError> {
    let stored = journal.reader().read(LeafIndex(0))?;
    let proof = stored.record.proof().ok().flatten().and_then(|p| p.of);
    let Some(v1::proof_part::Of::Statement(signed)) = proof else {
        return Err(NodeError::NoIncarnation {
            dir: dir.to_owned(),
        });
    };
    let statement = verify_incarnation(&trust.roster, &signed)?;
    if statement.party != me.as_str() {
        return Err(NodeError::OtherNode {
            dir: dir.to_owned(),
            found: statement.party,
            expected: me,
        });
    }
    Ok(Incarnation(statement.incarnation))
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

async fn tick(core: Core) {
    let mut every = tokio::time::interval(Duration::from_millis(TICK_MS));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        core.give(Input::Tick).await;
    }
}

async fn report(shared: Arc<Shared>) {
    let mut every = tokio::time::interval(Duration::from_millis(shared.config.status_every_ms));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        shared.report().await;
        shared.gauge().await;
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
