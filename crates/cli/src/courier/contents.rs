//! What stands in a courier file, as far as it can be read without keys. Nothing is verified.

use abeng_api::CourierFaultView;
use abeng_evidence::courier::{CourierFault, CourierReader, Found, Item};
use abeng_node::courier_fault;
use abeng_seal::Arrived;
use abeng_wire::{EnvelopeId, SignedBytes, limits, v1};
use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

/// A file's contents by its own word.
#[derive(Debug, Default, Serialize)]
pub(super) struct Contents {
    pub(super) network: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) created_at: String,
    pub(super) roster: u64,
    pub(super) bytes: u64,
    pub(super) envelopes: u64,
    pub(super) receipts: u64,
    pub(super) checkpoints: u64,
    pub(super) wants: u64,
    pub(super) voids: u64,
    /// Files of which there are pieces.
    pub(super) attachments: u64,
    /// Bytes of those pieces.
    pub(super) attachment_bytes: u64,
    /// Files that are not in it to their last piece.
    pub(super) attachments_left_out: u64,
    /// Bytes of the pieces that found no room.
    pub(super) attachment_bytes_left_out: u64,
    pub(super) damaged: u64,
    /// What was queued or owed and found no room.
    pub(super) left_out: u64,
    pub(super) whole: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<CourierFaultView>,
    pub(super) items: Vec<Listed>,
}

/// One notice or receipt in it.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    pub(super) what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    pub(super) from: String,
    pub(super) to: Vec<String>,
    /// The precedence of a notice, the outcome of a receipt, `pieces` of an attachment.
    pub(super) about: String,
    pub(super) at: String,
    pub(super) bytes: u64,
}

/// Reads a file in pieces and keeps the first things to list.
pub(super) struct Sift {
    reader: CourierReader,
    contents: Contents,
    announced: u64,
    files: Files,
    list: usize,
}

/// What is known of files while they are read.
#[derive(Default)]
struct Files {
    announced: u64,
    announced_bytes: u64,
    /// Pieces of the one that is being read that are still to come.
    to_come: u64,
    whole: u64,
}

impl Sift {
    pub(super) fn new(list: usize) -> Self {
        Self {
            reader: CourierReader::new(),
            contents: Contents::default(),
            announced: 0,
            files: Files::default(),
            list,
        }
    }

    /// A piece more. After a fault nothing more can be read.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<(), CourierFault> {
        self.contents.bytes += piece.len() as u64;
        self.reader.feed(piece);
        while let Some(found) = self.reader.read()? {
            match found {
                Found::Header(header) => self.header(&header),
                Found::Item(item) => self.item(item),
                Found::Damaged { .. } => self.contents.damaged += 1,
                Found::Close => self.contents.whole = true,
            }
        }
        Ok(())
    }

    /// The end of the file, or the fault that stopped the reading.
    pub(super) fn end(mut self, read: Result<(), CourierFault>) -> Result<Contents, CourierFault> {
        let end = read.and_then(|()| self.reader.end());
        if self.contents.network.is_empty() && self.contents.from.is_empty() {
            end?;
            return Ok(self.contents);
        }
        self.contents.whole = end.is_ok();
        let fault = end.err();
        self.contents.fault = fault.as_ref().map(courier_fault);
        self.contents.problem = fault.map(|fault| fault.to_string());
        let found = self.contents.envelopes + self.contents.receipts;
        if self.contents.whole {
            let files = &self.files;
            let went = self.contents.attachment_bytes;
            self.contents.left_out = self.announced.saturating_sub(found);
            self.contents.attachments_left_out = files.announced.saturating_sub(files.whole);
            self.contents.attachment_bytes_left_out = files.announced_bytes.saturating_sub(went);
        }
        Ok(self.contents)
    }

    fn header(&mut self, header: &v1::CourierHeader) {
        self.announced = header.envelopes.saturating_add(header.receipts);
        self.files.announced = header.attachments;
        self.files.announced_bytes = header.attachment_bytes;
        self.contents.network.clone_from(&header.network);
        self.contents.from.clone_from(&header.from);
        self.contents.to.clone_from(&header.to);
        self.contents.created_at = time(header.created_at);
        self.contents.roster = header.roster.as_ref().map_or(0, |roster| roster.version);
    }

    fn item(&mut self, item: Item) {
        let contents = &mut self.contents;
        match item {
            Item::Trust(_) => {}
            Item::Checkpoint(_) => contents.checkpoints += 1,
            Item::Want(_) => contents.wants += 1,
            Item::Void(_) => contents.voids += 1,
            Item::AttachmentWant(_) => contents.wants += 1,
            Item::Attachment(file) => {
                contents.attachments += 1;
                let pieces = file.length.div_ceil(limits::ATTACHMENT_PIECE as u64);
                self.files.to_come = pieces.saturating_sub(file.first_piece);
                if contents.items.len() < self.list {
                    contents
                        .items
                        .push(file_listed(&file, &contents.from, &contents.to));
                }
            }
            Item::Piece(piece) => {
                contents.attachment_bytes += piece.len() as u64;
                if self.files.to_come == 1 {
                    self.files.whole += 1;
                }
                self.files.to_come = self.files.to_come.saturating_sub(1);
            }
            Item::Receipts(frame) => {
                contents.receipts += frame.receipts.len() as u64;
                for receipt in &frame.receipts {
                    if contents.items.len() < self.list {
                        contents.items.extend(receipt_listed(receipt));
                    }
                }
            }
            Item::Envelope(frame) => {
                contents.envelopes += 1;
                if contents.items.len() < self.list {
                    contents.items.push(envelope_listed(&frame));
                }
            }
        }
    }
}

fn envelope_listed(frame: &Bytes) -> Listed {
    let bytes = frame.len() as u64;
    match Arrived::parse(frame) {
        Ok(arrived) => {
            let pre = arrived.pre().message();
            Listed {
                what: "notice",
                id: Some(arrived.id().to_string()),
                from: arrived.originator().to_string(),
                to: pre.recipients.iter().map(|to| to.party.clone()).collect(),
                about: pre.precedence().as_str_name().to_owned(),
                at: time(pre.created_at),
                bytes,
            }
        }
        Err(fault) => Listed {
            what: "notice",
            id: fault.id.map(|id| id.to_string()),
            from: "?".to_owned(),
            to: Vec::new(),
            about: "damaged".to_owned(),
            at: "?".to_owned(),
            bytes,
        },
    }
}

fn file_listed(file: &v1::CourierAttachment, from: &str, to: &str) -> Listed {
    Listed {
        what: "attachment",
        id: EnvelopeId::from_slice(&file.envelope_id).map(|id| id.to_string()),
        from: from.to_owned(),
        to: vec![to.to_owned()],
        about: "pieces".to_owned(),
        at: String::new(),
        bytes: file.length,
    }
}

fn receipt_listed(receipt: &v1::Receipt) -> Option<Listed> {
    let leaf = SignedBytes::<v1::Leaf>::parse("leaf", receipt.leaf.clone(), limits::LEAF).ok()?;
    let says = leaf.message();
    Some(Listed {
        what: "receipt",
        id: EnvelopeId::from_slice(&says.envelope_id).map(|id| id.to_string()),
        from: says.actor.clone(),
        to: vec![says.originator.clone()],
        about: says.kind().as_str_name().to_owned(),
        at: time(says.time),
        bytes: receipt.leaf.len() as u64,
    })
}

fn time(millis: u64) -> String {
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).map_or_else(|_| "?".to_owned(), |at| at.to_string())
}
