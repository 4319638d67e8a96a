//! Which attachments are asked for, on which link, and which are let rest for a while.

use super::Store;
use crate::blobs::Partial;
use abeng_seal::AttachmentRef;
use abeng_wire::{EnvelopeId, Hash32, Mono, PartyCode, limits};
use std::collections::{BTreeMap, BTreeSet};

/// Without a stream after so long an ask is forgotten, and made again: nanoseconds.
const ANSWER: u64 = 10 * 60 * 1_000_000_000;

/// What is asked of one peer on one link.
#[derive(Debug)]
pub struct Ask {
    /// The envelope that names it.
    pub envelope: EnvelopeId,
    /// What has come of it before, where its list of hashes is here.
    pub partial: Option<Partial>,
    /// Where it is to lie.
    pub store: Store,
    session: u64,
    of: AttachmentRef,
    at: Mono,
    coming: bool,
}

/// Why a peer is not asked for a file for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It said that it brings none now.
    Refused,
    /// What it brought was wrong, or nothing.
    NothingGood,
}

/// Everything that is asked for.
#[derive(Debug, Default)]
pub struct Asks {
    asks: Vec<Ask>,
    // Of whom it is not to be asked for now.
    resting: BTreeMap<(Hash32, PartyCode), (Why, Mono)>,
    // Whose pieces somebody reads or writes now.
    held: BTreeSet<Hash32>,
}

impl Asks {
    /// Whether something may be asked for on a link now.
    pub fn may_ask(&mut self, (peer, session): (PartyCode, u64), root: &Hash32, now: Mono) -> bool {
        self.forget(now);
        self.resting.retain(|_, (_, until)| *until > now);
        let on_link = self.asks.iter().filter(|ask| ask.session == session);
        !self.resting.contains_key(&(*root, peer))
            && !self.held.contains(root)
            && self.asks.iter().all(|ask| ask.of.root != *root)
            && on_link.count() < limits::ATTACHMENT_STREAMS
    }

    /// Keeps its pieces for whoever calls, unless it is asked for: two must not write to one file.
    pub fn hold(&mut self, root: Hash32) -> bool {
        self.asks.iter().all(|ask| ask.of.root != root) && self.held.insert(root)
    }

    /// The same, where an ask without an answer is forgotten by now.
    pub fn hold_now(&mut self, root: Hash32, now: Mono) -> bool {
        self.forget(now);
        self.hold(root)
    }

    fn forget(&mut self, now: Mono) {
        self.asks
            .retain(|ask| ask.coming || now.0.saturating_sub(ask.at.0) < ANSWER);
    }

    /// Its pieces are free again.
    pub fn release(&mut self, root: &Hash32) {
        self.held.remove(root);
    }

    /// It is asked for.
    pub fn ask(
        &mut self,
        session: u64,
        (of, envelope): (AttachmentRef, EnvelopeId),
        (store, partial): (Store, Option<Partial>),
        now: Mono,
    ) {
        self.asks.push(Ask {
            envelope,
            partial,
            store,
            session,
            of,
            at: now,
            coming: false,
        });
    }

    /// It begins to come: gives what was asked, if it was, and if no other stream brings it.
    pub fn comes(
        &mut self,
        session: u64,
        of: AttachmentRef,
    ) -> Option<(EnvelopeId, Store, Option<Partial>)> {
        let asked = |ask: &&mut Ask| ask.session == session && ask.of == of && !ask.coming;
        let ask = self.asks.iter_mut().find(asked)?;
        ask.coming = true;
        Some((ask.envelope, ask.store, ask.partial.take()))
    }

    /// Nothing more comes of it on that link.
    pub fn end(&mut self, session: u64, root: &Hash32) -> bool {
        let before = self.asks.len();
        self.asks
            .retain(|ask| ask.session != session || ask.of.root != *root);
        self.asks.len() < before
    }

    /// Nothing more comes on that link.
    pub fn end_session(&mut self, session: u64) {
        self.asks.retain(|ask| ask.session != session);
    }

    /// One peer is not to be asked for it before then.
    pub fn rest(&mut self, of_whom: (Hash32, PartyCode), why: Why, until: Mono) {
        self.resting.insert(of_whom, (why, until));
    }

    /// A peer has shown that it carries what it may have refused because it knew nothing of it.
    pub fn wake_refused(&mut self, peer: PartyCode) {
        let woken = |rests: PartyCode, why| rests == peer && why == Why::Refused;
        self.resting
            .retain(|(_, rests), (why, _)| !woken(*rests, *why));
    }

    /// Somebody wants it now.
    pub fn wake(&mut self, root: &Hash32) {
        self.resting.retain(|(rests, _), _| rests != root);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(byte: u8) -> AttachmentRef {
        AttachmentRef {
            root: [byte; 32],
            length: 17,
        }
    }

    fn jm() -> PartyCode {
        PartyCode::new("JM").unwrap()
    }

    const NOW: Mono = Mono(5);

    fn asked(asks: &mut Asks, session: u64, byte: u8) -> bool {
        let may = asks.may_ask((jm(), session), &[byte; 32], NOW);
        if may {
            asks.ask(
                session,
                (of(byte), EnvelopeId([byte; 32])),
                (Store::Own, None),
                NOW,
            );
        }
        may
    }

    #[test]
    fn a_link_has_two_at_a_time_and_a_file_comes_once() {
        let mut asks = Asks::default();
        assert!(asked(&mut asks, 1, 1) && asked(&mut asks, 1, 2));
        assert!(!asked(&mut asks, 1, 3), "a third");
        assert!(!asked(&mut asks, 2, 1), "the same on another link");
        assert!(asked(&mut asks, 2, 3));
        assert!(asks.end(1, &[1; 32]) && !asks.end(1, &[1; 32]));
        assert!(asked(&mut asks, 1, 4));
        asks.end_session(1);
        assert!(asked(&mut asks, 2, 2));
    }

    #[test]
    fn what_is_held_is_not_asked_for_and_what_is_asked_for_is_not_held() {
        let mut asks = Asks::default();
        assert!(asks.hold([1; 32]) && !asks.hold([1; 32]));
        assert!(!asked(&mut asks, 1, 1) && asked(&mut asks, 1, 2));
        assert!(!asks.hold([2; 32]));
        asks.release(&[1; 32]);
        assert!(asked(&mut asks, 1, 1));
        asks.end_session(1);
        assert!(asks.hold([1; 32]) && asks.hold([2; 32]));
    }

    #[test]
    fn only_what_was_asked_for_may_come_and_only_once() {
        let mut asks = Asks::default();
        asked(&mut asks, 1, 1);
        let longer = AttachmentRef {
            length: 18,
            ..of(1)
        };
        assert!(asks.comes(2, of(1)).is_none(), "on another link");
        assert!(asks.comes(1, longer).is_none(), "of another length");
        assert!(asks.comes(1, of(2)).is_none());
        assert!(asks.comes(1, of(1)).is_some());
        assert!(asks.comes(1, of(1)).is_none(), "a second stream");
    }

    #[test]
    fn an_ask_without_an_answer_is_made_again_and_what_rests_is_not() {
        let mut asks = Asks::default();
        asked(&mut asks, 1, 1);
        let later = Mono(NOW.0 + ANSWER);
        assert!(asks.may_ask((jm(), 1), &[1; 32], later));
        asks.rest(([1; 32], jm()), Why::Refused, Mono(later.0 + 10));
        assert!(!asks.may_ask((jm(), 1), &[1; 32], later));
        assert!(asks.may_ask((jm(), 1), &[1; 32], Mono(later.0 + 10)));
        asks.rest(([1; 32], jm()), Why::Refused, Mono(later.0 + 10));
        asks.wake_refused(PartyCode::new("TT").unwrap());
        assert!(!asks.may_ask((jm(), 1), &[1; 32], later));
        asks.wake_refused(jm());
        assert!(asks.may_ask((jm(), 1), &[1; 32], later));
        asks.rest(([1; 32], jm()), Why::Refused, Mono(later.0 + 10));
        let tt = PartyCode::new("TT").unwrap();
        assert!(asks.may_ask((tt, 2), &[1; 32], later), "of another");
        asks.wake(&[1; 32]);
        assert!(asks.may_ask((jm(), 1), &[1; 32], later));
    }

    #[test]
    fn a_copy_lifts_the_rest_of_who_refused_and_of_no_liar() {
        let mut asks = Asks::default();
        let until = Mono(NOW.0 + 10);
        asks.rest(([1; 32], jm()), Why::Refused, until);
        asks.rest(([2; 32], jm()), Why::NothingGood, until);
        asks.wake_refused(jm());
        assert!(asks.may_ask((jm(), 1), &[1; 32], NOW));
        assert!(!asks.may_ask((jm(), 1), &[2; 32], NOW));
        asks.wake(&[2; 32]);
        assert!(asks.may_ask((jm(), 1), &[2; 32], NOW), "an officer asks");
    }
}
