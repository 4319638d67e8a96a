//! What this party's own standing in the roster means: it never stops a start.

use crate::{
    ceremony::*,
    linked,
    net::{found, now},
    until_roster, warns,
};
use abeng_api::{Caller, EvidenceQuery, InboxQuery, ReleaseWhy, RosterState, SubmitRequest};
use abeng_node::{Layout, Node, NodeError};
use abeng_wire::v1::PartyStatus;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspended_party_starts_reads_and_proves_and_a_newer_roster_heals_it() {
    let net = found(&["JM", "TT"]);
    let nodes = [net.start("JM").await, net.start("TT").await];
    net.send("TT", "JM").await;
    let id = net
        .client("JM")
        .inbox(&InboxQuery::default())
        .await
        .unwrap();
    let id = id[0].id.clone();
    let first = bundle(&net.home("JM"));
    for node in nodes {
        node.shutdown().await.unwrap();
    }
    let keys = keyring(&net.home("JM"));
    let second = with(
        &first,
        after(&net.dir, &first, |m| {
            status(m, &keys, PartyStatus::Suspended)
        }),
    );
    Layout::new(net.home("JM")).write_trust(&second).unwrap();

    let jm = Node::start(net.config("JM")).await.unwrap();
    let client = net.client("JM");
    let told = client.status().await.unwrap();
    assert!(told.roster.age.suspended);
    assert!(warns(&told, "JM, IS SUSPENDED (roster 2)"), "{told:#?}");
    let refused = net.try_send("JM", "TT").await.unwrap_err();
    assert!(refused.contains("JM does not take part"), "{refused}");
    let query = EvidenceQuery { disclose: true };
    assert!(!client.evidence(&id, &query).await.unwrap().is_empty());
    assert_eq!(client.inbox(&InboxQuery::default()).await.unwrap().len(), 1);

    let third = with(
        &second,
        after(&net.dir, &second, |m| status(m, &keys, PartyStatus::Active)),
    );
    let tt = net.start("TT").await;
    client.roster_import(file(&third)).await.unwrap();
    assert!(!client.status().await.unwrap().roster.age.suspended);
    net.send("JM", "TT").await;
    until_roster(&net, "TT", 3).await;
    net.until("JM", "linked again", |s| linked(s, "TT")).await;
    jm.shutdown().await.unwrap();
    tt.shutdown().await.unwrap();
    net.verify("JM");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roster_past_its_time_stops_no_start_asks_for_two_and_a_peer_heals_it() {
    let net = found(&["JM", "TT"]);
    let first = bundle(&net.home("JM"));
    let second = with(
        &first,
        after(&net.dir, &first, |m| m.expires = m.issued + 1),
    );
    Layout::new(net.home("JM")).write_trust(&second).unwrap();
    let jm = Node::start(net.config("JM")).await.unwrap();
    let told = net.client("JM").status().await.unwrap();
    assert_eq!(told.roster.age.state, RosterState::Expired);
    assert!(warns(&told, "THE ROSTER HERE HAS EXPIRED"), "{told:#?}");
    let mut notice = serde_json::to_value(abeng_notice::samples().remove(0).draft).unwrap();
    notice["administration"] = "JM".into();
    let request = SubmitRequest {
        to: vec!["TT".into()],
        notice,
        ..Default::default()
    };
    let reply = jm.shared().submit(&Caller::unix(1000), request).await;
    let held = reply.unwrap().held.unwrap();
    assert_eq!(held.why, [ReleaseWhy::Expired]);
    assert!(held.id.is_some() && held.releasers.is_empty());

    // The others' links do not care; what is newer comes over one.
    let third = with(
        &second,
        after(&net.dir, &second, |m| m.expires += 365 * DAY),
    );
    let tt = net.start("TT").await;
    net.until("JM", "linked", |s| linked(s, "TT")).await;
    net.client("TT").roster_import(file(&third)).await.unwrap();
    until_roster(&net, "JM", 3).await;
    let told = net.client("JM").status().await.unwrap();
    assert_eq!(told.roster.age.state, RosterState::Fresh);
    net.send("JM", "TT").await;
    jm.shutdown().await.unwrap();
    tt.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_the_roster_revokes_or_does_not_know_stop_a_start_and_say_what_to_do() {
    let net = found(&["JM", "TT"]);
    let first = bundle(&net.home("JM"));
    let keys = keyring(&net.home("JM"));
    let second = with(
        &first,
        after(&net.dir, &first, |m| new_tls(m, &keys, 77, now())),
    );
    let third = after(&net.dir, &second, |m| revoke(m, &**keys.node_tls(), now()));
    Layout::new(net.home("JM"))
        .write_trust(&with(&second, third))
        .unwrap();
    let refused = Node::start(net.config("JM")).await.err().unwrap();
    assert!(matches!(refused, NodeError::KeyRevoked { .. }), "{refused}");
    assert!(
        refused.hint().contains("newest keyring"),
        "{}",
        refused.hint()
    );
    use_tls(&net.home("JM"), 78);
    let refused = Node::start(net.config("JM")).await.err().unwrap();
    assert!(
        matches!(refused, NodeError::KeyNotListed { .. }),
        "{refused}"
    );
    use_tls(&net.home("JM"), 77);
    Node::start(net.config("JM"))
        .await
        .unwrap()
        .shutdown()
        .await
        .unwrap();
}
