use super::Keyring;
use crate::{Entropy, Role, SoftSigner};
use std::sync::Arc;

impl Keyring {
    /// The same keyring with new signing keys in these roles: what a party goes over to once its
    /// changed entry holds everywhere. Seal keys and the store key stay.
    #[must_use]
    pub fn renewed(&self, roles: &[Role], entropy: &mut dyn Entropy) -> Self {
        let mut signer = |role: Role, old: &Arc<SoftSigner>| match roles.contains(&role) {
            true => Arc::new(SoftSigner::generate(entropy)),
            false => Arc::clone(old),
        };
        Self {
            party: self.party,
            org_sign: signer(Role::OrgSign, &self.org_sign),
            node_tls: signer(Role::NodeTls, &self.node_tls),
            log: signer(Role::Log, &self.log),
            witness: signer(Role::Witness, &self.witness),
            seal: self.seal.clone(),
            store: self.store.clone(),
        }
    }
}
