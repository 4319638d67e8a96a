//! Two well-signed statements of one version: what is kept of them, and what ends them.

use super::{History, PastRoster};
use crate::{Root, TrustError, digest, signed::bound_signatures};
use abeng_wire::{Digest, Kid, decode, limits, prost::Message, v1};
use std::sync::Arc;

/// Second rosters by signers who were replaced that are kept: what they could do is over.
const RETIRED: usize = 2;
/// Of those, none is kept that is longer.
const RETIRED_BYTES: usize = 128 * 1024;

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
/// Nothing after them is taken until it is [`Ended`].
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
    /// Who signed the other; of a root, nobody is noted.
    by: Vec<Kid>,
}

/// What ends a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The root of that version names both: whichever leads further under it is taken.
    Named(u64),
    /// Too few of the other's signers are left to sign anything. It stays evidence, and weighs
    /// nothing.
    Retired,
}

/// How a list of rosters stands to those held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parts {
    /// It agrees with them.
    No,
    /// It is on another side, and no word has ended that.
    Open,
    /// It is on another side, and that is ended.
    Ended {
        /// Whether it may take the place of what is held, if it leads further.
        may_replace: bool,
    },
}

impl History {
    /// The conflicts that nothing has ended.
    pub(crate) fn unsettled(&self) -> impl Iterator<Item = &Conflict> {
        self.conflicts.iter().filter(|c| self.ended(c).is_none())
    }

    /// What ends a conflict: a root that names both, or, of rosters, that the signers of the other
    /// one can do nothing any more. Else whoever once had two keys of three could sign a second
    /// roster of old, and a next one as soon as a root has named that, and nothing would ever
    /// follow. They can do nothing where fewer of them than the threshold are roster signers of the
    /// newest root, and the rosters held have gone on under a newer root than the other's, or
    /// a newer root names an equivocation of rosters: its makers knew of it.
    pub(crate) fn ended(&self, c: &Conflict) -> Option<Ended> {
        let names = |r: &&Arc<Root>| match c.of {
            ConflictOf::Root => r.settles_roots(c.version, c.held, c.other),
            ConflictOf::Roster => r.settles_rosters(c.version, c.held, c.other),
        };
        if let Some(root) = self.roots.iter().find(names) {
            return Some(Ended::Named(root.version()));
        }
        let newest = self.roots.last()?;
        let left = newest.roster_signers_among(&c.by);
        let newer = |r: &Arc<Root>| r.version() > c.root_version && r.settles_any_rosters();
        let retired = c.of == ConflictOf::Roster
            && newest.version() > c.root_version
            && left < newest.roster_threshold()
            && (self.goes_on_under() > c.root_version || self.roots.iter().any(newer));
        retired.then_some(Ended::Retired)
    }

    /// Whether the other side may take the place of what is held: not once what is held has gone on
    /// under the root that ended it, or under a newer one than the fork's. Else those who sign now
    /// could carry an old fork on and undo a revocation.
    fn may_replace(&self, c: &Conflict, ended: Ended) -> bool {
        match ended {
            Ended::Named(root) => self.goes_on_under() < root,
            Ended::Retired => self.goes_on_under() <= c.root_version,
        }
    }

    /// The root of the newest roster held.
    pub(super) fn goes_on_under(&self) -> u64 {
        self.rosters.last().map_or(0, |past| past.root_version)
    }

    /// Holds each of the list against what is held of its version: whether one differs, and
    /// whether that is a conflict not known yet. What follows a conflict under the same roots
    /// says nothing new.
    pub(super) fn compare(&mut self, list: &[v1::Signed]) -> Result<(Parts, bool), TrustError> {
        let (mut parts, mut found, mut retired) = (Parts::No, false, 0);
        let mut named = None;
        for signed in list {
            let m: v1::Roster = decode("roster", &signed.bytes, limits::ROSTER)?;
            let Some(past) = self.rosters.iter().find(|p| p.version == m.version) else {
                continue;
            };
            if past.signed.bytes == signed.bytes
                || parts == Parts::Open
                || named.is_some_and(|root| past.root_version.min(m.root_version) < root)
            {
                continue;
            }
            if retired > limits::CONFLICTS {
                // Enough is seen of this list, and it takes the place of nothing.
                return Ok((Parts::Ended { may_replace: false }, found));
            }
            let conflict = self.conflict(past.digest, &m, signed)?;
            let ended = self.ended(&conflict);
            parts = match (parts, ended) {
                (_, None) => Parts::Open,
                (Parts::Ended { may_replace: false }, Some(_)) => parts,
                (_, Some(ended)) => Parts::Ended {
                    may_replace: self.may_replace(&conflict, ended),
                },
            };
            match ended {
                Some(Ended::Named(root)) => named = named.max(Some(root)),
                Some(Ended::Retired) => retired += 1,
                None => {}
            }
            found |= self.stand(conflict);
        }
        Ok((parts, found))
    }

    /// The conflict of a well-signed roster with the one held of its version.
    fn conflict(
        &self,
        held: Digest,
        m: &v1::Roster,
        signed: &v1::Signed,
    ) -> Result<Conflict, TrustError> {
        bound_signatures("a roster", signed)?;
        let root = self.root_of(m)?;
        if m.network != root.network().as_str() {
            return Err(TrustError::rule(
                format!("roster {}", m.version),
                "it is of this network",
            ));
        }
        Ok(Conflict {
            of: ConflictOf::Roster,
            version: m.version,
            held,
            other: digest(&signed.bytes),
            signed: signed.clone(),
            root_version: m.root_version,
            by: root.count_roster(m.version, signed)?,
        })
    }

    /// Keeps the other of two roots. Whether it is new.
    pub(super) fn stand_of_roots(&mut self, held: &Root, signed: &v1::Signed) -> bool {
        self.stand(Conflict {
            of: ConflictOf::Root,
            version: held.version(),
            held: held.digest(),
            other: digest(&signed.bytes),
            signed: signed.clone(),
            root_version: 0,
            by: Vec::new(),
        })
    }

    /// Keeps the other statement. Whether it is new. Of what is ended a few are evidence enough,
    /// and they make room for one that is not; where as many stand, nothing follows anyway.
    fn stand(&mut self, conflict: Conflict) -> bool {
        if self.conflicts.iter().any(|c| c.other == conflict.other) {
            return false;
        }
        let ended = self.ended(&conflict);
        let retired = |c: &&Conflict| self.ended(c) == Some(Ended::Retired);
        let bytes = conflict.signed.encoded_len();
        if ended == Some(Ended::Retired)
            && (bytes > RETIRED_BYTES || self.conflicts.iter().filter(retired).count() >= RETIRED)
        {
            return false;
        }
        while self.is_full(&conflict) {
            let over = |c: &Conflict| c.of == conflict.of && self.ended(c).is_some();
            match self.conflicts.iter().position(over) {
                Some(oldest) if ended.is_none() => _ = self.conflicts.remove(oldest),
                _ => return false,
            }
        }
        self.conflicts.push(conflict);
        true
    }

    /// Whether there is no room for one more: by number, or, beside the first, by length.
    fn is_full(&self, more: &Conflict) -> bool {
        let of_kind = self.conflicts.iter().filter(|c| c.of == more.of);
        let (mut count, mut bytes) = (0, more.signed.encoded_len());
        for c in of_kind {
            count += 1;
            bytes += c.signed.encoded_len();
        }
        count >= limits::CONFLICTS || (count > 0 && bytes > limits::CONFLICT_BYTES)
    }

    /// Keeps what was held as the other side, where the other side is now held.
    pub(super) fn turn(&mut self, left: &[PastRoster]) {
        let mut conflicts = std::mem::take(&mut self.conflicts);
        for c in conflicts.iter_mut().filter(|c| c.of == ConflictOf::Roster) {
            let Some(now) = self.rosters.iter().find(|past| past.version == c.version) else {
                continue;
            };
            let was = left.iter().find(|past| past.digest == c.held);
            if now.digest != c.other {
                c.held = now.digest;
            } else if let Some(was) = was {
                let said = decode::<v1::Roster>("roster", &was.signed.bytes, limits::ROSTER);
                let other = said.map(|m| self.conflict(now.digest, &m, &was.signed));
                if let Ok(Ok(other)) = other {
                    *c = other;
                }
            }
        }
        self.conflicts = conflicts;
    }
}
