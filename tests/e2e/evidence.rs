//! Evidence files with real daemons: exported at both ends, checked by the command where no node
//! and no data directory is left.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use abeng_api::EventQuery;
use common::{Network, Node, Run, bytes::edit, command, notices::seizure};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

const TEXT: &str = "bewijs-20417: hidden behind the reefer unit";

/// The command anywhere: no data directory, no socket.
fn away(args: &[&str]) -> Run {
    let mut command = command();
    command
        .args(args)
        .env("ABENG_SOCKET", "/nonexistent/abeng.sock");
    Run::of(&mut command)
}

/// What was said, however its lines were broken.
fn words(said: &str) -> String {
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn export(node: &Node, id: &str, out: &Path, more: &[&str]) -> Run {
    let mut args = vec!["evidence", "export", id, "--out", text(out)];
    args.extend(more);
    node.run(&args)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_proves_a_notice_where_no_node_is_left() {
    let network = Network::found(&["LC:coordination", "JM", "TT"]);
    let mut nodes = [network.node("JM"), network.node("TT")];
    for node in &mut nodes {
        node.spawn();
    }
    for node in &mut nodes {
        node.linked(1).await;
    }
    let [jm, tt] = &mut nodes;
    let sent = jm.client.submit(&seizure(&["TT"], TEXT)).await.unwrap();
    let id = sent.id.unwrap();
    let wait = EventQuery {
        after: Some(0),
        timeout_ms: Some(30_000),
        limit: None,
    };
    assert_eq!(jm.client.wait_settled(&wait).await.unwrap().len(), 1);
    let root = jm.client.status().await.unwrap().root_digest;

    let scratch = network.scratch();
    let file = |name: &str| -> PathBuf { scratch.join(name) };
    let (proof, all, theirs) = (file("proof"), file("all"), file("theirs"));
    let said = words(&export(jm, &id[..12], &proof, &[]).ok());
    assert!(said.contains("does not disclose"), "{said}");
    // Not a terminal: disclosing needs to be said, and nothing is written or logged without.
    export(jm, &id, &all, &["--disclose"]).fails(2, &["hands out", "--yes"]);
    assert!(!all.exists());
    let said = words(&export(jm, &id, &all, &["--disclose", "--yes"]).ok());
    assert!(said.contains("whoever has it can read it"), "{said}");
    export(tt, &id, &theirs, &["--disclose", "--yes"]).ok();
    let mode = fs::metadata(&all).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Never over another file, and the log says nothing of an export that was not.
    export(jm, &id, &all, &[]).fails(2, &["is there already", "--out"]);
    let exports = jm
        .run(&["audit", "show", "--kind", "EXPORTED", "--format", "jsonl"])
        .ok();
    assert_eq!(exports.lines().count(), 2, "{exports}");
    tt.run(&["evidence", "export", "00000000"])
        .fails(5, &["no notice here"]);

    for node in &mut nodes {
        node.kill();
    }
    let home = nodes[0].home.parent().unwrap().to_owned();
    fs::rename(&home, file("moved")).unwrap();

    let told = words(&away(&["evidence", "verify", text(&all), "--root", &root]).ok());
    for part in [&*id, TEXT, "delivered", "log of TT", "the one you named"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("founding record"), "{told}");
    let told = words(&away(&["audit", "verify", text(&proof)]).ok());
    assert!(
        !told.contains(TEXT) && told.contains("founding record"),
        "{told}"
    );
    let told = away(&["evidence", "verify", text(&theirs), "--json"]).ok();
    let value: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(value["exported_by"], "TT");
    assert_eq!(value["id"], id);
    assert!(value["content"]["notice"].to_string().contains(TEXT));
    assert_eq!(value["not_proved"][0]["code"], "root_not_compared");

    refusals(&all, &scratch.join("bad"));
}

fn refusals(good: &Path, bad: &Path) {
    let wrong = "0".repeat(64);
    away(&["evidence", "verify", text(good), "--root", &wrong]).fails(6, &["root 1", "at byte"]);
    let middle = fs::metadata(good).unwrap().len() / 2;
    fs::copy(good, bad).unwrap();
    edit(bad, middle, 1, |bytes| bytes[0] ^= 1);
    away(&["evidence", "verify", text(bad)]).fails(6, &["at byte", "damaged or changed", "try:"]);
    away(&["audit", "verify", text(bad)]).fails(6, &["damaged or changed"]);
    away(&["audit", "judge", text(good)]).fails(2, &["evidence file", "abeng evidence verify"]);
    away(&["evidence", "verify", "/nonexistent"]).fails(2, &["cannot read"]);
    fs::write(bad, "not a file of ours").unwrap();
    away(&["evidence", "verify", text(bad)]).fails(6, &["first line"]);
    away(&["evidence", "verify", text(good), "--root", "12"]).fails(2, &["64 hex digits"]);
}
