//! Roots and rosters walked one by one, and what stands against them.

use crate::{Root, Roster, TrustError, digest, signed::bound_signatures};
use abeng_wire::{Digest, decode, limits, v1};
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

/// What there are two of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConflictOf {
    /// Two roots of one version.
    Root,
    /// Two rosters of one version.
    Roster,
}

impl ConflictOf {
    /// `root` or `roster`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Roster => "roster",
        }
    }
}

/// Equivocation: two statements of one version, each signed by enough signers. Both are kept.
/// Nothing after them is taken until a later root names both.
#[derive(Debug, Clone)]
pub struct Conflict {
    /// Of what.
    pub of: ConflictOf,
    /// The version that there are two of.
    pub version: u64,
    /// Digest of the one that is held.
    pub held: Digest,
    /// Digest of the other.
    pub other: Digest,
    /// The other as it was received.
    pub signed: v1::Signed,
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

    /// The conflicts that no root held names.
    pub(crate) fn unsettled(&self) -> impl Iterator<Item = &Conflict> {
        self.conflicts.iter().filter(|c| self.settled(c).is_none())
    }

    /// The version of the root that ends a conflict.
    pub(crate) fn settled(&self, c: &Conflict) -> Option<u64> {
        let names = |r: &&Arc<Root>| match c.of {
            ConflictOf::Root => r.settles_roots(c.version, c.held, c.other),
            ConflictOf::Roster => r.settles_rosters(c.version, c.held, c.other),
        };
        self.roots.iter().find(names).map(|r| r.version())
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
                    newer |= self.stand(ConflictOf::Root, m.version, held.digest(), signed);
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

    /// Walks on from `held`. The newest roster, if any is newer, and whether a conflict is new.
    /// Where the list stands on the other side of an equivocation that a root has settled, it
    /// takes the place of what is held, if it leads further.
    pub(crate) fn take_rosters(
        &mut self,
        held: Option<&Roster>,
        list: &[v1::Signed],
    ) -> Result<(Option<Roster>, bool), TrustError> {
        let (parted, found) = self.compare(list)?;
        if !parted {
            return Ok((self.walk_on(held, list)?, found));
        }
        if self.unsettled().next().is_some() {
            return Ok((None, found));
        }
        let mut other = Self {
            rosters: Vec::new(),
            ..self.clone()
        };
        let newest = other.walk_on(None, list)?;
        let further = newest.filter(|r| r.version() > held.map_or(0, Roster::version));
        if further.is_some() {
            let left = std::mem::replace(&mut self.rosters, other.rosters);
            self.turn(&left);
        }
        Ok((further, found))
    }

    /// Keeps what was held as the other side, where the other side is now held.
    fn turn(&mut self, left: &[PastRoster]) {
        for c in self
            .conflicts
            .iter_mut()
            .filter(|c| c.of == ConflictOf::Roster)
        {
            let was = left.iter().find(|past| past.digest == c.held);
            let is_held = self.rosters.iter().any(|past| past.digest == c.other);
            if let (Some(was), true) = (was, is_held) {
                (c.held, c.other) = (c.other, c.held);
                c.signed = was.signed.clone();
            }
        }
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

    /// Holds each of the list against what is held of its version: whether one differs, and
    /// whether that is a conflict not known yet. What follows a conflict under the same roots
    /// says nothing new.
    fn compare(&mut self, list: &[v1::Signed]) -> Result<(bool, bool), TrustError> {
        let mut parted = None;
        for signed in list {
            let m: v1::Roster = decode("roster", &signed.bytes, limits::ROSTER)?;
            let Some(past) = self.rosters.iter().find(|p| p.version == m.version) else {
                continue;
            };
            if past.signed.bytes == signed.bytes {
                continue;
            }
            let (held, under) = (past.digest, past.root_version.min(m.root_version));
            match parted {
                None => {}
                Some(None) => continue,
                Some(Some(settled)) if under < settled => continue,
                Some(Some(_)) => {}
            }
            bound_signatures("a roster", signed)?;
            let root = self.root_of(&m)?;
            root.count_roster(m.version, signed)?;
            let found = self.stand(ConflictOf::Roster, m.version, held, signed);
            let conflict = self
                .conflicts
                .iter()
                .find(|c| c.of == ConflictOf::Roster && c.other == digest(&signed.bytes));
            parted = Some(conflict.and_then(|c| self.settled(c)));
            if found {
                return Ok((true, true));
            }
        }
        Ok((parted.is_some(), false))
    }

    /// Keeps the other statement. Whether it is new; past the limit there is evidence enough.
    fn stand(&mut self, of: ConflictOf, version: u64, held: Digest, signed: &v1::Signed) -> bool {
        let other = digest(&signed.bytes);
        let of_kind = self.conflicts.iter().filter(|c| c.of == of);
        let known = of_kind.clone().any(|c| c.other == other);
        if known || of_kind.count() >= limits::CONFLICTS {
            return false;
        }
        self.conflicts.push(Conflict {
            of,
            version,
            held,
            other,
            signed: signed.clone(),
        });
        true
    }

    fn walk_on(
        &mut self,
        held: Option<&Roster>,
        list: &[v1::Signed],
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
                self.undisputed(ConflictOf::Roster, None)?;
            }
            self.rosters.push(PastRoster::of(&roster));
            newest = Some(roster);
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
