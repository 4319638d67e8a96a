//! For tests of whole nodes: a connection as a node makes it, on which anything may then be said.
//! Never part of a node: only with the feature `raw`.

use crate::{
    Greeting, Profile,
    frames::FrameReader,
    session::{Opening, Session, Window},
    socket, tls,
};
use abeng_keys::SoftSigner;
use abeng_roster::Trust;
use abeng_wire::{Millis, PartyCode, encode, limits, v1};
use arc_swap::ArcSwap;
use quinn::Runtime;
use std::{
    error::Error,
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::Arc,
};
use v1::control::Frame;

mod mute;

/// The algorithms of a link, for a handshake with another implementation.
pub fn provider() -> rustls::crypto::CryptoProvider {
    tls::provider()
}

/// Why there is no connection.
pub type Failed = Box<dyn Error + Send + Sync>;

/// Who dials whom.
#[derive(Clone)]
pub struct Dial {
    /// As which party.
    pub me: PartyCode,
    /// With which key: the party's, or anyone's.
    pub key: Arc<SoftSigner>,
    /// Which party.
    pub peer: PartyCode,
    /// From which address of this machine.
    pub from: IpAddr,
    /// Where.
    pub to: SocketAddr,
    /// The network.
    pub trust: Arc<Trust>,
    /// The wall clock.
    pub now: Millis,
}

/// A connection, as far as the node on the other side let it come.
pub struct RawLink {
    /// The UDP socket behind it; without it nothing more is sent.
    pub endpoint: quinn::Endpoint,
    /// What streams are opened on.
    pub connection: quinn::Connection,
    /// The control stream, after hello and Ready.
    pub control: Option<quinn::SendStream>,
}

impl Dial {
    /// Up to the end of TLS; a key in no roster is refused right after it.
    pub async fn connect(&self) -> Result<RawLink, Failed> {
        let endpoint = quinn::Endpoint::client(SocketAddr::new(self.from, 0))?;
        self.connect_on(endpoint).await
    }

    /// Up to the node's flight, which proves the address and makes the node compute; then not a
    /// word more, also none of farewell.
    pub async fn forsake(&self) -> Result<(), Failed> {
        let socket = UdpSocket::bind(SocketAddr::new(self.from, 0))?;
        let runtime = Arc::new(quinn::TokioRuntime);
        let socket = mute::Mute::new(runtime.wrap_udp_socket(socket)?);
        let config = quinn::EndpointConfig::default();
        let socket = Arc::new(socket);
        let endpoint = quinn::Endpoint::new_with_abstract_socket(config, None, socket, runtime)?;
        self.connect_on(endpoint).await.map(|_| ())
    }

    async fn connect_on(&self, endpoint: quinn::Endpoint) -> Result<RawLink, Failed> {
        let trust = Arc::new(ArcSwap::new(Arc::clone(&self.trust)));
        let identity = tls::Identity::new(&self.key)?;
        let config = identity.dialler(self.peer, trust, self.now)?;
        let config = socket::dialling(config, &Profile::Cable.settings());
        let connecting = endpoint.connect_with(config, self.to, tls::SERVER_NAME)?;
        let connection = connecting.await?;
        Ok(RawLink {
            endpoint,
            connection,
            control: None,
        })
    }

    /// Up to a link: hello and Ready both ways.
    pub async fn link(&self) -> Result<RawLink, Failed> {
        let mut raw = self.connect().await?;
        let mut exporter = [0; 32];
        raw.connection
            .export_keying_material(&mut exporter, tls::EXPORTER, b"")
            .map_err(|_| "no exporter")?;
        let opening = Opening {
            me: self.me,
            peer: self.peer,
            role: v1::Role::Dialler,
            boot_id: [9; 16],
            exporter,
            peer_key: tls::peer_key(&raw.connection).ok_or("no key")?,
            greeting: Greeting {
                incarnation: 1,
                roster: self.trust.roster.reference(),
                ..Greeting::default()
            },
            window: Window::default(),
        };
        let (_, hello) = Session::open(opening, &*self.key)?;
        let ready = Frame::Ready(v1::Ready {
            version: 1,
            credit: 16,
            credit_bytes: limits::CREDIT_BYTES,
        });
        let (mut send, receive) = raw.connection.open_bi().await?;
        let mut reader = FrameReader::new(receive);
        send.write_all(&framed(hello)).await?;
        reader.next(limits::HELLO).await.map_err(|_| "no hello")?;
        send.write_all(&framed(ready)).await?;
        reader.next(limits::HELLO).await.map_err(|_| "no Ready")?;
        // What comes is read and thrown away, as by a peer that is merely careless.
        tokio::spawn(async move { while let Ok(Some(_)) = reader.next(limits::CONTROL).await {} });
        raw.control = Some(send);
        Ok(raw)
    }
}

/// A control frame with its header.
pub fn framed(frame: Frame) -> Vec<u8> {
    let frame = encode(&v1::Control { frame: Some(frame) });
    let mut bytes = (frame.len() as u32).to_be_bytes().to_vec();
    bytes.extend_from_slice(&frame);
    bytes
}
