//! Three whole nodes, of which two never link: what one sends to the other goes through the relay
//! between them, the recipient's proof comes back the same way, and whoever cheats changes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod attacks;
#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "what `support` needs and nothing here calls")]
mod common;
mod faults;
mod files;
mod net;
#[path = "../common/numbers.rs"]
mod numbers;
mod stick;
#[path = "../common/stick.rs"]
mod sticks;
#[path = "../attachments/support.rs"]
#[allow(dead_code, reason = "its network of two is not used here")]
mod support;
mod through;
mod words;
