//! Gaps in streams: what is asked for, and what a node says will not come.

use crate::{
    book::Book,
    node::Life,
    world::{incarnation, party, world},
};
use abeng_queue::{Input, rows::EndedRow};
use abeng_seal::{sign_void, sign_want, verify_void, verify_want};
use abeng_wire::{EnvelopeId, Now, PartyCode, StreamSeq, v1, v1::control::Frame as Control};

impl Life {
    pub(crate) fn want(
        &mut self,
        (peer, via): (PartyCode, Option<PartyCode>),
        want: v1::Want,
        book: &mut Book,
    ) {
        let Some(relay) = via else {
            book.meet("gap asked for");
            return self.say_up(peer, Control::Want(want));
        };
        book.meet("gap asked for over a relay");
        let signed = sign_want(world().keyrings[self.me].org_sign().as_ref(), &want).unwrap();
        self.say_up(relay, Control::CarriedWant(signed));
    }

    /// Answers a want with voids of what ended, as far as that is durable.
    pub(crate) fn answer_ended(
        &mut self,
        (peer, via): (PartyCode, Option<PartyCode>),
        (first, last): (u64, u64),
        book: &mut Book,
    ) {
        for (key, value) in self.scan(Some(EndedRow::PREFIX)) {
            let (recipient, seq) = EndedRow::parse_key(&key).unwrap();
            if recipient == peer && (first..=last).contains(&seq.get()) {
                let row = EndedRow::decode(&value).unwrap();
                assert!(row.leaf.0 < self.reader.size(), "I6: it is durable");
                book.meet("void asked for");
                let signed = self.void(peer, seq, (row.reason, row.envelope_id));
                self.say_void((peer, via), signed);
            }
        }
    }

    /// A void that nobody asked for yet.
    pub(crate) fn tell_void(
        &mut self,
        (recipient, via): (PartyCode, Option<PartyCode>),
        seq: StreamSeq,
        why: (v1::VoidReason, Option<EnvelopeId>),
    ) {
        let signed = self.void(recipient, seq, why);
        self.say_void((recipient, via), signed);
    }

    fn say_void(&mut self, (recipient, via): (PartyCode, Option<PartyCode>), void: v1::Signed) {
        match via.filter(|_| !self.is_up(recipient)) {
            Some(relay) => self.say_up(relay, Control::CarriedVoid(void)),
            None => self.say_up(recipient, Control::Void(void)),
        }
    }

    fn say_up(&mut self, peer: PartyCode, frame: Control) {
        if self.is_up(peer) {
            self.say(peer, frame);
        }
    }

    /// Keeps a word back now and then, where this relay means ill; else passes it on.
    fn pass_on(&mut self, to: PartyCode, word: Control, book: &mut Book) {
        assert!(self.relays(), "only a relay is given the words of others");
        if self.ways.malicious && self.entropy.below(4) == 0 {
            return book.fault("relay drops a word");
        }
        book.meet("word passed on");
        self.say_up(to, word);
    }

    /// A want over a relay: passed on, or answered.
    pub(crate) fn take_carried_want(
        &mut self,
        now: Now,
        from: PartyCode,
        signed: v1::Signed,
        book: &mut Book,
    ) {
        let want = verify_want(&world().trust.roster, &signed).expect("honest nodes sign");
        let want = want.message().clone();
        let originator = PartyCode::new(&want.originator).unwrap();
        if originator != party(self.me) {
            return self.pass_on(originator, Control::CarriedWant(signed), book);
        }
        let (peer, via) = (PartyCode::new(&want.recipient).unwrap(), Some(from));
        self.handle(now, Input::Wanted { peer, via, want }, book);
    }

    /// A void over a relay: passed on, or taken.
    pub(crate) fn take_carried_void(
        &mut self,
        now: Now,
        from: PartyCode,
        signed: v1::Signed,
        book: &mut Book,
    ) {
        let void = verify_void(&world().trust.roster, &signed).expect("honest nodes sign");
        let recipient = PartyCode::new(&void.message().recipient).unwrap();
        match recipient == party(self.me) {
            true => self.take_void(now, from, signed, book),
            false => self.pass_on(recipient, Control::CarriedVoid(signed), book),
        }
    }

    fn void(
        &self,
        recipient: PartyCode,
        seq: StreamSeq,
        (reason, envelope_id): (v1::VoidReason, Option<EnvelopeId>),
    ) -> v1::Signed {
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
        sign_void(org_sign.as_ref(), &void).unwrap()
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
}
