//! A relay's work: reach, carrying, and what recipients say on its way back. A malicious relay
//! takes what it is given, says so, and then drops, keeps back and shuffles it.

use crate::{
    book::Book,
    node::Life,
    receipts::About,
    work::Todo,
    world::{RELAY, party, place_of, world},
};
use abeng_audit_log::{Checkpoint, receipt};
use abeng_queue::{Input, Place, RelayRank, rows::CarriedIdRow};
use abeng_seal::{Arrived, CarrierFault, VerifyFault, verify};
use abeng_wire::{EnvelopeId, LeafIndex, Now, PartyCode, decode, limits, v1};
use bytes::Bytes;
use std::collections::BTreeSet;
use v1::control::Frame as Control;

/// What a malicious relay keeps back.
#[derive(Debug)]
pub(crate) struct Hoarded {
    peer: PartyCode,
    session: u64,
    precedence: v1::Precedence,
    envelope: Bytes,
}

impl Life {
    /// Whether this is a relay that relays.
    pub(crate) fn relays(&self) -> bool {
        self.ways.relays && self.me == RELAY
    }

    /// Tells every linked peer with whom else this relay is linked.
    pub(crate) fn tell_reach(&mut self) {
        if !self.relays() {
            return;
        }
        let all: Vec<PartyCode> = self.peers.keys().copied().collect();
        for &peer in &all {
            let others = all.iter().filter(|&&other| other != peer);
            let parties = others.map(|code| code.to_string()).collect();
            self.say(peer, Control::Reach(v1::Reach { parties }));
        }
    }

    /// A relay's word on whom it is linked with.
    pub(crate) fn take_reach(
        &mut self,
        now: Now,
        peer: PartyCode,
        reach: &v1::Reach,
        book: &mut Book,
    ) {
        let Some((_, session)) = self.session(peer) else {
            return;
        };
        assert_eq!(place_of(peer), RELAY, "only a relay says whom it reaches");
        let parties = reach
            .parties
            .iter()
            .map(|code| PartyCode::new(code).unwrap());
        let input = Input::Reach {
            peer,
            session,
            parties: parties.collect::<BTreeSet<_>>(),
            rank: RelayRank::Ordinary,
        };
        self.handle(now, input, book);
    }

    /// For whom an envelope is to be carried: it holds the stanza of exactly one other party.
    pub(crate) fn to_carry(&self, arrived: &Arrived) -> Option<PartyCode> {
        if !self.relays() || arrived.originator() == party(self.me) {
            return None;
        }
        let here = arrived.stanzas().iter().filter(|stanza| !stanza.is_empty());
        if here.count() != 1 {
            return None;
        }
        let recipients = arrived.recipients().iter().copied();
        let recipient = recipients
            .into_iter()
            .find(|party| arrived.carries(*party))?;
        (recipient != party(self.me)).then_some(recipient)
    }

    /// Known? → verify as the recipient would → engine.
    pub(crate) fn carry(
        &mut self,
        now: Now,
        (from, recipient): (PartyCode, PartyCode),
        arrived: Arrived,
        book: &mut Book,
    ) -> Result<(), CarrierFault> {
        if arrived.originator() != from {
            book.meet("relay refuses a relayed copy");
            return Ok(());
        }
        let checked = self.checked();
        let input = match self.carried_row(&arrived.id(), recipient) {
            Some(row) => {
                book.meet("relay answers a copy");
                Input::Duplicate {
                    from,
                    outcome: row.answer(),
                }
            }
            None => match verify(arrived, &world().trust, recipient, now.wall) {
                Ok(verified) => {
                    book.meet("taken to carry");
                    Input::Carry {
                        from,
                        recipient,
                        verified: Box::new(verified),
                        checked,
                    }
                }
                Err(VerifyFault::Carrier(fault)) => return Err(fault),
                Err(VerifyFault::Originator(_)) => {
                    book.meet("too late to carry");
                    return Ok(());
                }
            },
        };
        self.todo.push(Todo::Handle(input));
        Ok(())
    }

    pub(crate) fn carried_row(
        &self,
        id: &EnvelopeId,
        recipient: PartyCode,
    ) -> Option<CarriedIdRow> {
        let row = self.row(&CarriedIdRow::key(id, recipient))?;
        Some(CarriedIdRow::decode(&row).unwrap())
    }

    /// What a receipt is about that the recipient gave for something carried here.
    pub(crate) fn about_carried(&self, id: &EnvelopeId, recipient: PartyCode) -> Option<About> {
        let row = self.carried_row(id, recipient)?;
        Some(About {
            place: Place::carried(recipient, row.precedence, row.relayed),
            originator: row.originator,
            seq_commit: row.seq_commit,
        })
    }

    /// Outcomes that are receipts of this node. What recipients have said of what is carried here
    /// is handed on as they said it; the end of a life here is nobody's outcome.
    pub(crate) fn own_outcomes(
        &mut self,
        peer: PartyCode,
        outcomes: Vec<receipt::Outcome>,
        book: &mut Book,
    ) -> Vec<receipt::Outcome> {
        let mut own = Vec::new();
        let mut receipts = Vec::new();
        for outcome in outcomes {
            let says = outcome.0.fact().message();
            match says.kind() {
                v1::LeafKind::ReceiptTaken => receipts.extend(self.kept(outcome.0.index())),
                v1::LeafKind::Expired if says.recipient != party(self.me).as_str() => {}
                _ => own.push(outcome),
            }
        }
        for receipts in receipts.chunks(limits::CARRIED_RECEIPTS) {
            book.meet("receipt handed on");
            let receipts = receipts.to_vec();
            self.say(
                peer,
                Control::CarriedReceipts(v1::CarriedReceipts { receipts }),
            );
        }
        own
    }

    fn kept(&self, taken: LeafIndex) -> Option<v1::Receipt> {
        let record = self
            .reader
            .read(taken)
            .expect("the journal reads back")
            .record;
        match record.proof().unwrap()?.of? {
            v1::proof_part::Of::Receipt(receipt) => Some(receipt),
            _ => None,
        }
    }

    /// Receipts of recipients that a relay brings: whole, under their own checkpoints.
    pub(crate) fn take_carried_receipts(
        &mut self,
        relay: PartyCode,
        frame: v1::CarriedReceipts,
        book: &mut Book,
    ) {
        for receipt in frame.receipts {
            let roster = &world().trust.roster;
            let checkpoint = Checkpoint::verify_by_roster(&receipt.checkpoint, roster)
                .expect("an honest checkpoint verifies");
            let leaf: v1::Leaf = decode("leaf", &receipt.leaf, limits::LEAF).unwrap();
            assert!(
                checkpoint.origin().contains(&leaf.recipient),
                "a relay hands on what the recipient said"
            );
            if let Some(proven) = self.prove(relay, receipt, &checkpoint) {
                book.meet("receipt by a relay");
                self.todo.push(Todo::Handle(Input::ReceiptProven(proven)));
            }
        }
    }

    /// Puts on the link what is carried, unless this relay means ill.
    pub(crate) fn forward_carried(
        &mut self,
        (peer, session): (PartyCode, u64),
        precedence: v1::Precedence,
        envelope: Bytes,
        book: &mut Book,
    ) {
        if !self.ways.malicious {
            return self.push_envelope(peer, precedence, envelope, book);
        }
        match self.entropy.below(4) {
            0 => book.fault("relay drops"),
            1 | 2 => {
                book.fault("relay keeps back");
                self.hoard.push(Hoarded {
                    peer,
                    session,
                    precedence,
                    envelope,
                });
            }
            _ => self.push_envelope(peer, precedence, envelope, book),
        }
    }

    /// Lets go of something that was kept back, in any order.
    pub(crate) fn let_go(&mut self, book: &mut Book) {
        if self.hoard.is_empty() || !self.entropy.per_mille(500) {
            return;
        }
        let at = self.entropy.index(self.hoard.len());
        let Hoarded {
            peer,
            session,
            precedence,
            envelope,
        } = self.hoard.swap_remove(at);
        if self.session(peer).is_some_and(|(_, s)| s == session) {
            book.fault(if at == 0 {
                "relay delays"
            } else {
                "relay reorders"
            });
            self.push_envelope(peer, precedence, envelope, book);
        }
    }
}
