//! Content that is taken back, held, or kept long enough: two whole nodes, and what is left on
//! their disks.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use abeng_api::{
    Client, ClientError, DeliveryState, ErrorCode, EventQuery, ExtendRequest, HoldRequest,
    InboxQuery, RecallRequest, RetentionQuery, SubmitRequest,
};
use abeng_audit_log::{RealDisk, verify_log};
use abeng_node::{Node, retention::Take};
use abeng_queue::{Input, ScrubItem, Ticket, rows::BegunRow};
use abeng_wire::{EnvelopeId, LeafIndex, PartyCode, v1};
use bytes::Bytes;
use std::{fs, path::Path, time::Duration};
use tempfile::TempDir;

const MARKER: &str = "Zq7kVw3 a marker that is nowhere else";
const DAY_MS: u64 = 86_400_000;

fn found() -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    common::found(&temp.path().join("net"));
    temp
}

struct Net {
    temp: TempDir,
}

impl Net {
    fn dir(&self, code: &str) -> std::path::PathBuf {
        self.temp.path().join("net").join(code)
    }

    async fn start(&self, code: &str) -> Node {
        common::start(&self.dir(code)).await
    }

    fn at(&self, code: &str) -> Client {
        Client::unix(self.dir(code).join("abeng.sock"))
    }

    /// Sends a seizure with the marker in it from JM, and waits until LC has it.
    async fn deliver(&self) -> String {
        let mut notice = serde_json::to_value(abeng_notice::samples().remove(0).draft).unwrap();
        notice["remarks"] = MARKER.into();
        notice["keep_until"] = "20d".into();
        let request = SubmitRequest {
            to: vec!["LC".to_owned()],
            expires_in_hours: Some(240),
            notice,
            ..Default::default()
        };
        let id = self.at("jm").submit(&request).await.unwrap().id.unwrap();
        self.settled(&id, "DELIVERED").await;
        id
    }

    async fn recall(&self, id: &str) -> String {
        let sent = self.at("jm").recall(id, &recall()).await.unwrap();
        assert_eq!(
            (sent.ty.as_str(), sent.precedence.as_str()),
            ("RECALL", "IMMEDIATE")
        );
        sent.id.unwrap()
    }

    /// Waits until JM has that word on an envelope.
    async fn settled(&self, id: &str, kind: &str) {
        let mut after = 0;
        loop {
            let query = EventQuery {
                after: Some(after),
                timeout_ms: Some(30_000),
                limit: None,
            };
            let events = self.at("jm").wait_settled(&query).await.unwrap();
            assert!(!events.is_empty(), "{id:.12} is never {kind}");
            if events.iter().any(|e| e.id == id && e.kind == kind) {
                return;
            }
            after = events.last().unwrap().leaf;
        }
    }

    /// What lies in the journal of a node at one leaf.
    fn body(node: &Node, leaf: u64) -> Bytes {
        let stored = node.shared().reader.read(LeafIndex(leaf)).unwrap();
        stored.record.body().unwrap().unwrap().body
    }

    /// Files of a node that hold these bytes.
    fn holding(&self, code: &str, bytes: &[u8]) -> Vec<String> {
        // A segment that is prepared gets its name at any time: until a walk is whole.
        loop {
            let mut found = Vec::new();
            match look(&self.dir(code), bytes, &mut found) {
                Ok(()) => return found,
                Err(e) => assert_eq!(e.kind(), std::io::ErrorKind::NotFound),
            }
        }
    }

    fn verify(&self, node: &Node, code: &str) -> abeng_audit_log::LogReport {
        let disk = RealDisk::new(self.dir(code));
        let me = PartyCode::new(&code.to_uppercase()).unwrap();
        verify_log(&disk, &node.shared().trust(), me, |_| ()).unwrap()
    }
}

fn look(dir: &Path, bytes: &[u8], found: &mut Vec<String>) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            look(&entry.path(), bytes, found)?;
        } else if kind.is_file() && holds(&fs::read(entry.path())?, bytes) {
            found.push(entry.path().display().to_string());
        }
    }
    Ok(())
}

/// Looks only where a page is not all zeros: most of a journal is.
fn holds(text: &[u8], piece: &[u8]) -> bool {
    const PAGE: usize = 4096;
    let begins = piece.iter().position(|byte| *byte != 0).unwrap();
    let piece = &piece[begins..];
    let pages = text.chunks(PAGE).enumerate();
    let mut full = pages.filter(|(_, page)| *page != &[0; PAGE][..page.len()]);
    full.any(|(n, page)| {
        let starts = page.iter().enumerate().filter(|(_, b)| **b == piece[0]);
        let mut at = starts.map(|(at, _)| n * PAGE + at);
        at.any(|at| text[at..].starts_with(piece))
    })
}

fn recall() -> RecallRequest {
    RecallRequest {
        // As an officer may say it, in any of the four languages.
        reason: "faits inexacts".into(),
        ..RecallRequest::default()
    }
}

fn refused<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> (ErrorCode, String) {
    match answer {
        Err(ClientError::Api(error)) => (error.code, error.message),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_back_is_gone_from_the_disk_and_proved_to_be() {
    let net = Net { temp: found() };
    let (jm, lc) = (net.start("jm").await, net.start("lc").await);
    let id = net.deliver().await;
    let inbox = net.at("lc").inbox(&InboxQuery::default()).await.unwrap();
    let received = inbox[0].leaf - 1;
    let body = Net::body(&lc, received);
    assert_eq!(net.holding("lc", &body).len(), 1, "the test can fail");
    net.at("lc").inbox_show(&id, "en").await.unwrap();

    let recalled = net.recall(&id).await;
    net.settled(&recalled, "DELIVERED").await;
    // Cut off where the first leaf is durable and nothing is written anew.
    let looked = lc.shared().view.position();
    let item = ScrubItem {
        record: LeafIndex(received),
        envelope_id: EnvelopeId::from_hex(&id).unwrap(),
    };
    let begin = Input::ScrubBegin {
        items: vec![item],
        why: v1::ScrubWhy::Recalled,
        looked,
        tell: Ticket(u64::MAX),
    };
    lc.shared().core.give(begin).await;
    lc.shutdown().await.unwrap();
    let lc = net.start("lc").await;
    net.settled(&id, "RECALLED").await;

    for bytes in [&body[..], &body[body.len() - 64..], MARKER.as_bytes()] {
        assert_eq!(net.holding("lc", bytes), Vec::<String>::new());
    }
    let timeline = net.at("jm").track(&id, "en").await.unwrap();
    let recipient = &timeline.recipients[0];
    assert_eq!(recipient.state, DeliveryState::Recalled);
    assert!(recipient.steps.iter().all(|s| s.checked), "{recipient:#?}");
    // Submitted, queued; received, delivered, receipt; opened, receipt; deleted there, receipt.
    assert_eq!(recipient.steps.len(), 9);
    let (code, why) = refused(net.at("lc").inbox_show(&id, "en").await);
    assert_eq!(code, ErrorCode::NotFound);
    assert!(
        why.contains("deleted on 20") && why.contains("took it back"),
        "{why}"
    );

    // Nothing is left to take back; a recall cannot be; and only the originator may.
    assert_eq!(
        refused(net.at("jm").recall(&id, &recall()).await).0,
        ErrorCode::Conflict
    );
    let again = net.at("jm").recall(&recalled, &recall()).await;
    assert_eq!(refused(again).0, ErrorCode::Conflict);
    assert_eq!(
        refused(net.at("lc").recall(&id, &recall()).await).0,
        ErrorCode::Forbidden
    );

    let report = net.verify(&lc, "lc");
    assert_eq!((report.scrubbed, report.by_kind["RECALLED"]), (1, 1));
    assert!(report.by_kind["SCRUB_BEGUN"] == 1 && report.by_kind["SCRUBBED"] == 1);
    let report = net.verify(&jm, "jm");
    assert_eq!((report.receipts, report.scrubbed), (4, 0));

    // Both know it after a start, and the recipient tells again, which changes nothing.
    jm.shutdown().await.unwrap();
    let jm = net.start("jm").await;
    let timeline = net.at("jm").track(&id, "en").await.unwrap();
    assert_eq!(timeline.recipients[0].state, DeliveryState::Recalled);
    let id = net.deliver().await;
    assert_eq!(net.verify(&jm, "jm").receipts, 5);
    assert!(!id.is_empty());
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_legal_hold_refuses_a_recall_until_it_is_lifted() {
    let net = Net { temp: found() };
    let (jm, lc) = (net.start("jm").await, net.start("lc").await);
    let id = net.deliver().await;
    let hold = HoldRequest {
        reason: "case 7".into(),
        officer: Some("K-1".into()),
    };
    net.at("lc").hold_place(&id, &hold).await.unwrap();
    assert_eq!(
        refused(net.at("lc").hold_place(&id, &hold).await).0,
        ErrorCode::Conflict
    );
    let held = RetentionQuery {
        held: true,
        ..RetentionQuery::default()
    };
    let list = net.at("lc").retention(&held).await.unwrap();
    let why = list[0].held.as_ref().unwrap();
    assert_eq!(
        (&list[0].id, why.reason.as_str(), why.officer.as_str()),
        (&id, "case 7", "K-1")
    );

    let recalled = net.recall(&id).await;
    net.settled(&recalled, "REFUSED").await;
    let timeline = net.at("jm").track(&recalled, "en").await.unwrap();
    assert_eq!(timeline.recipients[0].state, DeliveryState::Refused);
    assert!(timeline.recipients[0].steps.iter().all(|s| s.checked));
    let why = timeline.recipients[0]
        .steps
        .iter()
        .find_map(|s| s.reason.as_deref());
    assert_eq!(why, Some("HOLD"));
    let refusals = abeng_api::AuditQuery {
        kind: Some("RECEIPT_TAKEN".into()),
        notice: Some(recalled.clone()),
        ..Default::default()
    };
    let leaves = net.at("jm").audit_show(&refusals).await.unwrap();
    assert_eq!(leaves.leaves[0].reason.as_deref(), Some("HOLD"));

    // Neither the originator nor time deletes it.
    let far = wall() + 4000 * DAY_MS;
    let round = lc
        .shared()
        .scrub_round(Take::DueSealing(far))
        .await
        .unwrap();
    assert_eq!(round.records, 0);
    net.at("lc").inbox_show(&id, "en").await.unwrap();

    net.at("lc").hold_lift(&id, &hold).await.unwrap();
    assert_eq!(
        refused(net.at("lc").hold_lift(&id, &hold).await).0,
        ErrorCode::Conflict
    );
    assert!(net.at("lc").retention(&held).await.unwrap().is_empty());
    net.recall(&id).await;
    net.settled(&id, "RECALLED").await;
    assert_eq!(net.holding("lc", MARKER.as_bytes()), Vec::<String>::new());
    net.verify(&lc, "lc");
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}

fn wall() -> u64 {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    since.as_millis() as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_kept_long_enough_is_gone_at_both_ends() {
    let net = Net { temp: found() };
    let (jm, lc) = (net.start("jm").await, net.start("lc").await);
    let id = net.deliver().await;
    let inbox = net.at("lc").inbox(&InboxQuery::default()).await.unwrap();
    let body = Net::body(&lc, inbox[0].leaf - 1);
    // Both are asked a month before.
    for code in ["jm", "lc"] {
        let list = net
            .at(code)
            .retention(&RetentionQuery::default())
            .await
            .unwrap();
        assert_eq!(list.iter().map(|i| &i.id).collect::<Vec<_>>(), [&id]);
    }
    let status = net.at("jm").status().await.unwrap();
    assert!(status.warnings.iter().any(|w| w.contains("retention list")));
    let longer = ExtendRequest {
        until: "60d".into(),
        reason: "trial in March".into(),
        officer: None,
    };
    assert_eq!(
        refused(net.at("lc").extend(&id, &longer).await).0,
        ErrorCode::Forbidden
    );
    net.at("jm").extend(&id, &longer).await.unwrap();
    let list = net
        .at("jm")
        .retention(&RetentionQuery::default())
        .await
        .unwrap();
    assert!(list.is_empty(), "{list:?}");

    let now = wall();
    let round = |node: &Node, days: u64| {
        let shared = node.shared().clone();
        async move {
            shared
                .scrub_round(Take::DueSealing(now + days * DAY_MS))
                .await
                .unwrap()
        }
    };
    assert_eq!(round(&lc, 19).await.records, 0);
    assert_eq!(round(&lc, 21).await.records, 1);
    assert_eq!(round(&jm, 59).await.records, 0);
    assert_eq!(net.holding("jm", &body).len(), 1);
    assert_eq!(round(&jm, 61).await.records, 1);
    for code in ["jm", "lc"] {
        for bytes in [&body[..], &body[..64], MARKER.as_bytes()] {
            assert_eq!(net.holding(code, bytes), Vec::<String>::new());
        }
    }
    let (_, why) = refused(net.at("lc").inbox_show(&id, "en").await);
    assert!(
        why.contains("deleted on 20") && why.contains("no longer"),
        "{why}"
    );
    let timeline = net.at("jm").track(&id, "en").await.unwrap();
    assert_eq!(timeline.recipients[0].state, DeliveryState::Delivered);
    assert!(timeline.recipients[0].steps.iter().all(|s| s.checked));
    assert!(
        timeline.summary.contains("deleted on 20"),
        "{}",
        timeline.summary
    );
    for (node, code) in [(&jm, "jm"), (&lc, "lc")] {
        assert_eq!(net.verify(node, code).scrubbed, 1);
    }
    // After a start nothing is begun, and nothing is due.
    jm.shutdown().await.unwrap();
    let jm = net.start("jm").await;
    let rows = jm
        .shared()
        .view
        .scan(&[BegunRow::PREFIX], &[BegunRow::PREFIX + 1], false, 9);
    assert!(rows.await.unwrap().is_empty());
    let far = jm
        .shared()
        .scrub_round(Take::DueSealing(u64::MAX))
        .await
        .unwrap();
    assert_eq!(far.records, 0);
    tokio::time::timeout(Duration::from_secs(20), jm.shutdown())
        .await
        .unwrap()
        .unwrap();
    lc.shutdown().await.unwrap();
}

/// One more than are told in one go are opened while their originator is away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reading_is_told_to_an_originator_that_was_away() {
    const READ: usize = 257;
    let net = Net { temp: found() };
    let (jm, lc) = (net.start("jm").await, net.start("lc").await);
    let mut sending = tokio::task::JoinSet::new();
    for _ in 0..READ {
        let client = net.at("jm");
        sending.spawn(async move {
            let request = SubmitRequest {
                to: vec!["LC".to_owned()],
                expires_in_hours: Some(240),
                notice: serde_json::to_value(abeng_notice::samples().remove(0).draft).unwrap(),
                ..Default::default()
            };
            client.submit(&request).await.unwrap().id.unwrap()
        });
    }
    let ids = sending.join_all().await;
    let inbox = || async {
        let query = InboxQuery {
            limit: Some(1000),
            ..Default::default()
        };
        net.at("lc").inbox(&query).await.unwrap().len()
    };
    while inbox().await < READ {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for id in &ids {
        net.settled(id, "DELIVERED").await;
    }
    jm.shutdown().await.unwrap();
    for id in &ids {
        net.at("lc").inbox_show(id, "en").await.unwrap();
    }
    let jm = net.start("jm").await;
    // The oldest and the newest reading.
    for id in [&ids[0], &ids[READ - 1]] {
        let told = async {
            // Submitted, queued; received, delivered, receipt; opened, receipt.
            while net.at("jm").track(id, "en").await.unwrap().recipients[0]
                .steps
                .len()
                < 7
            {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let told = tokio::time::timeout(Duration::from_secs(60), told).await;
        assert!(told.is_ok(), "{id:.12} was opened, and is never told");
    }
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}
