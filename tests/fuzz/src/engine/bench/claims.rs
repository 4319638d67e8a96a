//! What peers claim: voids, wants, receipts and newer lives, of which none need be true.

use super::Bench;
use crate::engine::{
    Source,
    pool::{LIFE, me, peers},
};
use abeng_queue::{
    Input, Place, Proven, View,
    offer::NewerLife,
    rows::{SentOutcome, SentRow},
};
use abeng_wire::{Digest, Incarnation, LeafIndex, encode, limits, v1};
use bytes::Bytes;
use std::collections::BTreeMap;

impl Bench {
    /// What an originator may sign: anything, of as many lives as it likes.
    pub(super) fn void(&mut self, bytes: &mut Source<'_>) {
        let from = *bytes.of(&peers());
        let (first, life, last) = (bytes.number(), bytes.number(), bytes.number());
        let (reason, lives) = (1 + bytes.byte() % 4, bytes.byte() % 128);
        for nth in 0..=u64::from(lives) {
            let void = v1::Void {
                originator: from.to_string(),
                incarnation: LIFE.0.wrapping_add(life).wrapping_add(nth),
                recipient: me().to_string(),
                first: first.max(1),
                last: first.max(1).saturating_add(last),
                reason: reason.into(),
                envelope_id: Bytes::new(),
            };
            let signed = Box::new(v1::Signed {
                bytes: encode(&void),
                ..v1::Signed::default()
            });
            let void = Box::new(void);
            self.handle(Input::Voided { from, signed, void });
        }
    }

    /// What a recipient may ask for, over its own link or the other one's.
    pub(super) fn want(&mut self, bytes: &mut Source<'_>) {
        let [one, other] = peers();
        let (peer, via) = match bytes.byte() % 4 {
            0 => (one, None),
            1 => (other, None),
            2 => (one, Some(other)),
            _ => (other, Some(one)),
        };
        let first = bytes.number();
        let want = v1::Want {
            originator: me().to_string(),
            incarnation: LIFE.0,
            first,
            last: first.saturating_add(bytes.number()),
            byte_budget: limits::WANT_BYTES,
            recipient: via.map(|_| peer.to_string()).unwrap_or_default(),
        };
        self.handle(Input::Wanted { peer, via, want });
    }

    /// One recipient of something that was sent, as its row has it.
    pub(super) fn place(&self, bytes: &mut Source<'_>) -> Option<(Place, SentRow)> {
        let (from, to) = (
            SentRow::key(LeafIndex(0)),
            SentRow::key(LeafIndex(u64::MAX)),
        );
        let rows = self.view.scan(&from, &to, false, usize::MAX).unwrap();
        let nth = usize::from(bytes.byte());
        let (key, value) = rows.get(nth % rows.len().max(1))?;
        let row = SentRow::decode(value).unwrap();
        let place = row.place(SentRow::parse_key(key).unwrap(), *bytes.of(&peers()))?;
        Some((place, row))
    }

    /// A recipient's word, proved: of whatever kind, in whatever life of its log.
    pub(super) fn prove(&mut self, bytes: &mut Source<'_>) {
        let Some((place, row)) = self.place(bytes) else {
            return;
        };
        let kind = *bytes.of(&[
            v1::LeafKind::Delivered,
            v1::LeafKind::Delivered,
            v1::LeafKind::Refused,
            v1::LeafKind::Expired,
            v1::LeafKind::Read,
            v1::LeafKind::Recalled,
        ]);
        let reason = match kind {
            v1::LeafKind::Refused => v1::Reason::NotGranted,
            v1::LeafKind::Expired => v1::Reason::TimePassed,
            _ => v1::Reason::Unspecified,
        };
        let to = row.recipients.iter().find(|to| to.party == place.recipient);
        let seq_commit = to.map_or(Digest::default(), |to| {
            let leaf = self.records[to.queued.0 as usize].leaf().message();
            Digest::from_slice(&leaf.seq_commit).unwrap()
        });
        let says = v1::Leaf {
            version: 1,
            kind: kind.into(),
            actor: place.recipient.to_string(),
            incarnation: LIFE.0 + u64::from(bytes.byte() % 4),
            time: self.now.wall,
            roster: Some(self.roster.clone()),
            envelope_id: row.envelope_id.to_bytes(),
            originator: me().to_string(),
            recipient: place.recipient.to_string(),
            seq_commit: seq_commit.to_bytes(),
            reason: reason.into(),
            ..v1::Leaf::default()
        };
        let receipt = v1::Receipt {
            leaf: encode(&says),
            checkpoint: checkpoint(&says, self.records.len()),
            ..v1::Receipt::default()
        };
        self.handle(Input::ReceiptProven(Box::new(Proven {
            from: place.recipient,
            place,
            envelope_id: row.envelope_id,
            originator: me(),
            seq_commit,
            kind,
            reason,
            receipt,
            settled: None,
            looked: LeafIndex(0),
        })));
    }

    pub(super) fn settled(&self, proven: &Proven) -> Option<LeafIndex> {
        let row = self.row(&SentRow::key(proven.place.submitted))?;
        let row = SentRow::decode(&row).unwrap();
        let mut to = row.recipients.iter();
        let to = to.find(|to| to.party == proven.place.recipient)?;
        match (&to.outcome, proven.kind) {
            (_, v1::LeafKind::Read) => to.read,
            (SentOutcome::Recalled { taken, .. }, _) => Some(*taken),
            (_, v1::LeafKind::Recalled) => None,
            (SentOutcome::Delivered { taken, .. } | SentOutcome::Refused { taken, .. }, _) => {
                Some(*taken)
            }
            _ => None,
        }
    }

    /// A peer shows a newer life, and marks of whatever height.
    pub(super) fn offer(&mut self, bytes: &mut Source<'_>) {
        let party = *bytes.of(&peers());
        let newer = NewerLife {
            party,
            life: Incarnation(LIFE.0 + u64::from(bytes.byte() % 8)),
            marks: BTreeMap::from([(LIFE.0, u64::from(bytes.byte() % 3))]),
        };
        let (from, to) = (
            SentRow::key(LeafIndex(0)),
            SentRow::key(LeafIndex(u64::MAX)),
        );
        let rows = self.view.scan(&from, &to, true, usize::MAX).unwrap();
        let rows = newer.look(&rows, self.now.wall).unwrap().rows;
        self.handle(Input::OfferAgain {
            recipient: party,
            rows,
        });
    }
}

/// The text of a recipient's checkpoint, as the fold reads it; nothing here verifies one.
fn checkpoint(says: &v1::Leaf, size: usize) -> Bytes {
    let (actor, life) = (&says.actor, Incarnation(says.incarnation));
    let root = "A".repeat(43);
    format!("abeng/fuzz/{actor}/{life}\n{size}\n{root}=\n\n— a signature\n").into()
}
