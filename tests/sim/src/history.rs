//! What a run did, as far as officers and peers could see it, and what the logs say at its end.

use abeng_wire::{EnvelopeId, Incarnation, Millis, PartyCode, v1};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// A whole run.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// What officers handed in and was sealed.
    pub submissions: Vec<Submission>,
    /// Receipts that originators have journalled, and ends of lives, as they came.
    pub taken: Vec<Taken>,
    /// What was told to others under a checkpoint.
    pub promises: Vec<Promise>,
    /// Every inbox at the end, in order of delivery.
    pub inboxes: BTreeMap<PartyCode, Vec<Entry>>,
    /// What originators say at the end of each recipient of each envelope.
    pub sent: Vec<Sent>,
    /// The numbers of every stream, as the originators' logs gave them out.
    pub numbers: Vec<Number>,
    /// What a recipient had a reason to refuse: its clock was wrong, or the roster changed.
    pub refusals: BTreeSet<(EnvelopeId, PartyCode)>,
    /// Numbers that recipients' logs hold.
    pub seen: Vec<Place>,
    /// Numbers that recipients take for closed.
    pub marked: BTreeSet<Place>,
    /// Disks that were lost, or of a copy that was switched off.
    pub lost: Vec<LostDisk>,
    /// Every log at the end: the bytes of its leaves.
    pub logs: BTreeMap<PartyCode, Vec<Bytes>>,
    /// The latest that each party's clock showed.
    pub clocks: BTreeMap<PartyCode, Millis>,
}

/// A number in a stream: originator, life of its log, recipient, number.
pub type Place = (PartyCode, Incarnation, PartyCode, u64);

/// A disk that is gone, and what stood on it and on no disk that its party went on with.
#[derive(Debug, Clone)]
pub struct LostDisk {
    /// Whose.
    pub party: PartyCode,
    /// Its log: the bytes of its leaves.
    pub log: Vec<Bytes>,
    /// What had been submitted on it alone.
    pub submitted: BTreeSet<EnvelopeId>,
    /// Of that, what no inbox of these recipients held when the disk was lost: the only copy.
    pub nowhere: BTreeSet<(EnvelopeId, PartyCode)>,
    /// What had been delivered to it alone.
    pub received: BTreeSet<EnvelopeId>,
    /// What it alone had refused, or found too late.
    pub refused: BTreeSet<EnvelopeId>,
    /// All numbers that its log gave out.
    pub numbers: Vec<Number>,
}

/// One notice that was sealed.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Its envelope.
    pub id: EnvelopeId,
    /// The originator.
    pub from: PartyCode,
    /// The recipients.
    pub to: Vec<PartyCode>,
    /// The notice; no two are equal.
    pub notice: Bytes,
    /// When it stops being offered.
    pub expires_at: Millis,
    /// Whether the officer was told that it is on its way.
    pub accepted: bool,
}

/// One recipient of an envelope was done with, at the originator.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// The envelope.
    pub id: EnvelopeId,
    /// The recipient.
    pub recipient: PartyCode,
    /// Delivered, Refused or Expired.
    pub kind: v1::LeafKind,
}

/// A receipt that left: its party has promised that this leaf stands in its log for good.
#[derive(Debug, Clone)]
pub struct Promise {
    /// Whose log.
    pub by: PartyCode,
    /// In which life of it.
    pub life: Incarnation,
    /// The leaf's place.
    pub index: u64,
    /// The leaf's bytes.
    pub leaf: Bytes,
}

/// One row of an inbox, opened.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The envelope.
    pub id: EnvelopeId,
    /// Whom it names as its originator.
    pub from: PartyCode,
    /// What was in it.
    pub notice: Bytes,
}

/// What an originator says of one recipient of an envelope.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    /// The envelope.
    pub id: EnvelopeId,
    /// The recipient.
    pub recipient: PartyCode,
    /// What became of it.
    pub fate: Fate,
}

/// What became of an envelope for one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing yet.
    Queued,
    /// A receipt says delivered.
    Delivered,
    /// A receipt says refused.
    Refused,
    /// Its life is over.
    Expired,
}

/// One number of a stream.
#[derive(Debug, Clone, Copy)]
pub struct Number {
    /// The originator.
    pub from: PartyCode,
    /// The life of its log.
    pub life: Incarnation,
    /// The recipient.
    pub to: PartyCode,
    /// The number, from 1.
    pub number: u64,
    /// The envelope; none where the number was voided.
    pub id: Option<EnvelopeId>,
}
