//! What was sent from here: the envelope's row and one row per queued recipient.

use super::{
    RowError,
    codec::{Reader, Writer},
};
use crate::{Custody, Place};
use abeng_wire::{EnvelopeId, Incarnation, LeafIndex, Millis, PartyCode, StreamSeq, limits, v1};

/// Bytes of an envelope on a link, exactly: with the recipient's own stanza, the others pruned.
/// What credit is counted in, so that both sides count the same.
pub fn frame_size(hdr: usize, body: u64, recipients: usize) -> u32 {
    // A field is a tag byte, a varint of its length, and its bytes; a pruned stanza is two bytes.
    let field = |length: u64| 1 + u64::from(varint(length)) + length;
    let others = recipients.saturating_sub(1) as u64;
    let size =
        field(hdr as u64) + field(64) + field(limits::STANZA as u64) + 2 * others + field(body);
    u32::try_from(size).unwrap_or(u32::MAX)
}

/// Bytes of a protobuf varint.
fn varint(value: u64) -> u32 {
    (64 - (value | 1).leading_zeros()).div_ceil(7)
}

/// `'S' ‖ submitted`: an envelope submitted here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentRow {
    /// The envelope.
    pub envelope_id: EnvelopeId,
    /// Unix milliseconds.
    pub created_at: Millis,
    /// Unix milliseconds.
    pub expires_at: Millis,
    /// How urgent.
    pub precedence: v1::Precedence,
    /// Bytes on a link: see [`frame_size`].
    pub size: u32,
    /// When the own copy of its content is deleted, Unix milliseconds; 0 where no time is known.
    pub keep_until: Millis,
    /// The notice that it takes back.
    pub recalls: Option<EnvelopeId>,
    /// The life of this log that it was sent in: whose streams its numbers are of.
    pub incarnation: Incarnation,
    /// How often the notice was sealed anew before: see [`AnewRow`](super::AnewRow).
    pub anew_before: u8,
    /// Sorted by code.
    pub recipients: Vec<SentTo>,
    /// Which relays have said that they carry it, in the order in which they did: for each
    /// recipient at most [`RELAYED_KEPT`].
    pub relayed: Vec<SentRelayed>,
}

/// Receipts of relays that are kept for one recipient of an envelope.
pub const RELAYED_KEPT: usize = 8;

/// A relay carries an envelope to a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentRelayed {
    /// The recipient.
    pub recipient: PartyCode,
    /// The relay.
    pub relay: PartyCode,
    /// The ReceiptTaken leaf that holds its receipt.
    pub taken: LeafIndex,
}

/// One recipient of a sent envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentTo {
    /// The recipient.
    pub party: PartyCode,
    /// Its number in the recipient's stream.
    pub seq: StreamSeq,
    /// The Queued leaf.
    pub queued: LeafIndex,
    /// What became of it.
    pub outcome: SentOutcome,
    /// The ReceiptTaken leaf that proves that somebody there has opened it.
    pub read: Option<LeafIndex>,
    /// The Submitted leaf of the same notice sealed anew for it.
    pub anew: Option<LeafIndex>,
    /// The Submitted leaf of what replaces it there or takes it back.
    pub replaced: Option<LeafIndex>,
}

/// What became of an envelope at one recipient, as far as is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentOutcome {
    /// Nothing is known yet.
    Queued,
    /// The recipient has proved delivery.
    Delivered {
        /// The ReceiptTaken leaf here.
        taken: LeafIndex,
        /// The Delivered leaf in the recipient's log.
        at_peer: u64,
        /// The life of that log: to a newer one it may be offered again.
        life: Incarnation,
    },
    /// The recipient has signed a refusal.
    Refused {
        /// The ReceiptTaken leaf here.
        taken: LeafIndex,
        /// Why.
        reason: v1::Reason,
    },
    /// Its life ended first, here or there.
    Expired {
        /// The Expired or ReceiptTaken leaf here.
        leaf: LeafIndex,
    },
    /// Its number was voided.
    Voided {
        /// The Voided leaf here.
        leaf: LeafIndex,
    },
    /// The recipient has proved that the content is deleted there, as the originator asked.
    Recalled {
        /// The ReceiptTaken leaf here.
        taken: LeafIndex,
        /// The Recalled leaf in the recipient's log.
        at_peer: u64,
        /// The ReceiptTaken leaf of the delivery, where that receipt came.
        delivered: Option<LeafIndex>,
    },
}

impl SentRow {
    /// The letter that its keys start with.
    pub const PREFIX: u8 = b'S';
    const ROW: &'static str = "sent";

    /// Its key.
    pub fn key(submitted: LeafIndex) -> Vec<u8> {
        Writer::key(Self::PREFIX).leaf(submitted).done()
    }

    /// The Submitted leaf that a key names.
    pub fn parse_key(key: &[u8]) -> Result<LeafIndex, RowError> {
        let mut reader = Reader::key(Self::ROW, Self::PREFIX, key)?;
        let submitted = reader.leaf()?;
        reader.end()?;
        Ok(submitted)
    }

    /// Where it is queued for a recipient, or was.
    pub fn place(&self, submitted: LeafIndex, recipient: PartyCode) -> Option<Place> {
        let to = self.recipients.iter().find(|to| to.party == recipient)?;
        Some(Place {
            custody: Custody::Own {
                life: self.incarnation,
                seq: to.seq,
            },
            recipient,
            precedence: self.precedence,
            submitted,
            queued: to.queued,
        })
    }

    /// What the relays have said for one recipient.
    pub fn relayed_to(&self, recipient: PartyCode) -> impl Iterator<Item = &SentRelayed> {
        self.relayed
            .iter()
            .filter(move |r| r.recipient == recipient)
    }

    /// Its value.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::value()
            .bytes(&self.envelope_id.0)
            .u64(self.created_at)
            .u64(self.expires_at)
            .precedence(self.precedence)
            .u32(self.size)
            .u64(self.keep_until)
            .bytes(&self.recalls.unwrap_or_default().0)
            .u64(self.incarnation.0)
            .u8(self.anew_before)
            .u16(self.recipients.len() as u16);
        for to in &self.recipients {
            out = out.party(to.party).u64(to.seq.get()).leaf(to.queued);
            out = match to.outcome {
                SentOutcome::Queued => out.u8(0),
                SentOutcome::Delivered {
                    taken,
                    at_peer,
                    life,
                } => out.u8(1).leaf(taken).u64(at_peer).u64(life.0),
                SentOutcome::Refused { taken, reason } => {
                    out.u8(2).leaf(taken).u8(reason as i32 as u8)
                }
                SentOutcome::Expired { leaf } => out.u8(3).leaf(leaf),
                SentOutcome::Voided { leaf } => out.u8(4).leaf(leaf),
                SentOutcome::Recalled {
                    taken,
                    at_peer,
                    delivered,
                } => out.u8(5).leaf(taken).u64(at_peer).maybe(delivered),
            };
            out = out.maybe(to.read).maybe(to.anew).maybe(to.replaced);
        }
        out = out.u16(self.relayed.len() as u16);
        for relayed in &self.relayed {
            out = out
                .party(relayed.recipient)
                .party(relayed.relay)
                .leaf(relayed.taken);
        }
        out.done()
    }

    /// Reads a value.
    pub fn decode(value: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::value(Self::ROW, value)?;
        let mut row = Self {
            envelope_id: reader.id()?,
            created_at: reader.u64()?,
            expires_at: reader.u64()?,
            precedence: reader.precedence()?,
            size: reader.u32()?,
            keep_until: reader.u64()?,
            recalls: Some(reader.id()?).filter(|id| *id != EnvelopeId::default()),
            incarnation: reader.incarnation()?,
            anew_before: reader.u8()?,
            recipients: Vec::new(),
            relayed: Vec::new(),
        };
        for _ in 0..reader.u16()? {
            row.recipients.push(SentTo {
                party: reader.party()?,
                seq: reader.seq()?,
                queued: reader.leaf()?,
                outcome: outcome(&mut reader)?,
                read: reader.maybe()?,
                anew: reader.maybe()?,
                replaced: reader.maybe()?,
            });
        }
        for _ in 0..reader.u16()? {
            row.relayed.push(SentRelayed {
                recipient: reader.party()?,
                relay: reader.party()?,
                taken: reader.leaf()?,
            });
        }
        reader.end()?;
        Ok(row)
    }
}

fn outcome(reader: &mut Reader<'_>) -> Result<SentOutcome, RowError> {
    Ok(match reader.u8()? {
        0 => SentOutcome::Queued,
        1 => SentOutcome::Delivered {
            taken: reader.leaf()?,
            at_peer: reader.u64()?,
            life: reader.incarnation()?,
        },
        2 => SentOutcome::Refused {
            taken: reader.leaf()?,
            reason: v1::Reason::try_from(i32::from(reader.u8()?))
                .map_err(|_| reader.bad("reason"))?,
        },
        3 => SentOutcome::Expired {
            leaf: reader.leaf()?,
        },
        4 => SentOutcome::Voided {
            leaf: reader.leaf()?,
        },
        5 => SentOutcome::Recalled {
            taken: reader.leaf()?,
            at_peer: reader.u64()?,
            delivered: reader.maybe()?,
        },
        _ => return Err(reader.bad("outcome")),
    })
}

/// `'Q' ‖ recipient ‖ precedence ‖ Queued leaf`: one (notice, recipient) that is not done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueRow {
    /// The Submitted leaf, whose record holds the envelope.
    pub submitted: LeafIndex,
    /// The Queued leaf.
    pub queued: LeafIndex,
    /// Its number in the recipient's stream, of the life that it was sealed in.
    pub seq: StreamSeq,
    /// That life.
    pub life: Incarnation,
    /// Unix milliseconds.
    pub created_at: Millis,
    /// Unix milliseconds.
    pub expires_at: Millis,
    /// Bytes on a link.
    pub size: u32,
}

impl QueueRow {
    /// The letter that its keys start with.
    pub const PREFIX: u8 = b'Q';
    const ROW: &'static str = "queue";

    /// Its key.
    pub fn key(recipient: PartyCode, precedence: v1::Precedence, queued: LeafIndex) -> Vec<u8> {
        Writer::key(Self::PREFIX)
            .party(recipient)
            .precedence(precedence)
            .leaf(queued)
            .done()
    }

    /// The place that a key names.
    pub fn parse_key(key: &[u8]) -> Result<(PartyCode, v1::Precedence, LeafIndex), RowError> {
        let mut reader = Reader::key(Self::ROW, Self::PREFIX, key)?;
        let place = (reader.party()?, reader.precedence()?, reader.leaf()?);
        reader.end()?;
        Ok(place)
    }

    /// Its value.
    pub fn encode(&self) -> Vec<u8> {
        Writer::value()
            .leaf(self.submitted)
            .leaf(self.queued)
            .u64(self.seq.get())
            .u64(self.life.0)
            .u64(self.created_at)
            .u64(self.expires_at)
            .u32(self.size)
            .done()
    }

    /// Reads a value.
    pub fn decode(value: &[u8]) -> Result<Self, RowError> {
        let mut reader = Reader::value(Self::ROW, value)?;
        let row = Self {
            submitted: reader.leaf()?,
            queued: reader.leaf()?,
            seq: reader.seq()?,
            life: reader.incarnation()?,
            created_at: reader.u64()?,
            expires_at: reader.u64()?,
            size: reader.u32()?,
        };
        reader.end()?;
        Ok(row)
    }
}

#[cfg(test)]
mod frame_tests {
    use super::*;
    use abeng_wire::encode;
    use bytes::Bytes;

    #[test]
    fn a_frame_is_exactly_as_long_as_it_is_counted() {
        let bytes = |n: usize| Bytes::from(vec![1; n]);
        for (hdr, body, recipients) in [
            (300, 2064, 1),
            (127, 128, 2),
            (16_383, 16_384, 64),
            (700, 1 << 20, 5),
        ] {
            let mut stanzas = vec![Bytes::new(); recipients];
            stanzas[recipients / 2] = bytes(limits::STANZA);
            let envelope = v1::Envelope {
                hdr: bytes(hdr),
                sig: bytes(64),
                stanzas,
                body: bytes(body),
            };
            let counted = frame_size(hdr, body as u64, recipients) as usize;
            assert_eq!(
                encode(&envelope).len(),
                counted,
                "{hdr} {body} {recipients}"
            );
        }
    }
}
