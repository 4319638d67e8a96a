//! Sealing: from a cleared notice to an envelope that only its recipients can open.

use crate::{
    attachment::{AttachmentRef, attached_len},
    body::seal_body,
    cache::BoxCache,
    derive::{ContentKeys, Secret, envelope_id, h0, seq_commit, sha256, slot_key},
    layout::{self, Misframed},
    rules::{self, Broken},
    stanza::{BOX, HpkeFailed, Pair, put_slot},
};
use abeng_keys::{Entropy, Role, SealPublic, SignError, SignatureType, Signer, StoreKey};
use abeng_roster::{Cleared, Trust};
use abeng_wire::{
    EnvelopeId, Incarnation, Kid, Millis, Now, PartyCode, SignedBytes, StreamSeq, encode, limits,
    v1,
};
use bytes::Bytes;
use std::fmt;
use zeroize::Zeroizing;

/// Everything that goes into an envelope.
pub struct SealInput<'a> {
    /// The same snapshot that cleared the notice.
    pub trust: &'a Trust,
    /// From whom, to whom.
    pub cleared: &'a Cleared,
    /// The originator's org-sign key.
    pub org_sign: &'a dyn Signer,
    /// Wraps the originator's own copy of the content key.
    pub store: &'a StoreKey,
    /// The originator's.
    pub incarnation: Incarnation,
    /// Unix milliseconds.
    pub created_at: Millis,
    /// Unix milliseconds, at most 90 days later.
    pub expires_at: Millis,
    /// How urgent.
    pub precedence: v1::Precedence,
    /// One number for each recipient, sorted by code as `cleared.to` is.
    pub positions: &'a [(PartyCode, StreamSeq)],
    /// The encoded notice.
    pub notice: &'a Bytes,
    /// Its attachments, in the notice's order.
    pub attachments: &'a [AttachmentRef],
    /// The BOXes in use.
    pub boxes: &'a mut BoxCache,
    /// Both clocks: the one that never goes back bounds the age of a BOX, the wall clock chooses
    /// the recipients' seal keys.
    pub now: Now,
}

/// Why nothing was sealed. Never a peer's fault.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Cleared under another roster than the one given: clear it again.
    #[error("cleared under roster {cleared}, to be sealed under {trust}")]
    OtherRoster {
        /// Version it was cleared under.
        cleared: u64,
        /// Version given.
        trust: u64,
    },
    /// The stream numbers are not exactly one for each cleared recipient.
    #[error("the stream numbers are not those of the cleared recipients")]
    Positions,
    /// The envelope would break a rule of the protocol.
    #[error("the envelope would be refused: {0}")]
    Rule(#[from] Broken),
    /// The notice is longer than the limit.
    #[error("a notice of {0} bytes is longer than the limit of {limit}", limit = limits::NOTICE)]
    NoticeTooLong(usize),
    /// The signing key is not one of the originator's in this roster now.
    #[error("key {kid:.8} is no org-sign key of {party} in the roster at that time")]
    NotOurKey {
        /// The originator.
        party: PartyCode,
        /// The key.
        kid: Kid,
    },
    /// A recipient has no seal key now.
    #[error("{0} has no seal key now")]
    NoSealKey(PartyCode),
    /// HPKE refused a recipient's admitted key.
    #[error("HPKE refused the seal key of {0}")]
    Hpke(PartyCode),
    /// The frame that was made is none; a defect here.
    #[error(transparent)]
    Frame(#[from] Misframed),
    /// The signer could not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// An envelope of our own, signed. Its parts are slices of [`Self::envelope`].
pub struct Sealed {
    id: EnvelopeId,
    hdr: SignedBytes<v1::Hdr>,
    pre: SignedBytes<v1::Pre>,
    trl: SignedBytes<v1::Trl>,
    sig: Bytes,
    stanzas: Vec<Bytes>,
    body: Bytes,
    envelope: Bytes,
    own_copy: Bytes,
    blinds: Vec<(PartyCode, StreamSeq, [u8; 16])>,
    recipients: Vec<PartyCode>,
}

impl Sealed {
    /// Its identity.
    pub fn id(&self) -> EnvelopeId {
        self.id
    }

    /// HDR, which is signed.
    pub fn hdr(&self) -> &SignedBytes<v1::Hdr> {
        &self.hdr
    }

    /// PRE.
    pub fn pre(&self) -> &SignedBytes<v1::Pre> {
        &self.pre
    }

    /// TRL.
    pub fn trl(&self) -> &SignedBytes<v1::Trl> {
        &self.trl
    }

    /// SIG over HDR, 64 bytes.
    pub fn sig(&self) -> &Bytes {
        &self.sig
    }

    /// One stanza per recipient, none pruned.
    pub fn stanzas(&self) -> &[Bytes] {
        &self.stanzas
    }

    /// The sealed body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The whole encoded envelope with every stanza.
    pub fn envelope(&self) -> &Bytes {
        &self.envelope
    }

    /// The content key, wrapped under `store` and bound to the id: see [`crate::reopen_own`].
    pub fn own_copy(&self) -> &Bytes {
        &self.own_copy
    }

    /// What opens seq_commit, for each recipient: for the originator's journal alone.
    pub fn blinds(&self) -> &[(PartyCode, StreamSeq, [u8; 16])] {
        &self.blinds
    }

    /// Unix milliseconds.
    pub fn created_at(&self) -> Millis {
        self.pre.message().created_at
    }

    /// Unix milliseconds.
    pub fn expires_at(&self) -> Millis {
        self.pre.message().expires_at
    }

    /// How urgent.
    pub fn precedence(&self) -> v1::Precedence {
        self.pre.message().precedence()
    }

    /// Sorted by code.
    pub fn recipients(&self) -> &[PartyCode] {
        &self.recipients
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed")
            .field("id", &self.id)
            .field("recipients", &self.recipients)
            .finish_non_exhaustive()
    }
}

struct Recipient<'a> {
    party: PartyCode,
    key: &'a SealPublic,
    seq: StreamSeq,
    blind: [u8; 16],
}

/// Seals a cleared notice. Everything that can be wrong is found before a key is made.
pub fn seal(mut input: SealInput<'_>, entropy: &mut dyn Entropy) -> Result<Sealed, SealError> {
    check(&input)?;
    let recipients = recipients(&input, entropy)?;
    let pre = SignedBytes::of(pre(&input, &recipients, entropy));
    let h0 = h0(pre.bytes());
    let mut cek: Secret = Zeroizing::new([0; 32]);
    entropy.fill(&mut cek[..]);
    let keys = ContentKeys::derive(&h0, &cek);
    let body = seal_body(&keys.body, &h0, input.notice);

    let mut stanzas = Vec::with_capacity(recipients.len());
    for recipient in &recipients {
        let kid = recipient.key.kid();
        let (lk, sealed) = lent_box(&mut input, recipient, entropy)
            .map_err(|HpkeFailed| SealError::Hpke(recipient.party))?;
        let key = slot_key(&h0, lk, recipient.party, &kid, &keys.commit);
        let mut stanza = Vec::with_capacity(limits::STANZA);
        stanza.extend_from_slice(sealed);
        put_slot(&key, &cek, recipient.seq, &recipient.blind, &mut stanza);
        stanzas.push(Bytes::from(stanza));
    }

    let trl = SignedBytes::of(v1::Trl {
        stanza_hashes: stanzas.iter().map(|s| hash(s)).collect(),
        body_length: body.len() as u64,
        body_hash: hash(&body),
        commit: Bytes::copy_from_slice(&keys.commit),
        attachments: input
            .attachments
            .iter()
            .map(AttachmentRef::to_wire)
            .collect(),
    });
    let hdr = SignedBytes::of(v1::Hdr {
        pre: pre.bytes().clone(),
        trl: trl.bytes().clone(),
    });
    let sig = input.org_sign.sign(SignatureType::ENVELOPE, hdr.bytes())?;
    let id = envelope_id(hdr.bytes());
    let envelope = v1::Envelope {
        hdr: hdr.bytes().clone(),
        sig: Bytes::copy_from_slice(&sig),
        stanzas,
        body,
    };
    let frame = encode(&envelope);
    drop(envelope);
    // One copy of everything in memory, and what was made is looked at as a receiver would.
    let parts = layout::split(&frame)?;
    Ok(Sealed {
        id,
        hdr,
        pre,
        trl,
        sig: parts.sig,
        stanzas: parts.stanzas,
        body: parts.body,
        envelope: frame,
        own_copy: Bytes::from(input.store.wrap(&id.0, &cek[..], entropy)),
        blinds: recipients
            .iter()
            .map(|r| (r.party, r.seq, r.blind))
            .collect(),
        recipients: recipients.iter().map(|r| r.party).collect(),
    })
}

fn hash(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(&sha256(bytes))
}

fn check(input: &SealInput<'_>) -> Result<(), SealError> {
    let roster = &input.trust.roster;
    let (cleared, trust) = (input.cleared.roster_version(), roster.version());
    if cleared != trust || input.cleared.roster_digest() != roster.digest() {
        return Err(SealError::OtherRoster { cleared, trust });
    }
    if input.notice.len() > limits::NOTICE {
        return Err(SealError::NoticeTooLong(input.notice.len()));
    }
    let odd = |a: &AttachmentRef| attached_len(a.length).is_none();
    if input.attachments.len() > limits::ATTACHMENTS || input.attachments.iter().any(odd) {
        return Err(Broken::Attachments.into());
    }
    rules::lifetime(input.created_at, input.expires_at)?;
    rules::precedence(input.precedence.into())?;
    if input.incarnation == Incarnation::default() {
        return Err(Broken::Incarnation.into());
    }
    let party = input.cleared.from();
    let codes = input.positions.iter().map(|&(code, _)| Some(code));
    rules::recipients(party, codes.clone())?;
    if !codes.flatten().eq(input.cleared.to().iter().copied()) {
        return Err(SealError::Positions);
    }
    let kid = input.org_sign.verify_key().kid();
    roster
        .party(party)
        .and_then(|p| p.key(Role::OrgSign, &kid))
        .filter(|key| key.is_active(input.created_at))
        .ok_or(SealError::NotOurKey { party, kid })?;
    Ok(())
}

fn recipients<'a>(
    input: &SealInput<'a>,
    entropy: &mut dyn Entropy,
) -> Result<Vec<Recipient<'a>>, SealError> {
    let one = |&(party, seq): &(PartyCode, StreamSeq)| {
        let key = input.trust.seal_keys.current(party, input.now.wall);
        let mut blind = [0; 16];
        entropy.fill(&mut blind);
        Ok(Recipient {
            party,
            key: key.ok_or(SealError::NoSealKey(party))?,
            seq,
            blind,
        })
    };
    input.positions.iter().map(one).collect()
}

fn pre(input: &SealInput<'_>, recipients: &[Recipient<'_>], entropy: &mut dyn Entropy) -> v1::Pre {
    let mut nonce = [0; 32];
    entropy.fill(&mut nonce);
    let entry = |r: &Recipient<'_>| v1::PreRecipient {
        party: r.party.to_string(),
        seal_kid: r.key.kid().to_bytes(),
        seq_commit: seq_commit(&r.blind, r.seq).to_bytes(),
    };
    v1::Pre {
        version: 1,
        nonce: Bytes::copy_from_slice(&nonce),
        originator: input.cleared.from().to_string(),
        incarnation: input.incarnation.0,
        org_sign_kid: input.org_sign.verify_key().kid().to_bytes(),
        created_at: input.created_at,
        expires_at: input.expires_at,
        roster: Some(input.trust.roster.reference()),
        precedence: input.precedence.into(),
        recipients: recipients.iter().map(entry).collect(),
    }
}

fn lent_box<'a>(
    input: &'a mut SealInput<'_>,
    recipient: &Recipient<'_>,
    entropy: &mut dyn Entropy,
) -> Result<(&'a Secret, &'a [u8; BOX]), HpkeFailed> {
    let pair = Pair {
        originator: input.cleared.from(),
        incarnation: input.incarnation,
        to: recipient.party,
        kid: recipient.key.kid(),
    };
    let own_key = input.org_sign.verify_key().kid();
    input
        .boxes
        .take(recipient.key, pair, own_key, input.now.mono, entropy)
}
