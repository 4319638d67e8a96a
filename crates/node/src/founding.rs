//! `abeng network init`: a whole founding ceremony on one machine, for trying things out.
//!
//! Nothing here is a short cut: the keys, thresholds and statements are those that members at
//! several tables would make, and every node verifies them at its start. What is missing is the
//! tables: whoever runs this has held all keys once.

use crate::{
    clock,
    layout::{Layout, replace},
};
use abeng_audit_log::{
    Batch, Journal, JournalIdentity, OpenError, OpenOptions, RealDisk, Record, Step, subject,
};
use abeng_keys::{Entropy, Keyring, KeyringError, Protection, SignatureType, SystemEntropy};
use abeng_roster::{
    Trust, TrustError,
    founding::{Founding, FoundingError, FoundingParty, FoundingRequest, found},
    sign_incarnation,
};
use abeng_wire::{Incarnation, NetworkCode, PartyCode, v1};
use std::{
    fs, io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

/// What to found.
#[derive(Debug, Clone)]
pub struct InitRequest {
    /// Where: must be empty or not there.
    pub dir: PathBuf,
    /// The network's code.
    pub network: NetworkCode,
    /// The parties, with their kinds and names.
    pub parties: Vec<InitParty>,
    /// How keys rest on disk.
    pub protection: Protection,
    /// The file that holds the passphrase, where there is one: named in each node.toml.
    pub passphrase_file: Option<PathBuf>,
    /// The address that nodes listen on and are reached at.
    pub host: IpAddr,
    /// The link port of the first party; each next one has the next port.
    pub base_port: u16,
    /// Seconds between two Status reports; `None`: as the profile says.
    pub status_every_s: Option<u32>,
}

/// One party to found with.
#[derive(Debug, Clone)]
pub struct InitParty {
    /// Its code.
    pub code: PartyCode,
    /// Its name, for people.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Member, coordination …
    pub kind: v1::PartyKind,
    /// Where others reach its node, `host:port`, UDP; `None`: at the request's host, on this machine.
    pub address: Option<String>,
}

/// What was founded.
#[derive(Debug, Clone)]
pub struct InitReport {
    /// SHA-256 of the root, hex.
    pub root: String,
    /// Each party's code, data directory and link address.
    pub parties: Vec<(PartyCode, PathBuf, String)>,
    /// Where the offline keys lie.
    pub root_keys: PathBuf,
}

/// Why nothing, or not everything, was founded.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The directory holds something.
    #[error("{} is not empty: a network is founded in a directory of its own", dir.display())]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
    /// Not a network that its own rules allow.
    #[error(transparent)]
    Founding(#[from] FoundingError),
    /// What was made does not verify: a defect.
    #[error("the new network does not verify: {0}")]
    Verify(#[from] TrustError),
    /// Keys cannot be written.
    #[error(transparent)]
    Keys(#[from] KeyringError),
    /// A journal cannot be made.
    #[error(transparent)]
    Journal(#[from] OpenError),
    /// A key cannot sign.
    #[error("signing failed: {0}")]
    Sign(#[from] abeng_keys::SignError),
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// An address that is none.
    #[error("`{address}` is not an address: write host:port")]
    Address {
        /// As written.
        address: String,
    },
    /// A relay that is no party.
    #[error("`{relay}` is to be a relay and is none of the parties")]
    Relay {
        /// As written.
        relay: PartyCode,
    },
    /// More parties than ports.
    #[error("{parties} parties need as many ports from {base}; there are not enough below 65536")]
    Ports {
        /// How many.
        parties: usize,
        /// The first.
        base: u16,
    },
}

/// Founds a network in `request.dir`.
pub fn init(request: &InitRequest) -> Result<InitReport, InitError> {
    init_with_relays(request, &[])
}

/// Founds a network some of whose parties have the relay flag: they carry envelopes between
/// parties that are not linked.
pub fn init_with_relays(
    request: &InitRequest,
    relays: &[PartyCode],
) -> Result<InitReport, InitError> {
    let stranger = |code: &&PartyCode| !request.parties.iter().any(|p| p.code == **code);
    if let Some(&relay) = relays.iter().find(stranger) {
        return Err(InitError::Relay { relay });
    }
    let dir = &request.dir;
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| InitError::Write { path, source }
    };
    if fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(InitError::NotEmpty { dir: dir.clone() });
    }
    let count = request.parties.len();
    if usize::from(request.base_port) + count > usize::from(u16::MAX) {
        return Err(InitError::Ports {
            parties: count,
            base: request.base_port,
        });
    }
    let port = |nth: usize| SocketAddr::new(request.host, request.base_port + nth as u16);
    let listens = request
        .parties
        .iter()
        .enumerate()
        .map(|(nth, party)| match &party.address {
            Some(address) => listen_on(address),
            None => Ok(port(nth)),
        });
    let listens: Vec<SocketAddr> = listens.collect::<Result<_, _>>()?;
    let now = clock::wall();
    let parties = request
        .parties
        .iter()
        .enumerate()
        .map(|(nth, party)| FoundingParty {
            code: party.code,
            name: party.name.clone(),
            country: party.country.clone(),
            kind: party.kind,
            addresses: vec![
                party
                    .address
                    .clone()
                    .unwrap_or_else(|| port(nth).to_string()),
            ],
            relay: relays.contains(&party.code),
        });
    let founding = found(
        FoundingRequest::new(request.network, parties.collect(), now),
        &mut SystemEntropy,
    )?;
    // As every node will at its start: from the bytes and the pinned root alone.
    let trust = Trust::from_bundle(&founding.bundle, Some(founding.root_digest), now)?;
    // Nothing is written before all that was asked for is known to be good.
    Layout::create_dir(dir).map_err(at(dir))?;
    let dir = &dir.canonicalize().map_err(at(dir))?;
    let mut report = InitReport {
        root: founding.root_digest.to_string(),
        parties: Vec::new(),
        root_keys: dir.join("root-keys"),
    };
    for (nth, party) in request.parties.iter().enumerate() {
        let home = dir.join(party.code.as_str().to_lowercase());
        let Some(keyring) = founding.keyrings.iter().find(|k| k.party == party.code) else {
            continue;
        };
        let layout = Layout::new(&home);
        Layout::create_dir(&home).map_err(at(&home))?;
        keyring.save(&layout.keys(), &request.protection)?;
        layout
            .write_trust(&founding.bundle)
            .map_err(at(&layout.trust()))?;
        create_journal(&home, keyring, &trust, now)?;
        let toml = node_toml(request, party.code, listens[nth], &report.root);
        let path = home.join("node.toml");
        replace(&path, toml.as_bytes(), 0o600).map_err(at(&path))?;
        let address = party
            .address
            .clone()
            .unwrap_or_else(|| port(nth).to_string());
        report.parties.push((party.code, home, address));
    }
    save_offline_keys(&founding, &report.root_keys)?;
    Ok(report)
}

/// Makes the journal with its leaf 0: the signed Incarnation.
pub fn create_journal(
    home: &Path,
    keyring: &Keyring,
    trust: &Trust,
    now: u64,
) -> Result<Incarnation, InitError> {
    let mut random = [0; 2];
    SystemEntropy.fill(&mut random);
    let incarnation = Incarnation::new(now, u16::from_be_bytes(random), Incarnation::default());
    let statement = v1::Incarnation {
        party: keyring.party.to_string(),
        incarnation: incarnation.0,
        reason: "founded".to_owned(),
        ..Default::default()
    };
    let step = first_leaf(keyring, trust, now, statement)?;
    let mut key = [0; 32];
    SystemEntropy.fill(&mut key);
    let journal = Journal::create(
        RealDisk::new(home),
        JournalIdentity { key },
        OpenOptions::default(),
        Batch::from(vec![step]),
    )?;
    journal.close().map_err(|e| InitError::Write {
        path: home.join("journal"),
        source: io::Error::other(e.to_string()),
    })?;
    Ok(incarnation)
}

/// Leaf 0: the incarnation that opens a log, signed.
pub(crate) fn first_leaf(
    keyring: &Keyring,
    trust: &Trust,
    now: u64,
    statement: v1::Incarnation,
) -> Result<Step<()>, InitError> {
    let incarnation = statement.incarnation;
    let signed = sign_incarnation(keyring.signer().as_ref(), statement)?;
    let leaf = v1::Leaf {
        version: 1,
        kind: v1::LeafKind::Incarnation.into(),
        actor: keyring.party.to_string(),
        incarnation,
        time: now,
        roster: Some(trust.roster.reference()),
        subject: subject(SignatureType::INCARNATION.name(), &signed.bytes).to_bytes(),
        ..Default::default()
    };
    let proof = v1::ProofPart {
        of: Some(v1::proof_part::Of::Statement(signed)),
    };
    Ok(Step {
        facts: vec![Record::new(leaf).with_proof(&proof)],
        gated: Vec::<()>::new(),
    })
}

/// A node that others reach at `host:port` listens on that port on all its addresses.
fn listen_on(address: &str) -> Result<SocketAddr, InitError> {
    let port = address
        .rsplit_once(':')
        .filter(|(host, _)| !host.is_empty())
        .and_then(|(_, port)| port.parse().ok());
    let port = port
        .filter(|p: &u16| *p != 0)
        .ok_or_else(|| InitError::Address {
            address: address.to_owned(),
        })?;
    Ok(SocketAddr::new(
        IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
        port,
    ))
}

fn node_toml(request: &InitRequest, party: PartyCode, link: SocketAddr, root: &str) -> String {
    let keys = match &request.passphrase_file {
        Some(file) => format!("passphrase_file = {:?}", file.display().to_string()),
        None => match request.protection {
            Protection::InsecurePlain => "insecure_plain = true".to_owned(),
            Protection::Passphrase(_) => "passphrase_file = \"passphrase\"".to_owned(),
        },
    };
    let status = request
        .status_every_s
        .map_or(String::new(), |s| format!("\n[status]\nevery_s = {s}\n"));
    format!(
        "# Written by `abeng network init`; config/node.example.toml explains every key.\n\
         party = \"{party}\"\n\n\
         [trust]\nroot = \"sha256:{root}\"\n\n\
         [link]\nlisten = \"{link}\"\n\n\
         [keys]\n{keys}\n{status}"
    )
}

/// Root, roster and freshness keys, as `abeng root sign --key` and its like open them: for trying
/// out they lie beside the nodes, in the clear; a real network keeps each with its holder, offline.
fn save_offline_keys(founding: &Founding, dir: &Path) -> Result<(), InitError> {
    Layout::create_dir(dir).map_err(|source| InitError::Write {
        path: dir.to_owned(),
        source,
    })?;
    let kinds = [
        ("root", &founding.root_signers),
        ("roster", &founding.roster_signers),
        ("freshness", &founding.freshness_signers),
    ];
    for (kind, signers) in kinds {
        for (nth, signer) in signers.iter().enumerate() {
            let name = format!("{kind}-{}", nth + 1);
            signer.save(dir, &name, &Protection::InsecurePlain)?;
        }
    }
    Ok(())
}
