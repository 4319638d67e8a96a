//! Evidence and contradiction files through the public API: what they prove, and every way in
//! which they must not.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod bytes;
mod contradictions;
mod fixture;
mod kept;
mod negatives;
mod proved;
mod rosters;
