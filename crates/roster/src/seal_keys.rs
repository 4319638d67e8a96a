use crate::{
    Roster, TrustError, digest,
    signed::{bound_signatures, verify_statement},
};
use abeng_keys::{Role, SealPublic, SignatureType};
use abeng_wire::{Kid, Millis, PartyCode, decode, limits, v1};
use std::collections::{BTreeMap, BTreeSet};

/// The newest seal key of every party, and the one before it until the newest begins. What its
/// signer or the roster has taken back is not held: no key is sealed to, and none is in the way of
/// another, on the word of a signing key that is revoked.
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
    signer: Kid,
    sequence: u64,
    key: SealPublic,
    not_before: Millis,
    not_after: Millis,
}

impl SealKeys {
    /// Takes a statement. `Ok(true)` if it is newer than what is held; `Ok(false)` if it is the
    /// same, has a lower sequence or is of a revoked key: the highest wins, and a late arrival is
    /// nobody's fault. A key for later is taken now and used from its time on, if that is not too far
    /// ahead; one that has ended is refused. What another party has published does not count: see
    /// [`Self::shared_halves`].
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
        let signer = verify_statement(
            roster,
            party,
            Role::OrgSign,
            SignatureType::SEAL_KEY,
            "a seal key",
            signed,
        )?;
        if Kid::from_slice(&m.kid).is_some_and(|kid| roster.revoked_at(&kid).is_some()) {
            return Ok(false);
        }
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
        // A clock that has lost its time is not before the roster that is held.
        let now = now.max(roster.issued());
        let fresh = check(party, &m, (signed, signer), now)?;
        let list = self.held.entry(party).or_default();
        list.insert(0, fresh);
        list.truncate(KEPT);
        Ok(true)
    }

    /// Parties whose keys have a half in common, each such set once: one has published the other's
    /// key as its own. Both are used as their parties say. Which is the copy cannot be told here, and
    /// whoever copies makes only what is sealed to itself open to the other.
    pub fn shared_halves(&self) -> Vec<Vec<PartyCode>> {
        let mut of_half: BTreeMap<&[u8], BTreeSet<PartyCode>> = BTreeMap::new();
        for (&party, list) in &self.held {
            for held in list {
                let (lattice, curve) = held.key.bytes().split_at(ML_KEM_PUBLIC);
                for half in [lattice, curve] {
                    of_half.entry(half).or_default().insert(party);
                }
            }
        }
        let shared = of_half.into_values().filter(|parties| parties.len() > 1);
        let sets: BTreeSet<Vec<PartyCode>> = shared.map(|s| s.into_iter().collect()).collect();
        sets.into_iter().collect()
    }

    /// The key to seal to: the one with the highest sequence that has begun, unless it has ended. A key counts as begun up to [`limits::CLOCK_AHEAD_MS`] early, since the
    /// clock that set its beginning may be that much ahead of ours.
    pub fn current(&self, party: PartyCode, now: Millis) -> Option<&SealPublic> {
        let begun = |h: &&Held| h.not_before <= now.saturating_add(limits::CLOCK_AHEAD_MS);
        let newest = self.held.get(&party)?.iter().find(begun)?;
        (now < newest.not_after).then_some(&newest.key)
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

    /// What stays under another roster: neither statements of signing keys that it revokes or no
    /// longer lists, nor keys that it revokes, nor parties that it does not know. As a start leaves
    /// them out, too.
    #[must_use]
    pub fn under(&self, roster: &Roster) -> Self {
        let mut next = self.clone();
        next.held.retain(|&party, list| {
            let good = |kid: &Kid| {
                let entry = roster.party(party);
                let mut keys = entry.into_iter().flat_map(|p| p.all_keys());
                keys.any(|k| {
                    k.role == Role::OrgSign && k.key.kid() == *kid && k.revoked_at.is_none()
                })
            };
            list.retain(|h| good(&h.signer) && roster.revoked_at(&h.key.kid()).is_none());
            !list.is_empty()
        });
        next
    }
}

fn check(
    party: PartyCode,
    m: &v1::SealKey,
    (signed, signer): (&v1::Signed, Kid),
    now: Millis,
) -> Result<Held, TrustError> {
    let rule = |rule| TrustError::rule(format!("the seal key of {party}"), rule);
    if m.sequence == 0 {
        return Err(rule("sequences begin at 1"));
    }
    if m.not_before >= m.not_after {
        return Err(rule("a key begins before it ends"));
    }
    if m.not_after - m.not_before > limits::SEAL_KEY_LIFE_MS {
        return Err(rule("a statement holds for 400 days at most"));
    }
    // Else one signature would be above every one that its party can make.
    if m.sequence > m.not_before.saturating_add(limits::SEAL_KEY_AHEAD_MS) / 1000 {
        return Err(rule(
            "a sequence is at most the beginning in Unix seconds, plus 14 days",
        ));
    }
    if m.not_before > now.saturating_add(limits::SEAL_KEY_AHEAD_MS) {
        return Err(TrustError::FromTheFuture {
            what: "a seal key",
            at: m.not_before,
            now,
        });
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
        signer,
        sequence: m.sequence,
        key,
        not_before: m.not_before,
        not_after: m.not_after,
    })
}
