use crate::{
    ceremony::*,
    leaves, linked,
    net::{Net, PATIENCE, found, now},
    until_roster, warns,
};
use abeng_api::{AcceptRequest, DeliveryState, SentQuery};
use abeng_node::{Layout, Node};
use abeng_wire::v1::{self, PartyStatus};
use std::time::Duration;

async fn import(net: &Net, name: &str, bundle: &v1::TrustBundle) -> abeng_api::RosterTaken {
    net.client(name).roster_import(file(bundle)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_imported_roster_is_logged_told_and_passed_on() {
    let net = found(&["JM", "TT"]);
    let nodes = [
        net.start("JM").await,
        net.start("TT").await,
        net.start("LC").await,
    ];
    for name in ["JM", "TT", "LC"] {
        let up = |s: &abeng_api::StatusView| s.links.iter().all(|l| l.linked);
        net.until(name, "links", up).await;
    }
    let first = bundle(&net.home("JM"));
    let second = with(
        &first,
        after(&net.dir, &first, |m| m.groups.push(group("SEA", &["TT"]))),
    );
    let taken = import(&net, "JM", &second).await;
    assert!(taken.newer && (taken.roster_before, taken.roster) == (1, 2));
    assert_eq!(taken.changes, ["TT joins the group SEA"]);
    let again = import(&net, "JM", &second).await;
    assert!(!again.newer && again.roster == 2, "{again:?}");
    for name in ["JM", "TT", "LC"] {
        until_roster(&net, name, 2).await;
        let adopted = leaves(&net, name, "ROSTER_ADOPTED").await;
        assert_eq!(adopted.len(), 1, "{name}");
        let status = net.client(name).status().await.unwrap();
        assert!(warns(&status, "TT joins the group SEA"), "{name}");
    }
    assert!(
        leaves(&net, "JM", "ROSTER_ADOPTED").await[0]
            .officer
            .is_some()
    );
    // Freshness and seal keys go over the same links, without a new roster.
    let at = now();
    let newest = v1::TrustBundle {
        freshness: Some(fresh(&net.dir, &second, at)),
        ..Default::default()
    };
    let tt = keyring(&net.home("TT"));
    let newest = v1::TrustBundle {
        seal_keys: vec![seal_key(&tt, 2, tt.seal.newest().unwrap().public(), at)],
        ..newest
    };
    let taken = import(&net, "JM", &newest).await;
    assert!(taken.newer && taken.freshness && taken.seal_keys == 1);
    let deadline = std::time::Instant::now() + PATIENCE;
    for node in &nodes {
        let has = |node: &Node| {
            let trust = node.shared().trust();
            let newest = trust.seal_keys.held().map(|(_, n, _)| n).max();
            newest == Some(2) && trust.freshness.as_ref().is_some_and(|f| f.at() == at)
        };
        while !has(node) {
            assert!(std::time::Instant::now() < deadline, "it does not spread");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    let (client, seen) = (net.client("JM"), AcceptRequest::default());
    assert_eq!(client.roster_accept(&seen).await.unwrap().version, 2);
    let [jm, tt, lc] = nodes;
    jm.shutdown().await.unwrap();
    let jm = net.start("JM").await;
    let pending = net.client("JM").roster_pending().await.unwrap();
    assert_eq!((pending.version, pending.seen), (2, 2));
    assert!(pending.changes.is_empty() && pending.newcomers.len() == 1);
    assert_eq!(leaves(&net, "JM", "ROSTER_ADOPTED").await.len(), 1);
    for node in [jm, tt, lc] {
        node.shutdown().await.unwrap();
    }
    net.verify("JM");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspended_party_is_cut_off_in_mid_session_and_what_waits_for_it_stays() {
    let net = found(&["JM", "TT"]);
    let (jm, tt) = (net.start("JM").await, net.start("TT").await);
    net.until("JM", "link", |s| linked(s, "TT")).await;
    let links = &jm.shared().links;
    let session = links.link(code("TT")).unwrap().session();
    let answered = [
        (session, 99),
        (session, 99),
        (session + 1, 98),
        (session, 98),
    ]
    .map(|(session, version)| {
        let roster = v1::RosterRef {
            version,
            ..Default::default()
        };
        links.first_marks(code("TT"), session, &roster)
    });
    assert_eq!(answered, [true, false, false, true], "trust marks, once");
    let first = bundle(&net.home("JM"));
    let keys = keyring(&net.home("TT"));
    let second = after(&net.dir, &first, |m| {
        status(m, &keys, PartyStatus::Suspended);
    });
    let second = with(&first, second);
    // Work goes on over the link while the roster comes.
    for _ in 0..5 {
        net.try_send("JM", "TT").await.unwrap();
    }
    let client = net.client("JM");
    let adopting = async { client.roster_import(file(&second)).await.unwrap() };
    tokio::pin!(adopting);
    let adopted = loop {
        tokio::select! {
            taken = &mut adopting => break taken,
            _ = net.try_send("JM", "TT") => {}
        }
    };
    assert_eq!(adopted.roster, 2);
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while jm.shared().links.link(code("TT")).is_some() {
        assert!(std::time::Instant::now() < deadline, "the link lives on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let refused = net.try_send("JM", "TT").await.unwrap_err();
    assert!(refused.contains("suspended"), "{refused}");
    tt.shutdown().await.unwrap();
    jm.shutdown().await.unwrap();

    // What was queued before and not delivered stays, told, and goes once it takes part again.
    Layout::new(net.home("JM")).write_trust(&second).unwrap();
    let jm = net.start("JM").await;
    let third = with(
        &second,
        after(&net.dir, &second, |m| status(m, &keys, PartyStatus::Active)),
    );
    assert_eq!(import(&net, "JM", &third).await.roster, 3);
    net.try_send("JM", "TT").await.unwrap();
    let fourth = with(
        &third,
        after(&net.dir, &third, |m| {
            status(m, &keys, PartyStatus::Suspended)
        }),
    );
    assert_eq!(import(&net, "JM", &fourth).await.roster, 4);
    let told = net.client("JM").status().await.unwrap();
    assert!(warns(&told, "wait for TT, which is suspended"), "{told:#?}");
    let fifth = with(
        &fourth,
        after(&net.dir, &fourth, |m| status(m, &keys, PartyStatus::Active)),
    );
    assert_eq!(import(&net, "JM", &fifth).await.roster, 5);
    // TT knows roster 1 or 2 yet, and catches up by itself.
    Layout::new(net.home("TT")).write_trust(&third).unwrap();
    let tt = net.start("TT").await;
    until_roster(&net, "TT", 5).await;
    let query = SentQuery::default();
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let sent = net.client("JM").sent(&query).await.unwrap();
        let all = sent.iter().flat_map(|s| &s.to);
        if all.clone().all(|to| to.state == DeliveryState::Delivered) {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{sent:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    jm.shutdown().await.unwrap();
    tt.shutdown().await.unwrap();
    net.verify("JM");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_off_while_keys_rotated_catches_up_by_itself() {
    let net = found(&["JM", "TT"]);
    let (jm, tt) = (net.start("JM").await, net.start("TT").await);
    let first = bundle(&net.home("JM"));
    let [jm_keys, tt_keys] = ["JM", "TT"].map(|name| keyring(&net.home(name)));
    let at = now();
    let second = with(
        &first,
        after(&net.dir, &first, |m| {
            new_tls(m, &jm_keys, 81, at);
            new_tls(m, &tt_keys, 82, at);
        }),
    );
    import(&net, "JM", &second).await;
    until_roster(&net, "TT", 2).await;
    for (name, node, byte) in [("JM", jm, 81), ("TT", tt, 82)] {
        node.shutdown().await.unwrap();
        use_tls(&net.home(name), byte);
    }
    let (jm, tt) = (net.start("JM").await, net.start("TT").await);
    let third = with(
        &second,
        after(&net.dir, &second, |m| {
            revoke(m, &**jm_keys.node_tls(), at);
            revoke(m, &**tt_keys.node_tls(), at);
            m.revocations.sort_by(|a, b| a.kid.cmp(&b.kid));
        }),
    );
    import(&net, "JM", &third).await;
    until_roster(&net, "TT", 3).await;
    net.until("JM", "link", |s| linked(s, "TT")).await;
    // LC has not seen any of it: every key that it knows of its peers is gone.
    let lc = net.start("LC").await;
    until_roster(&net, "LC", 3).await;
    net.until("LC", "links", |s| linked(s, "JM") && linked(s, "TT"))
        .await;
    net.send("LC", "JM").await;
    for node in [jm, tt, lc] {
        node.shutdown().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trust_data_put_in_place_by_hand_counts_from_the_next_start_and_never_backwards() {
    let net = found(&["JM"]);
    net.start("JM").await.shutdown().await.unwrap();
    let home = Layout::new(net.home("JM"));
    let first = home.read_trust().unwrap();
    let second = with(
        &first,
        after(&net.dir, &first, |m| {
            m.groups.push(group("SEA", &["JM", "LC"]))
        }),
    );
    home.write_trust(&second).unwrap();
    let jm = net.start("JM").await;
    assert_eq!(leaves(&net, "JM", "ROSTER_ADOPTED").await.len(), 1);
    let pending = net.client("JM").roster_pending().await.unwrap();
    assert_eq!(pending.newcomers.len(), 2, "{pending:#?}");
    assert_eq!(pending.changes.len(), 2);
    jm.shutdown().await.unwrap();
    home.write_trust(&first).unwrap();
    let refused = Node::start(net.config("JM")).await.err().unwrap();
    assert!(
        refused.to_string().contains("roster 2 was adopted"),
        "{refused}"
    );
    let other = with(
        &first,
        after(&net.dir, &first, |m| m.groups.push(group("LAND", &["LC"]))),
    );
    home.write_trust(&other).unwrap();
    let refused = Node::start(net.config("JM")).await.err().unwrap();
    assert!(
        refused.to_string().contains("another roster 2"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_signs_its_seal_key_on_and_on_is_taken_at_a_pace() {
    let net = found(&["JM", "TT"]);
    let jm = net.start("JM").await;
    let (tt, at) = (keyring(&net.home("TT")), now());
    let bundle = |sequence| v1::TrustBundle {
        seal_keys: vec![seal_key(
            &tt,
            sequence,
            tt.seal.newest().unwrap().public(),
            at,
        )],
        ..Default::default()
    };
    let held = || {
        let trust = jm.shared().trust();
        let of_tt = trust.seal_keys.held().filter(|(p, _, _)| *p == code("TT"));
        of_tt.map(|(_, sequence, _)| sequence).max().unwrap()
    };
    let first = held();
    for sequence in first + 1..first + 20 {
        let (shared, bundle) = (jm.shared().clone(), bundle(sequence));
        let merged = tokio::task::spawn_blocking(move || shared.merge_trust(&bundle));
        merged.await.unwrap();
    }
    assert!((first + 8..first + 12).contains(&held()), "{}", held());
    // Whom the operator believes is not paced.
    assert!(import(&net, "JM", &bundle(first + 20)).await.newer);
    assert_eq!(held(), first + 20);
    jm.shutdown().await.unwrap();
}
