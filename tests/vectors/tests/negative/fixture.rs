//! The network that the vectors are of, founded from a fixed seed: BB, JM, LC (coordination and
//! relay) and TT. What is random in a vector follows from its name.

use abeng_keys::{DualSigner, Entropy, Keyring, SignatureType, Signer};
use abeng_roster::{
    Trust, ceremony, digest,
    founding::{Founding, FoundingParty, FoundingRequest, found},
};
use abeng_wire::{Incarnation, Millis, NetworkCode, PartyCode, encode, prost::Message, v1};
use bytes::Bytes;
use std::cell::Cell;

pub const NOW: Millis = 1_767_225_600_000; // 2026-01-01
pub const DAY: Millis = 86_400_000;
pub const LIFE: Incarnation = Incarnation(NOW << 16 | 1);

thread_local! {
    static SEED: Cell<u64> = const { Cell::new(0) };
}

/// From here on everything random follows from this name.
pub fn seed(name: &str) {
    let hash = digest(name.as_bytes()).0;
    SEED.set(u64::from_be_bytes(hash[..8].try_into().unwrap()));
}

/// A generator that no other call since [`seed`] got.
pub fn entropy() -> Seeded {
    SEED.set(SEED.get().wrapping_add(1 << 32));
    Seeded(SEED.get())
}

/// Splitmix64.
pub struct Seeded(u64);

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

pub fn code(text: &str) -> PartyCode {
    PartyCode::new(text).unwrap()
}

pub fn frame(envelope: &v1::Envelope) -> Bytes {
    encode(envelope)
}

pub struct Net {
    pub founding: Founding,
    /// 2 of 2 root signers, 2 of 2 roster signers, three freshness signers without the half that
    /// they do not use: so the files stay small.
    pub root: v1::Signed,
    pub roster: v1::Signed,
    pub trust: Trust,
}

impl Net {
    pub fn new() -> Self {
        seed("network");
        let party = |c: &str| FoundingParty {
            code: code(c),
            name: format!("Customs of {c}"),
            country: c.into(),
            kind: match c {
                "LC" => v1::PartyKind::Coordination,
                _ => v1::PartyKind::Member,
            },
            addresses: vec!["192.0.2.1:7464".into()],
            relay: c == "LC",
        };
        let parties = ["BB", "JM", "LC", "TT"].map(party).into();
        let network = NetworkCode::new("vectors").unwrap();
        let founding = found(FoundingRequest::new(network, parties, NOW), &mut entropy()).unwrap();
        let mut root = v1::Root::decode(founding.bundle.roots[0].bytes.clone()).unwrap();
        root.signers.truncate(2);
        root.threshold = 2;
        root.roster_signers.truncate(2);
        for signer in &mut root.freshness_signers {
            signer.ml_dsa.clear();
        }
        let signers: Vec<_> = founding.root_signers[..2].iter().collect();
        let root = ceremony::sign_root(&root, &signers).unwrap();
        let roster = founding.bundle.rosters[0].clone();
        let bundle = v1::TrustBundle {
            roots: vec![root.clone()],
            ..founding.bundle.clone()
        };
        let trust = Trust::from_bundle(&bundle, None, NOW).unwrap();
        Self {
            founding,
            root,
            roster,
            trust,
        }
    }

    pub fn keys(&self, party: &str) -> &Keyring {
        let mut all = self.founding.keyrings.iter();
        all.find(|k| k.party == code(party)).unwrap()
    }

    /// The four signing keys of a party, in the order of its entry.
    pub fn signers(&self, party: &str) -> [&dyn Signer; 4] {
        let keys = self.keys(party);
        [
            &**keys.org_sign(),
            &**keys.node_tls(),
            &**keys.log(),
            &**keys.witness(),
        ]
    }

    pub fn root_signers(&self, which: &[usize]) -> Vec<&DualSigner> {
        which
            .iter()
            .map(|&i| &self.founding.root_signers[i])
            .collect()
    }

    pub fn roster_signers(&self, which: &[usize]) -> Vec<&DualSigner> {
        which
            .iter()
            .map(|&i| &self.founding.roster_signers[i])
            .collect()
    }

    /// Signs an envelope's HDR again, so that what was changed is the originator's fault.
    pub fn sign(&self, from: &str, envelope: &mut v1::Envelope) {
        let signer = self.keys(from).org_sign();
        let sig = signer.sign(SignatureType::ENVELOPE, &envelope.hdr).unwrap();
        envelope.sig = Bytes::copy_from_slice(&sig);
    }
}
