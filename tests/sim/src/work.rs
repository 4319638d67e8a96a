//! What a node has been asked to do and does in any order, as its tasks would.

use crate::{
    Submission,
    book::Book,
    node::Life,
    world::{START, party, world},
};
use abeng_queue::{
    Checked, Free, Input, Place, PrivateInput, Target, Terms, Ticket,
    rows::{IdRow, SentOutcome, SentRow},
};
use abeng_roster::{Cleared, NoticeFacts, Policy, Tlp};
use abeng_seal::{SealInput, Sealed, seal};
use abeng_wire::{EnvelopeId, LeafIndex, Now, PartyCode, StreamSeq, v1};
use bytes::Bytes;

/// One thing to do.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a few at a time")]
pub(crate) enum Todo {
    /// Looked up; to be handed to the engine.
    Handle(Input),
    Seal(Ticket, Vec<(PartyCode, StreamSeq)>),
    /// An envelope that came on this link, and of this length, is looked at: its credit goes back.
    Consumed(PartyCode, u64, usize),
    /// Read the Queued leaf of what has expired.
    Look(Place),
    /// A peer asks for numbers that are not queued.
    Ended(PartyCode, Option<PartyCode>, (u64, u64)),
}

/// A notice that an officer hands in.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) to: Vec<PartyCode>,
    pub(crate) notice: Bytes,
    pub(crate) precedence: v1::Precedence,
    pub(crate) life_ms: u64,
    /// Sealing does not succeed.
    pub(crate) fails: bool,
}

impl Life {
    pub(crate) fn submit(&mut self, now: Now, draft: Draft, book: &mut Book) {
        if self.past.is_some() {
            return book.meet("stopped submitting");
        }
        if clear(self.me, &draft.to, now).is_none() {
            return book.meet("submission refused by the clock");
        }
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let recipients = draft.to.clone();
        self.drafts.insert(ticket, draft);
        self.handle(now, Input::Reserve { ticket, recipients }, book);
    }

    /// Does the n-th of what there is to do.
    pub(crate) fn work(&mut self, now: Now, nth: usize, book: &mut Book) {
        let input = match self.todo.remove(nth) {
            Todo::Handle(input) => input,
            Todo::Ended(peer, via, range) => {
                return self.answer_ended(now, (peer, via), range, book);
            }
            Todo::Consumed(peer, session, length) => return self.consumed(peer, session, length),
            Todo::Seal(ticket, positions) => self.seal(now, ticket, &positions, book),
            // Its life was over before its leaf was durable: waits for that.
            Todo::Look(place) if place.queued.0 >= self.reader.size() => {
                book.meet("expired before durable");
                return self.todo.push(Todo::Look(place));
            }
            Todo::Look(place) => {
                let stored = self.reader.read(place.queued);
                let record = stored.expect("the journal reads back").record;
                let leaf = Box::new(record.leaf().message().clone());
                Input::Expire { place, leaf }
            }
        };
        self.handle(now, input, book);
    }

    /// Effects that need no disk.
    pub(crate) fn free(&mut self, free: Free, book: &mut Book) {
        let todo = match free {
            Free::SealNow { ticket, positions } => Todo::Seal(ticket, positions),
            Free::ClearAgain {
                ticket,
                sealed,
                private,
                terms,
            } => Todo::Handle(Input::Sealed {
                ticket,
                sealed,
                private,
                cleared_under: world().trust.roster.version(),
                terms,
            }),
            Free::CheckAgain { from, opened } => {
                book.meet("checked again");
                let known = self.known(from, &opened.id(), book);
                Todo::Handle(known.unwrap_or(Input::Opened {
                    from,
                    opened,
                    terms: terms(),
                    target: Target::Unknown,
                    checked: self.checked(),
                }))
            }
            Free::RefuseAgain {
                from,
                envelope,
                position,
                reason,
            } => {
                book.meet("refusal checked again");
                let known = self.known(from, &envelope.arrived().id(), book);
                Todo::Handle(known.unwrap_or(Input::Refuse {
                    from,
                    envelope,
                    position,
                    reason,
                    checked: self.checked(),
                }))
            }
            Free::ProveAgain(mut proven) => {
                book.meet("proved again");
                self.look_settled(&mut proven);
                Todo::Handle(Input::ReceiptProven(proven))
            }
            Free::LookExpired { place } => Todo::Look(place),
            Free::Want { peer, via, want } => return self.want((peer, via), want, book),
            Free::LookEnded {
                peer,
                via,
                first,
                last,
            } => return self.todo.push(Todo::Ended(peer, via, (first, last))),
            Free::NeverGiven { .. } => return,
            Free::CarryAgain {
                from,
                recipient,
                verified,
            } => {
                book.meet("carried again");
                let row = self.carried_row(&verified.id(), recipient);
                Todo::Handle(match row {
                    Some(row) => Input::Duplicate {
                        from,
                        outcome: row.answer(),
                    },
                    None => Input::Carry {
                        from,
                        recipient,
                        verified,
                        checked: self.checked(),
                    },
                })
            }
            Free::TellFault {
                peer,
                envelope_id,
                recipient,
                kind,
            } => return self.tell_fault(peer, (envelope_id, recipient), kind, book),
        };
        self.todo.push(todo);
    }

    /// What a look-up made now covers.
    pub(crate) fn checked(&self) -> Checked {
        Checked {
            looked: self.overlay.position(),
            roster_version: world().trust.roster.version(),
        }
    }

    /// The answer to a copy of what has its outcome already.
    pub(crate) fn known(&self, from: PartyCode, id: &EnvelopeId, book: &mut Book) -> Option<Input> {
        match self.id_row(id)? {
            IdRow::Held { outcome, .. } => {
                book.meet("duplicate answered");
                if outcome.0 < self.carried {
                    book.meet("duplicate after restore answered");
                }
                Some(Input::Duplicate { from, outcome })
            }
            row => unreachable!("{row:?}"),
        }
    }

    /// Where an envelope of ours is queued for a recipient, or was, and the leaf of its receipt.
    pub(crate) fn place(
        &self,
        id: &EnvelopeId,
        recipient: PartyCode,
    ) -> Option<(Place, Option<LeafIndex>)> {
        let Some(IdRow::Sent { submitted }) = self.id_row(id) else {
            return None;
        };
        let sent = SentRow::decode(&self.row(&SentRow::key(submitted))?).unwrap();
        let to = sent.recipients.iter().find(|to| to.party == recipient)?;
        let settled = match to.outcome {
            SentOutcome::Delivered { taken, .. } | SentOutcome::Refused { taken, .. } => {
                Some(taken)
            }
            _ => None,
        };
        Some((sent.place(submitted, recipient)?, settled))
    }

    fn seal(
        &mut self,
        now: Now,
        ticket: Ticket,
        positions: &[(PartyCode, StreamSeq)],
        book: &mut Book,
    ) -> Input {
        let draft = self.drafts.remove(&ticket).unwrap();
        if draft.fails {
            book.meet("sealing failed");
            return Input::SealFailed { ticket };
        }
        let Some(sealed) = self.seal_draft(now, positions, &draft) else {
            book.meet("sealing failed by the clock");
            return Input::SealFailed { ticket };
        };
        book.history.submissions.push(Submission {
            id: sealed.id(),
            from: party(self.me),
            to: draft.to,
            notice: draft.notice,
            expires_at: sealed.expires_at(),
            accepted: false,
        });
        Input::Sealed {
            ticket,
            sealed: Box::new(sealed),
            private: PrivateInput {
                officer: "officer".to_owned(),
                via: "sim".to_owned(),
                salt: [7; 32],
            },
            cleared_under: world().trust.roster.version(),
            terms: terms(),
        }
    }

    fn seal_draft(
        &mut self,
        now: Now,
        positions: &[(PartyCode, StreamSeq)],
        draft: &Draft,
    ) -> Option<Sealed> {
        let trust = &world().trust;
        let keyring = &world().keyrings[self.me];
        let cleared = clear(self.me, &draft.to, now)?;
        let input = SealInput {
            trust,
            cleared: &cleared,
            org_sign: keyring.org_sign().as_ref(),
            store: &keyring.store,
            incarnation: self.incarnation,
            created_at: now.wall,
            expires_at: now.wall + draft.life_ms,
            precedence: draft.precedence,
            positions,
            notice: &draft.notice,
            attachments: &[],
            boxes: &mut self.boxes,
            now,
        };
        seal(input, &mut self.entropy).ok()
    }
}

/// Whether one may send to others: not with a clock by which keys or roster are out of date.
fn clear(me: usize, to: &[PartyCode], now: Now) -> Option<Cleared> {
    let facts = NoticeFacts {
        ty: "SEIZURE",
        tlp: Tlp::RED,
    };
    Policy::clear(&world().trust, party(me), to, &facts, now.wall).ok()
}

/// Every notice here is kept for a year, and none takes another one back.
pub(crate) fn terms() -> Terms {
    Terms {
        keep_until: START + 365 * 86_400_000,
        ..Terms::default()
    }
}
