//! Abeng's files: evidence and contradiction files, to be built and verified offline, and courier
//! files, to be written and read as a stream.
//!
//! In scope: the file's bytes ([`EvidenceFile`], [`ContradictionFile`]), and what follows from
//! them with nothing else at hand ([`verify`], [`judge`]): no data directory, no network, no
//! clock. An evidence file holds what proves one envelope's sending and delivery, and its content
//! where whoever made it disclosed that.
//!
//! A courier file ([`courier`]) carries what a link would carry; whatever is in it is judged by
//! whoever imports it.
//!
//! Not in scope: where the parts come from (`node`), how a verdict reads on a screen (`cli`).
//!
//! Whatever a file says that nothing in it proves is a [`Doubt`] or is not in the [`Verdict`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod build;
mod conclude;
mod contradiction;
pub mod courier;
mod fault;
mod frame;
mod leaves;
mod logs;
mod notes;
mod verdict;
mod verify;

pub use build::{BuildError, EvidenceFile, export_subject};
pub use contradiction::{ContradictionFile, Judgement, judge};
pub use fault::{Fault, Part, Why};
pub use frame::{FileKind, kind_of};
pub use verdict::{CheckpointProof, Doubt, Fact, PartyFacts, Verdict};
pub use verify::verify;
