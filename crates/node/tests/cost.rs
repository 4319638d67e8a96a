//! What a notice is said to cost is what it costs.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use abeng_api::{AllowRequest, Client, EventQuery, SubmitRequest};
use abeng_node::{Config, Node};
use abeng_wire::{LeafIndex, encode, v1};
use common::found;
use std::path::Path;

async fn start(dir: &Path) -> Node {
    Node::start(Config::load(&dir.join("node.toml")).unwrap())
        .await
        .unwrap()
}

fn seizure() -> SubmitRequest {
    let draft = abeng_notice::samples().remove(0).draft;
    SubmitRequest {
        to: vec!["LC".to_owned()],
        notice: serde_json::to_value(draft).unwrap(),
        ..Default::default()
    }
}

fn add(dir: &Path, text: &str) {
    let path = dir.join("node.toml");
    let before = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, format!("{before}\n{text}\n")).unwrap();
}

/// The envelope that a Submitted leaf holds, as it travels to its only recipient.
fn envelope(node: &Node, leaf: u64) -> usize {
    let stored = node.shared().reader.read(LeafIndex(leaf)).unwrap();
    let proof = stored.record.proof().unwrap().unwrap();
    let Some(v1::proof_part::Of::Submitted(submitted)) = proof.of else {
        panic!("no Submitted leaf");
    };
    let body = stored.record.body().unwrap().unwrap();
    let envelope = v1::Envelope {
        hdr: submitted.hdr,
        sig: submitted.sig,
        stanzas: body.stanzas,
        body: body.body,
    };
    encode(&envelope).len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_to_cost_so_much_costs_so_much() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    found(&dir);
    let metered = "[link.peers.LC]\nprofile = \"metered\"\nrate = \"2 kB\"\n[link.metered]\nbudget = \"400 kB\"\n";
    add(&dir.join("jm"), metered);
    let (jm, lc) = (start(&dir.join("jm")).await, start(&dir.join("lc")).await);
    let client = Client::unix(dir.join("jm").join("abeng.sock"));
    let body = |request: &SubmitRequest| serde_json::to_vec(request).unwrap().into();

    let cost = client.cost(body(&seizure())).await.unwrap();
    let line = &cost.lines[0];
    assert_eq!(
        (line.recipient.as_str(), line.profile.as_str()),
        ("LC", "metered")
    );
    assert!(line.sent_bytes > line.envelope_bytes);
    assert_eq!((line.rate, line.configured), (2000, true));
    let all = line.sent_bytes + line.received_bytes;
    assert_eq!(line.budget_share, Some(all * 10_000 / 400_000));
    assert!(line.time_ms >= all / 2);
    assert!(!line.waits);

    let sent = client.submit(&seizure()).await.unwrap();
    assert_eq!(
        line.envelope_bytes as usize,
        envelope(&jm, sent.leaf.unwrap())
    );
    let wait = EventQuery {
        after: Some(0),
        timeout_ms: Some(20_000),
        limit: None,
    };
    assert_eq!(client.wait_settled(&wait).await.unwrap().len(), 1);

    // It was counted, and more than the day has is said to wait.
    let budget = client.limits().await.unwrap().budget.unwrap();
    assert_eq!(budget.budget, Some(400_000));
    assert_eq!(budget.flash, 100_000);
    let end = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let spent = client.limits().await.unwrap().budget.unwrap().spent;
        // The envelope, its receipt and the handshake, and not the whole day.
        if (line.envelope_bytes..300_000).contains(&spent) {
            break;
        }
        assert!(tokio::time::Instant::now() < end, "{spent}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let more = AllowRequest {
        bytes: Some(1_000_000),
        officer: None,
    };
    let allowed = client.allow(&more).await.unwrap();
    assert_eq!(allowed.budget, Some(1_400_000));
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();

    // A restart does not forget the day. With too little left, all but FLASH is said to wait.
    let text = std::fs::read_to_string(dir.join("jm/node.toml")).unwrap();
    std::fs::write(dir.join("jm/node.toml"), text.replace("400 kB", "8 kB")).unwrap();
    std::fs::remove_file(dir.join("jm/budget.json")).unwrap();
    let jm = start(&dir.join("jm")).await;
    assert!(client.cost(body(&seizure())).await.unwrap().lines[0].waits);
    let flash = SubmitRequest {
        precedence: Some("FLASH".to_owned()),
        ..seizure()
    };
    assert!(!client.cost(body(&flash)).await.unwrap().lines[0].waits);
    jm.shutdown().await.unwrap();
}
