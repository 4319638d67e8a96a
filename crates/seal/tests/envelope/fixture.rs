//! A founded network of five parties, with real roots, rosters and seal keys.

use abeng_keys::{DualSigner, Entropy, Keyring, SealSecret};
use abeng_roster::{
    Cleared, NoticeFacts, Policy, Tlp, Trust, ceremony,
    founding::{FoundingParty, FoundingRequest, found},
};
use abeng_seal::{
    Arrived, BoxCache, OpenFault, Opened, OpenedBoxes, SealError, SealInput, Sealed, Verified,
    VerifyFault, open, seal, verify,
};
use abeng_wire::{
    Incarnation, Kid, Millis, Mono, NetworkCode, Now, PartyCode, StreamSeq, encode, v1,
};
use bytes::Bytes;
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering},
};

pub const NOW: Millis = 1_767_225_600_000; // 2026-01-01
pub const DAY: Millis = 86_400_000;
pub const LIFE: Incarnation = Incarnation(NOW << 16 | 1);

/// Splitmix64: differs on every call, replays from its seed.
pub struct Seeded(pub u64);

impl Entropy for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            chunk.copy_from_slice(&z.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A generator that no other call got.
pub fn entropy() -> Seeded {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Seeded(NEXT.fetch_add(1, Ordering::Relaxed) << 32)
}

pub fn code(text: &str) -> PartyCode {
    PartyCode::new(text).unwrap()
}

pub struct Net {
    pub trust: Trust,
    pub keyrings: Vec<Keyring>,
    pub roster_signers: Vec<DualSigner>,
}

/// BB, DM, JM, LC (coordination), TT.
pub fn net() -> &'static Net {
    static NET: OnceLock<Net> = OnceLock::new();
    NET.get_or_init(|| Net::found(42))
}

impl Net {
    pub fn found(seed: u64) -> Self {
        let party = |c: &str| FoundingParty {
            code: code(c),
            name: format!("Customs of {c}"),
            country: c.into(),
            kind: match c {
                "LC" => v1::PartyKind::Coordination,
                _ => v1::PartyKind::Member,
            },
            addresses: vec!["127.0.0.1:4433".into()],
            relay: true,
        };
        let parties = ["JM", "TT", "BB", "LC", "DM"].map(party).into();
        let network = NetworkCode::new("cclec").unwrap();
        let founding = found(
            FoundingRequest::new(network, parties, NOW),
            &mut Seeded(seed),
        )
        .unwrap();
        let trust = Trust::from_bundle(&founding.bundle, Some(founding.root_digest), NOW).unwrap();
        Self {
            trust,
            keyrings: founding.keyrings,
            roster_signers: founding.roster_signers,
        }
    }

    /// The trust that follows when the Secretariat signs a changed roster as the next version.
    pub fn next_roster(&self, change: impl FnOnce(&mut v1::Roster)) -> Trust {
        use abeng_wire::prost::Message;
        let now = self.trust.roster.signed();
        let mut next = v1::Roster::decode(now.bytes.clone()).unwrap();
        next.version += 1;
        next.previous = self.trust.roster.digest().to_bytes();
        change(&mut next);
        let signers: Vec<_> = self.roster_signers.iter().take(2).collect();
        let bundle = v1::TrustBundle {
            rosters: vec![ceremony::sign_roster(&next, &signers).unwrap()],
            ..Default::default()
        };
        self.trust.merge(&bundle, NOW).unwrap().unwrap()
    }

    pub fn keys(&self, party: &str) -> &Keyring {
        let mut all = self.keyrings.iter();
        all.find(|k| k.party == code(party)).unwrap()
    }

    pub fn cleared(&self, from: &str, to: &[&str]) -> Cleared {
        let to: Vec<_> = to.iter().map(|c| code(c)).collect();
        let facts = NoticeFacts {
            ty: "SEIZURE",
            tlp: Tlp::RED,
        };
        Policy::clear(&self.trust, code(from), &to, &facts, NOW).unwrap()
    }

    /// Seals with everything as it should be but what `change` changes.
    pub fn seal_with(
        &self,
        (from, to): (&str, &[&str]),
        notice: &[u8],
        boxes: &mut BoxCache,
        change: impl FnOnce(&mut SealInput<'_>),
    ) -> Result<Sealed, SealError> {
        let cleared = self.cleared(from, to);
        let positions: Vec<_> = cleared
            .to()
            .iter()
            .map(|&p| (p, StreamSeq::FIRST))
            .collect();
        let keys = self.keys(from);
        let mut input = SealInput {
            trust: &self.trust,
            cleared: &cleared,
            org_sign: keys.org_sign().as_ref(),
            store: &keys.store,
            incarnation: LIFE,
            created_at: NOW,
            expires_at: NOW + DAY,
            precedence: v1::Precedence::Priority,
            positions: &positions,
            notice: &Bytes::copy_from_slice(notice),
            attachments: &[],
            boxes,
            now: Now {
                mono: Mono(1),
                wall: NOW,
            },
        };
        change(&mut input);
        seal(input, &mut entropy())
    }

    pub fn seal(&self, from: &str, to: &[&str], notice: &[u8]) -> Sealed {
        self.seal_with((from, to), notice, &mut BoxCache::new(), |_| {})
            .unwrap()
    }

    pub fn secrets(&self, party: &str) -> impl Fn(&Kid) -> Option<Arc<SealSecret>> {
        let keys = self.keys(party);
        |kid: &Kid| keys.seal_secret(kid)
    }

    pub fn verify(&self, frame: &Bytes, me: &str) -> Result<Verified, VerifyFault> {
        self.verify_at(frame, me, NOW + 1)
    }

    pub fn verify_at(&self, frame: &Bytes, me: &str, now: Millis) -> Result<Verified, VerifyFault> {
        verify(Arrived::parse(frame)?, &self.trust, code(me), now)
    }

    pub fn open(&self, verified: &Verified, me: &str) -> Result<Opened, OpenFault> {
        let mut boxes = OpenedBoxes::default();
        open(verified, &self.secrets(me), code(me), &mut boxes)
    }

    /// Signs an envelope's HDR again, so that what was changed is the originator's fault.
    pub fn sign(&self, from: &str, envelope: &mut v1::Envelope) {
        use abeng_keys::{SignatureType, Signer};
        let signer = self.keys(from).org_sign();
        let sig = signer.sign(SignatureType::ENVELOPE, &envelope.hdr).unwrap();
        envelope.sig = Bytes::copy_from_slice(&sig);
    }
}

pub fn frame(envelope: &v1::Envelope) -> Bytes {
    encode(envelope)
}
