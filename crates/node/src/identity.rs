//! Who this node is: keys, trust data and journal must all be of one party.

use crate::{
    config::{Config, KeysConfig},
    layout::{Layout, read_bundle},
    node_error::NodeError,
    token,
};
use abeng_audit_log::{Journal, RealDisk};
use abeng_keys::{Keyring, Passphrase, Role, Signer};
use abeng_roster::{Trust, verify_own_incarnation};
use abeng_wire::{Incarnation, Kid, LeafIndex, PartyCode, v1};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

pub(crate) fn unlock(config: &Config, layout: &Layout) -> Result<Keyring, NodeError> {
    unlock_in(config, &layout.keys())
}

/// The same from wherever the keyring lies.
pub(crate) fn unlock_in(config: &Config, keys: &Path) -> Result<Keyring, NodeError> {
    with_token(config, Keyring::load(keys, || passphrase(config))?)
}

/// The same keyring with the signing key that its configuration names, in a token.
///
/// # Errors
/// It is another party's; the token cannot be had, or this was built without them.
pub fn with_token(config: &Config, keyring: Keyring) -> Result<Keyring, NodeError> {
    let keyring = keyring.expect_party(config.party)?;
    match &config.token {
        Some(token) => Ok(keyring.with_signer(token::signer(token)?)),
        None => Ok(keyring),
    }
}

/// The passphrase from where the configuration says.
pub(crate) fn passphrase(config: &Config) -> Result<Passphrase, String> {
    match &config.keys {
        KeysConfig::InsecurePlain => Err("[keys] says insecure_plain".to_owned()),
        KeysConfig::PassphraseFile(path) => first_line(path, Kept::File),
        KeysConfig::PassphraseCredential(name) => credential(name),
    }
}

/// Where a secret line is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// A file, which others must not be able to read.
    File,
    /// A credential, which the system keeps to the service.
    Credential,
}

/// The first line of a file.
pub(crate) fn first_line(path: &Path, kept: Kept) -> Result<Passphrase, String> {
    if kept == Kept::File {
        private(path)?;
    }
    let line = fs::read(path)
        .map(zeroize::Zeroizing::new)
        .map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let found = Passphrase::from_line(&line);
    found.ok_or_else(|| format!("the first line of {} is empty or not UTF-8", path.display()))
}

/// The first line of a systemd credential of that name.
pub(crate) fn credential(name: &str) -> Result<Passphrase, String> {
    let dir = std::env::var_os("CREDENTIALS_DIRECTORY")
        .ok_or("CREDENTIALS_DIRECTORY is not set: start under systemd with LoadCredential=")?;
    first_line(&Path::new(&dir).join(name), Kept::Credential)
}

/// Refuses a file that others could read.
fn private(path: &Path) -> Result<(), String> {
    let mode = mode(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    match mode & OTHERS {
        0 => Ok(()),
        _ => Err(format!(
            "{} has mode {mode:04o}: others could read it; `chmod 600` it and choose another passphrase",
            path.display(),
        )),
    }
}

/// Permission bits of all but the owner.
pub(crate) const OTHERS: u32 = 0o077;

/// The permission bits of a file.
pub(crate) fn mode(path: &Path) -> std::io::Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o7777)
}

/// The trust data, verified from the pinned root. Neither its time nor the standing of this party is
/// judged: what is here can be read, proved and carried whatever they are, and a newer roster comes
/// only to a node that runs. What they forbid is asked at a submission.
pub(crate) fn load_trust(config: &Config, layout: &Layout, now: u64) -> Result<Trust, NodeError> {
    load_trust_from(config, &layout.trust(), now)
}

/// The same from wherever the bundle lies.
pub(crate) fn load_trust_from(config: &Config, path: &Path, now: u64) -> Result<Trust, NodeError> {
    let trust = Trust::from_bundle(&read_trust(path)?, Some(config.root), now)?;
    let party = trust.roster.party(config.party);
    party.ok_or(NodeError::NotMember {
        party: config.party,
    })?;
    Ok(trust)
}

/// Takes the kept seal keys again, now that it is known since when keys wait here.
pub(crate) fn retake_trust(layout: &Layout, trust: &mut Trust, now: u64) -> Result<(), NodeError> {
    trust.retake(&read_trust(&layout.trust())?, now);
    Ok(())
}

fn read_trust(path: &Path) -> Result<v1::TrustBundle, NodeError> {
    read_bundle(path).map_err(|source| NodeError::TrustFile {
        path: path.to_owned(),
        source,
    })
}

/// The keys here must be those that the roster has for us. Their intervals are not judged, since the
/// clock may be what is wrong; see [`crate::age`].
pub(crate) fn check_keys(keyring: &Keyring, trust: &Trust) -> Result<(), NodeError> {
    let party = keyring.party;
    let entry = trust.roster.party(party);
    let entry = entry.ok_or(NodeError::NotMember { party })?;
    for (role, kid) in own_keys(keyring) {
        let mut listed = entry.all_keys().iter().filter(|k| k.role == role);
        let Some(key) = listed.find(|k| k.key.kid() == kid) else {
            return Err(NodeError::KeyNotListed { party, role });
        };
        if let Some(at) = key.revoked_at {
            return Err(NodeError::KeyRevoked { party, role, at });
        }
        if let Some(until) = key.waits_until {
            return Err(NodeError::KeyWaits { party, role, until });
        }
    }
    Ok(())
}

/// The keys that sign here, by their roles.
pub(crate) fn own_keys(keyring: &Keyring) -> [(Role, Kid); 3] {
    let keys: [(Role, &dyn Signer); 3] = [
        (Role::OrgSign, keyring.signer().as_ref()),
        (Role::NodeTls, keyring.node_tls().as_ref()),
        (Role::Log, keyring.log().as_ref()),
    ];
    keys.map(|(role, signer)| (role, signer.verify_key().kid()))
}

/// Leaf 0 says whose journal this is, and in which life.
pub(crate) fn open_identity(
    journal: &Journal<RealDisk>,
    trust: &Trust,
    me: PartyCode,
    dir: &Path,
) -> Result<Incarnation, NodeError> {
    let stored = journal.reader().read(LeafIndex(0))?;
    let proof = stored.record.proof().ok().flatten().and_then(|p| p.of);
    let Some(v1::proof_part::Of::Statement(signed)) = proof else {
        return Err(NodeError::NoIncarnation {
            dir: dir.to_owned(),
        });
    };
    let statement = verify_own_incarnation(&trust.roster, &signed)?;
    if statement.party != me.as_str() {
        return Err(NodeError::OtherNode {
            dir: dir.to_owned(),
            found: statement.party,
            expected: me,
        });
    }
    Ok(Incarnation(statement.incarnation))
}
