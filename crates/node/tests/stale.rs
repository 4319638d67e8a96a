//! Whole nodes: an old copy that runs beside the newer life of the same party.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "common/net.rs"]
mod net;

use abeng_node::{IfNewer, new_life};
use net::{code, copy, found};
use std::fs;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_copy_takes_no_link_from_the_newer_life_and_is_told_of_at_its_peer() {
    let net = found(&["JM"]);
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    net.send("JM", "LC").await;
    jm.shutdown().await.unwrap();
    copy(&net.home("JM"), &net.home("JM-COPY"));
    // The copy listens elsewhere, as on another machine.
    let path = net.home("JM-COPY").join("node.toml");
    let text = fs::read_to_string(&path).unwrap();
    let listen = text.lines().find(|l| l.starts_with("listen")).unwrap();
    let text = text.replace(listen, "listen = \"127.0.0.1:0\"");
    fs::write(&path, text).unwrap();
    let old_life = net.verify("JM").leaves;
    assert!(old_life > 1);
    let opened = new_life(
        &net.config("JM"),
        "moved to another machine",
        IfNewer::Refuse,
        &mut |_, _| (),
    )
    .unwrap();
    let jm = net.start("JM").await;
    net.send("JM", "LC").await;
    // Both dial at a start, and one of the two connections stays.
    let mut good = 0;
    let mut same = 0;
    while same < 30 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let now = lc
            .shared()
            .links
            .link(code("JM"))
            .map_or(0, |l| l.session());
        same = if now == good && now > 0 { same + 1 } else { 0 };
        good = now;
    }
    let since = net.client("JM").status().await.unwrap().links[0]
        .since
        .clone();
    assert_eq!(net.client("LC").status().await.unwrap().stale_copies, []);

    let old = net.start("JM-COPY").await;
    let often = |s: &abeng_api::StatusView| s.stale_copies.iter().any(|c| c.times >= 3);
    let status = net
        .until("LC", "the old copy comes again and again", often)
        .await;
    let stale = &status.stale_copies[0];
    assert_eq!(stale.party, "JM");
    assert_eq!(stale.newer, opened.incarnation.to_string());
    assert_eq!(stale.incarnation, opened.previous.unwrap().to_string());
    assert!(stale.since < stale.last_seen, "{stale:?}");
    let warned = |w: &String| w.contains("an old copy of the node of JM runs");
    assert!(status.warnings.iter().any(warned), "{status:?}");
    // The copy has learnt why, and the good link has never gone.
    let status = net
        .until("JM-COPY", "why", |s| s.newer_life.is_some())
        .await;
    assert_eq!(
        status.newer_life.unwrap().incarnation,
        opened.incarnation.to_string()
    );
    assert_eq!(
        lc.shared().links.link(code("JM")).map(|l| l.session()),
        Some(good)
    );
    let link = &net.client("JM").status().await.unwrap().links[0];
    assert!(link.linked && link.since == since, "{link:?}");
    net.send("JM", "LC").await;
    net.send("LC", "JM").await;
    for node in [old, jm, lc] {
        node.shutdown().await.unwrap();
    }
}
