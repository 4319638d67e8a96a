use crate::{Root, Roster, TrustError};
use abeng_keys::{Role, SignatureType};
use abeng_wire::{Digest, Kid, Millis, decode, limits, v1};

/// Age of the trust data from which on people are warned: 14 days.
pub const WARN_MS: Millis = 14 * 24 * 60 * 60 * 1000;
/// Age from which on new submissions need two local persons, unless the operator sets another:
/// 30 days.
pub const LIMIT_MS: Millis = 30 * 24 * 60 * 60 * 1000;

/// A verified statement that a roster was still the newest at some time.
#[derive(Debug, Clone)]
pub struct Freshness {
    signed: v1::Signed,
    version: u64,
    digest: Digest,
    at: Millis,
    expires: Millis,
}

/// What the age of the trust data means. Never does it lose a notice: what is in flight goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Younger than [`WARN_MS`].
    Fresh,
    /// To be warned about, more loudly with every day.
    Ageing {
        /// Whole days.
        days: u64,
    },
    /// Past the limit: new submissions need an override.
    PastLimit {
        /// Whole days.
        days: u64,
    },
}

impl Standing {
    /// What an age means under a limit (usually [`LIMIT_MS`]).
    pub fn of(age: Millis, limit: Millis) -> Self {
        let days = age / (24 * 60 * 60 * 1000);
        if age >= limit {
            Self::PastLimit { days }
        } else if age >= WARN_MS {
            Self::Ageing { days }
        } else {
            Self::Fresh
        }
    }
}

impl Freshness {
    /// Verifies a statement by any one freshness signer of the root. One dated further ahead
    /// than clocks may differ is refused: it would make the roster look young for ever.
    pub fn verify(root: &Root, signed: &v1::Signed, now: Millis) -> Result<Self, TrustError> {
        const WHAT: &str = "a freshness statement";
        let m: v1::Freshness = decode("freshness", &signed.bytes, limits::STATEMENT)?;
        let wrong = || TrustError::WrongSigner {
            what: WHAT,
            whose: format!("root {}", root.version()),
            role: Role::Freshness,
        };
        let [signature] = &signed.signatures[..] else {
            return Err(TrustError::rule(WHAT, "exactly one signature"));
        };
        let kid = Kid::from_slice(&signature.kid).ok_or_else(wrong)?;
        root.freshness_key(&kid)
            .ok_or_else(wrong)?
            .verify(SignatureType::FRESHNESS, &signed.bytes, &signature.ed25519)
            .map_err(|_| TrustError::BadSignature { what: WHAT })?;
        let of = m
            .roster
            .ok_or_else(|| TrustError::rule(WHAT, "it names a roster"))?;
        let digest = Digest::from_slice(&of.digest)
            .ok_or_else(|| TrustError::rule(WHAT, "a digest has 32 bytes"))?;
        if m.at >= m.expires {
            return Err(TrustError::rule(WHAT, "it begins before it ends"));
        }
        if m.at > now.saturating_add(limits::CLOCK_AHEAD_MS) {
            return Err(TrustError::FromTheFuture {
                what: WHAT,
                at: m.at,
                now,
            });
        }
        Ok(Self {
            signed: signed.clone(),
            version: of.version,
            digest,
            at: m.at,
            expires: m.expires,
        })
    }

    /// Whether it speaks of this roster.
    pub fn is_of(&self, roster: &Roster) -> bool {
        self.version == roster.version() && self.digest == roster.digest()
    }

    /// When the roster was still the newest.
    pub fn at(&self) -> Millis {
        self.at
    }

    /// Until when the next statement is due.
    pub fn expires(&self) -> Millis {
        self.expires
    }

    /// The statement as it was received.
    pub fn signed(&self) -> &v1::Signed {
        &self.signed
    }
}
