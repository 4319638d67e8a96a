//! What comes over a link: envelopes, receipts, credit, faults.

use crate::{
    book::Book,
    net::{Frame, Out},
    node::Life,
    work::{Todo, terms},
    world::{party, place_of, world},
};
use abeng_queue::{Input, Refusable, Target};
use abeng_roster::{Policy, Tlp};
use abeng_seal::{Arrived, CarrierFault, VerifyFault, open, verify};
use abeng_wire::{EnvelopeId, Now, PartyCode, v1};
use bytes::Bytes;

/// Envelopes that a node takes on a link before it has looked at one.
pub(crate) const CREDIT: u64 = 4;
/// And their bytes.
pub(crate) const CREDIT_BYTES: u64 = 1 << 20;

/// What the receiving node wants of the network.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) out: Vec<Out>,
    /// The link is to be closed.
    pub(crate) close: bool,
}

impl Life {
    /// Takes a frame: looks at once, hands on later.
    pub(crate) fn arrive(
        &mut self,
        now: Now,
        (from, session): (usize, u64),
        frame: Frame,
        book: &mut Book,
    ) -> Answer {
        let peer = party(from);
        let mut answer = Answer::default();
        match frame {
            Frame::Envelope(bytes) => {
                if let Err(fault) = self.envelope(now, peer, &bytes, book) {
                    book.meet("copy dropped");
                    let control = |frame| control(from, session, frame);
                    let told = fault.id.map(|id| control(Frame::Fault(id, fault.kind)));
                    answer.out.extend(told);
                }
                if let Some(link) = self.peers.get_mut(&peer) {
                    link.taken += 1;
                    let credit = Frame::Credit(CREDIT + link.taken, CREDIT_BYTES << 10);
                    answer.out.push(control(from, session, credit));
                }
            }
            Frame::Receipts(receipts) => answer.close = !self.take_receipts(peer, *receipts, book),
            Frame::Fault(id, kind) => {
                let envelope = self.place(&id, peer).map(|(place, _)| place);
                let from = peer;
                let input = Input::Fault {
                    from,
                    envelope,
                    kind,
                };
                self.handle(now, input, book);
            }
            Frame::Credit(envelopes, bytes) => {
                let input = Input::Credit {
                    peer,
                    session,
                    envelopes,
                    bytes,
                };
                self.handle(now, input, book);
            }
        }
        answer
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
                Policy::granted(&trust.roster, opened.originator(), me, "SEIZURE", Tlp::RED)
                    .expect("everybody may send to everybody");
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

    /// The engine dropped a copy: says so on the present link, as soon as the next batch leaves.
    pub(crate) fn tell_fault(
        &mut self,
        peer: PartyCode,
        id: EnvelopeId,
        kind: v1::FaultKind,
        book: &mut Book,
    ) {
        book.meet("too far ahead");
        if let Some((to, session)) = self.session(peer) {
            self.faults
                .push(control(to, session, Frame::Fault(id, kind)));
        }
    }
}

pub(crate) fn control(to: usize, session: u64, frame: Frame) -> Out {
    Out {
        to,
        session: Some(session),
        stream: 0,
        frame,
    }
}

/// Receipts go over whatever link there is.
pub(crate) fn receipts(peer: PartyCode, receipts: v1::Receipts) -> Out {
    Out {
        to: place_of(peer),
        session: None,
        stream: 0,
        frame: Frame::Receipts(Box::new(receipts)),
    }
}
