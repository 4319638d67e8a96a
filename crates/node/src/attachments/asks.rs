//! Which attachments are asked for, on which link, and which are let rest for a while.

use super::Store;
use crate::blobs::Partial;
use abeng_seal::AttachmentRef;
use abeng_wire::{EnvelopeId, Hash32, Mono, PartyCode};
use std::collections::{BTreeMap, BTreeSet};

/// Without a stream after so long an ask is forgotten, and made again: nanoseconds.
const ANSWER: u64 = 10 * 60 * 1_000_000_000;
/// The same of one that waits for the other side's day: no day is longer.
const DAY: u64 = 25 * 3600 * 1_000_000_000;
/// Files that are remembered to wait for the day of whoever has them.
const THEIRS: usize = 4096;

/// What was asked for and comes now.
#[derive(Debug)]
pub struct Coming {
    /// The envelope that names it.
    pub envelope: EnvelopeId,
    /// What has come of it before, where its list of hashes is here.
    pub partial: Option<Partial>,
    /// Where it is to lie.
    pub store: Store,
    /// Pieces asked for; 0: all that are left.
    pub pieces: u64,
    /// It came another way meanwhile, in whole or in part: this is not what is lacking now.
    pub overtaken: bool,
}

/// What is asked of one peer on one link.
#[derive(Debug)]
struct Ask {
    envelope: EnvelopeId,
    partial: Option<Partial>,
    store: Store,
    pieces: u64,
    overtaken: bool,
    peer: PartyCode,
    session: u64,
    of: AttachmentRef,
    at: Mono,
    coming: bool,
    /// Its sender has said that its own day is spent.
    put_off: bool,
}

impl Ask {
    /// It waits for the day of its sender, and another way may be faster.
    fn is_put_off(&self) -> bool {
        self.put_off && !self.coming
    }

    fn stands(&self, now: Mono) -> bool {
        let longest = if self.put_off { DAY } else { ANSWER };
        self.coming || now.0.saturating_sub(self.at.0) < longest
    }

    /// Whether another link may be asked for a file beside this ask: one that is put off keeps
    /// nobody from bringing it.
    fn lets_ask(&self, session: u64, root: &Hash32) -> bool {
        self.of.root != *root || (self.is_put_off() && self.session != session)
    }
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
    /// What waits for the day of a peer that has said so, with that peer.
    theirs: BTreeMap<Hash32, PartyCode>,
    /// What a peer has said not to have, or to have damaged. Asked for again it may have it back.
    lacked: BTreeMap<(Hash32, PartyCode), Lacks>,
}

/// What a peer has said of a file that it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacks {
    /// It does not have it, or not any more.
    Gone,
    /// Its copy is damaged.
    Damaged,
}

impl Asks {
    /// Whether something may be asked for on a link now that brings `most` files at a time. What
    /// waits for the day of one peer may be asked of another.
    pub fn may_ask(
        &mut self,
        (peer, session): (PartyCode, u64),
        root: &Hash32,
        most: usize,
        now: Mono,
    ) -> bool {
        self.forget(now);
        self.resting.retain(|_, (_, until)| *until > now);
        let on_link = self.asks.iter().filter(|ask| ask.session == session);
        !self.resting.contains_key(&(*root, peer))
            && !self.held.contains(root)
            && self.asks.iter().all(|ask| ask.lets_ask(session, root))
            && on_link.count() < most
    }

    /// Keeps its pieces for whoever calls, unless it is asked for and may come at any time: two must
    /// not write to one file. One that is put off may come another way meanwhile.
    pub fn hold(&mut self, root: Hash32) -> bool {
        let mut same = self.asks.iter().filter(|ask| ask.of.root == root);
        if !same.all(Ask::is_put_off) || !self.held.insert(root) {
            return false;
        }
        let same = self.asks.iter_mut().filter(|ask| ask.of.root == root);
        same.for_each(|ask| ask.overtaken = true);
        true
    }

    /// The same, where an ask without an answer is forgotten by now.
    pub fn hold_now(&mut self, root: Hash32, now: Mono) -> bool {
        self.forget(now);
        self.hold(root)
    }

    fn forget(&mut self, now: Mono) {
        self.asks.retain(|ask| ask.stands(now));
    }

    /// Its pieces are free again.
    pub fn release(&mut self, root: &Hash32) {
        self.held.remove(root);
    }

    /// It is asked for. What somebody else has put off is not what lacks, once that comes.
    pub fn ask(
        &mut self,
        (peer, session): (PartyCode, u64),
        (of, envelope): (AttachmentRef, EnvelopeId),
        (store, partial, pieces): (Store, Option<Partial>, u64),
        now: Mono,
    ) {
        let same = self.asks.iter_mut().filter(|ask| ask.of.root == of.root);
        same.for_each(|ask| ask.overtaken = true);
        self.asks.push(Ask {
            envelope,
            partial,
            store,
            pieces,
            peer,
            session,
            of,
            at: now,
            coming: false,
            put_off: false,
            overtaken: false,
        });
    }

    /// Its sender waits for its own day: the ask stands. Says whether there is one.
    pub fn put_off(&mut self, session: u64, root: &Hash32) -> bool {
        let asked = |ask: &&mut Ask| ask.session == session && ask.of.root == *root;
        let Some(ask) = self.asks.iter_mut().find(asked) else {
            return false;
        };
        ask.put_off = true;
        self.lacked.remove(&(*root, ask.peer));
        if self.theirs.len() < THEIRS {
            self.theirs.insert(*root, ask.peer);
        }
        true
    }

    /// Who has said so, and nothing else since.
    pub fn put_off_by(&self, root: &Hash32) -> Option<PartyCode> {
        self.theirs.get(root).copied()
    }

    /// It begins to come: gives what was asked, if it was, and if no other stream brings it.
    pub fn comes(&mut self, session: u64, of: AttachmentRef) -> Option<Coming> {
        let asked = |ask: &&mut Ask| ask.session == session && ask.of == of && !ask.coming;
        let ask = self.asks.iter_mut().find(asked)?;
        ask.coming = true;
        self.theirs.remove(&of.root);
        // Whoever brings it: what was said of it before is no longer what is told.
        self.lacked.retain(|(root, _), _| *root != of.root);
        Some(Coming {
            envelope: ask.envelope,
            partial: ask.partial.take(),
            store: ask.store,
            pieces: ask.pieces,
            overtaken: ask.overtaken,
        })
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

    /// One peer is not to be asked for it before then, or before what it was to rest until.
    pub fn rest(&mut self, (root, peer): (Hash32, PartyCode), why: Why, until: Mono) {
        if self.put_off_by(&root) == Some(peer) {
            self.theirs.remove(&root);
        }
        let rests = self.resting.entry((root, peer)).or_insert((why, until));
        if rests.1 < until {
            *rests = (why, until);
        }
    }

    /// Whether a peer has just said that it brings none: what it had sent before it said so may
    /// still come behind that.
    pub fn has_refused(&self, root: &Hash32, peer: PartyCode) -> bool {
        let rests = self.resting.get(&(*root, peer));
        rests.is_some_and(|(why, _)| *why == Why::Refused)
    }

    /// A peer has said that it does not have it, or has it damaged.
    pub fn lacks(&mut self, root: Hash32, peer: PartyCode, what: Lacks) {
        if self.lacked.len() >= THEIRS && !self.lacked.contains_key(&(root, peer)) {
            // Learnt again where it is still so; a peer that says it of ever more files hides none.
            self.lacked.pop_first();
        }
        self.lacked.insert((root, peer), what);
    }

    /// What a peer has said of it, if nothing has come of it from there since.
    pub fn lacked_by(&self, root: &Hash32, peer: PartyCode) -> Option<Lacks> {
        self.lacked.get(&(*root, peer)).copied()
    }

    /// It is here, by whatever way: what was said of it does not matter any more.
    pub fn arrived(&mut self, root: &Hash32) {
        self.theirs.remove(root);
        self.lacked.retain(|(of, _), _| of != root);
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
        let may = asks.may_ask((jm(), session), &[byte; 32], 2, NOW);
        if may {
            let asked = (of(byte), EnvelopeId([byte; 32]));
            asks.ask((jm(), session), asked, (Store::Own, None, 0), NOW);
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
        assert!(asks.may_ask((jm(), 1), &[1; 32], 2, later));
        asks.rest(([1; 32], jm()), Why::Refused, Mono(later.0 + 10));
        assert!(!asks.may_ask((jm(), 1), &[1; 32], 2, later));
        assert!(asks.may_ask((jm(), 1), &[1; 32], 2, Mono(later.0 + 10)));
        asks.rest(([1; 32], jm()), Why::Refused, Mono(later.0 + 10));
        asks.wake_refused(PartyCode::new("TT").unwrap());
        assert!(!asks.may_ask((jm(), 1), &[1; 32], 2, later));
        asks.wake_refused(jm());
        assert!(asks.may_ask((jm(), 1), &[1; 32], 2, later));
        asks.rest(([1; 32], jm()), Why::Refused, Mono(later.0 + 10));
        let tt = PartyCode::new("TT").unwrap();
        assert!(asks.may_ask((tt, 2), &[1; 32], 2, later), "of another");
        asks.wake(&[1; 32]);
        assert!(asks.may_ask((jm(), 1), &[1; 32], 2, later));
    }

    #[test]
    fn what_a_peer_lacks_is_known_until_it_comes() {
        let (mut asks, tt) = (Asks::default(), PartyCode::new("TT").unwrap());
        asked(&mut asks, 1, 1);
        asks.lacks([1; 32], jm(), Lacks::Damaged);
        assert_eq!(asks.lacked_by(&[1; 32], jm()), Some(Lacks::Damaged));
        assert_eq!(asks.lacked_by(&[1; 32], tt), None);
        // An officer who asks again changes nothing of it; what comes does.
        asks.wake(&[1; 32]);
        assert_eq!(asks.lacked_by(&[1; 32], jm()), Some(Lacks::Damaged));
        assert!(asks.comes(1, of(1)).is_some());
        assert_eq!(asks.lacked_by(&[1; 32], jm()), None);
        asked(&mut asks, 1, 2);
        asks.lacks([2; 32], jm(), Lacks::Gone);
        asks.put_off(1, &[2; 32]);
        assert_eq!(asks.lacked_by(&[2; 32], jm()), None, "it has it, for later");
        asks.lacks([2; 32], jm(), Lacks::Gone);
        asks.arrived(&[2; 32]);
        assert_eq!(asks.lacked_by(&[2; 32], jm()), None);
    }

    #[test]
    fn who_was_to_rest_for_an_hour_is_not_asked_in_a_minute() {
        let mut asks = Asks::default();
        let until = |n| Mono(NOW.0 + n);
        asks.rest(([1; 32], jm()), Why::Refused, until(60));
        assert!(asks.has_refused(&[1; 32], jm()));
        asks.rest(([1; 32], jm()), Why::NothingGood, until(1));
        assert!(!asks.may_ask((jm(), 1), &[1; 32], 2, until(30)));
        assert!(asks.may_ask((jm(), 1), &[1; 32], 2, until(60)));
        assert!(!asks.has_refused(&[1; 32], jm()), "it is over");
    }

    #[test]
    fn a_copy_lifts_the_rest_of_who_refused_and_of_no_liar() {
        let mut asks = Asks::default();
        let until = Mono(NOW.0 + 10);
        asks.rest(([1; 32], jm()), Why::Refused, until);
        asks.rest(([2; 32], jm()), Why::NothingGood, until);
        asks.wake_refused(jm());
        assert!(asks.may_ask((jm(), 1), &[1; 32], 2, NOW));
        assert!(!asks.may_ask((jm(), 1), &[2; 32], 2, NOW));
        asks.wake(&[2; 32]);
        assert!(asks.may_ask((jm(), 1), &[2; 32], 2, NOW), "an officer asks");
    }

    #[test]
    fn what_waits_for_the_day_of_its_sender_is_not_asked_for_again_on_that_link() {
        let mut asks = Asks::default();
        assert!(!asks.put_off(1, &[1; 32]), "nobody asked");
        asked(&mut asks, 1, 1);
        assert!(asks.put_off(1, &[1; 32]));
        assert_eq!(asks.put_off_by(&[1; 32]), Some(jm()));
        let evening = Mono(NOW.0 + 20 * 3600 * 1_000_000_000);
        assert!(!asks.may_ask((jm(), 1), &[1; 32], 2, evening));
        let comes = asks.comes(1, of(1)).expect("the ask stands");
        assert!(!comes.overtaken && asks.put_off_by(&[1; 32]).is_none());
        assert!(!asks.hold([1; 32]), "it comes");
        // Who puts off keeps nobody else from bringing it.
        asked(&mut asks, 1, 3);
        assert!(!asked(&mut asks, 7, 3), "it may come at any time");
        asks.put_off(1, &[3; 32]);
        assert!(!asks.may_ask((jm(), 1), &[3; 32], 2, NOW) && asked(&mut asks, 7, 3));
        assert!(!asks.comes(7, of(3)).unwrap().overtaken);
        assert!(asks.comes(1, of(3)).unwrap().overtaken);
        asks.end_session(7);
        asks.end_session(1);
        // With the link the ask goes, and it is still known what it waits for.
        asked(&mut asks, 1, 2);
        asks.put_off(1, &[2; 32]);
        asks.end_session(1);
        assert_eq!(asks.put_off_by(&[2; 32]), Some(jm()));
        assert!(asked(&mut asks, 2, 2));
        // Meanwhile a stick may bring it, and what its sender brings then is not what lacks.
        assert!(!asks.hold([2; 32]), "it may come at any time");
        asks.put_off(2, &[2; 32]);
        assert!(asks.hold([2; 32]) && !asks.hold([2; 32]));
        asks.release(&[2; 32]);
        assert!(asks.comes(2, of(2)).unwrap().overtaken);
    }

    #[test]
    fn what_waits_for_the_day_of_one_may_come_from_another() {
        let mut asks = Asks::default();
        let tt = PartyCode::new("TT").unwrap();
        asked(&mut asks, 1, 1);
        assert!(!asks.may_ask((tt, 2), &[1; 32], 2, NOW), "it may come");
        asks.put_off(1, &[1; 32]);
        assert!(asks.may_ask((tt, 2), &[1; 32], 2, NOW) && asks.hold([1; 32]));
        asks.release(&[1; 32]);
        let named = (of(1), EnvelopeId([1; 32]));
        asks.ask((tt, 2), named, (Store::Own, None, 0), NOW);
        let third = PartyCode::new("LC").unwrap();
        assert!(!asks.may_ask((third, 3), &[1; 32], 2, NOW), "two at once");
        assert!(!asks.comes(2, of(1)).unwrap().overtaken);
        assert!(asks.comes(1, of(1)).unwrap().overtaken);
        // What another says of it does not end what the first has said.
        asks.put_off(1, &[1; 32]);
        asks.rest(([1; 32], tt), Why::Refused, Mono(NOW.0 + 10));
        assert_eq!(asks.put_off_by(&[1; 32]), Some(jm()));
        asks.rest(([1; 32], jm()), Why::Refused, Mono(NOW.0 + 10));
        assert_eq!(asks.put_off_by(&[1; 32]), None);
    }
}
