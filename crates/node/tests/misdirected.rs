//! A recipient that sends an originator's own envelope back must not harm it: no leaf, no stop,
//! and the journal folds again at the next start.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "common/ports.rs"]
mod ports;

use abeng_api::{AuditQuery, Client, SubmitRequest};
use abeng_keys::{Keyring, Protection};
use abeng_link::{Closed, Endpoint, Greeting, Handler, Link, LinkConfig, Profile};
use abeng_node::{
    Config, Layout, Node,
    founding::{InitParty, InitRequest, init},
};
use abeng_roster::Trust;
use abeng_wire::{NetworkCode, PartyCode, v1};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// A party that answers every envelope with the same envelope.
struct Mirror {
    faults: mpsc::UnboundedSender<v1::Fault>,
    trust: Trust,
}

#[async_trait]
impl Handler for Mirror {
    fn greeting(&self, _peer: PartyCode) -> Greeting {
        Greeting {
            incarnation: 1,
            roster: self.trust.roster.reference(),
            ..Greeting::default()
        }
    }
    fn up(&self, _link: Link, _hello: v1::Hello, _ready: v1::Ready) {}
    async fn envelope(&self, link: &Link, precedence: v1::Precedence, frame: Bytes) {
        link.send(precedence, frame);
    }
    async fn control(&self, _link: &Link, frame: v1::control::Frame) {
        if let v1::control::Frame::Fault(fault) = frame {
            let _ = self.faults.send(fault);
        }
    }
    fn down(&self, _peer: PartyCode, _session: u64, _why: &Closed) {}
    fn trust_bundle(&self) -> v1::TrustBundle {
        self.trust.to_bundle()
    }
    fn take_trust(&self, _bundle: v1::TrustBundle) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_envelope_sent_back_to_its_originator_is_dropped() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    let party = |code: &str| InitParty {
        code: PartyCode::new(code).unwrap(),
        name: code.to_owned(),
        country: code.to_owned(),
        kind: v1::PartyKind::Member,
        address: None,
    };
    init(&InitRequest {
        dir: dir.clone(),
        network: NetworkCode::new("test").unwrap(),
        parties: vec![party("JM"), party("TT")],
        protection: Protection::InsecurePlain,
        passphrase_file: None,
        host: "127.0.0.1".parse().unwrap(),
        base_port: ports::free_ports(2),
        status_every_s: None,
    })
    .unwrap();
    let start = || async {
        // The socket of a node that has just ended may linger for a moment.
        for _ in 0..100 {
            match Node::start(Config::load(&dir.join("jm/node.toml")).unwrap()).await {
                Err(abeng_node::NodeError::Link(_)) => {
                    tokio::time::sleep(Duration::from_millis(50)).await
                }
                started => return started.unwrap(),
            }
        }
        panic!("the port stays taken");
    };
    let jm = start().await;

    let tt = Config::load(&dir.join("tt/node.toml")).unwrap();
    let layout = Layout::new(dir.join("tt"));
    let keyring =
        Keyring::load(&layout.keys(), || Err::<abeng_keys::Passphrase, _>("none")).unwrap();
    let now = u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let trust = Trust::from_bundle(&layout.read_trust().unwrap(), Some(tt.root), now).unwrap();
    let (faults, mut told) = mpsc::unbounded_channel();
    let mirror = Mirror {
        faults,
        trust: trust.clone(),
    };
    let config = LinkConfig {
        me: PartyCode::new("TT").unwrap(),
        listen: tt.link.listen,
        profile: Profile::Cable,
        profiles: Default::default(),
        limits: Default::default(),
        boot_id: [7; 16],
    };
    let endpoint = Endpoint::start(
        config,
        keyring.node_tls().clone(),
        Arc::new(ArcSwap::from_pointee(trust)),
        Arc::new(mirror),
    )
    .await
    .unwrap();

    let client = Client::unix(dir.join("jm/abeng.sock"));
    let draft = abeng_notice::samples().remove(0).draft;
    let request = SubmitRequest {
        to: vec!["TT".to_owned()],
        notice: serde_json::to_value(draft).unwrap(),
        ..Default::default()
    };
    let id = client.submit(&request).await.unwrap().id.unwrap();
    let fault = tokio::time::timeout(Duration::from_secs(30), told.recv())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        abeng_wire::EnvelopeId::from_slice(&fault.envelope_id)
            .unwrap()
            .to_string(),
        id
    );

    let leaves = client
        .audit_show(&AuditQuery::default())
        .await
        .unwrap()
        .leaves;
    let kinds: Vec<&str> = leaves.iter().map(|l| l.kind.as_str()).collect();
    assert!(
        !kinds.contains(&"REFUSED") && !kinds.contains(&"EXPIRED"),
        "{kinds:?}"
    );
    assert_eq!(
        client.status().await.unwrap().queue.depth,
        1,
        "it waits for the true recipient's receipt"
    );
    endpoint.shutdown().await;
    jm.shutdown().await.unwrap();
    // The view folds from leaf 0 again.
    std::fs::remove_dir_all(dir.join("jm/view")).unwrap();
    start().await.shutdown().await.unwrap();
}
