//! What a hello shows of logs: the own past, which may not be the newest, and the peer's, which may be
//! over; and what is offered again to a newer life of the peer's log.

use crate::{
    Kind,
    book::Book,
    node::Life,
    work::Todo,
    world::{origin, party, place_of, world},
};
use abeng_audit_log::{
    CLAIM, Checkpoint, Contradiction, LogOrigin, Outside,
    logs::Met,
    past::{self, OwnLog, Proved},
    subject,
};
use abeng_queue::{
    Input,
    offer::{NewerLife, ROWS},
    rows::SentRow,
};
use abeng_wire::{Incarnation, Now, PartyCode, encode, v1};
use bytes::Bytes;
use v1::control::Frame as Control;

impl Life {
    /// What an earlier start has kept as proof against the own past.
    pub(crate) fn proved_before(&self, outside: &[Outside]) -> Option<Proved> {
        let roster = &world().trust.roster;
        self.own_log(|own| past::recover(outside, own, roster, |_| None))
    }

    fn own_log<T>(&self, with: impl FnOnce(&OwnLog<'_>) -> T) -> T {
        with(&OwnLog {
            origin: origin(self.me, self.incarnation),
            size: self.reader.size(),
            root_at: &|size| self.reader.root_at(size).ok(),
        })
    }

    /// Whether a link is refused for what the peer's hello shows of its log: then the peer is told
    /// why.
    pub(crate) fn refuses(&mut self, peer: PartyCode, hello: &v1::Hello, book: &mut Book) -> bool {
        let life = Incarnation(hello.incarnation);
        if let Some(both) = self.contradicted.get(&(peer, life)) {
            both.clone()
                .into_iter()
                .for_each(|note| self.claim(peer, note));
            book.meet("link of a contradicted log refused");
            return true;
        }
        if self.logs.life(peer) <= Some(life) && !hello.checkpoint.is_empty() {
            let roster = &world().trust.roster;
            let shown = Checkpoint::verify_by_roster(&hello.checkpoint, roster);
            let shown = shown.expect("an honest checkpoint verifies");
            let origin = LogOrigin::parse(shown.origin()).unwrap();
            let named = crate::world::origin(place_of(peer), life);
            assert_eq!(origin, named, "a hello shows its own log");
            if let Met::Contradiction(proof) = self.logs.meet(origin, peer, &shown) {
                self.contradiction(&proof, book);
                return self.refuses(peer, hello, book);
            }
            self.remember_newest(peer);
        }
        if self.logs.life(peer) <= Some(life) {
            return false;
        }
        if let Some(newest) = self.logs.newest(peer).map(|newest| newest.note().clone()) {
            self.claim(peer, newest);
        }
        book.meet("link of an older life refused");
        true
    }

    fn claim(&mut self, peer: PartyCode, note: Bytes) {
        let claim = v1::Claim {
            note,
            ..Default::default()
        };
        self.say(peer, Control::Claim(claim));
    }

    /// Where nothing else of a log is held, what its owner showed of it is kept.
    fn remember_newest(&mut self, peer: PartyCode) {
        if let Some(newest) = self.logs.remember(peer) {
            self.outside.push(Outside::HeldCheckpoint {
                origin: newest.origin().to_owned(),
                note: newest.note().clone(),
                peaks: Vec::new(),
            });
        }
    }

    /// A log contradicts itself: only that of a party of which two copies run may.
    pub(crate) fn contradiction(&mut self, proof: &Contradiction, book: &mut Book) {
        let origin = LogOrigin::parse(proof.first().origin()).unwrap();
        if !book.copied.contains(&origin.party) {
            let what = format!("the log of {} contradicts itself", origin.party);
            book.problem(Kind::Fork, what);
        }
        book.meet("contradiction proved");
        let both = [proof.first(), proof.second()].map(|checkpoint| checkpoint.note().clone());
        self.contradicted
            .insert((origin.party, origin.incarnation), both);
    }

    /// Somebody shows a checkpoint of this party's log. Where it proves that the past here is not
    /// the newest, nothing is submitted any more.
    pub(crate) fn shown(
        &mut self,
        now: Now,
        from: PartyCode,
        (note, how): (&Bytes, &'static str),
        book: &mut Book,
    ) {
        let roster = &world().trust.roster;
        let proved = self.own_log(|own| own.judge_note(note, roster));
        let Some(proved) = proved.filter(|_| self.past.is_none()) else {
            return;
        };
        if !book.copied.contains(&party(self.me)) {
            let what = format!("{from} accuses {}: {proved}", party(self.me));
            book.problem(Kind::Fork, what);
        }
        book.meet(match proved {
            Proved::NewerLife { .. } => "old life refused",
            _ => how,
        });
        self.past = Some(proved);
        let claim = v1::Claim {
            note: note.clone(),
            ..Default::default()
        };
        let leaf = v1::Leaf {
            kind: v1::LeafKind::Admin.into(),
            reason: v1::Reason::PastProven.into(),
            subject: subject(CLAIM, &encode(&claim)).to_bytes(),
            ..Default::default()
        };
        let of = Some(v1::proof_part::Of::Claim(claim.clone()));
        self.outside.push(Outside::Claim(claim));
        let note = Input::Note {
            leaf: Box::new(leaf),
            proof: Some(v1::ProofPart { of }),
            private: None,
            tell: None,
            receipt_to: None,
        };
        self.handle(now, note, book);
    }

    /// Offers again what older lives of the peer's log have delivered.
    pub(crate) fn offer_again(
        &mut self,
        now: Now,
        peer: PartyCode,
        hello: &v1::Hello,
        book: &mut Book,
    ) {
        let newer = NewerLife::new(peer, hello);
        let done = self.offered.get(&peer).copied();
        // Its life counts once a checkpoint has proved it.
        if done >= Some(newer.life) || self.logs.life(peer) != Some(newer.life) {
            return;
        }
        let mut rows = self.scan(Some(SentRow::PREFIX));
        rows.reverse();
        for portion in rows.chunks(ROWS) {
            let rows = newer.look(portion, now.wall).unwrap().rows;
            if !rows.is_empty() {
                book.meet("offered again to a newer life");
                let recipient = peer;
                let again = Input::OfferAgain { recipient, rows };
                self.todo.push(Todo::Handle(again));
            }
        }
        self.offered.insert(peer, newer.life);
    }
}
