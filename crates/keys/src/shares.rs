//! A secret as k-of-n shares that people keep on paper and type in again.
//!
//! Shamir's scheme over GF(2^8); lines of short groups, each with two check characters of its own,
//! so that a mistyped line is named at once. docs/protocol.md, "Share sheets", is the format.

mod field;
mod line;
mod scheme;
mod share;

pub use line::{LINE, LineError, read_line, read_lines, write_line, write_lines};
pub use share::{
    Combining, MAX_SHARES, MAX_THRESHOLD, SHARE, SHARE_LINES, SetId, Share, ShareError,
};

pub(crate) use share::split;
