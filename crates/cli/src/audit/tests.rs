use super::*;
use crate::{table::columns, ui::plain};
use abeng_notice::Lang;

pub(super) fn leaf(index: u64, officer: &str) -> LeafView {
    LeafView {
        index,
        at: "2026-11-24T06:00:00Z".into(),
        kind: "READ".into(),
        notice: Some("3f9a1c02b7de".repeat(5)),
        originator: Some("JM".into()),
        recipient: Some("TT".into()),
        reason: None,
        act: None,
        officer: Some(officer.into()),
        via: Some("unix uid:1000".into()),
        subject: None,
        hash: "ab".repeat(32),
    }
}

#[test]
fn leaves_fit_eighty_columns() {
    let leaf = LeafView {
        kind: "RECEIPT_TAKEN".into(),
        ..leaf(1_204_331, "badge 4711, night shift, Kingston")
    };
    let start = LeafView {
        index: 0,
        at: "2026-11-24T05:00:00Z".into(),
        kind: "INCARNATION".into(),
        ..LeafView::default()
    };
    let text = render(&[start, leaf], &plain(Lang::En));
    assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn a_name_stands_beside_who_the_interface_said_it_was() {
    let told = |name: &str, via: &str| {
        by_or_why(&LeafView {
            via: Some(via.into()),
            ..leaf(7, name)
        })
    };
    assert_eq!(told("uid:5001", "unix uid:5003"), "uid:5001 (uid:5003)");
    assert_eq!(told("uid:5003", "unix uid:5003"), "uid:5003");
    let released = "unix uid:1000, released by S-7 (unix uid:1002), held 804c2a98";
    assert_eq!(
        told("A. Brown", released),
        "A. Brown (uid:1000, released by S-7 (uid:1002))"
    );
}

#[test]
fn options_become_one_question() {
    let filter = AuditFilter {
        span: Span {
            since: Some("2026-11-01".into()),
            until: Some("2026-11-24".into()),
        },
        kind: vec!["read".into(), "EXPORTED".into()],
        party: Some("tt".into()),
        ..AuditFilter::default()
    };
    let asked = query(filter).unwrap();
    assert_eq!(asked.kind.as_deref(), Some("read,EXPORTED"));
    assert_eq!(asked.party.as_deref(), Some("TT"));
    assert_eq!(asked.since.as_deref(), Some("2026-11-01T00:00:00Z"));
    // The 24th counts whole.
    assert_eq!(asked.until.as_deref(), Some("2026-11-25T00:00:00Z"));
    let wrong = Span {
        since: Some("soon".into()),
        until: None,
    };
    assert!(span(&wrong).unwrap_err().try_this.is_some());
}
