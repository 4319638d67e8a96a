//! A relay between real nodes: what JM and TT send each other without a link goes over LC, which
//! is killed with it on the way. The proof comes back, a direct link takes over once there is one,
//! nothing arrives twice, and the relay learns nothing of what it carries.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use abeng_api::{DeliveryState, RecipientTimeline, StepKind};
use common::{
    Network, Node,
    bytes::files_with,
    notices::seizure,
    proxy::{Line, Proxy},
    until,
};
use data_encoding::HEXLOWER;
use std::{ffi::OsStr, path::Path};

/// What the officers write, and what is common to it all; none of it may lie at the relay.
const TEXTS: [&str; 3] = [
    "doorvoer-70311: the first goes over a relay that dies",
    "doorvoer-70312: the second by both ways at once",
    "doorvoer-70313: the third directly",
];
const COMMON: &[u8] = b"doorvoer-7031";

async fn submit(from: &Node, to: &str, text: &str, precedence: &str) -> String {
    let mut request = seizure(&[to], text);
    request.precedence = Some(precedence.to_owned());
    from.client.submit(&request).await.unwrap().id.unwrap()
}

async fn timeline(node: &Node, id: &str) -> RecipientTimeline {
    let mut timeline = node.client.track(id, "en").await.unwrap();
    timeline.recipients.remove(0)
}

/// Whose logs say that, as far as this node has just checked.
fn proved(timeline: &RecipientTimeline, what: StepKind) -> Vec<&str> {
    let steps = timeline.steps.iter();
    let steps = steps.filter(|s| s.what == what && s.checked);
    steps.map(|s| &*s.by).collect()
}

/// Waits until the relay has proved that it has a copy.
async fn with_lc(jm: &Node, id: &str) {
    let timeline = until("LC has proved that it has a copy", async || {
        let timeline = timeline(jm, id).await;
        (proved(&timeline, StepKind::Relayed) == ["LC"]).then_some(timeline)
    })
    .await;
    assert_eq!(timeline.state, DeliveryState::Forwarded);
}

async fn delivered(jm: &Node, id: &str) -> RecipientTimeline {
    until("TT's receipt is here", async || {
        let timeline = timeline(jm, id).await;
        (timeline.state == DeliveryState::Delivered).then_some(timeline)
    })
    .await
}

/// Where no node is asked: the file alone proves who delivered, and who carried.
fn proves(jm: &Node, id: &str, scratch: &Path, says: &[&str]) {
    let file = scratch.join("evidence");
    let out = file.to_str().unwrap();
    jm.run(&["evidence", "export", id, "--out", out]).ok();
    let verdict = jm.run(&["evidence", "verify", out]).ok();
    let verdict = verdict.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in says {
        assert!(verdict.contains(part), "not said: {part}\n{verdict}");
    }
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_dies_with_a_notice_delivers_it_and_the_direct_link_takes_over() {
    let codes = ["LC", "JM", "TT"];
    let options = ["--insecure-plain-keys", "--relay", "LC"].map(OsStr::new);
    let network = Network::found_with(&["LC:coordination", "JM", "TT"], &options);
    let proxy = Proxy::before(&network, &codes, 1);
    proxy.cut("JM", "TT");
    let [mut lc, mut jm, mut tt] = codes.map(|code| network.node(code));
    // One after the other: a dial into the void is not repeated before it has failed.
    for node in [&mut lc, &mut jm, &mut tt] {
        node.start().await;
    }
    lc.linked(2).await;
    for node in [&mut jm, &mut tt] {
        node.linked(1).await;
    }

    // LC has the first on its disk and cannot bring it on: it is killed with it.
    proxy.cut("LC", "TT");
    let first = submit(&jm, "TT", TEXTS[0], "FLASH").await;
    with_lc(&jm, &first).await;
    lc.kill();
    assert!(tt.inbox().await.is_empty());
    proxy.restore("LC", "TT");
    lc.start().await;
    let way = delivered(&jm, &first).await;
    assert_eq!(proved(&way, StepKind::Relayed), ["LC"]);
    assert_eq!(proved(&way, StepKind::Delivered), ["TT"]);
    proves(&jm, &first, network.scratch(), &["TT", "LC"]);

    // The second waits at LC when the direct link comes up, which LC then is too late for.
    lc.linked(2).await;
    proxy.cut("LC", "TT");
    let second = submit(&jm, "TT", TEXTS[1], "FLASH").await;
    with_lc(&jm, &second).await;
    proxy.restore("JM", "TT");
    jm.linked(2).await;
    let way = delivered(&jm, &second).await;
    assert_eq!(proved(&way, StepKind::Delivered), ["TT"]);
    let carried = lc.client.relays().await.unwrap().carried;
    assert_eq!((carried.len(), carried[0].count), (1, 1), "{carried:?}");
    proxy.all(Line::default());
    until("LC knows that there is nothing left to do", async || {
        let relays = lc.client.relays().await.unwrap();
        relays.carried.is_empty().then_some(())
    })
    .await;

    // And the third does not even pass LC.
    let third = submit(&jm, "TT", TEXTS[2], "ROUTINE").await;
    let way = delivered(&jm, &third).await;
    assert!(proved(&way, StepKind::Relayed).is_empty(), "{way:#?}");
    let back = submit(&tt, "JM", "and back", "ROUTINE").await;
    delivered(&tt, &back).await;

    once(&lc, &jm, &tt, &[first.clone(), second, third]).await;
    for node in [&mut lc, &mut jm, &mut tt] {
        node.stop().await;
        node.run(&["audit", "verify"]).ok();
    }
    // The relay's disk, with all that it ever held: the envelope was there, its content not.
    let id = HEXLOWER.decode(first.as_bytes()).unwrap();
    assert!(!files_with(&lc.home, &id).is_empty());
    let found = files_with(&lc.home, COMMON);
    assert!(found.is_empty(), "content lies in {found:?}");
}

/// Each notice is in TT's inbox once and as it was written, each log has a leaf of each kind for
/// it, and the relay was nobody's recipient.
async fn once(lc: &Node, jm: &Node, tt: &Node, sent: &[String]) {
    let mut inbox: Vec<String> = tt.inbox().await.into_iter().map(|i| i.id).collect();
    inbox.reverse();
    assert_eq!(inbox, sent);
    for (id, text) in sent.iter().zip(TEXTS) {
        assert_eq!(tt.remarks(id).await, text);
    }
    let counted = async |node: &Node, kind| node.leaves(Some(kind)).await.len();
    assert_eq!(counted(tt, "DELIVERED").await, 3);
    assert_eq!(counted(jm, "DELIVERED").await, 1);
    assert_eq!(counted(lc, "RELAYED").await, 2, "the third never passed");
    assert_eq!(counted(lc, "RECEIPT_TAKEN").await, 2);
    assert_eq!(counted(lc, "RECEIVED").await, 0);
    assert!(lc.inbox().await.is_empty());
    for node in [lc, jm, tt] {
        assert!(!node.log().contains("panicked"), "{}", node.log());
    }
}
