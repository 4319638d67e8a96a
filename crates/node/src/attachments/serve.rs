//! Bringing attachments to those who were sent the notice: below all envelopes, two at a time, one
//! piece of each in memory.

use super::{Store, carried::CarriedFile, named};
use crate::{
    blobs::BlobError,
    reading::internal,
    relaying::is_relay,
    shared::{Shared, lock},
};
use abeng_api::ApiError;
use abeng_link::Link;
use abeng_queue::rows::{IdRow, SentRow};
use abeng_seal::AttachmentRef;
use abeng_wire::{EnvelopeId, Hash32, PartyCode, limits, v1};
use bytes::Bytes;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{sync::Semaphore, time::Instant};

/// How long a relay's word that it carries an envelope may come behind its want of a file.
const PROVES_SOON: Duration = Duration::from_secs(10);
/// How often it is looked for.
const LOOKS_AGAIN: Duration = Duration::from_millis(100);

/// What is brought on one link.
pub struct Serving {
    wanted: BTreeSet<Hash32>,
    turns: Arc<Semaphore>,
}

impl Default for Serving {
    fn default() -> Self {
        Self {
            wanted: BTreeSet::new(),
            turns: Arc::new(Semaphore::new(limits::ATTACHMENT_STREAMS)),
        }
    }
}

impl Serving {
    /// The link is gone: who waits for a turn need not.
    pub fn close(&self) {
        self.turns.close();
    }
}

impl Shared {
    /// A recipient asks for an attachment.
    pub async fn take_attachment_want(self: &Arc<Self>, link: &Link, want: v1::AttachmentWant) {
        let refuse = |why: v1::AttachmentRefusal| {
            let refused = v1::AttachmentRefused {
                root: want.root.clone(),
                why: why.into(),
            };
            link.control(v1::control::Frame::AttachmentRefused(refused));
        };
        let wire = v1::AttachmentRef {
            root: want.root.clone(),
            length: want.length,
        };
        let of = AttachmentRef::from_wire(&wire);
        let Some(of) = of.filter(|of| want.first_piece < of.pieces()) else {
            return refuse(v1::AttachmentRefusal::AttachmentUnknown);
        };
        let turns = match self.waits(link, &of.root) {
            Waits::Turn(turns) => turns,
            Waits::Already => return,
            Waits::TooMany => return refuse(v1::AttachmentRefusal::AttachmentBusy),
        };
        let (shared, link) = (self.clone(), link.clone());
        tokio::spawn(async move {
            let refused = shared.serve(&link, of, &want, turns).await;
            shared.waits_no_more(&link, &of.root);
            if let Err(why) = refused {
                tracing::warn!(peer = %link.peer(), why = why.as_str_name(), "an attachment is not served");
                let root = want.root.clone();
                let why = why.into();
                let refused = v1::AttachmentRefused { root, why };
                link.control(v1::control::Frame::AttachmentRefused(refused));
            }
        });
    }

    /// Where a peer may have a file from.
    async fn source(
        self: &Arc<Self>,
        peer: PartyCode,
        envelope: &Bytes,
        of: AttachmentRef,
    ) -> Result<Source, NotServed> {
        let mut sent = self.was_sent(peer, envelope, of).await?;
        let end = Instant::now() + PROVES_SOON;
        while sent == Sent::NotYet && Instant::now() < end {
            tokio::time::sleep(LOOKS_AGAIN).await;
            sent = self.was_sent(peer, envelope, of).await?;
        }
        match sent {
            Sent::Yes if self.attachments.blobs.has(of) => return Ok(Source::Own),
            Sent::Yes => return Err(NotServed::Gone),
            Sent::NotYet => return Err(NotServed::Busy),
            Sent::No => {}
        }
        let id = EnvelopeId::from_slice(envelope).ok_or(NotServed::Unknown)?;
        let carried = self.carries_file(peer, id, of).await?;
        carried.map(Source::Carried).ok_or(NotServed::Unknown)
    }

    /// Brings it in its turn, or says why not.
    async fn serve(
        self: &Arc<Self>,
        link: &Link,
        of: AttachmentRef,
        want: &v1::AttachmentWant,
        turns: Arc<Semaphore>,
    ) -> Result<(), v1::AttachmentRefusal> {
        let source = self.source(link.peer(), &want.envelope_id, of).await?;
        let store = match source {
            Source::Own => Store::Own,
            Source::Carried(file) => match self.carried_comes(&file).await {
                true => Store::Carried,
                false => return Err(v1::AttachmentRefusal::AttachmentBusy),
            },
        };
        // Closed where the link is gone.
        let Ok(_turn) = turns.acquire_owned().await else {
            return Ok(());
        };
        self.bring(link, (of, store), want).await.map_err(|why| {
            tracing::error!(peer = %link.peer(), %why, "an attachment cannot be served");
            v1::AttachmentRefusal::AttachmentGone
        })
    }

    fn waits(&self, link: &Link, root: &Hash32) -> Waits {
        // A link that has gone meanwhile must not leave an entry behind.
        if self.links.session(link.peer(), link.session()).is_none() {
            return Waits::Already;
        }
        let mut serving = lock(&self.attachments.serving);
        let serving = serving.entry(link.session()).or_default();
        if serving.wanted.contains(root) {
            Waits::Already
        } else if serving.wanted.len() >= limits::ATTACHMENT_WANTS {
            Waits::TooMany
        } else {
            serving.wanted.insert(*root);
            Waits::Turn(serving.turns.clone())
        }
    }

    fn waits_no_more(&self, link: &Link, root: &Hash32) {
        if let Some(serving) = lock(&self.attachments.serving).get_mut(&link.session()) {
            serving.wanted.remove(root);
        }
    }

    /// Whether an envelope that was sent from here to a party, or given to it as a relay, names it.
    pub async fn was_sent(
        self: &Arc<Self>,
        party: PartyCode,
        envelope: &Bytes,
        of: AttachmentRef,
    ) -> Result<Sent, ApiError> {
        let Some(id) = EnvelopeId::from_slice(envelope) else {
            return Ok(Sent::No);
        };
        let row = self.view.get(&IdRow::key(&id)).await.map_err(internal)?;
        let row = row.map(|v| IdRow::decode(&v)).transpose();
        let Some(IdRow::Sent { submitted }) = row.map_err(internal)? else {
            return Ok(Sent::No);
        };
        let sent = self.view.get(&SentRow::key(submitted)).await;
        let sent = sent.map_err(internal)?.map(|v| SentRow::decode(&v));
        let sent = sent.transpose().map_err(internal)?;
        let Some(sent) = sent else {
            return Ok(Sent::No);
        };
        let files = self.files_row(submitted).await?;
        if !files.is_some_and(|row| row.files.iter().any(|file| named(file) == of)) {
            return Ok(Sent::No);
        }
        let to_them = sent.recipients.iter().any(|to| to.party == party);
        let over_them = sent.relayed.iter().any(|said| said.relay == party);
        Ok(match to_them || over_them {
            true => Sent::Yes,
            false if is_relay(&self.trust().roster, party) => Sent::NotYet,
            false => Sent::No,
        })
    }

    /// Sends it from the first piece that is wanted. Each piece is looked at before it leaves:
    /// nobody is blamed for what this disk has done.
    async fn bring(
        self: &Arc<Self>,
        link: &Link,
        (of, store): (AttachmentRef, Store),
        want: &v1::AttachmentWant,
    ) -> Result<(), BlobError> {
        let blobs = self.attachments.store(store).clone();
        let pieces = tokio::task::spawn_blocking(move || blobs.pieces(of)).await;
        let pieces = Arc::new(pieces.map_err(|_| BlobError::Absent)??);
        let hashes = match want.hashes() {
            v1::AttachmentHashes::Held => Bytes::new(),
            _ => Bytes::from(pieces.hashes().concat()),
        };
        let header = v1::AttachmentHeader {
            root: want.root.clone(),
            length: of.length,
            first_piece: want.first_piece,
            hashes,
        };
        let Ok(mut stream) = link.attachment(&header).await else {
            return Ok(());
        };
        for index in want.first_piece..of.pieces() {
            if store == Store::Carried {
                self.attachments.carried.touch(&of.root);
            }
            let blobs = self.attachments.store(store).clone();
            let of_pieces = pieces.clone();
            let read = move || blobs.read_piece(&of_pieces, index);
            let piece = tokio::task::spawn_blocking(read).await;
            let piece = piece.map_err(|_| BlobError::Absent)??;
            // The peer is gone, or wants no more: it asks again.
            if stream.piece(piece.into()).await.is_err() {
                return Ok(());
            }
            self.metrics.pieces_sent.inc();
        }
        let _ = stream.finish().await;
        Ok(())
    }
}

/// Where what is served comes from.
enum Source {
    /// It was sent from here.
    Own,
    /// It is carried here.
    Carried(CarriedFile),
}

/// Why a want is not served.
#[derive(Debug, Clone, Copy)]
enum NotServed {
    Busy,
    Gone,
    Unknown,
}

impl From<NotServed> for v1::AttachmentRefusal {
    fn from(why: NotServed) -> Self {
        match why {
            NotServed::Busy => Self::AttachmentBusy,
            NotServed::Gone => Self::AttachmentGone,
            NotServed::Unknown => Self::AttachmentUnknown,
        }
    }
}

impl From<ApiError> for NotServed {
    fn from(e: ApiError) -> Self {
        tracing::error!(error = %e.message, "cannot look up what a peer asks for");
        Self::Busy
    }
}

/// Whether a party may have a file that was sent from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// The envelope went to it, or it has proved as a relay that it carries it.
    Yes,
    /// It is a relay, and nothing proves yet that it carries it.
    NotYet,
    /// No envelope to it names that file.
    No,
}

/// Whether a want may wait for its turn.
enum Waits {
    Turn(Arc<Semaphore>),
    Already,
    TooMany,
}
