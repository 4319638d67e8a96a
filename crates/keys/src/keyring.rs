mod format;
mod renew;

use crate::{
    Entropy, KeyringError, Passphrase, Protection, SealSecret, SoftSigner, StoreKey,
    rest::SecretFile,
};
use abeng_wire::{Kid, PartyCode};
use std::{fmt, path::Path, sync::Arc};

/// The file's name, before `.age` or `.plain.toml`.
const NAME: &str = "keyring";

/// Every secret of one party's node.
pub struct Keyring {
    /// Whose keys they are.
    pub party: PartyCode,
    /// What opens envelopes; newest last.
    pub seal: Vec<Arc<SealSecret>>,
    /// What wraps the node's own copies.
    pub store: StoreKey,
    org_sign: Arc<SoftSigner>,
    node_tls: Arc<SoftSigner>,
    log: Arc<SoftSigner>,
    witness: Arc<SoftSigner>,
}

impl Keyring {
    /// New keys for a party.
    pub fn generate(party: PartyCode, entropy: &mut dyn Entropy) -> Self {
        Self {
            party,
            org_sign: Arc::new(SoftSigner::generate(entropy)),
            node_tls: Arc::new(SoftSigner::generate(entropy)),
            log: Arc::new(SoftSigner::generate(entropy)),
            witness: Arc::new(SoftSigner::generate(entropy)),
            seal: vec![Arc::new(SealSecret::generate(entropy))],
            store: StoreKey::generate(entropy),
        }
    }

    /// Writes `keyring.age` or `keyring.plain.toml` (mode 0600) in `dir`, which is created where
    /// missing. Refuses where the other form is there.
    pub fn save(&self, dir: &Path, protection: &Protection) -> Result<(), KeyringError> {
        SecretFile::new(dir, NAME).save(&format::write(self), protection)
    }

    /// Reads the keyring in `dir`, whichever form it has; `passphrase` is asked only for the
    /// encrypted one.
    pub fn load<E: fmt::Display>(
        dir: &Path,
        passphrase: impl FnOnce() -> Result<Passphrase, E>,
    ) -> Result<Self, KeyringError> {
        let (file, content) = SecretFile::new(dir, NAME).load(passphrase)?;
        format::read(&content).map_err(|reason| KeyringError::Damaged { file, reason })
    }

    /// Refuses the keys of anybody but `expected`.
    pub fn expect_party(self, expected: PartyCode) -> Result<Self, KeyringError> {
        if self.party == expected {
            return Ok(self);
        }
        Err(KeyringError::OtherParty {
            expected,
            found: self.party,
        })
    }

    /// Signs envelopes, voids, seal keys and incarnations.
    pub fn org_sign(&self) -> &Arc<SoftSigner> {
        &self.org_sign
    }

    /// The node's identity in TLS, and in hellos.
    pub fn node_tls(&self) -> &Arc<SoftSigner> {
        &self.node_tls
    }

    /// Signs this node's checkpoints.
    pub fn log(&self) -> &Arc<SoftSigner> {
        &self.log
    }

    /// Co-signs the checkpoints of others.
    pub fn witness(&self) -> &Arc<SoftSigner> {
        &self.witness
    }

    /// The seal key with that identifier.
    pub fn seal_secret(&self, kid: &Kid) -> Option<Arc<SealSecret>> {
        self.seal.iter().find(|s| s.kid() == *kid).cloned()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({}, {} seal keys)", self.party, self.seal.len())
    }
}
