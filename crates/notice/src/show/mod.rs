//! How a notice reads: one line, a table, JSON.

mod json;
mod summary;
mod table;
mod words;

use serde::Serialize;

pub(crate) use json::to_json;
pub(crate) use summary::summary;
pub(crate) use table::describe;
pub use words::size;

/// One line of a notice as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// In the reader's language.
    pub label: String,
    /// In the reader's language where it is a code, else as written.
    pub value: String,
}

/// A text without what could move the cursor, change colours or reorder what is read: control
/// characters and bidirectional controls become `�`, newlines become spaces.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => ' ',
            c if is_unprintable(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Control characters, line and paragraph separators, bidirectional controls, the byte order
/// mark and tags.
pub(crate) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}
