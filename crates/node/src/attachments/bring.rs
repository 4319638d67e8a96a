//! The pieces of one attachment on their way to a peer: each is read and verified before it leaves.

use super::Store;
use crate::{blobs::BlobError, shared::Shared};
use abeng_link::Link;
use abeng_seal::{AttachmentRef, Pieces};
use abeng_wire::{EnvelopeId, v1};
use bytes::Bytes;
use std::sync::Arc;

impl Shared {
    /// Sends it from the first piece that is wanted. Each piece is looked at before it leaves:
    /// nobody is blamed for what this disk has done. The first one before its stream is opened,
    /// and what follows a refusal is read by then: a stream that comes behind the refusal of its
    /// file would be one that nobody asked for.
    pub(super) async fn bring(
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
        // A stream that ends early is asked for again.
        let most = match (want.pieces, self.pieces_at_a_time(link.peer())) {
            (0, 0) => of.pieces(),
            (wanted, 0) | (0, wanted) => wanted,
            (wanted, paid) => wanted.min(paid),
        };
        let end = of.pieces().min(want.first_piece.saturating_add(most));
        let mut piece = self.read_piece(store, &pieces, want.first_piece).await?;
        let Ok(mut stream) = link.attachment(&header).await else {
            return Ok(());
        };
        for next in want.first_piece + 1..=end {
            // The peer is gone, or wants no more: it asks again.
            if stream.piece(piece.into()).await.is_err() {
                return Ok(());
            }
            self.metrics.pieces_sent.inc();
            if next == end {
                break;
            }
            piece = match self.read_piece(store, &pieces, next).await {
                Ok(piece) => piece,
                Err(why) => {
                    let _ = stream.finish().await;
                    return Err(why);
                }
            };
        }
        let _ = stream.finish().await;
        Ok(())
    }

    async fn read_piece(
        &self,
        store: Store,
        pieces: &Arc<Pieces>,
        index: u64,
    ) -> Result<Vec<u8>, BlobError> {
        if store == Store::Carried {
            self.attachments.carried.touch(&pieces.of().root);
        }
        let (blobs, pieces) = (self.attachments.store(store).clone(), pieces.clone());
        let read = move || blobs.read_piece(&pieces, index);
        let piece = tokio::task::spawn_blocking(read).await;
        piece.map_err(|_| BlobError::Absent)?
    }

    /// What a peer is told of a file that this disk does not give.
    pub(super) fn not_brought(
        &self,
        (of, store): (AttachmentRef, Store),
        envelope: &Bytes,
        why: &BlobError,
    ) -> v1::AttachmentRefusal {
        let own = store == Store::Own;
        match why {
            BlobError::Damaged if own => {
                if let Some(envelope) = EnvelopeId::from_slice(envelope) {
                    self.note_own_fault(of, envelope);
                }
                v1::AttachmentRefusal::AttachmentDamaged
            }
            BlobError::Io(_) if own => v1::AttachmentRefusal::AttachmentDamaged,
            _ => v1::AttachmentRefusal::AttachmentGone,
        }
    }
}
