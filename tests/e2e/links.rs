//! Real nodes over bad lines: what was accepted arrives, once, as it was written (I1, I2, I3, I9).
//!
//! `ABENG_SEED` repeats the fate of the nth datagram of each direction.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use abeng_api::DeliveryState;
use common::{
    Network, Node,
    notices::seizure,
    proxy::{Line, Proxy},
    until, until_within,
};
use std::{collections::BTreeMap, time::Duration};

/// A window of two datagrams, sent again and again over 700 ms, is what a fifth of loss leaves of a
/// line: some notices need a minute.
const SLOW: Duration = Duration::from_secs(300);

/// A satellite in a storm: a fifth of all datagrams lost in either direction, 300 ms away, in an
/// order of their own.
const STORM: Line = Line {
    loss_permille: 200,
    repeat_permille: 50,
    delay: Duration::from_millis(300),
    jitter: Duration::from_millis(60),
    bytes_per_second: Some(64_000),
    queue_bytes: 64_000,
    cut: false,
};

fn seed() -> u64 {
    let seed = std::env::var("ABENG_SEED").map_or(1, |s| s.parse().unwrap());
    println!("ABENG_SEED={seed}");
    seed
}

/// The remarks of what each sent to each, by id.
type Sent = BTreeMap<(usize, usize), BTreeMap<String, String>>;

async fn submit_all(nodes: &[Node], codes: &[&str], round: u32, sent: &mut Sent) {
    for (from, node) in nodes.iter().enumerate() {
        for (to, code) in codes.iter().enumerate().filter(|(to, _)| *to != from) {
            let remarks = format!("{} to {code}, round {round}", codes[from]);
            let reply = node.client.submit(&seizure(&[code], &remarks)).await;
            let id = reply.unwrap().id.unwrap();
            sent.entry((from, to)).or_default().insert(id, remarks);
        }
    }
}

/// Each inbox holds what was sent there and nothing else, once; each sender knows it.
async fn check(nodes: &[Node], sent: &Sent) {
    for (nth, node) in nodes.iter().enumerate() {
        let mut expected: BTreeMap<&String, &String> = BTreeMap::new();
        for ((_, to), notices) in sent {
            if *to == nth {
                expected.extend(notices);
            }
        }
        let inbox: Vec<String> = node.inbox().await.into_iter().map(|i| i.id).collect();
        assert_eq!(inbox.len(), expected.len(), "lost or twice at {nth}");
        for id in &inbox {
            let written = expected.remove(id).expect("a phantom, or twice");
            assert_eq!(node.remarks(id).await, *written);
        }
        for item in node.sent().await {
            assert_eq!(item.to[0].state, DeliveryState::Delivered, "{item:?}");
        }
        node.run(&["audit", "verify"]).ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_on_the_line_with_cuts_and_a_kill_only_delays() {
    let codes = ["LC", "JM", "TT"];
    let network = Network::found(&["LC:coordination", "JM", "TT"]);
    let proxy = Proxy::before(&network, &codes, seed());
    let mut nodes = codes.map(|code| network.node(code));
    for node in &mut nodes {
        node.configure(|toml| toml.replacen("[link]", "[link]\nprofile = \"satellite\"", 1));
        node.start().await;
    }
    for node in &mut nodes {
        node.linked(2).await;
    }
    proxy.all(STORM);
    let mut sent = Sent::new();
    submit_all(&nodes, &codes, 0, &mut sent).await;

    // Short cuts, which a link survives, between any two in turn; work goes on.
    for (round, (one, other)) in [("LC", "JM"), ("JM", "TT"), ("TT", "LC")]
        .iter()
        .enumerate()
    {
        proxy.cut(one, other);
        submit_all(&nodes, &codes, round as u32 + 1, &mut sent).await;
        let cut = proxy.counts().cut;
        until("the cut has lost something", async || {
            (proxy.counts().cut > cut + 3).then_some(())
        })
        .await;
        proxy.restore(one, other);
    }
    // One dies while it sends and receives; its links are made again through the storm.
    nodes[1].kill();
    nodes[1].start().await;
    submit_all(&nodes, &codes, 4, &mut sent).await;

    for (node, code) in nodes.iter().zip(codes) {
        until_within(
            SLOW,
            &format!("all that {code} sent is settled"),
            async || node.settled().await.then_some(()),
        )
        .await;
    }
    let counts = proxy.counts();
    println!("{counts:?}");
    let carried = counts.passed + counts.lost;
    assert!(counts.lost * 10 > carried, "hardly a storm: {counts:?}");
    assert!(counts.overtaken > 20 && counts.repeated > 5, "{counts:?}");
    proxy.all(Line::default());
    check(&nodes, &sent).await;
    for node in &mut nodes {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_passes_a_cut_and_everything_passes_when_it_is_mended() {
    let codes = ["LC", "JM"];
    let network = Network::found(&["LC:coordination", "JM"]);
    let proxy = Proxy::before(&network, &codes, seed());
    proxy.cut("LC", "JM");
    let mut nodes = codes.map(|code| network.node(code));
    for node in &mut nodes {
        node.start().await;
    }
    let mut sent = Sent::new();
    submit_all(&nodes, &codes, 0, &mut sent).await;
    until("both have dialled in vain", async || {
        (proxy.counts().cut >= 4).then_some(())
    })
    .await;
    assert_eq!(proxy.counts().passed, 0, "the proxy leaks");
    for node in &nodes {
        assert!(!node.settled().await);
        assert_eq!(node.inbox().await.len(), 0);
    }
    proxy.restore("LC", "JM");
    for node in &mut nodes {
        node.linked(1).await;
    }
    for node in &nodes {
        until("what waited has arrived", async || {
            node.settled().await.then_some(())
        })
        .await;
    }
    check(&nodes, &sent).await;
}
