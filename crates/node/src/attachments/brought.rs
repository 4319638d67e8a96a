//! Files whose pieces come without a link: in a courier file. The same pieces, verified and kept in
//! the same place, so that either way goes on where the other one ended.

use super::{Held, Store, named};
use crate::{
    blobs::{BlobError, Partial},
    clock,
    quota::NoRoom,
    reading::internal,
    shared::{Shared, lock},
};
use abeng_api::ApiError;
use abeng_queue::rows::{FilesRow, IdRow};
use abeng_seal::{AttachmentRef, BadPieces, Pieces};
use abeng_wire::{EnvelopeId, LeafIndex, PartyCode, v1};
use bytes::Bytes;
use std::{io, sync::Arc};

/// Why pieces are passed over. What was good before stays.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// It is nothing that a recipient may keep.
    #[error("no notice that was delivered here names it")]
    Unnamed,
    /// Whoever sent the notice is not believed.
    #[error("the log of {0} contradicts itself, and nobody has decided to go on with it")]
    Contradicted(PartyCode),
    /// Of something else.
    #[error("its hashes are not of it: {0}")]
    Hashes(#[from] BadPieces),
    /// They come behind a hole.
    #[error(
        "it goes on at piece {first}, and only {good} are here; ask for a file with the others"
    )]
    Hole {
        /// The first one that was brought.
        first: u64,
        /// Those that are here.
        good: u64,
    },
    /// One that is not of this file.
    #[error("piece {0} does not belong there; those before it are kept")]
    Piece(u64),
    /// Two ways at once.
    #[error("a link brings it now; import the file again if it does not come whole")]
    Linked,
    /// The disk is full.
    #[error("{0}")]
    Room(#[from] NoRoom),
    /// The disk.
    #[error("it cannot be kept here: {0}")]
    Disk(#[from] BlobError),
    /// Its notice cannot be looked up.
    #[error("{}", .0.message)]
    Read(#[from] ApiError),
}

impl From<io::Error> for NotTaken {
    fn from(e: io::Error) -> Self {
        Self::Disk(e.into())
    }
}

/// A file of which pieces are brought.
pub struct Brought {
    shared: Arc<Shared>,
    envelope: EnvelopeId,
    partial: Partial,
    /// The piece that comes next.
    next: u64,
    _held: Held,
}

/// How a piece was taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Took {
    /// More are to come.
    Part,
    /// It was the last one: the file is here.
    All,
}

impl Shared {
    /// A file of a delivered notice, if it may come now; `None` where nothing of it is lacking.
    pub async fn begin_brought(
        self: &Arc<Self>,
        file: &v1::CourierAttachment,
    ) -> Result<Option<Brought>, NotTaken> {
        let wire = v1::AttachmentRef {
            root: file.root.clone(),
            length: file.length,
        };
        let of = AttachmentRef::from_wire(&wire).ok_or(NotTaken::Unnamed)?;
        let envelope = EnvelopeId::from_slice(&file.envelope_id).ok_or(NotTaken::Unnamed)?;
        let Some((record, row)) = self.delivered_files(&envelope).await? else {
            // Its content was deleted since.
            return Ok(None);
        };
        if !row.files.iter().any(|file| named(file) == of) {
            return Err(NotTaken::Unnamed);
        }
        if self.quarantined(row.originator) {
            return Err(NotTaken::Contradicted(row.originator));
        }
        let care = self.care(record).await.unwrap_or_default();
        if care.asked.is_some() && care.hold.is_none() {
            return Ok(None);
        }
        if self.attachments.blobs.has(of) {
            self.note_arrived(record, of).await?;
            return Ok(None);
        }
        let (hashes, rest) = file.hashes.as_chunks::<32>();
        let pieces = Pieces::verified(of, hashes.to_vec())?;
        if !rest.is_empty() {
            return Err(BadPieces::Root.into());
        }
        self.brought_from(envelope, pieces, file.first_piece).await
    }

    async fn brought_from(
        self: &Arc<Self>,
        envelope: EnvelopeId,
        pieces: Pieces,
        first: u64,
    ) -> Result<Option<Brought>, NotTaken> {
        let of = pieces.of();
        if !lock(&self.attachments.asks).hold_now(of.root, clock::mono()) {
            return Err(NotTaken::Linked);
        }
        let held = Held::new(self, of.root);
        // What a link has brought lies on the disk, and this goes on behind it.
        lock(&self.attachments.under_way).take();
        let blobs = self.attachments.blobs.clone();
        let partial = tokio::task::spawn_blocking(move || match blobs.resume(of)? {
            Some(partial) => Ok(partial),
            None => blobs.begin(pieces),
        });
        let partial: Partial = partial.await.map_err(internal)??;
        let good = partial.good();
        if partial.is_whole() {
            self.complete(Store::Own, Some(partial)).await?;
            self.arrived(&envelope, of).await;
            return Ok(None);
        }
        if first > good {
            return Err(NotTaken::Hole { first, good });
        }
        self.quota.has_room(of.length.saturating_sub(good << 20))?;
        Ok(Some(Brought {
            shared: self.clone(),
            envelope,
            partial,
            next: first,
            _held: held,
        }))
    }

    /// The files of an envelope that was delivered here, with its record; `None` where its content
    /// is deleted.
    async fn delivered_files(
        &self,
        id: &EnvelopeId,
    ) -> Result<Option<(LeafIndex, FilesRow)>, NotTaken> {
        let row = self.view.get(&IdRow::key(id)).await.map_err(internal)?;
        let row = row.map(|v| IdRow::decode(&v)).transpose();
        match row.map_err(internal)? {
            Some(IdRow::Held {
                received,
                kind: v1::LeafKind::Delivered,
                ..
            }) => {
                let row = self.files_row(received).await?;
                let row = row.filter(|row| row.originator != self.me);
                Ok(row.map(|row| (received, row)))
            }
            _ => Err(NotTaken::Unnamed),
        }
    }
}

impl Brought {
    /// The next piece. One that is here already costs nothing. After an error, and after the last
    /// piece, no more are taken.
    pub async fn piece(mut self, piece: Bytes) -> Result<(Took, Option<Self>), NotTaken> {
        let index = self.next;
        self.next += 1;
        if index < self.partial.good() {
            return Ok((Took::Part, Some(self)));
        }
        let mut partial = self.partial;
        let put = move || {
            let kept = partial.put(&piece);
            (partial, kept)
        };
        let put = tokio::task::spawn_blocking(put).await;
        let (partial, kept) = put.map_err(internal)?;
        match kept {
            Ok(()) => self.shared.metrics.pieces_received.inc(),
            Err(BlobError::Damaged) => return Err(NotTaken::Piece(index)),
            Err(e) => return Err(e.into()),
        };
        if !partial.is_whole() {
            self.partial = partial;
            return Ok((Took::Part, Some(self)));
        }
        let of = partial.of();
        self.shared.complete(Store::Own, Some(partial)).await?;
        self.shared.arrived(&self.envelope, of).await;
        Ok((Took::All, None))
    }
}
