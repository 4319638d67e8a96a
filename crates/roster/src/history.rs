//! Roots and rosters walked one by one, and what stands against them.

mod conflicts;

pub use conflicts::{Conflict, ConflictOf, Ended};

use crate::{Root, Roster, TrustError, roster::not_ahead};
use abeng_wire::{Digest, Millis, decode, limits, v1};
use conflicts::Parts;
use std::sync::Arc;

/// A roster that was walked over.
#[derive(Debug, Clone)]
pub(crate) struct PastRoster {
    version: u64,
    digest: Digest,
    root_version: u64,
    pub(crate) signed: v1::Signed,
}

impl PastRoster {
    fn of(roster: &Roster) -> Self {
        Self {
            version: roster.version(),
            digest: roster.digest(),
            root_version: roster.root_version(),
            signed: roster.signed().clone(),
        }
    }
}

/// Every root and roster held, from the first on, and the conflicts found.
#[derive(Debug, Clone)]
pub(crate) struct History {
    /// By version.
    pub(crate) roots: Vec<Arc<Root>>,
    /// By version.
    pub(crate) rosters: Vec<PastRoster>,
    pub(crate) conflicts: Vec<Conflict>,
}

impl History {
    pub(crate) fn begin(first: &v1::Signed) -> Result<Self, TrustError> {
        Ok(Self {
            roots: vec![Arc::new(Root::begin(first)?)],
            rosters: Vec::new(),
            conflicts: Vec::new(),
        })
    }

    pub(crate) fn newest_root(&self) -> Result<Arc<Root>, TrustError> {
        let last = self.roots.last().cloned();
        last.ok_or(TrustError::Missing { what: "root" })
    }

    /// The roster of a version as it was received.
    pub(crate) fn roster(&self, version: u64) -> Option<&v1::Signed> {
        let held = self.rosters.iter().find(|past| past.version == version);
        held.map(|past| &past.signed)
    }

    /// The last version up to which `earlier` has the same rosters.
    pub(crate) fn shared_with(&self, earlier: &[PastRoster]) -> u64 {
        let both = earlier.iter().zip(&self.rosters);
        let same = both.take_while(|(a, b)| (a.version, a.digest) == (b.version, b.digest));
        same.last().map_or(0, |(past, _)| past.version)
    }

    /// Walks on from the last root held. Whether anything is new: a root, or a conflict.
    pub(crate) fn take_roots(&mut self, list: &[v1::Signed]) -> Result<bool, TrustError> {
        let mut newer = false;
        for signed in list {
            let m: v1::Root = decode("root", &signed.bytes, limits::ROOT)?;
            let first = self.roots.first().map_or(0, |r| r.version());
            if m.version < first {
                continue;
            }
            let held = self.roots.iter().find(|r| r.version() == m.version);
            match held.cloned() {
                Some(held) if held.signed().bytes == signed.bytes => {}
                Some(held) => {
                    let before = self.roots.iter().find(|r| r.version() + 1 == m.version);
                    match before {
                        Some(before) => before.walk(signed)?,
                        None => held.rival(signed)?,
                    };
                    newer |= self.stand_of_roots(&held, signed);
                    // What follows in the list follows the other one.
                    break;
                }
                None => {
                    let next = self.newest_root()?.walk(signed)?;
                    self.undisputed(ConflictOf::Root, Some(&next))?;
                    self.roots.push(Arc::new(next));
                    newer = true;
                }
            }
        }
        Ok(newer)
    }

    /// Those of the list before the first that is not held yet and issued further ahead than clocks
    /// may differ, and what is wrong with that one.
    pub(crate) fn not_ahead<'a>(
        &self,
        list: &'a [v1::Signed],
        now: Millis,
    ) -> Result<(&'a [v1::Signed], Option<TrustError>), TrustError> {
        let newest = self.rosters.last().map_or(0, |past| past.version);
        for (at, signed) in list.iter().enumerate() {
            let m: v1::Roster = decode("roster", &signed.bytes, limits::ROSTER)?;
            if m.version > newest
                && let Err(ahead) = not_ahead(m.issued, now)
            {
                return Ok((&list[..at], Some(ahead)));
            }
        }
        Ok((list, None))
    }

    /// Walks on from `held`. The newest roster, if any is newer, and whether a conflict is new.
    /// Where the list stands on the other side of an equivocation that is ended, it takes the
    /// place of what is held if it leads further, under the newest root. `others` is evidence that
    /// came with it: nothing is taken past a version that it disputes.
    pub(crate) fn take_rosters(
        &mut self,
        held: Option<&Roster>,
        list: &[v1::Signed],
        others: &[v1::Signed],
    ) -> Result<(Option<Roster>, bool), TrustError> {
        let (parts, found) = self.compare(list)?;
        match parts {
            Parts::No => return Ok((self.walk_on(held, list, others)?, found)),
            Parts::Ended { may_replace: true } if self.unsettled().next().is_none() => {}
            Parts::Open | Parts::Ended { .. } => return Ok((None, found)),
        }
        // Before it is walked, which costs much.
        let root = self.newest_root()?.version();
        let last = list
            .last()
            .map(|signed| decode("roster", &signed.bytes, limits::ROSTER));
        let last: v1::Roster = last.transpose()?.unwrap_or_default();
        let version = held.map_or(0, Roster::version);
        if last.root_version != root || last.version <= version {
            return Ok((None, found));
        }
        let mut other = Self {
            rosters: Vec::new(),
            ..self.clone()
        };
        let newest = other.walk_on(None, list, &[])?;
        let further = newest.filter(|r| r.root_version() == root && r.version() > version);
        if further.is_some() {
            let left = std::mem::replace(&mut self.rosters, other.rosters);
            self.turn(&left);
        }
        Ok((further, found))
    }

    /// Notes evidence that somebody else kept. Whether any is new.
    pub(crate) fn take_others(
        &mut self,
        roots: &[v1::Signed],
        rosters: &[v1::Signed],
    ) -> Result<bool, TrustError> {
        let mut newer = false;
        for signed in roots {
            newer |= self.take_roots_if_known(signed)?;
        }
        for signed in rosters {
            newer |= self.compare(std::slice::from_ref(signed))?.1;
        }
        Ok(newer)
    }

    fn take_roots_if_known(&mut self, signed: &v1::Signed) -> Result<bool, TrustError> {
        let m: v1::Root = decode("root", &signed.bytes, limits::ROOT)?;
        match self.roots.iter().any(|r| r.version() == m.version) {
            true => self.take_roots(std::slice::from_ref(signed)),
            false => Ok(false),
        }
    }

    fn walk_on(
        &mut self,
        held: Option<&Roster>,
        list: &[v1::Signed],
        others: &[v1::Signed],
    ) -> Result<Option<Roster>, TrustError> {
        let mut newest: Option<Roster> = None;
        for signed in list {
            let m: v1::Roster = decode("roster", &signed.bytes, limits::ROSTER)?;
            let root = self.root_of(&m)?;
            if self.rosters.iter().any(|p| p.version == m.version) {
                continue;
            }
            let roster = Roster::walk(&root, newest.as_ref().or(held), signed)?;
            // A walk from the first is over what was believed before the conflict was known.
            if held.is_some() {
                match self.undisputed(ConflictOf::Roster, None) {
                    Err(_) if newest.is_some() => break,
                    undisputed => undisputed?,
                }
            }
            self.rosters.push(PastRoster::of(&roster));
            newest = Some(roster);
            // What others hold against this version counts before the next one does. Evidence that
            // does not hold is none.
            for other in others.iter().filter(|o| version_of(o) == Some(m.version)) {
                let _ = self.compare(std::slice::from_ref(other));
            }
        }
        Ok(newest)
    }

    fn root_of(&self, m: &v1::Roster) -> Result<Arc<Root>, TrustError> {
        let root = self.roots.iter().find(|r| r.version() == m.root_version);
        root.cloned().ok_or(TrustError::OtherRootVersion {
            version: m.version,
            expected: self.roots.last().map_or(0, |r| r.version()),
            found: m.root_version,
        })
    }

    /// Refuses what would follow a conflict that neither the roots held nor `next` settle.
    fn undisputed(&self, of: ConflictOf, next: Option<&Root>) -> Result<(), TrustError> {
        let ends = |c: &Conflict| match (c.of, next) {
            (ConflictOf::Root, Some(next)) => next.settles_roots(c.version, c.held, c.other),
            _ => false,
        };
        // A root may come under which an equivocation of rosters is settled; a roster only after it.
        let stands = self
            .unsettled()
            .find(|c| (of == ConflictOf::Roster || c.of == ConflictOf::Root) && !ends(c));
        match stands {
            Some(c) => Err(TrustError::Disputed {
                what: c.of.name(),
                version: c.version,
            }),
            None => Ok(()),
        }
    }
}

fn version_of(signed: &v1::Signed) -> Option<u64> {
    let m: Result<v1::Roster, _> = decode("roster", &signed.bytes, limits::ROSTER);
    m.ok().map(|m| m.version)
}
