//! How often one party's seal keys are taken from others: each taken is synced to the disk and
//! passed on over every link, and a party may sign as many as it likes.

use abeng_wire::{Mono, PartyCode, decode_tolerant, limits, v1};
use std::collections::BTreeMap;

/// Adoptions at once; an honest node makes the next key days later.
const BURST: u64 = 8;
/// One more in this time.
const EVERY_MS: u64 = 60_000;

/// What is left to each party of which a seal key was taken.
#[derive(Debug, Default)]
pub struct SealKeyPace {
    left: BTreeMap<PartyCode, Left>,
}

#[derive(Debug, Clone, Copy)]
struct Left {
    adoptions: u64,
    at: Mono,
}

impl Left {
    fn now(self, now: Mono) -> Self {
        let more = now.0.saturating_sub(self.at.0) / (EVERY_MS * 1_000_000);
        Self {
            adoptions: self.adoptions.saturating_add(more).min(BURST),
            at: self.at.plus_ms(more.saturating_mul(EVERY_MS)),
        }
    }
}

impl SealKeyPace {
    /// The bundle without the statements of parties that have nothing left, for none of which a
    /// signature is verified; `None` where all may stay.
    pub(super) fn bound(&self, bundle: &v1::TrustBundle, now: Mono) -> Option<v1::TrustBundle> {
        let spent = |party: &PartyCode| {
            let left = self.left.get(party);
            left.is_some_and(|left| left.now(now).adoptions == 0)
        };
        // Nothing is decoded where nobody is over.
        if !self.left.keys().any(spent) {
            return None;
        }
        let mut bounded = bundle.clone();
        bounded.seal_keys.retain(|signed| {
            let m = decode_tolerant::<v1::SealKey>("seal key", &signed.bytes, limits::STATEMENT);
            let party = m.ok().and_then(|m| PartyCode::new(&m.party).ok());
            !party.is_some_and(|party| spent(&party))
        });
        (bounded.seal_keys.len() < bundle.seal_keys.len()).then_some(bounded)
    }

    /// Counts an adoption of a party's seal keys: only what was verified and newer, so that nobody
    /// spends what is another's.
    pub(super) fn count(&mut self, party: PartyCode, now: Mono) {
        let full = Left {
            adoptions: BURST,
            at: now,
        };
        let left = self.left.entry(party).or_insert(full);
        *left = left.now(now);
        left.adoptions = left.adoptions.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Mono {
        Mono(ms * 1_000_000)
    }

    fn of(parties: &[&str]) -> v1::TrustBundle {
        let statement = |party: &&str| v1::Signed {
            bytes: abeng_wire::encode(&v1::SealKey {
                party: (*party).to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        };
        v1::TrustBundle {
            seal_keys: parties.iter().map(statement).collect(),
            ..Default::default()
        }
    }

    #[test]
    fn a_party_that_signs_on_and_on_is_left_out_and_nobody_else() {
        let mut pace = SealKeyPace::default();
        let tt = PartyCode::new("TT").unwrap();
        for _ in 0..BURST {
            assert!(pace.bound(&of(&["JM", "TT"]), at(5)).is_none());
            pace.count(tt, at(5));
        }
        assert_eq!(pace.bound(&of(&["JM", "TT"]), at(5)), Some(of(&["JM"])));
        assert!(pace.bound(&of(&["JM"]), at(5)).is_none());
        let minute = EVERY_MS + 5;
        assert_eq!(pace.bound(&of(&["TT"]), at(minute - 1)), Some(of(&[])));
        assert!(pace.bound(&of(&["TT"]), at(minute)).is_none());
        pace.count(tt, at(minute));
        assert_eq!(pace.bound(&of(&["TT"]), at(minute)), Some(of(&[])));
        // However long it was quiet: no more than a burst.
        let later = at(1_000 * EVERY_MS);
        for _ in 0..BURST {
            assert!(pace.bound(&of(&["TT"]), later).is_none());
            pace.count(tt, later);
        }
        assert!(pace.bound(&of(&["TT"]), later).is_some());
    }
}
