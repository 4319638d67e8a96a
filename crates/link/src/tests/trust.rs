use super::support::*;
use crate::{CloseCode, Closed, exchange, tls::Identity};
use abeng_keys::{Signer, SoftSigner};
use abeng_wire::v1;
use std::{sync::Arc, time::Duration};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_closes_the_live_link_and_comes_back_no_more() {
    let network = Network::new(&["JM", "TT", "GY"], &["JM"]);
    let jm = network.node("JM").await;
    let bad = Raw::link(&network, "TT", "JM").await;
    let _control = bad.ready(&network, "TT", "JM", [1; 16]).await;
    jm.up().await;
    let good = Raw::link(&network, "GY", "JM").await;
    let mut good_control = good.ready(&network, "GY", "JM", [1; 16]).await;
    jm.up().await;
    let stolen = network.keyring("TT").node_tls().verify_key().kid();
    jm.trust.store(Arc::new(network.revoking(stolen)));
    jm.endpoint.trust_changed();
    assert_eq!(jm.down().await, Closed::KeyGone);
    assert_eq!(bad.closed().await.0, CloseCode::KeyGone as u64);
    assert_eq!(jm.endpoint.links().len(), 1);
    // The others hear which roster is here.
    let reference = loop {
        match good_control.read().await.expect("the link stays") {
            v1::control::Frame::Roster(reference) => break reference,
            v1::control::Frame::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(reference.version, 2);
    let again = Raw::link(&network, "TT", "JM").await;
    assert_eq!(again.closed().await.0, CloseCode::UnknownKey as u64);
}

/// A link between different rosters: the dialler fetches, or brings, and both end up alike.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn linked_peers_catch_up_in_either_direction() {
    for newer in ["JM", "TT"] {
        let network = Network::new(&["JM", "TT", "GY"], &["TT"]);
        let gone = network.keyring("GY").node_tls().verify_key().kid();
        let trust_of = |party: &str| match party == newer {
            true => network.revoking(gone),
            false => network.trust(),
        };
        let jm = Node::start(&network, "JM", trust_of("JM"), [1; 16]).await;
        let tt = Node::start(&network, "TT", trust_of("TT"), [2; 16]).await;
        let older = if newer == "JM" { &tt } else { &jm };
        older
            .until(|e| matches!(e, Event::Trust).then_some(()))
            .await;
        older.endpoint.trust_changed();
        assert_eq!(older.trust.load().roster.version(), 2);
    }
}

/// Two that were linked under one roster; one adopts another meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_adoption_spreads_over_a_live_link() {
    let network = Network::new(&["JM", "TT", "GY"], &["TT"]);
    let (jm, tt) = tokio::join!(network.node("JM"), network.node("TT"));
    tokio::join!(jm.up(), tt.up());
    let gone = network.keyring("GY").node_tls().verify_key().kid();
    tt.trust.store(Arc::new(network.revoking(gone)));
    tt.endpoint.trust_changed();
    jm.until(|e| matches!(e, Event::Trust).then_some(())).await;
    jm.endpoint.trust_changed();
    assert_eq!(jm.trust.load().roster.version(), 2);
    assert!(jm.endpoint.link(code("TT")).is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_key_gets_trust_data_and_nothing_else() {
    let network = Network::new(&["JM", "TT"], &["JM"]);
    let jm = network.node("JM").await;
    // What the exchange needs of a node: another network's, with an unknown key.
    let other = Network::new(&["JM", "TT"], &[]);
    let stranger = other.node("TT").await;
    let unknown = SoftSigner::from_seed(&[77; 32]).unwrap();
    let dial = || async {
        let tls = Identity::new(&unknown).unwrap().trust_dialler().unwrap();
        Raw::dial(network.address("JM"), tls).await.unwrap()
    };
    let raw = dial().await;
    let (mut send, receive) = raw.connection.open_bi().await.unwrap();
    let bundle = abeng_wire::encode(&other.founding.bundle);
    let reference = abeng_wire::encode(&other.trust().roster.reference());
    let message = [framed(&reference), framed(&bundle)].concat();
    send.write_all(&message).await.unwrap();
    send.finish().unwrap();
    let mut reader = crate::frames::FrameReader::new(receive);
    let answer = reader.next(8 << 20).await.unwrap().unwrap();
    let answer: v1::TrustBundle = abeng_wire::decode("bundle", &answer, 8 << 20).unwrap();
    assert_eq!(answer, network.founding.bundle);
    assert!(reader.next(1).await.unwrap().is_none());
    raw.connection.close(0u32.into(), b"");

    // Our own side of it.
    let raw = dial().await;
    assert!(exchange::ask(&stranger.endpoint.core_arc_for_tests(), &raw.connection).await);

    // A second stream, or one that never ends its announcement, gets nothing.
    let raw = dial().await;
    let first = raw.connection.open_bi().await.unwrap();
    let second = tokio::time::timeout(Duration::from_millis(300), raw.connection.open_bi());
    assert!(second.await.is_err(), "a second stream");
    let (mut send, _) = first;
    send.write_all(&[framed(&reference), vec![0x7f, 0xff, 0xff, 0xff]].concat())
        .await
        .unwrap();
    let (code, words) = raw.closed().await;
    assert_eq!(code, CloseCode::Fault as u64);
    assert!(words.contains("announced"), "{words}");
    assert_eq!(jm.trust.load().roster.version(), 1);
    assert!(jm.endpoint.links().is_empty());
}

/// A node whose roster names another key for the peer: it is refused, fetches trust data.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialler_refused_for_its_key_asks_for_trust_data() {
    let network = Network::new(&["JM", "TT"], &["JM"]);
    let stolen = network.keyring("TT").node_tls().verify_key().kid();
    let jm = Node::start(&network, "JM", network.revoking(stolen), [1; 16]).await;
    let tt = network.node("TT").await;
    tt.until(|e| matches!(e, Event::Trust).then_some(())).await;
    assert_eq!(tt.trust.load().roster.version(), 2);
    assert!(jm.endpoint.links().is_empty() && tt.endpoint.links().is_empty());
}
