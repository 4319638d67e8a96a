//! A founded network of four parties, and the means to hold the next ceremonies.

use abeng_keys::{DualSigner, Entropy, Keyring, Signer};
use abeng_roster::{
    Trust, ceremony, digest,
    founding::{Founding, FoundingParty, FoundingRequest, found},
};
use abeng_wire::{NetworkCode, PartyCode, encode, v1};
use bytes::Bytes;
use prost::Message;

pub const DAY: u64 = 24 * 60 * 60 * 1000;
/// The founding.
pub const T0: u64 = 1_760_000_000_000;

/// Not random at all; every 32 bytes differ.
pub struct Counting(pub u64);

impl Entropy for Counting {
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            self.0 += 1;
            let word = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

pub fn code(text: &str) -> PartyCode {
    PartyCode::new(text).unwrap()
}

pub fn request() -> FoundingRequest {
    let party = |(text, name, kind): (&str, &str, v1::PartyKind)| FoundingParty {
        code: code(text),
        name: name.into(),
        country: text.into(),
        kind,
        addresses: vec![format!("{}.example.org:7464", text.to_lowercase())],
        relay: text == "LC",
    };
    let parties = [
        ("TT", "Trinidad and Tobago Customs", v1::PartyKind::Member),
        (
            "LC",
            "Joint Intelligence Office",
            v1::PartyKind::Coordination,
        ),
        ("JM", "Jamaica Customs Agency", v1::PartyKind::Member),
        ("BB", "Barbados Customs", v1::PartyKind::Member),
    ];
    FoundingRequest::new(
        NetworkCode::new("try-out").unwrap(),
        parties.map(party).into(),
        T0,
    )
}

pub struct World {
    pub founding: Founding,
    pub trust: Trust,
}

impl World {
    pub fn new() -> Self {
        let founding = found(request(), &mut Counting(0)).unwrap();
        let trust = Trust::from_bundle(&founding.bundle, Some(founding.root_digest), T0).unwrap();
        Self { founding, trust }
    }

    pub fn keyring(&self, party: &str) -> &Keyring {
        let mut all = self.founding.keyrings.iter();
        all.find(|k| k.party == code(party)).unwrap()
    }

    pub fn root_signers(&self, which: &[usize]) -> Vec<&DualSigner> {
        let signers = &self.founding.root_signers;
        which.iter().map(|&i| &signers[i]).collect()
    }

    pub fn roster_signers(&self, which: &[usize]) -> Vec<&DualSigner> {
        let signers = &self.founding.roster_signers;
        which.iter().map(|&i| &signers[i]).collect()
    }

    /// The root as it stands, to be edited.
    pub fn root(&self) -> v1::Root {
        v1::Root::decode(self.founding.bundle.roots[0].bytes.clone()).unwrap()
    }

    /// The first roster, to be edited.
    pub fn roster(&self) -> v1::Roster {
        v1::Roster::decode(self.founding.bundle.rosters[0].bytes.clone()).unwrap()
    }

    /// What the roster after `previous` begins as.
    pub fn after(previous: &v1::Signed) -> v1::Roster {
        let mut m = v1::Roster::decode(previous.bytes.clone()).unwrap();
        m.version += 1;
        m.previous = digest(&previous.bytes).to_bytes();
        m.issued += 1000;
        // Each is of one version.
        m.overrides.clear();
        m
    }

    /// The second roster, edited, signed by two of three.
    pub fn second(&self, edit: impl FnOnce(&mut v1::Roster)) -> v1::Signed {
        let mut m = Self::after(&self.founding.bundle.rosters[0]);
        edit(&mut m);
        self.sign(&m)
    }

    pub fn sign(&self, m: &v1::Roster) -> v1::Signed {
        ceremony::sign_roster(m, &self.roster_signers(&[0, 1])).unwrap()
    }
}

/// Edits the entry at `at`, signed anew by `signers`.
pub fn edit_party(
    m: &mut v1::Roster,
    party: &str,
    signers: &[&dyn Signer],
    edit: impl FnOnce(&mut v1::Party),
) {
    let at = position(m, party);
    let mut entry = v1::Party::decode(m.parties[at].bytes.clone()).unwrap();
    entry.version += 1;
    edit(&mut entry);
    m.parties[at] = ceremony::sign_party(&entry, signers).unwrap();
}

pub fn position(m: &v1::Roster, party: &str) -> usize {
    let is = |s: &v1::Signed| v1::Party::decode(s.bytes.clone()).unwrap().code == party;
    m.parties.iter().position(is).unwrap()
}

pub fn key(role: v1::KeyRole, signer: &dyn Signer) -> v1::PartyKey {
    v1::PartyKey {
        role: role as i32,
        key: Bytes::copy_from_slice(signer.verify_key().bytes()),
        not_before: T0,
        not_after: T0 + 365 * DAY,
    }
}

/// A new party's entry with keys of its own, signed with each.
pub fn new_party(text: &str, keyring: &Keyring) -> v1::Signed {
    let keys: [(v1::KeyRole, &dyn Signer); 4] = [
        (v1::KeyRole::OrgSign, &**keyring.org_sign()),
        (v1::KeyRole::NodeTls, &**keyring.node_tls()),
        (v1::KeyRole::Log, &**keyring.log()),
        (v1::KeyRole::Witness, &**keyring.witness()),
    ];
    let entry = v1::Party {
        code: text.into(),
        name: "Newcomer".into(),
        kind: v1::PartyKind::Member as i32,
        country: text.into(),
        status: v1::PartyStatus::Active as i32,
        keys: keys.iter().map(|(role, s)| key(*role, *s)).collect(),
        addresses: vec!["192.0.2.7:7464".into()],
        log_origin: format!("abeng/try-out/{text}/"),
        witnesses: vec!["BB".into()],
        relay: false,
        version: 1,
    };
    ceremony::sign_party(&entry, &keys.map(|(_, s)| s)).unwrap()
}

/// Canonical bytes of a message with the given signatures.
pub fn signed<M: Message>(m: &M, signatures: Vec<v1::Signature>) -> v1::Signed {
    v1::Signed {
        bytes: encode(m),
        signatures,
    }
}
