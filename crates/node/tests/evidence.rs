//! Two whole nodes export what they hold of one notice; both files hold with nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use abeng_api::{AuditQuery, Client, EventQuery, EvidenceQuery, RecallRequest, SubmitRequest};
use abeng_evidence::{Doubt, Verdict, verify};
use abeng_node::Node;
use abeng_notice::Notice;
use abeng_wire::v1::LeafKind;
use bytes::Bytes;
use common::found;
use std::path::Path;

async fn start(dir: &Path) -> (Node, Client) {
    let node = common::start(dir).await;
    (node, Client::unix(dir.join("abeng.sock")))
}

async fn export(at: &Client, id: &str, disclose: bool) -> Bytes {
    at.evidence(id, &EvidenceQuery { disclose }).await.unwrap()
}

fn kinds(verdict: &Verdict) -> Vec<(LeafKind, String)> {
    let facts = &verdict.recipients[0].facts;
    facts.iter().map(|f| (f.kind, f.by.to_string())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_ends_export_what_proves_a_notice() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    found(&dir);
    let (sender, at_jm) = start(&dir.join("jm")).await;
    let (recipient, at_lc) = start(&dir.join("lc")).await;
    let draft = abeng_notice::samples().remove(0).draft;
    let request = SubmitRequest {
        to: vec!["LC".to_owned()],
        notice: serde_json::to_value(draft).unwrap(),
        ..Default::default()
    };
    let id = at_jm.submit(&request).await.unwrap().id.unwrap();
    let wait = EventQuery {
        after: Some(0),
        timeout_ms: Some(20_000),
        limit: None,
    };
    assert_eq!(at_jm.wait_settled(&wait).await.unwrap().len(), 1);
    let root = at_jm.status().await.unwrap().root_digest;
    let root = abeng_wire::Digest::from_hex(&root).unwrap();

    let file = export(&at_jm, &id[..12], true).await;
    let verdict = verify(&file, Some(root)).unwrap();
    assert_eq!(verdict.envelope_id.to_string(), id);
    let by = |kind, party: &str| (kind, party.to_owned());
    assert_eq!(
        kinds(&verdict),
        [
            by(LeafKind::Queued, "JM"),
            by(LeafKind::ReceiptTaken, "JM"),
            by(LeafKind::Received, "LC"),
            by(LeafKind::Delivered, "LC")
        ]
    );
    let notice = Notice::parse(verdict.content.unwrap()).unwrap();
    assert_eq!(notice.ty(), "SEIZURE");

    at_lc.inbox_show(&id, "en").await.unwrap();
    let disclosed = verify(&export(&at_lc, &id, true).await, Some(root)).unwrap();
    assert_eq!(disclosed.maker.to_string(), "LC");
    assert_eq!(disclosed.content.as_ref(), Some(notice.bytes()));
    let proof = verify(&export(&at_lc, &id, false).await, None).unwrap();
    assert!(proof.content.is_none() && proof.doubts.contains(&Doubt::NotDisclosed));
    assert_eq!(
        kinds(&proof),
        [
            by(LeafKind::Received, "LC"),
            by(LeafKind::Delivered, "LC"),
            by(LeafKind::Read, "LC")
        ]
    );

    assert_eq!(exports(&at_lc).await, 2);
    assert!(
        at_lc
            .evidence("00000000", &EvidenceQuery::default())
            .await
            .is_err()
    );

    after_a_recall(&at_jm, &at_lc, &id).await;
    sender.shutdown().await.unwrap();
    recipient.shutdown().await.unwrap();
    // No file of either node is needed.
    std::fs::remove_dir_all(&dir).unwrap();
    assert!(verify(&file, Some(root)).is_ok());
}

/// What is gone cannot be disclosed, and no leaf says that it was; the rest is proved still.
async fn after_a_recall(at_jm: &Client, at_lc: &Client, id: &str) {
    let request = RecallRequest {
        reason: "faits inexacts".into(),
        ..RecallRequest::default()
    };
    at_jm.recall(id, &request).await.unwrap();
    let mut after = 0;
    loop {
        let query = EventQuery {
            after: Some(after),
            timeout_ms: Some(30_000),
            limit: None,
        };
        let events = at_jm.wait_settled(&query).await.unwrap();
        assert!(!events.is_empty(), "never recalled");
        if events.iter().any(|e| e.id == id && e.kind == "RECALLED") {
            break;
        }
        after = events.last().unwrap().leaf;
    }
    let before = exports(at_lc).await;
    let query = EvidenceQuery { disclose: true };
    let refused = at_lc.evidence(id, &query).await.unwrap_err();
    assert!(refused.to_string().contains("deleted"), "{refused}");
    assert_eq!(exports(at_lc).await, before);
    for at in [at_jm, at_lc] {
        let proof = verify(&export(at, id, false).await, None).unwrap();
        let recalled = (LeafKind::Recalled, "LC".to_owned());
        assert!(kinds(&proof).contains(&recalled), "{:?}", kinds(&proof));
    }
}

async fn exports(at: &Client) -> usize {
    let exports = AuditQuery {
        kind: Some("EXPORTED".to_owned()),
        ..AuditQuery::default()
    };
    let page = at.audit_show(&exports).await.unwrap();
    assert!(page.leaves.iter().all(|leaf| leaf.officer.is_some()));
    page.leaves.len()
}
