//! Which attachments go into a file, and their pieces. Behind everything else, so that no notice
//! waits for a photograph.

use super::{
    carried::{FileMark, Queued},
    export::{Broken, File, HEAD, encoded},
    plan::Plan,
};
use crate::{
    attachments::{Sent, named},
    blobs::BlobError,
    clock,
    reading::internal,
    shared::{Shared, lock},
};
use abeng_api::ApiError;
use abeng_evidence::courier::Item;
use abeng_queue::rows::{ArrivedRow, FileState, FilesRow, SentOutcome, SentRow, WantedRow};
use abeng_seal::AttachmentRef;
use abeng_wire::{EnvelopeId, Hash32, LeafHash, LeafIndex, PartyCode, limits, v1};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Rows read in one go.
const PAGE: usize = 1024;
/// Files that one plan looks at.
const MOST_FILES: usize = 65_536;

/// A file of which the recipient has not proved that it is there.
#[derive(Debug, Clone, Copy)]
pub struct Missing {
    pub of: AttachmentRef,
    /// The first piece that is written.
    pub first: u64,
    envelope: EnvelopeId,
    precedence: v1::Precedence,
    submitted: LeafIndex,
    /// Its notice is not known to be delivered: it goes along only with it, or behind it.
    waits: Option<Queued>,
    /// Whether files have carried all of it before.
    carried: bool,
}

impl Missing {
    /// Bytes of its pieces that are to be written.
    pub fn bytes(&self) -> u64 {
        let before = self.first.saturating_mul(limits::ATTACHMENT_PIECE as u64);
        self.of.length.saturating_sub(before)
    }
}

impl Shared {
    /// What a recipient lacks of the files that it was sent, in the order in which it is written:
    /// what no file has carried before the rest, and each by its notice's urgency and age.
    pub(super) async fn files_for(
        self: &Arc<Self>,
        to: PartyCode,
        again: bool,
    ) -> Result<Vec<Missing>, ApiError> {
        let marks = match again {
            true => BTreeMap::new(),
            false => lock(&self.courier.files)
                .get(&to)
                .cloned()
                .unwrap_or_default(),
        };
        let (mut missing, mut seen) = (Vec::new(), BTreeSet::new());
        let (mut from, end) = (FilesRow::key(LeafIndex(0)), vec![FilesRow::PREFIX + 1]);
        loop {
            let rows = self.view.scan(&from, &end, false, PAGE).await;
            let rows = rows.map_err(internal)?;
            for (key, value) in &rows {
                let record = FilesRow::parse_key(key).map_err(internal)?;
                let row = FilesRow::decode(value).map_err(internal)?;
                if row.originator == self.me {
                    missing.extend(self.missing_of(to, record, &row, &marks).await?);
                }
            }
            match rows.last().filter(|_| missing.len() < MOST_FILES) {
                Some((key, _)) => from = [key.as_slice(), &[0]].concat(),
                None => break,
            }
        }
        missing.retain(|file| seen.insert(file.of.root));
        missing.sort_by_key(|file| (file.carried, file.precedence as i32, file.submitted));
        let shared = self.clone();
        let here = move || {
            missing.retain(|file| shared.own_fault(file.of).is_none());
            missing
        };
        let missing = tokio::task::spawn_blocking(here).await.map_err(internal)?;
        // Only what is still missing is worth remembering.
        let kept: BTreeSet<Hash32> = missing.iter().map(|file| file.of.root).collect();
        let marks = marks.into_iter().filter(|(root, _)| kept.contains(root));
        lock(&self.courier.files).insert(to, marks.collect());
        Ok(missing)
    }

    async fn missing_of(
        &self,
        to: PartyCode,
        submitted: LeafIndex,
        row: &FilesRow,
        marks: &BTreeMap<Hash32, FileMark>,
    ) -> Result<Vec<Missing>, ApiError> {
        let sent = self.view.get(&SentRow::key(submitted)).await;
        let sent = sent.map_err(internal)?.map(|v| SentRow::decode(&v));
        let Some(sent) = sent.transpose().map_err(internal)? else {
            return Ok(Vec::new());
        };
        let Some(recipient) = sent.recipients.iter().find(|sent| sent.party == to) else {
            return Ok(Vec::new());
        };
        let waits = match recipient.outcome {
            SentOutcome::Delivered { .. } => None,
            SentOutcome::Queued if sent.expires_at > clock::wall() => {
                Some(Queued::Own(recipient.seq))
            }
            _ => return Ok(Vec::new()),
        };
        // What is about to be deleted need not go.
        let care = self.care(submitted).await.unwrap_or_default();
        if care.asked.is_some() && care.hold.is_none() {
            return Ok(Vec::new());
        }
        let there = self.view.get(&ArrivedRow::key(submitted, to)).await;
        let there = there.map_err(internal)?.map(|v| ArrivedRow::decode(&v));
        let there = there.transpose().map_err(internal)?.unwrap_or_default();
        let file = |(nth, file): (usize, &FileState)| {
            let of = named(file);
            let mark = marks.get(&file.root).copied().unwrap_or_default();
            let begins = mark.begins(of.pieces());
            (mark.asked || !there.has(nth)).then_some(Missing {
                of,
                first: begins.unwrap_or(mark.known),
                envelope: row.envelope_id,
                precedence: sent.precedence,
                submitted,
                waits,
                carried: begins.is_none(),
            })
        };
        Ok(row.files.iter().enumerate().filter_map(file).collect())
    }

    /// What is missing here of the files that a party has sent.
    pub(super) async fn files_wanted(
        self: &Arc<Self>,
        of: PartyCode,
    ) -> Result<Vec<v1::AttachmentWant>, ApiError> {
        let (mut from, end) = (WantedRow::key(LeafIndex(0)), WantedRow::end());
        let mut wanted = Vec::new();
        loop {
            let rows = self.view.scan(&from, &end, false, PAGE).await;
            let rows = rows.map_err(internal)?;
            for (key, _) in &rows {
                let record = WantedRow::parse_key(key).map_err(internal)?;
                let row = self.view.get(&FilesRow::key(record)).await;
                let row = row.map_err(internal)?.map(|v| FilesRow::decode(&v));
                let Some(row) = row.transpose().map_err(internal)? else {
                    continue;
                };
                if row.originator == of {
                    wanted.extend(self.wants_of(&row));
                }
            }
            let more = wanted.len() < limits::COURIER_ATTACHMENT_WANTS;
            match rows.last().filter(|_| more) {
                Some((key, _)) => from = [key.as_slice(), &[0]].concat(),
                None => break,
            }
        }
        wanted.truncate(limits::COURIER_ATTACHMENT_WANTS);
        Ok(wanted)
    }

    fn wants_of(&self, row: &FilesRow) -> Vec<v1::AttachmentWant> {
        let blobs = &self.attachments.blobs;
        let want = |file: &FileState| {
            let of = named(file);
            let open = file.arrived.is_none() || self.attachments.is_requested(&of.root);
            (open && !blobs.has(of)).then(|| v1::AttachmentWant {
                envelope_id: row.envelope_id.to_bytes(),
                root: of.to_wire().root,
                length: of.length,
                first_piece: blobs.arrived(of) / limits::ATTACHMENT_PIECE as u64,
                hashes: v1::AttachmentHashes::Wanted.into(),
                pieces: 0,
            })
        };
        row.files.iter().filter_map(want).collect()
    }

    /// A recipient says in a courier file what it lacks. A claim: it changes where the next file
    /// begins, and nothing else.
    pub(super) async fn courier_wants(
        self: &Arc<Self>,
        from: PartyCode,
        want: &v1::AttachmentWant,
    ) -> bool {
        let named = v1::AttachmentRef {
            root: want.root.clone(),
            length: want.length,
        };
        let of = AttachmentRef::from_wire(&named).filter(|of| want.first_piece < of.pieces());
        let Some(of) = of else {
            return false;
        };
        if !matches!(
            self.was_sent(from, &want.envelope_id, of).await,
            Ok(Sent::Yes)
        ) {
            return false;
        }
        let mut files = lock(&self.courier.files);
        let files = files.entry(from).or_default();
        files.insert(of.root, FileMark::asked(want.first_piece));
        true
    }
}

impl File<'_> {
    /// As many pieces as there is room for. Where this disk has damaged a file the next one is
    /// written: whoever gets this one takes what is good.
    pub(super) fn files(
        &mut self,
        plan: &Plan,
        carried: &BTreeSet<Queued>,
    ) -> Result<BTreeMap<Hash32, u64>, Broken> {
        let mut written = BTreeMap::new();
        for file in &plan.files {
            let before = |queued: Queued| {
                let book = lock(&self.shared.courier.carried);
                book.get(&plan.to).is_some_and(|book| book.has(queued))
            };
            if file
                .waits
                .is_some_and(|queued| !carried.contains(&queued) && !before(queued))
            {
                continue;
            }
            let next = self.file(file)?;
            if next > file.first {
                written.insert(file.of.root, next);
            }
        }
        Ok(written)
    }

    /// The pieces of one file; which one is the next.
    fn file(&mut self, file: &Missing) -> Result<u64, Broken> {
        let blobs = &self.shared.attachments.blobs;
        let damaged = |why: BlobError| {
            let root = LeafHash(file.of.root);
            tracing::error!(%root, error = %why, "an attachment cannot go into a courier file");
            if matches!(why, BlobError::Damaged) {
                self.shared.note_own_fault(file.of, file.envelope);
            }
        };
        let pieces = match blobs.pieces(file.of) {
            Ok(pieces) => pieces,
            Err(why) => {
                damaged(why);
                return Ok(file.first);
            }
        };
        let begin = v1::CourierAttachment {
            envelope_id: file.envelope.to_bytes(),
            root: file.of.to_wire().root,
            length: file.of.length,
            first_piece: file.first,
            hashes: Bytes::from(pieces.hashes().concat()),
        };
        let frame = HEAD + encoded(&begin);
        let first = HEAD + file.of.piece_len(file.first) as u64;
        if frame + first > self.left {
            return Ok(file.first);
        }
        self.left -= frame;
        self.item(&Item::Attachment(begin))?;
        for index in file.first..file.of.pieces() {
            let size = HEAD + file.of.piece_len(index) as u64;
            if size > self.left {
                return Ok(index);
            }
            let piece = match blobs.read_piece(&pieces, index) {
                Ok(piece) => piece,
                Err(why) => {
                    damaged(why);
                    return Ok(index);
                }
            };
            self.left -= size;
            self.item(&Item::Piece(piece.into()))?;
        }
        Ok(file.of.pieces())
    }
}
