//! Files of delivered notices: which are missing, and whom they are asked of.

use super::{Store, named};
use crate::{
    blobs::Partial,
    clock,
    metered::Way,
    reading::internal,
    relaying::is_relay,
    shared::{Shared, lock},
};
use abeng_api::{ApiError, PendingView};
use abeng_link::{Link, Profile};
use abeng_queue::rows::{FileState, FilesRow, WantedRow};
use abeng_seal::AttachmentRef;
use abeng_wire::{EnvelopeId, Hash32, LeafIndex, PartyCode, v1};
use std::{sync::Arc, time::Duration};

/// Notices whose files are looked at in one round.
const LOOKED_AT: usize = 4096;
/// How often the worker looks where nothing wakes it.
const LOOK: Duration = Duration::from_secs(30);

/// The worker. Ends with the node.
pub async fn work(shared: Arc<Shared>) {
    loop {
        if let Err(e) = shared.look_for_files().await {
            tracing::error!(error = %e.message, "attachments cannot be asked for");
        }
        let woken = shared.attachments.look.notified();
        let _ = tokio::time::timeout(LOOK, woken).await;
    }
}

/// Nobody else writes to the pieces of a file as long as this lives.
pub struct Held {
    shared: Arc<Shared>,
    root: Hash32,
}

impl Held {
    /// Of what [`super::asks::Asks::hold`] has just given.
    pub fn new(shared: &Arc<Shared>, root: Hash32) -> Self {
        let shared = shared.clone();
        Self { shared, root }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        lock(&self.shared.attachments.asks).release(&self.root);
    }
}

impl Shared {
    /// Asks for what is wanted and may come now.
    async fn look_for_files(self: &Arc<Self>) -> Result<(), ApiError> {
        let (from, to) = (WantedRow::key(LeafIndex(0)), WantedRow::end());
        let rows = self.view.scan(&from, &to, false, LOOKED_AT).await;
        let mut pending = PendingView::default();
        for (key, _) in rows.map_err(internal)? {
            let record = WantedRow::parse_key(&key).map_err(internal)?;
            let Some(row) = self.files_row(record).await? else {
                continue;
            };
            // What is about to be deleted need not come.
            let care = self.care(record).await.unwrap_or_default();
            if care.asked.is_some() && care.hold.is_none() {
                continue;
            }
            for file in row.files.iter().filter(|file| file.arrived.is_none()) {
                self.count_pending(&row, file, &mut pending);
                // What is wrong with one file keeps no other from coming.
                if let Err(e) = self.look_for(record, &row, file).await {
                    let root = abeng_wire::LeafHash(file.root);
                    tracing::error!(%root, error = %e.message, "an attachment cannot be asked for");
                }
            }
        }
        *lock(&self.attachments.pending) = pending;
        self.look_for_damaged().await?;
        self.look_for_carried().await
    }

    async fn look_for(
        self: &Arc<Self>,
        record: LeafIndex,
        row: &FilesRow,
        file: &FileState,
    ) -> Result<(), ApiError> {
        let of = named(file);
        if self.attachments.blobs.has(of) {
            return self.note_arrived(record, of).await;
        }
        self.ask_for(row, of).await
    }

    /// What was here and is damaged comes again, where somebody wants it.
    async fn look_for_damaged(self: &Arc<Self>) -> Result<(), ApiError> {
        let wanted: Vec<Hash32> = lock(&self.attachments.requested).iter().copied().collect();
        for root in wanted {
            for record in self.naming(&root).await? {
                let Some(row) = self.files_row(record).await? else {
                    continue;
                };
                let file = row.files.iter().find(|f| f.root == root);
                let Some(of) = file.map(named).filter(|_| row.originator != self.me) else {
                    continue;
                };
                if self.attachments.blobs.has(of) {
                    lock(&self.attachments.requested).remove(&root);
                } else {
                    self.ask_for(&row, of).await?;
                }
            }
        }
        Ok(())
    }

    /// Asks the originator for what is missing, or where it is not linked a relay that may have
    /// carried the notice.
    async fn ask_for(self: &Arc<Self>, row: &FilesRow, of: AttachmentRef) -> Result<(), ApiError> {
        if self.quarantined(row.originator) {
            return Ok(());
        }
        for link in self.ways_from(row.originator) {
            let peer = link.peer();
            if self.comes_by_itself(of, peer)
                && !self.quarantined(peer)
                && self
                    .ask_over(&link, (of, row.envelope_id), Store::Own)
                    .await?
            {
                break;
            }
        }
        Ok(())
    }

    /// Whom a file of an originator may be asked of: itself, else relays, first those that reach it.
    pub(super) fn ways_from(&self, originator: PartyCode) -> Vec<Link> {
        if let Some(link) = self.links.link(originator) {
            return vec![link];
        }
        let mut ways = self.relays_reaching(originator);
        let roster = &self.trust().roster;
        for link in self.links.linked() {
            if is_relay(roster, link.peer()) && ways.iter().all(|way| way.peer() != link.peer()) {
                ways.push(link);
            }
        }
        ways
    }

    /// Asks a peer for what is missing of a file. Whether it is on its way, or here.
    pub(super) async fn ask_over(
        self: &Arc<Self>,
        link: &Link,
        (of, envelope): (AttachmentRef, EnvelopeId),
        store: Store,
    ) -> Result<bool, ApiError> {
        // It waits for the day's bytes, and whoever asks is told so.
        if self.own_budget_lacks((of, store), link.peer()) {
            return Ok(false);
        }
        let way = (link.peer(), link.session());
        let most = self.files_at_a_time(link.peer());
        let now = clock::mono();
        let held = {
            let mut asks = lock(&self.attachments.asks);
            asks.may_ask(way, &of.root, most, now) && asks.hold(of.root)
        };
        if !held {
            return Ok(false);
        }
        let _held = Held::new(self, of.root);
        let partial = self.partial(of, store).await?;
        let first_piece = partial.as_ref().map_or(0, Partial::good);
        if partial.as_ref().is_some_and(Partial::is_whole) {
            // The last piece was here and the node stopped before it said so.
            self.complete(store, partial).await?;
            self.attachments.look();
            return Ok(true);
        }
        let missing = of.length.saturating_sub(first_piece << 20);
        // Asked, not taken: what comes is measured on the disk, and a sender that gives one piece
        // at a time must not use up the room on paper.
        if let Err(full) = self.quota.has_room(missing) {
            tracing::warn!(%full, root = %abeng_wire::LeafHash(of.root), "an attachment stays with its sender");
            return Ok(true);
        }
        if !self.may_go(link, Way::In, of, first_piece) {
            return Ok(false);
        }
        let pieces = self.pieces_at_a_time(link.peer());
        let hashes = match partial {
            Some(_) => v1::AttachmentHashes::Held,
            None => v1::AttachmentHashes::Wanted,
        };
        let want = v1::AttachmentWant {
            envelope_id: envelope.to_bytes(),
            root: of.to_wire().root,
            length: of.length,
            first_piece,
            hashes: hashes.into(),
            pieces,
        };
        let asked = (of, envelope);
        lock(&self.attachments.asks).ask(way, asked, (store, partial, pieces), now);
        link.control(v1::control::Frame::AttachmentWant(want));
        Ok(true)
    }

    /// What is here of a file that is to come.
    async fn partial(&self, of: AttachmentRef, store: Store) -> Result<Option<Partial>, ApiError> {
        let kept = lock(&self.attachments.under_way).take();
        if let Some((_, kept)) = kept.filter(|(at, kept)| *at == store && kept.of() == of) {
            return Ok(Some(kept));
        }
        let blobs = self.attachments.store(store).clone();
        let resumed = tokio::task::spawn_blocking(move || blobs.resume(of)).await;
        resumed.map_err(internal)?.map_err(internal)
    }

    /// Whether it comes without anybody asking: where bytes are paid for only what people want.
    pub(super) fn comes_by_itself(&self, of: AttachmentRef, originator: PartyCode) -> bool {
        let link = &self.config.link;
        let profile = link.profiles.get(&originator).unwrap_or(&link.profile);
        *profile != Profile::Metered
            || lock(&self.attachments.requested).contains(&of.root)
            // Somebody wanted it before the node stopped.
            || self.attachments.blobs.arrived(of) > 0
    }
}
