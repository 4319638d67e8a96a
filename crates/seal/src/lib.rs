//! The Abeng envelope: seal, verify and open.
