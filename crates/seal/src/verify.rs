//! From arrived bytes to an envelope whose originator, labels, stanzas and body are proved.
//!
//! The order is that of PROTOCOL.md "Receiving": originator known, key good → SIG → lifetime →
//! stanza and body hashes. Before SIG holds, everything is the carrier's fault; after it, what
//! HDR says is the originator's, and what is not as HDR says is the carrier's.

use crate::{
    arrived::{Arrived, CarrierFault, CarrierWhy},
    derive::sha256,
    rules::{self, Broken},
};
use abeng_keys::{Role, SignatureType};
use abeng_roster::{PartyKey, Roster, Trust};
use abeng_wire::{Clock, Digest, Kid, Millis, PartyCode, SignedBytes, limits, v1};
use std::{fmt, ops::Deref, sync::Arc};

/// Why an envelope is not let in, by whose fault.
#[derive(Debug, thiserror::Error)]
pub enum VerifyFault {
    /// A carrier could have caused it: no outcome, see [`CarrierFault`].
    #[error(transparent)]
    Carrier(#[from] CarrierFault),
    /// The originator's own signature stands over it: an outcome, with a leaf.
    #[error("the originator's fault: {}", .0.why)]
    Originator(Box<Rejected>),
}

impl VerifyFault {
    /// The reason for a leaf; `None` for a carrier's fault, which gets none.
    pub fn reason(&self) -> Option<v1::Reason> {
        match self {
            Self::Carrier(_) => None,
            Self::Originator(rejected) => Some(rejected.reason()),
        }
    }
}

/// An envelope whose SIG holds and that is refused for what it says: all that a `Refused` or
/// `Expired` leaf needs.
#[derive(Debug)]
pub struct Rejected {
    arrived: Arrived,
    me: PartyCode,
    why: OriginatorWhy,
}

/// What the originator did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OriginatorWhy {
    /// HDR breaks a rule. Stanza and body hashes hold, as far as HDR can be read.
    #[error("HDR breaks a rule: {0}")]
    Broken(#[from] Broken),
    /// Its life is over: the number is closed as expired. The hashes were not looked at.
    #[error("it expired at {0}")]
    Expired(Millis),
}

impl Rejected {
    /// For the leaf.
    pub fn reason(&self) -> v1::Reason {
        match self.why {
            OriginatorWhy::Broken(_) => v1::Reason::NotCanonical,
            OriginatorWhy::Expired(_) => v1::Reason::TimePassed,
        }
    }

    /// What exactly.
    pub fn why(&self) -> OriginatorWhy {
        self.why
    }

    /// The envelope: HDR and SIG belong together, the rest is a claim of its originator.
    pub fn arrived(&self) -> &Arrived {
        &self.arrived
    }

    /// The commitment to my stream number, if I am among the recipients.
    pub fn seq_commit(&self) -> Option<Digest> {
        let (_, entry) = self.arrived.entry(self.me)?;
        Digest::from_slice(&entry.seq_commit)
    }
}

/// An envelope that its originator signed as it stands, whose every stanza here and whose body
/// are those that were signed. Whether its content can be opened is another matter. Cheap to
/// clone.
#[derive(Clone)]
pub struct Verified(Arc<Inner>);

struct Inner {
    arrived: Arrived,
    trl: SignedBytes<v1::Trl>,
    me: PartyCode,
    mine: Option<usize>,
    roster_version: u64,
}

impl Verified {
    /// TRL.
    pub fn trl(&self) -> &SignedBytes<v1::Trl> {
        &self.0.trl
    }

    /// For whom it was verified: the party of this node.
    pub fn me(&self) -> PartyCode {
        self.0.me
    }

    /// My place among the recipients and my entry; `None` at a relay.
    pub fn mine(&self) -> Option<(usize, &v1::PreRecipient)> {
        let i = self.0.mine?;
        Some((i, self.pre().message().recipients.get(i)?))
    }

    /// The version of the roster here under which the originator's key was good.
    pub fn roster_version(&self) -> u64 {
        self.0.roster_version
    }

    /// Checks again under a roster adopted since. The key that made SIG is named by its hash, so
    /// only its standing has to be looked at.
    pub fn recheck(&self, trust: &Trust) -> Result<Self, CarrierFault> {
        let roster_version = trust.roster.version();
        if roster_version == self.0.roster_version {
            return Ok(self.clone());
        }
        signing_key(&trust.roster, self)?;
        Ok(Self(Arc::new(Inner {
            arrived: self.0.arrived.clone(),
            trl: self.0.trl.clone(),
            me: self.0.me,
            mine: self.0.mine,
            roster_version,
        })))
    }
}

impl Deref for Verified {
    type Target = Arrived;

    fn deref(&self) -> &Arrived {
        &self.0.arrived
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verified {:?}", self.0.arrived)
    }
}

/// Verifies what arrived, for `me`: a recipient's own stanza must be there, at a relay at least
/// one.
pub fn verify(
    arrived: Arrived,
    trust: &Trust,
    me: PartyCode,
    clock: impl Into<Clock>,
) -> Result<Verified, VerifyFault> {
    let key = signing_key(&trust.roster, &arrived)?;
    key.key
        .verify(
            SignatureType::ENVELOPE,
            arrived.hdr().bytes(),
            arrived.sig(),
        )
        .map_err(|_| damaged(&arrived, CarrierWhy::Signature))?;
    signed(arrived, me, clock.into(), trust.roster.version())
}

/// The key that PRE names, if it is one of its originator's, was so when PRE says it signed, and
/// is not revoked: what a time in a message says is a claim, so a revoked key makes nothing new.
fn signing_key<'a>(roster: &'a Roster, arrived: &Arrived) -> Result<&'a PartyKey, CarrierFault> {
    let unknown = |why| fault(arrived, v1::FaultKind::FaultUnknownKey, why);
    let code = arrived.originator();
    let party = roster
        .party(code)
        .filter(|party| party.is_active())
        .ok_or_else(|| unknown(CarrierWhy::UnknownParty(code)))?;
    let kid = Kid::from_slice(&arrived.pre().message().org_sign_kid).unwrap_or_default();
    party
        .key(Role::OrgSign, &kid)
        .filter(|key| key.is_active(arrived.created_at()))
        .ok_or_else(|| unknown(CarrierWhy::UnknownKey { party: code, kid }))
}

/// The checks after SIG, which does hold.
fn signed(
    arrived: Arrived,
    me: PartyCode,
    Clock { earliest, now }: Clock,
    roster_version: u64,
) -> Result<Verified, VerifyFault> {
    let trl_bytes = arrived.hdr().message().trl.clone();
    let Ok(trl) = SignedBytes::<v1::Trl>::parse_tolerant("TRL", trl_bytes, limits::PRE) else {
        return Err(rejected(arrived, me, Broken::Encoding("TRL").into()));
    };
    let rules = check(&arrived, &trl);
    if rules.is_ok() {
        let (created_at, expires_at) = (arrived.created_at(), arrived.expires_at());
        if created_at > now.saturating_add(limits::CLOCK_AHEAD_MS) {
            let why = CarrierWhy::Clock { created_at, now };
            return Err(fault(&arrived, v1::FaultKind::FaultClock, why).into());
        }
        if expires_at <= now && expires_at > earliest {
            let why = CarrierWhy::Doubt { expires_at, now };
            return Err(fault(&arrived, v1::FaultKind::FaultClock, why).into());
        }
        if expires_at <= earliest {
            return Err(rejected(arrived, me, OriginatorWhy::Expired(expires_at)));
        }
    }
    let mine = arrived.entry(me).map(|(i, _)| i);
    hashes(&arrived, trl.message(), mine).map_err(|why| damaged(&arrived, why))?;
    // Only now: a refusal needs the hashes of my stanza and the body to hold.
    match rules {
        Err(broken) => Err(rejected(arrived, me, broken.into())),
        Ok(()) => Ok(Verified(Arc::new(Inner {
            arrived,
            trl,
            me,
            mine,
            roster_version,
        }))),
    }
}

fn check(arrived: &Arrived, trl: &SignedBytes<v1::Trl>) -> Result<(), Broken> {
    let encodings = [
        ("HDR", arrived.hdr().is_canonical()),
        ("PRE", arrived.pre().is_canonical()),
        ("TRL", trl.is_canonical()),
    ];
    for (what, canonical) in encodings {
        if !canonical {
            return Err(Broken::Encoding(what));
        }
    }
    let pre = arrived.pre().message();
    rules::pre(pre, arrived.originator())?;
    rules::trl(trl.message(), pre.recipients.len())
}

fn hashes(arrived: &Arrived, trl: &v1::Trl, mine: Option<usize>) -> Result<(), CarrierWhy> {
    let stanzas = arrived.stanzas();
    let (found, expected) = (stanzas.len(), arrived.pre().message().recipients.len());
    if found != expected {
        return Err(CarrierWhy::StanzaCount { found, expected });
    }
    let here = |stanza: &bytes::Bytes| !stanza.is_empty();
    let enough = match mine {
        Some(i) => stanzas.get(i).is_some_and(here),
        None => stanzas.iter().any(here),
    };
    if !enough {
        return Err(CarrierWhy::StanzaMissing);
    }
    // zip: a TRL with fewer hashes breaks a rule, and is refused for that.
    for (i, (stanza, hash)) in stanzas.iter().zip(&trl.stanza_hashes).enumerate() {
        if here(stanza) && sha256(stanza) != hash[..] {
            return Err(CarrierWhy::StanzaHash(i));
        }
    }
    let body = arrived.body();
    if body.len() as u64 != trl.body_length || sha256(body) != trl.body_hash[..] {
        return Err(CarrierWhy::BodyHash);
    }
    Ok(())
}

fn fault(arrived: &Arrived, kind: v1::FaultKind, why: CarrierWhy) -> CarrierFault {
    CarrierFault {
        kind,
        id: Some(arrived.id()),
        why,
    }
}

fn damaged(arrived: &Arrived, why: CarrierWhy) -> CarrierFault {
    fault(arrived, v1::FaultKind::FaultDamaged, why)
}

fn rejected(arrived: Arrived, me: PartyCode, why: OriginatorWhy) -> VerifyFault {
    VerifyFault::Originator(Box::new(Rejected { arrived, me, why }))
}
