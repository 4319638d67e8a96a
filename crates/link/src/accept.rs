use crate::{
    CloseCode,
    admission::Place,
    core::Core,
    exchange, greet,
    serve::{self, refuse},
    tls,
};
use abeng_wire::v1;
use std::{sync::Arc, time::Instant};
use tokio::sync::mpsc;

/// Strangers that wait for their turn; each holds a place, so that there are hardly ever as many.
const WAITING: usize = 64;
/// What a stranger's handshake took of a processor is followed by a rest so many times as long.
const REST: u32 = 3;

/// A stranger before its handshake.
type Stranger = (quinn::Incoming, Place);

/// Accepts connections until the endpoint stops.
pub(crate) async fn run(core: Arc<Core>) {
    let (waiting, queue) = mpsc::channel(WAITING);
    core.spawn(strangers(Arc::clone(&core), queue));
    loop {
        let incoming = tokio::select! {
            incoming = core.quic.accept() => incoming,
            () = core.stopped() => None,
        };
        let Some(incoming) = incoming else { return };
        if !incoming.remote_address_validated() {
            // Costs the stranger a round trip and us no memory.
            if incoming.may_retry() {
                let _ = incoming.retry();
            } else {
                incoming.refuse();
            }
            continue;
        }
        let (from, now) = (incoming.remote_address(), core.now().mono);
        let member = core.doors.whose(from);
        if let Some(place) = member.and_then(|party| core.admission.door(party, now)) {
            core.spawn(accept(Arc::clone(&core), incoming, place));
        } else if let Some(place) = core.admission.stranger(from.ip(), now) {
            if let Err(full) = waiting.try_send((incoming, place)) {
                full.into_inner().0.refuse();
            }
        } else {
            incoming.refuse();
        }
    }
}

/// Begins the handshakes of strangers one after the other, with rests: the first flight costs a
/// key exchange and a signature, during which the socket stands still for everybody.
async fn strangers(core: Arc<Core>, mut queue: mpsc::Receiver<Stranger>) {
    while let Some((incoming, place)) = queue.recv().await {
        let began = Instant::now();
        let from = incoming.remote_address();
        match incoming.accept() {
            Ok(connecting) => core.spawn(handshake(Arc::clone(&core), connecting, place)),
            Err(error) => tracing::debug!(%from, %error, "a handshake failed"),
        }
        tokio::time::sleep(REST * began.elapsed()).await;
    }
}

async fn accept(core: Arc<Core>, incoming: quinn::Incoming, place: Place) {
    let from = incoming.remote_address();
    match incoming.accept() {
        Ok(connecting) => handshake(core, connecting, place).await,
        Err(error) => tracing::debug!(%from, %error, "a handshake failed"),
    }
}

async fn handshake(core: Arc<Core>, connecting: quinn::Connecting, place: Place) {
    let from = connecting.remote_address();
    let ended = tokio::select! {
        ended = tokio::time::timeout(core.settings.handshake, connecting) => ended,
        () = place.taken_over() => {
            tracing::debug!(%from, "a handshake made room for another");
            return;
        }
    };
    let connection = match ended {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => {
            tracing::debug!(%from, %error, "a handshake failed");
            return;
        }
        Err(_) => {
            tracing::debug!(%from, "a handshake took too long");
            return;
        }
    };
    match tls::alpn(&connection).as_deref() {
        Some(tls::LINK) => link(core, connection, place).await,
        Some(tls::TRUST) => match core.admission.exchange() {
            Some(exchange) => {
                drop(place);
                exchange::answer(&core, &connection).await;
                drop(exchange);
            }
            None => refuse(
                &connection,
                CloseCode::Busy,
                "too many exchanges of trust data",
            ),
        },
        _ => refuse(&connection, CloseCode::Fault, "no common ALPN"),
    }
}

async fn link(core: Arc<Core>, connection: quinn::Connection, place: Place) {
    let key = tls::peer_key(&connection);
    let holder = key.as_ref().and_then(|key| core.holder(key.bytes()));
    let (Some(key), Some(peer)) = (key, holder) else {
        tracing::info!(from = %connection.remote_address(), "a peer with a key unknown here");
        refuse(
            &connection,
            CloseCode::UnknownKey,
            "this key is not in the roster here",
        );
        return;
    };
    let Some(greeting) = core.admission.link(peer, core.now().mono) else {
        return refuse(
            &connection,
            CloseCode::Busy,
            "too many links in a short time",
        );
    };
    // No stranger any more: nobody takes its place over.
    drop(place);
    core.contact(peer);
    let Some(greeted) = greet::greet(&core, &connection, peer, key, v1::Role::Acceptor).await
    else {
        return;
    };
    drop(greeting);
    serve::run(core, connection, greeted).await;
}
