use crate::TrustError;
use abeng_keys::{Role, SignatureType, VerifyKey};
use abeng_wire::{Incarnation, Kid, Millis, NetworkCode, PartyCode, decode, limits, v1};

/// One signing key of a party, with the interval it is for. It stays in the roster after that,
/// for what it signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyKey {
    /// What it is for.
    pub role: Role,
    /// The key.
    pub key: VerifyKey,
    /// Valid from, inclusive.
    pub not_before: Millis,
    /// Valid until, exclusive.
    pub not_after: Millis,
    /// Since when it is revoked, where it is.
    pub revoked_at: Option<Millis>,
    /// The roster version in which the root's override brought it, or the key that vouches for
    /// it; `None` where the party's own earlier keys do.
    pub by_override: Option<u64>,
    /// Until when this node does not use it, because of that override. Such a key is found by
    /// [`Party::all_keys`] alone.
    pub waits_until: Option<Millis>,
}

impl PartyKey {
    /// Whether new things may be signed with it at that time. A revoked key never may, whatever
    /// the time; one that waits may not yet.
    pub fn is_active(&self, at: Millis) -> bool {
        self.waits_until.is_none() && self.in_its_time(at)
    }

    /// The same for the walk, where what one node has adopted when does not count.
    fn in_its_time(&self, at: Millis) -> bool {
        self.revoked_at.is_none() && self.not_before <= at && at < self.not_after
    }
}

/// A party of the network, as its roster entry says.
#[derive(Debug, Clone)]
pub struct Party {
    /// Its code.
    pub code: PartyCode,
    /// Its name, for people.
    pub name: String,
    /// Member, observer, partner or coordination.
    pub kind: v1::PartyKind,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Active, suspended or left.
    pub status: v1::PartyStatus,
    /// Where its node listens, as `host:port` (UDP), best first.
    pub addresses: Vec<String>,
    /// Whether it carries the envelopes of others.
    pub relay: bool,
    /// Who co-signs its log.
    pub witnesses: Vec<PartyCode>,
    pub(crate) signed: v1::Signed,
    keys: Vec<PartyKey>,
    log_origin: String,
    version: u64,
}

impl Party {
    /// How often the entry has changed, counted from 1; 0 where it was made before entries counted. What a party signed is good for the one
    /// change that it was made for: its earlier words cannot be put back in place.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether it takes part now.
    pub fn is_active(&self) -> bool {
        self.status == v1::PartyStatus::Active
    }

    /// Whether it is a coordination party (the JIO).
    pub fn is_coordination(&self) -> bool {
        self.kind == v1::PartyKind::Coordination
    }

    /// The key with that role and identifier, whatever its interval.
    pub fn key(&self, role: Role, kid: &Kid) -> Option<&PartyKey> {
        self.keys(role).find(|k| k.key.kid() == *kid)
    }

    /// All keys of a role that are used here, in the roster's order.
    pub fn keys(&self, role: Role) -> impl Iterator<Item = &PartyKey> {
        self.listed(role).filter(|k| k.waits_until.is_none())
    }

    /// All keys, those that wait among them, in the roster's order.
    pub fn all_keys(&self) -> &[PartyKey] {
        &self.keys
    }

    /// The entry as the party signed it.
    pub fn signed(&self) -> &v1::Signed {
        &self.signed
    }

    fn listed(&self, role: Role) -> impl Iterator<Item = &PartyKey> {
        self.keys.iter().filter(move |k| k.role == role)
    }

    /// The key of a role to use at that time: of several, the one that began last.
    pub fn active_key(&self, role: Role, at: Millis) -> Option<&VerifyKey> {
        self.keys(role)
            .filter(|k| k.is_active(at))
            .max_by_key(|k| k.not_before)
            .map(|k| &k.key)
    }

    /// The origin of one of its logs: `abeng/<network>/<party>/<16 hex digits>`.
    pub fn log_origin(&self, incarnation: Incarnation) -> String {
        format!("{}{incarnation}", self.log_origin)
    }

    /// What every origin of its logs begins with.
    pub fn log_origin_prefix(&self) -> &str {
        &self.log_origin
    }

    /// Decodes an entry and checks what can be checked of it alone; signatures are checked by
    /// [`Self::verify`].
    pub(crate) fn parse(
        network: NetworkCode,
        revocations: &dyn Fn(&Kid) -> Option<Millis>,
        signed: &v1::Signed,
    ) -> Result<Self, TrustError> {
        crate::signed::bound_signatures("a party's entry", signed)?;
        let m: v1::Party = decode("party", &signed.bytes, limits::PARTY)?;
        let code = PartyCode::new(&m.code)?;
        let rule = |rule| TrustError::rule(format!("the entry of {code}"), rule);
        check_texts(&m).map_err(rule)?;
        if m.log_origin != format!("abeng/{network}/{code}/") {
            return Err(rule("the log origin is abeng/<network>/<party>/"));
        }
        let witnesses = m
            .witnesses
            .iter()
            .map(|w| PartyCode::new(w))
            .collect::<Result<Vec<_>, _>>()?;
        if !witnesses.is_sorted_by(|a, b| a < b) || witnesses.contains(&code) {
            return Err(rule("witnesses are sorted, named once, and others"));
        }
        if m.keys.len() > limits::PARTY_KEYS {
            return Err(rule("at most 32 keys"));
        }
        let keys = m
            .keys
            .iter()
            .map(|k| party_key(code, revocations, k))
            .collect::<Result<Vec<_>, _>>()?;
        let left = m.status() == v1::PartyStatus::Left;
        for role in ROLES {
            if !left && !keys.iter().any(|k| k.role == role) {
                return Err(rule("one key of each role at least"));
            }
        }
        Ok(Self {
            code,
            kind: m.kind(),
            status: m.status(),
            name: m.name,
            country: m.country,
            addresses: m.addresses,
            relay: m.relay,
            witnesses,
            signed: signed.clone(),
            keys,
            log_origin: m.log_origin,
            version: m.version,
        })
    }

    /// Whether the party stands behind this entry: its version is the next one, the party signed
    /// with every key that is new, and, if the entry changed, with earlier keys that were good when the roster was `issued`, or the
    /// root's threshold stands in for those.
    pub(crate) fn verify(
        &self,
        before: Option<&Party>,
        issued: Millis,
        overridden: bool,
    ) -> Result<(), TrustError> {
        if before.is_some_and(|b| b.signed.bytes == self.signed.bytes) {
            return Ok(());
        }
        // Also a suspension counts, so that nothing signed before it ends it. Entries of before there
        // were versions have none, and evidence with them holds; whoever counts counts on.
        let held = before.map_or(0, |b| b.version);
        let uncounted = (held, self.version) == (0, 0);
        if !uncounted && held.checked_add(1) != Some(self.version) {
            return Err(TrustError::EntryNotNext {
                party: self.code,
                held,
                found: self.version,
            });
        }
        if before.is_some_and(|b| self.only_leaves(b)) {
            return Ok(());
        }
        if let Some(before) = before {
            check_witness_change(&before.witnesses, &self.witnesses)
                .map_err(|rule| TrustError::rule(format!("the entry of {}", self.code), rule))?;
        }
        for key in &self.keys {
            let known = before.is_some_and(|b| b.has(key));
            if !known && !self.signed_with(key) {
                return Err(TrustError::NoPossession {
                    party: self.code,
                    role: key.role,
                    kid: key.key.kid(),
                });
            }
        }
        let Some(before) = before else { return Ok(()) };
        if overridden {
            return Ok(());
        }
        for role in ROLES {
            let grew = self.listed(role).any(|k| !before.has(k));
            // The whole entry is the organisation's; each role's new key is its old key's.
            if role != Role::OrgSign && !grew {
                continue;
            }
            if self.vouching(before, role, issued).next().is_none() {
                return Err(TrustError::NoOldKey {
                    party: self.code,
                    role,
                });
            }
        }
        Ok(())
    }

    /// The earlier keys of a role that signed this entry and could.
    fn vouching<'a>(
        &'a self,
        before: &'a Party,
        role: Role,
        issued: Millis,
    ) -> impl Iterator<Item = &'a PartyKey> {
        before.listed(role).filter(move |old| {
            let revoked = |k: &PartyKey| k.key == old.key && k.revoked_at.is_some();
            old.in_its_time(issued) && !self.listed(role).any(revoked) && self.signed_with(old)
        })
    }

    /// Notes which keys stand by the root's override in roster `version`, or by the word of one
    /// that does: else a waiting key could hand over to one that does not wait.
    pub(crate) fn note_override(
        &mut self,
        before: &Party,
        version: u64,
        issued: Millis,
        overridden: bool,
    ) {
        let since = |key: &PartyKey| {
            if let Some(known) = before.listed(key.role).find(|k| k.key == key.key) {
                return known.by_override;
            }
            if overridden {
                return Some(version);
            }
            // The one that has waited longest speaks for it; `None` is below every version.
            let vouching = self.vouching(before, key.role, issued);
            vouching.map(|old| old.by_override).min().flatten()
        };
        let noted: Vec<_> = self.keys.iter().map(since).collect();
        for (key, by_override) in self.keys.iter_mut().zip(noted) {
            key.by_override = by_override;
        }
    }

    /// Whether it lists a key that the other entry does not.
    pub(crate) fn brings_keys(&self, before: &Party) -> bool {
        self.keys.iter().any(|k| !before.has(k))
    }

    /// Sets until when each key waits here.
    pub(crate) fn set_waits(&mut self, until: &dyn Fn(u64) -> Option<Millis>) {
        for key in &mut self.keys {
            key.waits_until = key.by_override.and_then(until);
        }
    }

    /// Whether nothing changed but that an active party is suspended or has left: the
    /// Secretariat can do that without the party's hand.
    fn only_leaves(&self, before: &Party) -> bool {
        let text = |p: &Party| decode::<v1::Party>("party", &p.signed.bytes, limits::PARTY).ok();
        let (Some(mut now), Some(then)) = (text(self), text(before)) else {
            return false;
        };
        if self.is_active() {
            return false;
        }
        now.status = then.status;
        now.version = then.version;
        now == then
    }

    fn has(&self, key: &PartyKey) -> bool {
        self.listed(key.role).any(|k| k.key == key.key)
    }

    fn signed_with(&self, key: &PartyKey) -> bool {
        let kid = key.key.kid();
        self.signed.signatures.iter().any(|s| {
            s.kid[..] == kid.0
                && key
                    .key
                    .verify(SignatureType::PARTY, &self.signed.bytes, &s.ed25519)
                    .is_ok()
        })
    }
}

/// Witnesses of one log that one roster version may exchange.
const WITNESSES_AT_A_TIME: usize = 2;

/// The signing roles of a party.
const ROLES: [Role; 4] = [Role::OrgSign, Role::NodeTls, Role::Log, Role::Witness];

/// What rosters ask of a change of witnesses: at most two come and two go at a time. Else a party
/// could have other neighbours co-sign another past of its log.
pub fn check_witness_change<W: PartialEq>(then: &[W], now: &[W]) -> Result<(), &'static str> {
    let beyond = |list: &[W], of: &[W]| {
        let new = list.iter().filter(|w| !of.contains(w));
        new.count() > WITNESSES_AT_A_TIME
    };
    match beyond(then, now) || beyond(now, then) {
        true => Err("at most two of its witnesses change at a time"),
        false => Ok(()),
    }
}

/// What rosters ask of an entry's name, country, kind, status and addresses: what is wrong, for
/// whoever writes one. Keys, witnesses and signatures are judged with the roster.
pub fn check_entry(m: &v1::Party) -> Result<(), &'static str> {
    check_texts(m)
}

fn check_texts(m: &v1::Party) -> Result<(), &'static str> {
    if m.name.is_empty() || m.name.len() > 200 || m.name.chars().any(char::is_control) {
        return Err("a name of 1 to 200 bytes on one line");
    }
    if m.country.len() != 2 || !m.country.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err("the country is an ISO 3166-1 alpha-2 code");
    }
    if m.kind() == v1::PartyKind::Unspecified || m.status() == v1::PartyStatus::Unspecified {
        return Err("kind and status are known ones");
    }
    if m.addresses.len() > limits::PARTY_ADDRESSES {
        return Err("at most 8 addresses");
    }
    if !m.addresses.iter().all(|a| is_address(a)) {
        return Err("addresses are host:port");
    }
    Ok(())
}

/// `host:port` or `[v6]:port`, without resolving anything.
fn is_address(text: &str) -> bool {
    if text
        .parse::<std::net::SocketAddr>()
        .is_ok_and(|a| a.port() != 0)
    {
        return true;
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    (1..=253).contains(&host.len())
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
        && port.bytes().all(|b| b.is_ascii_digit())
        && port.parse::<u16>().is_ok_and(|p| p != 0)
}

fn party_key(
    party: PartyCode,
    revocations: &dyn Fn(&Kid) -> Option<Millis>,
    m: &v1::PartyKey,
) -> Result<PartyKey, TrustError> {
    let rule = |rule| TrustError::rule(format!("the entry of {party}"), rule);
    let role = match m.role() {
        v1::KeyRole::OrgSign => Role::OrgSign,
        v1::KeyRole::NodeTls => Role::NodeTls,
        v1::KeyRole::Log => Role::Log,
        v1::KeyRole::Witness => Role::Witness,
        v1::KeyRole::Unspecified => return Err(rule("the role of a key is a known one")),
    };
    if m.not_before >= m.not_after {
        return Err(rule("a key begins before it ends"));
    }
    let key = VerifyKey::admit(&m.key).map_err(|why| TrustError::BadKey {
        whose: party.to_string(),
        why,
    })?;
    Ok(PartyKey {
        role,
        revoked_at: revocations(&key.kid()),
        key,
        not_before: m.not_before,
        not_after: m.not_after,
        by_override: None,
        waits_until: None,
    })
}
