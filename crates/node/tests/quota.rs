//! A disk that fills up: nothing new is taken, what is under way is finished, and nothing is lost.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use abeng_api::{
    Client, ClientError, ErrorCode, EventQuery, InboxQuery, RecallRequest, SubmitRequest,
};
use abeng_node::{
    Config, Node,
    quota::{Probe, Volume},
};
use common::found;
use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

const GIB: u64 = 1 << 30;

/// A disk with as much room as the test says.
struct Fake(AtomicU64);

impl Probe for Fake {
    fn volume(&self) -> io::Result<Volume> {
        Ok(Volume {
            free: self.0.load(Ordering::SeqCst),
            total: 100 * GIB,
        })
    }

    fn used(&self) -> io::Result<u64> {
        Ok(0)
    }
}

impl Fake {
    fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(50 * GIB)))
    }

    fn set(&self, free: u64) {
        self.0.store(free, Ordering::SeqCst);
    }
}

async fn start(dir: &Path, room: &Arc<Fake>) -> Node {
    let config = Config::load(&dir.join("node.toml")).unwrap();
    Node::start_with(config, room.clone()).await.unwrap()
}

fn seizure(to: &str) -> SubmitRequest {
    let draft = abeng_notice::samples().remove(0).draft;
    SubmitRequest {
        to: vec![to.to_owned()],
        notice: serde_json::to_value(draft).unwrap(),
        ..Default::default()
    }
}

/// Waits until the node has seen what its disk says.
async fn closed(client: &Client, closed: bool) {
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    while client.status().await.unwrap().disk.closed != closed {
        assert!(tokio::time::Instant::now() < end, "not {closed} in time");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn warnings(client: &Client) -> String {
    let status = client.status().await.unwrap();
    status.warnings.join("\n")
}

async fn settled(client: &Client) -> Vec<(String, String)> {
    let wait = EventQuery {
        after: Some(0),
        timeout_ms: Some(20_000),
        limit: None,
    };
    let events = client.wait_settled(&wait).await.unwrap();
    events.into_iter().map(|e| (e.id, e.kind)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_takes_nothing_new_and_finishes_what_is_under_way() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    found(&dir);
    let (jm_disk, lc_disk) = (Fake::new(), Fake::new());
    let at = |code: &str| Client::unix(dir.join(code).join("abeng.sock"));
    let jm = start(&dir.join("jm"), &jm_disk).await;

    // Queued while LC is away, and JM's disk fills up meanwhile.
    let sent = at("jm").submit(&seizure("LC")).await.unwrap();
    let first = sent.id.unwrap();
    jm_disk.set(GIB / 2);
    closed(&at("jm"), true).await;
    let refused = at("jm").submit(&seizure("LC")).await.unwrap_err();
    let ClientError::Api(error) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(error.code, ErrorCode::NoRoom);
    assert!(error.message.contains("512.0 MiB are: free "), "{error}");
    assert!(error.try_this.unwrap().contains("free space"));
    assert!(warnings(&at("jm")).await.contains("nothing new is taken"));
    let dry = SubmitRequest {
        dry_run: true,
        ..seizure("LC")
    };
    at("jm").submit(&dry).await.unwrap();

    // What was queued goes out, and its receipt is taken, in the reserve.
    let lc = start(&dir.join("lc"), &lc_disk).await;
    assert_eq!(
        settled(&at("jm")).await,
        [(first.clone(), "DELIVERED".to_owned())]
    );

    // The other way round: LC has no room, so JM keeps its copy; a recall comes in all the same.
    jm_disk.set(50 * GIB);
    closed(&at("jm"), false).await;
    lc_disk.set(GIB / 2);
    closed(&at("lc"), true).await;
    let second = at("jm").submit(&seizure("LC")).await.unwrap().id.unwrap();
    let recall = RecallRequest {
        reason: "wrong-facts".to_owned(),
        text: None,
        officer: None,
        dry_run: false,
        lang: None,
    };
    let recall = at("jm").recall(&first, &recall).await.unwrap().id.unwrap();
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let done = settled(&at("jm")).await;
        assert!(!done.iter().any(|(id, _)| *id == second), "{done:?}");
        if done.iter().any(|(id, _)| *id == recall) {
            break;
        }
        assert!(tokio::time::Instant::now() < end, "{done:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let inbox = at("lc").inbox(&InboxQuery::default()).await.unwrap();
    assert!(!inbox.iter().any(|item| item.id == second), "{inbox:?}");

    // With room again the copy is delivered: a new link offers it at once.
    lc_disk.set(50 * GIB);
    closed(&at("lc"), false).await;
    jm.shutdown().await.unwrap();
    let jm = start(&dir.join("jm"), &jm_disk).await;
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    while !settled(&at("jm")).await.iter().any(|(id, _)| *id == second) {
        assert!(tokio::time::Instant::now() < end);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}
