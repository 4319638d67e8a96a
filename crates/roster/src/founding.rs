//! The founding of a network as one act: every key made, every statement signed by those whose
//! keys it names, and the result verified from its bytes like any other. For trying things out
//! on one machine, and for tests; in a real founding each holder signs on a machine of its own.

use crate::{Trust, TrustError, ceremony, digest};
use abeng_keys::{DualSigner, Entropy, Keyring, SignError, Signer};
use abeng_wire::{Digest, Millis, NetworkCode, PartyCode, v1};
use bytes::Bytes;

const DAY_MS: Millis = 24 * 60 * 60 * 1000;
/// Signers of the root, of whom [`ROOT_THRESHOLD`] must sign.
pub const ROOT_SIGNERS: usize = 7;
/// How many signers a root needs.
pub const ROOT_THRESHOLD: usize = 4;
/// Signers of rosters, of whom [`ROSTER_THRESHOLD`] must sign.
pub const ROSTER_SIGNERS: usize = 3;
/// How many signers a roster needs.
pub const ROSTER_THRESHOLD: usize = 2;
/// Signers of freshness statements, of whom any one suffices.
pub const FRESHNESS_SIGNERS: usize = 3;
/// The group that holds every party.
pub const EVERYBODY: &str = "ALL";
/// Keys begin this much before the founding, so that a machine whose clock is behind can use
/// them.
const HEAD_START_MS: Millis = DAY_MS;

/// What a network is founded with.
#[derive(Debug, Clone)]
pub struct FoundingRequest {
    /// Its code.
    pub network: NetworkCode,
    /// Its parties, in any order.
    pub parties: Vec<FoundingParty>,
    /// The time of the founding.
    pub now: Millis,
    /// Days that the first roster is good for.
    pub roster_days: u32,
    /// Days that the root and the parties' signing keys are good for.
    pub root_days: u32,
    /// Days that the first seal keys are good for.
    pub seal_days: u32,
}

impl FoundingRequest {
    /// With the usual times: roster 1 year, root and signing keys 5 years, seal keys 1 year.
    pub fn new(network: NetworkCode, parties: Vec<FoundingParty>, now: Millis) -> Self {
        Self {
            network,
            parties,
            now,
            roster_days: 365,
            root_days: 5 * 365,
            seal_days: 365,
        }
    }
}

/// One party to begin with.
#[derive(Debug, Clone)]
pub struct FoundingParty {
    /// Its code.
    pub code: PartyCode,
    /// Its name, for people.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Member, observer, partner or coordination.
    pub kind: v1::PartyKind,
    /// Where its node will listen, as `host:port` (UDP).
    pub addresses: Vec<String>,
    /// Whether it carries the envelopes of others.
    pub relay: bool,
}

/// Why a network could not be founded.
#[derive(Debug, thiserror::Error)]
pub enum FoundingError {
    /// The request asks for a network that its own rules refuse.
    #[error("cannot found this network: {0}")]
    Refused(#[from] TrustError),
    /// A signer failed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// Nobody to found it for.
    #[error("a network begins with two parties at least")]
    TooFewParties,
}

/// A founded network: all its secrets, and what everybody may know.
#[derive(Debug)]
pub struct Founding {
    /// The root's signers, [`ROOT_SIGNERS`] of them.
    pub root_signers: Vec<DualSigner>,
    /// The roster's signers, [`ROSTER_SIGNERS`] of them.
    pub roster_signers: Vec<DualSigner>,
    /// The freshness signers, [`FRESHNESS_SIGNERS`] of them; only their Ed25519 half is used.
    pub freshness_signers: Vec<DualSigner>,
    /// One keyring per party, sorted by code.
    pub keyrings: Vec<Keyring>,
    /// Root, roster, freshness and seal keys.
    pub bundle: v1::TrustBundle,
    /// What every node pins.
    pub root_digest: Digest,
}

/// Founds a network: makes all keys, signs root and roster by their thresholds, has each party
/// prove possession of each of its keys, publishes seal keys and a first freshness statement,
/// grants every active party every type up to TLP:RED, and verifies the whole from its bytes.
pub fn found(
    request: FoundingRequest,
    entropy: &mut dyn Entropy,
) -> Result<Founding, FoundingError> {
    if request.parties.len() < 2 {
        return Err(FoundingError::TooFewParties);
    }
    let mut parties = request.parties.clone();
    parties.sort_by_key(|p| p.code);
    let mut signers =
        |n: usize| -> Vec<DualSigner> { (0..n).map(|_| DualSigner::generate(entropy)).collect() };
    let root_signers = signers(ROOT_SIGNERS);
    let roster_signers = signers(ROSTER_SIGNERS);
    let freshness_signers = signers(FRESHNESS_SIGNERS);
    let keyrings: Vec<Keyring> = parties
        .iter()
        .map(|p| Keyring::generate(p.code, entropy))
        .collect();

    let root = v1::Root {
        version: 1,
        expires: request.now + u64::from(request.root_days) * DAY_MS,
        network: request.network.to_string(),
        signers: holders("root signer", &root_signers, &parties),
        threshold: ROOT_THRESHOLD as u32,
        roster_signers: holders("roster signer", &roster_signers, &parties),
        roster_threshold: ROSTER_THRESHOLD as u32,
        freshness_signers: holders("freshness signer", &freshness_signers, &parties),
        ..Default::default()
    };
    let root = ceremony::sign_root(&root, &first(&root_signers, ROOT_THRESHOLD))?;
    let roster = roster(&request, &parties, &keyrings)?;
    let roster = ceremony::sign_roster(&roster, &first(&roster_signers, ROSTER_THRESHOLD))?;
    let freshness = v1::Freshness {
        roster: Some(v1::RosterRef {
            version: 1,
            digest: digest(&roster.bytes).to_bytes(),
        }),
        at: request.now,
        expires: request.now + 2 * DAY_MS,
    };
    let freshness = match freshness_signers.first() {
        Some(signer) => Some(ceremony::sign_freshness(&freshness, signer.ed25519())?),
        None => None,
    };
    let founding = Founding {
        root_digest: digest(&root.bytes),
        bundle: v1::TrustBundle {
            roots: vec![root],
            rosters: vec![roster],
            freshness,
            seal_keys: seal_keys(&request, &keyrings)?,
            ..Default::default()
        },
        root_signers,
        roster_signers,
        freshness_signers,
        keyrings,
    };
    founding.verify(request.now)?;
    Ok(founding)
}

impl Founding {
    /// Verifies everything from its bytes, as a node does at its start.
    fn verify(&self, now: Millis) -> Result<(), TrustError> {
        let trust = Trust::from_bundle(&self.bundle, Some(self.root_digest), now)?;
        trust.check_time(now)?;
        for keyring in &self.keyrings {
            let kid = keyring.seal.newest().map(|s| s.kid());
            if trust.seal_key(keyring.party, now).map(|k| k.kid()) != kid {
                return Err(TrustError::WrongKid {
                    party: keyring.party,
                });
            }
        }
        Ok(())
    }
}

/// The signers' public halves, held in the parties' countries in turn.
fn holders(what: &str, signers: &[DualSigner], parties: &[FoundingParty]) -> Vec<v1::DualKey> {
    let countries = parties.iter().map(|p| p.country.as_str()).cycle();
    let named = signers.iter().zip(countries).enumerate();
    named
        .map(|(i, (s, country))| s.dual_key(&format!("{what} {} ({country})", i + 1), country))
        .collect()
}

fn first(signers: &[DualSigner], n: usize) -> Vec<&DualSigner> {
    signers.iter().take(n).collect()
}

fn roster(
    request: &FoundingRequest,
    parties: &[FoundingParty],
    keyrings: &[Keyring],
) -> Result<v1::Roster, SignError> {
    let entries = (0..parties.len()).map(|i| entry(request, parties, i, &keyrings[i]));
    let codes: Vec<String> = parties.iter().map(|p| p.code.to_string()).collect();
    Ok(v1::Roster {
        network: request.network.to_string(),
        version: 1,
        previous: Bytes::new(),
        issued: request.now,
        expires: request.now + u64::from(request.roster_days) * DAY_MS,
        root_version: 1,
        parties: entries.collect::<Result<_, _>>()?,
        groups: vec![v1::Group {
            code: EVERYBODY.into(),
            members: codes,
        }],
        grants: vec![v1::Grant {
            from: "*".into(),
            to: "*".into(),
            notice_types: Vec::new(),
            highest_tlp: v1::Tlp::Red as u32,
        }],
        ..Default::default()
    })
}

/// A party's entry with its four keys, signed with each.
fn entry(
    request: &FoundingRequest,
    parties: &[FoundingParty],
    at: usize,
    keyring: &Keyring,
) -> Result<v1::Signed, SignError> {
    let party = &parties[at];
    let keys = [
        (v1::KeyRole::OrgSign, keyring.org_sign()),
        (v1::KeyRole::NodeTls, keyring.node_tls()),
        (v1::KeyRole::Log, keyring.log()),
        (v1::KeyRole::Witness, keyring.witness()),
    ];
    let key =
        |(role, signer): &(v1::KeyRole, &std::sync::Arc<abeng_keys::SoftSigner>)| v1::PartyKey {
            role: *role as i32,
            key: Bytes::copy_from_slice(signer.verify_key().bytes()),
            not_before: request.now.saturating_sub(HEAD_START_MS),
            not_after: request.now + u64::from(request.root_days) * DAY_MS,
        };
    let message = v1::Party {
        code: party.code.to_string(),
        name: party.name.clone(),
        kind: party.kind as i32,
        country: party.country.clone(),
        status: v1::PartyStatus::Active as i32,
        keys: keys.iter().map(key).collect(),
        addresses: party.addresses.clone(),
        log_origin: format!("abeng/{}/{}/", request.network, party.code),
        witnesses: witnesses(parties, at),
        relay: party.relay,
        version: 1,
    };
    let signers: Vec<&dyn Signer> = keys.iter().map(|(_, s)| s.as_ref() as _).collect();
    ceremony::sign_party(&message, &signers)
}

/// The next min(5, members − 1) parties in turn: each watches as many as watch it.
fn witnesses(parties: &[FoundingParty], at: usize) -> Vec<String> {
    let count = (parties.len() - 1).min(5);
    let mut codes: Vec<PartyCode> = (1..=count)
        .map(|step| parties[(at + step) % parties.len()].code)
        .collect();
    codes.sort_unstable();
    codes.iter().map(PartyCode::to_string).collect()
}

fn seal_keys(
    request: &FoundingRequest,
    keyrings: &[Keyring],
) -> Result<Vec<v1::Signed>, SignError> {
    let interval = (
        request.now.saturating_sub(HEAD_START_MS),
        request.now + u64::from(request.seal_days) * DAY_MS,
    );
    let newest = keyrings.iter().filter_map(|k| Some((k, k.seal.newest()?)));
    newest
        .map(|(keyring, secret)| {
            let signer = keyring.org_sign().as_ref();
            ceremony::sign_seal_key(keyring.party, 1, secret.public(), interval, signer)
        })
        .collect()
}
