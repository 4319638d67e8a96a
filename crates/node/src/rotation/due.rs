//! What is due with a ring of seal keys. Pure.

use abeng_wire::{Kid, Millis, limits};
use std::collections::{BTreeMap, BTreeSet};

/// How long a statement holds, in rotations: the next key may wait that much for its backup.
pub(super) const ROTATIONS: u64 = 3;

/// The seal keys of the keyring, and what was said of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Ring {
    /// In the keyring, newest last.
    pub(super) held: Vec<Kid>,
    /// The own statement with the highest sequence, of those that others believe.
    pub(super) newest: Option<Said>,
    /// Until when others may have sealed to a key.
    pub(super) ends: BTreeMap<Kid, Millis>,
    /// Those of the keyring that the roster revokes.
    pub(super) revoked: BTreeSet<Kid>,
    /// The key that signs statements here, where others believe it.
    pub(super) signer: Option<Kid>,
}

/// An own statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) kid: Kid,
    pub(super) sequence: u64,
    pub(super) from: Millis,
    pub(super) until: Millis,
    /// Which key signed it.
    pub(super) by: Option<Kid>,
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
    /// This one was published by a signing key that is not the one here any more, and is to be
    /// published once more, from and until then.
    Again(Kid, (Millis, Millis)),
}

impl Ring {
    /// The key that others seal to.
    pub(super) fn in_force(&self) -> Option<Kid> {
        self.newest.map(|said| said.kid)
    }

    /// The key that was made and is not published: newer than the one in force. Where that one is not here at
    /// all (a restore from an older backup), none waits but what never was published.
    pub(super) fn waiting(&self) -> Option<Kid> {
        let last = *self.held.last()?;
        let named = self.in_force() == Some(last) || self.ends.contains_key(&last);
        (!named && !self.revoked.contains(&last)).then_some(last)
    }

    /// A key that was published and is here, of which no statement holds by the word of the signing
    /// key here: that one was changed, and the one before is or will be revoked, with what it signed.
    fn again(&self, rotate: Millis, now: Millis) -> Option<(Kid, (Millis, Millis))> {
        let signer = self.signer?;
        let here = |kid: &Kid| self.held.contains(kid);
        if let Some(said) = self.newest {
            let due = said.by != Some(signer) && here(&said.kid) && now < said.until;
            return due.then_some((said.kid, (said.from, said.until)));
        }
        let good = |kid: &&Kid| !self.revoked.contains(kid) && self.ends.get(kid) > Some(&now);
        let kid = *self.held.iter().rev().find(good)?;
        let until = *self.ends.get(&kid)?;
        let from = until.saturating_sub(ROTATIONS.saturating_mul(rotate));
        Some((kid, (from.min(now), until)))
    }

    /// Whether it must stay, whatever is said: others seal to it or are about to, or it is the newest
    /// one, without which a copy of the keyring would look newer than the keyring.
    pub(super) fn is_needed(&self, kid: &Kid) -> bool {
        self.in_force() == Some(*kid) || self.held.last() == Some(kid)
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
        last.saturating_add(1).max(now / 1000)
    }

    /// Whether nothing can come any more that is sealed to it: its statement has ended, and every envelope
    /// that was sealed under it has. A key of which that is not known stays.
    pub(super) fn may_go(&self, kid: &Kid, now: Millis) -> bool {
        let life = limits::LIFETIME_MS + 2 * limits::CLOCK_AHEAD_MS;
        let end = self.ends.get(kid);
        !self.is_needed(kid) && end.is_some_and(|end| end.saturating_add(life) < now)
    }

    /// Those of which that is so.
    pub(super) fn over(&self, now: Millis) -> Vec<Kid> {
        let held = self.held.iter().copied();
        held.filter(|kid| self.may_go(kid, now)).collect()
    }
}

/// When a statement of this sequence may begin: others refuse one that is too far above its beginning.
pub(super) fn begins(sequence: u64, wished: Millis) -> Millis {
    let least = sequence.saturating_mul(1000);
    wished.max(least.saturating_sub(limits::SEAL_KEY_AHEAD_MS))
}

/// What is due at this time, where keys change every `rotate` milliseconds.
pub(super) fn next(ring: &Ring, rotate: Millis, now: Millis) -> Next {
    if ring.signer.is_none() {
        return Next::Nothing;
    }
    // First, since it needs no backup: until then nobody can send anything here.
    if let Some((kid, interval)) = ring.again(rotate, now) {
        return Next::Again(kid, interval);
    }
    if let Some(kid) = ring.waiting() {
        return Next::Publish(kid);
    }
    let Some(said) = ring.newest else {
        return Next::Make;
    };
    let here = ring.held.contains(&said.kid);
    let newest_revoked = ring.held.last().is_some_and(|k| ring.revoked.contains(k));
    match here && !newest_revoked && now < said.from.saturating_add(rotate) {
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
    const SIGNER: Kid = Kid([200; 32]);

    fn kid(n: u8) -> Kid {
        Kid([n; 32])
    }

    fn said(n: u8, sequence: u64, from: Millis) -> Said {
        Said {
            kid: kid(n),
            sequence,
            from,
            until: from + 90 * DAY,
            by: Some(SIGNER),
        }
    }

    fn ring(held: &[u8], statements: &[Said]) -> Ring {
        Ring {
            held: held.iter().map(|n| kid(*n)).collect(),
            newest: statements.iter().max_by_key(|s| s.sequence).copied(),
            ends: statements.iter().map(|s| (s.kid, s.until)).collect(),
            revoked: BTreeSet::new(),
            signer: Some(SIGNER),
        }
    }

    #[test]
    fn a_key_whose_signer_is_not_the_one_here_is_published_once_more() {
        let month = 30 * DAY;
        let mut changed = ring(&[1, 2], &[said(1, 1, NOW), said(2, 9, NOW + DAY)]);
        assert_eq!(next(&changed, month, NOW + DAY), Next::Nothing);
        changed.signer = Some(kid(201));
        let interval = (NOW + DAY, NOW + 91 * DAY);
        let again = Next::Again(kid(2), interval);
        assert_eq!(next(&changed, month, NOW + DAY), again);
        // Also while a newer one waits for its backup, or is due.
        changed.held.push(kid(3));
        assert_eq!(next(&changed, month, NOW + 60 * DAY), again);
        // The one before is revoked, and what it signed is gone with it.
        changed.newest = None;
        assert_eq!(next(&changed, month, NOW + 2 * DAY), again);
        let early = (NOW, NOW + 91 * DAY);
        assert_eq!(next(&changed, month, NOW), Next::Again(kid(2), early));
        assert_eq!(next(&changed, month, NOW + 91 * DAY), Next::Publish(kid(3)));
        // Not one that is revoked itself.
        changed.revoked = [kid(2), kid(3)].into();
        let older = (NOW, NOW + 90 * DAY);
        assert_eq!(next(&changed, month, NOW), Next::Again(kid(1), older));
        changed.newest = Some(Said {
            by: changed.signer,
            ..said(1, 10, NOW)
        });
        assert_eq!(next(&changed, month, NOW), Next::Make, "at once");
        // And nothing is signed with a key that nobody believes.
        changed.signer = None;
        assert_eq!(next(&changed, month, NOW + 900 * DAY), Next::Nothing);
    }

    #[test]
    fn after_whatever_sequence_a_statement_follows_that_others_take() {
        for last in [1, NOW / 1000, (NOW + 28 * DAY) / 1000] {
            let ring = ring(&[1], &[said(1, last, NOW)]);
            let sequence = ring.next_sequence(NOW);
            assert!(sequence > last);
            let from = begins(sequence, NOW);
            assert!(from >= NOW);
            assert!(sequence <= from.saturating_add(limits::SEAL_KEY_AHEAD_MS) / 1000);
        }
        assert_eq!(begins(NOW / 1000, NOW), NOW);
    }

    #[test]
    fn the_newest_key_stays_also_when_it_is_revoked() {
        let mut ring = ring(&[1, 2], &[]);
        ring.revoked = [kid(2)].into();
        assert!(ring.is_needed(&kid(2)) && !ring.is_needed(&kid(1)));
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
        let mut unknown = super::tests::ring(&[9, 1], &[said(1, 1, NOW)]);
        unknown.ends.clear();
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
