//! The abeng command.
fn main() {}
