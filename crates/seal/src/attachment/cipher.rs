use super::{ATTACHMENT_CHUNK, attached_len};
use crate::body::{CHUNK, TAG, chacha, nonce};
use abeng_keys::Entropy;
use abeng_wire::{limits, pae};
use ring::aead::{Aad, LessSafeKey};
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// Why an attachment was not encrypted or not decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentFault {
    /// A file of no bytes cannot be attached.
    #[error("an empty file cannot be attached")]
    Empty,
    /// Its ciphertext would be longer than the limit.
    #[error("a file longer than an attachment can be")]
    TooLong,
    /// A ciphertext of a length that none has.
    #[error("a ciphertext of {0} bytes, which is no attachment's")]
    Length(u64),
    /// A chunk that is not of this attachment, or not in its place, or not whole.
    #[error("chunk {0} is damaged or of another attachment")]
    Chunk(u64),
}

/// The key of one attachment. It encrypts that one file and nothing else, ever.
#[derive(Clone, PartialEq, Eq)]
pub struct AttachmentKey(Zeroizing<[u8; 32]>);

impl AttachmentKey {
    /// A new one.
    pub fn generate(entropy: &mut dyn Entropy) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        entropy.fill(&mut key[..]);
        Self(key)
    }

    /// From a notice: 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let key = bytes.try_into().ok()?;
        Some(Self(Zeroizing::new(key)))
    }

    /// As a notice holds it. Secret.
    pub fn secret(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for AttachmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttachmentKey(…)")
    }
}

fn aad() -> Vec<u8> {
    pae("abeng/1/attachment", b"")
}

/// Encrypts a file as it is read.
pub struct AttachmentSealer {
    key: LessSafeKey,
    aad: Vec<u8>,
    // The chunk that is being filled: whether it is the last shows only when more comes.
    chunk: Vec<u8>,
    chunks: usize,
    plain: u64,
}

impl AttachmentSealer {
    /// For a key that has encrypted nothing.
    pub fn new(key: &AttachmentKey) -> Self {
        Self {
            key: chacha(&key.0),
            aad: aad(),
            chunk: Vec::with_capacity(ATTACHMENT_CHUNK),
            chunks: 0,
            plain: 0,
        }
    }

    /// Bytes of the file so far.
    pub fn plain_len(&self) -> u64 {
        self.plain
    }

    /// Encrypts the next bytes of the file; appends the chunks that are full to `out`.
    pub fn write(&mut self, mut plain: &[u8], out: &mut Vec<u8>) -> Result<(), AttachmentFault> {
        while !plain.is_empty() {
            if self.chunk.len() == CHUNK {
                self.seal_chunk(Place::Inner, out)?;
            }
            let (now, later) = plain.split_at(plain.len().min(CHUNK - self.chunk.len()));
            self.chunk.extend_from_slice(now);
            self.plain += now.len() as u64;
            plain = later;
        }
        Ok(())
    }

    /// The file ends here: appends the last chunk to `out`. Says how many bytes the file had.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<u64, AttachmentFault> {
        if self.plain == 0 {
            return Err(AttachmentFault::Empty);
        }
        self.seal_chunk(Place::Last, out)?;
        Ok(self.plain)
    }

    #[allow(
        clippy::expect_used,
        reason = "ring refuses only plaintexts over 256 GiB; a chunk is 64 KiB"
    )]
    fn seal_chunk(&mut self, place: Place, out: &mut Vec<u8>) -> Result<(), AttachmentFault> {
        // With the chunk in hand, so that a file that is too long is refused before it is written.
        let tags = (self.chunks as u64 + 1) * TAG as u64;
        if self.plain + tags > limits::ATTACHMENT {
            return Err(AttachmentFault::TooLong);
        }
        let nonce = nonce(self.chunks, place == Place::Last);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(&self.aad), &mut self.chunk)
            .expect("a chunk of 64 KiB");
        out.extend_from_slice(&self.chunk);
        out.extend_from_slice(tag.as_ref());
        self.chunk.clear();
        self.chunks += 1;
        Ok(())
    }
}

impl Drop for AttachmentSealer {
    fn drop(&mut self) {
        self.chunk.zeroize();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Inner,
    Last,
}

/// Decrypts an attachment chunk by chunk. Only when [`Self::rest`] is 0 has all of it been seen.
pub struct AttachmentOpener {
    key: LessSafeKey,
    aad: Vec<u8>,
    rest: u64,
    chunks: usize,
}

impl AttachmentOpener {
    /// For a ciphertext of `length` bytes.
    pub fn new(key: &AttachmentKey, length: u64) -> Result<Self, AttachmentFault> {
        attached_len(length).ok_or(AttachmentFault::Length(length))?;
        Ok(Self {
            key: chacha(&key.0),
            aad: aad(),
            rest: length,
            chunks: 0,
        })
    }

    /// Bytes of ciphertext that are still to come.
    pub fn rest(&self) -> u64 {
        self.rest
    }

    /// Bytes of ciphertext that the next call of [`Self::open`] wants; 0 at the end.
    pub fn next_len(&self) -> usize {
        usize::try_from(self.rest).map_or(ATTACHMENT_CHUNK, |rest| rest.min(ATTACHMENT_CHUNK))
    }

    /// Decrypts the next chunk in its own buffer, and says where the plaintext is: its beginning.
    pub fn open<'a>(&mut self, chunk: &'a mut [u8]) -> Result<&'a [u8], AttachmentFault> {
        let fault = AttachmentFault::Chunk(self.chunks as u64);
        if self.rest == 0 || chunk.len() != self.next_len() {
            return Err(fault);
        }
        let last = chunk.len() as u64 == self.rest;
        let read = chunk.len() as u64;
        let plain = self
            .key
            .open_in_place(nonce(self.chunks, last), Aad::from(&self.aad), chunk)
            .map_err(|_| fault)?;
        self.rest -= read;
        self.chunks += 1;
        Ok(plain)
    }
}
