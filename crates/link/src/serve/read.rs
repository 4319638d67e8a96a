use super::Finished;
use crate::{
    AttachmentReceiver, Link, PeerFault, attachment,
    core::Core,
    frames::{FrameReader, Stopped},
    rate::Class,
    session::{Output, kind},
};
use abeng_wire::{decode_tolerant, limits, v1};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Notify,
    task::{JoinSet, spawn_blocking},
};
use v1::control::Frame;

/// Within this, a stream that has come is accepted.
const ACCEPTED: Duration = Duration::from_millis(50);

/// Counts the envelope streams that are being read.
#[derive(Clone, Default)]
pub(super) struct Readers {
    inner: Arc<(AtomicUsize, Notify)>,
}

impl Readers {
    /// Returns once every stream has been read to its end. Called after the peer has ended its
    /// control stream, which it does last: the others are here, if not yet accepted.
    pub(super) async fn all_read(&self) {
        loop {
            while !self.none_open() {
                self.inner.1.notified().await;
            }
            tokio::time::sleep(ACCEPTED).await;
            if self.none_open() {
                return;
            }
        }
    }

    fn none_open(&self) -> bool {
        self.inner.0.load(Ordering::Acquire) == 0
    }

    fn enter(&self) -> Reading {
        self.inner.0.fetch_add(1, Ordering::AcqRel);
        Reading(self.clone())
    }
}

struct Reading(Readers);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.inner.0.fetch_sub(1, Ordering::AcqRel);
        self.0.inner.1.notify_one();
    }
}

pub(super) fn spawn(
    tasks: &mut JoinSet<Result<Finished, Stopped>>,
    core: &Arc<Core>,
    link: &Link,
    control: FrameReader,
) -> Readers {
    let readers = Readers::default();
    tasks.spawn(read_control(Arc::clone(core), link.clone(), control));
    tasks.spawn(accept_streams(
        Arc::clone(core),
        link.clone(),
        readers.clone(),
    ));
    readers
}

async fn read_control(
    core: Arc<Core>,
    link: Link,
    mut reader: FrameReader,
) -> Result<Finished, Stopped> {
    while let Some(frame) = reader.next(limits::CONTROL).await? {
        let control: v1::Control = decode_tolerant("control frame", &frame, limits::CONTROL)?;
        if let Some(frame) = &control.frame
            && !link.pace().control(core.now().mono, frame)
        {
            let found = kind(frame);
            return Err(PeerFault::Flood { found }.into());
        }
        let outputs = link.lock_session().handle(core.now(), control)?;
        for output in outputs {
            match output {
                Output::Send(frame) => link.control(frame),
                Output::Deliver(frame) => deliver(&core, &link, frame).await,
                Output::Up { .. } => {}
            }
        }
    }
    Ok(Finished::PeerControl)
}

async fn deliver(core: &Arc<Core>, link: &Link, frame: Frame) {
    match &frame {
        Frame::Credit(_) => link.shared().outbox.credit_changed(),
        Frame::Roster(reference) => {
            link.set_peer_roster(reference.clone());
            core.compare_rosters(link);
        }
        _ => {}
    }
    match frame {
        Frame::Trust(bundle) => take_trust(core, bundle).await,
        frame => core.handler.control(link, frame).await,
    }
}

/// Verifying a bundle costs many signatures: not on a thread that moves packets.
pub(crate) async fn take_trust(core: &Arc<Core>, bundle: v1::TrustBundle) {
    let handler = Arc::clone(&core.handler);
    if let Err(panicked) = spawn_blocking(move || handler.take_trust(bundle)).await {
        tracing::error!(%panicked, "taking trust data failed");
    }
}

/// Takes the peer's envelope streams, one per precedence, and reads each in its own task.
async fn accept_streams(
    core: Arc<Core>,
    link: Link,
    readers: Readers,
) -> Result<Finished, Stopped> {
    let mut open = JoinSet::new();
    let seen = Arc::new(AtomicUsize::new(0));
    loop {
        tokio::select! {
            stream = link.shared().quic.accept_uni() => {
                let reader = FrameReader::new(stream.map_err(|_| Stopped::Gone)?);
                let (core, link) = (Arc::clone(&core), link.clone());
                let (seen, reading) = (Arc::clone(&seen), readers.enter());
                open.spawn(async move {
                    read_envelopes(&core, &link, reader, &seen, reading).await
                });
            }
            Some(done) = open.join_next() => match done {
                Ok(result) => result?,
                Err(panicked) => {
                    tracing::error!(%panicked, "reading a stream failed");
                    link.close("a task of this node failed");
                }
            },
        }
    }
}

async fn read_envelopes(
    core: &Core,
    link: &Link,
    mut reader: FrameReader,
    seen: &AtomicUsize,
    reading: Reading,
) -> Result<(), Stopped> {
    let kind = reader.kind().await?;
    if kind == attachment::KIND {
        let stream = AttachmentReceiver::new(reader);
        // A drain does not wait for it: it goes on with the next link.
        drop(reading);
        return Ok(core.handler.attachment(link, stream).await?);
    }
    let precedence = v1::Precedence::try_from(i32::from(kind))
        .ok()
        .filter(|p| *p != v1::Precedence::Unspecified)
        .ok_or(PeerFault::Stream { kind })?;
    let bit = 1 << kind;
    if seen.fetch_or(bit, Ordering::AcqRel) & bit != 0 {
        return Err(PeerFault::Stream { kind }.into());
    }
    while let Some(length) = reader.header(limits::ENVELOPE).await? {
        link.lock_session().arriving(length)?;
        let class = match precedence {
            v1::Precedence::Flash => Class::Flash,
            _ => Class::Other,
        };
        // Not read before its turn: QUIC's window holds the peer back.
        loop {
            let turn = link.pace().envelope(core.now().mono, class, length);
            match turn {
                Ok(()) => break,
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
        let frame = reader.body(length).await?;
        core.handler.envelope(link, precedence, frame).await;
        let credit = link.lock_session().consumed(length);
        if let Some(credit) = credit {
            link.control(credit);
        }
    }
    drop(reading);
    Ok(())
}
