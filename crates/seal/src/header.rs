//! What HDR and SIG prove on their own, whenever they are looked at: for evidence.

use crate::{
    ContentKey, OpenStep,
    derive::{envelope_id, sha256},
    rules::{self, Broken},
};
use abeng_keys::{Role, SignatureType};
use abeng_roster::{PartyKey, Roster};
use abeng_wire::{EnvelopeId, Kid, Malformed, Millis, PartyCode, SignedBytes, limits, v1};
use bytes::Bytes;

/// An HDR that its originator signed, by a key that was its own at the time PRE names.
#[derive(Debug, Clone)]
pub struct SignedHeader {
    id: EnvelopeId,
    pre: SignedBytes<v1::Pre>,
    trl: SignedBytes<v1::Trl>,
    originator: PartyCode,
    kid: Kid,
    revoked_at: Option<Millis>,
}

/// Why HDR and SIG prove nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// HDR, PRE or TRL is not what it must be.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The originator's code is none, or the roster does not know it.
    #[error("the roster does not know the originator `{0}`")]
    UnknownParty(String),
    /// The key is not one of the originator's for that time.
    #[error("`{party}` had no org-sign key {kid} when the envelope says it was made")]
    UnknownKey {
        /// The originator.
        party: PartyCode,
        /// The key that PRE names.
        kid: Kid,
    },
    /// SIG does not hold.
    #[error("the originator's signature does not hold")]
    Signature,
    /// HDR breaks a rule under a good signature.
    #[error("HDR breaks a rule: {0}")]
    Broken(#[from] Broken),
}

/// Why a content key and a body disclose nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DisclosureFault {
    /// The body is not the one that was signed.
    #[error("the body is not the one whose hash and length are signed")]
    Body,
    /// The key, a chunk or the padding is wrong.
    #[error(transparent)]
    Open(#[from] OpenStep),
}

impl SignedHeader {
    /// Verifies an HDR and its SIG under a roster. No clock is asked: the key must have been the
    /// originator's when PRE says it was made, which is the originator's claim. A key that was
    /// revoked since does not refuse it: see [`Self::revoked_at`].
    pub fn verify(hdr: &Bytes, sig: &[u8], roster: &Roster) -> Result<Self, HeaderFault> {
        let parsed = SignedBytes::<v1::Hdr>::parse("HDR", hdr.clone(), limits::HDR)?;
        let parsed = parsed.message();
        let pre = SignedBytes::<v1::Pre>::parse("PRE", parsed.pre.clone(), limits::PRE)?;
        let trl = SignedBytes::<v1::Trl>::parse("TRL", parsed.trl.clone(), limits::PRE)?;
        let says = pre.message();
        let unknown = || HeaderFault::UnknownParty(says.originator.chars().take(16).collect());
        let originator = PartyCode::new(&says.originator).map_err(|_| unknown())?;
        let party = roster.party(originator).ok_or_else(unknown)?;
        let kid = Kid::from_slice(&says.org_sign_kid).unwrap_or_default();
        let key = party
            .key(Role::OrgSign, &kid)
            .filter(|key| in_its_time(key, says.created_at))
            .ok_or(HeaderFault::UnknownKey {
                party: originator,
                kid,
            })?;
        key.key
            .verify(SignatureType::ENVELOPE, hdr, sig)
            .map_err(|_| HeaderFault::Signature)?;
        rules::pre(says, originator)?;
        rules::trl(trl.message(), says.recipients.len())?;
        Ok(Self {
            id: envelope_id(hdr),
            revoked_at: key.revoked_at,
            pre,
            trl,
            originator,
            kid,
        })
    }

    /// Opens the body with a disclosed key: the body is the signed one, the key is the one that
    /// everybody got, every chunk opens, the padding is zero. The notice, byte for byte.
    pub fn open(&self, body: &Bytes, key: &ContentKey) -> Result<Bytes, DisclosureFault> {
        let trl = self.trl.message();
        if body.len() as u64 != trl.body_length || sha256(body) != trl.body_hash[..] {
            return Err(DisclosureFault::Body);
        }
        Ok(key.open(self.pre.bytes(), trl, body)?)
    }

    /// The envelope.
    pub fn id(&self) -> EnvelopeId {
        self.id
    }

    /// PRE.
    pub fn pre(&self) -> &v1::Pre {
        self.pre.message()
    }

    /// TRL.
    pub fn trl(&self) -> &v1::Trl {
        self.trl.message()
    }

    /// Who sealed it.
    pub fn originator(&self) -> PartyCode {
        self.originator
    }

    /// The key that signed it.
    pub fn kid(&self) -> Kid {
        self.kid
    }

    /// From when that key is revoked under the roster.
    pub fn revoked_at(&self) -> Option<Millis> {
        self.revoked_at
    }
}

fn in_its_time(key: &PartyKey, at: Millis) -> bool {
    key.not_before <= at && at < key.not_after
}
