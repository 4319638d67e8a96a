use crate::{
    ceremony::*,
    has_leaves,
    net::{code, found, now},
    warns,
};
use abeng_api::AcceptRequest;
use abeng_keys::{DualSigner, SystemEntropy};
use abeng_node::Layout;
use abeng_wire::v1;
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
    has_leaves(&net, "JM", "CONTRADICTION", 1).await;
    jm.shutdown().await.unwrap();
    net.verify("JM");
    let jm = net.start("JM").await;
    net.until("JM", "alarm after a start", told).await;
    assert_eq!(client.roster_pending().await.unwrap().disputes.len(), 1);
    assert!(jm.shared().trust().roster.party(code("LC")).is_some());
    jm.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_signs_two_things_again_and_again_hides_no_other_dispute() {
    let net = found(&["JM", "TT"]);
    let jm = net.start("JM").await;
    let first = bundle(&net.home("JM"));
    let [one, other] = ["SEA", "LAND"].map(|name| {
        let roster = after(&net.dir, &first, |m| m.groups.push(group(name, &["LC"])));
        with(&first, roster)
    });
    let client = net.client("JM");
    client.roster_import(file(&one)).await.unwrap();
    let (tt, at) = (keyring(&net.home("TT")), now());
    let newest = tt.seal.newest().unwrap();
    let key = newest.public();
    let trust = jm.shared().trust();
    let mut of_tt = trust.seal_keys.held().filter(|(p, _, _)| *p == code("TT"));
    let (_, sequence, _) = of_tt.next().unwrap();
    for later in 1..40 {
        let twice = v1::TrustBundle {
            seal_keys: vec![seal_key(&tt, sequence, key, at + later)],
            ..Default::default()
        };
        let refused = client.roster_import(file(&twice)).await.unwrap_err();
        assert!(refused.to_string().contains("two different"), "{refused}");
    }
    let pending = client.roster_pending().await.unwrap();
    assert_eq!(pending.disputes.len(), 2, "{:?}", pending.disputes);
    client.roster_import(file(&other)).await.unwrap_err();
    let pending = client.roster_pending().await.unwrap();
    assert!(pending.disputes.iter().any(|d| d.contains("of the roster")));
    jm.shutdown().await.unwrap();
    let jm = net.start("JM").await;
    has_leaves(&net, "JM", "CONTRADICTION", 3).await;
    jm.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dispute_that_a_crash_kept_out_of_the_log_is_told_at_the_next_start() {
    let net = found(&["JM"]);
    let home = Layout::new(net.home("JM"));
    let first = home.read_trust().unwrap();
    let [one, other] = ["SEA", "LAND"].map(|name| {
        let roster = after(&net.dir, &first, |m| m.groups.push(group(name, &["LC"])));
        with(&first, roster)
    });
    let jm = net.start("JM").await;
    let client = net.client("JM");
    client.roster_import(file(&one)).await.unwrap();
    let trust = jm.shared().trust();
    jm.shutdown().await.unwrap();
    // Written, and the process ended before the leaf.
    let both = trust.merge(&other, now()).unwrap().unwrap();
    home.write_trust(&both.to_bundle()).unwrap();
    for _ in 0..2 {
        let jm = net.start("JM").await;
        let told = |s: &abeng_api::StatusView| warns(s, "TWO DIFFERENT VERSIONS 2");
        net.until("JM", "alarm after a start", told).await;
        has_leaves(&net, "JM", "CONTRADICTION", 1).await;
        jm.shutdown().await.unwrap();
    }
    net.verify("JM");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_settled_equivocation_newcomers_of_the_other_side_wait_here() {
    let net = found(&["JM"]);
    let jm = net.start("JM").await;
    let first = bundle(&net.home("JM"));
    let [one, other] = [1, 2].map(|more| {
        after(&net.dir, &first, |m| {
            m.groups.push(group("SEA", &["LC"]));
            m.expires += more;
        })
    });
    let client = net.client("JM");
    client
        .roster_import(file(&with(&first, one.clone())))
        .await
        .unwrap();
    let accept = AcceptRequest {
        party: Some("LC".into()),
        ..AcceptRequest::default()
    };
    client.roster_accept(&accept).await.unwrap();
    let refused = client
        .roster_import(file(&with(&first, other.clone())))
        .await;
    assert!(refused.is_err());
    let mut next = with(&first, other.clone());
    next.roots.push(settle(&net.dir, &first, [&one, &other]));
    let third = after(&net.dir, &next, |m| m.root_version = 2);
    let taken = client
        .roster_import(file(&with(&next, third)))
        .await
        .unwrap();
    assert_eq!((taken.roster_before, taken.roster), (2, 3));
    let waits = async |when: &str| {
        let pending = client.roster_pending().await.unwrap();
        let all = pending.newcomers.iter();
        let since: Vec<_> = all.map(|n| (n.party.clone(), n.since)).collect();
        assert_eq!(since, [("LC".to_owned(), 2)], "{when}");
        assert_eq!(pending.seen, 1, "{when}");
        assert!(
            pending.disputes[0].starts_with("settled by a root"),
            "{when}"
        );
        assert_eq!(pending.changes, ["LC joins the group SEA"], "{when}");
    };
    waits("taken").await;
    jm.shutdown().await.unwrap();
    let jm = net.start("JM").await;
    waits("started again").await;
    jm.shutdown().await.unwrap();
    fs::remove_dir_all(net.home("JM").join("view")).unwrap();
    let jm = net.start("JM").await;
    waits("the view is built anew").await;
    has_leaves(&net, "JM", "CONTRADICTION", 1).await;
    client.roster_accept(&accept).await.unwrap();
    jm.shutdown().await.unwrap();
    let jm = net.start("JM").await;
    assert!(client.roster_pending().await.unwrap().newcomers.is_empty());
    jm.shutdown().await.unwrap();
    net.verify("JM");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_seal_keys_of_one_sequence_are_found_out_over_a_link() {
    let net = found(&["JM", "TT"]);
    let (lc, at) = (keyring(&net.home("LC")), now());
    let newest = lc.seal.newest().unwrap();
    let key = newest.public();
    let mut nodes = Vec::new();
    for (name, later) in [("JM", 0), ("TT", 1)] {
        let node = net.start(name).await;
        let said = v1::TrustBundle {
            seal_keys: vec![seal_key(&lc, 2, key, at + later)],
            ..Default::default()
        };
        net.client(name).roster_import(file(&said)).await.unwrap();
        node.shutdown().await.unwrap();
    }
    for name in ["JM", "TT"] {
        nodes.push(net.start(name).await);
    }
    for name in ["JM", "TT"] {
        let told = |s: &abeng_api::StatusView| warns(s, "VERSIONS 2 of the seal key of LC");
        net.until(name, "alarm", told).await;
        has_leaves(&net, name, "CONTRADICTION", 1).await;
    }
    for node in nodes {
        node.shutdown().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_roster_that_one_node_is_shown_is_told_to_its_peers_at_once() {
    let net = found(&["JM", "TT"]);
    let first = bundle(&net.home("JM"));
    let [one, other] = ["SEA", "LAND"].map(|name| {
        let roster = after(&net.dir, &first, |m| m.groups.push(group(name, &["LC"])));
        with(&first, roster)
    });
    let nodes = [net.start("JM").await, net.start("TT").await];
    net.client("JM").roster_import(file(&one)).await.unwrap();
    let both = |s: &abeng_api::StatusView| s.roster.version == 2 && crate::linked(s, "JM");
    net.until("TT", "the same roster", both).await;
    // TT alone is shown the other: nothing that JM would ask for is newer.
    let shown = net.client("TT").roster_import(file(&other)).await;
    assert!(shown.unwrap_err().to_string().contains("two different"));
    for name in ["TT", "JM"] {
        let told = |s: &abeng_api::StatusView| warns(s, "TWO DIFFERENT VERSIONS 2");
        net.until(name, "alarm", told).await;
        has_leaves(&net, name, "CONTRADICTION", 1).await;
    }
    for node in nodes {
        node.shutdown().await.unwrap();
    }
}

fn new_signers() -> Vec<DualSigner> {
    let one = |_| DualSigner::generate(&mut SystemEntropy);
    (0..3).map(one).collect()
}

/// Eight second rosters that a root has ended, then one by those who sign now: it is an alarm like
/// the first, and those before are none any more, although the new one took the place of one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disputes_that_are_over_hide_none_by_those_who_sign_now() {
    let net = found(&["JM"]);
    let jm = net.start("JM").await;
    let first = bundle(&net.home("JM"));
    let second = |n: u64| after(&net.dir, &first, |m| m.expires += n);
    let (one, others): (_, Vec<_>) = (second(0), (1..=8).map(second).collect());
    let client = net.client("JM");
    let taken = with(&first, one.clone());
    client.roster_import(file(&taken)).await.unwrap();
    for other in &others {
        let other = with(&first, other.clone());
        client.roster_import(file(&other)).await.unwrap_err();
    }
    has_leaves(&net, "JM", "CONTRADICTION", 8).await;
    let signers = new_signers();
    let mut next = taken;
    next.roots.push(next_root(&net.dir, &first, |root| {
        replace_signers(root, &signers);
        for part in others.chunks(7) {
            let all: Vec<_> = part.iter().chain([&one]).collect();
            root.settled_rosters.push(settlement(&all));
        }
    }));
    let third = |n: u64| {
        after_by(&signers[..2], &next, |m| {
            (m.root_version, m.expires) = (2, m.expires + n);
        })
    };
    client
        .roster_import(file(&with(&next, third(0))))
        .await
        .unwrap();
    let twice = file(&with(&next, third(1)));
    for _ in 0..2 {
        client.roster_import(twice.clone()).await.unwrap_err();
    }
    has_leaves(&net, "JM", "CONTRADICTION", 9).await;
    let kept = net.home("JM").join("trust").join("disputed");
    assert_eq!(fs::read_dir(kept).unwrap().count(), 9);
    let told = |s: &abeng_api::StatusView| warns(s, "TWO DIFFERENT VERSIONS 3");
    let is_told = async |when: &str| {
        let status = net.until("JM", when, told).await;
        assert!(!warns(&status, "VERSIONS 2"), "{:?}", status.warnings);
        let disputes = client.roster_pending().await.unwrap().disputes;
        let begin = |text: &str| disputes.iter().filter(|d| d.starts_with(text)).count();
        assert_eq!(disputes.len(), 9, "{disputes:?}");
        assert_eq!(begin("settled by a root"), 7, "{disputes:?}");
        assert_eq!(begin("over: two versions 2"), 1, "{disputes:?}");
    };
    is_told("alarm").await;
    jm.shutdown().await.unwrap();
    let jm = net.start("JM").await;
    is_told("alarm after a start").await;
    has_leaves(&net, "JM", "CONTRADICTION", 9).await;
    jm.shutdown().await.unwrap();
    net.verify("JM");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_signers_who_were_replaced_no_root_is_said_to_have_settled_anything() {
    let net = found(&["JM"]);
    let jm = net.start("JM").await;
    let first = bundle(&net.home("JM"));
    let second = |n: u64| after(&net.dir, &first, |m| m.expires += n);
    let signers = new_signers();
    let mut next = with(&first, second(0));
    next.roots.push(next_root(&net.dir, &first, |r| {
        replace_signers(r, &signers)
    }));
    let third = after_by(&signers[..2], &next, |m| m.root_version = 2);
    let client = net.client("JM");
    client
        .roster_import(file(&with(&next, third)))
        .await
        .unwrap();
    let other = file(&with(&first, second(1)));
    client.roster_import(other).await.unwrap();
    let [told] = &client.roster_pending().await.unwrap().disputes[..] else {
        panic!("one is kept");
    };
    assert!(told.starts_with("of no weight, since signers"), "{told}");
    assert!(!told.contains("settled"), "{told}");
    let status = client.status().await.unwrap();
    assert!(!warns(&status, "TWO DIFFERENT"), "{:?}", status.warnings);
    jm.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_over_to_another_side_has_no_open_dispute_of_the_side_that_was_left() {
    let net = found(&["JM"]);
    let jm = net.start("JM").await;
    let first = bundle(&net.home("JM"));
    let all = [0, 1, 2].map(|n| after(&net.dir, &first, |m| m.expires += n));
    let client = net.client("JM");
    let [one, other, more] = all.clone().map(|roster| with(&first, roster));
    client.roster_import(file(&one)).await.unwrap();
    for other in [&other, &more] {
        client.roster_import(file(other)).await.unwrap_err();
    }
    has_leaves(&net, "JM", "CONTRADICTION", 2).await;
    let mut next = other;
    next.roots.push(next_root(&net.dir, &first, |root| {
        let named = settlement(&all.each_ref());
        root.settled_rosters.push(named);
    }));
    let third = after(&net.dir, &next, |m| m.root_version = 2);
    let next = with(&next, third);
    client.roster_import(file(&next)).await.unwrap();
    let is_over = async |when: &str| {
        let status = client.status().await.unwrap();
        assert_eq!(status.roster.version, 3, "{when}");
        assert!(!warns(&status, "TWO DIFFERENT"), "{when}: {status:?}");
        // The pairs are others now, of the same rosters.
        has_leaves(&net, "JM", "CONTRADICTION", 2).await;
        let disputes = client.roster_pending().await.unwrap().disputes;
        assert_eq!(disputes.len(), 2, "{when}: {disputes:?}");
    };
    is_over("taken").await;
    jm.shutdown().await.unwrap();
    let jm = net.start("JM").await;
    is_over("started again").await;
    jm.shutdown().await.unwrap();
}
