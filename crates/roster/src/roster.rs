mod keys;

use crate::{
    Override, Party, PartyKey, Root, Suspension, TrustError, digest,
    grants::{self, Grant, Groups},
    signed::bound_signatures,
    suspensions,
};
use abeng_keys::Role;
use abeng_wire::{Digest, Kid, Millis, NetworkCode, PartyCode, decode, limits, v1};
use std::collections::BTreeMap;

/// A verified roster: the parties of a network with their keys, groups and grants.
#[derive(Debug, Clone)]
pub struct Roster {
    signed: v1::Signed,
    digest: Digest,
    network: NetworkCode,
    version: u64,
    root_version: u64,
    issued: Millis,
    expires: Millis,
    parties: Vec<Party>,
    tls: BTreeMap<[u8; 32], (usize, usize)>,
    revocations: BTreeMap<Kid, Millis>,
    pub(crate) groups: Groups,
    pub(crate) grants: Vec<Grant>,
    /// The version since which a party is in the roster (group: none) or in a group.
    since: BTreeMap<(Option<PartyCode>, PartyCode), u64>,
    overrides: Vec<Override>,
    suspensions: BTreeMap<PartyCode, Suspension>,
    /// Every key that stood in this roster or one before it, with its place.
    places: BTreeMap<Kid, String>,
    /// When the versions were issued in which an override brought keys that are listed still.
    overridden: BTreeMap<u64, Millis>,
}

impl Roster {
    /// Takes the version after `previous` (version 1 where there is none): made under `root`,
    /// signed by enough distinct roster signers, naming the roster before it, each entry signed
    /// by its party, no key in two places, not expired, nor issued further ahead of `now` than
    /// clocks may differ.
    pub fn adopt(
        root: &Root,
        previous: Option<&Roster>,
        signed: &v1::Signed,
        now: Millis,
    ) -> Result<Self, TrustError> {
        let roster = Self::walk(root, previous, signed)?;
        not_ahead(roster.issued, now)?;
        roster.check_time(now)?;
        Ok(roster)
    }

    /// Reads a roster that may lack signatures of roster signers still, to be shown and signed.
    /// Every other rule of [`Self::adopt`] holds, but for its time.
    pub fn draft(
        root: &Root,
        previous: Option<&Roster>,
        signed: &v1::Signed,
    ) -> Result<Self, TrustError> {
        bound_signatures("a roster", signed)?;
        let m: v1::Roster = decode("roster", &signed.bytes, limits::ROSTER)?;
        Self::check_place(root, previous, &m)?;
        Self::build(root, previous, signed, &m)
    }

    /// [`Self::adopt`] at any time: on a walk, old versions are past theirs.
    pub(crate) fn walk(
        root: &Root,
        previous: Option<&Roster>,
        signed: &v1::Signed,
    ) -> Result<Self, TrustError> {
        bound_signatures("a roster", signed)?;
        let m: v1::Roster = decode("roster", &signed.bytes, limits::ROSTER)?;
        Self::check_place(root, previous, &m)?;
        root.count_roster(m.version, signed)?;
        Self::build(root, previous, signed, &m)
    }

    fn build(
        root: &Root,
        previous: Option<&Roster>,
        signed: &v1::Signed,
        m: &v1::Roster,
    ) -> Result<Self, TrustError> {
        let rule = |rule| Err(TrustError::rule(format!("roster {}", m.version), rule));
        if m.issued >= m.expires {
            return rule("it is issued before it expires");
        }
        if m.parties.len() > limits::PARTIES {
            return rule("at most 256 parties");
        }
        let revocations = grants::revocations(&m.revocations)?;
        let revoked = |kid: &Kid| revocations.get(kid).copied();
        // Else a stolen key would be good again by silence, or from a later time on.
        let stays = |(kid, &at): (&Kid, &Millis)| revoked(kid).is_some_and(|now| now <= at);
        if !previous.is_none_or(|r| r.revocations.iter().all(stays)) {
            return rule("a revocation stays, and its time becomes no later");
        }
        let overrides = keys::overrides(root, m)?;
        let mut parties = m
            .parties
            .iter()
            .map(|p| Party::parse(root.network(), &revoked, p))
            .collect::<Result<Vec<_>, _>>()?;
        if !parties.is_sorted_by(|a, b| a.code < b.code) {
            return rule("parties are sorted by code and unique");
        }
        for party in &mut parties {
            let before = previous.and_then(|r| r.party(party.code));
            let overridden = match overrides.iter().find(|o| o.party == party.code) {
                Some(word) => keys::fits(word, before, party)?,
                None => false,
            };
            party.verify(before, m.issued, overridden)?;
            if let Some(before) = before {
                party.note_override(before, m.version, m.issued, overridden);
            }
        }
        if !overrides
            .iter()
            .all(|o| parties.iter().any(|p| p.code == o.party))
        {
            return rule("an override is of a party");
        }
        let is_party = |code: PartyCode| {
            parties
                .binary_search_by_key(&code, |p: &Party| p.code)
                .is_ok()
        };
        // Else it could come back under the same code with keys that no earlier key vouches for.
        if !previous.is_none_or(|r| r.parties.iter().all(|p| is_party(p.code))) {
            return rule("a party that has left stays, with that status");
        }
        if !parties
            .iter()
            .flat_map(|p| &p.witnesses)
            .all(|&w| is_party(w))
        {
            return rule("witnesses are parties");
        }
        let groups = grants::groups(&m.groups, &is_party)?;
        let grants = grants::grants(&m.grants, &is_party, &groups)?;
        let is_out = |code| parties.iter().any(|p| p.code == code && !p.is_active());
        let suspensions = suspensions::suspensions(&m.suspensions, &is_out)?;
        let mut roster = Self {
            signed: signed.clone(),
            digest: digest(&signed.bytes),
            network: root.network(),
            version: m.version,
            root_version: m.root_version,
            issued: m.issued,
            expires: m.expires,
            tls: tls_index(&parties),
            since: BTreeMap::new(),
            parties,
            revocations,
            groups,
            grants,
            overrides,
            suspensions,
            places: BTreeMap::new(),
            overridden: BTreeMap::new(),
        };
        roster.places = roster.no_key_twice(root, previous)?;
        roster.overridden = roster.count_overridden(previous);
        roster.since = roster.count_since(previous);
        Ok(roster)
    }

    /// Whether this is the next roster of that network under that root.
    fn check_place(
        root: &Root,
        previous: Option<&Roster>,
        m: &v1::Roster,
    ) -> Result<(), TrustError> {
        let network = NetworkCode::new(&m.network)?;
        if network != root.network() {
            return Err(TrustError::OtherNetwork {
                what: format!("roster {}", m.version),
                expected: root.network(),
                found: network,
            });
        }
        let held = previous.map_or(0, |r| r.version);
        if m.version != held + 1 {
            return Err(TrustError::NotNext {
                what: "roster",
                held,
                found: m.version,
            });
        }
        if grants::previous(m)? != previous.map(|r| r.digest) {
            return Err(TrustError::PreviousDigest { version: m.version });
        }
        if m.root_version != root.version() {
            return Err(TrustError::OtherRootVersion {
                version: m.version,
                expected: root.version(),
                found: m.root_version,
            });
        }
        let back = |r: &Roster| r.root_version > m.root_version || r.issued > m.issued;
        if previous.is_some_and(back) {
            return Err(TrustError::rule(
                format!("roster {}", m.version),
                "it is not older than the one before, nor under an older root",
            ));
        }
        Ok(())
    }

    /// Why a party takes no part, where that is said.
    pub fn suspension(&self, party: PartyCode) -> Option<&Suspension> {
        self.suspensions.get(&party)
    }

    fn count_since(
        &self,
        previous: Option<&Roster>,
    ) -> BTreeMap<(Option<PartyCode>, PartyCode), u64> {
        let parties = self.parties.iter().map(|p| (None, p.code));
        let members = self
            .groups
            .iter()
            .flat_map(|(&g, members)| members.iter().map(move |&m| (Some(g), m)));
        parties
            .chain(members)
            .map(|place| {
                let before = previous.and_then(|r| r.since.get(&place));
                (place, before.copied().unwrap_or(self.version))
            })
            .collect()
    }

    /// The version since which a party has been in the roster, or in a group, without a break.
    pub(crate) fn since(&self, group: Option<PartyCode>, party: PartyCode) -> Option<u64> {
        self.since.get(&(group, party)).copied()
    }

    /// Every place that a party has: in the roster (group: none), and in each group.
    pub(crate) fn places_since(&self) -> impl Iterator<Item = (Option<PartyCode>, PartyCode)> {
        self.since.keys().copied()
    }

    /// Refuses a roster past its time.
    pub fn check_time(&self, now: Millis) -> Result<(), TrustError> {
        if now < self.expires {
            return Ok(());
        }
        Err(TrustError::Expired {
            what: format!("roster {}", self.version),
            expired: self.expires,
            now,
        })
    }

    /// The network it is for.
    pub fn network(&self) -> NetworkCode {
        self.network
    }

    /// The version, from 1.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The root version it is made under.
    pub fn root_version(&self) -> u64 {
        self.root_version
    }

    /// SHA-256 of the signed bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// How signed statements refer to it.
    pub fn reference(&self) -> v1::RosterRef {
        v1::RosterRef {
            version: self.version,
            digest: self.digest.to_bytes(),
        }
    }

    /// The roster as it was received.
    pub fn signed(&self) -> &v1::Signed {
        &self.signed
    }

    /// When it was issued.
    pub fn issued(&self) -> Millis {
        self.issued
    }

    /// When it ends.
    pub fn expires(&self) -> Millis {
        self.expires
    }

    /// The entry of a party, active or not.
    pub fn party(&self, code: PartyCode) -> Option<&Party> {
        let at = self.parties.binary_search_by_key(&code, |p| p.code).ok()?;
        self.parties.get(at)
    }

    /// Every party, sorted by code.
    pub fn parties(&self) -> impl Iterator<Item = &Party> {
        self.parties.iter()
    }

    /// The active coordination parties, sorted by code.
    pub fn coordination(&self) -> impl Iterator<Item = &Party> {
        self.parties()
            .filter(|p| p.is_active() && p.is_coordination())
    }

    /// The members of a group, sorted.
    pub fn group(&self, code: PartyCode) -> Option<&[PartyCode]> {
        self.groups.get(&code).map(Vec::as_slice)
    }

    /// The codes of all groups, sorted.
    pub fn group_codes(&self) -> impl Iterator<Item = PartyCode> {
        self.groups.keys().copied()
    }

    /// Since when a key, of whatever kind, is revoked.
    pub fn revoked_at(&self, kid: &Kid) -> Option<Millis> {
        self.revocations.get(kid).copied()
    }

    /// The active party with that node-tls key, if the key is good now.
    pub fn party_by_tls_key(&self, key: &[u8; 32], now: Millis) -> Option<(&Party, &PartyKey)> {
        let &(party, at) = self.tls.get(key)?;
        let party = self.parties.get(party)?;
        let key = party.all_keys().get(at)?;
        (party.is_active() && key.is_active(now)).then_some((party, key))
    }
}

fn tls_index(parties: &[Party]) -> BTreeMap<[u8; 32], (usize, usize)> {
    let keys = |(p, party): (usize, &Party)| {
        let all = party.all_keys().iter().enumerate();
        all.filter(|(_, k)| k.role == Role::NodeTls)
            .map(|(k, key)| (*key.key.bytes(), (p, k)))
            .collect::<Vec<_>>()
    };
    parties.iter().enumerate().flat_map(keys).collect()
}

/// Refuses a roster issued further ahead than clocks may differ.
pub(crate) fn not_ahead(issued: Millis, now: Millis) -> Result<(), TrustError> {
    match issued > now.saturating_add(limits::CLOCK_AHEAD_MS) {
        true => Err(TrustError::FromTheFuture {
            what: "a roster",
            at: issued,
            now,
        }),
        false => Ok(()),
    }
}
