//! Peers that send too much, too fast, and a node that does not want to dial.

use super::support::*;
use crate::{CloseCode, PeerLimits, Rate, session::Window};
use abeng_wire::v1;
use bytes::Bytes;
use std::{sync::atomic::Ordering, time::Duration};
use v1::{Precedence, control::Frame};

/// A link of a raw TT to a JM with these limits.
async fn linked(limits: PeerLimits) -> (Network, Node, Raw, RawControl) {
    let network = Network::new(&["JM", "TT"], &["JM"]);
    let trust = network.trust();
    let jm = Node::start_limited(&network, "JM", trust, [1; 16], (Window::default(), limits));
    let raw = Raw::link(&network, "TT", "JM").await;
    let control = raw.ready(&network, "TT", "JM", [5; 16]).await;
    jm.up().await;
    (network, jm, raw, control)
}

fn want() -> Bytes {
    let want = v1::Want {
        originator: "JM".into(),
        incarnation: 7,
        ..v1::Want::default()
    };
    crate::outbox::control_frame(Frame::Want(want))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_questions_costs_the_link() {
    let limits = PeerLimits {
        asking: Rate {
            per_s: 1,
            burst: 50,
        },
        ..PeerLimits::default()
    };
    let (_network, jm, raw, mut control) = linked(limits).await;
    // What a quiet peer asks at most is answered.
    control.send.write_all(&want().repeat(40)).await.unwrap();
    control.write(Frame::Ping(v1::Ping::default())).await;
    while !matches!(control.read().await, Some(Frame::Pong(_))) {}
    let _ = control.send.write_all(&want().repeat(5_000)).await;
    let (code, reason) = raw.closed().await;
    assert_eq!(code, CloseCode::Fault as u64, "{reason}");
    assert!(reason.contains("too many control frames"), "{reason}");
    assert!(reason.contains("want"), "{reason}");
    jm.down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_link_brings_no_new_burst() {
    let limits = PeerLimits {
        asking: Rate {
            per_s: 1,
            burst: 1000,
        },
        ..PeerLimits::default()
    };
    let (network, jm, raw, mut control) = linked(limits).await;
    control.send.write_all(&want().repeat(900)).await.unwrap();
    control.write(Frame::Ping(v1::Ping::default())).await;
    while !matches!(control.read().await, Some(Frame::Pong(_))) {}
    raw.connection.close(0u32.into(), b"and once more");
    jm.down().await;

    let raw = Raw::link(&network, "TT", "JM").await;
    let mut control = raw.ready(&network, "TT", "JM", [6; 16]).await;
    jm.up().await;
    let _ = control.send.write_all(&want().repeat(900)).await;
    let (code, reason) = raw.closed().await;
    assert_eq!(code, CloseCode::Fault as u64, "{reason}");
    assert!(reason.contains("too many control frames"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn envelopes_beyond_the_pace_wait_and_flash_does_not_wait_for_them() {
    let limits = PeerLimits {
        envelopes: Rate {
            per_s: 1,
            burst: 10,
        },
        ..PeerLimits::default()
    };
    let (_network, jm, raw, _control) = linked(limits).await;
    let mut routine = raw.connection.open_uni().await.unwrap();
    routine
        .write_all(&[Precedence::Routine as u8])
        .await
        .unwrap();
    routine
        .write_all(&framed(b"slow").repeat(1000))
        .await
        .unwrap();
    for _ in 0..10 {
        assert_eq!(jm.envelope().await.0, Precedence::Routine);
    }
    let mut flash = raw.connection.open_uni().await.unwrap();
    flash.write_all(&[Precedence::Flash as u8]).await.unwrap();
    flash.write_all(&framed(b"flash")).await.unwrap();
    let mut before = 0;
    while jm.envelope().await.0 != Precedence::Flash {
        before += 1;
        assert!(before < 500, "FLASH waits behind ROUTINE");
    }
    assert!(
        raw.connection.close_reason().is_none(),
        "waiting is no fault"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_does_not_want_to_dial_waits_until_it_does() {
    let mut network = Network::new(&["JM", "TT"], &["JM"]);
    let jm = network.node("JM").await;
    network.dials_nobody = true;
    let tt = network.node("TT").await;
    let asked = |times| {
        let listener = tt.listener.clone();
        async move {
            while listener.asked.load(Ordering::SeqCst) < times {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    asked(1).await;
    // One that dialled all the same would be linked, and not be asked again.
    for n in 2..5 {
        tt.endpoint.wake(code("JM"));
        asked(n).await;
    }
    assert!(jm.endpoint.links().is_empty());
    tt.listener.keeps.store(false, Ordering::SeqCst);
    tt.endpoint.wake(code("JM"));
    tt.up().await;
}
