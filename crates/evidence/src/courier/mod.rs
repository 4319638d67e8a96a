//! Courier files: what a link would carry, on a stick.
//!
//! Both ends are without IO and hold one frame in memory. Nothing here is believed: a length is
//! checked against the limit of its kind before a byte of it is kept, and what stands in a frame is
//! judged by whoever takes it.

mod fault;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use fault::{CourierFault, Damage};
pub use read::{CourierReader, Found};
pub use write::CourierWriter;

use abeng_audit_log::subject;
use abeng_wire::{Digest, limits, pae_signature_type, v1};
use bytes::Bytes;
use v1::CourierKind;

/// The first line of a courier file.
const FIRST_LINE: &[u8] = b"Abeng courier file 1: look at it with `abeng courier show FILE`\n";
/// Bytes before a frame's message: its kind and its length.
const HEAD: usize = 5;
/// The version of what follows the first line.
const VERSION: u32 = 1;

/// One thing that a courier file carries.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// Roots, rosters, freshness and seal keys.
    Trust(v1::TrustBundle),
    /// A checkpoint of the maker's log, with the proof that it continues an older one.
    Checkpoint(v1::CheckpointFrame),
    /// Numbers of the recipient's stream that the maker misses.
    Want(v1::Want),
    /// The maker's word that numbers will not come.
    Void(v1::Signed),
    /// Receipts under one checkpoint, each with its whole path.
    Receipts(v1::Receipts),
    /// An encoded envelope.
    Envelope(Bytes),
    /// A file of a notice, whose pieces follow.
    Attachment(v1::CourierAttachment),
    /// The next piece of that file: bytes of its ciphertext.
    Piece(Bytes),
    /// What the maker misses of a file that was sent to it.
    AttachmentWant(v1::AttachmentWant),
}

/// What an Exported leaf has for its subject, where a courier file was made.
pub fn courier_subject(header: &v1::CourierHeader) -> Digest {
    subject(
        &pae_signature_type("courier.v1"),
        &abeng_wire::encode(header),
    )
}

/// The most that a frame of a kind may hold; `None` for kinds that this program does not know.
fn limit(kind: CourierKind) -> Option<usize> {
    Some(match kind {
        CourierKind::Unspecified => return None,
        CourierKind::CourierHeader | CourierKind::CourierClose => limits::COURIER_HEADER,
        CourierKind::CourierTrust => limits::TRUST_BUNDLE,
        CourierKind::CourierCheckpoint => limits::CHECKPOINT + limits::PROOF_HASHES * 34 + 64,
        CourierKind::CourierWant | CourierKind::CourierVoid => limits::STATEMENT,
        CourierKind::CourierReceipts => limits::CONTROL,
        CourierKind::CourierEnvelope => limits::ENVELOPE,
        CourierKind::CourierAttachment => limits::ATTACHMENT_HEADER,
        CourierKind::CourierPiece => limits::ATTACHMENT_PIECE,
        CourierKind::CourierAttachmentWant => limits::STATEMENT,
    })
}
