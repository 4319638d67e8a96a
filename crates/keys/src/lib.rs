//! Abeng identities, signing and key storage.
//!
//! In scope: the keys of every role and their identifiers, strict admission and verification,
//! signing in memory behind [`Signer`] (so that a hardware token can take its place), the HPKE
//! keys of sealing, the local store key, the keyring at rest, and its backup as k-of-n shares.
//!
//! Not in scope: who holds which key and until when (crate `roster`), what is sealed (crate
//! `seal`), and the keys of TLS sessions (crate `link`).

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod backup_key;
mod backup_secret;
mod dual;
mod entropy;
mod keyring;
mod kid;
mod passphrase;
mod replace;
mod rest;
mod role;
mod seal_key;
mod secret_text;
mod shares;
mod sign;
mod signer_file;
mod store;
#[cfg(feature = "pkcs11")]
mod token;
mod verify;

pub use backup_key::{BackupKey, SEALED};
pub use backup_secret::{BackupSecret, RecoveryError, paper_lines, seal_keyring, sealed_for};
pub use dual::{DualSigner, DualVerifyKey, ML_DSA_PUBLIC, ML_DSA_SIGNATURE};
pub use entropy::{Entropy, SystemEntropy};
pub use keyring::{Keyring, SealRing};
pub use kid::{Alg, kid};
pub use passphrase::{Passphrase, ShortPassphrase};
pub use replace::{remove_secret, replace_secret};
pub use rest::{KeyringError, Protection};
pub use role::{Role, SignatureType};
pub use seal_key::{
    ENCAPSULATION, HpkePrivate, HpkePublic, SEAL_PUBLIC, SealPublic, SealSecret,
    encapsulation_is_low_order,
};
pub use shares::{
    Combining, LINE, LineError, MAX_SHARES, MAX_THRESHOLD, SHARE, SHARE_LINES, SetId, Share,
    ShareError, read_line, read_lines, write_line, write_lines,
};
pub use sign::{SignError, Signer, SoftSigner};
pub use store::StoreKey;
#[cfg(feature = "pkcs11")]
pub use token::{TokenError, TokenKey, TokenSigner};
pub use verify::{BadKey, BadSignature, VerifyKey};
