//! What stands in a courier file, as far as it can be read without keys. Nothing is verified.

use abeng_evidence::courier::{CourierFault, CourierReader, Found, Item};
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
    pub(super) damaged: u64,
    /// What was queued or owed and found no room.
    pub(super) left_out: u64,
    pub(super) whole: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
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
    /// The precedence of a notice, the outcome of a receipt.
    pub(super) about: String,
    pub(super) at: String,
    pub(super) bytes: u64,
}

/// Reads a file in pieces and keeps the first things to list.
pub(super) struct Sift {
    reader: CourierReader,
    contents: Contents,
    announced: u64,
    list: usize,
}

impl Sift {
    pub(super) fn new(list: usize) -> Self {
        Self {
            reader: CourierReader::new(),
            contents: Contents::default(),
            announced: 0,
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
        self.contents.problem = end.err().map(|fault| fault.to_string());
        let found = self.contents.envelopes + self.contents.receipts;
        if self.contents.whole {
            self.contents.left_out = self.announced.saturating_sub(found);
        }
        Ok(self.contents)
    }

    fn header(&mut self, header: &v1::CourierHeader) {
        self.announced = header.envelopes.saturating_add(header.receipts);
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
