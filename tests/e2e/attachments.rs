//! An attachment over a narrow line while both nodes are killed: it comes whole, once, and what was
//! there before a kill does not come again.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use abeng_api::{AttachmentItem, AttachmentState, FilesThere};
use common::{
    Network, Node,
    proxy::{Line, Proxy},
    until,
};
use std::{fs, path::PathBuf, time::Duration};

const MIB: u64 = 1 << 20;

/// About twelve seconds for the file.
const NARROW: Line = Line {
    loss_permille: 0,
    repeat_permille: 0,
    delay: Duration::from_millis(5),
    jitter: Duration::ZERO,
    bytes_per_second: Some(500_000),
    queue_bytes: 100_000,
    cut: false,
};

async fn file(node: &Node, id: &str) -> Option<AttachmentItem> {
    node.client.attachments(id).await.ok()?.pop()
}

/// Once so many bytes of it are there; not all of them.
async fn coming(node: &Node, id: &str, bytes: u64) -> u64 {
    let what = format!("{bytes} bytes have come");
    let here = until(&what, async || {
        let item = file(node, id).await?;
        (item.here >= bytes).then_some(item)
    })
    .await;
    assert_eq!(
        here.state,
        AttachmentState::Coming,
        "too fast for this test"
    );
    here.here
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_comes_whole_through_kills_on_both_sides() {
    let network = Network::found(&["LC:coordination", "JM"]);
    let proxy = Proxy::before(&network, &["LC", "JM"], 1);
    proxy.all(NARROW);
    let (mut jm, mut lc) = (network.node("JM"), network.node("LC"));
    jm.start().await;
    lc.start().await;
    jm.linked(1).await;

    let bytes: Vec<u8> = (0..6_000_000u32)
        .map(|i| (i / 3) as u8 ^ (i >> 14) as u8)
        .collect();
    let path = network.scratch().join("x-ray.jpg");
    fs::write(&path, &bytes).unwrap();
    let attach = Some(path.to_str().unwrap());
    jm.submit_with(&[("--attach", attach)]).ok();
    let id = jm.sent().await[0].id.clone();

    // The notice is there long before its file.
    let inbox = until("the notice is delivered", async || {
        let inbox = lc.inbox().await;
        (inbox.len() == 1).then_some(inbox)
    })
    .await;
    assert_eq!(inbox[0].id, id);
    assert_ne!(file(&lc, &id).await.unwrap().state, AttachmentState::Here);
    lc.run(&["attachment", "get", &id, "--no-wait"])
        .fails(7, &["not here yet", "try: "]);

    // What is urgent does not wait behind a file.
    let before = coming(&lc, &id, MIB).await;
    jm.submit_with(&[("--precedence", Some("FLASH"))]).ok();
    until("the urgent notice overtakes the file", async || {
        (lc.inbox().await.len() == 2).then_some(())
    })
    .await;
    assert_eq!(file(&lc, &id).await.unwrap().state, AttachmentState::Coming);
    lc.kill();
    lc.start().await;
    let after = file(&lc, &id).await.unwrap().here;
    assert!(
        after >= before,
        "{after} of {before} bytes outlived the kill"
    );
    let before = coming(&lc, &id, 3 * MIB).await;
    jm.kill();
    jm.start().await;
    let after = file(&lc, &id).await.unwrap().here;
    assert!(
        after >= before,
        "{after} of {before} bytes outlived the other's kill"
    );

    let out = network.scratch().join("out");
    fs::create_dir(&out).unwrap();
    // Waits for the rest.
    lc.run(&["attachment", "get", &id, "--out", out.to_str().unwrap()])
        .ok();
    assert!(fs::read(out.join("x-ray.jpg")).unwrap() == bytes);
    lc.run(&[
        "attachment",
        "get",
        &id,
        "1",
        "--out",
        out.to_str().unwrap(),
    ])
    .fails(2, &["x-ray.jpg is there already", "--force"]);
    let one = FilesThere { arrived: 1, of: 1 };
    until("the originator knows that it came", async || {
        let timeline = jm.client.track(&id, "en").await.ok()?;
        (timeline.recipients[0].files == Some(one)).then_some(())
    })
    .await;
    let told = jm.run(&["track", &id]).ok();
    assert!(told.contains("1 of 1 attachment there"), "{told}");
    let listed = lc.run(&["attachment", "list", &id]).ok();
    assert!(
        listed.contains("x-ray.jpg") && listed.contains("here"),
        "{listed}"
    );
    for node in [&mut jm, &mut lc] {
        node.run(&["audit", "verify"]).ok();
        node.stop().await;
        node.run(&["audit", "verify"]).ok();
    }
}

/// A notice to LC with files of these names; its id, and where each file lies at JM.
async fn sent(jm: &Node, network: &Network, names: &[&str]) -> (String, Vec<PathBuf>) {
    let paths = names.iter().map(|name| {
        let path = network.scratch().join(name);
        fs::write(&path, vec![7; 100_000]).unwrap();
        path.to_str().unwrap().to_owned()
    });
    let paths: Vec<String> = paths.collect();
    let attach: Vec<_> = paths
        .iter()
        .map(|p| ("--attach", Some(p.as_str())))
        .collect();
    let said = jm.submit_with(&attach).ok();
    assert!(
        said.contains(&format!("With {} attachments", names.len())),
        "{said}"
    );
    let id = jm.sent().await[0].id.clone();
    let files = jm.client.attachments(&id).await.unwrap();
    let place = |file: AttachmentItem| {
        let (first, rest) = file.root.split_at(2);
        jm.home.join("blobs").join(first).join(rest)
    };
    (id, files.into_iter().map(place).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_its_sender_has_damaged_or_lost_is_told_and_the_rest_is_taken() {
    let network = Network::found(&["LC:coordination", "JM"]);
    let (mut jm, mut lc) = (network.node("JM"), network.node("LC"));
    jm.start().await;
    let (id, at) = sent(&jm, &network, &["a.jpg", "b.jpg", "c.jpg"]).await;
    let mut bytes = fs::read(&at[0]).unwrap();
    bytes[9] ^= 1;
    fs::write(&at[0], bytes).unwrap();
    fs::remove_file(&at[2]).unwrap();
    let out = network.scratch().join("out");
    let out = out.to_str().unwrap();
    fs::create_dir(out).unwrap();

    let get = ["attachment", "get", &id, "--force", "--out", out];
    jm.run(&get).fails(
        6,
        &[
            "attachment 1 (a.jpg) is damaged on this disk",
            "from a backup",
        ],
    );
    jm.run(&[&get[..], &["3"]].concat())
        .fails(5, &["attachment 3 (c.jpg)", "not on this disk any more"]);
    assert!(jm.run(&["status"]).ok().contains("DAMAGED ON THIS DISK"));
    lc.start().await;
    until("all of it is known", async || {
        let files = lc.client.attachments(&id).await.ok()?;
        let states: Vec<_> = files.iter().map(|file| file.state).collect();
        use AttachmentState::{Here, SenderDamaged, SenderGone};
        (states == [SenderDamaged, Here, SenderGone]).then_some(())
    })
    .await;
    let said = lc.run(&get);
    assert!(said.err.contains("b.jpg is written"), "{said:?}");
    said.fails(
        6,
        &["(a.jpg) is damaged at JM", "JM no longer has attachment 3"],
    );
    lc.run(&["attachment", "get", &id, "3", "--no-wait", "--out", out])
        .fails(5, &["JM no longer has attachment 3 (c.jpg)", "try: ask JM"]);
    let names = fs::read_dir(out).unwrap();
    let mut names: Vec<_> = names.map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["b.jpg"], "and nothing of the others");
    jm.stop().await;
    lc.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_wait_has_asked_for_all_of_them() {
    let network = Network::found(&["LC:coordination", "JM"]);
    let (mut jm, mut lc) = (network.node("JM"), network.node("LC"));
    let config = lc.home.join("node.toml");
    let toml = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        toml.replacen("[link]\n", "[link]\nprofile = \"metered\"\n", 1),
    )
    .unwrap();
    jm.start().await;
    lc.start().await;
    let (id, _) = sent(&jm, &network, &["a.jpg", "b.jpg"]).await;
    until("the notice is delivered", async || {
        lc.client.attachments(&id).await.ok()
    })
    .await;
    let listed = lc.run(&["inbox", "list"]).ok();
    assert!(
        listed.contains("FILES") && listed.contains("2, 195.3 KiB"),
        "{listed}"
    );
    lc.run(&["attachment", "get", &id, "--no-wait"])
        .fails(7, &["not here yet: a.jpg, b.jpg", "--no-wait"]);
    until("both come", async || {
        let files = lc.client.attachments(&id).await.ok()?;
        let here = |file: &AttachmentItem| file.state == AttachmentState::Here;
        files.iter().all(here).then_some(())
    })
    .await;
    jm.stop().await;
    lc.stop().await;
}
