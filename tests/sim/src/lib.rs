//! Deterministic simulator of an Abeng network: one seed, one run, replayed exactly.
//!
//! In scope: three to five parties with real envelopes, rosters, engines, journals, checkpoints and
//! receipts, on simulated disks, clocks and links that fail; then the faults stop and the run
//! must drain. What the run did is a [`History`], and [`check`] judges it.
//!
//! Not in scope: `abeng-node` with its threads (`tests/e2e` runs the real binaries) and QUIC:
//! links here are real sessions on ordered streams that are delayed, stalled, reset and cut with
//! what is on them.
//!
//! Nothing here reads a clock or the system's randomness, and no order comes from a hash map.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: a panic ends the run of one seed and is its verdict"
)]

mod arrive;
mod book;
mod check;
mod commit;
mod faults;
mod history;
mod linking;
mod lives;
mod net;
mod node;
mod past;
mod random;
mod receipts;
mod relay;
mod restore;
mod run;
mod scenario;
mod storm;
mod streams;
mod weather;
mod work;
mod world;

pub use book::Met;
pub use check::{Kind, Verdict, check};
pub use history::{
    Entry, Fate, History, LostDisk, Number, Place, Promise, Sent, Submission, Taken,
};
pub use random::Random;
pub use run::{Report, run};
pub use scenario::Scenario;
