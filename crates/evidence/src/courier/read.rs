use super::{CourierFault, Damage, FIRST_LINE, HEAD, Item, VERSION, limit};
use abeng_wire::{Malformed, decode, decode_tolerant, limits, v1};
use bytes::{Buf, Bytes, BytesMut};
use ring::digest::{Context, SHA256};
use v1::CourierKind;

/// What stands next in a courier file.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// Which way it goes; comes first, and once.
    Header(Box<v1::CourierHeader>),
    /// One thing that it carries.
    Item(Item),
    /// A frame that is passed over.
    Damaged {
        /// Where it begins.
        at: u64,
        /// Why.
        why: Damage,
    },
    /// The end: nothing was changed, left out or put in.
    Close,
}

/// Reads a courier file in pieces of any size.
pub struct CourierReader {
    buffer: BytesMut,
    digest: Context,
    at: u64,
    frames: u64,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    FirstLine,
    Header,
    Items,
    Closed,
}

impl Default for CourierReader {
    fn default() -> Self {
        Self {
            buffer: BytesMut::new(),
            digest: Context::new(&SHA256),
            at: 0,
            frames: 0,
            state: State::FirstLine,
        }
    }
}

impl CourierReader {
    /// Reads from the beginning.
    pub fn new() -> Self {
        Self::default()
    }

    /// More of the file. To be called when [`Self::read`] has nothing more.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes of the file that are read: the end of the last whole frame.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// What stands next; `None` until more of the file is there. After a fault nothing can be read.
    pub fn read(&mut self) -> Result<Option<Found>, CourierFault> {
        if self.state == State::FirstLine && !self.first_line()? {
            return Ok(None);
        }
        if self.state == State::Closed {
            return match self.buffer.is_empty() {
                true => Ok(None),
                false => Err(CourierFault::Trailing { at: self.at }),
            };
        }
        let Some(head) = self.buffer.first_chunk::<HEAD>() else {
            return Ok(None);
        };
        let [kind, length @ ..] = *head;
        let length = u32::from_be_bytes(length) as usize;
        let known = CourierKind::try_from(i32::from(kind)).ok();
        let allowed = known.and_then(limit).unwrap_or(limits::COURIER_FRAME);
        if self.state == State::Header
            && (known != Some(CourierKind::CourierHeader) || length > allowed)
        {
            return Err(CourierFault::Header);
        }
        if length > allowed {
            return Err(CourierFault::Length {
                at: self.at,
                length: length as u64,
                limit: allowed,
            });
        }
        if self.buffer.len() < HEAD + length {
            return Ok(None);
        }
        let frame = self.buffer.split_to(HEAD + length).freeze();
        self.take(known, kind, frame).map(Some)
    }

    /// Nothing more comes: whether the file is whole.
    pub fn end(&self) -> Result<(), CourierFault> {
        match self.state {
            State::Closed => Ok(()),
            State::FirstLine => Err(CourierFault::NotCourier),
            State::Header | State::Items => Err(CourierFault::Cut {
                at: self.at,
                length: self.at + self.buffer.len() as u64,
            }),
        }
    }

    fn first_line(&mut self) -> Result<bool, CourierFault> {
        let have = self.buffer.len().min(FIRST_LINE.len());
        if self.buffer[..have] != FIRST_LINE[..have] {
            return Err(CourierFault::NotCourier);
        }
        if have < FIRST_LINE.len() {
            return Ok(false);
        }
        self.buffer.advance(have);
        self.digest.update(FIRST_LINE);
        self.at = have as u64;
        self.state = State::Header;
        Ok(true)
    }

    fn take(
        &mut self,
        known: Option<CourierKind>,
        kind: u8,
        frame: Bytes,
    ) -> Result<Found, CourierFault> {
        let at = self.at;
        self.at += frame.len() as u64;
        let message = frame.slice(HEAD..);
        if self.state == State::Header {
            return self.header(&frame, &message);
        }
        if known == Some(CourierKind::CourierClose) {
            return self.close(&message);
        }
        self.digest.update(&frame);
        self.frames += 1;
        Ok(match item(known, kind, message) {
            Ok(item) => Found::Item(item),
            Err(why) => Found::Damaged { at, why },
        })
    }

    fn header(&mut self, frame: &[u8], message: &Bytes) -> Result<Found, CourierFault> {
        // A later version may add fields; its number is to be told.
        let header: v1::CourierHeader = decode_tolerant("header", message, limits::COURIER_HEADER)
            .map_err(|_| CourierFault::Header)?;
        if header.version != VERSION {
            return Err(CourierFault::Version(header.version));
        }
        self.digest.update(frame);
        self.frames = 1;
        self.state = State::Items;
        Ok(Found::Header(Box::new(header)))
    }

    fn close(&mut self, message: &Bytes) -> Result<Found, CourierFault> {
        let close = decode::<v1::CourierClose>("close", message, limits::COURIER_HEADER);
        let digest = self.digest.clone().finish();
        let same = close.is_ok_and(|c| c.frames == self.frames && c.digest[..] == *digest.as_ref());
        if !same {
            return Err(CourierFault::Digest);
        }
        self.state = State::Closed;
        Ok(Found::Close)
    }
}

fn item(known: Option<CourierKind>, kind: u8, message: Bytes) -> Result<Item, Damage> {
    let Some(known) = known else {
        return Err(Damage::UnknownKind(kind));
    };
    let most = limit(known).unwrap_or_default();
    let item = match known {
        CourierKind::CourierTrust => decode("trust data", &message, most).map(Item::Trust),
        CourierKind::CourierCheckpoint => {
            decode("checkpoint", &message, most).map(Item::Checkpoint)
        }
        CourierKind::CourierWant => decode("want", &message, most).map(Item::Want),
        CourierKind::CourierVoid => decode("void", &message, most).map(Item::Void),
        CourierKind::CourierReceipts => decode("receipts", &message, most).map(Item::Receipts),
        CourierKind::CourierEnvelope => Ok::<_, Malformed>(Item::Envelope(message)),
        CourierKind::CourierAttachment => {
            decode("attachment", &message, most).map(Item::Attachment)
        }
        CourierKind::CourierPiece => Ok(Item::Piece(message)),
        CourierKind::CourierAttachmentWant => {
            decode("attachment want", &message, most).map(Item::AttachmentWant)
        }
        CourierKind::CourierHeader => return Err(Damage::Header),
        CourierKind::CourierClose | CourierKind::Unspecified => {
            return Err(Damage::UnknownKind(kind));
        }
    };
    Ok(item?)
}
