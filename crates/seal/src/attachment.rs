//! Attachments: files too large for a notice, each encrypted under a key of its own that rests in
//! the notice, and named by the tree over the pieces of its ciphertext.
//!
//! Encrypted and decrypted chunk by chunk: never more in memory than a chunk of 64 KiB and the
//! hashes of the pieces (2,048 for the largest). Nobody needs the key to check a piece.

mod cipher;
mod pieces;

pub use cipher::{AttachmentFault, AttachmentKey, AttachmentOpener, AttachmentSealer};
pub use pieces::{AttachmentRef, BadPiece, BadPieces, PieceHasher, Pieces, piece_hash};

use crate::body::{CHUNK, TAG};
use abeng_wire::limits;

/// Ciphertext bytes of a chunk, its tag included.
pub const ATTACHMENT_CHUNK: usize = CHUNK + TAG;

/// Bytes of ciphertext of an attachment of `plain` bytes; `None` where there can be none: an empty
/// file, or one that would be longer than the limit.
pub fn attachment_len(plain: u64) -> Option<u64> {
    let tags = plain.div_ceil(CHUNK as u64).checked_mul(TAG as u64)?;
    let length = plain.checked_add(tags)?;
    (plain > 0 && length <= limits::ATTACHMENT).then_some(length)
}

/// Bytes of the file whose ciphertext has `cipher` bytes; `None` where no file has one so long.
pub fn attached_len(cipher: u64) -> Option<u64> {
    let tags = cipher.div_ceil(ATTACHMENT_CHUNK as u64) * TAG as u64;
    let plain = cipher.checked_sub(tags)?;
    (attachment_len(plain) == Some(cipher)).then_some(plain)
}

#[cfg(test)]
mod tests;
