//! What comes over a link: envelopes, receipts, credit, faults.

use crate::{
    book::Book,
    linking::Close,
    net::Frame,
    node::Life,
    work::{Todo, terms},
    world::{party, world},
};
use abeng_queue::{Input, Refusable, Target};
use abeng_roster::{NoticeFacts, Policy, Tlp};
use abeng_seal::{Arrived, CarrierFault, VerifyFault, open, verify};
use abeng_wire::{EnvelopeId, Now, PartyCode, v1};
use bytes::Bytes;
use v1::control::Frame as Control;

impl Life {
    /// Takes a frame: looks at once, hands on later. An error closes the link. Session 0 is none:
    /// nothing of what comes so is counted.
    pub(crate) fn arrive(
        &mut self,
        now: Now,
        (from, session): (usize, u64),
        frame: Frame,
        book: &mut Book,
    ) -> Result<(), Close> {
        let peer = party(from);
        let bytes = match frame {
            Frame::Control(bytes) => return self.control(now, peer, &bytes, book),
            Frame::Envelope(bytes) => bytes,
        };
        if session > 0 {
            self.arriving(peer, bytes.len(), book)?;
        }
        if let Err(fault) = self.envelope(now, peer, &bytes, book) {
            book.meet("copy dropped");
            if let Some(id) = fault.id {
                let arrived = Arrived::parse(&bytes).ok();
                let carried = arrived.and_then(|arrived| self.to_carry(&arrived));
                self.say_fault(peer, (id, carried), fault.kind);
            }
        }
        if session > 0 {
            self.todo.push(Todo::Consumed(peer, session, bytes.len()));
        }
        Ok(())
    }

    /// A peer has dropped what was sent to it.
    pub(crate) fn take_fault(
        &mut self,
        now: Now,
        from: PartyCode,
        fault: &v1::Fault,
        book: &mut Book,
    ) {
        let id = EnvelopeId::from_slice(&fault.envelope_id).expect("an honest fault names one");
        let recipient = PartyCode::new(&fault.recipient).unwrap_or(from);
        let about = self.about(&id, recipient, from);
        let envelope = about.map(|about| about.place);
        let kind = fault.kind();
        let input = Input::Fault {
            from,
            envelope,
            kind,
        };
        self.handle(now, input, book);
    }

    fn say_fault(
        &mut self,
        peer: PartyCode,
        (id, carried): (EnvelopeId, Option<PartyCode>),
        kind: v1::FaultKind,
    ) {
        if !self.is_up(peer) {
            return;
        }
        let envelope_id = id.to_bytes();
        let kind = kind.into();
        let fault = v1::Fault {
            envelope_id,
            kind,
            recipient: carried.map(|c| c.to_string()).unwrap_or_default(),
        };
        self.say(peer, Control::Fault(fault));
    }

    /// Known? → verify → open → granted? → engine.
    fn envelope(
        &mut self,
        now: Now,
        from: PartyCode,
        bytes: &Bytes,
        book: &mut Book,
    ) -> Result<(), CarrierFault> {
        let me = party(self.me);
        let arrived = Arrived::parse(bytes)?;
        if let Some(recipient) = self.to_carry(&arrived) {
            return self.carry(now, (from, recipient), arrived, book);
        }
        if arrived.originator() == me || arrived.entry(me).is_none() {
            book.meet("brought to the wrong door");
            return Ok(());
        }
        let checked = self.checked();
        if let Some(known) = self.known(from, &arrived.id(), book) {
            self.todo.push(Todo::Handle(known));
            return Ok(());
        }
        let trust = &world().trust;
        let input = match verify(arrived, trust, me, now.wall) {
            Ok(verified) => {
                let keyring = &world().keyrings[self.me];
                let secrets = |kid: &_| keyring.seal_secret(kid);
                let opened = open(&verified, &secrets, me, &mut self.opened)
                    .expect("what verifies here was sealed by an honest node");
                let notice = NoticeFacts {
                    ty: "SEIZURE",
                    tlp: Tlp::RED,
                };
                Policy::may_receive(trust, opened.originator(), me, &notice, now.wall)
                    .expect("everybody may send to everybody");
                if from != opened.originator() {
                    book.meet("delivered through a relay");
                }
                Input::Opened {
                    from,
                    opened: Box::new(opened),
                    terms: terms(),
                    target: Target::Unknown,
                    checked,
                }
            }
            Err(VerifyFault::Originator(rejected)) => {
                let reason = rejected.reason();
                assert_eq!(
                    reason,
                    v1::Reason::TimePassed,
                    "an honest envelope: {rejected:?}"
                );
                book.meet("came too late");
                Input::Refuse {
                    from,
                    envelope: Refusable::Rejected(rejected),
                    position: None,
                    reason,
                    checked,
                }
            }
            Err(VerifyFault::Carrier(fault)) => return Err(fault),
        };
        self.todo.push(Todo::Handle(input));
        Ok(())
    }

    /// The engine dropped a copy: says so on the present link.
    pub(crate) fn tell_fault(
        &mut self,
        peer: PartyCode,
        about: (EnvelopeId, Option<PartyCode>),
        kind: v1::FaultKind,
        book: &mut Book,
    ) {
        book.meet("too far ahead");
        self.say_fault(peer, about, kind);
    }
}
