use crate::{
    Roster, TrustError, digest,
    signed::{bound_signatures, verify_statement},
};
use abeng_keys::{Role, SealPublic, SignatureType};
use abeng_wire::{Kid, Millis, PartyCode, decode, limits, v1};
use std::collections::BTreeMap;

/// The newest seal key of every party, and the one before it until the newest begins.
#[derive(Debug, Clone, Default)]
pub struct SealKeys {
    /// Of each party by falling sequence, at most [`KEPT`].
    held: BTreeMap<PartyCode, Vec<Held>>,
}

/// Bytes of the ML-KEM-768 half, which stands first in a seal key; the X25519 half follows.
const ML_KEM_PUBLIC: usize = 1184;
/// The newest, and the one before.
const KEPT: usize = limits::SEAL_KEYS_HELD;

#[derive(Debug, Clone)]
struct Held {
    signed: v1::Signed,
    sequence: u64,
    key: SealPublic,
    not_before: Millis,
    not_after: Millis,
    revoked: bool,
}

impl SealKeys {
    /// Takes a statement. `Ok(true)` if it is newer than what is held; `Ok(false)` if it is the
    /// same or has a lower sequence: the highest wins, and a late arrival is nobody's fault.
    /// A key for later is taken now and used from its time on; one that has ended is refused.
    pub fn take(
        &mut self,
        roster: &Roster,
        signed: &v1::Signed,
        now: Millis,
    ) -> Result<bool, TrustError> {
        bound_signatures("a seal key", signed)?;
        let m: v1::SealKey = decode("seal key", &signed.bytes, limits::STATEMENT)?;
        let party = PartyCode::new(&m.party)?;
        let held = self.held.get(&party).map(Vec::as_slice).unwrap_or_default();
        if held.iter().any(|h| h.signed.bytes == signed.bytes) {
            return Ok(false);
        }
        verify_statement(
            roster,
            party,
            Role::OrgSign,
            SignatureType::SEAL_KEY,
            "a seal key",
            signed,
        )?;
        if let Some(same) = held.iter().find(|h| h.sequence == m.sequence) {
            return Err(TrustError::Equivocation {
                what: format!("seal key of {party}"),
                version: m.sequence,
                held: digest(&same.signed.bytes),
                other: digest(&signed.bytes),
            });
        }
        if held
            .first()
            .is_some_and(|newest| m.sequence < newest.sequence)
        {
            return Ok(false);
        }
        if now >= m.not_after {
            return Err(TrustError::Expired {
                what: format!("the seal key of {party}"),
                expired: m.not_after,
                now,
            });
        }
        let fresh = check(roster, party, &m, signed)?;
        self.no_bytes_twice(party, &fresh.key)?;
        let list = self.held.entry(party).or_default();
        list.insert(0, fresh);
        list.truncate(KEPT);
        Ok(true)
    }

    /// Refuses a key that has either half in common with another party's: whoever opens for one
    /// would open for both.
    fn no_bytes_twice(&self, party: PartyCode, key: &SealPublic) -> Result<(), TrustError> {
        let others = self.held.iter().filter(|(other, _)| **other != party);
        for (other, held) in others.flat_map(|(o, list)| list.iter().map(move |h| (o, h))) {
            let (a, b) = (held.key.bytes(), key.bytes());
            let (lattice, curve) = (..ML_KEM_PUBLIC, ML_KEM_PUBLIC..);
            if a[lattice] == b[lattice] || a[curve.clone()] == b[curve] {
                return Err(TrustError::KeyTwice {
                    kid: key.kid(),
                    first: format!("seal key of {other}"),
                    second: format!("seal key of {party}"),
                });
            }
        }
        Ok(())
    }

    /// The key to seal to: the one with the highest sequence that has begun, unless it has ended
    /// or is revoked. A key counts as begun up to [`limits::CLOCK_AHEAD_MS`] early, since the
    /// clock that set its beginning may be that much ahead of ours.
    pub fn current(&self, party: PartyCode, now: Millis) -> Option<&SealPublic> {
        let begun = |h: &&Held| h.not_before <= now.saturating_add(limits::CLOCK_AHEAD_MS);
        let newest = self.held.get(&party)?.iter().find(begun)?;
        (!newest.revoked && now < newest.not_after).then_some(&newest.key)
    }

    /// The key to seal to, if it came after one that something was sealed to before: of a higher
    /// sequence, or that one is not held any more.
    pub fn newer_than(&self, party: PartyCode, before: &Kid, now: Millis) -> Option<&SealPublic> {
        let current = self.current(party, now)?;
        let list = self.held.get(&party)?;
        let sequence = |kid: &Kid| {
            list.iter()
                .find(|h| h.key.kid() == *kid)
                .map(|h| h.sequence)
        };
        (sequence(before) < sequence(&current.kid())).then_some(current)
    }

    /// Whose key that is, among those held.
    pub fn owner(&self, kid: &Kid) -> Option<PartyCode> {
        let has = |list: &Vec<Held>| list.iter().any(|h| h.key.kid() == *kid);
        self.held
            .iter()
            .find(|(_, list)| has(list))
            .map(|(&party, _)| party)
    }

    /// Everything held, by party, the newest first: whose, its sequence, the statement.
    pub fn held(&self) -> impl Iterator<Item = (PartyCode, u64, &v1::Signed)> {
        let lists = self.held.iter();
        lists.flat_map(|(&party, l)| l.iter().map(move |h| (party, h.sequence, &h.signed)))
    }

    /// All statements held, by party, oldest first.
    pub fn statements(&self) -> Vec<&v1::Signed> {
        let lists = self.held.values();
        lists
            .flat_map(|l| l.iter().rev().map(|h| &h.signed))
            .collect()
    }

    /// Applies a new roster: keys it revokes are no longer used, parties it no longer knows are
    /// forgotten.
    pub(crate) fn apply(&mut self, roster: &Roster) {
        self.held.retain(|&party, list| {
            for held in list.iter_mut() {
                held.revoked = roster.revoked_at(&held.key.kid()).is_some();
            }
            roster.party(party).is_some()
        });
    }
}

fn check(
    roster: &Roster,
    party: PartyCode,
    m: &v1::SealKey,
    signed: &v1::Signed,
) -> Result<Held, TrustError> {
    let rule = |rule| TrustError::rule(format!("the seal key of {party}"), rule);
    if m.sequence == 0 {
        return Err(rule("sequences begin at 1"));
    }
    if m.not_before >= m.not_after {
        return Err(rule("a key begins before it ends"));
    }
    let key = SealPublic::admit(&m.key).map_err(|why| TrustError::BadKey {
        whose: party.to_string(),
        why,
    })?;
    if m.kid[..] != key.kid().0 {
        return Err(TrustError::WrongKid { party });
    }
    Ok(Held {
        signed: signed.clone(),
        sequence: m.sequence,
        revoked: roster.revoked_at(&key.kid()).is_some(),
        key,
        not_before: m.not_before,
        not_after: m.not_after,
    })
}
