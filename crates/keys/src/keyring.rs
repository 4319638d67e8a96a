pub(crate) mod format;
mod renew;
mod ring;

pub use ring::SealRing;

use crate::{
    BackupKey, Entropy, KeyringError, Passphrase, Protection, SealSecret, Signer, SoftSigner,
    StoreKey, rest::SecretFile,
};
use abeng_wire::{Kid, PartyCode};
use std::{fmt, path::Path, sync::Arc};

/// The file's name, before `.age` or `.plain.toml`.
const NAME: &str = "keyring";

/// Every secret of one party's node.
pub struct Keyring {
    /// Whose keys they are.
    pub party: PartyCode,
    /// What opens envelopes.
    pub seal: SealRing,
    /// What wraps the node's own copies.
    pub store: StoreKey,
    org_sign: Arc<SoftSigner>,
    signer: Arc<dyn Signer>,
    node_tls: Arc<SoftSigner>,
    log: Arc<SoftSigner>,
    witness: Arc<SoftSigner>,
}

impl Keyring {
    /// New keys for a party.
    pub fn generate(party: PartyCode, entropy: &mut dyn Entropy) -> Self {
        let mut signer = || Arc::new(SoftSigner::generate(entropy));
        let signers = [signer(), signer(), signer(), signer()];
        let seal = vec![Arc::new(SealSecret::generate(entropy))];
        Self::of_parts(party, signers, StoreKey::generate(entropy), seal)
    }

    /// Puts a keyring together. `signers`: org-sign, node-tls, log, witness. `seal`: newest last.
    pub(crate) fn of_parts(
        party: PartyCode,
        signers: [Arc<SoftSigner>; 4],
        store: StoreKey,
        seal: Vec<Arc<SealSecret>>,
    ) -> Self {
        let [org_sign, node_tls, log, witness] = signers;
        Self {
            party,
            seal: SealRing::new(seal),
            store,
            signer: org_sign.clone(),
            org_sign,
            node_tls,
            log,
            witness,
        }
    }

    /// Writes `keyring.age` or `keyring.plain.toml` (mode 0600) in `dir`, which is created where
    /// missing. Refuses where the other form is there. Where the keyring has been split before
    /// ([`BackupKey`]), its sealed form is written first.
    pub fn save(&self, dir: &Path, protection: &Protection) -> Result<(), KeyringError> {
        if let Some(key) = BackupKey::load(dir)? {
            key.save_sealed(self, dir)?;
        }
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

    /// The same keyring with another key that signs for the organisation: one in a token. The file keeps
    /// its own, which signed before.
    #[must_use]
    pub fn with_signer(mut self, signer: Arc<dyn Signer>) -> Self {
        self.signer = signer;
        self
    }

    /// Signs envelopes, voids, seal keys and incarnations: [`Self::org_sign`], or the key in a token that
    /// took its place.
    pub fn signer(&self) -> &Arc<dyn Signer> {
        &self.signer
    }

    /// The org-sign key that the file holds. What is to be signed is signed with [`Self::signer`].
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
        self.seal.get(kid)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Keyring({}, {} seal keys)",
            self.party,
            self.seal.count()
        )
    }
}
