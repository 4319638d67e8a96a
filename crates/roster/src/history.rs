//! Roots and rosters walked one by one, and what stands against them.

use crate::{Root, Roster, TrustError, digest, roster::not_ahead, signed::bound_signatures};
use abeng_wire::{Digest, Millis, decode, limits, v1};
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
/// Nothing after them is taken until a later root names both, but where the other roster is by
/// signers who had been replaced: see [`History::ended`].
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
    /// The root under which the other stands; of a root, 0.
    root_version: u64,
}

/// What ends a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The root of that version names both: whichever leads further is taken.
    Named(u64),
    /// The other's signers were replaced. It stays evidence, and weighs nothing.
    Retired,
}

/// How a list of rosters stands to those held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parts {
    No,
    At(Option<Ended>),
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
        self.conflicts.iter().filter(|c| self.ended(c).is_none())
    }

    /// What ends a conflict: a root that names both, or, of rosters, that the signers of the other
    /// one can do nothing any more. Else whoever once had two keys of three could sign a second
    /// roster of old, and a next one as soon as a root has named that, and nothing would ever
    /// follow. They were replaced where the rosters held have gone on under a newer root, or a
    /// newer root names an equivocation of rosters: its makers knew of it.
    pub(crate) fn ended(&self, c: &Conflict) -> Option<Ended> {
        let names = |r: &&Arc<Root>| match c.of {
            ConflictOf::Root => r.settles_roots(c.version, c.held, c.other),
            ConflictOf::Roster => r.settles_rosters(c.version, c.held, c.other),
        };
        if let Some(root) = self.roots.iter().find(names) {
            return Some(Ended::Named(root.version()));
        }
        let newer = |r: &Arc<Root>| r.version() > c.root_version && r.settles_any_rosters();
        let retired = c.of == ConflictOf::Roster
            && (self.goes_on_under() > c.root_version || self.roots.iter().any(newer));
        retired.then_some(Ended::Retired)
    }

    /// The root of the newest roster held.
    fn goes_on_under(&self) -> u64 {
        self.rosters.last().map_or(0, |past| past.root_version)
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
                    newer |= self.stand(Conflict {
                        of: ConflictOf::Root,
                        version: m.version,
                        held: held.digest(),
                        other: digest(&signed.bytes),
                        signed: signed.clone(),
                        root_version: 0,
                    });
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
    /// place of what is held, if it leads further: under the newest root, and, where no root names
    /// both sides, under a newer one than what is held.
    pub(crate) fn take_rosters(
        &mut self,
        held: Option<&Roster>,
        list: &[v1::Signed],
    ) -> Result<(Option<Roster>, bool), TrustError> {
        let (parts, found) = self.compare(list)?;
        let ended = match parts {
            Parts::No => return Ok((self.walk_on(held, list)?, found)),
            Parts::At(Some(ended)) if self.unsettled().next().is_none() => ended,
            Parts::At(_) => return Ok((None, found)),
        };
        let mut other = Self {
            rosters: Vec::new(),
            ..self.clone()
        };
        let newest = other.walk_on(None, list)?;
        let root = self.newest_root()?.version();
        let newer_root = ended != Ended::Retired || root > self.goes_on_under();
        let further = newest.filter(|r| {
            newer_root && r.root_version() == root && r.version() > held.map_or(0, Roster::version)
        });
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
    fn compare(&mut self, list: &[v1::Signed]) -> Result<(Parts, bool), TrustError> {
        let (mut parts, mut found) = (Parts::No, false);
        for signed in list {
            let m: v1::Roster = decode("roster", &signed.bytes, limits::ROSTER)?;
            let Some(past) = self.rosters.iter().find(|p| p.version == m.version) else {
                continue;
            };
            if past.signed.bytes == signed.bytes {
                continue;
            }
            let (held, under) = (past.digest, past.root_version.min(m.root_version));
            match parts {
                Parts::No => {}
                Parts::At(None) => continue,
                Parts::At(Some(Ended::Named(root))) if under < root => continue,
                Parts::At(Some(Ended::Retired)) if m.root_version < self.goes_on_under() => {
                    continue;
                }
                Parts::At(Some(_)) => {}
            }
            bound_signatures("a roster", signed)?;
            let root = self.root_of(&m)?;
            if m.network != root.network().as_str() {
                return Err(TrustError::rule(
                    format!("roster {}", m.version),
                    "it is of this network",
                ));
            }
            root.count_roster(m.version, signed)?;
            let conflict = Conflict {
                of: ConflictOf::Roster,
                version: m.version,
                held,
                other: digest(&signed.bytes),
                signed: signed.clone(),
                root_version: m.root_version,
            };
            parts = Parts::At(self.ended(&conflict));
            found |= self.stand(conflict);
        }
        Ok((parts, found))
    }

    /// Keeps the other statement. Whether it is new. Of what is ended a few are evidence enough,
    /// and they make room for one that is not; where as many stand, nothing follows anyway.
    fn stand(&mut self, conflict: Conflict) -> bool {
        let of_kind = |c: &&Conflict| c.of == conflict.of;
        if self.conflicts.iter().any(|c| c.other == conflict.other) {
            return false;
        }
        if self.conflicts.iter().filter(of_kind).count() >= limits::CONFLICTS {
            let ended = |c: &Conflict| c.of == conflict.of && self.ended(c).is_some();
            match self.conflicts.iter().position(ended) {
                Some(oldest) if self.ended(&conflict).is_none() => {
                    _ = self.conflicts.remove(oldest)
                }
                _ => return false,
            }
        }
        self.conflicts.push(conflict);
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
