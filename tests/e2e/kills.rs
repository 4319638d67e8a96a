//! kill -9 at any moment: nothing accepted is lost, nothing is delivered twice (I1, I2, I3), and
//! the coordination node sees who went silent.
//!
//! `ABENG_SEED` repeats the moments and victims of a run; what the machine does between them it
//! cannot repeat. `ABENG_KILLS` says how many kills: ten, or 500 in `.ci/run`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use abeng_api::{ClientError, DeliveryState};
use common::{Network, Node, notices::seizure, until, until_within};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Without `ABENG_KILLS`.
const KILLS: u32 = 10;

/// What waits for a node that was killed often may wait for a resend, which is put off longer each
/// time.
const LONG: Duration = Duration::from_secs(300);

/// What one officer sent while nodes were killed.
#[derive(Default)]
struct Written {
    /// Remarks by id of what the node said it had accepted.
    accepted: BTreeMap<String, String>,
    /// Remarks of submissions that broke off: accepted or not, nobody knows.
    unanswered: BTreeSet<String>,
}

/// Submits one notice after the other until told to stop, through every end of the node.
async fn write(from: Node, to: &'static str, stop: Arc<AtomicBool>) -> Written {
    let mut written = Written::default();
    for nth in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let remarks = format!("{} no. {nth}", from.home.display());
        match from.client.submit(&seizure(&[to], &remarks)).await {
            Ok(reply) => _ = written.accepted.insert(reply.id.unwrap(), remarks),
            Err(ClientError::Api(e)) => panic!("refused: {e:?}"),
            // Before anything was said to the node.
            Err(ClientError::SocketAbsent { .. } | ClientError::Refused { .. }) => {}
            Err(_) => _ = written.unanswered.insert(remarks),
        }
        // The pace of an office, not a wait for anything.
        tokio::time::sleep(Duration::from_millis(8)).await;
    }
    written
}

/// xorshift64*: the moments must be the same for a seed.
struct Moments(u64);

impl Moments {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % end
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_lose_nothing_and_deliver_nothing_twice() {
    let kills = std::env::var("ABENG_KILLS").map_or(KILLS, |n| n.parse().unwrap());
    let seed = std::env::var("ABENG_SEED").ok().map(|s| s.parse().unwrap());
    let seed = seed.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        now.as_nanos() as u64 | 1
    });
    println!("ABENG_SEED={seed}");
    let mut moments = Moments(seed);

    let network = Network::found(&["LC:coordination", "JM"]);
    let mut nodes = [network.node("JM"), network.node("LC")];
    for node in &mut nodes {
        node.spawn();
    }
    for node in &mut nodes {
        node.linked(1).await;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writers = [("JM", "LC"), ("LC", "JM")]
        .map(|(from, to)| tokio::spawn(write(network.node(from), to, stop.clone())));
    let (mut starting, began) = (0, Instant::now());
    for nth in 0..kills {
        // These are the random moments: now and then within the start, mostly in full work.
        tokio::time::sleep(Duration::from_millis(30 + moments.below(700))).await;
        let victim = moments.below(2) as usize;
        assert!(
            nodes[victim].runs(),
            "ended by itself before kill {nth}: {}",
            nodes[victim].log()
        );
        starting += u32::from(nodes[victim].client.status().await.is_err());
        nodes[victim].kill();
        tokio::time::sleep(Duration::from_millis(moments.below(100))).await;
        nodes[victim].spawn();
    }
    for node in &mut nodes {
        node.answering().await;
    }
    stop.store(true, Ordering::Relaxed);
    let [jm_wrote, lc_wrote] = writers;
    let (jm_wrote, lc_wrote) = (jm_wrote.await.unwrap(), lc_wrote.await.unwrap());
    for node in &nodes {
        let what = format!("everything of {} is settled", node.home.display());
        until_within(LONG, &what, async || node.settled().await.then_some(())).await;
    }
    println!(
        "{kills} kills in {} s, {starting} of them before the node answered",
        began.elapsed().as_secs()
    );

    let [jm, lc] = &nodes;
    check(jm, &jm_wrote, lc).await;
    check(lc, &lc_wrote, jm).await;
    for node in &mut nodes {
        // Of a running node first, then at rest.
        node.run(&["audit", "verify"]).ok();
        node.stop().await;
        node.run(&["audit", "verify"]).ok();
    }
}

/// What was accepted at one node is at the other once, as it was written, and settled.
async fn check(from: &Node, written: &Written, to: &Node) {
    let told = (written.accepted.len(), written.unanswered.len());
    // Fewer would prove little.
    assert!(written.accepted.len() > 30);
    let inbox: Vec<String> = to.inbox().await.into_iter().map(|i| i.id).collect();
    let rows: BTreeSet<&String> = inbox.iter().collect();
    assert_eq!(rows.len(), inbox.len(), "delivered twice");
    let lost: Vec<_> = written
        .accepted
        .keys()
        .filter(|id| !rows.contains(id))
        .collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    // The second witness: its log has one Delivered leaf for each row, in the same order.
    let leaves = to.leaves(Some("DELIVERED")).await;
    let leaves: Vec<String> = leaves.into_iter().rev().filter_map(|l| l.notice).collect();
    assert_eq!(leaves, inbox);
    // One receipt for each, whatever was sent again; before anything is opened there, which has a
    // receipt of its own.
    let receipts = from.leaves(Some("RECEIPT_TAKEN")).await;
    let receipts: Vec<_> = receipts.iter().filter_map(|l| l.notice.as_ref()).collect();
    assert_eq!(receipts.len(), inbox.len(), "receipts");
    assert_eq!(receipts.into_iter().collect::<BTreeSet<_>>(), rows);
    // What was not answered and yet arrived was written by somebody, and only once.
    let mut unanswered = written.unanswered.clone();
    for (nth, id) in inbox.iter().enumerate() {
        match written.accepted.get(id) {
            Some(remarks) if nth % 7 == 0 => assert_eq!(to.remarks(id).await, *remarks),
            Some(_) => {}
            None => assert!(unanswered.remove(&to.remarks(id).await), "{id}: a phantom"),
        }
    }
    let sent = from.sent().await;
    assert_eq!(sent.iter().map(|s| &s.id).collect::<BTreeSet<_>>(), rows);
    assert_eq!(sent.len(), inbox.len(), "sent rows twice");
    for item in sent {
        assert_eq!(item.to[0].state, DeliveryState::Delivered, "{item:?}");
    }
    println!(
        "{} accepted and {} unanswered at {}: {} delivered, 0 lost, 0 twice",
        told.0,
        told.1,
        from.home.display(),
        inbox.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_node_is_silent_at_the_coordination_node_and_what_waits_for_it_is_counted() {
    let network = Network::found(&["LC:coordination", "JM", "TT"]);
    let mut nodes = [network.node("LC"), network.node("JM"), network.node("TT")];
    for node in &mut nodes {
        node.spawn();
    }
    for node in &mut nodes {
        node.linked(2).await;
    }
    let [lc, jm, tt] = &mut nodes;
    let row = async |party: &str| {
        let rows = lc.client.network().await.unwrap().parties;
        rows.into_iter().find(|r| r.party == party).unwrap()
    };
    let before = until("TT has told how it is", async || {
        Some(row("TT").await).filter(|r| r.last_status.is_some())
    })
    .await;
    assert!(before.linked && before.silent_since.is_none(), "{before:?}");
    tt.kill();
    jm.client
        .submit(&seizure(&["TT"], "for later"))
        .await
        .unwrap();
    let jm_row = until("JM's backlog is seen", async || {
        Some(row("JM").await).filter(|r| r.backlog == Some(1))
    })
    .await;
    assert!(
        jm_row.linked && jm_row.oldest_undelivered.is_some(),
        "{jm_row:?}"
    );
    let silent = until("TT is silent", async || {
        Some(row("TT").await).filter(|r| !r.linked)
    })
    .await;
    assert!(silent.silent_since > before.last_status, "{silent:?}");
    // What it said last stays, as of then.
    assert_eq!(silent.log_size.is_some(), before.log_size.is_some());
    let table = lc.run(&["network"]).ok();
    let line = table.lines().find(|l| l.starts_with("TT")).unwrap();
    assert!(line.contains("SILENT"), "{table}");

    tt.spawn();
    until("TT is back and nothing waits", async || {
        let (tt, jm) = (row("TT").await, row("JM").await);
        let back = tt.linked && tt.silent_since.is_none() && tt.last_status > silent.last_status;
        (back && jm.backlog == Some(0)).then_some(())
    })
    .await;
    assert_eq!(tt.inbox().await.len(), 1);
}
