//! Who is a member of an Abeng network, with which keys, and who may send what to whom.
//!
//! In scope: roots and rosters with their thresholds and their walk version by version, seal
//! keys, freshness and incarnation statements, the snapshot of all of it ([`Trust`]), the grants
//! ([`Policy`]), the acts of ceremonies ([`ceremony`]) and the text that hands them on
//! ([`armour`]), and the founding of a network as one act ([`founding`]).
//!
//! Not in scope: where trust data rests, how it travels, and what people see of ceremonies. No
//! clock, no randomness, no files: `now` and entropy are arguments.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod armour;
pub mod ceremony;
mod chain;
mod changes;
mod error;
mod expansion;
mod explain;
pub mod founding;
mod freshness;
mod grants;
mod history;
mod incarnation;
mod newcomers;
mod overrides;
mod party;
mod policy;
mod refusal;
mod root;
mod roster;
mod seal_keys;
mod signed;
mod signer_key;
mod suspensions;
mod trust;

pub use chain::{BrokenChain, Chain, ChainPlace};
pub use changes::Change;
pub use error::TrustError;
pub use expansion::{Expansion, GroupExpansion, LeftOut};
pub use explain::{ExplainedGrant, Explanation};
pub use freshness::{Freshness, LIMIT_MS, Standing, WARN_MS};
pub use history::{Conflict, ConflictOf, Ended};
pub use incarnation::{sign_incarnation, verify_incarnation, verify_own_incarnation};
pub use newcomers::{NEWCOMER_WAIT_MS, Newcomer};
pub use overrides::{OVERRIDE_WAIT_MS, Override};
pub use party::{Party, PartyKey, check_entry, check_witness_change};
pub use policy::{Cleared, NoticeFacts, Policy, Tlp};
pub use refusal::Refusal;
pub use root::{Root, Settlement};
pub use roster::Roster;
pub use seal_keys::SealKeys;
pub use signed::digest;
pub use signer_key::SignerKey;
pub use suspensions::Suspension;
pub use trust::Trust;
