//! The simulator under `cargo test`: a few seeds, their replay, and the judge put to the test.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod judge;
mod lives;
mod seeds;
