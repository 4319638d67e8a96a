//! Numbers that never come: two whole nodes, an expired notice and failed seals, and no gap stays.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;
#[path = "common/numbers.rs"]
mod numbers;

use abeng_api::{AuditQuery, Client, EventQuery, GapView, SubmitRequest};
use abeng_audit_log::{RealDisk, verify_log};
use abeng_wire::{PartyCode, StreamSeq, v1};
use common::{found, start};
use numbers::{fail, short_lived};
use std::time::Duration;

fn lc() -> PartyCode {
    PartyCode::new("LC").unwrap()
}

/// Waits for a word at JM on something sent.
async fn settled(jm: &Client, kind: &str) {
    let mut after = 0;
    loop {
        let query = EventQuery {
            after: Some(after),
            timeout_ms: Some(30_000),
            limit: None,
        };
        let events = jm.wait_settled(&query).await.unwrap();
        assert!(!events.is_empty(), "nothing is ever {kind}");
        if events.iter().any(|e| e.kind == kind) {
            return;
        }
        after = events.last().unwrap().leaf;
    }
}

/// The reasons of all Voided leaves, once there are so many.
async fn voided(at: &Client, count: usize) -> Vec<String> {
    let query = AuditQuery {
        kind: Some("voided".to_owned()),
        ..AuditQuery::default()
    };
    let end = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        let leaves = at.audit_show(&query).await.unwrap().leaves;
        if leaves.len() >= count {
            return leaves.into_iter().filter_map(|leaf| leaf.reason).collect();
        }
        assert!(tokio::time::Instant::now() < end, "{leaves:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn gaps(at: &Client, wanted: impl Fn(&[GapView]) -> bool) -> Vec<GapView> {
    let end = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        let gaps = at.gaps().await.unwrap();
        if wanted(&gaps) {
            return gaps;
        }
        assert!(tokio::time::Instant::now() < end, "{gaps:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_will_not_come_leaves_no_gap() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    found(&dir);
    let at = |code: &str| Client::unix(dir.join(code).join("abeng.sock"));
    let jm = start(&dir.join("jm")).await;
    short_lived(&jm, lc()).await;
    settled(&at("jm"), "EXPIRED").await;
    fail(&jm, lc(), 2).await;
    voided(&at("jm"), 1).await;

    let office = start(&dir.join("lc")).await;
    let draft = abeng_notice::samples().remove(0).draft;
    let request = SubmitRequest {
        to: vec!["LC".to_owned()],
        notice: serde_json::to_value(draft).unwrap(),
        ..Default::default()
    };
    at("jm").submit(&request).await.unwrap();
    settled(&at("jm"), "DELIVERED").await;
    let seen = gaps(&at("lc"), |gaps| !gaps.is_empty()).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(
        (&*seen[0].originator, seen[0].first, seen[0].last),
        ("JM", 1, 2)
    );
    assert!(seen[0].linked && seen[0].asked == 0, "{seen:?}");

    // What the engine will do once the gap is a minute old.
    let link = office.shared().links.link(jm.shared().me).unwrap();
    link.control(v1::control::Frame::Want(v1::Want {
        originator: "JM".into(),
        incarnation: jm.shared().incarnation.0,
        first: 1,
        last: 2,
        byte_budget: 0,
        recipient: String::new(),
    }));
    assert!(gaps(&at("lc"), <[GapView]>::is_empty).await.is_empty());
    let reasons = voided(&at("lc"), 2).await;
    assert_eq!(reasons, ["NUMBER_VOIDED", "NUMBER_VOIDED"]);

    // With a link nobody has to ask.
    fail(&jm, lc(), 9).await;
    assert_eq!(voided(&at("lc"), 3).await.len(), 3);

    // A void that somebody changed on the way closes nothing.
    let rejected = || office.shared().metrics.text();
    assert!(!rejected().contains("kind=\"void_rejected\""));
    let mut forged = jm.shared().signed_voids(
        lc(),
        &[abeng_queue::ended::EndedNumber {
            seq: StreamSeq::new(5).unwrap(),
            reason: v1::VoidReason::VoidLost,
            envelope_id: None,
        }],
    );
    let void = v1::Void {
        last: 60_000,
        ..abeng_wire::decode("void", &forged[0].bytes, 4096).unwrap()
    };
    forged[0].bytes = abeng_wire::encode(&void);
    let back = jm.shared().links.link(lc()).unwrap();
    back.control(v1::control::Frame::Void(forged.remove(0)));
    let end = tokio::time::Instant::now() + Duration::from_secs(30);
    while !rejected().contains("kind=\"void_rejected\"} 1") {
        assert!(tokio::time::Instant::now() < end);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(voided(&at("lc"), 3).await.len(), 3);

    let trust = office.shared().trust();
    jm.shutdown().await.unwrap();
    office.shutdown().await.unwrap();
    for (code, party) in [("jm", "JM"), ("lc", "LC")] {
        let disk = RealDisk::new(dir.join(code));
        verify_log(&disk, &trust, PartyCode::new(party).unwrap(), |_| ()).unwrap();
    }
}
