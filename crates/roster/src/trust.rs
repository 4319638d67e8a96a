use crate::{Freshness, Root, Roster, SealKeys, Standing, TrustError, digest, signed};
use abeng_keys::SealPublic;
use abeng_wire::{Digest, Millis, PartyCode, decode, limits, v1};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How long a party that is new to a roster or group waits before it is expanded into and gains
/// grants at a node, unless a local administrator accepts it: 7 days from adoption at that node.
pub const NEWCOMER_WAIT_MS: Millis = 7 * 24 * 60 * 60 * 1000;

/// A snapshot of everything a node believes about its network. Cheap to clone; replaced, never
/// changed, when something newer is merged.
#[derive(Debug, Clone)]
pub struct Trust {
    /// The newest root.
    pub root: Arc<Root>,
    /// The newest roster.
    pub roster: Arc<Roster>,
    /// The newest seal keys.
    pub seal_keys: SealKeys,
    /// The newest word that this roster is the newest.
    pub freshness: Option<Freshness>,
    /// Every root held, by version.
    roots: Vec<Arc<Root>>,
    /// Every roster held, by version.
    rosters: Vec<PastRoster>,
    /// When this node adopted a version, for those that make somebody wait.
    adopted: BTreeMap<u64, Millis>,
    /// Who need not wait, where, and since which roster version it is there: whoever leaves and
    /// comes back waits again.
    accepted: BTreeSet<(Option<PartyCode>, PartyCode, u64)>,
}

/// A party that is new somewhere and waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Newcomer {
    /// The group; `None`: the roster itself.
    pub group: Option<PartyCode>,
    /// The party.
    pub party: PartyCode,
    /// The roster version that brought it there.
    pub since: u64,
    /// When its waiting time ends.
    pub until: Millis,
}

#[derive(Debug, Clone)]
struct PastRoster {
    version: u64,
    digest: Digest,
    signed: v1::Signed,
}

impl Trust {
    /// Walks a bundle from its first root and roster to its last. `pinned_root` is the digest
    /// that the first root must have. Expiry is not judged here: see [`Self::check_time`].
    /// Seal keys and freshness that cannot be believed are left out.
    pub fn from_bundle(
        bundle: &v1::TrustBundle,
        pinned_root: Option<Digest>,
        now: Millis,
    ) -> Result<Self, TrustError> {
        let first = bundle
            .roots
            .first()
            .ok_or(TrustError::Missing { what: "root" })?;
        let found = digest(&first.bytes);
        match pinned_root {
            Some(pinned) if pinned != found => return Err(TrustError::OtherRoot { pinned, found }),
            _ => {}
        }
        let mut roots = vec![Arc::new(Root::begin(first)?)];
        take_roots(&mut roots, &bundle.roots)?;
        let walked = walk_rosters(&roots, None, Vec::new(), &bundle.rosters)?;
        let (roster, rosters) = walked.ok_or(TrustError::Missing { what: "roster" })?;
        let mut trust = Self {
            root: newest(&roots)?,
            roster: Arc::new(roster),
            seal_keys: SealKeys::default(),
            freshness: None,
            roots,
            rosters,
            adopted: BTreeMap::new(),
            accepted: BTreeSet::new(),
        };
        let _ = trust.take_statements(bundle, now);
        Ok(trust)
    }

    /// Everything held, so that another node can walk it.
    pub fn to_bundle(&self) -> v1::TrustBundle {
        v1::TrustBundle {
            roots: self.roots.iter().map(|r| r.signed().clone()).collect(),
            rosters: self.rosters.iter().map(|r| r.signed.clone()).collect(),
            freshness: self.freshness.as_ref().map(|f| f.signed().clone()),
            seal_keys: self.seal_keys.statements().into_iter().cloned().collect(),
        }
    }

    /// What this snapshot becomes with what a peer sent: `Some` if anything in it is newer.
    ///
    /// A roster, however well signed, must be made under the newest root known here in the end.
    /// A seal key or freshness statement that cannot be believed does not keep the rest out; its
    /// fault is returned when nothing else was newer.
    ///
    /// # Errors
    /// [`TrustError::Equivocation`] is evidence: keep both. All others: a peer's fault.
    pub fn merge(&self, bundle: &v1::TrustBundle, now: Millis) -> Result<Option<Self>, TrustError> {
        let mut next = self.clone();
        let mut newer = take_roots(&mut next.roots, &bundle.roots)?;
        next.root = newest(&next.roots)?;
        let walked = walk_rosters(
            &next.roots,
            Some(&self.roster),
            next.rosters.clone(),
            &bundle.rosters,
        )?;
        let mut fault = None;
        if let Some((roster, rosters)) = walked {
            if roster.root_version() == next.root.version() {
                next.adopt(roster, rosters, now);
                newer = true;
            } else {
                fault = Some(TrustError::OtherRootVersion {
                    version: roster.version(),
                    expected: next.root.version(),
                    found: roster.root_version(),
                });
            }
        }
        let (more, first) = next.take_statements(bundle, now);
        newer |= more;
        fault = fault.or(first);
        match fault {
            _ if newer => Ok(Some(next)),
            Some(fault) => Err(fault),
            None => Ok(None),
        }
    }

    /// The roster of a version as it was received, where it is held.
    pub fn roster_signed(&self, version: u64) -> Option<&v1::Signed> {
        let held = self.rosters.iter().find(|past| past.version == version);
        held.map(|past| &past.signed)
    }

    /// Refuses trust data past its time, so that a start can say so.
    pub fn check_time(&self, now: Millis) -> Result<(), TrustError> {
        self.root.check_time(now)?;
        self.roster.check_time(now)
    }

    /// Age of the trust data in milliseconds. The time is never taken to be before the roster,
    /// its freshness or `newest_leaf`, the time of this node's last own leaf.
    pub fn age(&self, now: Millis, newest_leaf: Millis) -> Millis {
        let fresh = self.freshness.as_ref().filter(|f| f.is_of(&self.roster));
        let known = self.roster.issued().max(fresh.map_or(0, Freshness::at));
        now.max(newest_leaf).saturating_sub(known)
    }

    /// What that age means under a limit (usually [`crate::LIMIT_MS`]).
    pub fn standing(&self, now: Millis, newest_leaf: Millis, limit: Millis) -> Standing {
        Standing::of(self.age(now, newest_leaf), limit)
    }

    /// The key to seal to for a party.
    pub fn seal_key(&self, party: PartyCode, now: Millis) -> Option<&SealPublic> {
        self.seal_keys.current(party, now)
    }

    /// Records when this node adopted a roster version, as its journal says: for what a restart
    /// loads, and in place of the time that was given to [`Self::merge`].
    pub fn note_adoption(&mut self, version: u64, at: Millis) {
        self.adopted.insert(version, at);
    }

    /// A local administrator accepts a newcomer before its time, in the roster or in a group:
    /// what `since` brought there, and nothing that comes back later.
    pub fn accept_newcomer(&mut self, group: Option<PartyCode>, party: PartyCode, since: u64) {
        self.accepted.insert((group, party, since));
    }

    /// Until when a party that is new to the roster, or to `group`, waits; `None` if it need not
    /// or has. `now` is the earliest time that it can be: no doubtful clock ends a wait.
    pub fn waits_until(
        &self,
        group: Option<PartyCode>,
        party: PartyCode,
        now: Millis,
    ) -> Option<Millis> {
        let newcomer = self.newcomer(group, party)?;
        (now < newcomer.until).then_some(newcomer.until)
    }

    /// Everybody who waits, by group and party, the roster itself first.
    pub fn newcomers(&self, now: Millis) -> Vec<Newcomer> {
        let places = self.roster.places_since();
        let all = places.filter_map(|(group, party)| self.newcomer(group, party));
        all.filter(|newcomer| now < newcomer.until).collect()
    }

    fn newcomer(&self, group: Option<PartyCode>, party: PartyCode) -> Option<Newcomer> {
        let since = self.roster.since(group, party)?;
        if self.accepted.contains(&(group, party, since)) {
            return None;
        }
        let until = self.adopted.get(&since)?.saturating_add(NEWCOMER_WAIT_MS);
        Some(Newcomer {
            group,
            party,
            since,
            until,
        })
    }

    fn adopt(&mut self, roster: Roster, rosters: Vec<PastRoster>, now: Millis) {
        for version in self.roster.version() + 1..=roster.version() {
            self.adopted.insert(version, now);
        }
        self.seal_keys.apply(&roster);
        self.roster = Arc::new(roster);
        self.rosters = rosters;
        self.freshness = self.freshness.take().filter(|f| f.is_of(&self.roster));
    }

    /// Takes freshness and seal keys: whether any is newer, and the first fault.
    fn take_statements(
        &mut self,
        bundle: &v1::TrustBundle,
        now: Millis,
    ) -> (bool, Option<TrustError>) {
        let (mut newer, mut fault) = (false, None);
        if let Some(signed) = &bundle.freshness {
            match Freshness::verify(&self.root, signed, now) {
                Ok(fresh) if fresh.is_of(&self.roster) => {
                    if self.freshness.as_ref().is_none_or(|f| f.at() < fresh.at()) {
                        self.freshness = Some(fresh);
                        newer = true;
                    }
                }
                Ok(_) => {}
                Err(e) => fault = Some(e),
            }
        }
        for signed in &bundle.seal_keys {
            match self.seal_keys.take(&self.roster, signed, now) {
                Ok(more) => newer |= more,
                Err(e) => fault = fault.or(Some(e)),
            }
        }
        (newer, fault)
    }
}

fn newest(roots: &[Arc<Root>]) -> Result<Arc<Root>, TrustError> {
    roots
        .last()
        .cloned()
        .ok_or(TrustError::Missing { what: "root" })
}

/// Walks on from the last root held. Whether any is newer.
fn take_roots(roots: &mut Vec<Arc<Root>>, list: &[v1::Signed]) -> Result<bool, TrustError> {
    let mut newer = false;
    for signed in list {
        let m: v1::Root = decode("root", &signed.bytes, limits::ROOT)?;
        let last = newest(roots)?;
        if roots
            .first()
            .is_some_and(|first| m.version < first.version())
        {
            continue;
        }
        let held = roots.iter().find(|r| r.version() == m.version);
        match held {
            Some(held) if held.signed().bytes == signed.bytes => {}
            Some(held) => {
                let before = roots.iter().find(|r| r.version() + 1 == m.version);
                match before {
                    Some(before) => before.walk(signed)?,
                    None => Root::begin(signed)?,
                };
                return Err(TrustError::Equivocation {
                    what: "root".into(),
                    version: m.version,
                    held: held.digest(),
                    other: digest(&signed.bytes),
                });
            }
            None => {
                roots.push(Arc::new(last.walk(signed)?));
                newer = true;
            }
        }
    }
    Ok(newer)
}

/// Walks on from `held`. The newest roster and the whole history, if any is newer.
fn walk_rosters(
    roots: &[Arc<Root>],
    held: Option<&Roster>,
    mut history: Vec<PastRoster>,
    list: &[v1::Signed],
) -> Result<Option<(Roster, Vec<PastRoster>)>, TrustError> {
    let mut newest: Option<Roster> = None;
    for signed in list {
        let m: v1::Roster = decode("roster", &signed.bytes, limits::ROSTER)?;
        let root = roots.iter().find(|r| r.version() == m.root_version).ok_or(
            TrustError::OtherRootVersion {
                version: m.version,
                expected: roots.last().map_or(0, |r| r.version()),
                found: m.root_version,
            },
        )?;
        if let Some(past) = history.iter().find(|p| p.version == m.version) {
            if past.signed.bytes != signed.bytes {
                signed::bound_signatures("a roster", signed)?;
                root.count_roster(m.version, signed)?;
                return Err(TrustError::Equivocation {
                    what: "roster".into(),
                    version: m.version,
                    held: past.digest,
                    other: digest(&signed.bytes),
                });
            }
            continue;
        }
        let roster = Roster::walk(root, newest.as_ref().or(held), signed)?;
        history.push(PastRoster {
            version: roster.version(),
            digest: roster.digest(),
            signed: signed.clone(),
        });
        newest = Some(roster);
    }
    Ok(newest.map(|roster| (roster, history)))
}

/// The roster of a version, from everything that is held.
pub(crate) fn walk_to(bundle: &v1::TrustBundle, version: u64) -> Result<Roster, TrustError> {
    let first = bundle
        .roots
        .first()
        .ok_or(TrustError::Missing { what: "root" })?;
    let mut roots = vec![Arc::new(Root::begin(first)?)];
    take_roots(&mut roots, &bundle.roots)?;
    let up_to = usize::try_from(version).unwrap_or(usize::MAX);
    let list = &bundle.rosters[..up_to.min(bundle.rosters.len())];
    let walked = walk_rosters(&roots, None, Vec::new(), list)?;
    walked
        .map(|(roster, _)| roster)
        .filter(|roster| roster.version() == version)
        .ok_or(TrustError::Missing { what: "roster" })
}
