//! Floods against a real node while an honest peer works with it (I8): connections without end,
//! half handshakes, silent streams, giant lengths, broken frames, questions. Everything honest
//! arrives, and the node's memory stays under its stated bound.
//!
//! How much slower the honest peer gets is printed, not asserted, since machines differ:
//! `ABENG_NOTICES=500 cargo test --release --test e2e_floods -- --nocapture` measures it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use abeng_keys::{Keyring, SoftSigner};
use abeng_link::raw::Dial;
use abeng_node::Layout;
use abeng_roster::Trust;
use abeng_wire::PartyCode;
use common::{
    Network, Node,
    attackers::{Attack, Done},
    notices::seizure,
    until,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// What `docs/operations.md` says a node takes at most: itself, its peers, strangers.
const BOUND_MIB: u64 = 96 + 2 * 48 + 16;
/// Notices of each half, one after the other.
const NOTICES: u32 = 60;
const STRANGERS: usize = 32;

/// How long each of so many notices needs until its receipt is here.
async fn round_trips(from: &Node, to: &str, count: u32, what: &str) -> Vec<Duration> {
    let mut times = Vec::new();
    for nth in 0..count {
        let began = Instant::now();
        let request = seizure(&[to], &format!("{what} {nth}"));
        from.client.submit(&request).await.unwrap();
        let deadline = began + common::PATIENCE;
        while !from.settled().await {
            assert!(Instant::now() < deadline, "{what} {nth} is not settled");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        times.push(began.elapsed());
    }
    times.sort();
    times
}

fn at(times: &[Duration], percent: usize) -> f64 {
    times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3
}

fn member(network: &Network, to: &Node) -> Dial {
    let layout = Layout::new(network.dir.join("tt"));
    let keys = Keyring::load(&layout.keys(), || Err("it has no passphrase")).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = now.as_millis() as u64;
    let trust = Trust::from_bundle(&layout.read_trust().unwrap(), None, now).unwrap();
    Dial {
        me: PartyCode::new("TT").unwrap(),
        key: Arc::clone(keys.node_tls()),
        peer: PartyCode::new("LC").unwrap(),
        to: to.link(),
        trust: Arc::new(trust),
        now,
    }
}

fn all(done: &Done) -> bool {
    let kinds = [
        &done.handshakes_left,
        &done.strangers_refused,
        &done.links_made,
        &done.streams_opened,
        &done.giant_lengths,
        &done.frames_broken_off,
        &done.questions,
        &done.rubbish_frames,
    ];
    kinds.iter().all(|n| n.load(Relaxed) > 0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_do_not_keep_an_honest_pair_from_its_work() {
    let notices = std::env::var("ABENG_NOTICES").map_or(NOTICES, |n| n.parse().unwrap());
    let network = Network::found(&["LC:coordination", "JM", "TT"]);
    let [mut lc, mut jm] = [network.node("LC"), network.node("JM")];
    lc.start().await;
    jm.start().await;
    jm.linked(1).await;
    round_trips(&jm, "LC", 10, "warming up").await;
    let quiet = round_trips(&jm, "LC", notices, "quiet").await;
    let before = lc.memory_mib();

    let member = member(&network, &lc);
    let stranger = Dial {
        key: Arc::new(SoftSigner::from_seed(&[1; 32]).unwrap()),
        ..member.clone()
    };
    let attack = Attack::begin(&stranger, &member, STRANGERS);
    until("strangers and the member have begun", async || {
        let (strangers, member) = (&attack.done.strangers_refused, &attack.done.links_made);
        let begun = |n: &AtomicU64| n.load(Relaxed) > 0;
        (begun(strangers) && begun(member)).then_some(())
    })
    .await;
    let attacked = round_trips(&jm, "LC", notices, "attacked").await;
    until("each kind of attack was made", async || {
        all(&attack.done).then_some(())
    })
    .await;
    let done = attack.end().await;

    let peak = lc.memory_mib();
    println!(
        "honest: quiet p50 {:.1} ms, p99 {:.1} ms; attacked p50 {:.1} ms, p99 {:.1} ms: {:.1} times",
        at(&quiet, 50),
        at(&quiet, 99),
        at(&attacked, 50),
        at(&attacked, 99),
        at(&attacked, 99) / at(&quiet, 99),
    );
    println!("memory: {before} MiB before, {peak} MiB at the peak, {BOUND_MIB} MiB stated");
    println!("{done:?}");
    assert!(peak <= BOUND_MIB, "{peak} MiB");
    assert_eq!(lc.inbox().await.len() as u32, 10 + 2 * notices);
    assert!(lc.runs() && !lc.log().contains("panicked"), "{}", lc.log());
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
