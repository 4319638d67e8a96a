//! Three whole nodes, of which two never link: what one sends to the other goes through the relay
//! between them, the recipient's proof comes back the same way, and the relay may be restarted.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use abeng_api::{
    AuditQuery, Client, DeliveryState, EventQuery, EvidenceQuery, InboxQuery, LeafView, StepKind,
    SubmitRequest,
};
use abeng_evidence::verify;
use abeng_keys::{Keyring, Protection};
use abeng_link::{Closed, Endpoint, Greeting, Handler, Link, LinkConfig, Profile};
use abeng_node::{
    Config, Layout, Node, NodeError,
    founding::{InitParty, InitRequest, init_with_relays},
};
use abeng_roster::Trust;
use abeng_wire::{
    NetworkCode, PartyCode,
    v1::{self, LeafKind, PartyKind},
};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use std::{
    net::{SocketAddr, UdpSocket},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::sync::mpsc;

/// JM, the relay NL and TT, with the ports they really use.
struct Net {
    _temp: tempfile::TempDir,
    dir: PathBuf,
    listens: Vec<(PartyCode, SocketAddr)>,
}

fn code(text: &str) -> PartyCode {
    PartyCode::new(text).unwrap()
}

impl Net {
    /// Everybody finds NL; where the others are nobody is told, so that they dial NL alone.
    fn found() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("net");
        // Held open together, so that all differ; nobody listens on those of the first two.
        let sockets: Vec<UdpSocket> = (0..5)
            .map(|_| UdpSocket::bind("127.0.0.1:0").unwrap())
            .collect();
        let at: Vec<SocketAddr> = sockets.iter().map(|s| s.local_addr().unwrap()).collect();
        drop(sockets);
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

    fn home(&self, party: &str) -> PathBuf {
        self.dir.join(party.to_lowercase())
    }

    fn listen(&self, party: &str) -> SocketAddr {
        let mut listens = self.listens.iter();
        listens.find(|(p, _)| *p == code(party)).unwrap().1
    }

    fn config(&self, party: &str) -> Config {
        let mut config = Config::load(&self.home(party).join("node.toml")).unwrap();
        config.link.listen = self.listen(party);
        config
    }

    async fn start(&self, party: &str) -> (Node, Client) {
        self.start_as(party, self.config(party)).await
    }

    async fn start_as(&self, party: &str, config: Config) -> (Node, Client) {
        let socket = self.home(party).join("abeng.sock");
        // The socket of a node that has just ended may linger for a moment.
        for _ in 0..100 {
            match Node::start(config.clone()).await {
                Err(NodeError::Link(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
                started => return (started.unwrap(), Client::unix(socket)),
            }
        }
        panic!("the port stays taken");
    }
}

/// Waits until something shows.
async fn until<T, F: Future<Output = Option<T>>>(what: &str, look: impl Fn() -> F) -> T {
    let end = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < end, "{what} never shows");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn leaves(client: &Client, kind: &str) -> Vec<LeafView> {
    let query = AuditQuery {
        kind: Some(kind.to_owned()),
        ..AuditQuery::default()
    };
    client.audit_show(&query).await.unwrap().leaves
}

async fn leaf(client: &Client, kind: &str) -> LeafView {
    until(kind, async || leaves(client, kind).await.pop()).await
}

async fn flash(client: &Client, to: &str) -> String {
    let draft = abeng_notice::samples().remove(0).draft;
    let request = SubmitRequest {
        to: vec![to.to_owned()],
        notice: serde_json::to_value(draft).unwrap(),
        precedence: Some("FLASH".to_owned()),
        ..Default::default()
    };
    client.submit(&request).await.unwrap().id.unwrap()
}

async fn delivered(client: &Client, id: &str) {
    let wait = EventQuery {
        after: Some(0),
        timeout_ms: Some(60_000),
        limit: None,
    };
    let settled = client.wait_settled(&wait).await.unwrap();
    let kinds: Vec<_> = settled.iter().map(|s| (&s.id[..], &s.kind[..])).collect();
    assert_eq!(kinds, [(id, "DELIVERED")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_and_its_proof_go_through_the_relay() {
    let net = Net::found();
    let (nl, at_nl) = net.start("NL").await;
    let (tt, at_tt) = net.start("TT").await;
    let (jm, at_jm) = net.start("JM").await;
    let id = flash(&at_jm, "TT").await;
    delivered(&at_jm, &id).await;

    let inbox = at_tt.inbox(&InboxQuery::default()).await.unwrap();
    assert_eq!((inbox.len(), &inbox[0].id), (1, &id));
    assert!(
        at_nl
            .inbox(&InboxQuery::default())
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(leaves(&at_nl, "RELAYED").await.len(), 1);
    assert_eq!(leaves(&at_nl, "RECEIPT_TAKEN").await.len(), 1);
    assert!(leaves(&at_nl, "RECEIVED").await.is_empty());

    let timeline = at_jm.track(&id, "en").await.unwrap().recipients.remove(0);
    assert_eq!(timeline.state, DeliveryState::Delivered);
    assert!(timeline.steps.iter().all(|s| s.checked), "{timeline:#?}");
    let by = |kind: StepKind| {
        let step = timeline.steps.iter().find(|s| s.what == kind);
        step.map(|s| s.by.clone()).unwrap_or_default()
    };
    assert_eq!(
        (by(StepKind::Relayed), by(StepKind::Delivered)),
        ("NL".to_owned(), "TT".to_owned())
    );

    // What JM holds proves it all, with nothing else.
    let file = at_jm
        .evidence(&id, &EvidenceQuery { disclose: false })
        .await
        .unwrap();
    let verdict = verify(&file, None).unwrap();
    let facts = &verdict.recipients[0].facts;
    let outcome = facts.iter().find(|f| f.kind == LeafKind::Delivered);
    assert_eq!(outcome.map(|f| f.by), Some(code("TT")));
    assert_eq!(verdict.relays.len(), 1);
    assert_eq!(verdict.relays[0].by, code("NL"));

    for node in [jm, tt, nl] {
        node.shutdown().await.unwrap();
    }
}

/// TT, as far as it goes: it links, takes every envelope and says nothing.
struct Silent {
    envelopes: mpsc::UnboundedSender<Bytes>,
    trust: Trust,
}

#[async_trait]
impl Handler for Silent {
    fn greeting(&self, _peer: PartyCode) -> Greeting {
        Greeting {
            incarnation: 1,
            roster: self.trust.roster.reference(),
            ..Greeting::default()
        }
    }
    fn up(&self, _link: Link, _hello: v1::Hello, _ready: v1::Ready) {}
    async fn envelope(&self, _link: &Link, _precedence: v1::Precedence, frame: Bytes) {
        let _ = self.envelopes.send(frame);
    }
    async fn control(&self, _link: &Link, _frame: v1::control::Frame) {}
    fn down(&self, _peer: PartyCode, _session: u64, _why: &Closed) {}
    fn trust_bundle(&self) -> v1::TrustBundle {
        self.trust.to_bundle()
    }
    fn take_trust(&self, _bundle: v1::TrustBundle) {}
}

async fn silent(net: &Net) -> (Arc<Endpoint>, mpsc::UnboundedReceiver<Bytes>) {
    let config = net.config("TT");
    let layout = Layout::new(net.home("TT"));
    let keyring =
        Keyring::load(&layout.keys(), || Err::<abeng_keys::Passphrase, _>("none")).unwrap();
    let now = u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let bundle = layout.read_trust().unwrap();
    let trust = Trust::from_bundle(&bundle, Some(config.root), now).unwrap();
    let (envelopes, taken) = mpsc::unbounded_channel();
    let handler = Silent {
        envelopes,
        trust: trust.clone(),
    };
    let endpoint = Endpoint::start(
        LinkConfig {
            me: code("TT"),
            // Not that of the true one, which comes soon after.
            listen: "127.0.0.1:0".parse().unwrap(),
            profile: Profile::Cable,
            boot_id: [7; 16],
            limits: Default::default(),
            profiles: Default::default(),
        },
        keyring.node_tls().clone(),
        Arc::new(ArcSwap::from_pointee(trust)),
        Arc::new(handler),
    )
    .await
    .unwrap();
    (endpoint, taken)
}

fn holds_text(dir: &Path, text: &[u8]) -> bool {
    let entries = std::fs::read_dir(dir).unwrap();
    entries.flatten().any(|entry| {
        let path = entry.path();
        match path.is_dir() {
            true => holds_text(&path, text),
            false => std::fs::read(&path)
                .is_ok_and(|bytes| bytes.windows(text.len()).any(|at| at == text)),
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_carried_outlives_the_relay_and_an_originator_that_has_gone() {
    let net = Net::found();
    let mut config = net.config("NL");
    config.relay.count = 1;
    let (nl, at_nl) = net.start_as("NL", config.clone()).await;
    let (endpoint, mut taken) = silent(&net).await;
    let (jm, at_jm) = net.start("JM").await;
    let id = flash(&at_jm, "TT").await;
    leaf(&at_nl, "RELAYED").await;
    let frame = tokio::time::timeout(Duration::from_secs(60), taken.recv()).await;
    let carried: v1::Envelope =
        abeng_wire::decode("envelope", &frame.unwrap().unwrap(), usize::MAX).unwrap();
    assert_eq!(carried.stanzas.len(), 1);
    let kept = async || {
        let timeline = at_jm.track(&id, "en").await.unwrap().recipients.remove(0);
        let mut steps = timeline.steps.iter();
        let on = steps.any(|s| s.what == StepKind::Relayed && s.checked && s.by == "NL");
        on.then_some(timeline.state)
    };
    let state = until("that NL has it", kept).await;
    assert_eq!(state, DeliveryState::Forwarded, "with NL, on its way");

    // One more is over NL's quota: it stays with JM, and is nobody's outcome.
    let second = flash(&at_jm, "TT").await;
    until("that NL is full", async || {
        let text = nl.shared().metrics.text();
        text.contains("carrier_faults_total{kind=\"quota\"}")
            .then_some(())
    })
    .await;
    assert_eq!(leaves(&at_nl, "RELAYED").await.len(), 1);
    assert_eq!(at_jm.status().await.unwrap().queue.depth, 2);

    // Nothing that the officer wrote can be read at the relay.
    assert!(!holds_text(&net.home("NL").join("journal"), b"SEIZURE"));

    // Both go; the relay comes back alone, then the true recipient.
    jm.shutdown().await.unwrap();
    nl.shutdown().await.unwrap();
    endpoint.shutdown().await;
    std::fs::remove_dir_all(net.home("NL").join("view")).unwrap();
    let (nl, at_nl) = net.start_as("NL", config).await;
    let (tt, at_tt) = net.start("TT").await;
    let taken = leaf(&at_nl, "RECEIPT_TAKEN").await;
    assert_eq!(taken.notice.as_deref(), Some(&id[..]));
    let inbox = at_tt.inbox(&InboxQuery::default()).await.unwrap();
    assert_eq!((inbox.len(), &inbox[0].id), (1, &id));
    tt.shutdown().await.unwrap();

    // The originator is told at its next link, of what it had given away and of nothing else.
    let (jm, at_jm) = net.start("JM").await;
    delivered(&at_jm, &id).await;
    let other = at_jm
        .track(&second, "en")
        .await
        .unwrap()
        .recipients
        .remove(0);
    assert_eq!(other.state, DeliveryState::Queued);
    jm.shutdown().await.unwrap();
    nl.shutdown().await.unwrap();
}
