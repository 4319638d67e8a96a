use crate::{
    Closed, Handler, Link, LinkConfig, admission::Admission, backoff::Backoff, doors::Doors,
    link::lock, profile::Settings, rate::Pace, session::Window, tls::Identity,
};
use abeng_keys::SoftSigner;
use abeng_roster::Trust;
use abeng_wire::{Mono, Now, PartyCode};
use arc_swap::ArcSwap;
use std::{
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};

/// A link that lived this long was a contact: its end is dialled again without
/// a long delay.
const CONTACT: Duration = Duration::from_secs(5);

/// What all tasks of an endpoint share.
pub(crate) struct Core {
    pub(crate) config: LinkConfig,
    pub(crate) settings: Settings,
    /// Credit to give on each link.
    pub(crate) window: Window,
    pub(crate) quic: quinn::Endpoint,
    pub(crate) identity: Identity,
    pub(crate) signer: Arc<SoftSigner>,
    pub(crate) trust: Arc<ArcSwap<Trust>>,
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) doors: Doors,
    /// What each peer has sent, over all its links.
    paces: Mutex<BTreeMap<PartyCode, Arc<Mutex<Pace>>>>,
    /// The one live link of each peer.
    pub(crate) links: Mutex<BTreeMap<PartyCode, Link>>,
    pub(crate) links_changed: watch::Sender<u64>,
    /// The handler hears of ups and downs one at a time, in the order they took effect.
    pub(crate) turn: tokio::sync::Mutex<()>,
    /// One per party that is dialled.
    pub(crate) diallers: Mutex<BTreeMap<PartyCode, Arc<Dialler>>>,
    stopping: watch::Sender<bool>,
    tasks: Mutex<JoinSet<()>>,
    sessions: AtomicU64,
    pub(crate) clocks: Clocks,
}

/// Both clocks, as all tasks of an endpoint read them.
#[derive(Clone)]
pub(crate) struct Clocks {
    start: Instant,
    handler: Arc<dyn Handler>,
}

impl Clocks {
    pub(crate) fn now(&self) -> Now {
        Now {
            mono: Mono(self.start.elapsed().as_nanos() as u64),
            wall: self.handler.wall(),
        }
    }
}

/// How other tasks reach the one that dials a party.
#[derive(Default)]
pub(crate) struct Dialler {
    /// Something below has changed, or the peer's link came or went.
    pub(crate) changed: Notify,
    /// A sign of life: start again from the first backoff.
    pub(crate) contact: AtomicBool,
    /// Dial now.
    pub(crate) wake: AtomicBool,
    /// The peer's roster is not ours.
    pub(crate) rosters_differ: AtomicBool,
    /// The party left the roster or has no address any more.
    pub(crate) gone: AtomicBool,
}

impl Core {
    #[allow(
        clippy::too_many_arguments,
        reason = "one caller, all of different types"
    )]
    pub(crate) fn new(
        config: LinkConfig,
        settings: Settings,
        window: Window,
        quic: quinn::Endpoint,
        identity: Identity,
        signer: Arc<SoftSigner>,
        trust: Arc<ArcSwap<Trust>>,
        handler: Arc<dyn Handler>,
    ) -> Self {
        let clocks = Clocks {
            start: Instant::now(),
            handler: Arc::clone(&handler),
        };
        Self {
            config,
            settings,
            window,
            quic,
            identity,
            signer,
            trust,
            handler,
            admission: Arc::default(),
            doors: Doors::default(),
            paces: Mutex::default(),
            links: Mutex::default(),
            links_changed: watch::Sender::new(0),
            turn: tokio::sync::Mutex::default(),
            diallers: Mutex::default(),
            stopping: watch::Sender::new(false),
            tasks: Mutex::default(),
            sessions: AtomicU64::new(0),
            clocks,
        }
    }

    pub(crate) fn now(&self) -> Now {
        self.clocks.now()
    }

    pub(crate) fn next_session(&self) -> u64 {
        self.sessions.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The other active party that holds a node-tls key now.
    pub(crate) fn holder(&self, key: &[u8; 32]) -> Option<PartyCode> {
        let trust = self.trust.load();
        let (party, _) = trust.roster.party_by_tls_key(key, self.now().wall)?;
        (party.code != self.config.me).then_some(party.code)
    }

    /// The numbers for the path to a party.
    pub(crate) fn settings_for(&self, peer: PartyCode) -> Settings {
        let profile = self.config.profiles.get(&peer);
        profile.map_or(self.settings, |own| own.settings())
    }

    pub(crate) fn backoff(&self, peer: PartyCode) -> Backoff {
        Backoff::new(self.settings_for(peer).backoff)
    }

    /// The pace of a party, which goes on from link to link: a new one brings no new burst.
    pub(crate) fn pace(&self, peer: PartyCode) -> Arc<Mutex<Pace>> {
        let mut paces = lock(&self.paces);
        let pace = paces.entry(peer).or_insert_with(|| {
            let pace = Pace::new(&self.config.limits, self.now().mono);
            Arc::new(Mutex::new(pace))
        });
        Arc::clone(pace)
    }

    pub(crate) fn linked(&self, peer: PartyCode) -> bool {
        lock(&self.links).contains_key(&peer)
    }

    fn dialler(&self, peer: PartyCode) -> Option<Arc<Dialler>> {
        lock(&self.diallers).get(&peer).cloned()
    }

    /// A sign of life of a peer: forget its backoff. Its own dial may be about to succeed, so
    /// ours still waits the first backoff.
    pub(crate) fn contact(&self, peer: PartyCode) {
        if let Some(dialler) = self.dialler(peer) {
            dialler.contact.store(true, Ordering::Release);
            dialler.changed.notify_one();
        }
    }

    /// Dial a peer at once.
    pub(crate) fn wake(&self, peer: PartyCode) {
        if let Some(dialler) = self.dialler(peer) {
            dialler.wake.store(true, Ordering::Release);
            dialler.changed.notify_one();
        }
    }

    /// The link table has changed for `peer`.
    pub(crate) fn link_changed(&self, peer: PartyCode, lived: Option<Duration>) {
        self.links_changed.send_modify(|changes| *changes += 1);
        if lived.is_some_and(|time| time >= CONTACT) {
            self.contact(peer);
        } else if let Some(dialler) = self.dialler(peer) {
            dialler.changed.notify_one();
        }
    }

    pub(crate) fn same_roster(&self, link: &Link) -> bool {
        link.peer_roster() == self.trust.load().roster.reference()
    }

    /// The side that dialled a link fetches trust data where the rosters differ.
    pub(crate) fn compare_rosters(&self, link: &Link) {
        if !self.same_roster(link)
            && link.shared().sides.dialler == self.config.me
            && let Some(dialler) = self.dialler(link.peer())
        {
            dialler.rosters_differ.store(true, Ordering::Release);
            dialler.changed.notify_one();
        }
    }

    /// Runs a task that ends with the endpoint; one that is already stopping runs none.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if self.is_stopping() {
            return;
        }
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Returns once the endpoint stops.
    pub(crate) async fn stopped(&self) {
        // The sender lives in `self`: this cannot fail.
        let _ = self
            .stopping
            .subscribe()
            .wait_for(|stopping| *stopping)
            .await;
    }

    /// Closes the socket's connections, told or untold.
    pub(crate) fn close(&self, why: &Closed) {
        self.quic
            .close((why.code() as u32).into(), why.to_string().as_bytes());
    }

    pub(crate) fn abort_tasks(&self) {
        lock(&self.tasks).abort_all();
    }

    pub(crate) async fn end_tasks(&self) {
        let mut tasks = std::mem::take(&mut *lock(&self.tasks));
        tasks.shutdown().await;
    }
}
