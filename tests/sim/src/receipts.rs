//! Receipts that come back: every rule checked before the engine hears of one.

use crate::{
    Kind,
    book::Book,
    node::Life,
    work::Todo,
    world::{party, world},
};
use abeng_audit_log::{Checkpoint, Expect, LogOrigin, hashes, receipt};
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
        let Ok(checkpoint) = self.believe(&frame, book) else {
            book.meet("receipts out of step");
            return false;
        };
        for receipt in frame.receipts {
            let proven = self.prove(from, receipt, &checkpoint);
            self.todo.push(Todo::Handle(Input::ReceiptProven(proven)));
        }
        true
    }

    /// The frame's checkpoint, if it continues the newest one held of that log. All peers are
    /// honest: what does not hold is a defect.
    fn believe(&mut self, frame: &v1::Receipts, book: &mut Book) -> Result<Checkpoint, OutOfStep> {
        let note = &frame.checkpoint;
        let known = self.held.values().find(|held| held.note() == note);
        if let Some(known) = known {
            return Ok(known.clone());
        }
        let checkpoint = Checkpoint::verify_by_roster(note, &world().trust.roster)
            .expect("an honest checkpoint verifies");
        let of = LogOrigin::parse(checkpoint.origin()).unwrap().party;
        if let Some(before) = self.held.get(&of) {
            if before.size() != frame.old_size && before.size() != checkpoint.size() {
                return Err(OutOfStep);
            }
            let is_same = before.size() == checkpoint.size();
            let proof = hashes(&frame.consistency).filter(|_| !is_same);
            if let Err(e) = checkpoint.consistent_with(before, &proof.unwrap_or_default()) {
                book.problem(Kind::Fork, format!("{of}: {e}"));
            }
        }
        let older = |held: &Checkpoint| held.size() < checkpoint.size();
        if self.held.get(&of).is_none_or(older) {
            self.held.insert(of, checkpoint.clone());
        }
        Ok(checkpoint)
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
