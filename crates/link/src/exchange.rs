//! ALPN `abeng-roster/1`: one stream each way that carries nothing but trust data, which proves
//! itself. Open to anyone, so that a peer with an old roster, or unknown here, can catch up.
//!
//! The dialler sends two frames, the reference of its roster and its bundle, and ends the
//! stream; the acceptor takes the bundle, answers with its own as one frame, and ends.

use crate::{
    CloseCode, PeerFault,
    core::Core,
    frames::{FrameReader, Stopped},
    serve::{refuse, take_trust},
};
use abeng_wire::{decode_tolerant, limits, prost::Message, put_frame, v1};
use bytes::BytesMut;
use quinn::SendStream;
use std::sync::Arc;

/// A roster reference: a version and a digest.
const REFERENCE: usize = 64;

/// The acceptor's side. Ends with the connection closed, and not before what came is judged:
/// whoever runs out of time makes no more work side by side than there are places.
pub(crate) async fn answer(core: &Arc<Core>, connection: &quinn::Connection) {
    let from = connection.remote_address();
    let limit = core.settings.trust_exchange;
    let began = tokio::time::Instant::now();
    let talk = tokio::time::timeout(limit, answer_within(core, connection));
    match talk.await {
        Ok(Ok(theirs)) => {
            take_trust(core, theirs).await;
            // The peer closes once it has read; closing first could cost it the last bytes.
            let _ = tokio::time::timeout_at(began + limit, connection.closed()).await;
            refuse(connection, CloseCode::Done, "");
        }
        Ok(Err(Stopped::Fault(fault))) => {
            tracing::info!(%from, %fault, "an exchange of trust data broke the protocol");
            refuse(connection, CloseCode::Fault, &fault.to_string());
        }
        Ok(Err(Stopped::Gone)) => {}
        Err(_) => refuse(connection, CloseCode::Fault, &PeerFault::Slow.to_string()),
    }
}

async fn answer_within(
    core: &Arc<Core>,
    connection: &quinn::Connection,
) -> Result<v1::TrustBundle, Stopped> {
    let (mut send, receive) = connection.accept_bi().await.map_err(|_| Stopped::Gone)?;
    let mut reader = FrameReader::new(receive);
    let reference = due(reader.next(REFERENCE).await?)?;
    let _: v1::RosterRef = decode_tolerant("roster reference", &reference, REFERENCE)?;
    let theirs = read_bundle(&mut reader).await?;
    // Ours first: a peer that waits learns at once, and what it brought may be worthless.
    write(&mut send, &[], core.handler.trust_bundle()).await?;
    Ok(theirs)
}

/// The dialler's side, on a connection just made. True where trust data came back.
pub(crate) async fn ask(core: &Arc<Core>, connection: &quinn::Connection) -> bool {
    let talk = tokio::time::timeout(core.settings.trust_exchange, ask_within(core, connection));
    let bundle = match talk.await {
        Ok(Ok(bundle)) => bundle,
        Ok(Err(stopped)) => {
            tracing::debug!(?stopped, "an exchange of trust data failed");
            refuse(connection, CloseCode::Fault, "no bundle");
            return false;
        }
        Err(_) => {
            refuse(connection, CloseCode::Fault, &PeerFault::Slow.to_string());
            return false;
        }
    };
    refuse(connection, CloseCode::Done, "");
    take_trust(core, bundle).await;
    true
}

async fn ask_within(
    core: &Arc<Core>,
    connection: &quinn::Connection,
) -> Result<v1::TrustBundle, Stopped> {
    let (mut send, receive) = connection.open_bi().await.map_err(|_| Stopped::Gone)?;
    let reference = core.trust.load().roster.reference();
    let mut first = BytesMut::new();
    put_frame(&reference, &mut first);
    write(&mut send, &first, core.handler.trust_bundle()).await?;
    read_bundle(&mut FrameReader::new(receive)).await
}

async fn write(
    send: &mut SendStream,
    before: &[u8],
    bundle: v1::TrustBundle,
) -> Result<(), Stopped> {
    if bundle.encoded_len() > limits::TRUST_BUNDLE {
        tracing::error!(
            bytes = bundle.encoded_len(),
            "our trust data is longer than peers take"
        );
        return Err(Stopped::Gone);
    }
    let mut bytes = BytesMut::from(before);
    put_frame(&bundle, &mut bytes);
    send.write_chunk(bytes.freeze())
        .await
        .map_err(|_| Stopped::Gone)?;
    send.finish().map_err(|_| Stopped::Gone)
}

/// One bundle, then the end of the stream.
async fn read_bundle(reader: &mut FrameReader) -> Result<v1::TrustBundle, Stopped> {
    let frame = due(reader.next(limits::TRUST_BUNDLE).await?)?;
    if reader.header(0).await?.is_some() {
        return Err(PeerFault::Broken.into());
    }
    Ok(decode_tolerant(
        "trust bundle",
        &frame,
        limits::TRUST_BUNDLE,
    )?)
}

fn due<T>(frame: Option<T>) -> Result<T, Stopped> {
    frame.ok_or(Stopped::Fault(PeerFault::Broken))
}
