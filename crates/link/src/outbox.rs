use crate::{PeerFault, link::lock, session::Session};
use abeng_wire::{limits, prost::Message, put_frame, v1};
use bytes::{BufMut, Bytes, BytesMut};
use std::{collections::VecDeque, sync::Mutex};
use tokio::sync::Notify;

/// A stream that this side writes: control, or the envelopes of one precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    Control,
    Envelopes(v1::Precedence),
}

impl Lane {
    pub(crate) const ALL: [Self; 5] = [
        Self::Control,
        Self::Envelopes(v1::Precedence::Flash),
        Self::Envelopes(v1::Precedence::Immediate),
        Self::Envelopes(v1::Precedence::Priority),
        Self::Envelopes(v1::Precedence::Routine),
    ];

    /// QUIC's priority for attachments: below every envelope.
    #[cfg(test)]
    pub(crate) const ATTACHMENT_PRIORITY: i32 = 0;

    fn index(self) -> usize {
        match self {
            Self::Control => 0,
            Self::Envelopes(precedence) => precedence as usize,
        }
    }

    /// QUIC sends streams of a higher number first.
    pub(crate) fn quic_priority(self) -> i32 {
        10 - self.index() as i32
    }

    /// Bytes that may wait here. For control: the receipts of a whole window, twice. For
    /// envelopes: the credit, twice.
    pub(crate) fn backlog(self) -> usize {
        match self {
            Self::Control => 2 * limits::RECEIPT * limits::CREDIT_ENVELOPES as usize,
            Self::Envelopes(_) => 2 * limits::CREDIT_BYTES as usize,
        }
    }
}

/// Bytes gathered into one write.
const BATCH: usize = 256 * 1024;
/// Frames up to this size are copied into the batch; larger ones are handed on as they are.
const COPIED: usize = 32 * 1024;

/// What a lane's writer does next.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// Write these, in order.
    Write(Vec<Bytes>),
    /// Nothing will come any more.
    Finish,
    /// Nothing to write for now.
    Wait,
}

/// Frames that wait to be written. Pushing never blocks; a backlog beyond its bound is the
/// peer's fault.
#[derive(Default)]
pub(crate) struct Outbox {
    lanes: [Queue; 5],
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

impl Queue {
    fn finish(&self) {
        lock(&self.waiting).finishing = true;
        self.changed.notify_one();
    }
}

#[derive(Default)]
struct Waiting {
    frames: VecDeque<Bytes>,
    bytes: usize,
    finishing: bool,
}

impl Outbox {
    pub(crate) fn push_envelope(
        &self,
        precedence: v1::Precedence,
        frame: Bytes,
    ) -> Result<(), PeerFault> {
        self.push(Lane::Envelopes(precedence), frame)
    }

    pub(crate) fn push_control(&self, frame: v1::control::Frame) -> Result<(), PeerFault> {
        let kind = crate::session::kind(&frame);
        let control = v1::Control { frame: Some(frame) };
        if control.encoded_len() > limits::CONTROL {
            tracing::error!(kind, "a control frame that no peer would take is not sent");
            return Ok(());
        }
        let encoded = control.encode_to_vec();
        self.push(Lane::Control, encoded.into())
    }

    fn push(&self, lane: Lane, frame: Bytes) -> Result<(), PeerFault> {
        let queue = &self.lanes[lane.index()];
        let mut waiting = lock(&queue.waiting);
        if waiting.finishing {
            return Ok(());
        }
        waiting.bytes += frame.len();
        waiting.frames.push_back(frame);
        let bytes = waiting.bytes;
        drop(waiting);
        queue.changed.notify_one();
        if bytes > lane.backlog() {
            return Err(PeerFault::NotReading { bytes });
        }
        Ok(())
    }

    /// After this no envelope is taken any more; what waits is still written.
    pub(crate) fn finish_envelopes(&self) {
        self.lanes[1..].iter().for_each(Queue::finish);
    }

    /// After this no control frame is taken any more; what waits is still written.
    pub(crate) fn finish_control(&self) {
        self.lanes[0].finish();
    }

    /// New credit has come: lanes that waited for it look again.
    pub(crate) fn credit_changed(&self) {
        for queue in &self.lanes[1..] {
            queue.changed.notify_one();
        }
    }

    /// Waits until a look at `lane` may find something new. One waiter per lane.
    pub(crate) async fn changed(&self, lane: Lane) {
        self.lanes[lane.index()].changed.notified().await;
    }

    /// Takes as many frames as fit one write and the peer's credit.
    pub(crate) fn next(&self, lane: Lane, session: &Mutex<Session>) -> Next {
        let mut waiting = lock(&self.lanes[lane.index()].waiting);
        if waiting.frames.is_empty() {
            return if waiting.finishing {
                Next::Finish
            } else {
                Next::Wait
            };
        }
        let mut session = lock(session);
        let mut batch = Batch::default();
        while let Some(frame) = waiting.frames.front() {
            let length = frame.len();
            let covered = match lane {
                Lane::Control => true,
                Lane::Envelopes(precedence) => session.may_send(precedence, length),
            };
            if !covered || !batch.takes(length) {
                break;
            }
            if lane != Lane::Control {
                session.sent(length);
            }
            waiting.bytes -= length;
            if let Some(frame) = waiting.frames.pop_front() {
                batch.push(frame);
            }
        }
        if waiting.frames.is_empty() && waiting.frames.capacity() > 4096 {
            waiting.frames = VecDeque::new();
        }
        match batch.done() {
            chunks if chunks.is_empty() => Next::Wait,
            chunks => Next::Write(chunks),
        }
    }
}

/// Frames with their headers, as few chunks as copying small ones makes it.
#[derive(Default)]
struct Batch {
    chunks: Vec<Bytes>,
    small: BytesMut,
    bytes: usize,
}

impl Batch {
    /// The first frame always fits.
    fn takes(&self, length: usize) -> bool {
        self.bytes == 0 || self.bytes + length <= BATCH
    }

    fn push(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.small.put_u32(frame.len() as u32);
        if frame.len() <= COPIED {
            self.small.extend_from_slice(&frame);
        } else {
            self.chunks.push(self.small.split().freeze());
            self.chunks.push(frame);
        }
    }

    fn done(mut self) -> Vec<Bytes> {
        if !self.small.is_empty() {
            self.chunks.push(self.small.freeze());
        }
        self.chunks
    }
}

/// One control frame with its header, for the time before a link exists.
pub(crate) fn control_frame(frame: v1::control::Frame) -> Bytes {
    let mut out = BytesMut::new();
    put_frame(&v1::Control { frame: Some(frame) }, &mut out);
    out.freeze()
}
