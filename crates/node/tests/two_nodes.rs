//! Two whole nodes in one process: a notice crosses, is delivered once, and its receipt comes back.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use abeng_api::{
    AuditQuery, Client, DeliveryState, EventQuery, InboxQuery, LeafView, StepKind, SubmitRequest,
    TimelineStep,
};
use common::{found, start};
use std::time::Duration;

fn seizure(to: &str) -> SubmitRequest {
    let draft = abeng_notice::samples().remove(0).draft;
    SubmitRequest {
        to: vec![to.to_owned()],
        notice: serde_json::to_value(draft).unwrap(),
        ..Default::default()
    }
}

/// The steps at its only recipient, once it is proved there that somebody opened it.
async fn opened(client: &Client, id: &str) -> Vec<TimelineStep> {
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let steps = client.track(id, "en").await.unwrap().recipients.remove(0);
        let read = steps.steps.iter().any(|step| step.what == StepKind::Read);
        if read || tokio::time::Instant::now() > end {
            return steps.steps;
        }
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_crosses_and_its_proof_comes_back() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    found(&dir);
    let (jm, lc) = (start(&dir.join("jm")).await, start(&dir.join("lc")).await);
    let at = |code: &str| Client::unix(dir.join(code).join("abeng.sock"));
    let sent = at("jm").submit(&seizure("LC")).await.unwrap();
    let id = sent.id.unwrap();
    let wait = EventQuery {
        after: Some(0),
        timeout_ms: Some(20_000),
        limit: None,
    };
    let settled = at("jm").wait_settled(&wait).await.unwrap();
    assert_eq!(settled.len(), 1, "{settled:?}");
    assert_eq!(
        (settled[0].id.as_str(), settled[0].kind.as_str()),
        (id.as_str(), "DELIVERED")
    );

    let inbox = at("lc").inbox(&InboxQuery::default()).await.unwrap();
    assert_eq!(inbox.len(), 1);
    assert_eq!(inbox[0].id, id);
    assert!(!inbox[0].read);
    let shown = at("lc").inbox_show(&id[..12], "en").await.unwrap();
    assert_eq!(shown.item.from, "JM");
    assert!(at("lc").inbox(&InboxQuery::default()).await.unwrap()[0].read);

    let timeline = at("jm").track(&id, "en").await.unwrap();
    assert_eq!(timeline.recipients[0].state, DeliveryState::Delivered);
    assert!(
        timeline.recipients[0].steps.iter().all(|s| s.checked),
        "{timeline:#?}"
    );
    let opened = opened(&at("jm"), &id).await;
    let steps: Vec<StepKind> = opened.iter().map(|step| step.what).collect();
    use StepKind::{Delivered, Queued, Read, Receipt, Received, Submitted};
    assert_eq!(
        steps,
        [
            Submitted, Queued, Received, Delivered, Receipt, Read, Receipt
        ]
    );
    assert!(opened.iter().all(|step| step.checked), "{opened:#?}");
    // Opened again: the originator is told once, and never by whom.
    at("lc").inbox_show(&id, "en").await.unwrap();
    let officers: Vec<_> = leaves(&at("jm"), "RECEIPT_TAKEN").await;
    assert_eq!(officers.len(), 2);
    assert!(officers.iter().all(|leaf| leaf.officer.is_none()));
    assert_eq!(leaves(&at("lc"), "READ").await.len(), 2);

    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let network = at("lc").network().await.unwrap();
        let row = network.parties.iter().find(|r| r.party == "JM").unwrap();
        if row.linked && row.backlog == Some(0) && row.log_size.is_some() {
            break;
        }
        assert!(tokio::time::Instant::now() < end, "{row:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(at("jm").network().await.is_err());

    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
    // Everything stands after a restart.
    let jm = start(&dir.join("jm")).await;
    let again = at("jm").track(&id, "en").await.unwrap();
    assert_eq!(again.recipients[0].state, DeliveryState::Delivered);
    assert!(again.recipients[0].steps.iter().all(|s| s.checked));
    jm.shutdown().await.unwrap();
}
