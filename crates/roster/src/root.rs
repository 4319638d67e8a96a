use crate::{
    TrustError, digest,
    signed::{bound_signatures, distinct_signers},
};
use abeng_keys::{DualVerifyKey, SignatureType, VerifyKey};
use abeng_wire::{Digest, Kid, Millis, NetworkCode, PartyCode, decode, limits, v1};
use std::collections::BTreeMap;

/// A verified root: who may sign roots, rosters and freshness statements of a network.
#[derive(Debug, Clone)]
pub struct Root {
    signed: v1::Signed,
    digest: Digest,
    version: u64,
    expires: Millis,
    network: NetworkCode,
    signers: Vec<DualVerifyKey>,
    threshold: usize,
    roster_signers: Vec<DualVerifyKey>,
    roster_threshold: usize,
    freshness_signers: Vec<VerifyKey>,
    settled_rosters: Vec<Settlement>,
    settled_roots: Vec<Settlement>,
    /// Every key of this root and of those walked to it, with its place.
    places: BTreeMap<Kid, &'static str>,
}

/// Well-signed statements of one version that a root knows to contradict each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Their version.
    pub version: u64,
    /// Their digests, sorted, at least two.
    pub digests: Vec<Digest>,
}

impl Root {
    /// The root a network begins with, or that an operator pinned: signed by its own threshold.
    pub fn first(signed: &v1::Signed, now: Millis) -> Result<Self, TrustError> {
        let root = Self::begin(signed)?;
        root.check_time(now)?;
        Ok(root)
    }

    /// The version after this one: signed by the thresholds of both.
    pub fn next(&self, signed: &v1::Signed, now: Millis) -> Result<Self, TrustError> {
        let root = self.walk(signed)?;
        root.check_time(now)?;
        Ok(root)
    }

    /// [`Self::first`] at any time: on a walk, old versions are past theirs.
    pub(crate) fn begin(signed: &v1::Signed) -> Result<Self, TrustError> {
        let root = Self::parse(signed)?;
        root.count(&root)?;
        Ok(root)
    }

    /// [`Self::next`] at any time.
    pub(crate) fn walk(&self, signed: &v1::Signed) -> Result<Self, TrustError> {
        let next = Self::parse(signed)?;
        if next.version != self.version + 1 {
            return Err(TrustError::NotNext {
                what: "root",
                held: self.version,
                found: next.version,
            });
        }
        self.same_network(&next)?;
        self.count(&next)?;
        next.count(&next)?;
        let mut next = next;
        for (&kid, &first) in &self.places {
            match next.places.insert(kid, first) {
                Some(second) if second != first => {
                    return Err(TrustError::KeyTwice {
                        kid,
                        first: first.to_owned(),
                        second: second.to_owned(),
                    });
                }
                _ => {}
            }
        }
        Ok(next)
    }

    /// Another root in the place of this one, which is the first that is held: signed by its own
    /// threshold and by this one's. Anybody can make a root that its own signers alone have signed.
    pub(crate) fn rival(&self, signed: &v1::Signed) -> Result<Self, TrustError> {
        let other = Self::parse(signed)?;
        self.same_network(&other)?;
        self.count(&other)?;
        other.count(&other)?;
        Ok(other)
    }

    fn same_network(&self, other: &Self) -> Result<(), TrustError> {
        if other.network == self.network {
            return Ok(());
        }
        Err(TrustError::OtherNetwork {
            what: format!("root {}", other.version),
            expected: self.network,
            found: other.network,
        })
    }

    /// Reads a root that may lack signatures still, to be shown and signed. Every rule but the
    /// thresholds holds.
    pub fn draft(signed: &v1::Signed) -> Result<Self, TrustError> {
        Self::parse(signed)
    }

    /// Refuses a root past its time.
    pub fn check_time(&self, now: Millis) -> Result<(), TrustError> {
        if now < self.expires {
            return Ok(());
        }
        Err(TrustError::Expired {
            what: format!("root {}", self.version),
            expired: self.expires,
            now,
        })
    }

    /// The version, from 1.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// SHA-256 of the signed bytes: what an operator pins.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The network it is for.
    pub fn network(&self) -> NetworkCode {
        self.network
    }

    /// When it ends.
    pub fn expires(&self) -> Millis {
        self.expires
    }

    /// The root as it was received.
    pub fn signed(&self) -> &v1::Signed {
        &self.signed
    }

    /// The key of a freshness signer.
    pub fn freshness_key(&self, kid: &Kid) -> Option<&VerifyKey> {
        self.freshness_signers.iter().find(|k| k.kid() == *kid)
    }

    /// Whether enough distinct roster signers signed, and who did.
    pub(crate) fn count_roster(
        &self,
        version: u64,
        signed: &v1::Signed,
    ) -> Result<Vec<Kid>, TrustError> {
        let by = distinct_signers(&self.roster_signers, SignatureType::ROSTER, signed);
        self.enough(format!("roster {version}"), self.roster_threshold, by.len())?;
        Ok(by)
    }

    /// How many of those are roster signers of this root.
    pub(crate) fn roster_signers_among(&self, kids: &[Kid]) -> usize {
        let signers = self.roster_signers.iter().map(DualVerifyKey::kid);
        signers.filter(|kid| kids.contains(kid)).count()
    }

    /// Whether enough distinct root signers stand behind an override.
    pub(crate) fn count_override(
        &self,
        party: PartyCode,
        signed: &v1::Signed,
    ) -> Result<(), TrustError> {
        let found = distinct_signers(&self.signers, SignatureType::OVERRIDE, signed).len();
        self.enough(format!("the override for {party}"), self.threshold, found)
    }

    /// Every key of this root, and of those walked to it, with its place, so that no party
    /// brings one of them.
    pub(crate) fn places(&self) -> impl Iterator<Item = (Kid, String)> + '_ {
        self.places
            .iter()
            .map(|(&kid, place)| (kid, format!("{place} of the root")))
    }

    /// The root's signers, in its order.
    pub fn signers(&self) -> &[DualVerifyKey] {
        &self.signers
    }

    /// How many of them must sign a root or an override.
    pub fn threshold(&self) -> usize {
        self.threshold
    }

    /// The roster's signers, in its order.
    pub fn roster_signers(&self) -> &[DualVerifyKey] {
        &self.roster_signers
    }

    /// How many of them must sign a roster.
    pub fn roster_threshold(&self) -> usize {
        self.roster_threshold
    }

    /// The freshness signers, in its order.
    pub fn freshness_signers(&self) -> &[VerifyKey] {
        &self.freshness_signers
    }

    /// Whether this root names both as two rosters of one version.
    pub fn settles_rosters(&self, version: u64, one: Digest, other: Digest) -> bool {
        names(&self.settled_rosters, version, one, other)
    }

    /// Whether this root ends an equivocation of rosters, whichever.
    pub(crate) fn settles_any_rosters(&self) -> bool {
        !self.settled_rosters.is_empty()
    }

    /// Whether this root names both as two roots of one version.
    pub fn settles_roots(&self, version: u64, one: Digest, other: Digest) -> bool {
        names(&self.settled_roots, version, one, other)
    }

    fn count(&self, other: &Root) -> Result<(), TrustError> {
        let found = distinct_signers(&self.signers, SignatureType::ROOT, &other.signed).len();
        self.enough(format!("root {}", other.version), self.threshold, found)
    }

    fn enough(&self, what: String, needed: usize, found: usize) -> Result<(), TrustError> {
        if found >= needed {
            return Ok(());
        }
        Err(TrustError::TooFewSigners {
            what,
            root: self.version,
            needed,
            found,
        })
    }

    fn parse(signed: &v1::Signed) -> Result<Self, TrustError> {
        bound_signatures("a root", signed)?;
        let m: v1::Root = decode("root", &signed.bytes, limits::ROOT)?;
        let rule = |rule| Err(TrustError::rule(format!("root {}", m.version), rule));
        if m.version == 0 {
            return rule("versions begin at 1");
        }
        for list in [&m.signers, &m.roster_signers, &m.freshness_signers] {
            if list.len() > limits::SIGNERS {
                return rule("at most 32 signers in a list");
            }
        }
        // More than half, so that two disjoint sets of signers cannot each make a version.
        if 2 * m.threshold as usize <= m.signers.len() || m.threshold as usize > m.signers.len() {
            return rule("the threshold is more than half of the signers");
        }
        if 2 * m.roster_threshold as usize <= m.roster_signers.len()
            || m.roster_threshold as usize > m.roster_signers.len()
        {
            return rule("the roster threshold is more than half of the roster signers");
        }
        if m.freshness_signers.len() < 3 {
            return rule("at least three freshness signers");
        }
        let signers = admit_all(&m.signers)?;
        let roster_signers = admit_all(&m.roster_signers)?;
        let freshness_signers = m
            .freshness_signers
            .iter()
            .map(|k| VerifyKey::admit(&k.ed25519).map_err(|why| bad_key(k, why)))
            .collect::<Result<Vec<_>, _>>()?;
        let settled_rosters = settlements(m.version, &m.settled_rosters)?;
        let settled_roots = settlements(m.version, &m.settled_roots)?;
        let mut root = Self {
            digest: digest(&signed.bytes),
            signed: signed.clone(),
            version: m.version,
            expires: m.expires,
            network: NetworkCode::new(&m.network)?,
            signers,
            threshold: m.threshold as usize,
            roster_signers,
            roster_threshold: m.roster_threshold as usize,
            freshness_signers,
            settled_rosters,
            settled_roots,
            places: BTreeMap::new(),
        };
        root.places = root.no_key_twice()?;
        Ok(root)
    }

    fn no_key_twice(&self) -> Result<BTreeMap<Kid, &'static str>, TrustError> {
        let mut seen = BTreeMap::new();
        let lists = [
            ("signer", &self.signers),
            ("roster signer", &self.roster_signers),
        ];
        let dual = lists.into_iter().flat_map(|(role, list)| {
            list.iter()
                .flat_map(move |k| [(k.kid(), role), (k.ml_dsa_kid(), role)])
        });
        let fresh = self
            .freshness_signers
            .iter()
            .map(|k| (k.kid(), "freshness signer"));
        for (kid, role) in dual.chain(fresh) {
            if let Some(first) = seen.insert(kid, role) {
                return Err(TrustError::KeyTwice {
                    kid,
                    first: first.to_owned(),
                    second: role.to_owned(),
                });
            }
        }
        Ok(seen)
    }
}

fn names(list: &[Settlement], version: u64, one: Digest, other: Digest) -> bool {
    let holds = |s: &Settlement, digest| s.digests.binary_search(&digest).is_ok();
    list.iter()
        .any(|s| s.version == version && one != other && holds(s, one) && holds(s, other))
}

fn settlements(root: u64, list: &[v1::Settlement]) -> Result<Vec<Settlement>, TrustError> {
    let rule = |rule| TrustError::rule(format!("root {root}"), rule);
    if list.len() > limits::SETTLEMENTS {
        return Err(rule("at most 16 settlements of a kind"));
    }
    let settlement = |m: &v1::Settlement| {
        let digests = m.digests.iter().map(|d| Digest::from_slice(d));
        let digests: Option<Vec<_>> = digests.collect();
        let digests = digests.ok_or_else(|| rule("a digest has 32 bytes"))?;
        let many = (2..=limits::SETTLED_DIGESTS).contains(&digests.len());
        if !many || !digests.is_sorted_by(|a, b| a < b) {
            return Err(rule("a settlement names 2 to 8 digests, sorted"));
        }
        Ok(Settlement {
            version: m.version,
            digests,
        })
    };
    list.iter().map(settlement).collect()
}

fn admit_all(keys: &[v1::DualKey]) -> Result<Vec<DualVerifyKey>, TrustError> {
    keys.iter()
        .map(|k| DualVerifyKey::admit(k).map_err(|why| bad_key(k, why)))
        .collect()
}

fn bad_key(key: &v1::DualKey, why: abeng_keys::BadKey) -> TrustError {
    TrustError::BadKey {
        whose: key.holder.chars().take(64).collect(),
        why,
    }
}
