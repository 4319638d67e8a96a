//! Older copies of others' nodes that try to link here: a life of a log that a newer one has closed.
//! Their people may not look at that machine any more; those here can tell them.

use crate::clock;
use abeng_api::{StaleCopyView, Warned, Warning};
use abeng_wire::{Incarnation, Millis, PartyCode};
use std::collections::BTreeMap;

/// One that has not tried for so long is not spoken of any more. The slowest path dials every ten
/// minutes at the least.
const FORGOTTEN_MS: Millis = 6 * 60 * 60 * 1000;

/// Those seen lately, one for each party.
#[derive(Debug, Default)]
pub struct StaleCopies(BTreeMap<PartyCode, Stale>);

#[derive(Debug, Clone, Copy)]
struct Stale {
    life: Incarnation,
    newer: Incarnation,
    since: Millis,
    last: Millis,
    times: u64,
}

impl StaleCopies {
    /// A copy in `life` was refused, since `newer` is known. Says whether that is news.
    pub fn seen(
        &mut self,
        party: PartyCode,
        (life, newer): (Incarnation, Incarnation),
        now: Millis,
    ) -> bool {
        let known = self.0.get(&party).copied();
        let known = known.filter(|known| known.life == life && known.is_spoken_of(now));
        let begun = known.unwrap_or(Stale {
            life,
            newer,
            since: now,
            last: now,
            times: 0,
        });
        let stale = Stale {
            newer: newer.max(begun.newer),
            last: now.max(begun.last),
            times: begun.times + 1,
            ..begun
        };
        self.0.insert(party, stale);
        known.is_none()
    }

    /// What is to be said of them.
    pub fn views(&self, now: Millis) -> Vec<StaleCopyView> {
        let lately = self.0.iter().filter(|(_, stale)| stale.is_spoken_of(now));
        let view = |(party, stale): (&PartyCode, &Stale)| StaleCopyView {
            party: party.to_string(),
            incarnation: stale.life.to_string(),
            newer: stale.newer.to_string(),
            since: clock::rfc3339(stale.since),
            last_seen: clock::rfc3339(stale.last),
            times: stale.times,
        };
        lately.map(view).collect()
    }
}

impl Stale {
    fn is_spoken_of(&self, now: Millis) -> bool {
        now.saturating_sub(self.last) < FORGOTTEN_MS
    }
}

/// One of them, in words.
pub fn told(copy: &StaleCopyView) -> Warning {
    let StaleCopyView {
        party,
        incarnation,
        newer,
        since,
        last_seen,
        times,
    } = copy;
    let text = format!(
        "an old copy of the node of {party} runs: in the life {incarnation} of its log, which the life {newer} has closed. It is refused here since {since} (so far {times}, last at {last_seen}), and nothing is taken from it. Tell {party}, by another way, to switch that copy off for good"
    );
    let values = [
        ("party", party.clone()),
        ("life", incarnation.clone()),
        ("newer", newer.clone()),
        ("since", since.clone()),
        ("count", times.to_string()),
        ("last", last_seen.clone()),
    ];
    Warning::from(text).because(Warned::StaleCopy, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_copy_is_spoken_of_until_it_stays_away() {
        let jm: PartyCode = "JM".parse().unwrap();
        let lives = (Incarnation(1), Incarnation(2));
        let mut copies = StaleCopies::default();
        assert!(copies.seen(jm, lives, 1000));
        assert!(!copies.seen(jm, lives, 2000));
        let said = copies.views(2000 + FORGOTTEN_MS - 1);
        assert_eq!((said.len(), said[0].times), (1, 2));
        assert_eq!(said[0].since, "1970-01-01T00:00:01Z");
        let words = told(&said[0]);
        for part in ["JM", "0000000000000001", "00:00:01", "00:00:02"] {
            assert!(words.contains(part), "{part}: {words}");
        }
        assert!(copies.views(2000 + FORGOTTEN_MS).is_empty());
        // It comes again, and another one.
        assert!(copies.seen(jm, lives, 2000 + FORGOTTEN_MS));
        assert!(copies.seen(jm, (Incarnation(2), Incarnation(3)), 9000 + FORGOTTEN_MS));
        let said = copies.views(9000 + FORGOTTEN_MS);
        assert_eq!((said[0].times, &*said[0].newer), (1, "0000000000000003"));
    }
}
