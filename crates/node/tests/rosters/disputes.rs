use crate::{
    ceremony::*,
    leaves,
    net::{code, found},
    warns,
};
use std::fs;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_rosters_of_one_version_are_kept_and_told() {
    let net = found(&["JM"]);
    let jm = net.start("JM").await;
    let first = bundle(&net.home("JM"));
    let [one, other] = ["SEA", "LAND"].map(|name| {
        let roster = after(&net.dir, &first, |m| m.groups.push(group(name, &["LC"])));
        with(&first, roster)
    });
    let client = net.client("JM");
    client.roster_import(file(&one)).await.unwrap();
    for _ in 0..2 {
        let refused = client.roster_import(file(&other)).await.unwrap_err();
        assert!(refused.to_string().contains("two different"), "{refused}");
    }
    let kept = net.home("JM").join("trust").join("disputed");
    assert_eq!(fs::read_dir(kept).unwrap().count(), 1);
    let told = |s: &abeng_api::StatusView| warns(s, "TWO DIFFERENT VERSIONS 2");
    let status = net.until("JM", "alarm", told).await;
    assert_eq!(status.roster.version, 2);
    assert_eq!(leaves(&net, "JM", "CONTRADICTION").await.len(), 1);
    jm.shutdown().await.unwrap();
    net.verify("JM");
    let jm = net.start("JM").await;
    net.until("JM", "alarm after a start", told).await;
    assert_eq!(client.roster_pending().await.unwrap().disputes.len(), 1);
    assert!(jm.shared().trust().roster.party(code("LC")).is_some());
    jm.shutdown().await.unwrap();
}
