//! Abeng identities, signing and key storage.
//!
//! In scope: the keys of every role and their identifiers, strict admission and verification,
//! signing in memory behind [`Signer`] (so that a hardware token can take its place), the HPKE
//! keys of sealing, the local store key, and the keyring at rest.
//!
//! Not in scope: who holds which key and until when (crate `roster`), what is sealed (crate
//! `seal`), and the keys of TLS sessions (crate `link`).

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod dual;
mod entropy;
mod keyring;
mod kid;
mod passphrase;
mod rest;
mod role;
mod seal_key;
mod secret_text;
mod sign;
mod signer_file;
mod store;
mod verify;

pub use dual::{DualSigner, DualVerifyKey, ML_DSA_PUBLIC, ML_DSA_SIGNATURE};
pub use entropy::{Entropy, SystemEntropy};
pub use keyring::Keyring;
pub use kid::{Alg, kid};
pub use passphrase::Passphrase;
pub use rest::{KeyringError, Protection};
pub use role::{Role, SignatureType};
pub use seal_key::{
    ENCAPSULATION, HpkePrivate, HpkePublic, SEAL_PUBLIC, SealPublic, SealSecret,
    encapsulation_is_low_order,
};
pub use sign::{SignError, Signer, SoftSigner};
pub use store::StoreKey;
pub use verify::{BadKey, BadSignature, VerifyKey};
