//! Attachments between whole nodes, and between a node and a peer that does as it likes.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/stick.rs"]
mod stick;

mod by_stick;
mod fake;
mod hostile;
mod lost;
mod metered;
mod resume;
mod support;
mod whole;
