//! What recipients have proved to have.

use crate::shared::Shared;
use abeng_queue::{
    Place, Proven,
    rows::{ArrivedRow, FilesRow},
};
use abeng_wire::{LeafIndex, SignedBytes, limits, v1};
use std::sync::Arc;

impl Shared {
    /// Whether a recipient has proved before that a file is there. Which leaf said so matters to
    /// nobody: the one of the submission stands for it.
    pub async fn settled_file(&self, proven: &Proven) -> Option<LeafIndex> {
        let submitted = proven.place.submitted;
        let row = self.view.get(&FilesRow::key(submitted)).await.ok()??;
        let key = ArrivedRow::key(submitted, proven.place.recipient);
        let there = self.view.get(&key).await.ok()??;
        let there = ArrivedRow::decode(&there).ok()?;
        let leaf =
            SignedBytes::<v1::Leaf>::parse("leaf", proven.receipt.leaf.clone(), limits::LEAF);
        let about = leaf.ok()?.message().subject.clone();
        let files = FilesRow::decode(&row).ok()?.files;
        let nth = files
            .iter()
            .position(|file| file.subject().0[..] == about[..]);
        nth.filter(|nth| there.has(*nth)).map(|_| submitted)
    }

    /// Whether a leaf's subject is a file of something that was sent from here, or is carried.
    pub async fn names_file(self: &Arc<Self>, place: Place, about: &[u8]) -> bool {
        if place.is_carried() {
            return self.carries_named(place.submitted, about).await;
        }
        let row = self.view.get(&FilesRow::key(place.submitted)).await;
        let row = row.ok().flatten().and_then(|v| FilesRow::decode(&v).ok());
        row.is_some_and(|row| row.files.iter().any(|file| file.subject().0[..] == *about))
    }
}
