//! Files of delivered notices: asked for, verified piece by piece, kept, and told to whoever sent
//! them.

use super::{asks::Coming, named};
use crate::{
    blobs::{BlobError, Partial},
    clock,
    desk::Ended,
    metered::Way,
    reading::{internal, pre_of},
    shared::{Shared, lock},
};
use abeng_api::{ApiError, PendingView};
use abeng_link::{AttachmentReceiver, BrokeOff, Link, PeerFault, Profile};
use abeng_queue::{
    Input,
    rows::{FileState, FilesRow, WantedRow},
};
use abeng_seal::{AttachmentRef, Pieces};
use abeng_wire::{EnvelopeId, Hash32, LeafIndex, Mono, PartyCode, v1};
use std::{sync::Arc, time::Duration};

/// Notices whose files are looked at in one round.
const LOOKED_AT: usize = 4096;
/// How often the worker looks where nothing wakes it.
const LOOK: Duration = Duration::from_secs(30);
/// How long a file rests that its sender had no time for, in seconds.
const BUSY: u64 = 30;
/// How long a file rests that its sender does not have, or brought wrongly.
const REFUSED: u64 = 3600;
/// How long the next piece may take: 1 MiB at 14 kbit/s.
const NEXT: Duration = Duration::from_secs(600);

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

fn later(seconds: u64) -> Mono {
    Mono(clock::mono().0.saturating_add(seconds * 1_000_000_000))
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

/// How taking an attachment ended.
enum Took {
    /// It is here whole.
    All,
    /// It may be asked for again; so many pieces of it came.
    Part(u64),
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
        self.look_for_damaged().await
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

    /// Asks the originator, if it is linked, for what is missing.
    async fn ask_for(self: &Arc<Self>, row: &FilesRow, of: AttachmentRef) -> Result<(), ApiError> {
        let Some(link) = self.links.link(row.originator) else {
            return Ok(());
        };
        if !self.comes_by_itself(of, row.originator) || self.quarantined(row.originator) {
            return Ok(());
        }
        // It waits for the day's bytes, and whoever asks is told so.
        if self.own_budget_lacks(of, row.originator) {
            return Ok(());
        }
        let most = self.files_at_a_time(row.originator);
        let now = clock::mono();
        let held = {
            let mut asks = lock(&self.attachments.asks);
            asks.may_ask(link.session(), &of.root, most, now) && asks.hold(of.root)
        };
        if !held {
            return Ok(());
        }
        let _held = Held::new(self, of.root);
        let partial = self.partial(of).await?;
        let first_piece = partial.as_ref().map_or(0, Partial::good);
        if partial.as_ref().is_some_and(Partial::is_whole) {
            // The last piece was here and the node stopped before it said so.
            self.complete(partial).await?;
            self.attachments.look();
            return Ok(());
        }
        let missing = of.length.saturating_sub(first_piece << 20);
        // Asked, not taken: what comes is measured on the disk, and a sender that gives one piece
        // at a time must not use up the room on paper.
        if let Err(full) = self.quota.has_room(missing) {
            tracing::warn!(%full, root = %abeng_wire::LeafHash(of.root), "an attachment stays with its sender");
            return Ok(());
        }
        if !self.may_go(&link, Way::In, of, first_piece) {
            return Ok(());
        }
        let pieces = self.pieces_at_a_time(row.originator);
        let hashes = match partial {
            Some(_) => v1::AttachmentHashes::Held,
            None => v1::AttachmentHashes::Wanted,
        };
        let want = v1::AttachmentWant {
            envelope_id: row.envelope_id.to_bytes(),
            root: of.to_wire().root,
            length: of.length,
            first_piece,
            hashes: hashes.into(),
            pieces,
        };
        let asked = (of, row.envelope_id);
        lock(&self.attachments.asks).ask(link.session(), asked, (partial, pieces), now);
        link.control(v1::control::Frame::AttachmentWant(want));
        Ok(())
    }

    /// What is here of a file that is to come.
    async fn partial(&self, of: AttachmentRef) -> Result<Option<Partial>, ApiError> {
        let kept = lock(&self.attachments.under_way).take();
        if let Some(kept) = kept.filter(|partial| partial.of() == of) {
            return Ok(Some(kept));
        }
        let blobs = self.attachments.blobs.clone();
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

    /// The peer brings no stream for what was asked.
    pub fn take_attachment_refused(&self, link: &Link, refused: &v1::AttachmentRefused) {
        let Ok(root) = Hash32::try_from(&refused.root[..]) else {
            return;
        };
        let mut asks = lock(&self.attachments.asks);
        if refused.why() == v1::AttachmentRefusal::AttachmentBudget {
            // It comes on this link once the peer has more bytes; none of ours wait for it.
            if asks.put_off(link.session(), &root) {
                self.went(link, Way::In);
            }
            drop(asks);
            return self.attachments.look();
        }
        if !asks.end(link.session(), &root) {
            return;
        }
        self.went(link, Way::In);
        let busy = refused.why() == v1::AttachmentRefusal::AttachmentBusy;
        asks.rest(root, later(if busy { BUSY } else { REFUSED }));
        drop(asks);
        tracing::warn!(
            peer = %link.peer(),
            root = %abeng_wire::LeafHash(root),
            why = refused.why().as_str_name(),
            "an attachment does not come now"
        );
        self.attachments.look();
    }

    /// A stream that claims to bring an attachment.
    pub async fn take_attachment(
        self: &Arc<Self>,
        link: &Link,
        mut stream: AttachmentReceiver,
    ) -> Result<(), PeerFault> {
        let fault = |what| Err(PeerFault::Attachment { what });
        let header = match stream.header().await {
            Ok(header) => header,
            Err(BrokeOff::Gone) => return Ok(()),
            Err(BrokeOff::Fault(fault)) => return Err(fault),
        };
        let named = v1::AttachmentRef {
            root: header.root.clone(),
            length: header.length,
        };
        let Some(of) = AttachmentRef::from_wire(&named) else {
            return fault("its name is none");
        };
        let session = link.session();
        let asked = lock(&self.attachments.asks).comes(session, of);
        let Some(coming) = asked else {
            return fault("not asked for");
        };
        // One that was put off by its sender comes when it comes.
        let may = !coming.overtaken && self.may_go(link, Way::In, of, header.first_piece);
        let envelope = coming.envelope;
        let took = match may {
            true => self.take_pieces(of, coming, &header, &mut stream).await,
            false => Ok(Took::Part(0)),
        };
        // Nothing more of it comes.
        drop(stream);
        lock(&self.attachments.asks).end(session, &of.root);
        self.went(link, Way::In);
        match &took {
            Ok(Took::All) => self.arrived(&envelope, of).await,
            // A sender that ends at once would be asked at once, for ever.
            Ok(Took::Part(0)) => lock(&self.attachments.asks).rest(of.root, later(BUSY)),
            Ok(Took::Part(_)) => {}
            Err(_) => lock(&self.attachments.asks).rest(of.root, later(REFUSED)),
        }
        self.attachments.look();
        took.map(|_| ())
    }

    /// Verifies and keeps piece after piece. What is good stays, whatever comes behind it.
    async fn take_pieces(
        self: &Arc<Self>,
        of: AttachmentRef,
        coming: Coming,
        header: &v1::AttachmentHeader,
        stream: &mut AttachmentReceiver,
    ) -> Result<Took, PeerFault> {
        let fault = |what| Err(PeerFault::Attachment { what });
        let pieces = coming.pieces;
        let mut partial = match coming.partial {
            Some(partial) if header.hashes.is_empty() => partial,
            Some(_) => return fault("hashes that were not asked for"),
            None => {
                let (hashes, rest) = header.hashes.as_chunks::<32>();
                let pieces = Pieces::verified(of, hashes.to_vec());
                let Some(pieces) = pieces.ok().filter(|_| rest.is_empty()) else {
                    return fault("its hashes do not yield its root");
                };
                let blobs = self.attachments.blobs.clone();
                match tokio::task::spawn_blocking(move || blobs.begin(pieces)).await {
                    Ok(Ok(partial)) => partial,
                    Ok(Err(e)) => return Ok(self.not_kept(&e)),
                    Err(e) => return Ok(self.not_kept(&e)),
                }
            }
        };
        if header.first_piece != partial.good() {
            return fault("it begins at another piece than was asked for");
        }
        loop {
            let piece = match tokio::time::timeout(NEXT, stream.piece()).await {
                // It may have stopped for good; whatever is here is kept.
                Err(_) | Ok(Ok(None)) | Ok(Err(BrokeOff::Gone)) => break,
                Ok(Ok(Some(piece))) => piece,
                Ok(Err(BrokeOff::Fault(fault))) => return Err(fault),
            };
            if partial.is_whole() {
                return fault("more pieces than it has");
            }
            if pieces > 0 && partial.good() >= header.first_piece.saturating_add(pieces) {
                return fault("more pieces than were asked for");
            }
            let put = move || {
                let kept = partial.put(&piece);
                (partial, kept)
            };
            let Ok((back, kept)) = tokio::task::spawn_blocking(put).await else {
                return Ok(Took::Part(0));
            };
            partial = back;
            match kept {
                Ok(()) => self.metrics.pieces_received.inc(),
                Err(BlobError::Damaged) => return fault("a piece that does not belong there"),
                Err(e) => return Ok(self.not_kept(&e)),
            };
        }
        if !partial.is_whole() {
            let came = partial.good() - header.first_piece;
            // The next piece is asked for at once, and need not wait until all before it are read.
            if pieces > 0 {
                *lock(&self.attachments.under_way) = Some(partial);
            }
            return Ok(Took::Part(came));
        }
        match self.complete(Some(partial)).await {
            Ok(()) => Ok(Took::All),
            Err(e) => Ok(self.not_kept(&e.message)),
        }
    }

    fn not_kept(&self, why: &dyn std::fmt::Display) -> Took {
        tracing::error!(error = %why, "a part of an attachment cannot be kept; it is asked for again");
        Took::Part(0)
    }

    pub(super) async fn complete(
        self: &Arc<Self>,
        partial: Option<Partial>,
    ) -> Result<(), ApiError> {
        let Some(partial) = partial else {
            return Ok(());
        };
        let blobs = self.attachments.blobs.clone();
        let done = tokio::task::spawn_blocking(move || blobs.complete(partial)).await;
        done.map_err(internal)?.map_err(internal)
    }

    /// A file of a delivered notice is here: a leaf, and its receipt to whoever sent it.
    pub(super) async fn arrived(self: &Arc<Self>, envelope: &EnvelopeId, of: AttachmentRef) {
        let noted = async {
            for record in self.naming(&of.root).await? {
                self.note_arrived(record, of).await?;
            }
            Ok::<(), ApiError>(())
        };
        if let Err(e) = noted.await {
            // The next look finds it whole, and says so then.
            tracing::error!(error = %e.message, %envelope, "the arrival of an attachment is not journalled yet");
        }
    }

    pub(super) async fn note_arrived(
        self: &Arc<Self>,
        record: LeafIndex,
        of: AttachmentRef,
    ) -> Result<(), ApiError> {
        let _one_at_a_time = self.attachments.arriving.lock().await;
        // As it is now: another look may have been faster, or the content is to go.
        let row = self.files_row(record).await?;
        let Some(row) = row.filter(|row| row.originator != self.me) else {
            return Ok(());
        };
        let here = |file: &&FileState| named(file) == of && file.arrived.is_none();
        let Some(file) = row.files.iter().find(here) else {
            return Ok(());
        };
        let stored = self.reader.read(record).map_err(internal)?.record;
        let proof = stored.proof().map_err(internal)?.and_then(|p| p.of);
        let Some(v1::proof_part::Of::Received(received)) = proof else {
            return Err(internal("files of a record that holds no envelope"));
        };
        let to = pre_of(&received.hdr)?.recipients;
        let mine = to.into_iter().find(|r| r.party == self.me.as_str());
        let leaf = v1::Leaf {
            kind: v1::LeafKind::Received.into(),
            envelope_id: row.envelope_id.to_bytes(),
            originator: row.originator.to_string(),
            recipient: self.me.to_string(),
            seq_commit: mine.map(|r| r.seq_commit).unwrap_or_default(),
            subject: file.subject().to_bytes(),
            ..Default::default()
        };
        let proof = v1::proof_part::Of::Attachment(file.to_wire());
        let place = self.desk.open();
        let input = Input::Note {
            leaf: Box::new(leaf),
            proof: Some(v1::ProofPart { of: Some(proof) }),
            private: None,
            tell: Some(place.ticket),
            receipt_to: Some(row.originator),
        };
        self.core.give(input).await;
        match place.ended.await {
            Ok(Ended::Noted { .. }) => {
                self.metrics.attachments_received.inc();
                tracing::info!(
                    envelope = %row.envelope_id,
                    bytes = of.length,
                    "an attachment has come whole"
                );
                Ok(())
            }
            _ => Err(ApiError::busy("the node is stopping", 5)),
        }
    }
}
