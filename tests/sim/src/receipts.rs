//! Receipts that come back: every rule checked before the engine hears of one.

use crate::{
    Kind,
    book::Book,
    node::{Held, Life},
    work::Todo,
    world::{party, world},
};
use abeng_audit_log::{
    Checkpoint, Expect, LogOrigin, Outside,
    receipt::{self, FrameError},
};
use abeng_queue::{Input, Proven};
use abeng_wire::{Digest, EnvelopeId, LeafIndex, PartyCode, limits, v1};

/// The frame does not continue the checkpoint held.
struct OutOfStep;

impl Life {
    /// Takes a frame of receipts; false where the link is to be closed.
    pub(crate) fn take_receipts(
        &mut self,
        from: PartyCode,
        frame: v1::Receipts,
        book: &mut Book,
    ) -> bool {
        let Ok((checkpoint, receipts)) = self.believe(from, frame, book) else {
            book.meet("receipts out of step");
            return false;
        };
        for receipt in receipts {
            let proven = self.prove(from, receipt, &checkpoint);
            self.todo.push(Todo::Handle(Input::ReceiptProven(proven)));
        }
        true
    }

    /// The frame's checkpoint and receipts, if it continues the range held of that log. All peers
    /// are honest: what does not hold is a defect.
    fn believe(
        &mut self,
        from: PartyCode,
        frame: v1::Receipts,
        book: &mut Book,
    ) -> Result<(Checkpoint, Vec<v1::Receipt>), OutOfStep> {
        let checkpoint = Checkpoint::verify_by_roster(&frame.checkpoint, &world().trust.roster)
            .expect("an honest checkpoint verifies");
        let origin = LogOrigin::parse(checkpoint.origin()).unwrap();
        assert_eq!(origin.party, from, "receipts are of the peer's own log");
        let before = self.held.get(&from);
        let range = before.map(|held| held.range.clone()).unwrap_or_default();
        match receipt::expand(frame, &checkpoint, &range) {
            Ok((range, receipts)) => {
                self.outside.push(Outside::HeldCheckpoint {
                    origin: origin.to_string(),
                    note: checkpoint.note().clone(),
                    peaks: range.peaks().to_vec(),
                });
                let held = Held {
                    checkpoint: checkpoint.clone(),
                    range,
                };
                self.held.insert(from, held);
                Ok((checkpoint, receipts))
            }
            Err(FrameError::OutOfStep { .. }) => Err(OutOfStep),
            Err(e) => {
                book.problem(Kind::Fork, format!("{from}: {e}"));
                Err(OutOfStep)
            }
        }
    }

    fn prove(
        &self,
        from: PartyCode,
        mut receipt: v1::Receipt,
        checkpoint: &Checkpoint,
    ) -> Box<Proven> {
        let leaf: v1::Leaf = abeng_wire::decode("leaf", &receipt.leaf, limits::LEAF).unwrap();
        let envelope_id = EnvelopeId::from_slice(&leaf.envelope_id).unwrap();
        let recipient = PartyCode::new(&leaf.recipient).unwrap();
        let (place, _) = self
            .place(&envelope_id, recipient)
            .expect("a receipt is for what was sent");
        let queued = self
            .reader
            .read(place.queued)
            .expect("the journal reads back");
        let seq_commit = &queued.record.leaf().message().seq_commit;
        let seq_commit = Digest::from_slice(seq_commit).unwrap();
        let expect = Expect {
            roster: &world().trust.roster,
            envelope_id,
            originator: party(self.me),
            recipient,
            seq_commit,
        };
        let proof = receipt::verify(&receipt, checkpoint, &expect).expect("an honest receipt");
        receipt.checkpoint = checkpoint.note().clone();
        Box::new(Proven {
            from,
            place,
            envelope_id,
            originator: party(self.me),
            seq_commit,
            kind: proof.kind,
            reason: proof.leaf.message().reason(),
            receipt,
            settled: None,
            // What is still queued needs no look-up; what is not comes back for one.
            looked: LeafIndex(0),
        })
    }
}
