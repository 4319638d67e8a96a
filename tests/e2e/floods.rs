//! Floods against a real node while an honest peer works with it (I8): connections without end,
//! half handshakes, silent streams, giant lengths, broken frames, questions. Everything honest
//! arrives, a party that has no link yet gets one, and the node's memory stays under its stated
//! bound.
//!
//! How much slower the honest peer gets is printed, not asserted, since machines differ:
//! `ABENG_NOTICES=500 cargo test --release -p abeng --test e2e_floods -- --nocapture` measures it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use abeng_api::{EventQuery, StatusView};
use common::{
    Network, Node,
    attackers::{self, Attack, Kind, Orders},
    cpu::Cpu,
    notices::seizure,
    until,
};
use std::time::{Duration, Instant};

/// What `docs/operations.md` says a node takes at most: itself, its peers, strangers.
fn bound_mib(peers: u64) -> u64 {
    96 + peers * 48 + 16
}

/// Notices of each part, one after the other.
const NOTICES: u32 = 60;
const STRANGERS: usize = 32;

/// How long each of some notices took until its receipt was here, and what that cost the node.
struct Part {
    times: Vec<Duration>,
    took: Duration,
    node: Cpu,
}

impl Part {
    /// JM sends LC so many, one after the other.
    async fn measure(jm: &Node, lc: &Node, count: u32, what: &str) -> Self {
        let (before, began) = (Cpu::of(lc.pid()), Instant::now());
        let mut times = Vec::new();
        for nth in 0..count {
            times.push(round_trip(jm, "LC", &format!("{what} {nth}")).await);
        }
        times.sort();
        Self {
            times,
            took: began.elapsed(),
            node: Cpu::of(lc.pid()) - before,
        }
    }

    fn ms(&self, percent: usize) -> f64 {
        self.times[(self.times.len() - 1) * percent / 100].as_secs_f64() * 1e3
    }

    fn print(&self, what: &str) {
        println!(
            "{what}: p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms; the node in {:.1} s: {}",
            self.ms(50),
            self.ms(90),
            self.ms(99),
            self.took.as_secs_f64(),
            self.node,
        );
    }
}

async fn round_trip(from: &Node, to: &str, text: &str) -> Duration {
    let query = EventQuery {
        after: Some(from.client.status().await.unwrap().log.size),
        timeout_ms: Some(60_000),
        limit: None,
    };
    let began = Instant::now();
    let reply = from.client.submit(&seizure(&[to], text)).await.unwrap();
    let settled = from.client.wait_settled(&query).await.unwrap();
    let took = began.elapsed();
    let ids: Vec<_> = settled.into_iter().map(|s| s.id).collect();
    assert_eq!(ids, [reply.id.unwrap()], "{text}");
    took
}

/// A party that is not linked, while all this goes on.
async fn newcomer(mut node: Node, from: &str) -> Node {
    let began = Instant::now();
    node.start().await;
    let up = began.elapsed();
    let with_lc = |s: &StatusView| s.links.iter().any(|l| l.peer == "LC" && l.linked);
    node.until("to be linked with LC", with_lc).await;
    let linked = began.elapsed();
    round_trip(&node, "LC", from).await;
    println!(
        "a party from {from}: started in {up:.1?}, linked after {linked:.1?}, its first notice proved after {:.1?}",
        began.elapsed()
    );
    node
}

const TEST: &str = "floods_do_not_keep_an_honest_pair_from_its_work";

#[test]
fn floods_do_not_keep_an_honest_pair_from_its_work() {
    if attackers::attacked() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = { runtime }.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(floods());
}

async fn floods() {
    let notices = std::env::var("ABENG_NOTICES").map_or(NOTICES, |n| n.parse().unwrap());
    let network = Network::found(&["LC:coordination", "JM", "TT", "BB", "GY"]);
    let [mut lc, mut jm] = [network.node("LC"), network.node("JM")];
    lc.start().await;
    jm.start().await;
    jm.linked(1).await;
    Part::measure(&jm, &lc, 10, "warming up").await;
    let quiet = Part::measure(&jm, &lc, notices, "quiet").await;
    let before = lc.memory_mib();

    let tt = network.dir.join("tt");
    let orders = Orders {
        at: (lc.link(), "LC"),
        member: (&tt, "TT"),
        strangers: STRANGERS,
    };
    let attack = Attack::begin(TEST, &orders);
    until("strangers and the member have begun", async || {
        let kinds = [
            Kind::StrangersRefused,
            Kind::HandshakesLeft,
            Kind::LinksMade,
        ];
        kinds.iter().all(|k| attack.began(*k)).then_some(())
    })
    .await;
    let (cpu, began) = (Cpu::of(attack.pid()), Instant::now());
    let attacked = Part::measure(&jm, &lc, notices, "attacked").await;
    until("each kind of attack was made", async || {
        Kind::ALL.iter().all(|k| attack.began(*k)).then_some(())
    })
    .await;
    let (peak, bound) = (lc.memory_mib(), bound_mib(2));
    assert!(peak <= bound, "{peak} MiB");
    // One where the roster says, one where nobody expects it and LC cannot dial it.
    let bb = newcomer(network.node("BB"), "its own address").await;
    let gy = network.node("GY");
    gy.configure(|toml| {
        let was = format!("listen = \"{}\"", gy.link());
        let now = format!("listen = \"127.200.0.1:{}\"", gy.link().port());
        toml.replacen(&was, &now, 1)
    });
    let gy = newcomer(gy, "another address").await;
    let (cpu, lasted) = (Cpu::of(attack.pid()) - cpu, began.elapsed());
    let done = attack.end();

    quiet.print("quiet");
    attacked.print("attacked");
    println!(
        "p99 attacked to quiet: {:.1} times; the attackers in {:.1} s: {cpu}",
        attacked.ms(99) / quiet.ms(99),
        lasted.as_secs_f64(),
    );
    println!("memory: {before} MiB before, {peak} MiB at the peak, {bound} MiB stated");
    for (kind, done) in Kind::ALL.iter().zip(done) {
        println!("{kind:?}: {done}");
    }
    let peak = lc.memory_mib();
    assert!(peak <= bound_mib(4), "{peak} MiB");
    assert_eq!(lc.inbox().await.len() as u32, 10 + 2 * notices + 2);
    assert!(lc.runs() && !lc.log().contains("panicked"), "{}", lc.log());
    drop((bb, gy));
    // Another member than the one that floods comes to its right at once.
    lc.client
        .submit(&seizure(&["JM"], "and back"))
        .await
        .unwrap();
    until("the answer is settled", async || {
        lc.settled().await.then_some(())
    })
    .await;
    lc.run(&["audit", "verify"]).ok();
}
