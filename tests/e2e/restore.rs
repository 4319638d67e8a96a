//! Losing a machine, with real processes: killed while it works, its disk gone, restored from a backup
//! that was taken while it ran, or from its keys alone; and an older copy that somebody starts.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Network, Node, command, notices::seizure, until};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

fn run(command: &mut Command) -> common::Run {
    common::Run::of(command)
}

/// How often each notice is in an inbox, by its remarks.
async fn inbox(node: &Node) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for item in node.inbox().await {
        *count.entry(item.id).or_default() += 1;
    }
    count
}

/// Sends one, and waits until it is delivered.
async fn send(from: &Node, to: &str, remarks: &str) -> String {
    let reply = from.client.submit(&seizure(&[to], remarks)).await.unwrap();
    let id = reply.id.unwrap();
    until("it is delivered", async || {
        let sent = from.sent().await;
        let item = sent.into_iter().find(|item| item.id == id)?;
        item.to
            .iter()
            .all(|to| to.state == abeng_api::DeliveryState::Delivered)
            .then_some(())
    })
    .await;
    id
}

fn restore(args: &[&str], to: &Path) -> serde_json::Value {
    let mut command = command();
    command
        .args(["--json", "restore", "--yes", "--data"])
        .arg(to)
        .args(args);
    serde_json::from_str(&run(&mut command).ok()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_and_lost_node_comes_back_from_a_backup_that_was_taken_while_it_ran() {
    let net = Network::found(&["JM", "LC:coordination"]);
    let (mut jm, mut lc) = (net.node("JM"), net.node("LC"));
    jm.start().await;
    lc.start().await;
    jm.linked(1).await;
    let mut to_jm = BTreeSet::from([send(&lc, "JM", "before").await]);
    let mut to_lc = BTreeSet::from([send(&jm, "LC", "before").await]);

    let out = net.scratch().join("backup");
    let out = out.to_str().unwrap();
    let refused = jm.run(&["backup", "--out", out]);
    refused.fails(3, &["without a passphrase", "--include-plain-keys"]);
    // While officers work.
    let work = tokio::spawn({
        let client = jm.client.clone();
        async move {
            let mut ids = BTreeSet::new();
            for nth in 0..60 {
                let request = seizure(&["LC"], &format!("during {nth}"));
                ids.insert(client.submit(&request).await.unwrap().id.unwrap());
            }
            ids
        }
    });
    let args = ["--json", "backup", "--include-plain-keys", "--out", out];
    let first: serde_json::Value = serde_json::from_str(&jm.run(&args).ok()).unwrap();
    let during = work.await.unwrap();
    let second: serde_json::Value = serde_json::from_str(&jm.run(&args).ok()).unwrap();
    let leaves = |of: &serde_json::Value| of["backup"]["leaves"].as_u64().unwrap();
    assert!(leaves(&second) > leaves(&first), "{first} {second}");
    to_lc.extend(during);
    // What no backup has; then the machine is gone.
    to_lc.insert(send(&jm, "LC", "after").await);
    to_jm.insert(send(&lc, "JM", "after").await);
    jm.kill();
    fs::remove_dir_all(&jm.home).unwrap();
    let waiting = lc
        .client
        .submit(&seizure(&["JM"], "meanwhile"))
        .await
        .unwrap();
    to_jm.insert(waiting.id.unwrap());

    let report = restore(
        &["--from", out, "--reason", "struck by lightning"],
        &jm.home,
    );
    assert_eq!(report["leaves"], leaves(&second));
    let status = jm.start().await;
    assert_eq!(status.incarnation, report["incarnation"].as_str().unwrap());
    until("JM has everything again", async || {
        let found = inbox(&jm).await;
        (found.keys().cloned().collect::<BTreeSet<_>>() == to_jm).then_some(())
    })
    .await;
    jm.until("all is settled", |s| s.queue.depth == 0).await;
    lc.until("all is settled", |s| s.queue.depth == 0).await;
    to_lc.insert(send(&jm, "LC", "in the new life").await);
    // Nothing lost, nothing twice.
    let found = inbox(&lc).await;
    assert_eq!(found.keys().cloned().collect::<BTreeSet<_>>(), to_lc);
    assert!(
        found
            .values()
            .chain(inbox(&jm).await.values())
            .all(|&n| n == 1)
    );
    jm.stop().await;
    lc.stop().await;
    for node in [&jm, &lc] {
        node.run(&["audit", "verify"]).ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_that_is_started_says_so_and_has_a_way_forward() {
    let net = Network::found(&["JM", "LC:coordination"]);
    let (mut jm, mut lc) = (net.node("JM"), net.node("LC"));
    jm.start().await;
    lc.start().await;
    jm.linked(1).await;
    send(&jm, "LC", "before").await;
    jm.stop().await;
    let copy = net.scratch().join("copy");
    run(Command::new("cp").arg("-r").arg(&jm.home).arg(&copy)).ok();
    jm.start().await;
    send(&lc, "JM", "after the copy").await;
    jm.kill();
    fs::remove_dir_all(&jm.home).unwrap();

    let mut old = Node::at(&copy);
    old.start().await;
    let status = old
        .until("to submit nothing", |s| s.submitting_stopped.is_some())
        .await;
    assert!(status.warnings[0].contains("new-incarnation"), "{status:?}");
    let refused = old.run(&[
        "submit",
        "seizure",
        "--to",
        "LC",
        "--when",
        "2024-03-02",
        "--place",
        "JMKIN",
        "--drug",
        "cocaine",
        "--quantity",
        "1",
        "--unit",
        "kg",
        "--mode",
        "sea",
        "--route-from",
        "unknown",
        "--route-to",
        "NLRTM",
    ]);
    refused.fails(3, &["submits nothing", "abeng node new-incarnation"]);
    // Not while it runs, and not without being meant.
    let way = [
        "node",
        "new-incarnation",
        "--reason",
        "the copy is all there is",
    ];
    old.run(&[&way[..], &["--yes"]].concat())
        .fails(3, &["another node runs"]);
    old.stop().await;
    old.run(&way).fails(2, &["--yes"]);
    let said = old.run(&[&way[..], &["--yes"]].concat()).ok();
    assert!(said.contains("new life"), "{said}");
    old.start().await;
    old.linked(1).await;
    // What the copy never had came again, and it works.
    until("the notice is here", async || {
        (inbox(&old).await.len() == 1).then_some(())
    })
    .await;
    send(&old, "LC", "in the new life").await;
    old.stop().await;
    old.run(&["audit", "verify"]).ok();
    lc.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_comes_back_from_keys_under_a_passphrase_alone() {
    let secret = tempfile::tempdir().unwrap();
    let passphrase = secret.path().join("passphrase");
    fs::write(&passphrase, "correct horse\n").unwrap();
    run(Command::new("chmod").arg("600").arg(&passphrase)).ok();
    let net = Network::found_with(
        &["JM", "LC:coordination"],
        &["--passphrase-file".as_ref(), passphrase.as_os_str()],
    );
    let (mut jm, mut lc) = (net.node("JM"), net.node("LC"));
    jm.start().await;
    lc.start().await;
    jm.linked(1).await;
    let ids: BTreeSet<String> = [send(&lc, "JM", "one").await, send(&lc, "JM", "two").await].into();
    send(&jm, "LC", "from the old life").await;
    jm.kill();
    let safe = net.scratch().join("safe");
    fs::create_dir(&safe).unwrap();
    let (keys, config) = (safe.join("keys"), safe.join("node.toml"));
    fs::rename(jm.home.join("keys"), &keys).unwrap();
    fs::rename(jm.home.join("node.toml"), &config).unwrap();
    fs::remove_dir_all(&jm.home).unwrap();
    // As the example has it: a file in the data directory, which no backup holds.
    let before = fs::read_to_string(&config).unwrap();
    let line = before.lines().find(|l| l.starts_with("passphrase_file"));
    let own = before.replace(line.unwrap(), "passphrase_file = \"passphrase\"");
    fs::write(&config, own).unwrap();
    fs::create_dir(&jm.home).unwrap();
    run(Command::new("cp").arg("-p").arg(&passphrase).arg(&jm.home)).ok();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let report = restore(
        &[
            "--keys",
            &text(&keys),
            "--trust",
            &text(&lc.home.join("trust/bundle.pb")),
            "--config",
            &text(&config),
        ],
        &jm.home,
    );
    assert_eq!(
        (&report["leaves"], &report["previous"]),
        (&1.into(), &serde_json::Value::Null)
    );
    jm.start().await;
    until("the inbox is back", async || {
        let found = inbox(&jm).await;
        (found.keys().cloned().collect::<BTreeSet<_>>() == ids).then_some(())
    })
    .await;
    send(&jm, "LC", "in the new life").await;
    assert_eq!(inbox(&lc).await.len(), 2);
    jm.stop().await;
    lc.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_a_newer_life_has_closed_begins_another_only_on_a_word_of_its_own() {
    let net = Network::found(&["JM", "LC:coordination"]);
    let (mut jm, mut lc) = (net.node("JM"), net.node("LC"));
    jm.start().await;
    lc.start().await;
    jm.linked(1).await;
    send(&jm, "LC", "before").await;
    jm.stop().await;
    let copy = net.scratch().join("copy");
    run(Command::new("cp").arg("-r").arg(&jm.home).arg(&copy)).ok();
    let way = ["node", "new-incarnation", "--yes", "--reason"];
    jm.run(&[&way[..], &["moved"]].concat()).ok();
    let newer = jm.start().await.incarnation;
    jm.linked(1).await;
    send(&jm, "LC", "in the newer life").await;
    jm.stop().await;

    let mut old = Node::at(&copy);
    old.start().await;
    let known = |s: &abeng_api::StatusView| s.newer_life.is_some();
    let status = old.until("to know of the newer life", known).await;
    assert_eq!(status.newer_life.unwrap().incarnation, newer);
    let head = old.run(&["--lang", "nl", "status"]).ok();
    assert!(head.starts_with("! DIT KNOOPPUNT VERZENDT NIETS"), "{head}");
    assert!(head.contains(&newer) && head.contains("LC"), "{head}");
    old.stop().await;
    let again = [&way[..], &["this one after all"]].concat();
    let words = ["old copy of the data of JM", &newer, "--although-newer"];
    old.run(&again).fails(3, &words);
    old.run(&[&again[..], &["--although-newer"]].concat()).ok();
    let status = old.start().await;
    assert!(status.newer_life.is_none() && status.incarnation > newer);
    old.linked(1).await;
    send(&old, "LC", "it is the newest now").await;
    old.stop().await;
    lc.stop().await;
}
