//! Bytes that claim to be an envelope, cut up but not believed.

use crate::{
    derive,
    layout::{self, Misframed},
};
use abeng_wire::{
    EnvelopeId, Incarnation, Kid, Malformed, Millis, PartyCode, SignedBytes, limits, v1,
};
use bytes::Bytes;
use std::fmt;

/// A fault that whoever carried the copy could have caused. Never an outcome: drop the copy,
/// keep the number open, tell the link, ask for it elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct CarrierFault {
    /// What the link is told.
    pub kind: v1::FaultKind,
    /// Which envelope, where HDR could be cut out.
    pub id: Option<EnvelopeId>,
    /// What exactly, for the local log.
    pub why: CarrierWhy,
}

/// What exactly a carrier could have done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CarrierWhy {
    /// The frame is not an envelope.
    #[error(transparent)]
    Frame(#[from] Misframed),
    /// HDR or PRE cannot be decoded, so that nobody can say who signed.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// PRE names no possible originator.
    #[error("the originator is not a party code")]
    Originator,
    /// The originator is not an active party of this roster.
    #[error("{0} is not an active party of the roster here")]
    UnknownParty(PartyCode),
    /// The originator has no such signing key in this roster, or not at that time.
    #[error("{party} had no signing key {kid:.8} then, by the roster here")]
    UnknownKey {
        /// The originator.
        party: PartyCode,
        /// The key that PRE names.
        kid: Kid,
    },
    /// SIG does not hold over HDR.
    #[error("the signature does not hold")]
    Signature,
    /// Made in the future, by the clock here.
    #[error("made at {created_at}, which lies ahead of the clock here ({now})")]
    Clock {
        /// The originator's claim.
        created_at: Millis,
        /// The clock here.
        now: Millis,
    },
    /// Its life is over by a clock that is in doubt here.
    #[error("its life ends at {expires_at}, and the clock here ({now}) is in doubt")]
    Doubt {
        /// The end of its life.
        expires_at: Millis,
        /// The clock here.
        now: Millis,
    },
    /// As many stanzas as recipients must be there, pruned or not.
    #[error("{found} stanzas for {expected} recipients")]
    StanzaCount {
        /// How many there are.
        found: usize,
        /// How many recipients PRE has.
        expected: usize,
    },
    /// My stanza, or at a relay every stanza, is missing.
    #[error("the stanza is missing")]
    StanzaMissing,
    /// A stanza is not the one that was signed.
    #[error("the stanza of recipient {0} is not the one that was signed")]
    StanzaHash(usize),
    /// BODY is not the one that was signed.
    #[error("the body is not the one that was signed")]
    BodyHash,
}

/// An envelope as it arrived: sizes hold and HDR and PRE can be decoded. Everything it says is
/// a claim until [`crate::verify`]. All parts are slices of the frame.
#[derive(Clone)]
pub struct Arrived {
    id: EnvelopeId,
    hdr: SignedBytes<v1::Hdr>,
    pre: SignedBytes<v1::Pre>,
    sig: Bytes,
    stanzas: Vec<Bytes>,
    body: Bytes,
    originator: PartyCode,
    recipients: Vec<PartyCode>,
}

impl Arrived {
    /// Cuts a frame up. Cheap: copies nothing, verifies nothing, hashes HDR.
    pub fn parse(frame: &Bytes) -> Result<Self, CarrierFault> {
        let damaged = |id, why| CarrierFault {
            kind: v1::FaultKind::FaultDamaged,
            id,
            why,
        };
        let parts = layout::split(frame).map_err(|e| damaged(None, e.into()))?;
        let id = derive::envelope_id(&parts.hdr);
        let damaged = |why| damaged(Some(id), why);
        let hdr = SignedBytes::<v1::Hdr>::parse_tolerant("HDR", parts.hdr, limits::HDR)
            .map_err(|e| damaged(e.into()))?;
        let pre =
            SignedBytes::<v1::Pre>::parse_tolerant("PRE", hdr.message().pre.clone(), limits::PRE)
                .map_err(|e| damaged(e.into()))?;
        let code = |text: &str| PartyCode::new(text).ok();
        let originator =
            code(&pre.message().originator).ok_or_else(|| damaged(CarrierWhy::Originator))?;
        let recipients = pre
            .message()
            .recipients
            .iter()
            .filter_map(|r| code(&r.party));
        Ok(Self {
            id,
            recipients: recipients.collect(),
            originator,
            sig: parts.sig,
            stanzas: parts.stanzas,
            body: parts.body,
            hdr,
            pre,
        })
    }

    /// Who the envelope is, whatever else is wrong with it.
    pub fn id(&self) -> EnvelopeId {
        self.id
    }

    /// HDR as it arrived.
    pub fn hdr(&self) -> &SignedBytes<v1::Hdr> {
        &self.hdr
    }

    /// PRE as it arrived.
    pub fn pre(&self) -> &SignedBytes<v1::Pre> {
        &self.pre
    }

    /// SIG, 64 bytes.
    pub fn sig(&self) -> &Bytes {
        &self.sig
    }

    /// One per recipient in PRE's order, 1,240 bytes or empty.
    pub fn stanzas(&self) -> &[Bytes] {
        &self.stanzas
    }

    /// The sealed body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The party that PRE names as its originator.
    pub fn originator(&self) -> PartyCode {
        self.originator
    }

    /// The originator's incarnation.
    pub fn incarnation(&self) -> Incarnation {
        Incarnation(self.pre.message().incarnation)
    }

    /// How urgent it is.
    pub fn precedence(&self) -> v1::Precedence {
        self.pre.message().precedence()
    }

    /// When it was made, by the originator's clock.
    pub fn created_at(&self) -> Millis {
        self.pre.message().created_at
    }

    /// When it ends.
    pub fn expires_at(&self) -> Millis {
        self.pre.message().expires_at
    }

    /// The recipients in PRE's order. Before [`crate::verify`], entries that are no party code
    /// are left out; after it there are none.
    pub fn recipients(&self) -> &[PartyCode] {
        &self.recipients
    }

    /// The entry of one recipient in PRE, if it is among them, and its place.
    pub fn entry(&self, party: PartyCode) -> Option<(usize, &v1::PreRecipient)> {
        let entries = self.pre.message().recipients.iter().enumerate();
        entries.into_iter().find(|(_, r)| r.party == party.as_str())
    }

    /// Whether the stanza of that recipient came along.
    pub fn carries(&self, party: PartyCode) -> bool {
        let stanza = self.entry(party).and_then(|(i, _)| self.stanzas.get(i));
        stanza.is_some_and(|s| !s.is_empty())
    }
}

impl fmt::Debug for Arrived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrived")
            .field("id", &self.id)
            .field("originator", &self.originator)
            .field("recipients", &self.recipients)
            .finish_non_exhaustive()
    }
}
