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
        let signers = [
            signer(Role::OrgSign, &self.org_sign),
            signer(Role::NodeTls, &self.node_tls),
            signer(Role::Log, &self.log),
            signer(Role::Witness, &self.witness),
        ];
        Self::of_parts(self.party, signers, self.store.clone(), self.seal.all())
    }
}
