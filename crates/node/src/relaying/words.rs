//! Wants and voids of two parties that are not linked, over the relay between them.
//!
//! Each is signed by the party whose word it is, travels whole, and is believed by nobody on the
//! relay's word. A relay keeps none of them: what gets lost is asked for again.

use super::is_relay;
use crate::{
    clock,
    shared::{Shared, lock},
};
use abeng_link::Link;
use abeng_queue::{Allowance, FrameRate};
use abeng_roster::Roster;
use abeng_seal::{StreamFault, sign_want, verify_void, verify_want};
use abeng_wire::{Mono, PartyCode, limits, v1};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use v1::control::Frame;

/// Words from one party to another that this relay passes on.
const PASSED_ON: FrameRate = FrameRate {
    burst: limits::CARRIED_FRAMES,
    a_second: limits::CARRIED_FRAMES_A_SECOND,
};

/// Words that one party takes from this relay, whoever says them: more would be dropped there, and
/// enough of it would cost the link.
const TAKEN: FrameRate = FrameRate {
    burst: limits::STREAM_FRAMES,
    a_second: limits::STREAM_FRAMES_A_SECOND,
};

/// What each party may still have passed on to each other one, and each be given in all. No more
/// pairs than the roster has.
#[derive(Default)]
pub struct PassedOn(Mutex<Allowances>);

#[derive(Default)]
struct Allowances {
    pairs: BTreeMap<(PartyCode, PartyCode), Allowance>,
    given: BTreeMap<PartyCode, Allowance>,
}

impl PassedOn {
    fn may(&self, from: PartyCode, to: PartyCode, now: Mono) -> bool {
        let mut allowances = lock(&self.0);
        let pair = allowances.pairs.entry((from, to));
        let pair = pair.or_insert_with(|| Allowance::new(PASSED_ON, now));
        if !pair.take(now) {
            return false;
        }
        let given = allowances.given.entry(to);
        given
            .or_insert_with(|| Allowance::new(TAKEN, now))
            .take(now)
    }
}

/// Why a word that came over a relay, or was to go over this one, is dropped. Never told.
#[derive(Debug, thiserror::Error)]
enum Dropped {
    #[error(transparent)]
    Fault(#[from] StreamFault),
    #[error("this node is no relay in the roster here")]
    NoRelay,
    #[error(
        "whoever brings it is neither a relay in the roster here nor the party whose word it is"
    )]
    Foreign,
    #[error("{0} is not an active party of the roster here")]
    Unknown(String),
    #[error("the log of {0} contradicts itself, and nobody has decided to go on with it")]
    Quarantined(PartyCode),
    #[error("it is for {0}, which is not linked here")]
    NotLinked(PartyCode),
    #[error("more than is passed on from {0} to {1}")]
    TooMany(PartyCode, PartyCode),
}

fn active(roster: &Roster, code: &str) -> Result<PartyCode, Dropped> {
    let party = PartyCode::new(code).ok();
    let party = party.filter(|&code| roster.party(code).is_some_and(|p| p.is_active()));
    party.ok_or_else(|| Dropped::Unknown(abeng_notice::printable(code)))
}

impl Shared {
    /// Asks a party for numbers of its stream over a relay: in this node's name, signed.
    pub fn send_want_over(&self, relay: PartyCode, want: &v1::Want) {
        let Some(link) = self.links.link(relay) else {
            return;
        };
        match sign_want(self.keyring.signer().as_ref(), want) {
            Ok(signed) => {
                tracing::info!(originator = want.originator, %relay, first = want.first, last = want.last, "asking over a relay for numbers that have not come");
                self.count_stream_frame("want_sent");
                link.control(Frame::CarriedWant(signed));
            }
            Err(e) => {
                tracing::error!(error = %e, "a want cannot be signed; the numbers are asked for again")
            }
        }
    }

    /// A recipient's question that a relay brings; or one that this relay is to pass on.
    pub async fn take_carried_want(self: &Arc<Self>, link: &Link, signed: v1::Signed) {
        let peer = link.peer();
        match self.carried_want(peer, &signed) {
            Ok(None) => {}
            Ok(Some((recipient, want))) => self.take_want(recipient, Some(peer), want).await,
            Err(why) => {
                self.count_stream_frame("want_rejected");
                tracing::warn!(%peer, %why, "a want over a relay is dropped");
            }
        }
    }

    /// Who asks, and for what, where the question is this node's to answer.
    fn carried_want(
        &self,
        peer: PartyCode,
        signed: &v1::Signed,
    ) -> Result<Option<(PartyCode, v1::Want)>, Dropped> {
        let trust = self.trust();
        let want = verify_want(&trust.roster, signed)?;
        let want = want.message();
        let recipient = active(&trust.roster, &want.recipient)?;
        let originator = active(&trust.roster, &want.originator)?;
        if originator != self.me {
            self.pass_word(
                &trust.roster,
                (peer, recipient, originator),
                Frame::CarriedWant(signed.clone()),
            )?;
            self.count_stream_frame("want_passed_on");
            return Ok(None);
        }
        self.may_bring(&trust.roster, peer, recipient)?;
        Ok(Some((recipient, want.clone())))
    }

    /// An originator's word that a relay brings; or one that this relay is to pass on.
    pub async fn take_carried_void(self: &Arc<Self>, link: &Link, signed: v1::Signed) {
        let peer = link.peer();
        match self.carried_void(peer, &signed) {
            Ok(false) => {}
            Ok(true) => self.take_void(peer, signed).await,
            Err(why) => {
                self.count_stream_frame("void_rejected");
                tracing::warn!(%peer, %why, "a void over a relay is dropped");
            }
        }
    }

    /// Whether a void is for this node.
    fn carried_void(&self, peer: PartyCode, signed: &v1::Signed) -> Result<bool, Dropped> {
        let trust = self.trust();
        let void = verify_void(&trust.roster, signed)?;
        let void = void.message();
        let originator = active(&trust.roster, &void.originator)?;
        let recipient = active(&trust.roster, &void.recipient)?;
        if recipient != self.me {
            self.pass_word(
                &trust.roster,
                (peer, originator, recipient),
                Frame::CarriedVoid(signed.clone()),
            )?;
            self.count_stream_frame("void_passed_on");
            return Ok(false);
        }
        self.may_bring(&trust.roster, peer, originator)?;
        Ok(true)
    }

    /// Only a relay brings the word of another.
    fn may_bring(&self, roster: &Roster, peer: PartyCode, of: PartyCode) -> Result<(), Dropped> {
        if peer == of || !is_relay(roster, peer) {
            return Err(Dropped::Foreign);
        }
        match self.quarantined(of) {
            true => Err(Dropped::Quarantined(of)),
            false => Ok(()),
        }
    }

    /// Passes a word on to whom it is for, over that party's own link: only from the party whose
    /// word it is, so that none goes from relay to relay.
    fn pass_word(
        &self,
        roster: &Roster,
        (peer, from, to): (PartyCode, PartyCode, PartyCode),
        frame: Frame,
    ) -> Result<(), Dropped> {
        if !is_relay(roster, self.me) {
            return Err(Dropped::NoRelay);
        }
        if peer != from {
            return Err(Dropped::Foreign);
        }
        let link = self.links.link(to).ok_or(Dropped::NotLinked(to))?;
        if !self.reaching.passed_on.may(from, to, clock::mono()) {
            return Err(Dropped::TooMany(from, to));
        }
        link.control(frame);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_words_of_one_pair_and_of_every_other_as_many() {
        let [jm, nl, tt] = ["JM", "NL", "TT"].map(|code| PartyCode::new(code).unwrap());
        let passed_on = PassedOn::default();
        let passed = |from, to, ms| {
            let now = Mono(0).plus_ms(ms);
            let passed = (0..2000).filter(|_| passed_on.may(from, to, now));
            passed.count() as u64
        };
        assert_eq!(passed(jm, tt, 0), limits::CARRIED_FRAMES);
        assert_eq!(passed(jm, tt, 999), 0);
        assert_eq!(passed(tt, jm, 999), limits::CARRIED_FRAMES);
        assert_eq!(passed(jm, nl, 999), limits::CARRIED_FRAMES);
        assert_eq!(passed(jm, tt, 1000), limits::CARRIED_FRAMES_A_SECOND);
        // All together no more than one party takes from one peer.
        let others = ["AA", "BB", "CC"].map(|code| PartyCode::new(code).unwrap());
        let all = others
            .map(|other| passed(other, tt, 1000))
            .iter()
            .sum::<u64>();
        let before = limits::CARRIED_FRAMES + limits::CARRIED_FRAMES_A_SECOND;
        let since = limits::STREAM_FRAMES_A_SECOND;
        assert_eq!(all + before, limits::STREAM_FRAMES + since);
    }
}
