//! Dual control through the real command and daemon, as people meet it: what they read, how commands
//! end, and a node that is killed while something waits.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Network, Node, Run, command, until};
use std::{
    fs::{self, Permissions},
    os::unix::{fs::PermissionsExt, process::CommandExt},
};

const REFUSED: i32 = 3;
const USAGE: i32 = 2;
const NOT_FOUND: i32 = 5;
const UNVERIFIED: i32 = 6;
/// A user who is on no machine of ours.
const SECOND: u32 = 54_321;

fn submit(node: &Node, more: &[&str]) -> Run {
    let short = common::notices::SHORT.iter();
    let mut args = vec!["submit", "seizure", "--tlp", "RED"];
    args.extend(short.flat_map(|(name, value)| [*name, *value]));
    args.extend(more);
    node.run(&args)
}

/// Has JM hold what is RED; the user that runs this may release it, and another.
fn ask_for_two(jm: &Node) {
    let me = rustix::process::geteuid().as_raw();
    let policy =
        format!("\n[policy.dual_control]\nfrom_tlp = \"RED\"\nreleasers = [{me}, {SECOND}]\n");
    jm.configure(|toml| {
        let plain = toml.split("\n[policy").next().unwrap();
        format!("{plain}{policy}\n[api]\ngroup = true\n")
    });
}

/// The same command by another user of the machine, where the tester may become one.
fn as_second(node: &Node, args: &[&str]) -> Option<Run> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let mut second = command();
    second.uid(SECOND).gid(0).arg("--data").arg(&node.home);
    second.args(args);
    Some(Run::of(&mut second))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_officer_alone_sends_nothing_red() {
    let network = Network::found(&["LC:coordination", "JM"]);
    let (mut jm, mut lc) = (network.node("JM"), network.node("LC"));
    jm.configure(|toml| toml + "\n[policy.dual_control]\nnominal = true\n");
    let refused = jm.refuses_to_start();
    refused.fails(USAGE, &["node.toml:", "needs releasers", "at least two"]);
    ask_for_two(&jm);
    lc.start().await;
    jm.start().await;

    let would = submit(&jm, &["--dry-run"]).ok();
    assert!(
        would.contains("would be held") && would.contains("Nothing was sent"),
        "{would}"
    );
    let held = submit(&jm, &[]).ok();
    for said in [
        "HELD: nothing is sent",
        "its label (TLP)",
        "uid:54321",
        "release list",
    ] {
        assert!(held.contains(said), "{said} in {held}");
    }
    let line = held.lines().find(|l| l.starts_with("Id while it waits: "));
    let id = line.unwrap().rsplit(' ').next().unwrap().to_owned();
    let json = submit(&jm, &["--json"]).ok();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(
        json["id"].is_null() && json["held"]["why"][0] == "tlp",
        "{json}"
    );
    let second = json["held"]["id"].as_str().unwrap().to_owned();

    let status = jm.run(&["status"]).ok();
    assert!(
        status.contains("2 submissions wait for release"),
        "{status}"
    );
    let list = jm.run(&["release", "list", "--lang", "fr"]).ok();
    assert!(
        list.contains("DEPUIS") && list.contains(&id[..12]),
        "{list}"
    );
    let shown = jm.run(&["release", "show", &id[..8]]).ok();
    assert!(
        shown.contains("Would go to") && shown.contains("139.4"),
        "{shown}"
    );
    let grant = ["release", "grant", &id, "--yes"];
    jm.run(&grant[..3])
        .fails(USAGE, &["only be recalled", "--yes"]);
    jm.run(&grant)
        .fails(REFUSED, &["cannot release it", "a user of their own"]);

    // Power goes; what waits goes on waiting, and nothing came to anybody.
    jm.kill();
    jm.start().await;
    jm.run(&grant).fails(REFUSED, &["cannot release it"]);
    let reason = ["release", "deny", &*second, "--reason", "by mistake"];
    let denied = jm.run(&reason).ok();
    assert!(denied.contains("is denied"), "{denied}");
    jm.run(&reason).fails(NOT_FOUND, &["released or denied"]);
    assert!(lc.inbox().await.is_empty() && jm.sent().await.is_empty());

    for dir in [network.scratch(), &network.dir, &jm.home] {
        fs::set_permissions(dir, Permissions::from_mode(0o711)).unwrap();
    }
    if let Some(list) = as_second(&jm, &["release", "list"]) {
        assert!(list.ok().contains(&id[..12]));
        let sent = as_second(&jm, &grant).unwrap().ok();
        assert!(sent.contains("accepted for LC"), "{sent}");
        until("it is there", async || {
            (lc.inbox().await.len() == 1).then_some(())
        })
        .await;
        let log = jm
            .run(&["audit", "show", "--kind", "SUBMITTED", "--json"])
            .ok();
        let me = rustix::process::geteuid().as_raw();
        let by = format!("unix uid:{me}, released by unix uid:{SECOND}, held {id}");
        assert!(log.contains(&by), "{log}");
    }
    jm.stop().await;
    jm.run(&["audit", "verify"]).ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_in_a_damaged_file_is_told_so_and_only_denied() {
    let network = Network::found(&["LC:coordination", "JM"]);
    let mut jm = network.node("JM");
    ask_for_two(&jm);
    jm.start().await;
    let json = submit(&jm, &["--json"]).ok();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let id = json["held"]["id"].as_str().unwrap().to_owned();
    jm.stop().await;
    let file = jm.home.join("held").join(format!("{id}.held"));
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    jm.start().await;

    // Nobody knows any more whose it is: whoever may release is told what it is.
    let status = jm.run(&["status"]).ok();
    assert!(status.contains("cannot be opened"), "{status}");
    let list = jm.run(&["release", "list"]).ok();
    assert!(list.contains(&id[..12]), "{list}");
    for act in [&["show", &*id][..], &["grant", &*id, "--yes"]] {
        let args = [&["release"], act].concat();
        jm.run(&args)
            .fails(UNVERIFIED, &["altered or is damaged", "deny it"]);
        let spanish = [&["--lang", "es"], &*args].concat();
        jm.run(&spanish)
            .fails(UNVERIFIED, &["fue alterado", "pruebe: ", "deniéguelo"]);
        let json = [&["--json"], &*args].concat();
        let json = jm.run(&json);
        assert_eq!(json.code, Some(UNVERIFIED), "{json:?}");
        assert!(json.out.contains("\"code\":\"damaged\""), "{json:?}");
    }
    assert!(jm.sent().await.is_empty() && file.exists());
    let deny = ["release", "deny", &*id, "--reason", "its file is damaged"];
    let denied = jm.run(&deny).ok();
    assert!(denied.contains("nothing of it is sent"), "{denied}");
    assert!(!file.exists());
    jm.run(&deny).fails(NOT_FOUND, &["released or denied"]);
    let log = jm.run(&["audit", "show", "--kind", "ADMIN"]).ok();
    assert!(log.contains("its file is damaged"), "{log}");
    jm.stop().await;
}
