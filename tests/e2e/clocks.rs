//! Nodes whose wall clock is wrong, or whose trust data has grown old: a start refuses neither, and
//! what must not be done then is refused, or waits, by name.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../crates/node/tests/common/ceremony.rs"]
mod ceremony;
mod common;

use abeng_api::{ClientError, ErrorCode, ReleaseWhy, RosterState, StatusView};
use ceremony::{after, bundle, file, group, with};
use common::{Network, Node, notices::seizure};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

const DAY: i64 = 86_400_000;

/// The library that gives a process another clock, built once from its source.
fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let name = format!("clockset-{}.so", std::process::id());
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let source = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/e2e/preload/clockset.c"
        );
        let mut compiler = Command::new("cc");
        compiler.args(["-O1", "-Wall", "-Wextra", "-shared", "-fPIC"]);
        let run = compiler.arg("-o").arg(&out).arg(source).output();
        let run = run.expect("this test needs a C compiler called `cc`, as the build does");
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success() && said.is_empty(), "cc: {said}");
        out
    })
}

/// Starts a node whose wall clock is so many days ahead.
async fn start(node: &mut Node, days: i64) -> StatusView {
    node.spawn_with(|command| {
        command.env("LD_PRELOAD", library());
        command.env("CLOCKSET_MS", (days * DAY).to_string());
    });
    node.answering().await
}

fn warns(status: &StatusView, of: &str) -> bool {
    status.warnings.iter().any(|w| w.contains(of))
}

/// Why a submission waits; none where it does not.
async fn waits(node: &Node, to: &str) -> Vec<ReleaseWhy> {
    let mut request = seizure(&[to], "a dry run");
    request.dry_run = true;
    let reply = node.client.submit(&request).await.unwrap();
    reply.held.map_or(Vec::new(), |held| held.why)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_days_the_roster_warns_then_asks_for_two_and_what_is_queued_stays() {
    let network = Network::found(&["LC:coordination", "JM"]);
    let mut jm = network.node("JM");
    let status = start(&mut jm, 0).await;
    assert_eq!(status.roster.age.state, RosterState::Fresh);
    let mut queued = seizure(&["LC"], "in flight");
    queued.expires_in_hours = Some(2160);
    let queued = jm.client.submit(&queued).await;
    assert!(queued.unwrap().held.is_none());
    jm.stop().await;

    let status = start(&mut jm, 15).await;
    assert_eq!(status.roster.age.state, RosterState::Ageing);
    assert!(warns(&status, "last confirmed 15 days ago"), "{status:#?}");
    assert!(waits(&jm, "LC").await.is_empty());
    jm.stop().await;

    let status = start(&mut jm, 31).await;
    assert_eq!(status.roster.age.state, RosterState::PastLimit);
    assert!(warns(&status, "WAS LAST CONFIRMED 31 DAYS AGO"));
    assert_eq!(waits(&jm, "LC").await, [ReleaseWhy::Age]);
    assert_eq!(status.queue.depth, 1, "what is under way stays");
    let held = jm.client.submit(&seizure(&["LC"], "held")).await.unwrap();
    assert!(held.id.is_none() && held.held.unwrap().id.is_some());
    assert!(jm.log().contains("WAS LAST CONFIRMED 31 DAYS AGO"));
    for (lang, says) in [
        ("es", "EL PADRÓN SE CONFIRMÓ"),
        ("fr", "LE REGISTRE DES MEMBRES A ÉTÉ CONFIRMÉ"),
        ("nl", "DE LEDENLIJST IS 31 DAGEN"),
    ] {
        let said = jm.run(&["--lang", lang, "status"]).ok();
        assert!(
            said.contains(says) && !said.contains("WAS LAST CONFIRMED"),
            "{said}"
        );
    }
    jm.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roster_past_its_time_stops_no_start_and_sends_nothing_alone() {
    let network = Network::found(&["LC:coordination", "JM"]);
    let (mut jm, mut lc) = (network.node("JM"), network.node("LC"));
    start(&mut jm, 0).await;
    let queued = jm.client.submit(&seizure(&["LC"], "in flight")).await;
    queued.unwrap();
    jm.stop().await;
    // More than a year ahead, as after a flat battery: past the roster, and long after the last leaf.
    let status = start(&mut jm, 500).await;
    assert_eq!(status.roster.age.state, RosterState::Expired);
    assert!(warns(&status, "THE ROSTER HERE HAS EXPIRED"));
    assert!(warns(&status, "the clock is in doubt"));
    assert_eq!(status.queue.depth, 1, "nothing has expired by it");
    jm.stop().await;
    // Past the keys as well: nobody would believe what is signed.
    let status = start(&mut jm, 3_650).await;
    assert!(warns(
        &status,
        "THE org-sign KEY OF THIS NODE is past its time"
    ));
    assert_eq!(status.queue.depth, 1, "nothing has expired by it");
    // Nor is anybody's seal key good by this clock.
    match jm.client.submit(&seizure(&["LC"], "refused")).await {
        Err(ClientError::Api(e)) => assert_eq!(e.code, ErrorCode::Refused, "{e:?}"),
        other => panic!("{other:?}"),
    }
    jm.run(&["audit", "show"]).ok();
    jm.run(&["inbox", "list"]).ok();
    // Put right, what waited goes.
    jm.stop().await;
    lc.start().await;
    start(&mut jm, 0).await;
    jm.until("to deliver", |s| s.queue.depth == 0).await;
    assert!(waits(&jm, "LC").await.is_empty());
    jm.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_before_the_keys_begin_stops_no_start() {
    let network = Network::found(&["LC:coordination", "JM"]);
    let mut jm = network.node("JM");
    let status = start(&mut jm, -3_650).await;
    assert_eq!(status.roster.age.state, RosterState::Fresh);
    assert!(warns(&status, "the clock is in doubt"), "{status:#?}");
    assert!(!status.roster.age.suspended);
    jm.stop().await;
}

/// Who waits in the roster that JM has.
async fn newcomers(node: &Node) -> usize {
    let pending = node.client.roster_pending().await.unwrap();
    pending.newcomers.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_days_ahead_at_a_restart_ends_no_wait_until_a_peer_confirms_it() {
    let network = Network::found(&["LC:coordination", "JM"]);
    let (mut jm, mut lc) = (network.node("JM"), network.node("LC"));
    start(&mut jm, 0).await;
    let first = bundle(&jm.home);
    let second = after(&network.dir, &first, |m| {
        m.groups.push(group("SEA", &["LC"]));
    });
    let second = file(&with(&first, second));
    jm.client.roster_import(second).await.unwrap();
    assert_eq!(newcomers(&jm).await, 1);
    jm.stop().await;
    // Eight days ahead, or off for eight days: nothing here can tell.
    start(&mut jm, 8).await;
    assert_eq!(newcomers(&jm).await, 1);
    // A peer can: they have passed.
    start(&mut lc, 8).await;
    jm.linked(1).await;
    common::until("the peer has confirmed the clock", async || {
        (newcomers(&jm).await == 0).then_some(())
    })
    .await;
    jm.stop().await;
    lc.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_days_behind_at_a_start_begins_no_wait_in_the_past() {
    let network = Network::found(&["LC:coordination", "JM"]);
    let (mut jm, mut lc) = (network.node("JM"), network.node("LC"));
    start(&mut jm, 0).await;
    jm.stop().await;
    let first = bundle(&jm.home);
    let second = after(&network.dir, &first, |m| {
        m.groups.push(group("SEA", &["LC"]));
    });
    abeng_node::Layout::new(&jm.home)
        .write_trust(&with(&first, second))
        .unwrap();
    start(&mut jm, -9).await;
    assert_eq!(newcomers(&jm).await, 1);
    jm.stop().await;
    start(&mut lc, 0).await;
    start(&mut jm, 0).await;
    jm.linked(1).await;
    // Clocks are compared every second.
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    assert_eq!(newcomers(&jm).await, 1);
    jm.stop().await;
    lc.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_was_days_ahead_and_is_right_again_holds_nothing_up() {
    let network = Network::found(&["LC:coordination", "JM"]);
    let (mut jm, mut lc) = (network.node("JM"), network.node("LC"));
    start(&mut lc, 0).await;
    let _ = start(&mut jm, 40).await;
    jm.stop().await;
    // Its last leaf lies days ahead. One peer is enough, beside the clock of the machine.
    let status = start(&mut jm, 0).await;
    assert!(warns(&status, "the clock is in doubt"), "{status:#?}");
    jm.until("to believe the clock", |s| {
        !warns(s, "the clock is in doubt")
    })
    .await;
    let sent = jm.client.submit(&seizure(&["LC"], "at last")).await;
    assert!(sent.unwrap().held.is_none());
    jm.until("to deliver", |s| s.queue.depth == 0).await;
    assert_eq!(lc.inbox().await.len(), 1);
    jm.stop().await;
    lc.stop().await;
    jm.run(&["audit", "verify"]).ok();
}
