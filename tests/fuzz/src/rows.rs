//! Rows of a view, which lie on a disk and may be garbage: told, never followed.

use crate::world::{NOW, sender};
use abeng_queue::rows::{
    AppliedRow, CareRow, ContradictionRow, DueRow, HeldRow, HoldRow, IdRow, InboxRow, MarkRow,
    QueueRow, SentRow, StreamRow, WaitingRow,
};
use abeng_wire::{EnvelopeId, Incarnation, LeafIndex, StreamSeq, v1};

macro_rules! each {
    ($data:ident: $($row:ident),*) => {{
        let mut taken = false;
        $(
        if let Ok(row) = $row::decode($data) {
            assert_eq!(row.encode(), $data, concat!(stringify!($row), ": two encodings"));
            taken = true;
        })*
        taken
    }};
}

/// A value of any kind.
pub fn value(data: &[u8]) -> bool {
    each!(data: SentRow, QueueRow, IdRow, InboxRow, MarkRow, StreamRow, AppliedRow, HeldRow,
        ContradictionRow, CareRow, DueRow, HoldRow, WaitingRow)
}

/// A key of any kind.
pub fn key(data: &[u8]) -> bool {
    let taken = [
        SentRow::parse_key(data).is_ok(),
        QueueRow::parse_key(data).is_ok(),
        InboxRow::parse_key(data).is_ok(),
        MarkRow::parse_key(data).is_ok(),
        StreamRow::parse_key(data).is_ok(),
        DueRow::parse_key(data).is_ok(),
        WaitingRow::parse_key(data).is_ok(),
    ];
    taken.contains(&true)
}

/// Values that are right.
pub fn values() -> Vec<Vec<u8>> {
    let marks = MarkRow {
        contiguous: 7,
        above: vec![(9, 9), (12, 40)],
    };
    let waiting = WaitingRow { until: NOW };
    let next = StreamSeq::new(8).unwrap();
    vec![
        marks.encode(),
        waiting.encode(),
        StreamRow { next }.encode(),
    ]
}

/// Keys that are right.
pub fn keys() -> Vec<Vec<u8>> {
    let (leaf, party) = (LeafIndex(77), sender());
    let urgent = v1::Precedence::Flash;
    vec![
        SentRow::key(leaf),
        QueueRow::key(party, urgent, leaf),
        InboxRow::key(leaf),
        MarkRow::key(party, Incarnation(NOW << 16)),
        StreamRow::key(party),
        DueRow::key(NOW, leaf),
        WaitingRow::key(party, &EnvelopeId([5; 32])),
    ]
}
