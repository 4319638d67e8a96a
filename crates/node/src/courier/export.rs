//! `POST /v1/courier/export`.

use super::{carried::Queued, plan::Plan, turn};
use crate::{
    receipts::verify_checkpoint,
    shared::{Shared, lock},
};
use abeng_api::{
    ApiError, Caller, Cause, CourierExportQuery, ErrorCode, PieceSender, Pieces, pieces,
};
use abeng_audit_log::{
    Checkpoint, ReadError,
    receipt::{self, Outcome},
};
use abeng_evidence::courier::{CourierWriter, Item, courier_subject};
use abeng_wire::{LeafHash, LeafIndex, PartyCode, prost::Message, v1};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Receipts that are built at once.
const RECEIPTS_AT_ONCE: usize = 64;
/// About what one receipt takes, for a file with little room.
const RECEIPT_BYTES: u64 = 2048;
/// What stands around all items: first line, header, close, and the heads of frames.
const AROUND: u64 = 1024;
/// The head of one frame.
pub(super) const HEAD: u64 = 5;
/// While envelopes wait, receipts take at most this part of a limited file before them.
const RECEIPTS_SHARE: u64 = 4;

impl Shared {
    /// Makes a courier file. The log has said so before the first byte leaves.
    pub async fn courier_export(
        self: &Arc<Self>,
        who: &Caller,
        query: CourierExportQuery,
    ) -> Result<Pieces, ApiError> {
        let to = self.courier_recipient(&query.to)?;
        let turn = turn(&self.courier.exporting, "made")?;
        let plan = self.courier_plan(to, &query).await?;
        let trust = self.trust().to_bundle();
        let fixed = fixed_bytes(&plan, &trust);
        if plan.limit < fixed {
            return Err(ApiError::invalid(format!(
                "a limit of {} bytes leaves no room for a notice: the members' keys alone take {fixed}",
                plan.limit
            ))
            .with_try(format!("give a --limit above {fixed}, or none"))
            .because(
                Cause::CourierLimit,
                [
                    ("limit_bytes", plan.limit.to_string()),
                    ("fixed_bytes", fixed.to_string()),
                    ("fixed", fixed.to_string()),
                ],
            ));
        }
        let header = self.courier_header(to, &plan);
        let leaf = v1::Leaf {
            kind: v1::LeafKind::Exported.into(),
            recipient: to.to_string(),
            subject: courier_subject(&header).to_bytes(),
            ..Default::default()
        };
        self.note_act(who, leaf, None).await?;
        let (sender, file) = pieces();
        let shared = self.clone();
        tokio::task::spawn_blocking(move || {
            let (writer, begin) = CourierWriter::begin(&header);
            let mut file = File {
                shared: &shared,
                writer,
                sender,
                left: plan.limit - fixed,
            };
            // Given back before whoever takes the file sees its end, and asks for the next one.
            let _turn = turn;
            if let Err(why) = file.write(begin, &plan, trust) {
                file.broken(why);
            }
        });
        Ok(file)
    }
}

fn fixed_bytes(plan: &Plan, trust: &v1::TrustBundle) -> u64 {
    let wants = plan.wants.iter().map(|want| HEAD + encoded(want));
    let voids = plan.voids.iter().map(|void| HEAD + encoded(void));
    let files = plan.file_wants.iter().map(|want| HEAD + encoded(want));
    let checkpoint = abeng_wire::limits::CHECKPOINT as u64;
    AROUND + HEAD + encoded(trust) + checkpoint + wants.chain(voids).chain(files).sum::<u64>()
}

pub(super) fn encoded(message: &impl Message) -> u64 {
    message.encoded_len() as u64
}

/// Why a file ends before its close.
pub(super) enum Broken {
    /// Whoever asked has gone.
    Gone,
    /// The journal cannot be read.
    Read(ReadError),
}

impl From<ReadError> for Broken {
    fn from(e: ReadError) -> Self {
        Self::Read(e)
    }
}

impl From<abeng_api::Gone> for Broken {
    fn from(_: abeng_api::Gone) -> Self {
        Self::Gone
    }
}

/// A file that is being written.
pub(super) struct File<'a> {
    pub(super) shared: &'a Shared,
    writer: CourierWriter,
    sender: PieceSender,
    pub(super) left: u64,
}

impl File<'_> {
    fn write(&mut self, begin: Bytes, plan: &Plan, trust: v1::TrustBundle) -> Result<(), Broken> {
        self.piece(begin)?;
        self.item(&Item::Trust(trust))?;
        let checkpoint = self.shared.checkpoint_at(self.shared.reader.size())?;
        let shown = self.shared.courier_checkpoint(plan.to, &checkpoint)?;
        self.item(&Item::Checkpoint(shown))?;
        for want in &plan.wants {
            self.item(&Item::Want(want.clone()))?;
        }
        for void in &plan.voids {
            self.item(&Item::Void(void.clone()))?;
        }
        for want in &plan.file_wants {
            self.item(&Item::AttachmentWant(want.clone()))?;
        }
        let share = match plan.envelopes.is_empty() {
            true => self.left,
            false => self.left / RECEIPTS_SHARE,
        };
        let later = self.left - share;
        self.left = share;
        let rest = self.receipts(&plan.receipts, &checkpoint)?;
        self.left += later;
        let carried = self.envelopes(plan)?;
        self.receipts(rest, &checkpoint)?;
        let files = self.files(plan, &carried)?;
        let close = self.writer.close();
        self.piece(close)?;
        let mut book = lock(&self.shared.courier.carried);
        book.entry(plan.to).or_default().add(carried);
        drop(book);
        let mut book = lock(&self.shared.courier.files);
        let book = book.entry(plan.to).or_default();
        for (root, next) in files {
            book.entry(root).or_default().written(next);
        }
        Ok(())
    }

    /// As many receipts as there is room for; the others.
    fn receipts<'r>(
        &mut self,
        mut leaves: &'r [LeafIndex],
        checkpoint: &Checkpoint,
    ) -> Result<&'r [LeafIndex], Broken> {
        let none = BTreeMap::new();
        while !leaves.is_empty() {
            let room = usize::try_from(self.left / RECEIPT_BYTES).unwrap_or(usize::MAX);
            let count = leaves.len().min(RECEIPTS_AT_ONCE).min(room);
            if count == 0 {
                break;
            }
            let (now, rest) = leaves.split_at(count);
            let outcomes = now
                .iter()
                .map(|leaf| self.shared.with_companion(*leaf, &none));
            let outcomes = outcomes.collect::<Result<Vec<_>, _>>()?;
            let outcomes = self.handed_on(outcomes)?;
            // From the checkpoint's own size on every receipt has its whole path.
            let (reader, size) = (&self.shared.reader, checkpoint.size());
            for frame in receipt::build_frames(&outcomes, size, reader, checkpoint)? {
                self.left = self.left.saturating_sub(HEAD + encoded(&frame));
                self.item(&Item::Receipts(frame))?;
            }
            leaves = rest;
        }
        Ok(leaves)
    }

    /// What recipients said of what is carried here goes along as they said it, each under its own
    /// checkpoint; the others are left.
    fn handed_on(&mut self, outcomes: Vec<Outcome>) -> Result<Vec<Outcome>, Broken> {
        let mut own = Vec::new();
        for outcome in outcomes {
            if outcome.0.fact().message().kind() != v1::LeafKind::ReceiptTaken {
                own.push(outcome);
                continue;
            }
            let Some(mut receipt) = self.shared.kept_receipt(outcome.0.index())? else {
                continue;
            };
            let checkpoint = std::mem::take(&mut receipt.checkpoint);
            // Verified when it was taken; under a newer roster nobody may believe it any more.
            let trust = self.shared.trust();
            let Ok((_, theirs)) = verify_checkpoint(&trust.roster, &checkpoint) else {
                continue;
            };
            let frame = v1::Receipts {
                checkpoint,
                old_size: theirs.size(),
                receipts: vec![receipt],
                ..v1::Receipts::default()
            };
            let size = HEAD + encoded(&frame);
            if size <= self.left {
                self.left -= size;
                self.item(&Item::Receipts(frame))?;
            }
        }
        Ok(own)
    }

    /// The envelopes that there is room for, in order; which these were.
    fn envelopes(&mut self, plan: &Plan) -> Result<BTreeSet<Queued>, Broken> {
        let mut carried = BTreeSet::new();
        for waiting in &plan.envelopes {
            if u64::from(waiting.size) + HEAD > self.left {
                continue;
            }
            let frame = self.shared.frame_of(waiting.record, plan.to)?;
            if frame.is_empty() {
                // Nothing is scrubbed before its life is over; or its outcome came meanwhile.
                continue;
            }
            self.left = self.left.saturating_sub(frame.len() as u64 + HEAD);
            self.item(&Item::Envelope(frame))?;
            carried.insert(waiting.queued);
        }
        Ok(carried)
    }

    pub(super) fn item(&mut self, item: &Item) -> Result<(), Broken> {
        let frame = self.writer.item(item);
        self.piece(frame)
    }

    fn piece(&self, bytes: Bytes) -> Result<(), Broken> {
        Ok(self.sender.send_blocking(Ok(bytes))?)
    }

    fn broken(&self, why: Broken) {
        let Broken::Read(e) = why else { return };
        tracing::error!(error = %e, "a courier file cannot be made: the journal cannot be read back");
        let told = ApiError::new(
            ErrorCode::Internal,
            format!("the journal cannot be read: {e}"),
        );
        let _ = self.sender.send_blocking(Err(told));
    }
}

impl Shared {
    /// The newest own checkpoint, shown to continue what the recipient is known to hold.
    fn courier_checkpoint(
        &self,
        to: PartyCode,
        checkpoint: &Checkpoint,
    ) -> Result<v1::CheckpointFrame, ReadError> {
        let linked = self.links.entry(to).map_or(0, |entry| entry.peer_holds);
        let told = lock(&self.courier.held).get(&to).copied().unwrap_or(0);
        let old_size = linked.max(told).min(checkpoint.size());
        let proof = self.reader.consistency(old_size, checkpoint.size())?;
        Ok(v1::CheckpointFrame {
            checkpoint: checkpoint.note().clone(),
            old_size,
            consistency: proof.iter().map(LeafHash::to_bytes).collect(),
            asked: 0,
        })
    }

    /// Somebody says in a courier file how much of our log it holds.
    pub(super) fn courier_held(&self, from: PartyCode, held: &v1::CheckpointRef) {
        let root = LeafHash::from_slice(&held.root);
        let ours = held.incarnation == self.incarnation.0
            && held.size > 0
            && held.size <= self.reader.size()
            && self.reader.root_at(held.size).ok() == root;
        if ours {
            let mut known = lock(&self.courier.held);
            let size = known.entry(from).or_default();
            *size = held.size.max(*size);
        }
    }
}
