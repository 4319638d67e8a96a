//! Whole nodes that watch over each other's logs: cosignatures reach a quorum, idle neighbours
//! write nothing, and a log that shows two pasts is found out.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "common/net.rs"]
mod net;

use abeng_api::StatusView;
use abeng_audit_log::Contradiction;
use abeng_evidence::{ContradictionFile, judge};
use abeng_node::Node;
use abeng_roster::Trust;
use abeng_wire::{decode, limits, v1};
use data_encoding::BASE64;
use net::{Net, PATIENCE, copy, counter, found, now};
use std::time::Duration;

async fn rounds(nodes: &[&Node], count: u64) {
    let name = "abeng_witness_rounds_total ";
    let goals: Vec<u64> = nodes.iter().map(|n| counter(n, name) + count).collect();
    let deadline = std::time::Instant::now() + PATIENCE;
    while !nodes
        .iter()
        .zip(&goals)
        .all(|(n, goal)| counter(n, name) >= *goal)
    {
        assert!(std::time::Instant::now() < deadline, "no rounds");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_witness_each_other_and_idle_in_silence() {
    let net = found(&["JM"]);
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    net.send("JM", "LC").await;
    for (name, by) in [("JM", "LC"), ("LC", "JM")] {
        let status = net.witnessed(name).await;
        let witness = &status.witness;
        assert_eq!((witness.needed, witness.of), (1, 1));
        assert_eq!(witness.by[0].party, by);
        assert!(witness.witnessed_size > 2, "{witness:?}");
    }
    // What is on its way at this moment settles within a round.
    rounds(&[&jm, &lc], 2).await;
    let before = (net.journal("JM"), net.journal("LC"));
    let given = (
        counter(&jm, "abeng_cosignatures_given_total "),
        counter(&lc, "abeng_cosignatures_given_total "),
    );
    rounds(&[&jm, &lc], 3).await;
    assert!(
        (net.journal("JM"), net.journal("LC")) == before,
        "idle nodes wrote something"
    );
    // A restart is bookkeeping: it is not shown to the witness either.
    jm.shutdown().await.unwrap();
    let jm = net.start("JM").await;
    net.until("JM", "linked", |s| s.links[0].linked).await;
    let status = net.witnessed("JM").await;
    assert!(status.log.size > status.witness.witnessed_size);
    rounds(&[&jm, &lc], 3).await;
    assert_eq!(counter(&lc, "abeng_cosignatures_given_total "), given.1);
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
    assert!(net.verify("JM").cosignatures > 0);
    assert!(net.verify("LC").checkpoints > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_four_nodes_two_witnesses_are_a_quorum() {
    let net = found(&["JM", "TT", "BB"]);
    let jm = net.start("JM").await;
    let tt = net.start("TT").await;
    net.until("JM", "linked", |s| s.links.iter().any(|l| l.linked))
        .await;
    net.send("JM", "TT").await;
    // One witness of three is up: co-signed, and not witnessed.
    let one = |s: &StatusView| s.witness.by.len() == 1;
    let status = net.until("JM", "one line", one).await;
    assert_eq!((status.witness.needed, status.witness.of), (2, 3));
    assert_eq!(status.witness.witnessed_at, None);
    assert_eq!(net.own_steps("JM").await, [None, None, None]);
    let lc = net.start("LC").await;
    let status = net.witnessed("JM").await;
    // Submitted, Queued, ReceiptTaken; what others' logs say is not ours to have witnessed.
    let by = &status.witness.witnessed_at;
    assert!(by.is_some() && net.own_steps("JM").await.iter().all(|seen| seen == by));
    assert!(status.witness.by.len() >= 2, "{:?}", status.witness);
    let row = |view: &abeng_api::NetworkView| {
        let row = view.parties.iter().find(|r| r.party == "JM").unwrap();
        row.witnessed_size
    };
    let deadline = std::time::Instant::now() + PATIENCE;
    let mut shown = None;
    while shown != Some(status.witness.witnessed_size) {
        shown = row(&net.client("LC").network().await.unwrap());
        assert!(std::time::Instant::now() < deadline, "{shown:?} {status:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for node in [jm, tt, lc] {
        node.shutdown().await.unwrap();
    }
    net.verify("JM");
    net.verify("TT");
}

/// Who has found out that TT's log contradicts itself, with a proof that holds.
async fn found_out(net: &Net, name: &str) {
    net.until(name, "found out", |s| s.contradicted == ["TT"])
        .await;
    let kept = net.client(name).contradictions().await.unwrap();
    assert_eq!((kept.len(), kept[0].party.as_str()), (1, "TT"));
    let bytes = BASE64.decode(kept[0].proof.as_bytes()).unwrap().into();
    let proof = Contradiction::verify(&bytes, &net.trust(name).roster).unwrap();
    assert_eq!(proof.first().size(), kept[0].first_size);
    let bundle = BASE64.decode(kept[0].trust.as_bytes()).unwrap().into();
    let bundle: v1::TrustBundle = decode("bundle", &bundle, limits::TRUST_BUNDLE).unwrap();
    let trust = Trust::from_bundle(&bundle, None, now()).unwrap();
    assert!(Contradiction::verify(&bytes, &trust.roster).is_ok());
    // And as a file, which anybody can judge.
    let file = ContradictionFile {
        roots: bundle.roots,
        rosters: bundle.rosters,
        contradiction: proof.message(),
    };
    let judged = judge(&file.build().unwrap(), None).unwrap();
    assert_eq!(judged.origin.party.as_str(), "TT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_with_two_pasts_is_found_out_at_its_peer_and_at_the_office() {
    let net = found(&["JM", "TT"]);
    let (jm, tt) = (net.start("JM").await, net.start("TT").await);
    net.send("TT", "JM").await;
    tt.shutdown().await.unwrap();
    copy(&net.home("TT"), &net.home("TT-COPY"));
    // One past for JM …
    let tt = net.start("TT").await;
    net.send("TT", "JM").await;
    net.until("TT", "co-signed", |s| {
        s.witness.by.iter().any(|b| b.party == "JM")
    })
    .await;
    tt.shutdown().await.unwrap();
    jm.shutdown().await.unwrap();
    // … and another for the office, which is longer.
    let lc = net.start("LC").await;
    let tt = net.start("TT-COPY").await;
    for _ in 0..3 {
        net.send("TT-COPY", "LC").await;
    }
    net.until("TT-COPY", "co-signed", |s| {
        s.witness.by.iter().any(|b| b.party == "LC")
    })
    .await;
    // They meet.
    let jm = net.start("JM").await;
    found_out(&net, "JM").await;
    found_out(&net, "LC").await;
    let view = net.client("LC").network().await.unwrap();
    let row = view.parties.iter().find(|r| r.party == "TT").unwrap();
    assert!(row.contradicts_itself);
    // The link is closed and stays so; the others go on.
    let closed = |s: &StatusView| s.links.iter().all(|l| (l.peer == "TT") != l.linked);
    net.until("JM", "quarantine", closed).await;
    // Its own operator is told, by the word of those who closed.
    let accused = |s: &StatusView| s.warnings.iter().any(|w| w.contains("contradicts itself"));
    net.until("TT-COPY", "accused", accused).await;
    net.send("JM", "LC").await;
    tt.shutdown().await.unwrap();
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
    // Kept in the log, once, and known again after a restart.
    assert_eq!(net.verify("JM").contradictions, 1);
    assert_eq!(net.verify("LC").contradictions, 1);
    let jm = net.start("JM").await;
    found_out(&net, "JM").await;
    jm.shutdown().await.unwrap();
}
