//! Envelopes that may come: sealed once per process, with numbers that follow on each other, that are
//! taken, and that are far ahead.

use crate::{
    Chance,
    world::{NOW, world},
};
use abeng_roster::{NoticeFacts, Policy, Tlp};
use abeng_seal::{Arrived, BoxCache, SealInput, Sealed, Verified, seal, verify};
use abeng_wire::{Incarnation, Mono, Now, PartyCode, StreamSeq, limits, v1};
use bytes::Bytes;
use std::sync::OnceLock;

/// The parties; the engine is the second one's.
pub(super) const ME: usize = 1;
/// The life of every log, and of the log of whoever began anew.
pub(super) const LIFE: Incarnation = Incarnation(NOW << 16);
const NEXT_LIFE: Incarnation = Incarnation(LIFE.0 + 9);
/// When envelopes end, after [`NOW`].
const LASTS_MS: u64 = 86_400_000;

pub(super) struct Pool {
    /// For this party.
    pub(super) mine: Vec<(Verified, Bytes)>,
    /// For TT, as JM gives them to a relay.
    pub(super) carried: Vec<Verified>,
}

/// The others.
pub(super) fn peers() -> [PartyCode; 2] {
    [party(0), party(2)]
}

pub(super) fn me() -> PartyCode {
    party(ME)
}

fn party(n: usize) -> PartyCode {
    world().founding.keyrings[n].party
}

pub(super) fn pool() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(|| {
        let far = limits::STREAM_AHEAD;
        let numbers = [
            (0, 1, LIFE),
            (0, 2, LIFE),
            (0, 3, LIFE),
            (2, 1, LIFE),
            (2, 2, LIFE),
            (0, 4, LIFE),
            // Taken, by others.
            (0, 1, LIFE),
            (0, 3, LIFE),
            (2, 2, LIFE),
            (0, 1, NEXT_LIFE),
            (0, far, LIFE),
            (0, far + 1, LIFE),
            (0, far + 9, LIFE),
        ];
        let sealed = numbers.iter().zip(0..).map(|(&(from, seq, life), nth)| {
            let seq = StreamSeq::new(seq).unwrap();
            seal_one((from, life), &[(me(), seq)], nth)
        });
        let mine = sealed.map(|sealed| {
            let bytes = sealed.envelope().clone();
            (verified(&bytes, me()).expect("it was sealed well"), bytes)
        });
        let carried = (1..4).map(|n| {
            let seq = StreamSeq::new(n).unwrap();
            let sealed = seal_one((0, LIFE), &[(party(2), seq)], 100 + n);
            verified(sealed.envelope(), party(2)).expect("it was sealed well")
        });
        Pool {
            mine: mine.collect(),
            carried: carried.collect(),
        }
    })
}

/// As a node verifies what came.
pub(super) fn verified(bytes: &Bytes, recipient: PartyCode) -> Option<Verified> {
    let arrived = Arrived::parse(bytes).ok()?;
    verify(arrived, &world().trust, recipient, NOW).ok()
}

/// Seals a notice; another one for each `nth`.
pub(super) fn seal_one(
    (from, incarnation): (usize, Incarnation),
    positions: &[(PartyCode, StreamSeq)],
    nth: u64,
) -> Sealed {
    let world = world();
    let to: Vec<PartyCode> = positions.iter().map(|(code, _)| *code).collect();
    let facts = NoticeFacts {
        ty: world.notice.ty(),
        tlp: Tlp::RED,
    };
    let cleared = Policy::clear(&world.trust, party(from), &to, &facts, NOW).unwrap();
    let keyring = &world.founding.keyrings[from];
    let precedence = 1 + nth as i32 % 4;
    let input = SealInput {
        trust: &world.trust,
        cleared: &cleared,
        org_sign: keyring.org_sign().as_ref(),
        store: &keyring.store,
        incarnation,
        created_at: NOW,
        expires_at: NOW + LASTS_MS,
        precedence: v1::Precedence::try_from(precedence).unwrap(),
        positions,
        notice: world.notice.bytes(),
        attachments: &[],
        boxes: &mut BoxCache::new(),
        now: Now {
            wall: NOW,
            mono: Mono::default(),
        },
    };
    seal(input, &mut Chance::new(nth)).unwrap()
}
