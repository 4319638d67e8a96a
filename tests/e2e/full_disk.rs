//! A disk that fills up under a real node, and is freed again (I1, I2, I6, I8, I10): what is new is
//! refused with words, what was acknowledged stays, and work goes on when there is room.
//!
//! The disk is a small tmpfs. Mounting one takes a mount namespace, so each test starts itself
//! again within one of its own; what is mounted there ends with it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use abeng_api::{ClientError, DeliveryState, ErrorCode};
use common::{Network, Node, bytes::copy_dir, notices::seizure, until, until_within};
use std::{
    collections::BTreeMap,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// A peer's envelope is offered again within this time after there was no room for it.
const OFFERED_AGAIN: Duration = Duration::from_secs(240);
/// Holds the first segments of a journal, the reserve, and a little to work.
const DISK: u64 = 384 << 20;
const WITHIN: &str = "ABENG_TEST_NAMESPACE";

/// Whether this process may mount. If not, the test has run in another one that may, and is done.
fn may_mount(test: &str) -> bool {
    if std::env::var_os(WITHIN).is_some() {
        return true;
    }
    let this = std::env::current_exe().unwrap();
    // With a namespace of users where the tester is not root.
    let root = rustix::process::getuid().is_root();
    let options: &[&str] = match root {
        true => &["--mount"],
        false => &["--user", "--map-root-user", "--mount"],
    };
    let mut inner = Command::new("unshare");
    inner.args(options).arg(this);
    inner
        .args([test, "--exact", "--nocapture"])
        .env(WITHIN, "1");
    let status = inner
        .status()
        .expect("this test needs unshare (util-linux)");
    assert!(status.success(), "within the namespace: {status}");
    false
}

/// A file system of its own for one node.
struct Disk {
    at: PathBuf,
}

impl Disk {
    /// Mounts a tmpfs and moves a node's data directory to it.
    fn for_node(network: &Network, code: &str) -> (Self, Node) {
        let at = network.scratch().join(format!("disk-{code}"));
        std::fs::create_dir(&at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={DISK}"), "none"]);
        assert!(mount.arg(&at).status().unwrap().success(), "mount");
        let home = at.join(code.to_lowercase());
        copy_dir(&network.dir.join(code.to_lowercase()), &home);
        (Self { at }, Node::at(&home))
    }

    fn free(&self) -> u64 {
        let stat = rustix::fs::statvfs(&self.at).unwrap();
        stat.f_bavail * stat.f_frsize
    }

    /// Takes what is free, but for so many bytes.
    fn fill(&self, leave: u64) {
        let mut filler = File::create(self.filler()).unwrap();
        let page = [1; 4096];
        while self.free() > leave && filler.write_all(&page).is_ok() {}
    }

    fn clear(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.at.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}

fn with_reserve(node: &Node, reserve: &str) {
    let quota = format!("\n[quota]\nreserve = \"{reserve}\"\n");
    node.configure(|toml| toml + &quota);
}

/// Id and remarks of what the node said it had accepted.
type Accepted = BTreeMap<String, String>;

async fn accept(node: &Node, to: &str, remarks: String, accepted: &mut Accepted) {
    let reply = node.client.submit(&seizure(&[to], &remarks)).await.unwrap();
    accepted.insert(reply.id.unwrap(), remarks);
}

async fn settled(node: &Node, what: &str) {
    until_within(OFFERED_AGAIN, what, async || {
        node.settled().await.then_some(())
    })
    .await;
}

/// What was accepted at one is at the other once, and nothing else.
async fn check(accepted: &Accepted, from: &Node, to: &Node) {
    let mut left = accepted.clone();
    for item in to.inbox().await {
        let remarks = left.remove(&item.id).expect("a phantom, or twice");
        assert_eq!(to.remarks(&item.id).await, remarks);
    }
    assert!(left.is_empty(), "lost: {:?}", left.keys());
    for item in from.sent().await {
        assert_eq!(item.to[0].state, DeliveryState::Delivered, "{item:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn within_the_reserve_new_content_waits_and_custody_goes_on() {
    if !may_mount("within_the_reserve_new_content_waits_and_custody_goes_on") {
        return;
    }
    let network = Network::found(&["LC:coordination", "JM"]);
    let (disk, mut jm) = Disk::for_node(&network, "JM");
    with_reserve(&jm, "64 MiB");
    let mut lc = network.node("LC");
    jm.start().await;
    lc.start().await;
    jm.linked(1).await;
    let (mut of_jm, mut of_lc) = (Accepted::new(), Accepted::new());
    accept(&jm, "LC", "with room".into(), &mut of_jm).await;
    accept(&lc, "JM", "with room".into(), &mut of_lc).await;
    for node in [&jm, &lc] {
        settled(node, "all is settled while there is room").await;
    }

    // On its way while there is room, its receipt taken when there is none.
    lc.kill();
    accept(&jm, "LC", "for when LC is back".into(), &mut of_jm).await;
    disk.fill(32 << 20);
    let refused = until("JM sees that its disk is full", async || {
        let said = jm.client.submit(&seizure(&["LC"], "no room")).await;
        match said {
            Ok(reply) => {
                of_jm.insert(reply.id.unwrap(), "no room".into());
                None
            }
            Err(ClientError::Api(e)) => Some(e),
            Err(e) => panic!("{e:?}"),
        }
    })
    .await;
    assert_eq!(refused.code, ErrorCode::NoRoom, "{refused:?}");
    lc.start().await;
    jm.linked(1).await;
    settled(
        &jm,
        "what was accepted leaves, and is receipted, in the reserve",
    )
    .await;

    accept(&lc, "JM", "waits for room".into(), &mut of_lc).await;
    until("JM has put LC's envelope off", async || {
        lc.log().contains("QUOTA").then_some(())
    })
    .await;
    assert_eq!(jm.inbox().await.len(), 1, "taken into the reserve");
    assert!(jm.runs() && !lc.settled().await);

    disk.clear();
    until("JM takes new content again", async || {
        let said = jm.client.submit(&seizure(&["LC"], "room again")).await;
        let id = said.ok()?.id.unwrap();
        of_jm.insert(id, "room again".into());
        Some(())
    })
    .await;
    for node in [&jm, &lc] {
        settled(node, "all is settled once there is room").await;
    }
    check(&of_jm, &jm, &lc).await;
    check(&of_lc, &lc, &jm).await;
    jm.run(&["audit", "verify"]).ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_disk_without_a_byte_left_a_node_refuses_or_stops_and_keeps_its_word() {
    if !may_mount("on_a_disk_without_a_byte_left_a_node_refuses_or_stops_and_keeps_its_word") {
        return;
    }
    let network = Network::found(&["LC:coordination", "JM"]);
    let (disk, mut jm) = Disk::for_node(&network, "JM");
    with_reserve(&jm, "1 MiB");
    let mut lc = network.node("LC");
    jm.start().await;
    lc.start().await;
    jm.linked(1).await;
    let mut accepted = Accepted::new();
    accept(&jm, "LC", "with room".into(), &mut accepted).await;
    settled(&jm, "all is settled while there is room").await;

    // Of what is on its way when the disk fills up in the same moment, some may be answered.
    disk.fill(0);
    // The node looks at the disk once in a second.
    let (mut refused, mut nth, mut answers) = (0, 0, true);
    let patience = Instant::now() + Duration::from_secs(60);
    while answers && refused < 20 && Instant::now() < patience {
        nth += 1;
        let remarks = format!("no. {nth} {}", "x".repeat(100));
        match jm.client.submit(&seizure(&["LC"], &remarks)).await {
            Ok(reply) => _ = accepted.insert(reply.id.unwrap(), remarks),
            Err(ClientError::Api(e)) => {
                assert_eq!(e.code, ErrorCode::NoRoom, "{e:?}");
                refused += 1;
            }
            // It ends: how, is looked at below.
            Err(_) => answers = false,
        }
    }
    println!(
        "{} accepted, {refused} refused for want of room",
        accepted.len()
    );
    if answers {
        assert!(refused > 0, "a disk without a byte is filled for ever");
    } else {
        assert_eq!(jm.ended().await, Some(1));
        assert!(jm.log().contains("No space left"), "{}", jm.log());
    }
    // A start on the full disk may fail, and may not harm.
    jm.kill();
    jm.spawn();
    disk.clear();
    until("JM answers, or has ended", async || {
        let there = jm.client.status().await.is_ok() || !jm.runs();
        there.then_some(())
    })
    .await;
    if !jm.runs() {
        jm.kill();
        jm.start().await;
    }
    jm.linked(1).await;
    accept(&jm, "LC", "room again".into(), &mut accepted).await;
    settled(&jm, "all is settled once there is room").await;
    check(&accepted, &jm, &lc).await;
    jm.run(&["audit", "verify"]).ok();
}

/// Refused at the start of the suite rather than in the middle of a test.
#[test]
fn a_filled_disk_is_full() {
    if !may_mount("a_filled_disk_is_full") {
        return;
    }
    let network = Network::found(&["LC:coordination", "JM"]);
    let (disk, _) = Disk::for_node(&network, "JM");
    disk.fill(0);
    let write = |path: &Path| std::fs::write(path, [1; 8192]);
    let full = write(&disk.at.join("more")).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    disk.clear();
    write(&disk.at.join("more")).unwrap();
}
