//! Abeng's wire format.
//!
//! In scope: the protobuf messages of `proto/abeng/v1`, the limits that are checked before
//! anything is decoded, the one canonical encoding, the pre-authentication encoding and the
//! small types that every other crate names things with.
//!
//! Not in scope: what a message means. No cryptography but hashing labels happens elsewhere.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod canonical;
mod code;
mod frame;
mod hash;
pub mod limits;
mod pae;
mod secret;
mod time;

/// The messages of `proto/abeng/v1`, as prost generates them.
#[allow(missing_docs, clippy::all, rustdoc::all)]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/abeng.v1.rs"));
}

pub use canonical::{Malformed, SignedBytes, decode, decode_tolerant, encode};
pub use code::{BadCode, NetworkCode, PartyCode};
pub use frame::{FrameError, frame_header, put_frame, split_frame};
pub use hash::{Digest, EnvelopeId, Hash32, Kid, LeafHash};
pub use pae::{pae, pae_signature_type};
pub use prost;
pub use time::{Clock, Incarnation, LeafIndex, Millis, Mono, Now, StreamSeq};
