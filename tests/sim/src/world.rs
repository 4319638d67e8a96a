//! What every run begins with: a founded network of five, of which a run uses the first few.

use crate::Random;
use abeng_audit_log::LogOrigin;
use abeng_keys::Keyring;
use abeng_roster::{
    Trust,
    founding::{FoundingParty, FoundingRequest, found},
};
use abeng_wire::{Incarnation, Millis, NetworkCode, PartyCode, v1};
use std::sync::OnceLock;

/// When every run begins.
pub(crate) const START: Millis = 1_790_000_000_000;
/// The parties, sorted by code.
pub(crate) const CODES: [&str; 5] = ["CW", "JM", "NL", "SX", "TT"];
/// The place of the party that may relay.
pub(crate) const RELAY: usize = 2;
/// The most that a run may have.
pub(crate) const N: usize = CODES.len();

/// Trust data and secrets.
pub(crate) struct World {
    pub(crate) trust: Trust,
    pub(crate) keyrings: Vec<Keyring>,
}

/// Founded once per process from a seed of its own: the same network in every run.
pub(crate) fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let party = |code: &&str| FoundingParty {
            code: PartyCode::new(code).unwrap(),
            name: (*code).to_owned(),
            country: (*code).to_owned(),
            kind: v1::PartyKind::Member,
            addresses: vec!["127.0.0.1:4433".to_owned()],
            relay: *code == CODES[RELAY],
        };
        let network = NetworkCode::new("sim").unwrap();
        let request = FoundingRequest::new(network, CODES.iter().map(party).collect(), START);
        let founding = found(request, &mut Random::new(0)).unwrap();
        let pinned = Some(founding.root_digest);
        World {
            trust: Trust::from_bundle(&founding.bundle, pinned, START).unwrap(),
            keyrings: founding.keyrings,
        }
    })
}

/// The code of the n-th party.
pub(crate) fn party(n: usize) -> PartyCode {
    PartyCode::new(CODES[n]).unwrap()
}

/// The place of a party.
pub(crate) fn place_of(party: PartyCode) -> usize {
    CODES.iter().position(|c| *c == party.as_str()).unwrap()
}

/// The first life of each party's log.
pub(crate) fn first_life(n: usize) -> Incarnation {
    Incarnation(START << 16 | n as u64)
}

/// The origin of a party's checkpoints in a life of its log.
pub(crate) fn origin(n: usize, incarnation: Incarnation) -> LogOrigin {
    LogOrigin {
        network: world().trust.roster.network(),
        party: party(n),
        incarnation,
    }
}
