//! Whole nodes that run on an older copy of their data, twice at once, or after a loss.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "common/net.rs"]
mod net;

use abeng_api::StatusView;
use abeng_wire::v1;
use net::{code, copy, found};

fn stopped(status: &StatusView) -> bool {
    status.submitting_stopped.is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_on_an_older_copy_is_shown_so_and_submits_nothing() {
    let net = found(&["JM"]);
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    net.send("JM", "LC").await;
    jm.shutdown().await.unwrap();
    copy(&net.home("JM"), &net.home("JM-COPY"));
    let jm = net.start("JM").await;
    // LC sends, so that it holds receipts of what the copy does not have.
    net.send("LC", "JM").await;
    jm.shutdown().await.unwrap();

    let jm = net.start("JM-COPY").await;
    let status = net.until("JM-COPY", "stopped", stopped).await;
    assert!(status.warnings[0].contains("new-incarnation"), "{status:?}");
    let refused = net.try_send("JM-COPY", "LC").await.unwrap_err();
    assert!(refused.contains("submits nothing"), "{refused}");
    jm.shutdown().await.unwrap();
    // It stays so without any peer, and the log holds why.
    lc.shutdown().await.unwrap();
    let jm = net.start("JM-COPY").await;
    net.until("JM-COPY", "stopped", stopped).await;
    assert!(net.try_send("JM-COPY", "LC").await.is_err());
    jm.shutdown().await.unwrap();
    net.verify("JM-COPY");
    // The original was never in doubt.
    let jm = net.start("JM").await;
    let lc = net.start("LC").await;
    net.send("LC", "JM").await;
    assert!(!stopped(&net.client("JM").status().await.unwrap()));
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_without_proof_stop_nothing() {
    let net = found(&["JM", "TT"]);
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    net.send("JM", "LC").await;
    let shown = jm
        .shared()
        .checkpoint_at(jm.shared().reader.size())
        .unwrap();
    let note = String::from_utf8(shown.note().to_vec()).unwrap();
    let theirs = lc
        .shared()
        .checkpoint_at(lc.shared().reader.size())
        .unwrap();
    let size = shown.size();
    let larger = note.replacen(&format!("\n{size}\n"), &format!("\n{}\n", size + 9), 1);
    assert_ne!(larger, note);
    let claim = |note: Vec<u8>| v1::Claim {
        note: note.into(),
        ..Default::default()
    };
    let mut lies = vec![
        // Forged: the size is not what was signed.
        claim(larger.into_bytes()),
        // Another log's, by another key.
        claim(theirs.note().to_vec()),
        // What this log has.
        claim(shown.note().to_vec()),
        claim(b"nothing".to_vec()),
        claim(vec![0; 9000]),
        v1::Claim::default(),
    ];
    // An envelope of this life that the log knows, and with a signature that is none.
    let sent = net.client("JM").sent(&Default::default()).await.unwrap();
    let leaf = abeng_wire::LeafIndex(sent[0].leaf);
    let record = jm.shared().reader.read(leaf).unwrap().record;
    let Some(v1::proof_part::Of::Submitted(own)) = record.proof().unwrap().unwrap().of else {
        panic!("no submission");
    };
    let mut bad = own.sig.to_vec();
    bad[3] ^= 1;
    for sig in [own.sig.clone(), bad.into()] {
        lies.push(v1::Claim {
            hdr: own.hdr.clone(),
            sig,
            ..Default::default()
        });
    }
    for lie in lies {
        jm.shared().take_claim(code("LC"), lie).await;
    }
    assert!(!stopped(&net.client("JM").status().await.unwrap()));
    net.send("JM", "LC").await;
    // LC knows nothing of JM's envelope as its own, whoever shows it.
    let shown = v1::Claim {
        hdr: own.hdr,
        sig: own.sig,
        ..Default::default()
    };
    lc.shared().take_claim(code("TT"), shown).await;
    assert!(!stopped(&net.client("LC").status().await.unwrap()));
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_envelope_of_this_life_that_the_log_does_not_know_is_proof() {
    let net = found(&["JM"]);
    copy(&net.home("JM"), &net.home("JM-COPY"));
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    net.send("JM", "LC").await;
    let sent = net.client("JM").sent(&Default::default()).await.unwrap();
    let leaf = abeng_wire::LeafIndex(sent[0].leaf);
    let record = jm.shared().reader.read(leaf).unwrap().record;
    let Some(v1::proof_part::Of::Submitted(own)) = record.proof().unwrap().unwrap().of else {
        panic!("no submission");
    };
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
    let jm = net.start("JM-COPY").await;
    let claim = v1::Claim {
        hdr: own.hdr,
        sig: own.sig,
        ..Default::default()
    };
    jm.shared().take_claim(code("LC"), claim).await;
    assert!(stopped(&net.client("JM-COPY").status().await.unwrap()));
    jm.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_run_at_once_both_learn_it() {
    let net = found(&["JM"]);
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    net.send("JM", "LC").await;
    jm.shutdown().await.unwrap();
    copy(&net.home("JM"), &net.home("JM-COPY"));
    // The copy listens elsewhere, as on another machine.
    let path = net.home("JM-COPY").join("node.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let listen = text.lines().find(|l| l.starts_with("listen")).unwrap();
    let text = text.replace(listen, "listen = \"127.0.0.1:0\"");
    std::fs::write(&path, text).unwrap();
    let one = net.start("JM").await;
    let two = net.start("JM-COPY").await;
    // They take the link from each other, and each gives out the next number.
    for name in ["JM", "JM-COPY"] {
        net.until(name, "stopped", stopped).await;
    }
    one.shutdown().await.unwrap();
    two.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}
