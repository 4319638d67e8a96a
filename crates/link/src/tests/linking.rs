use super::support::*;
use crate::{CloseCode, Closed, Endpoint, LinkConfig, LinkError, Profile, link::lock};
use abeng_wire::{limits, v1};
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use v1::Precedence::{Flash, Immediate, Priority, Routine};

fn numbered(number: u32, length: usize) -> Bytes {
    let mut frame = vec![0xab; length.max(4)];
    frame[..4].copy_from_slice(&number.to_be_bytes());
    frame.into()
}

fn number(frame: &Bytes) -> u32 {
    u32::from_be_bytes(frame[..4].try_into().unwrap())
}

/// More than the credit, of all precedences, both ways: the link waits for credit, gets it, and
/// keeps the order within each precedence.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn envelopes_pass_both_ways_in_order_per_precedence() {
    const COUNT: u32 = 3000;
    let network = Network::new(&["JM", "TT"], &["TT"]);
    let (jm, tt) = tokio::join!(network.node("JM"), network.node("TT"));
    let (to_tt, to_jm) = tokio::join!(jm.up(), tt.up());
    assert_eq!((to_tt.peer(), to_jm.peer()), (code("TT"), code("JM")));
    assert_eq!(to_jm.hello().own, "JM");
    for n in 0..COUNT {
        let precedence = [Flash, Immediate, Priority, Routine][n as usize % 4];
        // Some longer than what is copied into a batch.
        let length = if n.is_multiple_of(100) { 100_000 } else { 500 };
        to_tt.send(precedence, numbered(n, length));
        to_jm.send(precedence, numbered(n, length));
    }
    for node in [&jm, &tt] {
        let mut last: BTreeMap<i32, u32> = BTreeMap::new();
        for _ in 0..COUNT {
            let (precedence, frame) = node.envelope().await;
            let n = number(&frame);
            assert_eq!(
                frame.len(),
                if n.is_multiple_of(100) { 100_000 } else { 500 }
            );
            let before = last.insert(precedence as i32, n);
            assert!(
                before.is_none_or(|b| b + 4 == n),
                "{precedence:?}: {before:?} then {n}"
            );
        }
        assert_eq!(last.len(), 4);
    }
    assert!(to_tt.stats().sent > 1_000_000 && to_tt.rtt() < Duration::from_secs(1));
    assert!(to_tt.clock_offset_ms().is_some_and(|ms| ms.abs() < 1000));
    jm.endpoint.shutdown().await;
    assert!(matches!(
        tt.down().await,
        Closed::ByPeer {
            code: Some(CloseCode::Shutdown),
            ..
        }
    ));
    tt.endpoint.shutdown().await;
}

/// A recipient that does not deal with ROUTINE holds up ROUTINE only, and the sender's QUIC
/// buffers and the recipient's memory stay bounded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flash_overtakes_what_is_stuck() {
    let network = Network::new(&["JM", "TT"], &["TT"]);
    let (jm, tt) = tokio::join!(network.node("JM"), network.node("TT"));
    let all = tt.listener.tap.forget_permits(1 << 20);
    let (link, _) = tokio::join!(jm.up(), tt.up());
    let large = 1 << 20;
    for n in 0..40 {
        link.send(Routine, numbered(n, large));
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(tt.listener.taken.load(Ordering::Relaxed), 0);
    let start = std::time::Instant::now();
    link.send(Flash, numbered(1000, 4096));
    assert_eq!(tt.envelope().await.0, Flash);
    assert!(
        start.elapsed() < Duration::from_millis(500),
        "{:?}",
        start.elapsed()
    );
    assert!(
        link.stats().sent < 12 * (1 << 20),
        "{} bytes went out for a peer that deals with none",
        link.stats().sent
    );
    tt.listener.tap.add_permits(all);
    for n in 0..40 {
        assert_eq!(number(&tt.envelope().await.1), n);
    }
}

/// Both dial at the same moment, again and again: one link is left, the same on both sides, and
/// the connection that was given up loses nothing that was sent on the one that stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simultaneous_dials_end_in_one_link() {
    for _ in 0..3 {
        let network = Network::new(&["JM", "TT"], &["JM", "TT"]);
        let (jm, tt) = tokio::join!(network.node("JM"), network.node("TT"));
        jm.endpoint.wake(code("TT"));
        tt.endpoint.wake(code("JM"));
        tokio::join!(jm.up(), tt.up());
        tokio::time::sleep(Duration::from_millis(2500)).await;
        let link = |node: &Node| {
            let links = node.endpoint.links();
            assert_eq!(links.len(), 1);
            links[0].clone()
        };
        let (a, b) = (link(&jm), link(&tt));
        assert_eq!(a.shared().sides.dialler, b.shared().sides.dialler);
        assert_eq!(a.remote_addr(), tt.endpoint.local_addr());
        a.send(Flash, numbered(1, 10));
        b.send(Flash, numbered(2, 10));
        let (at_tt, at_jm) = tokio::join!(tt.envelope(), jm.envelope());
        assert_eq!((number(&at_tt.1), number(&at_jm.1)), (1, 2));
        assert_eq!(jm.endpoint.core_connections(), 1);
        assert_eq!(tt.endpoint.core_connections(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_peer_is_linked_again() {
    let network = Network::new(&["JM", "TT"], &["JM", "TT"]);
    let jm = network.node("JM").await;
    let mut tt = network.node("TT").await;
    for boot in 2..5 {
        tokio::join!(jm.up(), tt.up());
        // Let a second connection, if both dialled, come to its end.
        tokio::time::sleep(Duration::from_millis(300)).await;
        tt.endpoint.shutdown().await;
        assert!(tt.endpoint.links().is_empty());
        drop(tt);
        while jm.endpoint.link(code("TT")).is_some() {
            jm.down().await;
        }
        tt = Node::start(&network, "TT", network.trust(), [boot; 16]).await;
    }
    tokio::join!(jm.up(), tt.up());
}

/// The old process is gone without a word, its connection not yet timed out: the new boot id
/// takes over at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_boot_id_replaces_at_once() {
    let network = Network::new(&["JM", "TT"], &["JM"]);
    let jm = network.node("JM").await;
    let old = Raw::link(&network, "TT", "JM").await;
    let _old_control = old.ready(&network, "TT", "JM", [1; 16]).await;
    let first = jm.up().await;
    let new = Raw::link(&network, "TT", "JM").await;
    let _new_control = new.ready(&network, "TT", "JM", [2; 16]).await;
    assert_eq!(jm.down().await, Closed::Replaced);
    let second = jm.up().await;
    assert!(second.session() > first.session());
    assert_eq!(old.closed().await.0, CloseCode::Replaced as u64);
    assert_eq!(
        jm.endpoint.link(code("TT")).unwrap().session(),
        second.session()
    );
    first.close("a dead handle does nothing");
    second.close("enough");
    assert_eq!(
        new.closed().await,
        (CloseCode::Chosen as u64, "closed here: enough".into())
    );
}

/// What was sent before the stop still arrives, even where the recipient has it but has not
/// looked at it yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_drains() {
    let network = Network::new(&["JM", "TT"], &["TT"]);
    let (jm, tt) = tokio::join!(network.node("JM"), network.node("TT"));
    let all = tt.listener.tap.forget_permits(1 << 20);
    let (link, _) = tokio::join!(jm.up(), tt.up());
    for n in 0..100 {
        link.send(Routine, numbered(n, 10_000));
    }
    link.control(v1::control::Frame::Status(v1::Status {
        time: 7,
        ..v1::Status::default()
    }));
    let start = std::time::Instant::now();
    let late = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        tt.listener.tap.add_permits(all);
    };
    tokio::join!(jm.endpoint.shutdown(), late);
    assert!(start.elapsed() < Duration::from_secs(4));
    let mut next = 0;
    let mut told = false;
    while next < 100 || !told {
        tt.until(|event| {
            match event {
                Event::Envelope(_, frame) => {
                    assert_eq!(number(&frame), next);
                    next += 1;
                }
                Event::Status(status) => told = status.time == 7,
                _ => return None,
            }
            Some(())
        })
        .await;
    }
    link.send(Priority, numbered(0, 10));
    assert!(jm.endpoint.links().is_empty());
}

/// A path of 2 Mbit/s with half a minute of other notices before it: FLASH has the path to
/// itself, credit included. Sharing it with three others would take 1.6 s; losses may spoil a try or two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flash_overtakes_on_a_slow_path() {
    let mut network = Network::new(&["JM", "TT"], &["TT"]);
    let proxy = network.address("TT");
    network.move_to_free_port("TT");
    let proxy = tokio::spawn(slow_path(proxy, network.address("TT"), 250_000));
    let (jm, tt) = tokio::join!(network.node("JM"), network.node("TT"));
    let (link, _) = tokio::join!(jm.up(), tt.up());
    for n in 0..700 {
        for precedence in [Immediate, Priority, Routine] {
            link.send(precedence, numbered(n, 4096));
        }
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let start = std::time::Instant::now();
        link.send(Flash, numbered(7, 100_000));
        while tt.envelope().await.0 != Flash {}
        best = best.min(start.elapsed());
    }
    assert!(best < Duration::from_millis(1000), "FLASH took {best:?}");
    assert!(tt.listener.taken.load(Ordering::Relaxed) < 1500);
    proxy.abort();
}

/// A backlog that no credit explains ends the link instead of filling memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_does_not_read_is_given_up() {
    let network = Network::new(&["JM", "TT"], &["JM"]);
    let jm = network.node("JM").await;
    let raw = Raw::link(&network, "TT", "JM").await;
    let _control = raw.ready(&network, "TT", "JM", [1; 16]).await;
    let link = jm.up().await;
    let frame = numbered(0, limits::NOTICE);
    for _ in 0..100 {
        link.send(Routine, frame.clone());
    }
    let why = jm.down().await;
    assert!(why.to_string().contains("does not read"), "{why}");
    // Frames that no peer would take are not sent, and end nothing.
    let raw = Raw::link(&network, "TT", "JM").await;
    let mut control = raw.ready(&network, "TT", "JM", [1; 16]).await;
    let link = jm.up().await;
    link.send(Routine, Bytes::new());
    link.send(v1::Precedence::Unspecified, numbered(0, 9));
    link.send(Routine, vec![0; limits::ENVELOPE + 1].into());
    link.control(v1::control::Frame::Status(v1::Status {
        software: "x".repeat(limits::CONTROL),
        ..v1::Status::default()
    }));
    link.control(v1::control::Frame::Want(v1::Want::default()));
    loop {
        match control.read().await.expect("the link stays") {
            v1::control::Frame::Want(_) => break,
            v1::control::Frame::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_in_use_is_said_so() {
    let network = Network::new(&["JM", "TT"], &["JM"]);
    let jm = network.node("JM").await;
    let start = |listen: &str| {
        let config = LinkConfig {
            me: code("JM"),
            listen: listen.parse().unwrap(),
            profile: Profile::Satellite,
            profiles: Default::default(),
            limits: Default::default(),
            boot_id: [1; 16],
        };
        let key = Arc::clone(network.keyring("JM").node_tls());
        Endpoint::start(
            config,
            key,
            Arc::clone(&jm.trust),
            Arc::clone(&jm.listener) as _,
        )
    };
    let taken = start(&jm.endpoint.local_addr().to_string())
        .await
        .unwrap_err();
    assert!(matches!(taken, LinkError::PortTaken { .. }), "{taken}");
    let elsewhere = start("192.0.2.1:0").await.unwrap_err();
    assert!(
        matches!(elsewhere, LinkError::NoAddress { .. }),
        "{elsewhere}"
    );
    let other = start("127.0.0.1:0").await.unwrap();
    assert_ne!(other.local_addr().port(), 0);
}

impl Endpoint {
    /// Connections that are open or still close.
    fn core_connections(&self) -> usize {
        assert!(lock(&self.core_for_tests().links).len() <= 1);
        self.core_for_tests().quic.open_connections()
    }
}
