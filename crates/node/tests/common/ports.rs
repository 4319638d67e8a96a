//! Ports that stay free until a node takes them, and while it is stopped.

use std::{
    net::UdpSocket,
    ops::Range,
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// Below those that the system gives to sockets that ask for any, as those of other tests do.
const PORTS: Range<u16> = 10_000..32_000;
/// No test has more nodes.
const MOST: u16 = 16;

/// The first of so many UDP ports in a row that nobody uses and no other test of this process is given. Begins at a
/// place of this process's own.
pub fn free_ports(count: u16) -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    assert!(count <= MOST);
    let slots = u32::from((PORTS.end - PORTS.start) / MOST);
    let first = process::id().wrapping_mul(2_654_435_761) >> 8;
    let free = |base: u16| (0..count).all(|n| UdpSocket::bind(("127.0.0.1", base + n)).is_ok());
    (0..slots)
        .map(|_| {
            let slot = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % slots;
            PORTS.start + u16::try_from(slot).unwrap() * MOST
        })
        .find(|&base| free(base))
        .unwrap()
}
