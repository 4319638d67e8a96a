//! Three whole nodes, of which two never link: what one sends to the other goes through the relay
//! between them, the recipient's proof comes back the same way, and whoever cheats changes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod faults;
mod net;
#[path = "../common/numbers.rs"]
mod numbers;
mod stick;
#[path = "../common/stick.rs"]
mod sticks;
mod through;
mod words;
