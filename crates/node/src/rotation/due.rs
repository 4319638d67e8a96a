//! What is due with a ring of seal keys. Pure.

use abeng_wire::{Kid, Millis, limits, v1};
use std::collections::BTreeMap;

/// The seal keys of the keyring, and what was said of them.
#[derive(Debug, Clone)]
pub(super) struct Ring {
    /// In the keyring, newest last.
    held: Vec<Kid>,
    /// The own statement with the highest sequence.
    newest: Option<Said>,
    /// Until when others may have sealed to a key.
    ends: BTreeMap<Kid, Millis>,
}

#[derive(Debug, Clone, Copy)]
struct Said {
    kid: Kid,
    sequence: u64,
    from: Millis,
}

/// The next thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing with new keys.
    Nothing,
    /// A new key.
    Make,
    /// This one was made and is not published.
    Publish(Kid),
}

impl Ring {
    pub(super) fn new(
        held: Vec<Kid>,
        statements: &[v1::SealKey],
        ends: BTreeMap<Kid, Millis>,
    ) -> Self {
        let newest = statements.iter().max_by_key(|s| s.sequence);
        let newest = newest.and_then(|s| {
            Some(Said {
                kid: Kid::from_slice(&s.kid)?,
                sequence: s.sequence,
                from: s.not_before,
            })
        });
        Self { held, newest, ends }
    }

    /// The key that others seal to.
    pub(super) fn in_force(&self) -> Option<Kid> {
        self.newest.map(|said| said.kid)
    }

    /// The key that was made and is not published: newer than the one in force. Where that one is not here at
    /// all (a restore from an older backup), none waits but what never was published.
    pub(super) fn waiting(&self) -> Option<Kid> {
        let last = *self.held.last()?;
        let named = self.in_force() == Some(last) || self.ends.contains_key(&last);
        (!named).then_some(last)
    }

    /// The key whose identifier begins with these hex digits, if it is one.
    pub(super) fn find(&self, digits: &str) -> Option<Kid> {
        let digits = digits.to_ascii_lowercase();
        let mut found = self
            .held
            .iter()
            .filter(|kid| kid.to_string().starts_with(&digits));
        let kid = *found.next().filter(|_| digits.len() >= 8)?;
        found.next().is_none().then_some(kid)
    }

    /// Above every one that was ever given out: after a restore from an older backup the newest is not
    /// known here, and the same number twice would be held against this party. So it follows the clock.
    pub(super) fn next_sequence(&self, now: Millis) -> u64 {
        let last = self.newest.map_or(0, |said| said.sequence);
        (last + 1).max(now / 1000)
    }

    /// Whether nothing can come any more that is sealed to it: its statement has ended, and every envelope
    /// that was sealed under it has. A key of which that is not known stays.
    pub(super) fn may_go(&self, kid: &Kid, now: Millis) -> bool {
        let needed = Some(*kid) == self.in_force() || Some(*kid) == self.waiting();
        let life = limits::LIFETIME_MS + 2 * limits::CLOCK_AHEAD_MS;
        let end = self.ends.get(kid);
        !needed && end.is_some_and(|end| end.saturating_add(life) < now)
    }

    /// Those of which that is so.
    pub(super) fn over(&self, now: Millis) -> Vec<Kid> {
        let held = self.held.iter().copied();
        held.filter(|kid| self.may_go(kid, now)).collect()
    }
}

/// What is due at this time, where keys change every `rotate` milliseconds.
pub(super) fn next(ring: &Ring, rotate: Millis, now: Millis) -> Next {
    if let Some(kid) = ring.waiting() {
        return Next::Publish(kid);
    }
    let Some(said) = ring.newest else {
        return Next::Make;
    };
    let here = ring.held.contains(&said.kid);
    match here && now < said.from.saturating_add(rotate) {
        true => Next::Nothing,
        // Also where others seal to a key that is not here: what comes cannot be opened.
        false => Next::Make,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400_000;
    const NOW: u64 = 1_790_000_000_000;

    fn kid(n: u8) -> Kid {
        Kid([n; 32])
    }

    fn said(n: u8, sequence: u64, from: Millis) -> v1::SealKey {
        v1::SealKey {
            kid: kid(n).to_bytes(),
            sequence,
            not_before: from,
            not_after: from + 90 * DAY,
            ..Default::default()
        }
    }

    fn ring(held: &[u8], statements: &[v1::SealKey]) -> Ring {
        let ends = statements
            .iter()
            .map(|s| (Kid::from_slice(&s.kid).unwrap(), s.not_after));
        Ring::new(
            held.iter().map(|n| kid(*n)).collect(),
            statements,
            ends.collect(),
        )
    }

    #[test]
    fn a_key_is_made_when_its_time_has_come_and_published_once() {
        let founded = ring(&[1], &[said(1, 1, NOW)]);
        assert_eq!(next(&founded, 30 * DAY, NOW + 30 * DAY - 1), Next::Nothing);
        assert_eq!(next(&founded, 30 * DAY, NOW + 30 * DAY), Next::Make);
        let made = ring(&[1, 2], &[said(1, 1, NOW)]);
        assert_eq!(next(&made, 30 * DAY, NOW), Next::Publish(kid(2)));
        let published = ring(&[1, 2], &[said(1, 1, NOW), said(2, 9, NOW + 30 * DAY)]);
        assert_eq!(published.in_force(), Some(kid(2)));
        assert_eq!(next(&published, 30 * DAY, NOW + 31 * DAY), Next::Nothing);
    }

    #[test]
    fn a_key_in_force_that_is_not_here_is_replaced_at_once() {
        // Restored from a backup that has neither key 2 nor its statement, which a peer sent again.
        let restored = ring(&[1], &[said(1, 1, NOW), said(2, 9, NOW)]);
        assert_eq!(next(&restored, 30 * DAY, NOW + 1), Next::Make);
        let made = ring(&[1, 3], &[said(1, 1, NOW), said(2, 9, NOW)]);
        assert_eq!(next(&made, 30 * DAY, NOW + 1), Next::Publish(kid(3)));
        // Nor does the number of a statement that is not known here come back.
        let older = ring(&[1], &[said(1, 1, NOW)]);
        assert!(older.next_sequence(NOW + 5000) > published_then(NOW + 4000));
    }

    fn published_then(at: Millis) -> u64 {
        ring(&[1, 2], &[said(1, 1, NOW)]).next_sequence(at)
    }

    #[test]
    fn a_sequence_only_grows_also_when_the_clock_does_not() {
        let ring = ring(&[1], &[said(1, 1_900_000_000, NOW)]);
        assert_eq!(ring.next_sequence(NOW), 1_900_000_001);
    }

    #[test]
    fn an_old_key_goes_when_nothing_can_come_for_it() {
        let ring = ring(&[1, 2, 3], &[said(1, 1, NOW), said(2, 2, NOW + 30 * DAY)]);
        let life = 180 * DAY + 2 * limits::CLOCK_AHEAD_MS;
        assert_eq!(ring.over(NOW + life), []);
        assert_eq!(ring.over(NOW + life + 1), [kid(1)]);
        // The one in force, the one that waits, and one of which nothing is known, never.
        assert_eq!(ring.over(NOW + 10_000 * DAY), [kid(1)]);
        let unknown = Ring::new(vec![kid(9), kid(1)], &[said(1, 1, NOW)], BTreeMap::new());
        assert_eq!(unknown.over(NOW + 10_000 * DAY), []);
    }

    #[test]
    fn a_key_is_named_by_eight_digits_or_more() {
        let ring = ring(&[1, 2], &[]);
        assert_eq!(ring.find("01010101"), Some(kid(1)));
        assert_eq!(ring.find("0101"), None);
        assert_eq!(ring.find("ffffffff"), None);
    }
}
