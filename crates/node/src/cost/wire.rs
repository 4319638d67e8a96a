//! What goes over a path for an envelope and for a file: with headers, acknowledgements and
//! receipts. Reckoned, but for the lengths of what Abeng itself writes.

use crate::metered::DATAGRAM;
use abeng_seal::AttachmentRef;
use abeng_wire::{encode, v1};
use bytes::Bytes;

/// Bytes of a stream in one packet, before a larger path is found out.
const IN_PACKET: u64 = 1_160;
/// QUIC's own part of a packet: header, stream frame, tag.
const QUIC: u64 = 40;
/// A packet that acknowledges two others.
const ACK: u64 = 45;
/// A frame's length, and a lane's first byte now and then.
const FRAME: u64 = 5;
/// The receipt of one delivery: two leaves, the nodes between, a checkpoint; and the news of credit.
const RECEIPT: u64 = 1_600;
/// A new link, as measured: the handshake with its hybrid key exchange, hello, ready, first checkpoints.
const HANDSHAKE: u64 = 7_000;

/// Bytes over a path, all headers included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Traffic {
    /// From here.
    pub(super) sent: u64,
    /// To here.
    pub(super) received: u64,
}

impl Traffic {
    /// Both ways.
    pub(super) fn both(self) -> u64 {
        self.sent.saturating_add(self.received)
    }

    fn of(out: u64, back: u64) -> Self {
        Self {
            sent: whole(out) + acks(back),
            received: whole(back) + acks(out),
        }
    }
}

impl std::iter::Sum for Traffic {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            sent: sum.sent + one.sent,
            received: sum.received + one.received,
        })
    }
}

/// Of an envelope of so many bytes and its receipt.
pub(super) fn envelope(bytes: u64, linked: bool) -> Traffic {
    let traffic = Traffic::of(bytes + FRAME, RECEIPT);
    let hello = if linked { 0 } else { HANDSHAKE };
    Traffic {
        sent: traffic.sent + hello,
        received: traffic.received + hello,
    }
}

/// Of a file that comes whole in so many streams: a want for each, and the receipt, come back.
pub(super) fn file(of: AttachmentRef, streams: u64) -> Traffic {
    let zeros = |n: u64| Bytes::from(vec![0; n as usize]);
    let header = |hashes: u64| {
        let header = encode(&v1::AttachmentHeader {
            root: zeros(32),
            length: of.length,
            first_piece: of.pieces(),
            hashes: zeros(32 * hashes),
        });
        header.len() as u64 + FRAME
    };
    let want = encode(&v1::AttachmentWant {
        envelope_id: zeros(32),
        root: zeros(32),
        length: of.length,
        first_piece: of.pieces(),
        hashes: v1::AttachmentHashes::Wanted.into(),
        pieces: of.pieces(),
    });
    let want = want.len() as u64 + FRAME;
    let first = Traffic::of(
        of.length + header(of.pieces()) + FRAME * of.pieces(),
        want + RECEIPT,
    );
    // The hashes are there, and each frame makes a packet of its own.
    let next = Traffic::of(header(0), want);
    let times = streams.saturating_sub(1);
    Traffic {
        sent: first.sent + times * next.sent,
        received: first.received + times * next.received,
    }
}

/// Of one piece of so many bytes, both ways.
pub(crate) fn piece(bytes: u64) -> u64 {
    Traffic::of(bytes + FRAME, 0).both()
}

fn packets(bytes: u64) -> u64 {
    bytes.div_ceil(IN_PACKET)
}

/// With what each packet adds.
fn whole(bytes: u64) -> u64 {
    bytes + packets(bytes) * (QUIC + DATAGRAM)
}

/// What acknowledges so many bytes.
fn acks(bytes: u64) -> u64 {
    packets(bytes).div_ceil(2) * (ACK + DATAGRAM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packet_pays_for_its_headers() {
        let small = envelope(1, true);
        assert!(small.sent > 1 + DATAGRAM && small.sent < 400, "{small:?}");
        assert!((RECEIPT..RECEIPT + 400).contains(&small.received));
        let large = envelope(1_160_000, true).sent;
        assert!(large > 1_160_000 + 1000 * (QUIC + DATAGRAM), "{large}");
        assert!(large < 1_160_000 * 11 / 10, "{large}");
        assert_eq!(envelope(1, false).sent, small.sent + HANDSHAKE);
    }

    #[test]
    fn a_file_pays_for_its_hashes_and_for_a_receipt() {
        let of = |length| AttachmentRef {
            root: [0; 32],
            length,
        };
        let small = file(of(17), 1);
        assert!(small.sent > 17 + 32 + 32 && small.sent < 600, "{small:?}");
        assert!(small.received > RECEIPT + 64, "{small:?}");
        let length = 100 << 20;
        let large = file(of(length), 1);
        let bare = length + length.div_ceil(IN_PACKET) * (QUIC + DATAGRAM);
        assert!(large.sent > bare + 100 * 32, "{large:?}");
        assert!(large.sent < bare + 100 * 64, "{large:?}");
        // Half as many acknowledgements as packets.
        let acks = length / IN_PACKET / 2 * (ACK + DATAGRAM);
        assert!((acks..acks + 5_000).contains(&large.received), "{large:?}");
        // Piece by piece it is asked for a hundred times, and its hashes go once.
        let apart = file(of(length), 100);
        let more = apart.sent - large.sent;
        assert!((99 * 64..99 * 500).contains(&more), "{apart:?}");
        let asked = apart.received - large.received;
        assert!((99 * 64..99 * 500).contains(&asked), "{apart:?}");
    }
}
