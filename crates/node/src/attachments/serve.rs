//! Bringing attachments to those who were sent the notice: below all envelopes, two at a time, one
//! piece of each in memory.

use super::named;
use crate::{
    blobs::BlobError,
    metered::Way,
    reading::internal,
    shared::{Shared, lock},
};
use abeng_api::ApiError;
use abeng_link::Link;
use abeng_queue::rows::{IdRow, SentRow};
use abeng_seal::AttachmentRef;
use abeng_wire::{EnvelopeId, Hash32, PartyCode, limits, v1};
use bytes::Bytes;
use std::{collections::BTreeMap, pin::Pin, sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// How often it is looked whether the day has bytes again.
const LOOK: Duration = Duration::from_secs(1);

/// What is brought on one link.
pub struct Serving {
    wanted: BTreeMap<Hash32, Wanted>,
    turns: Arc<Semaphore>,
}

/// A file that waits for its turn or is brought.
#[derive(Debug, Default)]
struct Wanted {
    /// From this piece on.
    first: u64,
    /// The peer has what its stream brought and asks on, before this side knows that it has it.
    next: Option<v1::AttachmentWant>,
}

impl Serving {
    /// So many at a time.
    fn new(at_a_time: usize) -> Self {
        Self {
            wanted: BTreeMap::new(),
            turns: Arc::new(Semaphore::new(at_a_time)),
        }
    }

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
        let turns = match self.waits(link, &of.root, &want) {
            Waits::Turn(turns) => turns,
            Waits::Already => return,
            Waits::TooMany => return refuse(v1::AttachmentRefusal::AttachmentBusy),
        };
        let known = self.was_sent(link.peer(), &want.envelope_id, of).await;
        match known {
            Ok(true) if self.attachments.blobs.has(of) => {}
            Ok(known) => {
                let _ = self.waits_no_more(link, &of.root);
                let why = match known {
                    true => v1::AttachmentRefusal::AttachmentGone,
                    false => v1::AttachmentRefusal::AttachmentUnknown,
                };
                tracing::warn!(peer = %link.peer(), why = why.as_str_name(), "an attachment is not served");
                return refuse(why);
            }
            Err(e) => {
                let _ = self.waits_no_more(link, &of.root);
                tracing::error!(error = %e.message, "cannot look up what a peer asks for");
                return refuse(v1::AttachmentRefusal::AttachmentBusy);
            }
        }
        let (shared, link) = (self.clone(), link.clone());
        tokio::spawn(async move {
            // Closed where the link is gone.
            let turn = turns.acquire_owned().await;
            let mut brought = Ok(());
            if turn.is_ok() && shared.has_bytes(&link, of, want.first_piece).await {
                brought = shared.bring(&link, of, &want).await;
                shared.went(&link, Way::Out);
            }
            if let Err(why) = brought {
                tracing::error!(peer = %link.peer(), %why, "an attachment cannot be served");
                link.control(v1::control::Frame::AttachmentRefused(
                    v1::AttachmentRefused {
                        root: want.root.clone(),
                        why: v1::AttachmentRefusal::AttachmentGone.into(),
                    },
                ));
            }
            drop(turn);
            if let Some(next) = shared.waits_no_more(&link, &of.root) {
                shared.go_on(link, next).await;
            }
        });
    }

    /// Takes a want that came while its file was being brought.
    fn go_on(
        self: Arc<Self>,
        link: Link,
        want: v1::AttachmentWant,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move { self.take_attachment_want(&link, want).await })
    }

    fn waits(&self, link: &Link, root: &Hash32, want: &v1::AttachmentWant) -> Waits {
        // A link that has gone meanwhile must not leave an entry behind.
        if self.links.session(link.peer(), link.session()).is_none() {
            return Waits::Already;
        }
        let mut serving = lock(&self.attachments.serving);
        let most = self.files_at_a_time(link.peer());
        let serving = serving.entry(link.session());
        let serving = serving.or_insert_with(|| Serving::new(most));
        if let Some(wanted) = serving.wanted.get_mut(root) {
            // The same once more is no news.
            if want.first_piece > wanted.first {
                wanted.next = Some(want.clone());
            }
            Waits::Already
        } else if serving.wanted.len() >= limits::ATTACHMENT_WANTS {
            Waits::TooMany
        } else {
            let wanted = Wanted {
                first: want.first_piece,
                next: None,
            };
            serving.wanted.insert(*root, wanted);
            Waits::Turn(serving.turns.clone())
        }
    }

    /// Gives what was wanted next.
    fn waits_no_more(&self, link: &Link, root: &Hash32) -> Option<v1::AttachmentWant> {
        let mut serving = lock(&self.attachments.serving);
        let wanted = serving.get_mut(&link.session())?.wanted.remove(root)?;
        wanted.next
    }

    /// Waits until the day has room for the first piece that is wanted, which the peer is told.
    /// False where the link has gone meanwhile.
    async fn has_bytes(&self, link: &Link, of: AttachmentRef, first: u64) -> bool {
        if self.may_go(link, Way::Out, of, first) {
            return true;
        }
        let root = abeng_wire::LeafHash(of.root);
        tracing::warn!(peer = %link.peer(), %root, "an attachment waits for the day's bytes on metered paths");
        let _held = self.attachments.held_back.one();
        let refused = v1::AttachmentRefused {
            root: root.to_bytes(),
            why: v1::AttachmentRefusal::AttachmentBudget.into(),
        };
        link.control(v1::control::Frame::AttachmentRefused(refused));
        loop {
            tokio::time::sleep(LOOK).await;
            if self.links.session(link.peer(), link.session()).is_none() {
                return false;
            }
            if self.may_go(link, Way::Out, of, first) {
                return true;
            }
        }
    }

    /// Whether an envelope that was sent from here to a party names it.
    pub async fn was_sent(
        self: &Arc<Self>,
        party: PartyCode,
        envelope: &Bytes,
        of: AttachmentRef,
    ) -> Result<bool, ApiError> {
        let Some(id) = EnvelopeId::from_slice(envelope) else {
            return Ok(false);
        };
        let row = self.view.get(&IdRow::key(&id)).await.map_err(internal)?;
        let row = row.map(|v| IdRow::decode(&v)).transpose();
        let Some(IdRow::Sent { submitted }) = row.map_err(internal)? else {
            return Ok(false);
        };
        let sent = self.view.get(&SentRow::key(submitted)).await;
        let sent = sent.map_err(internal)?.map(|v| SentRow::decode(&v));
        let sent = sent.transpose().map_err(internal)?;
        let to_them = |sent: SentRow| sent.recipients.iter().any(|to| to.party == party);
        if !sent.is_some_and(to_them) {
            return Ok(false);
        }
        let files = self.files_row(submitted).await?;
        Ok(files.is_some_and(|row| row.files.iter().any(|file| named(file) == of)))
    }

    /// Sends it from the first piece that is wanted. Each piece is looked at before it leaves:
    /// nobody is blamed for what this disk has done.
    async fn bring(
        self: &Arc<Self>,
        link: &Link,
        of: AttachmentRef,
        want: &v1::AttachmentWant,
    ) -> Result<(), BlobError> {
        let blobs = self.attachments.blobs.clone();
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
        // A stream that ends early is asked for again.
        let most = match (want.pieces, self.pieces_at_a_time(link.peer())) {
            (0, 0) => of.pieces(),
            (wanted, 0) | (0, wanted) => wanted,
            (wanted, paid) => wanted.min(paid),
        };
        let end = of.pieces().min(want.first_piece.saturating_add(most));
        for index in want.first_piece..end {
            let (blobs, of_pieces) = (self.attachments.blobs.clone(), pieces.clone());
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

/// Whether a want may wait for its turn.
enum Waits {
    Turn(Arc<Semaphore>),
    Already,
    TooMany,
}
