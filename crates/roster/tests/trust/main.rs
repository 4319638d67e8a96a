//! Trust data against everything that may be wrong with it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod attacks;
mod equivocation;
mod founding;
mod overrides;
mod policy;
mod root;
mod roster;
mod seal_keys;
mod statements;
mod support;
mod walk;
