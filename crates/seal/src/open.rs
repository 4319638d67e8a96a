//! From a verified envelope to the notice. Nothing reaches a person before the last check.

use crate::{
    body::open_body,
    cache::OpenedBoxes,
    derive::{ContentKeys, Secret, h0, seq_commit, slot_key},
    stanza::{BOX, Pair, Slot, is_low_order, open_box, open_slot},
    verify::Verified,
};
use abeng_keys::{SealSecret, StoreKey};
use abeng_wire::{Incarnation, Kid, Malformed, PartyCode, SignedBytes, StreamSeq, limits, v1};
use bytes::Bytes;
use std::{fmt, ops::Deref, sync::Arc};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// An envelope that cannot be opened.
///
/// Outwards only [`Self::reason`] may be told, and that is the same whatever failed; `step` is
/// for the local log alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the envelope cannot be opened: {step}")]
pub struct OpenFault {
    /// For the leaf: [`v1::Reason::KeyGone`], where there is no such key here (not final), else
    /// [`v1::Reason::BadStanza`], for every failure of decryption.
    pub reason: v1::Reason,
    /// Where it failed.
    pub step: OpenStep,
}

/// The check that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenStep {
    /// I am not among the recipients: a mistake of the caller's.
    #[error("it is not addressed to this party")]
    NotMine,
    /// The seal key it was sealed to is not here.
    #[error("the seal key it was sealed to is not here")]
    KeyGone,
    /// The stanza is not a stanza.
    #[error("the stanza has another size")]
    Stanza,
    /// The X25519 half of the encapsulation is of low order.
    #[error("the encapsulation is of low order")]
    LowOrder,
    /// HPKE does not open BOX for this originator, incarnation, recipient and key.
    #[error("BOX does not open")]
    Box,
    /// SLOT does not open, or holds stream number 0.
    #[error("SLOT does not open")]
    Slot,
    /// SLOT holds another stream number than PRE commits to.
    #[error("the stream number is not the one committed to")]
    Seq,
    /// SLOT holds another content key than TRL commits to.
    #[error("the content key is not the one committed to")]
    Commit,
    /// A chunk of BODY does not open, or is missing, moved or added.
    #[error("a chunk of the body does not open")]
    Chunk,
    /// Padding that is not zero or not of the one right length.
    #[error("the padding is wrong")]
    Padding,
    /// The wrapped copy of the content key does not open under this `store` key.
    #[error("the own copy of the content key does not open")]
    OwnCopy,
    /// HDR from the journal cannot be read.
    #[error("HDR cannot be read")]
    Header,
}

impl From<OpenStep> for OpenFault {
    fn from(step: OpenStep) -> Self {
        let reason = match step {
            OpenStep::KeyGone => v1::Reason::KeyGone,
            _ => v1::Reason::BadStanza,
        };
        Self { reason, step }
    }
}

/// What a stanza and a body gave away.
pub struct Reopened {
    /// The notice, byte for byte as it was submitted.
    pub notice: Bytes,
    /// Its number in the originator's stream to me.
    pub stream_seq: StreamSeq,
    /// Opens seq_commit together with the number.
    pub blind: [u8; 16],
}

impl fmt::Debug for Reopened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reopened, {} bytes", self.notice.len())
    }
}

/// A verified envelope and what it holds for me.
pub struct Opened {
    verified: Verified,
    content: Reopened,
}

impl Opened {
    /// The envelope.
    pub fn verified(&self) -> &Verified {
        &self.verified
    }

    /// The notice, byte for byte as it was submitted.
    pub fn notice(&self) -> &Bytes {
        &self.content.notice
    }

    /// Its number in the originator's stream to me.
    pub fn stream_seq(&self) -> StreamSeq {
        self.content.stream_seq
    }

    /// Opens seq_commit together with the number.
    pub fn blind(&self) -> &[u8; 16] {
        &self.content.blind
    }
}

impl Deref for Opened {
    type Target = Verified;

    fn deref(&self) -> &Verified {
        &self.verified
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opened {:?}", self.verified.id())
    }
}

/// Opens a verified envelope. `secrets` gives the seal key of a kid, if it is held here.
pub fn open(
    verified: &Verified,
    secrets: &dyn Fn(&Kid) -> Option<Arc<SealSecret>>,
    me: PartyCode,
    boxes: &mut OpenedBoxes,
) -> Result<Opened, OpenFault> {
    let sealed = SealedParts {
        pre: verified.pre(),
        trl: verified.trl().message(),
        stanzas: verified.stanzas(),
        body: verified.body(),
    };
    Ok(Opened {
        content: sealed.open(secrets, me, Some(boxes))?,
        verified: verified.clone(),
    })
}

/// Opens again what was received, verified and journalled: for showing it. SIG and hashes were
/// checked before it was journalled and are not checked again.
pub fn reopen_received(
    hdr: &Bytes,
    stanzas: &[Bytes],
    body: &Bytes,
    me: PartyCode,
    secrets: &dyn Fn(&Kid) -> Option<Arc<SealSecret>>,
) -> Result<Reopened, OpenFault> {
    let (pre, trl) = read_hdr(hdr).map_err(|_| OpenStep::Header)?;
    let sealed = SealedParts {
        pre: &pre,
        trl: &trl,
        stanzas,
        body,
    };
    Ok(sealed.open(secrets, me, None)?)
}

/// Opens what this party itself originated, from its own copy of the content key.
pub fn reopen_own(
    hdr: &Bytes,
    body: &Bytes,
    own_copy: &[u8],
    store: &StoreKey,
) -> Result<Bytes, OpenFault> {
    let (pre, trl) = read_hdr(hdr).map_err(|_| OpenStep::Header)?;
    let cek = unwrap_own(hdr, own_copy, store)?;
    Ok(open_content(&h0(pre.bytes()), &cek, &trl, body)?)
}

/// The content key of what this party itself originated, from its own copy.
pub fn own_content_key(
    hdr: &Bytes,
    own_copy: &[u8],
    store: &StoreKey,
) -> Result<ContentKey, OpenFault> {
    let (pre, trl) = read_hdr(hdr).map_err(|_| OpenStep::Header)?;
    let cek = unwrap_own(hdr, own_copy, store)?;
    content_keys(&h0(pre.bytes()), &cek, &trl)?;
    Ok(ContentKey(cek))
}

/// The content key of what was received, verified and journalled, from my stanza.
pub fn received_content_key(
    hdr: &Bytes,
    stanzas: &[Bytes],
    me: PartyCode,
    secrets: &dyn Fn(&Kid) -> Option<Arc<SealSecret>>,
) -> Result<ContentKey, OpenFault> {
    let (pre, trl) = read_hdr(hdr).map_err(|_| OpenStep::Header)?;
    let sealed = SealedParts {
        pre: &pre,
        trl: &trl,
        stanzas,
        body: &Bytes::new(),
    };
    let slot = sealed.slot(secrets, me, None)?;
    content_keys(&h0(pre.bytes()), &slot.cek, &trl)?;
    Ok(ContentKey(slot.cek))
}

fn unwrap_own(hdr: &Bytes, own_copy: &[u8], store: &StoreKey) -> Result<Secret, OpenStep> {
    let id = crate::envelope_id(hdr);
    let cek = store.unwrap(&id.0, own_copy).ok_or(OpenStep::OwnCopy)?;
    let cek: [u8; 32] = cek[..].try_into().map_err(|_| OpenStep::OwnCopy)?;
    Ok(Zeroizing::new(cek))
}

/// The key that opens one envelope for anybody: for whoever discloses its content on purpose.
/// Overwritten when dropped, never printed.
pub struct ContentKey(Secret);

impl ContentKey {
    /// Takes 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; 32] = bytes.try_into().ok()?;
        Some(Self(Zeroizing::new(bytes)))
    }

    /// The secret itself.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Opens a body, if this is the key that TRL commits to.
    pub(crate) fn open(&self, pre: &[u8], trl: &v1::Trl, body: &Bytes) -> Result<Bytes, OpenStep> {
        open_content(&h0(pre), &self.0, trl, body)
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey(…)")
    }
}

fn read_hdr(hdr: &Bytes) -> Result<(SignedBytes<v1::Pre>, v1::Trl), Malformed> {
    let hdr = SignedBytes::<v1::Hdr>::parse("HDR", hdr.clone(), limits::HDR)?;
    let hdr = hdr.message();
    Ok((
        SignedBytes::parse("PRE", hdr.pre.clone(), limits::PRE)?,
        abeng_wire::decode("TRL", &hdr.trl, limits::PRE)?,
    ))
}

struct SealedParts<'a> {
    pre: &'a SignedBytes<v1::Pre>,
    trl: &'a v1::Trl,
    stanzas: &'a [Bytes],
    body: &'a Bytes,
}

impl SealedParts<'_> {
    /// Exactly one entry for me with a kid of mine → low-order check → BOX, SLOT, seq_commit →
    /// commit → all chunks → padding.
    fn open(
        &self,
        secrets: &dyn Fn(&Kid) -> Option<Arc<SealSecret>>,
        me: PartyCode,
        boxes: Option<&mut OpenedBoxes>,
    ) -> Result<Reopened, OpenStep> {
        let Slot { cek, seq, blind } = self.slot(secrets, me, boxes)?;
        Ok(Reopened {
            notice: open_content(&h0(self.pre.bytes()), &cek, self.trl, self.body)?,
            stream_seq: seq,
            blind,
        })
    }

    /// What my stanza holds.
    fn slot(
        &self,
        secrets: &dyn Fn(&Kid) -> Option<Arc<SealSecret>>,
        me: PartyCode,
        boxes: Option<&mut OpenedBoxes>,
    ) -> Result<Slot, OpenStep> {
        let pre = self.pre.message();
        let mut entries = pre.recipients.iter().enumerate();
        let (place, entry) = entries
            .find(|(_, r)| r.party == me.as_str())
            .ok_or(OpenStep::NotMine)?;
        let pair = Pair {
            originator: PartyCode::new(&pre.originator).map_err(|_| OpenStep::Header)?,
            incarnation: Incarnation(pre.incarnation),
            to: me,
            kid: Kid::from_slice(&entry.seal_kid).ok_or(OpenStep::Header)?,
        };
        let secret = secrets(&pair.kid).ok_or(OpenStep::KeyGone)?;
        let stanza = self.stanzas.get(place).ok_or(OpenStep::Stanza)?;
        let (sealed, slot) = stanza.split_first_chunk::<BOX>().ok_or(OpenStep::Stanza)?;

        let h0 = h0(self.pre.bytes());
        let commit: [u8; 32] = self.trl.commit[..]
            .try_into()
            .map_err(|_| OpenStep::Header)?;
        let lk = link_key(&secret, &pair, sealed, boxes)?;
        let key = slot_key(&h0, &lk, me, &pair.kid, &commit);
        let slot = open_slot(&key, slot).ok_or(OpenStep::Slot)?;
        if seq_commit(&slot.blind, slot.seq).0 != entry.seq_commit[..] {
            return Err(OpenStep::Seq);
        }
        Ok(slot)
    }
}

/// LK, remembered or from BOX.
fn link_key(
    secret: &SealSecret,
    pair: &Pair,
    sealed: &[u8; BOX],
    boxes: Option<&mut OpenedBoxes>,
) -> Result<Secret, OpenStep> {
    let info = pair.info();
    let name = OpenedBoxes::name(&info, sealed);
    if let Some(lk) = boxes.as_deref().and_then(|boxes| boxes.get(&name)) {
        return Ok(lk.clone());
    }
    if is_low_order(sealed) {
        return Err(OpenStep::LowOrder);
    }
    let lk = open_box(secret, &info, sealed).ok_or(OpenStep::Box)?;
    if let Some(boxes) = boxes {
        boxes.put(name, pair.kid, lk.clone());
    }
    Ok(lk)
}

/// The content key must be the one that everybody else got, before anything is decrypted.
fn open_content(
    h0: &[u8; 32],
    cek: &Secret,
    trl: &v1::Trl,
    body: &Bytes,
) -> Result<Bytes, OpenStep> {
    open_body(&content_keys(h0, cek, trl)?.body, h0, body)
}

fn content_keys(h0: &[u8; 32], cek: &Secret, trl: &v1::Trl) -> Result<ContentKeys, OpenStep> {
    let keys = ContentKeys::derive(h0, cek);
    if !bool::from(keys.commit[..].ct_eq(&trl.commit)) {
        return Err(OpenStep::Commit);
    }
    Ok(keys)
}
