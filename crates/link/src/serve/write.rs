use super::Finished;
use crate::{
    Link, PeerFault,
    frames::Stopped,
    outbox::{Lane, Next},
};
use quinn::{SendStream, WriteError};
use tokio::task::JoinSet;

/// One writer per lane: a peer that does not read one stream does not hold up the others.
pub(super) fn spawn(
    tasks: &mut JoinSet<Result<Finished, Stopped>>,
    link: &Link,
    control: SendStream,
) {
    let mut control = Some(control);
    for lane in Lane::ALL {
        let stream = if lane == Lane::Control {
            control.take()
        } else {
            None
        };
        tasks.spawn(write_lane(link.clone(), lane, stream));
    }
}

async fn write_lane(
    link: Link,
    lane: Lane,
    mut stream: Option<SendStream>,
) -> Result<Finished, Stopped> {
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
                let open = match &mut stream {
                    Some(open) => open,
                    none => none.insert(open_lane(&link, lane).await?),
                };
                open.write_all_chunks(&mut chunks).await.map_err(broken)?;
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
