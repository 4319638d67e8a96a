//! Gaps in streams: what is asked for, and what a node says will not come.

use crate::{
    book::Book,
    node::Life,
    work::Todo,
    world::{incarnation, party, world},
};
use abeng_queue::{Input, rows::EndedRow};
use abeng_seal::{sign_void, verify_void};
use abeng_wire::{EnvelopeId, Now, PartyCode, StreamSeq, v1, v1::control::Frame as Control};

impl Life {
    pub(crate) fn want(&mut self, peer: PartyCode, want: v1::Want, book: &mut Book) {
        book.meet("gap asked for");
        self.say_up(peer, Control::Want(want));
    }

    /// Answers a want with voids of what ended, as far as that is durable.
    pub(crate) fn answer_ended(
        &mut self,
        (peer, first, last): (PartyCode, u64, u64),
        book: &mut Book,
    ) {
        for (key, value) in self.scan(Some(EndedRow::PREFIX)) {
            let (recipient, seq) = EndedRow::parse_key(&key).unwrap();
            if recipient == peer && (first..=last).contains(&seq.get()) {
                let row = EndedRow::decode(&value).unwrap();
                assert!(row.leaf.0 < self.reader.size(), "I6: it is durable");
                book.meet("void asked for");
                let frame = self.void(peer, seq, (row.reason, row.envelope_id));
                self.say_up(peer, frame);
            }
        }
    }

    /// A void that nobody asked for yet.
    pub(crate) fn tell_void(
        &mut self,
        recipient: PartyCode,
        seq: StreamSeq,
        why: (v1::VoidReason, Option<EnvelopeId>),
    ) {
        let frame = self.void(recipient, seq, why);
        self.say_up(recipient, frame);
    }

    fn say_up(&mut self, peer: PartyCode, frame: Control) {
        if self.is_up(peer) {
            self.say(peer, frame);
        }
    }

    fn void(
        &self,
        recipient: PartyCode,
        seq: StreamSeq,
        (reason, envelope_id): (v1::VoidReason, Option<EnvelopeId>),
    ) -> Control {
        let void = v1::Void {
            originator: party(self.me).to_string(),
            incarnation: incarnation(self.me).0,
            recipient: recipient.to_string(),
            first: seq.get(),
            last: seq.get(),
            reason: reason.into(),
            envelope_id: envelope_id.map(|id| id.to_bytes()).unwrap_or_default(),
        };
        let org_sign = world().keyrings[self.me].org_sign();
        Control::Void(sign_void(org_sign.as_ref(), &void).unwrap())
    }

    pub(crate) fn take_void(
        &mut self,
        now: Now,
        from: PartyCode,
        signed: v1::Signed,
        book: &mut Book,
    ) {
        let void = verify_void(&world().trust.roster, &signed).expect("honest nodes sign");
        book.meet("void taken");
        let void = Box::new(void.message().clone());
        let signed = Box::new(signed);
        self.handle(now, Input::Voided { from, signed, void }, book);
    }

    /// What a peer asks for that is not queued is looked up later.
    pub(crate) fn look_ended(&mut self, peer: PartyCode, first: u64, last: u64) {
        self.todo.push(Todo::Ended(peer, first, last));
    }
}
