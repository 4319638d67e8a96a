use abeng_wire::{Kid, pae};
use ring::digest::{SHA256, digest};

/// What a public key is for, as its identifier names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alg {
    /// RFC 8032.
    Ed25519,
    /// FIPS 204.
    MlDsa65,
    /// X-Wing (HPKE KEM 0x647a).
    XWing,
}

impl Alg {
    /// The name that goes into a [`Kid`].
    pub fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::MlDsa65 => "ml-dsa-65",
            Self::XWing => "x-wing",
        }
    }
}

/// The identifier of a public key, in full: `SHA-256(PAE("abeng/1/kid", PAE(alg, public)))`.
pub fn kid(alg: Alg, public: &[u8]) -> Kid {
    let inner = pae(alg.name(), public);
    let hash = digest(&SHA256, &pae("abeng/1/kid", &inner));
    let mut out = [0; 32];
    out.copy_from_slice(hash.as_ref());
    Kid(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_algorithm_and_every_byte_count() {
        let key = [1; 32];
        let id = kid(Alg::Ed25519, &key);
        assert_ne!(id, kid(Alg::XWing, &key));
        assert_ne!(id, kid(Alg::Ed25519, &key[..31]));
        // Computed with Python's hashlib from the text of the protocol.
        assert_eq!(
            id.to_string(),
            "392ae9b774b03a5efb81c625a64c7d0f75918d3e37a40eeac26a0c9dc6975106"
        );
    }
}
