//! What a node takes from a peer on one link, and from strangers at its port: for whoever wants to
//! show it. Nobody can change these.

use crate::{Rate, admission, outbox::Lane};
use abeng_wire::v1::Precedence;

/// Strangers' handshakes under way: of all, and of one address.
pub const HANDSHAKES: (usize, usize) = (admission::TOTAL, admission::PER_ADDRESS);
/// Strangers' handshakes from a /24 of IPv4 or a /56 of IPv6.
pub const HANDSHAKES_NEAR: Rate = admission::PER_PREFIX;
/// Strangers' handshakes of all together, and those of seldom comers beside them.
pub const HANDSHAKES_ALL: (Rate, Rate) = (admission::FROM_ALL, admission::FRESH);
/// Handshakes from the addresses of a member, and how many of them may be under way.
pub const HANDSHAKES_MEMBER: (Rate, usize) = (admission::DOOR, admission::PER_PARTY);
/// Exchanges of trust data under way.
pub const EXCHANGES: usize = admission::EXCHANGES;
/// Links that one party begins.
pub const LINKS: Rate = admission::LINKS;

/// Bytes that wait for a peer that does not read: of each precedence, and of control frames.
pub fn unread() -> (usize, usize) {
    let envelopes = Lane::Envelopes(Precedence::Routine);
    (envelopes.backlog(), Lane::Control.backlog())
}
