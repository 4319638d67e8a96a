//! Receipts that come back: every rule checked before the engine hears of one.

use crate::{
    Kind,
    book::Book,
    node::Life,
    work::Todo,
    world::{party, world},
};
use abeng_audit_log::{
    Checkpoint, Expect, LogOrigin, Outside,
    logs::{Held, Met},
    receipt::{self, FrameError},
};
use abeng_queue::{Input, Place, Proven, rows::SentRow};
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
            match self.prove(from, receipt, &checkpoint) {
                Some(proven) => self.todo.push(Todo::Handle(Input::ReceiptProven(proven))),
                None => book.meet("receipt about nothing of ours"),
            }
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
        if self.life_of(from) != Some(origin.incarnation) {
            return Err(OutOfStep);
        }
        let range = self.logs.held(origin).map(|held| held.range.clone());
        let range = range.unwrap_or_default();
        if frame.old_size == 0 && range.size() > 0 {
            return Err(self.not_taken(origin, &checkpoint, None, book));
        }
        let (range, receipts) = match receipt::expand(frame, &checkpoint, &range) {
            Ok(expanded) => expanded,
            Err(e) => return Err(self.not_taken(origin, &checkpoint, Some(e), book)),
        };
        self.outside.push(Outside::HeldCheckpoint {
            origin: origin.to_string(),
            note: checkpoint.note().clone(),
            peaks: range.peaks().to_vec(),
        });
        let held = Held {
            checkpoint: checkpoint.clone(),
            range,
        };
        match self.logs.hold(origin, held) {
            Met::Good | Met::Open => Ok((checkpoint, receipts)),
            Met::Closed => Err(OutOfStep),
            Met::Contradiction(proof) => {
                self.contradiction(&proof, book);
                Err(OutOfStep)
            }
        }
    }

    /// What a frame that does not continue what is held shows of the log all the same.
    fn not_taken(
        &mut self,
        origin: LogOrigin,
        checkpoint: &Checkpoint,
        why: Option<FrameError>,
        book: &mut Book,
    ) -> OutOfStep {
        let from = origin.party;
        match (self.logs.meet(origin, from, checkpoint), why) {
            (Met::Contradiction(proof), _) => self.contradiction(&proof, book),
            (_, None | Some(FrameError::OutOfStep { .. })) => {}
            (_, Some(_)) if book.copied.contains(&from) => book.meet("frame of another past"),
            (_, Some(e)) => book.problem(Kind::Fork, format!("{from}: {e}")),
        }
        OutOfStep
    }

    /// None where it is about nothing of ours.
    pub(crate) fn prove(
        &self,
        from: PartyCode,
        mut receipt: v1::Receipt,
        checkpoint: &Checkpoint,
    ) -> Option<Box<Proven>> {
        let leaf: v1::Leaf = abeng_wire::decode("leaf", &receipt.leaf, limits::LEAF).unwrap();
        let envelope_id = EnvelopeId::from_slice(&leaf.envelope_id).unwrap();
        let recipient = PartyCode::new(&leaf.recipient).unwrap();
        let about = self.about(&envelope_id, recipient, from)?;
        let expect = Expect {
            roster: &world().trust.roster,
            envelope_id,
            originator: about.originator,
            recipient,
            seq_commit: about.seq_commit,
        };
        let proof = receipt::verify(&receipt, checkpoint, &expect).expect("an honest receipt");
        receipt.checkpoint = checkpoint.note().clone();
        Some(Box::new(Proven {
            from,
            place: about.place,
            envelope_id,
            originator: about.originator,
            seq_commit: about.seq_commit,
            kind: proof.kind,
            reason: proof.leaf.message().reason(),
            receipt,
            settled: None,
            // What is still queued needs no look-up; what is not comes back for one.
            looked: LeafIndex(0),
        }))
    }

    /// What a receipt from a peer, or its fault, is about: something of ours, or what is carried here for
    /// others, of which only its recipient has a say.
    pub(crate) fn about(
        &self,
        id: &EnvelopeId,
        recipient: PartyCode,
        from: PartyCode,
    ) -> Option<About> {
        let Some((place, _)) = self.place(id, recipient) else {
            let carried = || self.about_carried(id, recipient);
            return (from == recipient).then(carried)?;
        };
        let queued = self.reader.read(place.queued);
        let queued = queued.expect("the journal reads back").record;
        let seq_commit = &queued.leaf().message().seq_commit;
        Some(About {
            place,
            originator: party(self.me),
            seq_commit: Digest::from_slice(seq_commit).unwrap(),
        })
    }

    /// Whether a receipt was taken already, as far as the view shows.
    pub(crate) fn look_settled(&self, proven: &mut Proven) {
        let recipient = proven.place.recipient;
        proven.looked = self.overlay.position();
        if proven.place.is_carried() {
            let row = self.carried_row(&proven.envelope_id, recipient);
            proven.settled = row.and_then(|row| row.outcome);
        } else if proven.kind == v1::LeafKind::Relayed {
            let row = self.row(&SentRow::key(proven.place.submitted)).unwrap();
            let row = SentRow::decode(&row).unwrap();
            let mut said = row.relayed_to(recipient);
            let said = said.find(|said| said.relay == proven.from);
            proven.settled = said.map(|said| said.taken);
        } else {
            let place = self.place(&proven.envelope_id, recipient);
            proven.settled = place.and_then(|(_, settled)| settled);
        }
    }
}

/// What a receipt is about.
pub(crate) struct About {
    pub(crate) place: Place,
    pub(crate) originator: PartyCode,
    pub(crate) seq_commit: Digest,
}
