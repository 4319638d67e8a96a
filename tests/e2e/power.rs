//! The power is cut under real nodes: what was not synced is gone (I6, I10). A kill does not test
//! that, since the page cache survives it; a library that puts back what was not synced does.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use abeng_api::{ClientError, DeliveryState, ErrorCode, RecallRequest};
use common::{Network, Node, notices::seizure, until};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The exit code of a process whose power was cut, as in `preload/powercut.c`.
const CUT: Option<i32> = Some(86);

/// The library, built once from its source.
fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let name = format!("powercut-{}.so", std::process::id());
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let source = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/e2e/preload/powercut.c"
        );
        let mut compiler = Command::new("cc");
        compiler.args(["-O1", "-Wall", "-Wextra", "-shared", "-fPIC", "-pthread"]);
        let run = compiler.arg("-o").arg(&out).arg(source).output();
        let run = run.expect("this test needs a C compiler called `cc`, as the build does");
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success() && said.is_empty(), "cc: {said}");
        out
    })
}

/// What happens to a node's disk.
#[derive(Debug, Clone, Copy)]
enum Disk {
    /// The power is cut in place of this sync of the journal; the seed says what is kept.
    Cut { at: u32, keep: Option<u64> },
    /// This sync of the journal fails; the power is cut when the process ends.
    Fail { at: u32 },
    /// The same cut, and no sync ever did anything.
    Lie { at: u32 },
    /// The power is cut in place of the first sync of a file whose name ends like this.
    CutAt(&'static str),
    /// The power is cut when a file whose name ends like this has another one.
    CutRenamed {
        file: &'static str,
        keep: Option<u64>,
    },
}

fn spawn_on(node: &mut Node, disk: Disk) {
    // Of the same file system, and no node's.
    let side = node.home.with_extension("side");
    std::fs::create_dir_all(&side).unwrap();
    let home = node.home.clone();
    node.spawn_with(|command| {
        command.env("LD_PRELOAD", library());
        command.env("POWERCUT_DIR", &home);
        command.env("POWERCUT_SIDE", &side);
        // After a power cut the view is built anew, whatever is left of it.
        command.env("POWERCUT_SKIP", "view/");
        match disk {
            Disk::Cut { at, keep } => {
                command.env("POWERCUT_AT", at.to_string());
                if let Some(seed) = keep {
                    command.env("POWERCUT_KEEP", seed.to_string());
                }
            }
            Disk::Fail { at } => _ = command.env("POWERCUT_FAIL", at.to_string()),
            Disk::Lie { at } => {
                command.env("POWERCUT_AT", at.to_string());
                command.env("POWERCUT_LIE", "1");
            }
            Disk::CutAt(file) => {
                command.env("POWERCUT_AT", "1").env("POWERCUT_FILE", file);
            }
            Disk::CutRenamed { file, keep } => {
                command.env("POWERCUT_RENAME", file);
                if let Some(seed) = keep {
                    command.env("POWERCUT_KEEP", seed.to_string());
                }
            }
        }
    });
}

/// A machine that was off has another boot id.
fn boot_anew(node: &Node) {
    let boot = node.home.join("view/boot");
    if boot.exists() {
        std::fs::write(boot, "another boot").unwrap();
    }
}

/// What was accepted: remarks by id.
type Accepted = BTreeMap<String, String>;

/// Submits at `from` until `victim` ends.
async fn write_until_it_ends(
    from: &Node,
    to: &str,
    accepted: &mut Accepted,
    mut ended: impl FnMut() -> bool,
) {
    for nth in 0.. {
        if ended() {
            return;
        }
        let remarks = format!("round {}, no. {nth}", accepted.len());
        match from.client.submit(&seizure(&[to], &remarks)).await {
            Ok(reply) => _ = accepted.insert(reply.id.unwrap(), remarks),
            Err(ClientError::Api(e))
                if !matches!(e.code, ErrorCode::Internal | ErrorCode::Busy) =>
            {
                panic!("refused: {e:?}")
            }
            // Not accepted, or nobody knows.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
        }
    }
}

/// What of the accepted has not come to be there as it was written, once.
async fn lost(accepted: &Accepted, to: &Node) -> Vec<String> {
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    for item in to.inbox().await {
        *times.entry(item.id).or_default() += 1;
    }
    assert!(times.values().all(|&n| n == 1), "delivered twice");
    let ids = accepted.keys();
    ids.filter(|id| !times.contains_key(*id)).cloned().collect()
}

/// Everything accepted so far is delivered, proved, as it was written, and both logs hold.
async fn whole(accepted: &Accepted, from: &mut Node, to: &mut Node) {
    until("all is settled", async || {
        from.settled().await.then_some(())
    })
    .await;
    assert_eq!(lost(accepted, to).await, [""; 0]);
    for (id, remarks) in accepted.iter().step_by(9) {
        assert_eq!(to.remarks(id).await, *remarks);
    }
    let sent = from.sent().await;
    for item in sent.iter().filter(|item| accepted.contains_key(&item.id)) {
        assert_eq!(item.to[0].state, DeliveryState::Delivered, "{item:?}");
    }
    for node in [from, to] {
        node.run(&["audit", "verify"]).ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let network = Network::found(&["LC:coordination", "JM"]);
    let (mut jm, mut lc) = (network.node("JM"), network.node("LC"));
    let mut accepted = Accepted::new();
    lc.start().await;
    // Within the start, at the first notice, in full work; with nothing kept, and with some.
    let cuts = [
        (1, None),
        (2, Some(1)),
        (5, None),
        (9, Some(2)),
        (30, Some(3)),
        (41, None),
    ];
    for (at, keep) in cuts {
        spawn_on(&mut jm, Disk::Cut { at, keep });
        let home = jm.home.clone();
        write_until_it_ends(&network.node("JM"), "LC", &mut accepted, || !jm.runs()).await;
        assert_eq!(jm.ended().await, CUT, "cut {at}: {}", home.display());
        boot_anew(&jm);
        jm.start().await;
        whole(&accepted, &mut jm, &mut lc).await;
        jm.stop().await;
    }
    assert!(accepted.len() > 20, "{}", accepted.len());
    // The same at the recipient, which promises with receipts.
    jm.start().await;
    for (at, keep) in [(3, Some(4)), (12, None), (25, Some(5))] {
        lc.stop().await;
        spawn_on(&mut lc, Disk::Cut { at, keep });
        write_until_it_ends(&network.node("JM"), "LC", &mut accepted, || !lc.runs()).await;
        assert_eq!(lc.ended().await, CUT);
        boot_anew(&lc);
        lc.start().await;
        whole(&accepted, &mut jm, &mut lc).await;
    }
    let log = jm.log() + &lc.log();
    assert!(log.contains("was cut off"), "no batch was ever torn");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_sync_ends_the_node_with_its_reason_and_loses_nothing_acknowledged() {
    let network = Network::found(&["LC:coordination", "JM"]);
    let (mut jm, mut lc) = (network.node("JM"), network.node("LC"));
    let mut accepted = Accepted::new();
    lc.start().await;
    for at in [2, 20] {
        spawn_on(&mut jm, Disk::Fail { at });
        write_until_it_ends(&network.node("JM"), "LC", &mut accepted, || !jm.runs()).await;
        assert_eq!(jm.ended().await, Some(1), "a fault of the machine");
        let log = jm.log();
        let said = log.lines().filter(|l| !l.contains("powercut:"));
        let why = said.rev().take(4).collect::<Vec<_>>().join("\n");
        for part in ["syncing `journal/", ".seg` failed", "Input/output error"] {
            assert!(why.contains(part), "not said: {part}\n{why}");
        }
        boot_anew(&jm);
        jm.start().await;
        whole(&accepted, &mut jm, &mut lc).await;
        jm.stop().await;
    }
    assert!(accepted.len() > 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_while_content_is_deleted_leaves_a_whole_log_and_it_is_deleted_after() {
    let network = Network::found(&["LC:coordination", "JM"]);
    let (mut jm, mut lc) = (network.node("JM"), network.node("LC"));
    jm.start().await;
    let copy = "scrub.tmp";
    let cuts = [
        Disk::CutAt(copy),
        Disk::CutRenamed {
            file: copy,
            keep: None,
        },
        Disk::CutRenamed {
            file: copy,
            keep: Some(1),
        },
        // Of the segment that lost its name.
        Disk::CutAt(".seg (deleted)"),
    ];
    for (deleted, cut) in (1..).zip(cuts) {
        spawn_on(&mut lc, cut);
        lc.linked(1).await;
        let sent = jm
            .client
            .submit(&seizure(&["LC"], "a mistake"))
            .await
            .unwrap();
        let id = sent.id.unwrap();
        until("it is delivered", async || jm.settled().await.then_some(())).await;
        let recall = RecallRequest {
            reason: "wrong-facts".into(),
            ..Default::default()
        };
        jm.client.recall(&id, &recall).await.unwrap();
        assert_eq!(lc.ended().await, CUT, "{cut:?}");
        lc.run(&["audit", "verify"]).ok();
        boot_anew(&lc);
        lc.start().await;
        until("its deletion is proved", async || {
            let sent = jm.sent().await;
            let item = sent.iter().find(|item| item.id == id)?;
            (item.to[0].state == DeliveryState::Recalled).then_some(())
        })
        .await;
        let report = lc.run(&["audit", "verify", "--json"]).ok();
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["scrubbed"], deleted, "{cut:?}: {report}");
        lc.stop().await;
    }
    // The recalls themselves are there.
    lc.start().await;
    assert!(lc.inbox().await.len() >= cuts.len());
}

/// The test of these tests: on a disk that only says that it syncs, they find the loss.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_lies_is_found_out() {
    let network = Network::found(&["LC:coordination", "JM"]);
    let mut jm = network.node("JM");
    let mut lc = network.node("LC");
    jm.start().await;
    jm.stop().await;
    let mut accepted = Accepted::new();
    spawn_on(&mut jm, Disk::Lie { at: 12 });
    write_until_it_ends(&network.node("JM"), "LC", &mut accepted, || !jm.runs()).await;
    assert_eq!(jm.ended().await, CUT);
    assert!(accepted.len() > 3);
    boot_anew(&jm);
    lc.start().await;
    jm.start().await;
    until("all is settled", async || jm.settled().await.then_some(())).await;
    assert_eq!(lost(&accepted, &lc).await.len(), accepted.len());
}
