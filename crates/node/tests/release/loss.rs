//! What waits goes into backups, and its files stay while it does.

use crate::{
    net::{self, Net},
    support::*,
};
use abeng_api::{AttachQuery, AttachmentState, ErrorCode};
use abeng_node::{PlainKeys, Source, back_up, restore};
use bytes::Bytes;
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

fn back_up_jm(net: &Net) -> PathBuf {
    let (config, out) = (net.home("JM").join("node.toml"), net.dir.join("backup"));
    back_up(&net.config("JM"), &config, &out, PlainKeys::Include, |_| {
        Ok(())
    })
    .unwrap();
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_back_from_a_backup_waits_and_may_have_been_sent() {
    let net = found(RED);
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    let decided = hold(&jm, seizure("LC", "RED")).await;
    let waits = hold(&jm, seizure("LC", "RED")).await;
    let out = back_up_jm(&net);
    grant(&jm, ANN, &decided).await.unwrap();
    arrived(&net, "LC", 1).await;
    let before = fs::read_dir(out.join("held")).unwrap().count();
    assert_eq!(before, 2);
    // What is decided goes from the next backup; what a crash had marked is in this one.
    back_up_jm(&net);
    let left: Vec<_> = fs::read_dir(out.join("held")).unwrap().collect();
    assert_eq!(left.len(), 1);
    let held = left[0].as_ref().unwrap().path();
    assert!(held.ends_with(format!("{waits}.held")));
    fs::rename(&held, held.with_extension("granting-9999")).unwrap();
    jm.shutdown().await.unwrap();
    fs::remove_dir_all(net.home("JM")).unwrap();
    restore(
        &Source::Backup(out),
        &net.home("JM"),
        "the machine burnt",
        &mut |_, _| (),
    )
    .unwrap();

    let jm = net.start("JM").await;
    let items = list(&jm, ANN).await;
    assert_eq!(items.len(), 1);
    assert!(items[0].id == waits && items[0].maybe_sent);
    let status = net.client("JM").status().await.unwrap();
    let told = status.warnings.iter().find(|w| w.contains("abeng sent"));
    assert!(told.unwrap().starts_with("1 submission waits"), "{told:?}");
    // The log of the new life knows what was decided in the old one.
    jm.shutdown().await.unwrap();
    let path = net.home("JM").join("held").join(format!("{waits}.held"));
    let sealed = fs::read(&path).unwrap();
    let jm = net.start("JM").await;
    grant(&jm, BOB, &waits).await.unwrap();
    arrived(&net, "LC", 2).await;
    jm.shutdown().await.unwrap();
    fs::write(&path, sealed).unwrap();
    let jm = net.start("JM").await;
    assert!(list(&jm, ANN).await.is_empty());
    assert_eq!(code(grant(&jm, ANN, &waits).await).0, ErrorCode::NotFound);
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
    net.verify("JM");
}

fn blobs(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(blobs(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found
}

async fn give(net: &Net, bytes: &[u8]) -> String {
    let (tx, chunks) = tokio::sync::mpsc::channel(1);
    tx.send(Ok(Bytes::copy_from_slice(bytes))).await.unwrap();
    drop(tx);
    let query = AttachQuery {
        name: "photo.jpg".into(),
    };
    let client = net.client("JM");
    let reply = client.attach(&query, bytes.len() as u64, chunks);
    reply.await.unwrap().handle
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_files_stay_as_long_as_it_waits() {
    let net = found(RED);
    let (jm, lc) = (net.start("JM").await, net.start("LC").await);
    let mut held = Vec::new();
    for byte in [7, 8] {
        let mut request = seizure("LC", "RED");
        request.notice["attach"] = serde_json::json!([give(&net, &[byte; 3000]).await]);
        held.push(hold(&jm, request).await);
    }
    let dir = net.home("JM").join("blobs");
    assert_eq!(
        blobs(&dir).len(),
        4,
        "two files, and the hashes of their pieces"
    );
    // A week later, over a start, whose sweep looks at once.
    jm.shutdown().await.unwrap();
    let week = SystemTime::now() - Duration::from_secs(7 * 86_400);
    for path in blobs(&dir) {
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(week).unwrap();
    }
    let jm = net.start("JM").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(blobs(&dir).len(), 4);

    deny(&jm, OFFICER, &held[0]).await.unwrap();
    assert_eq!(blobs(&dir).len(), 2, "nobody needs its file any more");
    let id = grant(&jm, ANN, &held[1]).await.unwrap().id.unwrap();
    arrived(&net, "LC", 1).await;
    let deadline = std::time::Instant::now() + net::PATIENCE;
    loop {
        let files = net.client("LC").attachments(&id).await.unwrap();
        if files[0].state == AttachmentState::Here {
            assert_eq!((&*files[0].name, files[0].length), ("photo.jpg", 3000));
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{files:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}
