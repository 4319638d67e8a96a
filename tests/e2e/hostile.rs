//! Strangers at the link port: they cost what they cost, and a running pair goes on. What the
//! protocol says to faults within a handshake or a link is tested in the link crate.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Network, notices::seizure, until};
use std::{
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// Sends rubbish of every size until told to stop: noise, and noise that begins like QUIC.
fn rubbish(to: SocketAddr, stop: &AtomicBool) -> u64 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut sent = 0;
    while !stop.load(Ordering::Relaxed) {
        let mut datagram: Vec<u8> = (0..sent * 37 % 1472)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        let head: &[u8] = match sent % 5 {
            // A long header: version 1, an unknown version, version negotiation; a short one.
            0 => &[0xc3, 0, 0, 0, 1, 8],
            1 => &[0xc0, 0xba, 0xbe, 0xba, 0xbe, 8],
            2 => &[0x80, 0, 0, 0, 0, 20],
            3 => &[0x41],
            _ => &[],
        };
        let length = head.len().min(datagram.len());
        datagram[..length].copy_from_slice(&head[..length]);
        // A full buffer loses it; that is no matter.
        let _ = socket.send_to(&datagram, to);
        sent += 1;
        if sent % 50 == 0 {
            thread::sleep(Duration::from_millis(1));
        }
    }
    sent
}

/// Stands where TT should be. Whoever dials TT is led to another node instead, and each time
/// forsaken after some datagrams: handshakes that begin well and stop in the middle.
fn half_handshakes(at: SocketAddr, to: SocketAddr, stop: &AtomicBool, passed: &[AtomicU64; 2]) {
    let front = UdpSocket::bind(at).unwrap();
    let back = UdpSocket::bind("127.0.0.1:0").unwrap();
    for socket in [&front, &back] {
        socket
            .set_read_timeout(Some(Duration::from_millis(2)))
            .unwrap();
    }
    let mut caller = None;
    let mut buffer = [0; 2048];
    while !stop.load(Ordering::Relaxed) {
        if let Ok((length, from)) = front.recv_from(&mut buffer) {
            caller = Some(from);
            // The first flights reach it, what would finish the handshake does not.
            if passed[0].fetch_add(1, Ordering::Relaxed) % 8 < 5 {
                back.send_to(&buffer[..length], to).unwrap();
            }
        }
        if let (Ok((length, _)), Some(caller)) = (back.recv_from(&mut buffer), caller) {
            passed[1].fetch_add(1, Ordering::Relaxed);
            front.send_to(&buffer[..length], caller).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rubbish_and_half_handshakes_do_not_disturb_a_running_pair() {
    let network = Network::found(&["LC:coordination", "JM", "TT"]);
    let [mut lc, mut jm, tt] = [network.node("LC"), network.node("JM"), network.node("TT")];
    let stop = Arc::new(AtomicBool::new(false));
    let passed = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    let impostor = {
        let (at, to, stop, passed) = (tt.link(), lc.link(), stop.clone(), passed.clone());
        thread::spawn(move || half_handshakes(at, to, &stop, &passed))
    };
    lc.spawn();
    jm.spawn();
    lc.linked(1).await;
    // Both dial at their start, and the second connection may take over from the first: that is
    // over when the link has stood for some time.
    let before = jm
        .until("with a link that stands", |status| {
            let stands = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(2);
            let link = status.links.iter().find(|l| l.peer == "LC" && l.linked);
            let since = link.and_then(|l| l.since.as_ref());
            since.is_some_and(|s| s.parse::<jiff::Timestamp>().unwrap() < stands)
        })
        .await;
    let noise = [lc.link(), jm.link()].map(|to| {
        let stop = stop.clone();
        thread::spawn(move || rubbish(to, &stop))
    });
    until("handshakes have gone both ways", async || {
        passed
            .iter()
            .all(|n| n.load(Ordering::Relaxed) >= 3)
            .then_some(())
    })
    .await;
    // Both directions work as if nobody else were there.
    for nth in 0..20 {
        let remarks = format!("through the noise {nth}");
        jm.client.submit(&seizure(&["LC"], &remarks)).await.unwrap();
        lc.client.submit(&seizure(&["JM"], &remarks)).await.unwrap();
    }
    for node in [&jm, &lc] {
        until("all is settled in the noise", async || {
            node.settled().await.then_some(())
        })
        .await;
    }
    for node in [&jm, &lc] {
        assert_eq!(node.inbox().await.len(), 20);
    }
    stop.store(true, Ordering::Relaxed);
    impostor.join().unwrap();
    for noise in noise {
        let sent = noise.join().unwrap();
        assert!(sent > 1000, "only {sent} datagrams of rubbish");
    }

    // The link is the one from before, and nobody was taken for TT.
    let after = jm.client.status().await.unwrap();
    let link = |status: &abeng_api::StatusView, peer: &str| {
        status.links.iter().find(|l| l.peer == peer).cloned()
    };
    assert_eq!(
        link(&after, "LC").unwrap().since,
        link(&before, "LC").unwrap().since,
        "the link was made again\n{}\n{}",
        jm.log(),
        lc.log()
    );
    for node in [&mut jm, &mut lc] {
        let status = node.client.status().await.unwrap();
        assert!(link(&status, "TT").is_none_or(|l| !l.linked), "{status:?}");
        assert!(!node.log().contains("panicked"), "{}", node.log());
        node.stop().await;
        node.run(&["audit", "verify"]).ok();
    }
}
