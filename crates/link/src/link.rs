use crate::{
    Closed,
    core::Clocks,
    delivered::{Delivered, Watched},
    outbox::Outbox,
    rate::Pace,
    session::{Connection, Session},
};
use abeng_wire::{Millis, PartyCode, limits, v1};
use bytes::Bytes;
use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// Traffic of one link since its start, as UDP payload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkStats {
    /// Bytes sent.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
    /// Datagrams, both ways: each has headers of its own.
    pub datagrams: u64,
    /// Of those sent, bytes that were taken for lost; what was in them went again.
    pub lost: u64,
    /// Datagrams taken for lost.
    pub lost_datagrams: u64,
}

/// A live session with another party. Clones are handles to the same session; all of them go
/// dead with it, silently: [`crate::Handler::down`] is the word for that.
#[derive(Clone)]
pub struct Link {
    shared: Arc<Shared>,
}

/// Whether and how a session is to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Not yet.
    No,
    /// Once both sides have said what they had to say, or the time for that is over.
    Drain(Closed),
    /// At once.
    Now(Closed),
}

/// What the handles and the tasks of a session share.
pub(crate) struct Shared {
    pub(crate) peer: PartyCode,
    pub(crate) number: u64,
    pub(crate) sides: Connection,
    pub(crate) peer_key: [u8; 32],
    pub(crate) hello: v1::Hello,
    pub(crate) quic: quinn::Connection,
    pub(crate) outbox: Outbox,
    pub(crate) since: Instant,
    pace: Arc<Mutex<Pace>>,
    clocks: Clocks,
    session: Mutex<Session>,
    peer_roster: Mutex<v1::RosterRef>,
    ending: watch::Sender<Ending>,
    told_down: AtomicBool,
}

impl Link {
    #[allow(
        clippy::too_many_arguments,
        reason = "one caller, all of different types"
    )]
    pub(crate) fn new(
        peer: PartyCode,
        number: u64,
        sides: Connection,
        peer_key: [u8; 32],
        hello: v1::Hello,
        session: Session,
        (pace, clocks): (Arc<Mutex<Pace>>, Clocks),
        quic: quinn::Connection,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                peer,
                number,
                sides,
                peer_key,
                peer_roster: Mutex::new(hello.roster.clone().unwrap_or_default()),
                hello,
                quic,
                outbox: Outbox::default(),
                since: Instant::now(),
                pace,
                clocks,
                session: Mutex::new(session),
                ending: watch::Sender::new(Ending::No),
                told_down: AtomicBool::new(false),
            }),
        }
    }

    /// The party at the other end.
    pub fn peer(&self) -> PartyCode {
        self.shared.peer
    }

    /// The number of this session, unique in this process.
    pub fn session(&self) -> u64 {
        self.shared.number
    }

    /// The peer's hello, as checked when the link came up.
    pub fn hello(&self) -> &v1::Hello {
        &self.shared.hello
    }

    /// Sends an encoded [`v1::Envelope`] on the stream of its precedence, in order. Never blocks.
    /// The caller keeps to the peer's credit; what goes beyond waits here for more, and a backlog
    /// that no credit explains ends the link. An empty or over-long frame is our own mistake: it
    /// is logged and not sent.
    pub fn send(&self, precedence: v1::Precedence, frame: Bytes) {
        if precedence == v1::Precedence::Unspecified
            || !(1..=limits::ENVELOPE).contains(&frame.len())
        {
            tracing::error!(peer = %self.peer(), length = frame.len(), "an envelope that no peer would take is not sent");
            return;
        }
        self.end_if(self.shared.outbox.push_envelope(precedence, frame));
    }

    /// Sends a frame on the control stream. Never blocks, needs no credit: what is owed to a peer
    /// is bounded by what it was allowed to send. A frame above [`limits::CONTROL`] is our own
    /// mistake: it is logged and not sent.
    pub fn control(&self, frame: v1::control::Frame) {
        self.end_if(self.shared.outbox.push_control(frame));
    }

    /// Ends the session. The peer is told `reason`.
    pub fn close(&self, reason: &str) {
        self.end(Ending::Now(Closed::Here {
            reason: reason.chars().take(200).collect(),
        }));
    }

    /// The path's round-trip time as QUIC measures it.
    pub fn rtt(&self) -> Duration {
        self.shared.quic.rtt()
    }

    /// Where the peer is now.
    pub fn remote_addr(&self) -> SocketAddr {
        self.shared.quic.remote_address()
    }

    /// Traffic since the connection began.
    pub fn stats(&self) -> LinkStats {
        let stats = self.shared.quic.stats();
        LinkStats {
            sent: stats.udp_tx.bytes,
            received: stats.udp_rx.bytes,
            datagrams: stats.udp_tx.datagrams + stats.udp_rx.datagrams,
            lost: stats.path.lost_bytes,
            lost_datagrams: stats.path.lost_packets,
        }
    }

    /// What the path to the peer has delivered while it was full, since the connection began or
    /// moved to another address.
    pub fn delivered(&self) -> Delivered {
        Watched::seen(self.shared.quic.congestion_state())
    }

    /// How far the peer's wall clock is ahead of ours, in milliseconds; `None` before the first
    /// answer to a ping.
    pub fn clock_offset_ms(&self) -> Option<i64> {
        self.lock_session()
            .clock_offset_ms(self.shared.clocks.now())
    }

    /// The peer's wall clock now, as it says, reckoned from its newest good answer by what passed
    /// since; `None` before the first answer to a ping.
    pub fn peer_time(&self) -> Option<Millis> {
        let now = self.shared.clocks.now().mono;
        self.lock_session().peer_time(now)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn session_lock(&self) -> &Mutex<Session> {
        &self.shared.session
    }

    pub(crate) fn lock_session(&self) -> MutexGuard<'_, Session> {
        lock(&self.shared.session)
    }

    pub(crate) fn pace(&self) -> MutexGuard<'_, Pace> {
        lock(&self.shared.pace)
    }

    pub(crate) fn peer_roster(&self) -> v1::RosterRef {
        lock(&self.shared.peer_roster).clone()
    }

    pub(crate) fn set_peer_roster(&self, reference: v1::RosterRef) {
        *lock(&self.shared.peer_roster) = reference;
    }

    /// Asks the session's own task to end it. The first reason given stays, but draining can be
    /// cut short.
    pub(crate) fn end(&self, ending: Ending) {
        if matches!(ending, Ending::Drain(_)) {
            self.shared.outbox.finish_envelopes();
        }
        self.shared.ending.send_if_modified(|current| {
            let changes = matches!(
                (&*current, &ending),
                (Ending::No, _) | (Ending::Drain(_), Ending::Now(_))
            );
            if changes {
                *current = ending;
            }
            changes
        });
    }

    fn end_if(&self, overflow: Result<(), crate::PeerFault>) {
        if let Err(fault) = overflow {
            let peer = self.peer();
            self.end(Ending::Now(Closed::Fault { peer, fault }));
        }
    }

    pub(crate) fn ending(&self) -> watch::Receiver<Ending> {
        self.shared.ending.subscribe()
    }

    /// True for the first caller only: the handler hears of the end once.
    pub(crate) fn first_to_tell_down(&self) -> bool {
        !self.shared.told_down.swap(true, Ordering::AcqRel)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({} #{})", self.shared.peer, self.shared.number)
    }
}

/// A poisoned lock here guards plain data that a panic cannot leave half written.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
