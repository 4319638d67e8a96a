//! Numbers that never come between two parties that never link: asked for and voided over the relay
//! between them, and a relay that cheats learns and changes nothing.

use crate::{
    net::{Net, code, flash, leaf, leaves, until},
    numbers::{fail, short_lived},
};
use abeng_keys::Keyring;
use abeng_node::{Layout, Node};
use abeng_queue::ended::EndedNumber;
use abeng_seal::{sign_want, verify_void};
use abeng_wire::{
    StreamSeq,
    v1::{self, control::Frame},
};

/// How many of these a node has counted.
fn counted(node: &Node, kind: &str) -> u64 {
    let label = format!("kind=\"{kind}\"}} ");
    let text = node.shared().metrics.text();
    let line = text.lines().find_map(|line| line.split_once(&label));
    line.map_or(0, |(_, n)| n.trim().parse().unwrap())
}

async fn counts(node: &Node, kind: &str, wanted: u64) {
    let enough = async || (counted(node, kind) >= wanted).then_some(());
    until(&format!("{kind} {wanted}"), enough).await;
    assert_eq!(counted(node, kind), wanted, "{kind}");
}

fn want(jm: &Node, first: u64, last: u64) -> v1::Want {
    v1::Want {
        originator: "JM".into(),
        incarnation: jm.shared().incarnation.0,
        first,
        last,
        byte_budget: 0,
        recipient: "TT".into(),
    }
}

fn keyring(net: &Net, party: &str) -> Keyring {
    let none = || Err::<abeng_keys::Passphrase, _>("none");
    Keyring::load(&Layout::new(net.home(party)).keys(), none).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gap_between_two_that_never_link_closes_over_the_relay() {
    let net = Net::found();
    let (jm, at_jm) = net.start("JM").await;
    short_lived(&jm, code("TT")).await;
    leaf(&at_jm, "EXPIRED").await;
    fail(&jm, code("TT"), 2).await;
    leaf(&at_jm, "VOIDED").await;

    let (nl, at_nl) = net.start("NL").await;
    let (tt, at_tt) = net.start("TT").await;
    let id = flash(&at_jm, "TT").await;
    until("the delivery", async || {
        let to = at_jm.track(&id, "en").await.unwrap().recipients.remove(0);
        (to.state == abeng_api::DeliveryState::Delivered).then_some(())
    })
    .await;
    let gaps = until("the gap", async || {
        let gaps = at_tt.gaps().await.unwrap();
        (!gaps.is_empty()).then_some(gaps)
    })
    .await;
    let seen: Vec<_> = gaps.iter().map(|g| (g.first, g.last, g.linked)).collect();
    assert_eq!(seen, [(1, 2, false)]);

    // What the engine will do once the gap is a minute old.
    tt.shared().send_want_over(code("NL"), &want(&jm, 1, 2));
    until("that no gap stays", async || {
        at_tt.gaps().await.unwrap().is_empty().then_some(())
    })
    .await;
    let voided = leaves(&at_tt, "VOIDED").await;
    let reasons: Vec<_> = voided.iter().filter_map(|l| l.reason.clone()).collect();
    assert_eq!(reasons, ["NUMBER_VOIDED", "NUMBER_VOIDED"]);
    assert_eq!(counted(&nl, "want_passed_on"), 1);

    // With a relay that reaches it nobody has to ask.
    fail(&jm, code("TT"), 9).await;
    until("the void that nobody asked for", async || {
        (leaves(&at_tt, "VOIDED").await.len() == 3).then_some(())
    })
    .await;
    assert_eq!(counted(&nl, "void_passed_on"), 3);
    assert_eq!(counted(&tt, "want_sent"), 1);
    assert!(
        leaves(&at_nl, "VOIDED").await.is_empty(),
        "the relay keeps none"
    );
    for node in [jm, tt, nl] {
        node.shutdown().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_invents_floods_and_alters_gains_nothing() {
    let net = Net::found();
    let mut cheat = net.puppet("NL").await;
    let (jm, at_jm) = net.start("JM").await;
    let link = cheat.link().await;
    let parties = vec!["TT".to_owned()];
    link.control(Frame::Reach(v1::Reach { parties }));
    until("that NL reaches TT", async || {
        let relays = at_jm.relays().await.unwrap().relays;
        relays.iter().any(|r| !r.reaches.is_empty()).then_some(())
    })
    .await;
    let carried_void = |frame| match frame {
        Frame::CarriedVoid(void) => Some(void),
        _ => None,
    };
    fail(&jm, code("TT"), 1).await;
    let unasked = cheat.control(carried_void).await;

    let [nl_keys, tt_keys] = ["NL", "TT"].map(|party| keyring(&net, party));
    let invented = sign_want(nl_keys.org_sign().as_ref(), &want(&jm, 1, 1)).unwrap();
    let genuine = sign_want(tt_keys.org_sign().as_ref(), &want(&jm, 1, 1)).unwrap();
    let wider = v1::Signed {
        bytes: abeng_wire::encode(&want(&jm, 1, 9)),
        ..genuine.clone()
    };
    let bare = v1::Signed {
        signatures: Vec::new(),
        ..genuine.clone()
    };
    let own = v1::Want {
        recipient: "NL".into(),
        ..want(&jm, 1, 1)
    };
    let own = sign_want(nl_keys.org_sign().as_ref(), &own).unwrap();
    let false_ones = [wider, bare, own, v1::Signed::default()];
    let say = |signed: &v1::Signed| link.control(Frame::CarriedWant(signed.clone()));
    // More than one peer is heard of: what is false uses nothing up.
    let flood = abeng_wire::limits::STREAM_FRAMES + 100;
    (0..flood).for_each(|_| say(&invented));
    false_ones.iter().for_each(say);
    counts(&jm, "want_rejected", flood + 4).await;
    assert_eq!(counted(&jm, "want_taken"), 0);

    // The recipient's own word, passed on or repeated, brings what the recipient is to know.
    say(&genuine);
    let void = cheat.control(carried_void).await;
    assert_eq!(void, unasked);
    let says = verify_void(&jm.shared().trust().roster, &void).unwrap();
    assert_eq!((says.message().first, says.message().last), (1, 1));
    assert_eq!(says.message().recipient, "TT");
    assert_eq!(counted(&jm, "void_sent"), 2);
    let elsewhere = jm.shared().signed_voids(code("NL"), &[lost(1)]).remove(0);
    let beyond = jm.shared().signed_voids(code("TT"), &[lost(7)]).remove(0);
    jm.shutdown().await.unwrap();

    // At the recipient: altered, of another stream, by another key, and at last as it was said.
    let (tt, at_tt) = net.start("TT").await;
    let link = cheat.link().await;
    let say = |signed: &v1::Signed| link.control(Frame::CarriedVoid(signed.clone()));
    let mut altered = v1::Signed {
        bytes: beyond.bytes.clone(),
        ..void.clone()
    };
    say(&altered);
    altered.signatures = elsewhere.signatures.clone();
    say(&altered);
    say(&elsewhere);
    counts(&tt, "void_rejected", 3).await;
    assert!(leaves(&at_tt, "VOIDED").await.is_empty());
    say(&void);
    leaf(&at_tt, "VOIDED").await;
    say(&void);
    counts(&tt, "void_taken", 2).await;
    assert_eq!(leaves(&at_tt, "VOIDED").await.len(), 1);
    drop(link);
    cheat.end().await;
    tt.shutdown().await.unwrap();
}

fn lost(seq: u64) -> EndedNumber {
    EndedNumber {
        seq: StreamSeq::new(seq).unwrap(),
        reason: v1::VoidReason::VoidLost,
        envelope_id: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_passes_on_the_word_of_the_party_that_brings_it_and_no_other() {
    let net = Net::found();
    let (nl, at_nl) = net.start("NL").await;
    let (mut jm, mut tt) = (net.puppet("JM").await, net.puppet("TT").await);
    let (jm_link, tt_link) = (jm.link().await, tt.link().await);
    let reaches = |frame| match frame {
        Frame::Reach(reach) => (!reach.parties.is_empty()).then_some(()),
        _ => None,
    };
    jm.control(reaches).await;
    tt.control(reaches).await;
    let asks = |recipient: &str, originator: &str| {
        let want = v1::Want {
            originator: originator.to_owned(),
            incarnation: 7,
            first: 3,
            last: 4,
            byte_budget: 5,
            recipient: recipient.to_owned(),
        };
        sign_want(keyring(&net, recipient).org_sign().as_ref(), &want).unwrap()
    };
    let genuine = asks("TT", "JM");
    // In another's name; for nobody there; for one that no roster knows.
    jm_link.control(Frame::CarriedWant(genuine.clone()));
    tt_link.control(Frame::CarriedWant(asks("JM", "TT")));
    tt_link.control(Frame::CarriedWant(asks("TT", "XX")));
    counts(&nl, "want_rejected", 3).await;
    assert_eq!(counted(&nl, "want_passed_on"), 0);
    tt_link.control(Frame::CarriedWant(genuine.clone()));
    let got = jm.control(|frame| match frame {
        Frame::CarriedWant(want) => Some(want),
        _ => None,
    });
    assert_eq!(got.await, genuine, "whole");
    assert_eq!(counted(&nl, "want_passed_on"), 1);
    tt.end().await;
    until("that TT is gone", async || {
        nl.shared().links.link(code("TT")).is_none().then_some(())
    })
    .await;
    jm_link.control(Frame::CarriedWant(asks("JM", "TT")));
    counts(&nl, "want_rejected", 4).await;
    assert!(leaves(&at_nl, "VOIDED").await.is_empty());
    jm.end().await;
    nl.shutdown().await.unwrap();
}
