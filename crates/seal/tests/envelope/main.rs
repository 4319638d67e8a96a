//! The envelope through its public API, on a founded network, and against a second writing of
//! the suite.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod attacks;
mod fixture;
mod opening;
mod reference;
mod round_trip;
mod sealing;
mod verifying;
mod voids;
mod wants;
