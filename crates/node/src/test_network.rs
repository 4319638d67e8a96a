//! A network for unit tests: JM, LC (coordination) and TT, who watch each other.

use abeng_audit_log::{Checkpoint, LogOrigin, merkle::Frontier};
use abeng_keys::{Keyring, SystemEntropy};
use abeng_roster::{
    Trust,
    founding::{FoundingParty, FoundingRequest, found},
};
use abeng_wire::{Incarnation, LeafHash, PartyCode, v1::PartyKind};
use std::sync::OnceLock;

pub(crate) const NOW: u64 = 1_790_000_000_000;
pub(crate) const LIFE: u64 = NOW << 16 | 7;

pub(crate) struct Network {
    pub(crate) trust: Trust,
    keyrings: Vec<Keyring>,
}

pub(crate) fn code(text: &str) -> PartyCode {
    PartyCode::new(text).unwrap()
}

pub(crate) fn network() -> &'static Network {
    static NETWORK: OnceLock<Network> = OnceLock::new();
    NETWORK.get_or_init(|| {
        let party = |text: &str, kind| FoundingParty {
            code: code(text),
            name: text.into(),
            country: text.into(),
            kind,
            addresses: vec!["localhost:4600".into()],
            relay: false,
        };
        let parties = vec![
            party("JM", PartyKind::Member),
            party("LC", PartyKind::Coordination),
            party("TT", PartyKind::Member),
        ];
        let request = FoundingRequest::new("test".parse().unwrap(), parties, NOW);
        let founding = found(request, &mut SystemEntropy).unwrap();
        let trust = Trust::from_bundle(&founding.bundle, Some(founding.root_digest), NOW).unwrap();
        Network {
            trust,
            keyrings: founding.keyrings,
        }
    })
}

impl Network {
    pub(crate) fn keys(&self, party: &str) -> &Keyring {
        let mut keyrings = self.keyrings.iter();
        keyrings.find(|k| k.party == code(party)).unwrap()
    }
}

/// A life of TT's log.
pub(crate) fn origin(life: u64) -> LogOrigin {
    LogOrigin {
        network: network().trust.roster.network(),
        party: code("TT"),
        incarnation: Incarnation(life),
    }
}

/// Leaf hashes of a branch of TT's log; all branches are one up to leaf 3.
pub(crate) fn leaf(index: u64, branch: u8) -> LeafHash {
    let branch = if index < 3 { 0 } else { branch };
    abeng_audit_log::merkle::leaf_hash(&[&index.to_be_bytes()[..], &[branch]].concat())
}

pub(crate) fn range(size: u64, branch: u8) -> Frontier {
    let mut range = Frontier::new();
    (0..size).for_each(|i| range.push(leaf(i, branch)));
    range
}

/// TT's checkpoint of a branch of its log.
pub(crate) fn checkpoint(size: u64, branch: u8, life: u64) -> Checkpoint {
    let root = range(size, branch).root();
    let key = network().keys("TT").log().as_ref();
    Checkpoint::sign(&origin(life).to_string(), size, root, key).unwrap()
}
