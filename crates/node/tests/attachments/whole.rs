//! Two whole nodes.

use crate::support::{MIB, Net, all_here, file, give, seizure, take, until};
use abeng_api::{
    AttachmentState, AuditQuery, Client, ClientError, ErrorCode, EventQuery, FilesThere,
    RecallRequest,
};
use abeng_node::retention::Take;
use std::fs;

async fn files_there(client: &Client, id: &str) -> Option<FilesThere> {
    client.track(id, "en").await.unwrap().recipients[0].files
}

/// Files below `blobs/`, with their sizes.
fn blobs(dir: &std::path::Path) -> Vec<u64> {
    let mut sizes = Vec::new();
    for dir in fs::read_dir(dir.join("blobs")).unwrap() {
        for file in fs::read_dir(dir.unwrap().path()).unwrap() {
            let file = file.unwrap();
            if file.path().extension().is_none() {
                sizes.push(file.metadata().unwrap().len());
            }
        }
    }
    sizes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_cross_behind_their_notice_and_are_proved_to_have_come() {
    let net = Net::new();
    let (jm, lc) = (net.start("jm").await, net.start("lc").await);
    let (big, small) = (file(5 * MIB + 77, 1), file(1, 2));
    let handles = [
        give(&net.client("jm"), "x-ray é.jpg", &big).await.unwrap(),
        give(&net.client("jm"), "one.bin", &small).await.unwrap(),
    ];
    let sent = net.client("jm").submit(&seizure("LC", &handles)).await;
    let id = sent.unwrap().id.unwrap();
    let wait = EventQuery {
        after: Some(0),
        timeout_ms: Some(20_000),
        limit: None,
    };
    let delivered = net.client("lc").wait_delivered(&wait).await.unwrap();
    assert_eq!(delivered.len(), 1);

    let files = all_here(&net.client("lc"), &id[..12]).await;
    let names: Vec<&str> = files.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["x-ray é.jpg", "one.bin"]);
    assert_eq!(files[0].media_type, "image/jpeg");
    assert_eq!(files[0].here, files[0].cipher_length);
    for (file, plain) in files.iter().zip([&big, &small]) {
        for party in ["lc", "jm"] {
            let taken = take(&net.client(party), &id, &file.root).await.unwrap();
            assert!(taken == *plain, "{party} has another {}", file.name);
        }
    }
    let both = FilesThere { arrived: 2, of: 2 };
    until(|| async { (files_there(&net.client("jm"), &id).await == Some(both)).then_some(()) })
        .await;

    // Who took them out is in the log; so is that they came, once for each.
    let kind = |kind: &str| AuditQuery {
        kind: Some(kind.to_owned()),
        ..AuditQuery::default()
    };
    let acted = net.client("lc").audit_show(&kind("ACTED")).await.unwrap();
    assert_eq!(acted.leaves.len(), 2);
    assert!(acted.leaves.iter().all(|leaf| leaf.officer.is_some()));
    let came = net
        .client("lc")
        .audit_show(&kind("RECEIVED"))
        .await
        .unwrap();
    assert_eq!(came.leaves.len(), 3, "the envelope and two files");
    // What is shown of the notice holds no key.
    let shown = net.client("lc").inbox_show(&id, "fr").await.unwrap();
    let label = shown.fields.iter().filter(|f| f.label == "pièce jointe");
    assert_eq!(label.count(), 2);
    assert!(shown.notice["attachments"][0]["root"].is_string());
    assert!(shown.notice["attachments"][0].get("key").is_none());

    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
    // The view folds from leaf 0 again, and says the same.
    for party in ["jm", "lc"] {
        fs::remove_dir_all(net.dir(party).join("view")).unwrap();
    }
    let (jm, lc) = (net.start("jm").await, net.start("lc").await);
    assert_eq!(files_there(&net.client("jm"), &id).await, Some(both));
    let taken = take(&net.client("lc"), &id, &files[0].root).await.unwrap();
    assert!(taken == big);
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
    let received = lc_received(&net).await;
    assert_eq!(received, 3, "nothing came twice");
}

async fn lc_received(net: &Net) -> usize {
    let lc = net.start("lc").await;
    let query = AuditQuery {
        kind: Some("RECEIVED".into()),
        ..AuditQuery::default()
    };
    let count = net
        .client("lc")
        .audit_show(&query)
        .await
        .unwrap()
        .leaves
        .len();
    lc.shutdown().await.unwrap();
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_attached_is_said_and_leaves_nothing() {
    let net = Net::new();
    let jm = net.start("jm").await;
    let client = net.client("jm");
    let code = |e: ClientError| match e {
        ClientError::Api(e) => e.code,
        other => panic!("{other}"),
    };
    let empty = give(&client, "x.jpg", &[]).await.unwrap_err();
    assert_eq!(code(empty), ErrorCode::Refused);
    for name in ["../x", ".x", "a/b", ""] {
        let named = give(&client, name, &[1]).await.unwrap_err();
        assert_eq!(code(named), ErrorCode::Invalid, "{name}");
    }
    let unknown = client.submit(&seizure("LC", &["ab".repeat(16)])).await;
    let ClientError::Api(unknown) = unknown.unwrap_err() else {
        panic!("no answer of the node");
    };
    assert_eq!(unknown.flaws[0].code, "not-uploaded");
    // A submission that is refused does not use the file up; one that is accepted does.
    let handle = give(&client, "x.jpg", &file(9, 1)).await.unwrap();
    let handles = [handle];
    let nobody = client.submit(&seizure("ZZ", &handles)).await.unwrap_err();
    assert_eq!(code(nobody), ErrorCode::Refused);
    client.submit(&seizure("LC", &handles)).await.unwrap();
    let again = client.submit(&seizure("LC", &handles)).await.unwrap_err();
    assert_eq!(code(again), ErrorCode::Refused);
    assert_eq!(blobs(&net.dir("jm")), [9 + 16]);
    jm.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_that_is_taken_back_takes_its_files_with_it() {
    let net = Net::new();
    let (jm, lc) = (net.start("jm").await, net.start("lc").await);
    let (first, second) = (file(2 * MIB, 1), file(3000, 2));
    let mut ids = Vec::new();
    for bytes in [&first, &second] {
        let handle = give(&net.client("jm"), "x.jpg", bytes).await.unwrap();
        let sent = net.client("jm").submit(&seizure("LC", &[handle])).await;
        ids.push(sent.unwrap().id.unwrap());
    }
    for id in &ids {
        all_here(&net.client("lc"), id).await;
    }
    assert_eq!(blobs(&net.dir("lc")).len(), 2);
    let recall = RecallRequest {
        reason: "error".into(),
        ..RecallRequest::default()
    };
    net.client("jm").recall(&ids[0], &recall).await.unwrap();
    until(|| async {
        let listed = net.client("lc").attachments(&ids[0]).await;
        listed.is_err().then_some(())
    })
    .await;
    lc.shared().scrub_round(Take::Recalled).await.unwrap();
    assert_eq!(blobs(&net.dir("lc")), [3000 + 16], "the other one stays");
    let rest = net.client("lc").attachments(&ids[1]).await.unwrap();
    assert_eq!(rest[0].state, AttachmentState::Here);
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_is_never_shown_and_comes_again() {
    let net = Net::new();
    let (jm, lc) = (net.start("jm").await, net.start("lc").await);
    let bytes = file(2 * MIB + 5, 1);
    let handle = give(&net.client("jm"), "x.jpg", &bytes).await.unwrap();
    let sent = net.client("jm").submit(&seizure("LC", &[handle])).await;
    let id = sent.unwrap().id.unwrap();
    let root = all_here(&net.client("lc"), &id).await[0].root.clone();
    let path = net
        .dir("lc")
        .join("blobs")
        .join(&root[..2])
        .join(&root[2..]);
    let mut there = fs::read(&path).unwrap();
    there[MIB + 9] ^= 1;
    fs::write(&path, there).unwrap();
    assert!(take(&net.client("lc"), &id, &root).await.is_err());
    let again = until(|| async { take(&net.client("lc"), &id, &root).await.ok() }).await;
    assert!(again == bytes);
    jm.shutdown().await.unwrap();
    lc.shutdown().await.unwrap();
}
