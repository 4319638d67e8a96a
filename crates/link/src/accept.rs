use crate::{
    CloseCode,
    admission::Place,
    core::Core,
    exchange, greet,
    serve::{self, refuse},
    tls,
};
use abeng_wire::v1;
use std::sync::Arc;

/// Accepts connections until the endpoint stops.
pub(crate) async fn run(core: Arc<Core>) {
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
        let now = core.now().mono;
        match core
            .admission
            .handshake(incoming.remote_address().ip(), now)
        {
            Some(place) => core.spawn(accept(Arc::clone(&core), incoming, place)),
            None => incoming.refuse(),
        }
    }
}

async fn accept(core: Arc<Core>, incoming: quinn::Incoming, place: Place) {
    let from = incoming.remote_address();
    let handshake = async { incoming.accept()?.await };
    let connection = match tokio::time::timeout(core.settings.handshake, handshake).await {
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
    if !core.admission.link(peer, core.now().mono) {
        return refuse(
            &connection,
            CloseCode::Busy,
            "too many links in a short time",
        );
    }
    core.contact(peer);
    let Some(greeted) = greet::greet(&core, &connection, peer, key, v1::Role::Acceptor).await
    else {
        return;
    };
    drop(place);
    serve::run(core, connection, greeted).await;
}
