//! What goes through a relay and what comes back.

use crate::net::{Net, code, delivered, flash, leaf, leaves, until};
use abeng_api::{DeliveryState, EvidenceQuery, InboxQuery, RetentionQuery, StepKind};
use abeng_evidence::verify;
use abeng_node::{Node, retention::Take};
use abeng_wire::v1::{self, LeafKind};
use std::path::Path;

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

    // That somebody there has opened it comes the same way, and is not kept at the relay.
    at_tt.inbox_show(&id, "en").await.unwrap();
    until("that it was opened", async || {
        let timeline = at_jm.track(&id, "en").await.unwrap().recipients.remove(0);
        let mut steps = timeline.steps.iter();
        steps
            .any(|s| s.what == StepKind::Read && s.checked)
            .then_some(())
    })
    .await;
    assert_eq!(leaves(&at_nl, "RECEIPT_TAKEN").await.len(), 1);

    // What is done with is not kept either.
    let bodies = |node: &Node| node.shared().metrics.contents_deleted.get();
    assert_eq!(bodies(&nl), 0);
    let now = u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    nl.shared()
        .scrub_round(Take::DueSealing(now))
        .await
        .unwrap();
    assert_eq!(bodies(&nl), 1);
    assert!(
        at_nl
            .retention(&RetentionQuery::default())
            .await
            .unwrap()
            .is_empty()
    );

    for node in [jm, tt, nl] {
        node.shutdown().await.unwrap();
    }
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
    let mut silent = net.puppet("TT").await;
    let (jm, at_jm) = net.start("JM").await;
    let id = flash(&at_jm, "TT").await;
    leaf(&at_nl, "RELAYED").await;
    let frame = silent.envelope().await;
    let carried: v1::Envelope = abeng_wire::decode("envelope", &frame, usize::MAX).unwrap();
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
    silent.end().await;
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
