//! A link from Ready to its end: which of two stays, the tasks that read and write, the end.

use crate::{
    CloseCode, Closed, Link,
    core::Core,
    endpoint::DRAIN,
    frames::{FrameReader, Stopped},
    greet::Greeted,
    link::{Ending, lock},
    outbox::Lane,
    session::{Verdict, which_stays},
};
use quinn::ConnectionError;
use std::{sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::Instant};

mod read;
mod write;

pub(crate) use read::take_trust;

/// How often clocks are compared is the profile's; the first time is at once.
const PING_ONCE: Duration = Duration::from_secs(u32::MAX as u64);

/// How long a connection that is not admitted stays open, so that the peer sees why.
const REFUSED_STAYS: Duration = Duration::from_secs(3);

/// How long QUIC may take to say why a stream is gone.
const REASON: Duration = Duration::from_secs(1);

/// Makes a greeted connection the peer's link and runs it to its end.
pub(crate) async fn run(core: Arc<Core>, connection: quinn::Connection, greeted: Greeted) {
    let (link, send, reader) = match enter(&core, &connection, greeted).await {
        Entered::Link(link, send, reader) => (link, send, reader),
        Entered::Refused(link, send, unread) => {
            turn_away(&core, &link, send).await;
            return drop(unread);
        }
        Entered::Closed => return,
    };
    let mut tasks = JoinSet::new();
    write::spawn(&mut tasks, &link, send);
    let readers = read::spawn(&mut tasks, &core, &link, reader);
    tasks.spawn(ping(Arc::clone(&core), link.clone()));
    let why = until_end(&link, &mut tasks, &readers).await;
    connection.close((why.code() as u32).into(), why.to_string().as_bytes());
    tasks.shutdown().await;
    leave(&core, &link, &why).await;
}

/// Closes a connection that never became a link.
pub(crate) fn refuse(connection: &quinn::Connection, code: CloseCode, reason: &str) {
    connection.close((code as u32).into(), reason.as_bytes());
}

/// What became of a greeted connection.
enum Entered {
    /// It is the peer's link.
    Link(Link, quinn::SendStream, FrameReader),
    /// The node does not want it, and may say why. The peer's stream stays open meanwhile, unread.
    Refused(Link, quinn::SendStream, FrameReader),
    /// It is closed: another connection stays, or the endpoint stops.
    Closed,
}

async fn enter(core: &Core, connection: &quinn::Connection, greeted: Greeted) -> Entered {
    let peer = greeted.peer;
    let _turn = core.turn.lock().await;
    if core.is_stopping() {
        refuse(connection, CloseCode::Shutdown, "this node stops");
        return Entered::Closed;
    }
    // The roster may have changed since TLS.
    if core.holder(greeted.key.bytes()) != Some(peer) {
        refuse(connection, CloseCode::KeyGone, &Closed::KeyGone.to_string());
        return Entered::Closed;
    }
    // Before anything gives way to it.
    if !core.handler.admits(peer, &greeted.hello) {
        let (link, send, unread) = link_of(core, connection, greeted);
        return Entered::Refused(link, send, unread);
    }
    let old = lock(&core.links).get(&peer).cloned();
    if let Some(old) = old {
        match which_stays(&old.shared().sides, &greeted.sides) {
            Verdict::CloseNew => {
                refuse(
                    connection,
                    CloseCode::Replaced,
                    &Closed::Replaced.to_string(),
                );
                return Entered::Closed;
            }
            Verdict::DrainOld => old.end(Ending::Drain(Closed::Replaced)),
            Verdict::ReplaceOld => {
                old.end(Ending::Now(Closed::Replaced));
                tell_down(core, &old, &Closed::Replaced);
            }
        }
    }
    let (key, hello, ready) = (greeted.key.clone(), greeted.hello.clone(), greeted.ready);
    let (link, send, reader) = link_of(core, connection, greeted);
    core.doors.learn(peer, link.remote_addr());
    lock(&core.links).insert(peer, link.clone());
    core.link_changed(peer, None);
    // A roster swapped since the look above may have gone through the links before this one was
    // among them.
    if core.holder(key.bytes()) != Some(peer) {
        link.end(Ending::Now(Closed::KeyGone));
    }
    tracing::info!(%peer, session = link.session(), from = %link.remote_addr(), "linked");
    core.handler.up(link.clone(), hello, ready);
    core.compare_rosters(&link);
    Entered::Link(link, send, reader)
}

fn link_of(
    core: &Core,
    connection: &quinn::Connection,
    greeted: Greeted,
) -> (Link, quinn::SendStream, FrameReader) {
    let link = Link::new(
        greeted.peer,
        core.next_session(),
        greeted.sides,
        *greeted.key.bytes(),
        greeted.hello,
        greeted.session,
        (core.pace(greeted.peer), core.clocks.clone()),
        connection.clone(),
    );
    (link, greeted.send, greeted.reader)
}

/// Says why over a connection that the node does not want, and closes it. Nothing of it is read.
async fn turn_away(core: &Core, link: &Link, send: quinn::SendStream) {
    let quic = &link.shared().quic;
    let mut tasks = JoinSet::new();
    write::spawn(&mut tasks, link, send);
    let reason = core.handler.refused(link);
    let why = tokio::select! {
        error = quic.closed() => lost(&error),
        () = tokio::time::sleep(REFUSED_STAYS) => Closed::Here {
            reason: reason.to_owned(),
        },
    };
    quic.close((why.code() as u32).into(), why.to_string().as_bytes());
    tasks.shutdown().await;
    let _turn = core.turn.lock().await;
    core.handler.down(link.peer(), link.session(), &why);
}

async fn leave(core: &Core, link: &Link, why: &Closed) {
    let _turn = core.turn.lock().await;
    {
        let mut links = lock(&core.links);
        if links
            .get(&link.peer())
            .is_some_and(|now| now.session() == link.session())
        {
            links.remove(&link.peer());
        }
    }
    tell_down(core, link, why);
    core.link_changed(link.peer(), Some(link.shared().since.elapsed()));
}

fn tell_down(core: &Core, link: &Link, why: &Closed) {
    if link.first_to_tell_down() {
        tracing::info!(peer = %link.peer(), session = link.session(), %why, "link down");
        core.handler.down(link.peer(), link.session(), why);
    }
}

/// What a task of a link ended with, where it ended properly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finished {
    /// A lane is written and acknowledged to its end.
    Lane,
    /// The peer has ended its control stream: it drains.
    PeerControl,
}

/// How far a link is on its way to a proper end.
///
/// The side that drains writes its envelopes to the end, then its control stream. The other side
/// sees the control stream end, reads all envelopes to their end, and only then ends its own
/// streams: that is the sign that everything was read, and the first side closes. Where both
/// drain at once, what the other has not read is lost with the connection, and is sent again on
/// the one that took its place.
struct Drain {
    lanes_left: usize,
    peer_done: bool,
    all_read: bool,
    deadline: Option<Instant>,
}

impl Drain {
    fn begin(&mut self) {
        self.deadline.get_or_insert_with(|| Instant::now() + DRAIN);
    }

    fn complete(&self) -> bool {
        self.lanes_left == 0 && self.peer_done && self.all_read
    }
}

/// Waits for whatever ends the link, and says what.
async fn until_end(
    link: &Link,
    tasks: &mut JoinSet<Result<Finished, Stopped>>,
    readers: &read::Readers,
) -> Closed {
    let quic = &link.shared().quic;
    let outbox = &link.shared().outbox;
    let mut ending = link.ending();
    let mut drain = Drain {
        lanes_left: Lane::ALL.len(),
        peer_done: false,
        all_read: false,
        deadline: None,
    };
    loop {
        let wanted = ending.borrow_and_update().clone();
        match &wanted {
            Ending::Now(why) => return why.clone(),
            Ending::Drain(why) => {
                drain.begin();
                if drain.complete() {
                    return why.clone();
                }
            }
            Ending::No => {}
        }
        let limit = drain.deadline.unwrap_or_else(Instant::now);
        tokio::select! {
            biased;
            changed = ending.changed() => if changed.is_err() {
                return Closed::Shutdown;
            },
            error = quic.closed() => return lost(&error),
            done = tasks.join_next() => match done {
                Some(Ok(Ok(Finished::Lane))) => {
                    drain.lanes_left -= 1;
                    if drain.lanes_left == 1 {
                        outbox.finish_control();
                    }
                }
                Some(Ok(Ok(Finished::PeerControl))) => {
                    drain.peer_done = true;
                    drain.begin();
                }
                Some(Ok(Err(Stopped::Fault(fault)))) => {
                    return Closed::Fault { peer: link.peer(), fault };
                }
                // QUIC gives the reason in a moment, through `closed`.
                Some(Ok(Err(Stopped::Gone))) => {
                    let reason = tokio::time::timeout(REASON, quic.closed()).await;
                    return reason.map_or_else(
                        |_| Closed::Lost { reason: "a stream ended without a reason".into() },
                        |error| lost(&error),
                    );
                }
                Some(Err(panicked)) => {
                    tracing::error!(peer = %link.peer(), %panicked, "a task of the link failed");
                    return Closed::Here { reason: "a task of this node failed".into() };
                }
                None => return Closed::Here { reason: "nothing left to do".into() },
            },
            () = readers.all_read(), if drain.peer_done && !drain.all_read => {
                drain.all_read = true;
                outbox.finish_envelopes();
            }
            () = tokio::time::sleep_until(limit), if drain.deadline.is_some() => {
                return match wanted {
                    Ending::Drain(why) => why,
                    _ => Closed::Lost { reason: "the peer drained and did not close".into() },
                };
            }
        }
    }
}

/// What QUIC says of the end of a connection.
pub(crate) fn lost(error: &ConnectionError) -> Closed {
    match error {
        ConnectionError::ApplicationClosed(close) => Closed::ByPeer {
            code: CloseCode::from_wire(close.error_code.into_inner()),
            reason: String::from_utf8_lossy(&close.reason)
                .chars()
                .take(200)
                .collect(),
        },
        other => Closed::Lost {
            reason: other.to_string(),
        },
    }
}

async fn ping(core: Arc<Core>, link: Link) -> Result<Finished, Stopped> {
    let mut due = tokio::time::interval(core.settings_for(link.peer()).ping.unwrap_or(PING_ONCE));
    loop {
        due.tick().await;
        let ping = link.lock_session().ping(core.now());
        link.control(ping);
    }
}
