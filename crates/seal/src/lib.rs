//! The Abeng envelope: seal, verify and open.
//!
//! In scope: suite 1 of PROTOCOL.md "Envelope": PRE, TRL and HDR, X-Wing stanzas, the padded and
//! chunked body, attachments, the commitments, the one signature, the originator's own copy, `Void`, the
//! `Want` that a relay carries, and the order of the checks on the way in. Each stage accepts only the type the stage before made:
//! bytes → [`Arrived`] → [`Verified`] → [`Opened`].
//!
//! Not in scope: who may send what to whom (`roster::Policy`), what a notice means (`notice`),
//! whether an envelope is already known, quotas and stream gaps (`queue`). No clock, no
//! randomness of its own, no IO: time, entropy and keys are arguments.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod arrived;
mod attachment;
mod body;
mod cache;
mod derive;
mod header;
mod layout;
mod measure;
mod open;
mod rules;
mod sealing;
mod stanza;
mod stream;
mod verify;
mod void;
mod want;

pub use arrived::{Arrived, CarrierFault, CarrierWhy};
pub use attachment::{
    ATTACHMENT_CHUNK, AttachmentFault, AttachmentKey, AttachmentOpener, AttachmentRef,
    AttachmentSealer, BadPiece, BadPieces, PieceHasher, Pieces, attached_len, attachment_len,
    piece_hash,
};
pub use body::{body_len, padded_len, padme};
pub use cache::{BoxCache, OpenedBoxes};
pub use derive::{envelope_id, seq_commit};
pub use header::{DisclosureFault, HeaderFault, SignedHeader};
pub use layout::Misframed;
pub use measure::{MeasureInput, Measured, measure};
pub use open::{
    ContentKey, OpenFault, OpenStep, Opened, Reopened, open, own_content_key, received_content_key,
    reopen_own, reopen_received,
};
pub use rules::Broken;
pub use sealing::{SealError, SealInput, Sealed, seal};
pub use stream::StreamFault;
pub use verify::{OriginatorWhy, Rejected, Verified, VerifyFault, verify};
pub use void::{sign_void, verify_void};
pub use want::{sign_want, verify_want};
