use crate::{
    TrustError, digest,
    signed::{bound_signatures, distinct_signers},
};
use abeng_keys::{DualVerifyKey, SignatureType, VerifyKey};
use abeng_wire::{Digest, Kid, Millis, NetworkCode, decode, limits, v1};
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
        if next.network != self.network {
            return Err(TrustError::OtherNetwork {
                what: format!("root {}", next.version),
                expected: self.network,
                found: next.network,
            });
        }
        self.count(&next)?;
        next.count(&next)?;
        Ok(next)
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

    /// Whether enough distinct roster signers signed.
    pub(crate) fn count_roster(&self, version: u64, signed: &v1::Signed) -> Result<(), TrustError> {
        let found = distinct_signers(&self.roster_signers, SignatureType::ROSTER, signed);
        self.enough(format!("roster {version}"), self.roster_threshold, found)
    }

    /// Every key of this root with its place, so that no party brings one of them.
    pub(crate) fn places(&self) -> impl Iterator<Item = (Kid, String)> + '_ {
        let dual = self.signers.iter().chain(&self.roster_signers);
        let dual = dual.flat_map(|k| [k.kid(), k.ml_dsa_kid()]);
        dual.chain(self.freshness_signers.iter().map(VerifyKey::kid))
            .map(|kid| (kid, format!("root {}", self.version)))
    }

    fn count(&self, other: &Root) -> Result<(), TrustError> {
        let found = distinct_signers(&self.signers, SignatureType::ROOT, &other.signed);
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
        let root = Self {
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
        };
        root.no_key_twice()?;
        Ok(root)
    }

    fn no_key_twice(&self) -> Result<(), TrustError> {
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
        Ok(())
    }
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
