use crate::{
    Closed, Endpoint, Greeting, Handler, Link, LinkConfig, PeerLimits, Profile,
    frames::FrameReader,
    outbox::control_frame,
    session::{Opening, Window},
    socket,
    tls::{self, Identity},
};
use abeng_keys::{Keyring, SoftSigner, SystemEntropy};
use abeng_roster::{
    Trust, ceremony, digest,
    founding::{Founding, FoundingParty, FoundingRequest, found},
};
use abeng_wire::{Kid, NetworkCode, PartyCode, decode_tolerant, prost::Message, v1};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};
use tokio::sync::{Mutex, Semaphore, mpsc};
use v1::control::Frame;

pub(super) const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn code(text: &str) -> PartyCode {
    PartyCode::new(text).unwrap()
}

fn wall() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_millis() as u64
}

/// A founded network of parties that listen on the loopback interface.
pub(super) struct Network {
    pub(super) founding: Founding,
    pub(super) ports: BTreeMap<PartyCode, u16>,
    /// Nodes started from here do not want to dial.
    pub(super) dials_nobody: bool,
}

impl Network {
    /// Parties named in `dialled` have an address in the roster; the others only dial.
    pub(super) fn new(parties: &[&str], dialled: &[&str]) -> Self {
        let sockets: Vec<_> = parties
            .iter()
            .map(|_| UdpSocket::bind("127.0.0.1:0").unwrap())
            .collect();
        let ports: BTreeMap<_, _> = parties
            .iter()
            .zip(&sockets)
            .map(|(p, s)| (code(p), s.local_addr().unwrap().port()))
            .collect();
        let party = |text: &&str| FoundingParty {
            code: code(text),
            name: text.to_string(),
            country: text.to_string(),
            kind: v1::PartyKind::Member,
            addresses: dialled
                .contains(text)
                .then(|| format!("127.0.0.1:{}", ports[&code(text)]))
                .into_iter()
                .collect(),
            relay: false,
        };
        let request = FoundingRequest::new(
            NetworkCode::new("test").unwrap(),
            parties.iter().map(party).collect(),
            wall(),
        );
        let founding = found(request, &mut SystemEntropy).unwrap();
        Self {
            founding,
            ports,
            dials_nobody: false,
        }
    }

    pub(super) fn keyring(&self, party: &str) -> &Keyring {
        let keyrings = &self.founding.keyrings;
        keyrings.iter().find(|k| k.party == code(party)).unwrap()
    }

    pub(super) fn trust(&self) -> Trust {
        Trust::from_bundle(&self.founding.bundle, None, wall()).unwrap()
    }

    /// The second roster, in which a key is revoked.
    pub(super) fn revoking(&self, kid: Kid) -> Trust {
        let first = &self.founding.bundle.rosters[0];
        let mut roster = v1::Roster::decode(first.bytes.clone()).unwrap();
        roster.version = 2;
        roster.previous = digest(&first.bytes).to_bytes();
        roster.issued += 1;
        roster.revocations.push(v1::Revocation {
            kid: kid.to_bytes(),
            effective_at: wall(),
            reason: "stolen".into(),
        });
        let signers: Vec<_> = self.founding.roster_signers.iter().take(2).collect();
        let bundle = v1::TrustBundle {
            rosters: vec![ceremony::sign_roster(&roster, &signers).unwrap()],
            ..v1::TrustBundle::default()
        };
        self.trust().merge(&bundle, wall()).unwrap().unwrap()
    }

    pub(super) async fn node(&self, party: &str) -> Node {
        Node::start(self, party, self.trust(), [1; 16]).await
    }

    /// The roster keeps naming the old port.
    pub(super) fn move_to_free_port(&mut self, party: &str) {
        let free = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        self.ports.insert(code(party), port);
    }

    pub(super) fn address(&self, party: &str) -> SocketAddr {
        ([127, 0, 0, 1], self.ports[&code(party)]).into()
    }
}

/// What a handler was told.
#[derive(Debug)]
pub(super) enum Event {
    Up(Link),
    Envelope(v1::Precedence, Bytes),
    Status(Box<v1::Status>),
    Down(Closed),
    Trust,
}

/// A handler that writes down what it hears.
pub(super) struct Listener {
    events: mpsc::UnboundedSender<Event>,
    trust: Arc<ArcSwap<Trust>>,
    /// ROUTINE envelopes take one each; tests close the tap by taking all.
    pub(super) tap: Semaphore,
    pub(super) taken: AtomicUsize,
    stalled: AtomicBool,
    /// Dials nobody.
    pub(super) keeps: AtomicBool,
    /// How often it was asked whether to dial.
    pub(super) asked: AtomicUsize,
}

impl Listener {
    /// From now on no envelope is dealt with.
    pub(super) fn stall_all(&self) {
        self.stalled.store(true, Ordering::Relaxed);
    }
}

#[async_trait]
impl Handler for Listener {
    fn greeting(&self, _: PartyCode) -> Greeting {
        Greeting {
            incarnation: 1,
            roster: self.trust.load().roster.reference(),
            ..Greeting::default()
        }
    }

    fn up(&self, link: Link, _: v1::Hello, _: v1::Ready) {
        let _ = self.events.send(Event::Up(link));
    }

    async fn envelope(&self, _: &Link, precedence: v1::Precedence, frame: Bytes) {
        if self.stalled.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        if precedence == v1::Precedence::Routine {
            self.tap.acquire().await.unwrap().forget();
        }
        self.taken.fetch_add(1, Ordering::Relaxed);
        let _ = self.events.send(Event::Envelope(precedence, frame));
    }

    async fn control(&self, _: &Link, frame: Frame) {
        if let Frame::Status(status) = frame {
            let _ = self.events.send(Event::Status(Box::new(status)));
        }
    }

    fn down(&self, _: PartyCode, _: u64, why: &Closed) {
        let _ = self.events.send(Event::Down(why.clone()));
    }

    fn may_dial(&self, _: PartyCode) -> bool {
        let keeps = self.keeps.load(Ordering::SeqCst);
        self.asked.fetch_add(1, Ordering::SeqCst);
        !keeps
    }

    fn trust_bundle(&self) -> v1::TrustBundle {
        self.trust.load().to_bundle()
    }

    fn take_trust(&self, bundle: v1::TrustBundle) {
        if let Ok(Some(newer)) = self.trust.load().merge(&bundle, wall()) {
            self.trust.store(Arc::new(newer));
            let _ = self.events.send(Event::Trust);
        }
    }
}

pub(super) struct Node {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) listener: Arc<Listener>,
    pub(super) trust: Arc<ArcSwap<Trust>>,
    events: Mutex<mpsc::UnboundedReceiver<Event>>,
}

impl Node {
    pub(super) async fn start(
        network: &Network,
        party: &str,
        trust: Trust,
        boot_id: [u8; 16],
    ) -> Self {
        Self::start_with(network, party, trust, boot_id, Window::default()).await
    }

    pub(super) async fn start_with(
        network: &Network,
        party: &str,
        trust: Trust,
        boot_id: [u8; 16],
        window: Window,
    ) -> Self {
        let limits = PeerLimits::default();
        Self::start_limited(network, party, trust, boot_id, (window, limits))
    }

    pub(super) fn start_limited(
        network: &Network,
        party: &str,
        trust: Trust,
        boot_id: [u8; 16],
        (window, limits): (Window, PeerLimits),
    ) -> Self {
        let trust = Arc::new(ArcSwap::from_pointee(trust));
        let (sender, receiver) = mpsc::unbounded_channel();
        let listener = Arc::new(Listener {
            events: sender,
            trust: Arc::clone(&trust),
            tap: Semaphore::new(1 << 20),
            taken: AtomicUsize::new(0),
            stalled: AtomicBool::new(false),
            keeps: AtomicBool::new(network.dials_nobody),
            asked: AtomicUsize::new(0),
        });
        let config = LinkConfig {
            me: code(party),
            listen: network.address(party),
            profile: Profile::Cable,
            profiles: Default::default(),
            limits,
            boot_id,
        };
        let key = Arc::clone(network.keyring(party).node_tls());
        let handler: Arc<dyn Handler> = Arc::clone(&listener) as _;
        let endpoint = Endpoint::start_with(config, window, key, Arc::clone(&trust), handler);
        Self {
            endpoint: endpoint.unwrap(),
            listener,
            trust,
            events: Mutex::new(receiver),
        }
    }

    /// The first event that `pick` takes; others before it are passed over.
    pub(super) async fn until<T>(&self, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        let mut events = self.events.lock().await;
        let picked = async {
            loop {
                if let Some(picked) = pick(events.recv().await.unwrap()) {
                    return picked;
                }
            }
        };
        tokio::time::timeout(PATIENCE, picked)
            .await
            .expect("nothing came")
    }

    pub(super) async fn up(&self) -> Link {
        self.until(|e| match e {
            Event::Up(link) => Some(link),
            _ => None,
        })
        .await
    }

    pub(super) async fn down(&self) -> Closed {
        self.until(|e| match e {
            Event::Down(why) => Some(why),
            _ => None,
        })
        .await
    }

    pub(super) async fn envelope(&self) -> (v1::Precedence, Bytes) {
        self.until(|e| match e {
            Event::Envelope(precedence, frame) => Some((precedence, frame)),
            _ => None,
        })
        .await
    }
}

/// A peer without manners: QUIC, TLS and frames by hand.
pub(super) struct Raw {
    _quic: quinn::Endpoint,
    pub(super) connection: quinn::Connection,
}

/// The control stream of a raw peer.
pub(super) struct RawControl {
    pub(super) send: quinn::SendStream,
    pub(super) reader: FrameReader,
}

impl Raw {
    /// Dials with a TLS configuration; the error is how the dial ended.
    pub(super) async fn dial(
        to: SocketAddr,
        tls: quinn::crypto::rustls::QuicClientConfig,
    ) -> Result<Self, quinn::ConnectionError> {
        let quic = quinn::Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
        let config = socket::dialling(tls, &Profile::Cable.settings());
        let connecting = quic.connect_with(config, to, tls::SERVER_NAME).unwrap();
        let connection = connecting.await?;
        Ok(Self {
            _quic: quic,
            connection,
        })
    }

    /// Dials as a party, on ALPN `abeng/1`, up to the end of TLS.
    pub(super) async fn link(network: &Network, as_party: &str, to: &str) -> Self {
        Self::link_with(network, network.keyring(as_party).node_tls(), to).await
    }

    pub(super) async fn link_with(network: &Network, key: &SoftSigner, to: &str) -> Self {
        let trust = Arc::new(ArcSwap::from_pointee(network.trust()));
        let identity = Identity::new(key).unwrap();
        let tls = identity.dialler(code(to), trust, wall()).unwrap();
        Self::dial(network.address(to), tls).await.unwrap()
    }

    pub(super) fn exporter(&self) -> [u8; 32] {
        let mut exporter = [0; 32];
        self.connection
            .export_keying_material(&mut exporter, tls::EXPORTER, b"")
            .unwrap();
        exporter
    }

    pub(super) fn opening(
        &self,
        network: &Network,
        me: &str,
        to: &str,
        boot_id: [u8; 16],
    ) -> Opening {
        Opening {
            me: code(me),
            peer: code(to),
            role: v1::Role::Dialler,
            boot_id,
            exporter: self.exporter(),
            peer_key: tls::peer_key(&self.connection).unwrap(),
            greeting: Greeting {
                incarnation: 1,
                roster: network.trust().roster.reference(),
                ..Greeting::default()
            },
            window: Window::default(),
        }
    }

    pub(super) async fn control(&self) -> RawControl {
        let (send, receive) = self.connection.open_bi().await.unwrap();
        RawControl {
            send,
            reader: FrameReader::new(receive),
        }
    }

    /// A proper hello and Ready, both ways.
    pub(super) async fn ready(
        &self,
        network: &Network,
        me: &str,
        to: &str,
        boot_id: [u8; 16],
    ) -> RawControl {
        let opening = self.opening(network, me, to, boot_id);
        let signer = network.keyring(me).node_tls();
        let (_, hello) = crate::session::Session::open(opening, &**signer).unwrap();
        let mut control = self.control().await;
        control.write(hello).await;
        assert!(matches!(control.read().await, Some(Frame::Hello(_))));
        control
            .write(Frame::Ready(v1::Ready {
                version: 1,
                credit: 10,
                credit_bytes: 1 << 20,
            }))
            .await;
        assert!(matches!(control.read().await, Some(Frame::Ready(_))));
        control
    }

    /// The words and the code with which the other side closed.
    pub(super) async fn closed(&self) -> (u64, String) {
        let error = tokio::time::timeout(PATIENCE, self.connection.closed());
        match error.await.expect("the connection stays open") {
            quinn::ConnectionError::ApplicationClosed(close) => (
                close.error_code.into_inner(),
                String::from_utf8_lossy(&close.reason).into_owned(),
            ),
            other => panic!("closed otherwise: {other}"),
        }
    }
}

impl RawControl {
    pub(super) async fn write(&mut self, frame: Frame) {
        self.send.write_chunk(control_frame(frame)).await.unwrap();
    }

    pub(super) async fn read(&mut self) -> Option<Frame> {
        let frame = self.reader.next(1 << 20).await.ok()??;
        let control: v1::Control = decode_tolerant("control", &frame, 1 << 20).unwrap();
        control.frame
    }
}

/// One frame, with an honest header.
pub(super) fn framed(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

/// A path in one direction of so many bytes a second and a queue of 32 packets; back as it is.
pub(super) async fn slow_path(at: SocketAddr, to: SocketAddr, rate: u64) {
    let near = tokio::net::UdpSocket::bind(at).await.unwrap();
    let far = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    far.connect(to).await.unwrap();
    let (queue, mut queued) = mpsc::channel::<Vec<u8>>(32);
    let slow = async {
        let mut free_at = tokio::time::Instant::now();
        while let Some(packet) = queued.recv().await {
            free_at = free_at.max(tokio::time::Instant::now());
            free_at += Duration::from_nanos(packet.len() as u64 * 1_000_000_000 / rate);
            tokio::time::sleep_until(free_at).await;
            let _ = far.send(&packet).await;
        }
    };
    let pass = async {
        let mut client = None;
        let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
        loop {
            tokio::select! {
                Ok((length, from)) = near.recv_from(&mut up) => {
                    client = Some(from);
                    let _ = queue.try_send(up[..length].to_vec());
                }
                Ok(length) = far.recv(&mut down) => if let Some(client) = client {
                    let _ = near.send_to(&down[..length], client).await;
                },
            }
        }
    };
    tokio::join!(slow, pass);
}
