//! Abeng identities, signing and key storage.
