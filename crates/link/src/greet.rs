use crate::{
    CloseCode, PeerFault,
    core::Core,
    frames::{FrameReader, Stopped},
    outbox::control_frame,
    serve::refuse,
    session::{Connection, Opening, Output, Session},
    tls,
};
use abeng_keys::VerifyKey;
use abeng_wire::{PartyCode, decode_tolerant, v1};
use quinn::SendStream;

/// A connection on which both sides have said Ready.
pub(crate) struct Greeted {
    pub(crate) peer: PartyCode,
    pub(crate) key: VerifyKey,
    pub(crate) sides: Connection,
    pub(crate) session: Session,
    pub(crate) hello: v1::Hello,
    pub(crate) ready: v1::Ready,
    pub(crate) send: SendStream,
    pub(crate) reader: FrameReader,
}

/// Hello and Ready, both ways, within the time limit. On `None` the connection is closed and the
/// reason logged.
pub(crate) async fn greet(
    core: &Core,
    connection: &quinn::Connection,
    peer: PartyCode,
    key: VerifyKey,
    role: v1::Role,
) -> Option<Greeted> {
    let greeting = exchange(core, connection, peer, key, role);
    let fault = match tokio::time::timeout(core.settings_for(peer).handshake, greeting).await {
        Ok(Ok(greeted)) => return Some(greeted),
        Ok(Err(Stopped::Gone)) => {
            let reason = connection.close_reason();
            tracing::debug!(%peer, ?reason, "the connection ended before Ready");
            return None;
        }
        Ok(Err(Stopped::Fault(fault))) => fault,
        Err(_) => PeerFault::Slow,
    };
    tracing::warn!(%peer, %fault, "the peer broke the protocol before Ready");
    refuse(connection, CloseCode::Fault, &fault.to_string());
    None
}

async fn exchange(
    core: &Core,
    connection: &quinn::Connection,
    peer: PartyCode,
    key: VerifyKey,
    role: v1::Role,
) -> Result<Greeted, Stopped> {
    let mut exporter = [0; 32];
    connection
        .export_keying_material(&mut exporter, tls::EXPORTER, b"")
        .map_err(|_| Stopped::Gone)?;
    let opening = Opening {
        me: core.config.me,
        peer,
        role,
        boot_id: core.config.boot_id,
        exporter,
        peer_key: key.clone(),
        greeting: core.handler.greeting(peer),
        window: core.window,
    };
    let (mut session, first) = Session::open(opening, &*core.signer).map_err(|error| {
        tracing::error!(%error, "cannot sign a hello");
        Stopped::Gone
    })?;
    let (mut send, receive) = match role {
        v1::Role::Dialler => connection.open_bi().await,
        _ => connection.accept_bi().await,
    }
    .map_err(|_| Stopped::Gone)?;
    let mut reader = FrameReader::new(receive);
    send.write_chunk(control_frame(first))
        .await
        .map_err(|_| Stopped::Gone)?;
    loop {
        let limit = session.frame_limit();
        let Some(frame) = reader.next(limit).await? else {
            return Err(PeerFault::Broken.into());
        };
        let control = decode_tolerant("control frame", &frame, limit)?;
        for output in session.handle(core.now(), control)? {
            match output {
                Output::Send(frame) => {
                    let bytes = control_frame(frame);
                    send.write_chunk(bytes).await.map_err(|_| Stopped::Gone)?;
                }
                Output::Up { hello, ready } => {
                    // Checked to be 16 bytes.
                    let boot_id = hello.boot_id[..].try_into().unwrap_or_default();
                    let dialler = match role {
                        v1::Role::Dialler => core.config.me,
                        _ => peer,
                    };
                    return Ok(Greeted {
                        peer,
                        key,
                        sides: Connection { boot_id, dialler },
                        session,
                        hello: *hello,
                        ready,
                        send,
                        reader,
                    });
                }
                Output::Deliver(_) => {}
            }
        }
    }
}
