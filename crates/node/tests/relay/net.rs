//! The network of these tests, and parties that do only what a test tells them.

use crate::common::{once_free, ports::free_ports, start_as};
use abeng_api::{AuditQuery, Client, EventQuery, LeafView, SubmitRequest};
use abeng_keys::{Keyring, Protection};
use abeng_link::{Closed, Endpoint, Greeting, Handler, Link, LinkConfig, LinkError, Profile};
use abeng_node::{
    Config, Layout, Node,
    founding::{InitParty, InitRequest, init_with_relays},
};
use abeng_roster::Trust;
use abeng_wire::{
    NetworkCode, PartyCode,
    v1::{self, PartyKind, control::Frame},
};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// JM, the relay NL and TT, with the ports they really use.
pub struct Net {
    _temp: tempfile::TempDir,
    dir: PathBuf,
    listens: Vec<(PartyCode, SocketAddr)>,
}

pub fn code(text: &str) -> PartyCode {
    PartyCode::new(text).unwrap()
}

impl Net {
    /// Everybody finds NL; where the others are nobody is told, so that they dial NL alone.
    pub fn found() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("net");
        // Nobody listens on those of the first two.
        let base = free_ports(5);
        let at = [0, 1, 2, 3, 4].map(|n| SocketAddr::from(([127, 0, 0, 1], base + n)));
        let party = |text: &str, address: SocketAddr| InitParty {
            code: code(text),
            name: text.to_owned(),
            country: text.to_owned(),
            kind: PartyKind::Member,
            address: Some(address.to_string()),
        };
        let request = InitRequest {
            dir: dir.clone(),
            network: NetworkCode::new("test").unwrap(),
            parties: vec![party("JM", at[0]), party("NL", at[2]), party("TT", at[1])],
            protection: Protection::InsecurePlain,
            passphrase_file: None,
            host: "127.0.0.1".parse().unwrap(),
            base_port: 1024,
            status_every_s: None,
        };
        init_with_relays(&request, &[code("NL")]).unwrap();
        let listens = vec![
            (code("JM"), at[3]),
            (code("NL"), at[2]),
            (code("TT"), at[4]),
        ];
        Self {
            _temp: temp,
            dir,
            listens,
        }
    }

    pub fn home(&self, party: &str) -> PathBuf {
        self.dir.join(party.to_lowercase())
    }

    fn listen(&self, party: &str) -> SocketAddr {
        let mut listens = self.listens.iter();
        listens.find(|(p, _)| *p == code(party)).unwrap().1
    }

    pub fn config(&self, party: &str) -> Config {
        let mut config = Config::load(&self.home(party).join("node.toml")).unwrap();
        config.link.listen = self.listen(party);
        config
    }

    pub async fn start(&self, party: &str) -> (Node, Client) {
        self.start_as(party, self.config(party)).await
    }

    pub async fn start_as(&self, party: &str, config: Config) -> (Node, Client) {
        let socket = self.home(party).join("abeng.sock");
        (start_as(config).await, Client::unix(socket))
    }
}

/// Waits until something shows.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, look: impl Fn() -> F) -> T {
    let end = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < end, "{what} never shows");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub async fn leaves(client: &Client, kind: &str) -> Vec<LeafView> {
    let query = AuditQuery {
        kind: Some(kind.to_owned()),
        ..AuditQuery::default()
    };
    client.audit_show(&query).await.unwrap().leaves
}

pub async fn leaf(client: &Client, kind: &str) -> LeafView {
    until(kind, async || leaves(client, kind).await.pop()).await
}

pub async fn flash(client: &Client, to: &str) -> String {
    let draft = abeng_notice::samples().remove(0).draft;
    let request = SubmitRequest {
        to: vec![to.to_owned()],
        notice: serde_json::to_value(draft).unwrap(),
        precedence: Some("FLASH".to_owned()),
        ..Default::default()
    };
    client.submit(&request).await.unwrap().id.unwrap()
}

pub async fn delivered(client: &Client, id: &str) {
    let wait = EventQuery {
        after: Some(0),
        timeout_ms: Some(60_000),
        limit: None,
    };
    let settled = client.wait_settled(&wait).await.unwrap();
    let kinds: Vec<_> = settled.iter().map(|s| (&s.id[..], &s.kind[..])).collect();
    assert_eq!(kinds, [(id, "DELIVERED")]);
}

/// What a puppet sees.
enum Seen {
    Up(Link),
    Envelope(Bytes),
    Control(Box<Frame>),
}

struct Strings {
    seen: mpsc::UnboundedSender<Seen>,
    trust: Trust,
}

#[async_trait]
impl Handler for Strings {
    fn greeting(&self, _peer: PartyCode) -> Greeting {
        Greeting {
            incarnation: 1,
            roster: self.trust.roster.reference(),
            ..Greeting::default()
        }
    }
    fn up(&self, link: Link, _hello: v1::Hello, _ready: v1::Ready) {
        let _ = self.seen.send(Seen::Up(link));
    }
    async fn envelope(&self, _link: &Link, _precedence: v1::Precedence, frame: Bytes) {
        let _ = self.seen.send(Seen::Envelope(frame));
    }
    async fn control(&self, _link: &Link, frame: Frame) {
        let _ = self.seen.send(Seen::Control(Box::new(frame)));
    }
    fn down(&self, _peer: PartyCode, _session: u64, _why: &Closed) {}
    fn trust_bundle(&self) -> v1::TrustBundle {
        self.trust.to_bundle()
    }
    fn take_trust(&self, _bundle: v1::TrustBundle) {}
}

/// A party that links with its true keys and then does only what it is told: by itself it
/// takes everything and says nothing.
pub struct Puppet {
    endpoint: Arc<Endpoint>,
    seen: mpsc::UnboundedReceiver<Seen>,
}

impl Puppet {
    async fn next(&mut self) -> Seen {
        let next = tokio::time::timeout(Duration::from_secs(60), self.seen.recv());
        next.await.unwrap().unwrap()
    }

    /// Its next link.
    pub async fn link(&mut self) -> Link {
        loop {
            if let Seen::Up(link) = self.next().await {
                return link;
            }
        }
    }

    /// The next envelope that it gets.
    pub async fn envelope(&mut self) -> Bytes {
        loop {
            if let Seen::Envelope(frame) = self.next().await {
                return frame;
            }
        }
    }

    /// The next control frame that a test is interested in.
    pub async fn control<T>(&mut self, pick: impl Fn(Frame) -> Option<T>) -> T {
        loop {
            if let Seen::Control(frame) = self.next().await
                && let Some(found) = pick(*frame)
            {
                return found;
            }
        }
    }

    /// The link to a party that is up now.
    pub fn to(&self, party: &str) -> Link {
        self.endpoint.link(code(party)).unwrap()
    }

    /// Whether a link to a party is up now.
    pub fn has(&self, party: &str) -> bool {
        self.endpoint.link(code(party)).is_some()
    }

    /// Whether a link is up no more.
    pub fn is_gone(&self, link: &Link) -> bool {
        let now = self.endpoint.link(link.peer());
        now.is_none_or(|now| now.session() != link.session())
    }

    /// Closes its links.
    pub async fn end(self) {
        self.endpoint.shutdown().await;
    }
}

impl Net {
    /// Starts a puppet in the place of a party, at the party's own address if others dial it.
    pub async fn puppet(&self, party: &str) -> Puppet {
        let config = self.config(party);
        let layout = Layout::new(self.home(party));
        let none = || Err::<abeng_keys::Passphrase, _>("none");
        let keyring = Keyring::load(&layout.keys(), none).unwrap();
        let now = u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
        let bundle = layout.read_trust().unwrap();
        let trust = Trust::from_bundle(&bundle, Some(config.root), now).unwrap();
        let (sender, seen) = mpsc::unbounded_channel();
        let strings = Strings {
            seen: sender,
            trust: trust.clone(),
        };
        let listen = match party {
            "NL" => config.link.listen,
            _ => "127.0.0.1:0".parse().unwrap(),
        };
        let link = LinkConfig {
            me: code(party),
            listen,
            profile: Profile::Cable,
            boot_id: [7; 16],
            limits: Default::default(),
            profiles: Default::default(),
        };
        let (trusted, strings) = (Arc::new(ArcSwap::from_pointee(trust)), Arc::new(strings));
        let start = async || {
            let (link, tls) = (link.clone(), keyring.node_tls().clone());
            Endpoint::start(link, tls, trusted.clone(), strings.clone()).await
        };
        let taken = |why: &LinkError| matches!(why, LinkError::PortTaken { .. });
        let endpoint = once_free(start, taken).await;
        Puppet { endpoint, seen }
    }
}
