//! A drill of a node that runs, and of its data directory when it does not.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use abeng_api::{Client, DrillMark, DrillView};
use abeng_node::{Config, Node, drill};
use common::found;

fn mark(view: &DrillView, name: &str) -> DrillMark {
    view.items.iter().find(|i| i.name == name).unwrap().mark
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_looked_at_while_it_runs_and_while_it_does_not() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    found(&dir);
    let jm = dir.join("jm");
    let config = Config::load(&jm.join("node.toml")).unwrap();
    let node = Node::start(config.clone()).await.unwrap();
    let client = Client::unix(jm.join("abeng.sock"));
    let view = client.drill().await.unwrap();
    assert_eq!(view.party, "JM");
    assert_eq!(mark(&view, "keys"), DrillMark::Fail, "in the clear");
    assert_eq!(mark(&view, "backup"), DrillMark::Fail, "there was none");
    assert_eq!(mark(&view, "links"), DrillMark::Fail, "LC is away");
    assert_eq!(mark(&view, "clock"), DrillMark::Ok);
    assert_eq!(mark(&view, "stick"), DrillMark::Unchecked);
    let autonomy = view.items.iter().find(|i| i.name == "autonomy").unwrap();
    assert!(
        autonomy.found.starts_with("too young to say"),
        "{autonomy:?}"
    );
    assert!(client.limits().await.unwrap().disk.journal_bytes > 0);
    // A backup leaves word in the data directory.
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    let note = format!("{{\"format\":1,\"at_ms\":{}}}", now.as_millis());
    std::fs::write(jm.join("last-backup.json"), &note).unwrap();
    let after = client.drill().await.unwrap();
    assert_eq!(mark(&after, "backup"), DrillMark::Ok);
    assert_eq!(after.score, view.score + 20);
    // One on the disk of the data is lost with it.
    let beside = format!(
        "{{\"format\":1,\"at_ms\":{},\"same_disk\":true}}",
        now.as_millis()
    );
    std::fs::write(jm.join("last-backup.json"), beside).unwrap();
    let same = client.drill().await.unwrap();
    assert_eq!(mark(&same, "backup"), DrillMark::Fail);
    assert_eq!(same.score, view.score);
    std::fs::write(jm.join("last-backup.json"), note).unwrap();
    node.shutdown().await.unwrap();

    let facts = drill::offline(&config);
    let view = drill::view(config.party, now.as_millis() as u64, &facts);
    assert_eq!(mark(&view, "backup"), DrillMark::Ok);
    assert_ne!(mark(&view, "trust"), DrillMark::Unchecked);
    assert_ne!(mark(&view, "autonomy"), DrillMark::Unchecked);
    for name in ["relays", "links", "clock"] {
        assert_eq!(mark(&view, name), DrillMark::Unchecked, "{name}");
    }
}
