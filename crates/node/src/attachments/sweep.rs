//! What no notice names any more is deleted: with its notice's content, or because its submission
//! never came.

use crate::{
    clock,
    reading::internal,
    shared::{Shared, lock},
};
use abeng_api::ApiError;
use abeng_queue::rows::NamedRow;
use abeng_wire::{Hash32, LeafIndex};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// How often the worker looks.
const EVERY: Duration = Duration::from_secs(3600);
/// How long what an officer gave waits for its notice.
const WAITS: Duration = Duration::from_secs(24 * 3600);
/// Notices that name one file, of which a look takes note.
const NAMING: usize = 4096;

/// The worker. Ends with the node.
pub async fn work(shared: Arc<Shared>) {
    let mut every = tokio::time::interval(EVERY);
    loop {
        every.tick().await;
        if let Err(e) = shared.sweep_blobs(WAITS).await {
            tracing::error!(error = %e.message, "attachments that belong to nothing are not deleted");
        }
        if let Err(e) = shared.look_for_gone().await {
            tracing::error!(error = %e.message, "it cannot be looked whether sent attachments are there");
        }
    }
}

impl Shared {
    /// Forgets what was given and not submitted for so long, and what no record names.
    async fn sweep_blobs(self: &Arc<Self>, age: Duration) -> Result<(), ApiError> {
        let now = clock::mono().0;
        let old = age.as_nanos() as u64;
        let mut forgotten = Vec::new();
        lock(&self.attachments.given).retain(|handle, given| {
            let waits = now.saturating_sub(given.at.0) < old;
            if !waits {
                forgotten.push((handle.clone(), given.attachment.root));
            }
            waits
        });
        let blobs = self.attachments.blobs.clone();
        let look = move || {
            for (handle, _) in &forgotten {
                blobs.drop_new(handle)?;
            }
            blobs.untouched(age)
        };
        let looked = tokio::task::spawn_blocking(look).await.map_err(internal)?;
        // Being given now, under the same name: by a submission that came to nothing before.
        let waiting: BTreeSet<Hash32> = {
            let given = lock(&self.attachments.given);
            given.values().map(|given| given.attachment.root).collect()
        };
        let held = self.held.roots();
        for root in looked.map_err(internal)? {
            let waits = waiting.contains(&root) || held.contains(&root);
            if !waits && self.naming(&root).await?.is_empty() {
                tracing::info!(root = %abeng_wire::LeafHash(root), "an attachment that belongs to no notice is deleted");
                self.delete_blob(root).await?;
            }
        }
        Ok(())
    }

    /// The records that name a file.
    pub(super) async fn naming(&self, root: &Hash32) -> Result<Vec<LeafIndex>, ApiError> {
        let from = NamedRow::key(root, LeafIndex(0));
        let to = NamedRow::key(root, LeafIndex(u64::MAX));
        let rows = self.view.scan(&from, &to, false, NAMING).await;
        let rows = rows.map_err(internal)?.into_iter();
        let records = rows.map(|(key, _)| NamedRow::parse_key(&key));
        records.collect::<Result<_, _>>().map_err(internal)
    }

    /// Deletes the files of records whose content is to go, where no other record names them. To be
    /// called once ScrubBegun is durable, and before Scrubbed is.
    pub async fn delete_files_of(self: &Arc<Self>, going: &[LeafIndex]) -> Result<(), ApiError> {
        for &record in going {
            let Some(row) = self.files_row(record).await? else {
                continue;
            };
            for file in &row.files {
                let mut others = false;
                for other in self.naming(&file.root).await? {
                    let care = self.care(other).await;
                    let care = care.ok_or_else(|| internal("the view cannot be read"))?;
                    others |= !going.contains(&other) && care.begun.is_none();
                }
                if !others {
                    self.delete_blob(file.root).await?;
                }
            }
        }
        Ok(())
    }

    /// Deletes a file that a submission waited with, unless a record names it.
    pub async fn let_go(self: &Arc<Self>, root: Hash32) -> Result<(), ApiError> {
        match self.naming(&root).await?.is_empty() {
            true => self.delete_blob(root).await,
            false => Ok(()),
        }
    }

    async fn delete_blob(&self, root: Hash32) -> Result<(), ApiError> {
        self.attachments.faults.forget(&root);
        let blobs = self.attachments.blobs.clone();
        let delete = move || blobs.delete(&root);
        let deleted = tokio::task::spawn_blocking(delete).await;
        deleted.map_err(internal)?.map_err(internal)
    }
}
