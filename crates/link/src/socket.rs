use crate::{
    LinkError, congestion::DelayBoundedConfig, delivered::WatchedConfig, profile::Settings,
    tls::Identity,
};
use abeng_wire::limits;
use quinn::{
    EndpointConfig, IdleTimeout, ServerConfig, TokioRuntime, TransportConfig, VarInt,
    crypto::rustls::QuicClientConfig,
};
use quinn_proto::congestion::{ControllerFactory, CubicConfig};
use std::{io::ErrorKind, net::SocketAddr, net::UdpSocket, sync::Arc};

/// Streams that a peer may have open: one of envelopes per precedence, and those of attachments.
const UNI_STREAMS: u32 = 4 + limits::ATTACHMENT_STREAMS as u32;
/// Handshakes that wait for us to look at them; each is still unvalidated and small.
const INCOMING: usize = 256;
/// Bytes kept of handshakes that wait, each and together.
const INCOMING_BYTES: (u64, u64) = (16 << 10, 1 << 20);

/// Binds the UDP socket and prepares it to accept.
pub(crate) fn bind(
    addr: SocketAddr,
    identity: &Identity,
    settings: &Settings,
) -> Result<quinn::Endpoint, LinkError> {
    let socket = UdpSocket::bind(addr).map_err(|source| match source.kind() {
        ErrorKind::AddrInUse => LinkError::PortTaken { addr },
        ErrorKind::PermissionDenied => LinkError::NotAllowed { addr },
        ErrorKind::AddrNotAvailable => LinkError::NoAddress { addr },
        _ => LinkError::Socket { addr, source },
    })?;
    let mut server = ServerConfig::with_crypto(Arc::new(identity.acceptor()?));
    server
        .transport_config(Arc::new(transport(settings, Side::Acceptor)))
        .max_incoming(INCOMING)
        .incoming_buffer_size(INCOMING_BYTES.0)
        .incoming_buffer_size_total(INCOMING_BYTES.1);
    quinn::Endpoint::new(
        EndpointConfig::default(),
        Some(server),
        socket,
        Arc::new(TokioRuntime),
    )
    .map_err(|source| LinkError::Socket { addr, source })
}

/// How to dial with a TLS configuration.
pub(crate) fn dialling(tls: QuicClientConfig, settings: &Settings) -> quinn::ClientConfig {
    let mut config = quinn::ClientConfig::new(Arc::new(tls));
    config.transport_config(Arc::new(transport(settings, Side::Dialler)));
    config
}

#[derive(PartialEq)]
pub(crate) enum Side {
    Dialler,
    Acceptor,
}

pub(crate) fn transport(settings: &Settings, side: Side) -> TransportConfig {
    let mut config = TransportConfig::default();
    // The dialler opens the one control stream, and is the one who keeps the path open.
    let (bidi, keep_alive) = match side {
        Side::Dialler => (0, settings.keep_alive),
        Side::Acceptor => (1, None),
    };
    config
        .max_concurrent_bidi_streams(VarInt::from_u32(bidi))
        .max_concurrent_uni_streams(VarInt::from_u32(UNI_STREAMS))
        .stream_receive_window(VarInt::from_u32(settings.stream_window))
        .receive_window(VarInt::from_u32(settings.connection_window()))
        // As large as all stream windows together, so that no lane, however full, keeps another
        // from being buffered: what goes first is then the streams' priorities alone.
        .send_window(u64::from(settings.connection_window()))
        .initial_rtt(settings.initial_rtt)
        .max_idle_timeout(IdleTimeout::try_from(settings.idle).ok())
        .keep_alive_interval(keep_alive)
        .datagram_receive_buffer_size(None);
    let controllers: Arc<dyn ControllerFactory + Send + Sync> = match settings.delay_bounded {
        true => Arc::new(DelayBoundedConfig::default()),
        false => Arc::new(CubicConfig::default()),
    };
    config.congestion_controller_factory(Arc::new(WatchedConfig::new(controllers)));
    config
}
