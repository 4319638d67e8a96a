use super::support::*;
use crate::{
    CloseCode, Closed,
    session::{Session, Window},
    tls,
};
use abeng_keys::{SignatureType, Signer, SoftSigner};
use abeng_wire::{encode, limits, v1};
use bytes::Bytes;
use std::sync::Arc;
use v1::control::Frame;

async fn node() -> (Network, Node) {
    let network = Network::new(&["JM", "TT"], &["JM"]);
    let jm = network.node("JM").await;
    (network, jm)
}

/// A proper link of a raw TT to JM.
async fn linked(network: &Network, jm: &Node) -> (Raw, RawControl) {
    let raw = Raw::link(network, "TT", "JM").await;
    let control = raw.ready(network, "TT", "JM", [5; 16]).await;
    jm.up().await;
    (raw, control)
}

async fn expect_fault(raw: &Raw, words: &str) {
    let (code, reason) = raw.closed().await;
    assert_eq!(code, CloseCode::Fault as u64, "{reason}");
    assert!(reason.contains(words), "`{reason}` does not say `{words}`");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_in_no_roster_is_refused() {
    let (network, jm) = node().await;
    let stranger = SoftSigner::from_seed(&[1; 32]).unwrap();
    // A key of the party, but of another role.
    for key in [&stranger, &**network.keyring("TT").org_sign()] {
        let raw = Raw::link_with(&network, key, "JM").await;
        assert_eq!(raw.closed().await.0, CloseCode::UnknownKey as u64);
    }
    // The node's own key, sent back at it.
    let raw = Raw::link(&network, "JM", "JM").await;
    assert_eq!(raw.closed().await.0, CloseCode::UnknownKey as u64);
    assert!(jm.endpoint.links().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialler_takes_no_other_party_for_the_one_it_dials() {
    let (network, _jm) = node().await;
    let trust = Arc::new(arc_swap::ArcSwap::from_pointee(network.trust()));
    let identity = tls::Identity::new(network.keyring("TT").node_tls()).unwrap();
    let now = trust.load().roster.issued();
    // JM answers where TT, or JM before its keys are valid, was expected.
    for (party, at, fits) in [("TT", now, false), ("JM", 1, false), ("JM", now, true)] {
        let config = identity
            .dialler(code(party), Arc::clone(&trust), at)
            .unwrap();
        let dialled = Raw::dial(network.address("JM"), config).await;
        assert_eq!(dialled.is_ok(), fits, "{party} at {at}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hello_carried_over_to_another_channel_is_refused() {
    let (network, jm) = node().await;
    let first = Raw::link(&network, "TT", "JM").await;
    let signer = Arc::clone(network.keyring("TT").node_tls());
    let opening = first.opening(&network, "TT", "JM", [5; 16]);
    let (_, recorded) = Session::open(opening, &*signer).unwrap();
    let second = Raw::link(&network, "TT", "JM").await;
    let mut control = second.control().await;
    control.write(recorded).await;
    expect_fault(&second, "signature does not hold").await;
    assert!(jm.endpoint.links().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hello_without_a_common_version_or_for_another_party_is_refused() {
    let (network, jm) = node().await;
    type Change = fn(&mut v1::Hello);
    let cases: [(&str, Change); 3] = [
        ("no protocol version in common", |h| h.versions = vec![2]),
        ("peer party", |h| h.peer = "GY".into()),
        ("own party", |h| h.own = "JM".into()),
    ];
    for (words, change) in cases {
        let raw = Raw::link(&network, "TT", "JM").await;
        let signer = network.keyring("TT").node_tls();
        let opening = raw.opening(&network, "TT", "JM", [5; 16]);
        let Ok((_, Frame::Hello(good))) = Session::open(opening, &**signer) else {
            panic!("no hello");
        };
        let mut hello: v1::Hello = abeng_wire::decode("hello", &good.hello, 9999).unwrap();
        change(&mut hello);
        let hello = encode(&hello);
        let bound = [&hello[..], &raw.exporter()].concat();
        let sig = signer.sign(SignatureType::HELLO, &bound).unwrap();
        let sig = Bytes::copy_from_slice(&sig);
        let forged = Frame::Hello(v1::SignedHello { hello, sig });
        let mut control = raw.control().await;
        control.write(forged).await;
        expect_fault(&raw, words).await;
    }
    assert!(jm.endpoint.links().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lengths_beyond_the_limits_close_with_a_reason() {
    let (network, jm) = node().await;
    // Before the hello, on the control stream after it, on a stream of envelopes.
    let raw = Raw::link(&network, "TT", "JM").await;
    let mut control = raw.control().await;
    let length = limits::HELLO as u32 + 1;
    control.send.write_all(&length.to_be_bytes()).await.unwrap();
    expect_fault(&raw, "announced").await;

    for length in [limits::CONTROL as u32 + 1, u32::MAX] {
        let (raw, mut control) = linked(&network, &jm).await;
        control.send.write_all(&length.to_be_bytes()).await.unwrap();
        expect_fault(&raw, "announced").await;
    }
    for length in [0, limits::ENVELOPE as u32 + 1, u32::MAX] {
        let (raw, _control) = linked(&network, &jm).await;
        let mut stream = raw.connection.open_uni().await.unwrap();
        stream.write_all(&[4]).await.unwrap();
        stream.write_all(&length.to_be_bytes()).await.unwrap();
        expect_fault(
            &raw,
            if length == 0 {
                "empty frame"
            } else {
                "announced"
            },
        )
        .await;
        assert!(matches!(jm.down().await, Closed::Fault { .. }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_bytes_close_the_link_and_nothing_else() {
    let (network, jm) = node().await;
    let mut state = 1u64;
    let mut random = |length: usize| -> Vec<u8> {
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as u8
        };
        (0..length).map(|_| next()).collect()
    };
    for before in [true, false, false] {
        let (raw, mut control) = if before {
            let raw = Raw::link(&network, "TT", "JM").await;
            let control = raw.control().await;
            (raw, control)
        } else {
            linked(&network, &jm).await
        };
        let mut bytes = framed(&random(500));
        // Not a field of any message.
        bytes[4] = 0xff;
        control.send.write_all(&bytes).await.unwrap();
        expect_fault(&raw, "not protobuf").await;
    }
    for kind in [0, 5, 255] {
        let (raw, _control) = linked(&network, &jm).await;
        let mut stream = raw.connection.open_uni().await.unwrap();
        stream.write_all(&[kind, 0, 0]).await.unwrap();
        expect_fault(&raw, "a stream of kind").await;
    }
    assert!(
        linked(&network, &jm)
            .await
            .0
            .connection
            .close_reason()
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_in_the_middle_is_noticed() {
    let (network, jm) = node().await;
    // The stream of envelopes ends, or is reset, within a frame.
    for reset in [false, true] {
        let (raw, _control) = linked(&network, &jm).await;
        let mut stream = raw.connection.open_uni().await.unwrap();
        let bytes = [&[1][..], &framed(&[7; 100])[..50]].concat();
        stream.write_all(&bytes).await.unwrap();
        if reset {
            stream.reset(0u32.into()).unwrap();
        } else {
            stream.finish().unwrap();
        }
        expect_fault(&raw, "broke off").await;
    }
    // The control stream is stopped by the one who should read it.
    let (raw, control) = linked(&network, &jm).await;
    let link = jm.endpoint.link(code("TT")).unwrap();
    let RawControl {
        send: _send,
        reader,
    } = control;
    reader.stop_for_tests();
    for _ in 0..100 {
        link.control(Frame::Status(v1::Status::default()));
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    expect_fault(&raw, "broke off").await;
    // The whole process goes without a word: nothing to notice but the idle timeout; a proper
    // goodbye is noticed at once.
    let (raw, _control) = linked(&network, &jm).await;
    raw.connection.close(0u32.into(), b"bye");
    loop {
        if let Closed::ByPeer { reason, .. } = jm.down().await {
            assert_eq!(reason, "bye");
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_stream_of_one_precedence_is_refused() {
    let (network, jm) = node().await;
    let (raw, _control) = linked(&network, &jm).await;
    let mut streams = Vec::new();
    for _ in 0..2 {
        let mut stream = raw.connection.open_uni().await.unwrap();
        let bytes = [&[2][..], &framed(b"x")].concat();
        stream.write_all(&bytes).await.unwrap();
        streams.push(stream);
    }
    expect_fault(&raw, "a stream of kind 2").await;
}

/// A window of two, nothing of it dealt with: the third header ends the link. A count and a
/// sum of bytes are two limits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn envelopes_beyond_the_credit_are_refused() {
    for (envelopes, bytes, length) in [(2, 1 << 20, 10u32), (100, 25_000, 10_000)] {
        let network = Network::new(&["JM", "TT"], &["JM"]);
        let window = Window { envelopes, bytes };
        let jm = Node::start_with(&network, "JM", network.trust(), [1; 16], window).await;
        jm.listener.stall_all();
        let (raw, _control) = linked(&network, &jm).await;
        let mut streams = Vec::new();
        for kind in 1..=3u8 {
            let mut stream = raw.connection.open_uni().await.unwrap();
            let frame = framed(&vec![0; length as usize]);
            stream
                .write_all(&[&[kind][..], &frame].concat())
                .await
                .unwrap();
            streams.push(stream);
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            assert_eq!(raw.connection.close_reason().is_some(), kind == 3);
        }
        expect_fault(&raw, "beyond the credit").await;
    }
}
