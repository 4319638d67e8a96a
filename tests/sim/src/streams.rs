//! Gaps in streams: what is asked for, and what a node says will not come.

use crate::{
    book::Book,
    node::Life,
    world::{party, world},
};
use abeng_queue::{
    Input,
    ended::{EndedNumber, ended_number, lost_numbers, voids},
    rows::{EndedRow, SentRow},
};
use abeng_seal::{sign_void, sign_want, verify_void, verify_want};
use abeng_wire::{
    EnvelopeId, Incarnation, Now, PartyCode, StreamSeq, v1, v1::control::Frame as Control,
};
use std::collections::BTreeMap;

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

    /// A recipient asks for numbers of this log's present life, or of an earlier one.
    pub(crate) fn take_want(
        &mut self,
        now: Now,
        (peer, via): (PartyCode, Option<PartyCode>),
        want: v1::Want,
        book: &mut Book,
    ) {
        if want.incarnation >= self.incarnation.0 {
            return self.handle(now, Input::Wanted { peer, via, want }, book);
        }
        // Where it is linked it asks there.
        if via.is_none() || !self.is_up(peer) {
            self.answer_lost(now, (peer, via), &want, book);
        }
    }

    /// Answers a want with voids of what ended, as far as that is durable.
    pub(crate) fn answer_ended(
        &mut self,
        now: Now,
        (peer, via): (PartyCode, Option<PartyCode>),
        (first, last): (u64, u64),
        book: &mut Book,
    ) {
        let mut ended = Vec::new();
        for (key, value) in self.scan(Some(EndedRow::PREFIX)) {
            let (recipient, seq) = EndedRow::parse_key(&key).unwrap();
            if recipient == peer && (first..=last).contains(&seq.get()) {
                let EndedRow {
                    leaf,
                    reason,
                    envelope_id,
                } = EndedRow::decode(&value).unwrap();
                assert!(leaf.0 < self.reader.size(), "I6: it is durable");
                book.meet("void asked for");
                ended.push(EndedNumber {
                    seq,
                    reason,
                    envelope_id,
                });
            }
        }
        // Delivered to a life of the peer's log that is over, and past their own life.
        let known = self.numbers_of(now, self.incarnation, peer, (first, last));
        ended.extend(known.into_values().flatten());
        self.say_voids(self.incarnation, (peer, via), &ended);
    }

    /// A recipient asks for numbers of an earlier life of this log.
    fn answer_lost(
        &mut self,
        now: Now,
        (peer, via): (PartyCode, Option<PartyCode>),
        want: &v1::Want,
        book: &mut Book,
    ) {
        let life = Incarnation(want.incarnation);
        let range = (want.first, want.last);
        let known = self.numbers_of(now, life, peer, range);
        let lost = lost_numbers(range, &known);
        if !lost.is_empty() {
            book.meet("void of an earlier life");
        }
        self.say_voids(life, (peer, via), &lost);
    }

    /// The numbers of a stream of that life that are known here.
    fn numbers_of(
        &self,
        now: Now,
        life: Incarnation,
        peer: PartyCode,
        (first, last): (u64, u64),
    ) -> BTreeMap<u64, Option<EndedNumber>> {
        let rows = self.scan(Some(SentRow::PREFIX)).into_iter();
        let number = |(_, value): (Vec<u8>, Vec<u8>)| {
            ended_number(&SentRow::decode(&value).unwrap(), peer, life, now.wall)
        };
        let numbers = rows.filter_map(number);
        numbers
            .filter(|(n, _)| (first..=last).contains(n))
            .collect()
    }

    /// A void that nobody asked for yet.
    pub(crate) fn tell_void(
        &mut self,
        (recipient, via): (PartyCode, Option<PartyCode>),
        seq: StreamSeq,
        (reason, envelope_id): (v1::VoidReason, Option<EnvelopeId>),
    ) {
        let ended = EndedNumber {
            seq,
            reason,
            envelope_id,
        };
        self.say_voids(self.incarnation, (recipient, via), &[ended]);
    }

    fn say_voids(
        &mut self,
        life: Incarnation,
        (recipient, via): (PartyCode, Option<PartyCode>),
        ended: &[EndedNumber],
    ) {
        let org_sign = world().keyrings[self.me].org_sign();
        for void in voids((party(self.me), life), recipient, ended) {
            let signed = sign_void(org_sign.as_ref(), &void).unwrap();
            match via.filter(|_| !self.is_up(recipient)) {
                Some(relay) => self.say_up(relay, Control::CarriedVoid(signed)),
                None => self.say_up(recipient, Control::Void(signed)),
            }
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
        let peer = PartyCode::new(&want.recipient).unwrap();
        self.take_want(now, (peer, Some(from)), want, book);
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
