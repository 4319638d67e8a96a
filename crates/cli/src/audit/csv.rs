//! Leaves for a spreadsheet: RFC 4180.
//!
//! A spreadsheet takes a field that begins with `=`, `+`, `-`, `@`, a tab or a carriage return for
//! a formula. Names of officers are typed by people, so such a field gets an apostrophe in front.

use crate::CliError;
use abeng_api::LeafView;

const HEADING: [&str; 12] = [
    "leaf", "at", "kind", "notice", "from", "to", "reason", "act", "officer", "via", "subject",
    "hash",
];

/// The row of headings.
pub(super) fn heading() -> Result<String, CliError> {
    written(|out| out.write_record(HEADING))
}

/// One row a leaf.
pub(super) fn rows(leaves: &[LeafView]) -> Result<String, CliError> {
    written(|out| {
        leaves.iter().try_for_each(|leaf| {
            let text = |text: &Option<String>| harmless(text.as_deref().unwrap_or_default());
            out.write_record([
                leaf.index.to_string(),
                harmless(&leaf.at),
                harmless(&leaf.kind),
                text(&leaf.notice),
                text(&leaf.originator),
                text(&leaf.recipient),
                text(&leaf.reason),
                text(&leaf.act),
                text(&leaf.officer),
                text(&leaf.via),
                text(&leaf.subject),
                harmless(&leaf.hash),
            ])
        })
    })
}

fn written(
    write: impl FnOnce(&mut csv::Writer<Vec<u8>>) -> Result<(), csv::Error>,
) -> Result<String, CliError> {
    let failed = |e: &dyn std::fmt::Display| CliError::internal(format!("cannot write CSV: {e}"));
    let mut out = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    write(&mut out).map_err(|e| failed(&e))?;
    let bytes = out.into_inner().map_err(|e| failed(&e))?;
    String::from_utf8(bytes).map_err(|e| failed(&e))
}

fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::tests::leaf;

    #[test]
    fn a_row_survives_what_people_write() {
        let text = rows(&[leaf(7, "Ann \"Night\" Lee, badge 4711\nKingston")]).unwrap();
        assert!(
            text.contains(",\"Ann \"\"Night\"\" Lee, badge 4711\nKingston\",unix uid:1000,"),
            "{text}"
        );
        assert!(
            text.starts_with("7,2026-11-24T06:00:00Z,READ,3f9a"),
            "{text}"
        );
        assert!(text.ends_with("\r\n"));
        let mut back = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(text.as_bytes());
        let row = back.records().next().unwrap().unwrap();
        assert_eq!(row.len(), HEADING.len());
        assert_eq!(&row[8], "Ann \"Night\" Lee, badge 4711\nKingston");
    }

    #[test]
    fn no_field_is_a_formula() {
        for officer in ["=HYPERLINK(\"x\")", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            let text = rows(&[leaf(7, officer)]).unwrap();
            let mut back = csv::ReaderBuilder::new()
                .has_headers(false)
                .from_reader(text.as_bytes());
            let row = back.records().next().unwrap().unwrap();
            assert_eq!(row[8], format!("'{officer}"));
        }
    }

    #[test]
    fn the_headings_name_the_columns() {
        assert_eq!(heading().unwrap().trim_end().split(',').count(), 12);
    }
}
