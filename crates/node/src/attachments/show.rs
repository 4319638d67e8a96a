//! Listing the files of a notice and taking one out.

use super::{asks::Lacks, faults::OwnFault, ref_of};
use crate::{
    blobs::BlobError,
    reading::internal,
    shared::{Shared, lock},
};
use abeng_api::{
    ApiError, AttachmentItem, AttachmentState, Caller, Download, ErrorCode, FilesThere,
};
use abeng_audit_log::{ATTACHMENT, subject};
use abeng_notice::{Attachment, Notice};
use abeng_queue::rows::{ArrivedRow, FilesRow, IdRow};
use abeng_seal::{
    ATTACHMENT_CHUNK, AttachmentFault, AttachmentKey, AttachmentOpener, AttachmentRef,
};
use abeng_wire::{EnvelopeId, Hash32, LeafHash, LeafIndex, PartyCode, encode, v1};
use bytes::Bytes;
use std::{io, sync::Arc};
use tokio::sync::mpsc;

/// Chunks on their way from the disk to the socket.
const AHEAD: usize = 4;

/// A notice that has content here.
struct Opened {
    id: EnvelopeId,
    notice: Notice,
    originator: PartyCode,
}

impl Shared {
    /// `GET /v1/notices/{id}/attachments`.
    pub async fn attachment_list(
        self: &Arc<Self>,
        id: &str,
    ) -> Result<Vec<AttachmentItem>, ApiError> {
        let opened = self.opened_notice(id).await?;
        let files = opened.notice.attachments().iter();
        let item = |(nth, file): (usize, &Attachment)| {
            let of = ref_of(file);
            let (here, state) = self.state_of(of, opened.originator);
            let waits = state == AttachmentState::WaitsBudget;
            let budget_of = self.budget_of(of, opened.originator).filter(|_| waits);
            let budget_here = budget_of == Some(self.me);
            AttachmentItem {
                number: nth as u32 + 1,
                name: file.name.clone(),
                media_type: file.media_type.clone(),
                length: file.length,
                root: LeafHash(file.root).to_string(),
                cipher_length: file.cipher_length,
                here,
                state,
                sender: opened.originator.to_string(),
                budget_here,
                budget_of: budget_of.map(|party| party.to_string()),
            }
        };
        Ok(files.enumerate().map(item).collect())
    }

    fn state_of(&self, of: AttachmentRef, originator: PartyCode) -> (u64, AttachmentState) {
        let blobs = &self.attachments.blobs;
        if originator == self.me {
            return match self.own_fault(of) {
                None => (of.length, AttachmentState::Here),
                Some(OwnFault::Damaged) => (blobs.bytes(&of.root), AttachmentState::Damaged),
                Some(OwnFault::Gone) => (0, AttachmentState::Gone),
            };
        }
        if blobs.has(of) {
            return (of.length, AttachmentState::Here);
        }
        let here = blobs.arrived(of);
        let state = match here {
            _ if let Some(lacks) = self.sender_lacks(of, originator) => match lacks {
                Lacks::Gone => AttachmentState::SenderGone,
                Lacks::Damaged => AttachmentState::SenderDamaged,
            },
            0 if !self.comes_by_itself(of, originator) => AttachmentState::OnRequest,
            _ if self.budget_of(of, originator).is_some() => AttachmentState::WaitsBudget,
            0 => AttachmentState::Waiting,
            _ => AttachmentState::Coming,
        };
        (here, state)
    }

    /// What the sender of a file has said of its own copy, where that is why it does not come.
    pub(super) fn sender_lacks(&self, of: AttachmentRef, originator: PartyCode) -> Option<Lacks> {
        lock(&self.attachments.asks).lacked_by(&of.root, originator)
    }

    /// Whose spent day a file waits for, if for one.
    pub(super) fn budget_of(&self, of: AttachmentRef, originator: PartyCode) -> Option<PartyCode> {
        if self.own_day_lacks(of, originator) {
            return Some(self.me);
        }
        lock(&self.attachments.asks).put_off_by(&of.root)
    }

    /// `GET /v1/attachments/{root}`.
    pub async fn attachment(
        self: &Arc<Self>,
        who: &Caller,
        notice: &str,
        root: &str,
    ) -> Result<Download, ApiError> {
        let opened = self.opened_notice(notice).await?;
        let root = LeafHash::from_hex(root).map(|root| root.0);
        let mut files = opened.notice.attachments().iter().zip(1..);
        let found = files.find(|(file, _)| Some(file.root) == root);
        let (file, number) = found.ok_or_else(|| {
            ApiError::not_found("the notice has no such attachment")
                .with_try("`abeng attachment list ID` shows those that it has")
        })?;
        let of = ref_of(file);
        let what = format!("attachment {number} ({})", file.name);
        if opened.originator == self.me {
            if let Some(fault) = self.own_fault(of) {
                self.note_own_fault(of, opened.id);
                return Err(self.own_fault_told(fault, &what, &of.root));
            }
        } else if !self.attachments.blobs.has(of) {
            return Err(self.ask_for_it(&opened, of, &what));
        }
        let key = AttachmentKey::from_slice(&file.key)
            .ok_or_else(|| internal("a key of another length"))?;
        let opener = AttachmentOpener::new(&key, of.length).map_err(internal)?;
        self.note_taken(who, &opened, of).await?;
        let (give, chunks) = mpsc::channel(AHEAD);
        let (shared, originator, id) = (self.clone(), opened.originator, opened.id);
        let length = file.length;
        // A thread of its own ends with whoever reads.
        tokio::task::spawn_blocking(move || {
            if let Err(why) = shared.decrypt(of, opener, &give) {
                shared.found_damaged(of, (originator, id), &why);
                let _ = give.blocking_send(Err(io::Error::other(why.to_string())));
            }
        });
        Ok(Download { length, chunks })
    }

    /// Decrypts piece by piece. Each is verified before a byte of it goes out.
    fn decrypt(
        &self,
        of: AttachmentRef,
        mut opener: AttachmentOpener,
        give: &mpsc::Sender<io::Result<Bytes>>,
    ) -> Result<(), BlobError> {
        let pieces = self.attachments.blobs.pieces(of)?;
        let mut rest = Vec::with_capacity(ATTACHMENT_CHUNK);
        let mut read = Vec::new();
        for index in 0..of.pieces() {
            let blobs = &self.attachments.blobs;
            blobs.read_into(&pieces, index, &mut read)?;
            let mut piece = &read[..];
            while !piece.is_empty() {
                let wanted = opener.next_len().saturating_sub(rest.len());
                let (now, later) = piece.split_at(wanted.min(piece.len()));
                rest.extend_from_slice(now);
                piece = later;
                if rest.len() < opener.next_len() {
                    continue;
                }
                let plain = opener.open(&mut rest);
                let plain = plain.map_err(|_: AttachmentFault| BlobError::Damaged)?;
                if give
                    .blocking_send(Ok(Bytes::copy_from_slice(plain)))
                    .is_err()
                {
                    return Ok(());
                }
                rest.clear();
            }
        }
        match opener.rest() {
            0 => Ok(()),
            _ => Err(BlobError::Damaged),
        }
    }

    /// What is damaged here may come again.
    fn found_damaged(
        &self,
        of: AttachmentRef,
        (originator, id): (PartyCode, EnvelopeId),
        why: &BlobError,
    ) {
        let root = LeafHash(of.root);
        tracing::error!(%root, error = %why, "an attachment cannot be read from this disk");
        if !matches!(why, BlobError::Damaged) {
            return;
        }
        if originator == self.me {
            // The only copy that is known: nothing is put out of the way.
            return self.note_own_fault(of, id);
        }
        if let Err(e) = self.attachments.blobs.set_aside(&of.root) {
            tracing::error!(%root, error = %e, "a damaged attachment cannot be set aside");
        }
        self.request(of.root);
    }

    fn request(&self, root: Hash32) {
        lock(&self.attachments.requested).insert(root);
        lock(&self.attachments.asks).wake(&root);
        self.attachments.look();
    }

    /// It is not here: it is asked for, also where its sender has said that it has it no more.
    fn ask_for_it(&self, opened: &Opened, of: AttachmentRef, what: &str) -> ApiError {
        let from = opened.originator;
        let lacks = self.sender_lacks(of, from);
        self.request(of.root);
        let again = format!(
            "ask {from} to take it from a backup, or to send it anew; it is asked for again now, and once an hour"
        );
        match lacks {
            Some(Lacks::Gone) => {
                return ApiError::not_found(format!("{from} no longer has {what}")).with_try(again);
            }
            Some(Lacks::Damaged) => {
                let told = format!("{what} is damaged on the disk of {from}");
                return ApiError::new(ErrorCode::Damaged, told).with_try(again);
            }
            None => {}
        }
        let (here, all) = (self.attachments.blobs.arrived(of) >> 10, of.length >> 10);
        let told = format!("{what} is not here yet: {here} of {all} KiB have come");
        let hint = match (self.budget_of(of, from), self.links.link(from)) {
            (Some(party), _) if party == self.me => {
                "this node's bytes of the day on metered paths do not take its next part: it goes on tomorrow, or after `abeng link allow` here".to_owned()
            }
            (Some(party), _) => format!(
                "the bytes of the day at {party} do not take its next part: it goes on tomorrow, or after `abeng link allow` at the node of {party}"
            ),
            (None, Some(_)) => {
                format!("it is asked for now; wait, and try again ({from} is linked)")
            }
            (None, None) => format!(
                "it comes as soon as {from} is linked again, or a relay that carried the notice"
            ),
        };
        ApiError::new(ErrorCode::Conflict, told).with_try(hint)
    }

    /// Who took it out, and which.
    async fn note_taken(
        &self,
        who: &Caller,
        opened: &Opened,
        of: AttachmentRef,
    ) -> Result<(), ApiError> {
        let leaf = v1::Leaf {
            kind: v1::LeafKind::Acted.into(),
            envelope_id: opened.id.to_bytes(),
            originator: opened.originator.to_string(),
            recipient: if opened.originator == self.me {
                String::new()
            } else {
                self.me.to_string()
            },
            subject: subject(ATTACHMENT, &encode(&of.to_wire())).to_bytes(),
            ..Default::default()
        };
        self.note_act(who, leaf, None).await.map(drop)
    }

    /// A notice with its content, sent from here or delivered.
    async fn opened_notice(self: &Arc<Self>, id: &str) -> Result<Opened, ApiError> {
        let (id, row) = self.find_id(id).await?;
        let shared = self.clone();
        let (originator, opening): (PartyCode, LeafIndex) = match row {
            IdRow::Sent { submitted } => (self.me, submitted),
            IdRow::Held {
                received, outcome, ..
            } => match self.inbox_row(outcome).await? {
                Some(row) => (row.originator, received),
                None => return Err(nothing_of(&id)),
            },
            IdRow::Received { .. } => return Err(nothing_of(&id)),
        };
        let own = originator == self.me;
        let open = move || match own {
            true => shared.open_own(opening),
            false => shared.open_at(opening),
        };
        let notice = tokio::task::spawn_blocking(open)
            .await
            .map_err(internal)??;
        Ok(Opened {
            id,
            notice,
            originator,
        })
    }

    /// How many files of a sent notice a recipient has proved to have; nothing where it has none.
    pub fn files_there(
        &self,
        submitted: LeafIndex,
        recipient: PartyCode,
    ) -> Result<Option<FilesThere>, ApiError> {
        let row = self.view.get_blocking(&FilesRow::key(submitted));
        let row = row.map_err(internal)?.map(|v| FilesRow::decode(&v));
        let Some(row) = row.transpose().map_err(internal)? else {
            return Ok(None);
        };
        let there = self
            .view
            .get_blocking(&ArrivedRow::key(submitted, recipient));
        let there = there.map_err(internal)?.map(|v| ArrivedRow::decode(&v));
        let there = there.transpose().map_err(internal)?.unwrap_or_default();
        Ok(Some(FilesThere {
            arrived: there.count(),
            of: row.files.len() as u32,
        }))
    }
}

fn nothing_of(id: &EnvelopeId) -> ApiError {
    ApiError::not_found(format!("{id:.12} has no content here"))
        .with_try("`abeng inbox list` shows what was delivered, `abeng sent list` what was sent")
}
