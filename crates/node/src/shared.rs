//! What all parts of one running node share.

use crate::{
    adoption::{Dispute, News, SealKeyPace, Untold},
    attachments::Attachments,
    audit::LogReading,
    config::Config,
    core::Core,
    courier::Courier,
    desk::Desk,
    events::{AtLeaf, Events},
    fatal::Fatal,
    held::Held,
    lacking::KeyGone,
    layout::Layout,
    metered::Metered,
    metrics::Metrics,
    newer::NewerLife,
    quota::Quota,
    rates::Rates,
    recall::Told,
    recent::Recent,
    relaying::Reaching,
    retention::Retention,
    rotation::Looked,
    signing::Signing,
    split::{Gossip, KeptProof},
    stale::StaleCopies,
    view::ViewClient,
    witnessing::Witnessing,
};
use abeng_api::{DeliveredEvent, SettledEvent, Warning};
use abeng_audit_log::{Checkpoint, Reader, RealDisk, logs::LogBook, past::Proved};
use abeng_keys::Keyring;
use abeng_link::{Endpoint, Link};
use abeng_roster::Trust;
use abeng_seal::{BoxCache, OpenedBoxes};
use abeng_wire::{Incarnation, Millis, Mono, PartyCode, v1};
use arc_swap::ArcSwap;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64},
    },
};

/// One node, as its tasks and threads see it.
pub struct Shared {
    /// What the administrator wrote.
    pub config: Config,
    /// Where things lie.
    pub layout: Layout,
    /// The party of this node.
    pub me: PartyCode,
    /// The life of its journal.
    pub incarnation: Incarnation,
    /// The origin of its log.
    pub origin: String,
    /// Its keys.
    pub keyring: Arc<Keyring>,
    /// Whom it believes, swapped as a whole.
    pub trust: Arc<ArcSwap<Trust>>,
    /// The engine's thread.
    pub core: Core,
    /// The view's thread.
    pub view: ViewClient,
    /// What is durable.
    pub reader: Reader<RealDisk>,
    /// Envelopes sent lately.
    pub recent: Recent,
    /// Who waits for an answer.
    pub desk: Desk,
    /// Held while a ticket is taken and given, so that tickets reach the engine in order.
    pub ticket_order: Mutex<()>,
    /// Counters.
    pub metrics: Metrics,
    /// Delivered here lately.
    pub delivered: Events<DeliveredEvent>,
    /// Settled here lately.
    pub settled: Events<SettledEvent>,
    /// Links by peer.
    pub links: LinkBook,
    /// The endpoint, while it runs. It holds this node as its handler, so a stop takes it out.
    pub endpoint: Mutex<Option<Arc<Endpoint>>>,
    /// What is known of the logs of others.
    pub logs: Mutex<LogBook>,
    /// How far the witnesses of the own log are.
    pub witnessing: Mutex<Witnessing>,
    /// Which checkpoints of others each peer was told on its link.
    pub gossip: Mutex<Gossip>,
    /// Proofs kept here that a log contradicts itself.
    pub contradictions: Mutex<Vec<KeptProof>>,
    /// The newest own checkpoint that was signed.
    pub signed: Mutex<Option<Checkpoint>>,
    /// BOXes in use towards recipients. Two, so that two seals run side by side.
    pub boxes: [Mutex<BoxCache>; 2],
    /// BOXes opened lately.
    pub opened: Mutex<OpenedBoxes>,
    /// The newest Status of each party, at a coordination node.
    pub statuses: Mutex<BTreeMap<PartyCode, (Millis, v1::Status)>>,
    /// Notices by type since the start.
    pub counts: Mutex<BTreeMap<&'static str, (u64, u64)>>,
    /// Notices in the inbox, ever, and those read.
    pub inbox: InboxCounts,
    /// When the process started.
    pub started_at: Millis,
    /// What the operator should see in `status`, from the start.
    pub notices: Vec<Warning>,
    /// Peers that closed their links because they hold this node's log to contradict itself.
    pub accused_by: Mutex<BTreeSet<PartyCode>>,
    /// For those who read the log.
    pub log_reading: LogReading,
    /// Held while trust data is merged, or somebody is accepted.
    pub adopting: Mutex<SealKeyPace>,
    /// Held by whatever replaces a notice that was sent, until that is in the log.
    pub replacing: tokio::sync::Mutex<()>,
    /// Where a signing key in a token signs what is submitted.
    pub signing: Signing,
    /// Trust data that peers are to be told of.
    pub untold: Untold,
    /// What newer rosters changed that nobody here has seen.
    pub news: Mutex<News>,
    /// Newcomers that had something for this party, and when they last did.
    pub held_off: Mutex<BTreeMap<PartyCode, Mono>>,
    /// Well-signed statements of one version that differ.
    pub disputes: Mutex<Vec<Dispute>>,
    /// Deletes what is to be kept no longer.
    pub retention: Retention,
    /// What was said of who reaches whom.
    pub reaching: Reaching,
    /// Files beside notices.
    pub attachments: Attachments,
    /// Submissions that wait for a second person.
    pub held: Held,
    /// How far peers got receipts again.
    pub told: Mutex<BTreeMap<PartyCode, Told>>,
    /// How far streams to this party have come, by originator.
    pub marks: Mutex<BTreeMap<PartyCode, Vec<v1::StreamMark>>>,
    /// Up to which life of its log each peer was offered again what older ones had delivered.
    pub offered: Mutex<BTreeMap<PartyCode, Incarnation>>,
    /// Whether a peer has shown in its hello what it knows of this log, since the start.
    pub met_peer: AtomicBool,
    /// When numbers of earlier lives were searched for last.
    pub lost_search: Mutex<crate::lost::Searches>,
    /// When it was said, before this process began, that numbers of others are lost.
    pub lost_before: Mutex<crate::not_coming::Said>,
    /// Newer lives of the logs of others that began while this process ran, and when.
    pub new_lives: Mutex<BTreeMap<PartyCode, (Incarnation, Millis)>>,
    /// Why nothing is submitted any more.
    pub past: Mutex<Option<Proved>>,
    /// The newer life of this log that is why, with who showed it.
    pub newer: Mutex<Option<NewerLife>>,
    /// Older copies of others' nodes that were refused here.
    pub stale: Mutex<StaleCopies>,
    /// What was refused because the key that it was sealed to is not here.
    pub key_gone: Mutex<KeyGone>,
    /// When old gaps in streams were last written down.
    pub gaps_warned: Mutex<Option<Mono>>,
    /// Room on disk.
    pub quota: Arc<Quota>,
    /// Files that carry what a link would.
    pub courier: Courier,
    /// Paths that are paid by the byte.
    pub metered: Metered,
    /// Held while seal keys are made, published or destroyed.
    pub turning: tokio::sync::Mutex<()>,
    /// When it was last looked which seal keys open something that is kept here.
    pub looked_for_old: Mutex<Looked>,
    /// Why the node's own copy of the keyring is not of the keyring as it is now, in words.
    pub copy_behind: Mutex<Option<String>>,
    /// How fast paths deliver, as measured.
    pub rates: Rates,
    /// Ends the node.
    pub fatal: Fatal,
}

/// The inbox in numbers.
#[derive(Default)]
pub struct InboxCounts {
    /// Delivered, ever.
    pub total: AtomicU64,
    /// Of these, opened by somebody.
    pub read: AtomicU64,
}

/// Locks; what it guards is never left half changed.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which peers are linked, and since when they are or are not.
#[derive(Default)]
pub struct LinkBook {
    entries: Mutex<BTreeMap<PartyCode, LinkEntry>>,
}

/// One peer.
#[derive(Clone)]
pub struct LinkEntry {
    /// The link, while it is up.
    pub link: Option<Link>,
    /// Since when it is up or down.
    pub since: Millis,
    /// The size of the own checkpoint that the peer holds, as far as is known.
    pub peer_holds: u64,
    /// The roster under which its trust marks were answered on this link.
    pub marks_answered: Option<v1::RosterRef>,
}

impl LinkBook {
    /// The link to a peer, if it is up.
    pub fn link(&self, peer: PartyCode) -> Option<Link> {
        lock(&self.entries).get(&peer).and_then(|e| e.link.clone())
    }

    /// All links that are up.
    pub fn linked(&self) -> Vec<Link> {
        let entries = lock(&self.entries);
        entries.values().filter_map(|e| e.link.clone()).collect()
    }

    /// The link to a peer, if it is this session.
    pub fn session(&self, peer: PartyCode, session: u64) -> Option<Link> {
        self.link(peer).filter(|l| l.session() == session)
    }

    /// All that is known of a peer's link.
    pub fn entry(&self, peer: PartyCode) -> Option<LinkEntry> {
        lock(&self.entries).get(&peer).cloned()
    }

    /// A link came up.
    pub fn up(&self, link: Link, peer_holds: u64, now: Millis) {
        let entry = LinkEntry {
            since: now,
            peer_holds,
            link: Some(link.clone()),
            marks_answered: None,
        };
        lock(&self.entries).insert(link.peer(), entry);
    }

    /// A link went down; false if another session has taken its place.
    pub fn down(&self, peer: PartyCode, session: u64, now: Millis) -> bool {
        let mut entries = lock(&self.entries);
        match entries.get_mut(&peer) {
            Some(entry) if entry.link.as_ref().is_some_and(|l| l.session() == session) => {
                entry.link = None;
                entry.since = now;
                true
            }
            _ => false,
        }
    }

    /// Whether trust marks on that session are the first under this roster. An answer may be
    /// hundreds of statements, and whoever asks again has been told.
    pub fn first_marks(&self, peer: PartyCode, session: u64, roster: &v1::RosterRef) -> bool {
        let mut entries = lock(&self.entries);
        let of_session =
            |e: &&mut LinkEntry| e.link.as_ref().is_some_and(|l| l.session() == session);
        let Some(entry) = entries.get_mut(&peer).filter(of_session) else {
            return false;
        };
        entry.marks_answered.replace(roster.clone()).as_ref() != Some(roster)
    }

    /// The peer will hold this size of our log on that session; returns what it held before,
    /// `None` where another session has taken its place.
    pub fn advance(&self, peer: PartyCode, session: u64, size: u64) -> Option<u64> {
        let mut entries = lock(&self.entries);
        let entry = entries.get_mut(&peer)?;
        entry.link.as_ref().filter(|l| l.session() == session)?;
        let before = entry.peer_holds;
        entry.peer_holds = before.max(size);
        Some(before)
    }
}

impl AtLeaf for DeliveredEvent {
    fn leaf(&self) -> u64 {
        self.leaf
    }
}

impl AtLeaf for SettledEvent {
    fn leaf(&self) -> u64 {
        self.leaf
    }
}

impl Shared {
    /// The trust in force.
    pub fn trust(&self) -> Arc<Trust> {
        self.trust.load_full()
    }

    /// Counts a notice of a type.
    pub fn count(&self, ty: &'static str, sent: u64, received: u64) {
        let mut counts = lock(&self.counts);
        let entry = counts.entry(ty).or_default();
        entry.0 += sent;
        entry.1 += received;
    }
}
