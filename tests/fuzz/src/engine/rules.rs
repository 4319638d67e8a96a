//! What the leaves of one log say as a whole, whatever came in between.

use super::pool::me;
use abeng_audit_log::Record;
use abeng_wire::{EnvelopeId, Incarnation, PartyCode, v1};
use std::collections::{BTreeMap, BTreeSet};
use v1::{LeafKind, proof_part::Of};

/// What durable leaves have said so far.
#[derive(Default)]
pub(super) struct Rules {
    // The last leaf, where it was Received.
    received: Option<v1::Leaf>,
    outcomes: BTreeSet<EnvelopeId>,
    delivered: BTreeSet<(PartyCode, Incarnation, u64)>,
    given: BTreeMap<PartyCode, u64>,
    expired: BTreeSet<(EnvelopeId, PartyCode)>,
    taken: BTreeMap<(EnvelopeId, PartyCode), Incarnation>,
    /// How much was delivered here, and settled of what was sent.
    pub(super) done: (usize, usize),
}

impl Rules {
    /// Takes the next leaf; panics where it breaks a rule.
    pub(super) fn take(&mut self, record: &Record) {
        let leaf = record.leaf().message();
        let before = self.received.take();
        assert_eq!(leaf.actor, me().as_str(), "a leaf is of this party");
        let proof = record.proof().unwrap().and_then(|proof| proof.of);
        let Some(id) = EnvelopeId::from_slice(&leaf.envelope_id) else {
            if let Some(Of::Void(void)) = proof {
                self.number(&leaf.recipient, void.first);
            }
            return;
        };
        let here = leaf.recipient == me().as_str();
        match leaf.kind() {
            LeafKind::Received => {
                if let Some(Of::Received(received)) = proof {
                    let at = received.position.expect("what was opened has its number");
                    let hdr: v1::Hdr = decode(&received.hdr);
                    let pre: v1::Pre = decode(&hdr.pre);
                    let of = code(&leaf.originator);
                    let number = (of, Incarnation(pre.incarnation), at.stream_seq);
                    assert!(self.delivered.insert(number), "I2: {number:?} comes twice");
                }
                self.received = Some(leaf.clone());
            }
            LeafKind::Delivered => {
                let received = before.expect("Received stands right before Delivered");
                assert_eq!(
                    received.envelope_id, leaf.envelope_id,
                    "one receipt shows both"
                );
                self.outcome(id);
                self.done.0 += 1;
            }
            LeafKind::Refused if here => self.outcome(id),
            LeafKind::Expired if here => self.outcome(id),
            LeafKind::Expired => {
                let key = (id, code(&leaf.recipient));
                assert!(self.expired.insert(key), "I1: {key:?} ends twice");
            }
            LeafKind::Queued => {
                if let Some(Of::Queued(position)) = proof {
                    self.number(&leaf.recipient, position.stream_seq);
                }
            }
            LeafKind::ReceiptTaken => self.receipt(id, leaf, proof),
            _ => {}
        }
    }

    /// I2: whoever sends it gets one outcome.
    fn outcome(&mut self, id: EnvelopeId) {
        assert!(self.outcomes.insert(id), "I2: {id} has two outcomes");
    }

    /// I5: numbers of a stream follow on each other.
    fn number(&mut self, recipient: &str, number: u64) {
        let last = self.given.entry(code(recipient)).or_default();
        assert_eq!(number, *last + 1, "I5: a stream from here has no hole");
        *last = number;
    }

    /// An outcome is taken once for each life of the recipient's log.
    fn receipt(&mut self, id: EnvelopeId, leaf: &v1::Leaf, proof: Option<Of>) {
        let Some(Of::Receipt(receipt)) = proof else {
            panic!("a receipt is kept with its leaf");
        };
        let says: v1::Leaf = decode(&receipt.leaf);
        if says.kind() != LeafKind::Delivered || leaf.originator != me().as_str() {
            return;
        }
        let key = (id, code(&leaf.recipient));
        let before = self.taken.insert(key, Incarnation(says.incarnation));
        if before.is_none() {
            self.done.1 += 1;
        }
    }
}

fn code(text: &str) -> PartyCode {
    PartyCode::new(text).expect("leaves name parties")
}

fn decode<M: abeng_wire::prost::Message + Default>(bytes: &bytes::Bytes) -> M {
    abeng_wire::decode("part", bytes, 1 << 20).expect("what the engine writes decodes")
}
