use super::Finished;
use crate::{
    Link, PeerFault,
    frames::Stopped,
    outbox::{Lane, Next},
    socket::FIRST_SEND_WINDOW,
};
use quinn::{SendStream, WriteError};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::task::JoinSet;

/// The send window lies within these, whatever the path.
const SEND_WINDOW: (u64, u64) = (256 << 10, 16 << 20);
/// What urgent lanes may buffer above the send window.
const URGENT: u64 = 2 << 20;

/// One writer per lane: a peer that does not read one stream does not hold up the others.
pub(super) fn spawn(
    tasks: &mut JoinSet<Result<Finished, Stopped>>,
    link: &Link,
    control: SendStream,
) {
    let pace = Arc::new(Pace {
        link: link.clone(),
        window: AtomicU64::new(FIRST_SEND_WINDOW),
    });
    let mut control = Some(control);
    for lane in Lane::ALL {
        let stream = if lane == Lane::Control {
            control.take()
        } else {
            None
        };
        tasks.spawn(write_lane(Arc::clone(&pace), lane, stream));
    }
}

async fn write_lane(
    pace: Arc<Pace>,
    lane: Lane,
    mut stream: Option<SendStream>,
) -> Result<Finished, Stopped> {
    let link = &pace.link;
    let outbox = &link.shared().outbox;
    if let Some(control) = &stream {
        control.set_priority(lane.quic_priority()).map_err(gone)?;
    }
    loop {
        match outbox.next(lane, link.session_lock()) {
            Next::Wait => outbox.changed(lane).await,
            Next::Finish => {
                if let Some(mut stream) = stream {
                    stream.finish().map_err(gone)?;
                    let _ = stream.stopped().await;
                }
                return Ok(Finished::Lane);
            }
            Next::Write(mut chunks) => {
                pace.before(lane);
                let open = match &mut stream {
                    Some(open) => open,
                    none => none.insert(open_lane(link, lane).await?),
                };
                open.write_all_chunks(&mut chunks).await.map_err(broken)?;
                pace.after(lane);
            }
        }
    }
}

/// Opens the stream of a precedence; its first byte says which.
async fn open_lane(link: &Link, lane: Lane) -> Result<SendStream, Stopped> {
    let mut stream = link.shared().quic.open_uni().await.map_err(gone)?;
    stream.set_priority(lane.quic_priority()).map_err(gone)?;
    if let Lane::Envelopes(precedence) = lane {
        stream
            .write_all(&[precedence as u8])
            .await
            .map_err(broken)?;
    }
    Ok(stream)
}

/// What a failed write means. A peer that stops a stream but keeps the connection breaks the
/// protocol.
fn broken(error: WriteError) -> Stopped {
    match error {
        WriteError::Stopped(_) => PeerFault::Broken.into(),
        _ => Stopped::Gone,
    }
}

fn gone<E>(_: E) -> Stopped {
    Stopped::Gone
}

/// Keeps what QUIC buffers near what the path can carry, so that FLASH, and the choice between
/// precedences, is not stuck behind megabytes of ROUTINE that are already buffered.
struct Pace {
    link: Link,
    window: AtomicU64,
}

impl Pace {
    fn before(&self, lane: Lane) {
        let quic = &self.link.shared().quic;
        let (least, most) = SEND_WINDOW;
        // Twice the congestion window keeps the path full while acknowledgements travel.
        let wanted = (2 * quic.stats().path.cwnd).clamp(least, most);
        let current = self.window.load(Ordering::Relaxed);
        let changed = wanted.abs_diff(current) > current / 8;
        if changed {
            self.window.store(wanted, Ordering::Relaxed);
        }
        if lane.is_urgent() {
            quic.set_send_window(wanted + URGENT);
        } else if changed {
            quic.set_send_window(wanted);
        }
    }

    fn after(&self, lane: Lane) {
        if lane.is_urgent() {
            let window = self.window.load(Ordering::Relaxed);
            self.link.shared().quic.set_send_window(window);
        }
    }
}
