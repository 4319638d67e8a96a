//! The keys of a roster: each in one place for ever, and which of them stand by the root's override.

use super::Roster;
use crate::{OVERRIDE_WAIT_MS, Override, Party, Root, TrustError, digest};
use abeng_wire::{Kid, Millis, limits, v1};
use std::collections::BTreeMap;

impl Roster {
    /// The root's overrides in this version: each is an alarm wherever it is adopted.
    pub fn overrides(&self) -> &[Override] {
        &self.overrides
    }

    /// No key stands in two places: two parties, two roles, twice in one, or in the root; nor
    /// where another place of that key was in any roster before. Gives all places, old and new.
    pub(super) fn no_key_twice(
        &self,
        root: &Root,
        previous: Option<&Roster>,
    ) -> Result<BTreeMap<Kid, String>, TrustError> {
        let mut seen: BTreeMap<Kid, String> = root.places().collect();
        for (kid, place) in self.places() {
            if let Some(first) = seen.insert(kid, place.clone()) {
                return Err(TrustError::KeyTwice {
                    kid,
                    first,
                    second: place,
                });
            }
        }
        for (kid, first) in previous.into_iter().flat_map(|r| &r.places) {
            match seen.insert(*kid, first.clone()) {
                Some(second) if second != *first => {
                    return Err(TrustError::KeyTwice {
                        kid: *kid,
                        first: first.clone(),
                        second,
                    });
                }
                _ => {}
            }
        }
        Ok(seen)
    }

    /// When each version was issued whose override still stands behind a listed key.
    pub(super) fn count_overridden(&self, previous: Option<&Roster>) -> BTreeMap<u64, Millis> {
        let keys = self.parties.iter().flat_map(Party::all_keys);
        let issued = |version: u64| match version == self.version {
            true => self.issued,
            false => previous
                .and_then(|r| r.overridden.get(&version))
                .copied()
                .unwrap_or(self.issued),
        };
        keys.filter_map(|k| k.by_override)
            .map(|version| (version, issued(version)))
            .collect()
    }

    /// Sets until when keys wait that an override brought: `adopted` says when this node adopted
    /// a version; where it does not know, the time of issue counts. What is over at `now` is over.
    pub(crate) fn set_waits(&mut self, adopted: &BTreeMap<u64, Millis>, now: Millis) {
        let overridden = &self.overridden;
        let until = |version: u64| {
            let since = adopted.get(&version).or(overridden.get(&version))?;
            let until = since.saturating_add(OVERRIDE_WAIT_MS);
            (now < until).then_some(until)
        };
        for party in &mut self.parties {
            party.set_waits(&until);
        }
    }

    fn places(&self) -> impl Iterator<Item = (Kid, String)> + '_ {
        self.parties.iter().flat_map(|p| {
            p.all_keys()
                .iter()
                .map(|k| (k.key.kid(), format!("{} of {}", k.role.name(), p.code)))
        })
    }
}

/// Verifies the overrides: sorted, one a party.
pub(super) fn overrides(root: &Root, m: &v1::Roster) -> Result<Vec<Override>, TrustError> {
    let rule = |rule| TrustError::rule(format!("roster {}", m.version), rule);
    if m.overrides.len() > limits::OVERRIDES {
        return Err(rule("at most 16 overrides"));
    }
    let list = m
        .overrides
        .iter()
        .map(|signed| Override::verify(root, signed));
    let list = list.collect::<Result<Vec<_>, _>>()?;
    match list.is_sorted_by(|a, b| a.party < b.party) {
        true => Ok(list),
        false => Err(rule("overrides are sorted, one a party")),
    }
}

/// Refuses an override that is of other entries than these.
pub(super) fn fits(
    word: &Override,
    before: Option<&Party>,
    party: &Party,
) -> Result<bool, TrustError> {
    let entry = |p: &Party| digest(&p.signed.bytes);
    let fits = before.is_some_and(|before| {
        word.before == entry(before) && word.after == entry(party) && party.brings_keys(before)
    });
    match fits {
        true => Ok(true),
        false => Err(TrustError::rule(
            format!("the override for {}", party.code),
            "it names the entry before and this one, which brings a key",
        )),
    }
}
