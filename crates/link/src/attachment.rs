//! Streams of attachments: below all envelopes, one piece in memory, never sent unasked.

use crate::{
    Link, PeerFault,
    frames::{FrameReader, Stopped},
};
use abeng_wire::{Malformed, decode, encode, limits, v1};
use bytes::{BufMut, Bytes, BytesMut};
use quinn::SendStream;

/// The first byte of a stream that carries an attachment.
pub(crate) const KIND: u8 = 16;
/// Below every lane: whatever waits in one of them goes first.
const PRIORITY: i32 = 0;

/// The link is gone, or the peer wants no more of this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the peer takes no more of the attachment")]
pub struct NotTaken;

/// Why no further piece comes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokeOff {
    /// The link went, or the sender stopped: it may be asked again.
    #[error("the stream broke off")]
    Gone,
    /// The sender broke the protocol.
    #[error(transparent)]
    Fault(#[from] PeerFault),
}

impl From<Stopped> for BrokeOff {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            // A sender may have to stop at any point: its disk failed, or the content is gone.
            Stopped::Gone | Stopped::Fault(PeerFault::Broken) => Self::Gone,
            Stopped::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl From<Malformed> for BrokeOff {
    fn from(fault: Malformed) -> Self {
        Self::Fault(fault.into())
    }
}

impl Link {
    /// Opens a stream for an attachment that the peer has asked for. Waits while the peer lets no
    /// further stream be opened.
    pub async fn attachment(
        &self,
        header: &v1::AttachmentHeader,
    ) -> Result<AttachmentSender, NotTaken> {
        let stream = self.shared().quic.open_uni().await.map_err(|_| NotTaken)?;
        stream.set_priority(PRIORITY).map_err(|_| NotTaken)?;
        let mut sender = AttachmentSender { stream };
        let mut kind = BytesMut::with_capacity(1);
        kind.put_u8(KIND);
        sender.write(kind.freeze()).await?;
        sender.piece(encode(header)).await?;
        Ok(sender)
    }
}

/// Writes the pieces of one attachment. Dropped, it ends the stream.
pub struct AttachmentSender {
    stream: SendStream,
}

impl AttachmentSender {
    /// Sends the next piece. Waits as long as the peer does not read.
    pub async fn piece(&mut self, piece: Bytes) -> Result<(), NotTaken> {
        let mut header = BytesMut::with_capacity(4);
        header.put_u32(piece.len() as u32);
        self.write(header.freeze()).await?;
        self.write(piece).await
    }

    async fn write(&mut self, bytes: Bytes) -> Result<(), NotTaken> {
        self.stream.write_chunk(bytes).await.map_err(|_| NotTaken)
    }

    /// Says that this was all, and waits until the peer has it.
    pub async fn finish(mut self) -> Result<(), NotTaken> {
        self.stream.finish().map_err(|_| NotTaken)?;
        match self.stream.stopped().await {
            Ok(None) => Ok(()),
            _ => Err(NotTaken),
        }
    }
}

/// Reads the pieces of one attachment.
pub struct AttachmentReceiver {
    reader: FrameReader,
}

impl AttachmentReceiver {
    pub(crate) fn new(reader: FrameReader) -> Self {
        Self { reader }
    }

    /// What the stream says it brings. To be called first, and once.
    pub async fn header(&mut self) -> Result<v1::AttachmentHeader, BrokeOff> {
        let frame = self.reader.next(limits::ATTACHMENT_HEADER).await?;
        let frame = frame.ok_or(BrokeOff::Gone)?;
        let what = "attachment header";
        Ok(decode(what, &frame, limits::ATTACHMENT_HEADER)?)
    }

    /// The next piece, unchecked but for its length; `None` where the stream has ended.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, BrokeOff> {
        Ok(self.reader.next(limits::ATTACHMENT_PIECE).await?)
    }
}
