use crate::{
    Conflict, ConflictOf, Ended, Freshness, Root, Roster, SealKeys, Standing, TrustError, digest,
    history::History,
};
use abeng_keys::SealPublic;
use abeng_wire::{Digest, Millis, PartyCode, limits, prost::Message, v1};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

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
    /// Every root and roster held, and what stands against them.
    history: History,
    /// When this node adopted a version, for those that make somebody wait.
    pub(crate) adopted: BTreeMap<u64, Millis>,
    /// Who need not wait, where, and since which roster version it is there: whoever leaves and
    /// comes back waits again.
    pub(crate) accepted: BTreeSet<(Option<PartyCode>, PartyCode, u64)>,
    /// Seal keys signed with keys that wait, taken when those no longer do.
    waiting: Vec<(PartyCode, v1::Signed)>,
    /// The time by which waits of such keys are judged.
    as_of: Millis,
}

impl Trust {
    /// Walks a bundle from its first root and roster to its last. `pinned_root` is the digest
    /// that the first root must have. Expiry is not judged here: see [`Self::check_time`].
    /// Seal keys and freshness that cannot be believed are left out.
    ///
    /// Waits count from the issue of a roster, which its makers choose: a node that starts again
    /// says when it adopted what ([`Self::note_adoption`]) and then calls [`Self::retake`].
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
        let mut history = History::begin(first)?;
        history.take_roots(&bundle.roots)?;
        let (roster, _) = history.take_rosters(None, &bundle.rosters, &[])?;
        let roster = roster.ok_or(TrustError::Missing { what: "roster" })?;
        // Evidence that does not hold is none.
        let _ = history.take_others(&bundle.other_roots, &bundle.other_rosters);
        let mut trust = Self {
            root: history.newest_root()?,
            roster: Arc::new(roster),
            seal_keys: SealKeys::default(),
            freshness: None,
            history,
            adopted: BTreeMap::new(),
            accepted: BTreeSet::new(),
            waiting: Vec::new(),
            as_of: now,
        };
        trust.set_waits();
        let _ = trust.take_statements(bundle, now);
        Ok(trust)
    }

    /// Everything held, so that another node can walk it.
    pub fn to_bundle(&self) -> v1::TrustBundle {
        let held = self.seal_keys.statements().into_iter();
        let waiting = self.waiting.iter().map(|(_, signed)| signed);
        let others = |of| {
            let list = self.history.conflicts.iter();
            list.filter(move |c| c.of == of).map(|c| c.signed.clone())
        };
        let history = &self.history;
        v1::TrustBundle {
            roots: history.roots.iter().map(|r| r.signed().clone()).collect(),
            rosters: history.rosters.iter().map(|r| r.signed.clone()).collect(),
            freshness: self.freshness.as_ref().map(|f| f.signed().clone()),
            seal_keys: held.chain(waiting).cloned().collect(),
            other_roots: others(ConflictOf::Root).collect(),
            other_rosters: others(ConflictOf::Roster).collect(),
        }
    }

    /// What this snapshot becomes with what a peer sent: `Some` if anything in it is newer.
    ///
    /// A roster, however well signed, must be made under the newest root known here in the end, and
    /// not be issued further ahead of `now` than clocks may differ: waits and ages count from then.
    /// One past its time is taken, since what it revokes is revoked.
    /// A seal key or freshness statement that cannot be believed does not keep the rest out; its
    /// fault is returned when nothing else was newer. Two well-signed versions of a root or roster
    /// are news as well: both are kept, see [`Self::conflicts`]. More seal keys than any node holds
    /// are refused unread, and the first whose signature does not hold ends them: no honest node
    /// passes such a one on.
    ///
    /// # Errors
    /// [`TrustError::Equivocation`] of a seal key is evidence; all others are a peer's fault.
    pub fn merge(&self, bundle: &v1::TrustBundle, now: Millis) -> Result<Option<Self>, TrustError> {
        if bundle.seal_keys.len() > limits::SEAL_KEYS {
            return Err(TrustError::rule(
                "a trust bundle",
                "at most 1,024 seal keys",
            ));
        }
        let mut next = self.clone();
        let history = &mut next.history;
        let mut newer = history.take_roots(&bundle.roots)?;
        next.root = history.newest_root()?;
        // Under the newest roots, since one that is new here may be what evidence stands under.
        let others = history.take_others(&bundle.other_roots, &bundle.other_rosters);
        let mut fault = others.as_ref().err().cloned();
        newer |= others.unwrap_or(false);
        let held = history.rosters.clone();
        let known: BTreeSet<Digest> = self.history.conflicts.iter().map(|c| c.other).collect();
        let is_new =
            |history: &History| history.conflicts.iter().any(|c| !known.contains(&c.other));
        let (list, ahead) = history.not_ahead(&bundle.rosters, now)?;
        let walked = match history.take_rosters(Some(&self.roster), list, &bundle.other_rosters) {
            Ok((walked, conflict)) => {
                newer |= conflict;
                walked
            }
            // Evidence is kept whatever stands behind it, and a dispute stops rosters, no keys.
            Err(e) if is_new(history) || matches!(e, TrustError::Disputed { .. }) => {
                history.rosters.clone_from(&held);
                newer |= is_new(history);
                fault = Some(e);
                None
            }
            Err(e) => return Err(e),
        };
        if let Some(roster) = walked {
            if roster.root_version() == next.root.version() {
                let shared = next.history.shared_with(&held);
                next.adopt(roster, shared, now);
                newer = true;
            } else {
                next.history.rosters = held;
                fault = Some(TrustError::OtherRootVersion {
                    version: roster.version(),
                    expected: next.root.version(),
                    found: roster.root_version(),
                });
            }
        }
        let (more, first) = next.take_statements(bundle, now);
        newer |= more;
        fault = fault.or(ahead).or(first);
        // Else it could be kept and never be read or told again.
        if newer && next.without_evidence() > limits::TRUST_BUNDLE - limits::EVIDENCE_ROOM {
            return Err(TrustError::rule(
                "a trust bundle",
                "with what is held, at most 5 MiB",
            ));
        }
        match fault {
            _ if newer => Ok(Some(next)),
            Some(fault) => Err(fault),
            None => Ok(None),
        }
    }

    /// The length of what is held, but for the other sides of equivocations: those never keep a
    /// roster out.
    fn without_evidence(&self) -> usize {
        let held = v1::TrustBundle {
            other_roots: Vec::new(),
            other_rosters: Vec::new(),
            ..self.to_bundle()
        };
        held.encoded_len()
    }

    /// The roster of a version as it was received, where it is held.
    pub fn roster_signed(&self, version: u64) -> Option<&v1::Signed> {
        self.history.roster(version)
    }

    /// The roster of a version and digest, held or kept as the other side of an equivocation.
    pub fn either_roster(&self, version: u64, of: &[u8]) -> Option<&v1::Signed> {
        let held = self.history.roster(version);
        let mut rosters = self
            .conflicts()
            .iter()
            .filter(|c| c.of == ConflictOf::Roster);
        match held {
            Some(held) if digest(&held.bytes).0[..] == *of => Some(held),
            _ => rosters.find_map(|c| (c.other.0[..] == *of).then_some(&c.signed)),
        }
    }

    /// Every equivocation found, settled or not, with the other statement as evidence. Those that
    /// [`Self::is_settled`] denies are an alarm, and nothing after them is taken.
    pub fn conflicts(&self) -> &[Conflict] {
        &self.history.conflicts
    }

    /// What ended a conflict, if anything has.
    pub fn ended(&self, conflict: &Conflict) -> Option<Ended> {
        self.history.ended(conflict)
    }

    /// Whether a later root names both sides, or the other is by signers who had been replaced.
    pub fn is_settled(&self, conflict: &Conflict) -> bool {
        self.history.ended(conflict).is_some()
    }

    /// Judges waits of keys that an override brought by this time, in place of that of
    /// [`Self::from_bundle`]: the earliest that it can be, where a clock is in doubt.
    pub fn wait_by(&mut self, earliest: Millis) {
        self.as_of = earliest;
        self.set_waits();
    }

    /// Takes the seal keys of the bundle that this was loaded from once more, in place of those
    /// held, after [`Self::note_adoption`] and [`Self::wait_by`]: only then is it known whose
    /// signer waits. `bundle` must be what was given to [`Self::from_bundle`], since a statement
    /// that is left out is forgotten.
    pub fn retake(&mut self, bundle: &v1::TrustBundle, now: Millis) {
        self.seal_keys = SealKeys::default();
        self.waiting.clear();
        let _ = self.take_statements(bundle, now);
    }

    /// Lets keys be used that an override brought and whose waiting time here is over at `now`:
    /// the snapshot after that, if any. `now` is the earliest that it can be: no doubtful clock
    /// ends a wait. To be asked at least once an hour.
    pub fn release(&self, now: Millis) -> Option<Self> {
        let waits = |trust: &Self| {
            let parties = trust.roster.parties().flat_map(|p| p.all_keys());
            parties.filter(|k| k.waits_until.is_some()).count()
        };
        let before = waits(self);
        if before == 0 {
            return None;
        }
        let mut next = self.clone();
        next.as_of = now.max(self.as_of);
        next.set_waits();
        if waits(&next) == before {
            return None;
        }
        next.judge_waiting(now);
        Some(next)
    }

    /// Refuses trust data past its time, so that a start can say so.
    pub fn check_time(&self, now: Millis) -> Result<(), TrustError> {
        self.root.check_time(now)?;
        self.roster.check_time(now)
    }

    /// Age of the trust data in milliseconds. The time is never taken to be before the roster,
    /// its freshness or `newest_leaf`, the time of this node's last own leaf.
    pub fn age(&self, now: Millis, newest_leaf: Millis) -> Millis {
        now.max(newest_leaf).saturating_sub(self.confirmed())
    }

    /// When the roster was last known to be the newest: at its issue, or by its freshness.
    pub fn confirmed(&self) -> Millis {
        let fresh = self.freshness.as_ref().filter(|f| f.is_of(&self.roster));
        self.roster.issued().max(fresh.map_or(0, Freshness::at))
    }

    /// What that age means under a limit (usually [`crate::LIMIT_MS`]).
    pub fn standing(&self, now: Millis, newest_leaf: Millis, limit: Millis) -> Standing {
        Standing::of(self.age(now, newest_leaf), limit)
    }

    /// The key to seal to for a party.
    pub fn seal_key(&self, party: PartyCode, now: Millis) -> Option<&SealPublic> {
        self.seal_keys.current(party, now)
    }

    /// The last version up to which `earlier` held the same rosters: its own, unless this is the
    /// other side of a settled equivocation.
    pub fn shared_with(&self, earlier: &Self) -> u64 {
        self.history.shared_with(&earlier.history.rosters)
    }

    /// Puts a roster in force that shares the versions up to `shared` with the one before.
    fn adopt(&mut self, roster: Roster, shared: u64, now: Millis) {
        let parted = shared < self.roster.version();
        self.forget_after(shared);
        for version in shared + 1..=roster.version() {
            self.adopted.insert(version, now);
        }
        self.seal_keys = self.seal_keys.under(&roster);
        self.roster = Arc::new(roster);
        self.set_waits();
        self.freshness = self.freshness.take().filter(|f| f.is_of(&self.roster));
        if parted {
            // What the other side's entries vouched for is judged by this side's.
            let held = self.to_bundle();
            self.retake(&held, now);
        } else {
            self.judge_waiting(now);
        }
    }

    /// Takes statements that wait once more: of a signer that is revoked since nothing is kept.
    fn judge_waiting(&mut self, now: Millis) {
        let again = v1::TrustBundle {
            seal_keys: self.waiting.drain(..).map(|(_, signed)| signed).collect(),
            ..Default::default()
        };
        let _ = self.take_statements(&again, now);
    }

    pub(crate) fn set_waits(&mut self) {
        Arc::make_mut(&mut self.roster).set_waits(&self.adopted, self.as_of);
    }

    /// Keeps a seal key whose signer waits. Whether that is new.
    fn keep_waiting(&mut self, party: PartyCode, signed: &v1::Signed) -> bool {
        let known = self.waiting.iter().any(|(_, held)| held == signed);
        let of_party = self.waiting.iter().filter(|(p, _)| *p == party).count();
        if known || of_party >= limits::WAITING_STATEMENTS {
            return false;
        }
        self.waiting.push((party, signed.clone()));
        true
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
                Err(TrustError::Waits { party, .. }) => newer |= self.keep_waiting(party, signed),
                Err(e) => {
                    let forged = matches!(e, TrustError::BadSignature { .. });
                    // Evidence says more than whatever else is wrong.
                    fault = match fault {
                        Some(first) if !matches!(e, TrustError::Equivocation { .. }) => Some(first),
                        _ => Some(e),
                    };
                    if forged {
                        break;
                    }
                }
            }
        }
        (newer, fault)
    }
}

/// The roster of a version, from everything that is held.
pub(crate) fn walk_to(bundle: &v1::TrustBundle, version: u64) -> Result<Roster, TrustError> {
    let first = bundle
        .roots
        .first()
        .ok_or(TrustError::Missing { what: "root" })?;
    let mut history = History::begin(first)?;
    history.take_roots(&bundle.roots)?;
    let up_to = usize::try_from(version).unwrap_or(usize::MAX);
    let list = &bundle.rosters[..up_to.min(bundle.rosters.len())];
    let (walked, _) = history.take_rosters(None, list, &[])?;
    walked
        .filter(|roster| roster.version() == version)
        .ok_or(TrustError::Missing { what: "roster" })
}
