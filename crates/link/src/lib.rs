//! QUIC links between Abeng nodes.
//!
//! In scope: one authenticated connection to each other party (TLS 1.3 with X25519MLKEM768 and
//! raw public keys from the roster), the hello in which both sides prove who they are, credit,
//! priorities, which of two connections stays, dialling, and the bounded exchange of trust data
//! with peers whose roster differs. [`session`] is free of IO, so that a simulator can run it.
//!
//! Not in scope: what an envelope, a receipt or a roster says. The [`Handler`] decides that;
//! whatever it sends must already be durable.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod accept;
mod admission;
mod attachment;
mod backoff;
pub mod bounds;
mod congestion;
mod core;
mod delivered;
mod dial;
mod doors;
mod endpoint;
mod error;
mod exchange;
mod frames;
mod greet;
mod handler;
mod kx;
mod link;
mod outbox;
mod profile;
mod rate;
#[cfg(feature = "raw")]
pub mod raw;
mod serve;
pub mod session;
mod socket;
mod tls;

#[cfg(test)]
mod tests;

pub use attachment::{AttachmentReceiver, AttachmentSender, BrokeOff, NotTaken};
pub use delivered::Delivered;
pub use endpoint::{Endpoint, LinkConfig};
pub use error::{CloseCode, Closed, LinkError, PeerFault};
pub use handler::{Greeting, Handler};
pub use link::{Link, LinkStats};
pub use profile::Profile;
pub use rate::{PeerLimits, Rate};
