use crate::PeerFault;
use abeng_wire::{FrameError, Malformed, frame_header};
use bytes::{Bytes, BytesMut};
use quinn::RecvStream;
use tokio::io::AsyncReadExt;

/// Room kept free for one read, so that small frames come many at a time.
const READ: usize = 64 * 1024;

/// Why no further frame comes out of a stream.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The peer broke the protocol.
    Fault(PeerFault),
    /// The connection is gone.
    Gone,
}

impl From<PeerFault> for Stopped {
    fn from(fault: PeerFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<FrameError> for Stopped {
    fn from(fault: FrameError) -> Self {
        Self::Fault(fault.into())
    }
}

impl From<Malformed> for Stopped {
    fn from(fault: Malformed) -> Self {
        Self::Fault(fault.into())
    }
}

/// Takes frames off a stream: 4 bytes of length, big-endian, then the message. Memory grows with
/// bytes that have come, never with bytes that were announced.
pub(crate) struct FrameReader {
    stream: RecvStream,
    buffer: BytesMut,
}

impl FrameReader {
    pub(crate) fn new(stream: RecvStream) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
        }
    }

    #[cfg(test)]
    pub(crate) fn stop_for_tests(mut self) {
        self.stream.stop(0u32.into()).expect("still open");
    }

    /// The first byte of a stream, which says what it is for.
    pub(crate) async fn kind(&mut self) -> Result<u8, Stopped> {
        if !self.fill(1).await? {
            return Err(PeerFault::Broken.into());
        }
        Ok(self.buffer.split_to(1)[0])
    }

    /// The length of the next frame; `None` where the stream ended properly.
    pub(crate) async fn header(&mut self, limit: usize) -> Result<Option<usize>, Stopped> {
        if !self.fill(4).await? {
            return Ok(None);
        }
        let Some(header) = self.buffer.first_chunk::<4>() else {
            return Err(PeerFault::Broken.into());
        };
        let length = frame_header(*header, limit)?;
        let _ = self.buffer.split_to(4);
        Ok(Some(length))
    }

    /// The frame whose header was taken.
    pub(crate) async fn body(&mut self, length: usize) -> Result<Bytes, Stopped> {
        if !self.fill(length).await? {
            return Err(PeerFault::Broken.into());
        }
        Ok(self.buffer.split_to(length).freeze())
    }

    /// Header and body.
    pub(crate) async fn next(&mut self, limit: usize) -> Result<Option<Bytes>, Stopped> {
        match self.header(limit).await? {
            Some(length) => self.body(length).await.map(Some),
            None => Ok(None),
        }
    }

    /// Reads until `wanted` bytes are there. False at an end before the first of them.
    async fn fill(&mut self, wanted: usize) -> Result<bool, Stopped> {
        while self.buffer.len() < wanted {
            if self.buffer.capacity() - self.buffer.len() < READ / 4 {
                self.buffer.reserve(READ);
            }
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) if self.buffer.is_empty() => return Ok(false),
                Ok(0) => return Err(PeerFault::Broken.into()),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {
                    return Err(PeerFault::Broken.into());
                }
                Err(_) => return Err(Stopped::Gone),
            }
        }
        Ok(true)
    }
}
