use super::{FIRST_LINE, HEAD, Item};
use abeng_wire::{prost::Message, v1};
use bytes::Bytes;
use ring::digest::{Context, SHA256};
use v1::CourierKind;

/// Writes a courier file, one frame at a time. What each call returns is appended to the file.
pub struct CourierWriter {
    digest: Context,
    frames: u64,
}

impl CourierWriter {
    /// Begins a file: its first line and its header.
    pub fn begin(header: &v1::CourierHeader) -> (Self, Bytes) {
        let mut writer = Self {
            digest: Context::new(&SHA256),
            frames: 0,
        };
        writer.digest.update(FIRST_LINE);
        let frame = writer.frame(CourierKind::CourierHeader, header);
        (writer, [FIRST_LINE, &frame].concat().into())
    }

    /// One thing more.
    pub fn item(&mut self, item: &Item) -> Bytes {
        match item {
            Item::Trust(bundle) => self.frame(CourierKind::CourierTrust, bundle),
            Item::Checkpoint(frame) => self.frame(CourierKind::CourierCheckpoint, frame),
            Item::Want(want) => self.frame(CourierKind::CourierWant, want),
            Item::Void(void) => self.frame(CourierKind::CourierVoid, void),
            Item::Receipts(receipts) => self.frame(CourierKind::CourierReceipts, receipts),
            Item::Envelope(envelope) => self.bytes(CourierKind::CourierEnvelope, envelope),
            Item::Attachment(file) => self.frame(CourierKind::CourierAttachment, file),
            Item::Piece(piece) => self.bytes(CourierKind::CourierPiece, piece),
            Item::AttachmentWant(want) => self.frame(CourierKind::CourierAttachmentWant, want),
        }
    }

    /// Ends the file. Nothing follows.
    pub fn close(&mut self) -> Bytes {
        let close = v1::CourierClose {
            frames: self.frames,
            digest: Bytes::copy_from_slice(self.digest.clone().finish().as_ref()),
        };
        self.frame(CourierKind::CourierClose, &close)
    }

    fn frame(&mut self, kind: CourierKind, message: &impl Message) -> Bytes {
        let mut out = head(kind, message.encoded_len());
        message.encode_raw(&mut out);
        self.seal(out)
    }

    fn bytes(&mut self, kind: CourierKind, message: &Bytes) -> Bytes {
        let mut out = head(kind, message.len());
        out.extend_from_slice(message);
        self.seal(out)
    }

    fn seal(&mut self, frame: Vec<u8>) -> Bytes {
        self.digest.update(&frame);
        self.frames += 1;
        frame.into()
    }
}

fn head(kind: CourierKind, length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD + length);
    out.push(kind as u8);
    out.extend_from_slice(&(length as u32).to_be_bytes());
    out
}
