use super::*;
use abeng_wire::{EnvelopeId, Incarnation, LeafHash, PartyCode, StreamSeq, v1};
use bytes::Bytes;
use proptest::prelude::*;

fn party() -> impl Strategy<Value = PartyCode> {
    "[A-Z0-9-]{2,16}".prop_map(|text| PartyCode::new(&text).unwrap())
}

fn leaf() -> impl Strategy<Value = LeafIndex> {
    (0..u64::MAX).prop_map(LeafIndex)
}

fn seq() -> impl Strategy<Value = StreamSeq> {
    (1..=u64::MAX).prop_map(|n| StreamSeq::new(n).unwrap())
}

fn precedence() -> impl Strategy<Value = v1::Precedence> {
    (1..5i32).prop_map(|n| v1::Precedence::try_from(n).unwrap())
}

fn outcome() -> impl Strategy<Value = SentOutcome> {
    prop_oneof![
        Just(SentOutcome::Queued),
        (leaf(), any::<u64>()).prop_map(|(taken, at_peer)| SentOutcome::Delivered {
            taken,
            at_peer,
            life: Incarnation(at_peer / 3),
        }),
        (leaf(), 0..12i32).prop_map(|(taken, reason)| SentOutcome::Refused {
            taken,
            reason: v1::Reason::try_from(reason).unwrap(),
        }),
        leaf().prop_map(|leaf| SentOutcome::Expired { leaf }),
        leaf().prop_map(|leaf| SentOutcome::Voided { leaf }),
        (leaf(), any::<u64>(), proptest::option::of(leaf())).prop_map(
            |(taken, at_peer, delivered)| SentOutcome::Recalled {
                taken,
                at_peer,
                delivered,
            }
        ),
    ]
}

fn recalls() -> impl Strategy<Value = Option<EnvelopeId>> {
    proptest::option::of((1..255u8).prop_map(|byte| EnvelopeId([byte; 32])))
}

fn sent() -> impl Strategy<Value = SentRow> {
    let read = proptest::option::of(leaf());
    let later = proptest::array::uniform2(proptest::option::of(leaf()));
    let to = (party(), seq(), leaf(), outcome(), read, later).prop_map(
        |(party, seq, queued, outcome, read, [anew, replaced])| SentTo {
            party,
            seq,
            queued,
            outcome,
            read,
            anew,
            replaced,
        },
    );
    let all = (
        any::<[u8; 32]>(),
        any::<[u64; 3]>(),
        precedence(),
        (any::<u32>(), recalls()),
        proptest::collection::vec(to, 0..5),
        proptest::collection::vec((party(), party(), leaf()), 0..3),
    );
    all.prop_map(
        |(
            id,
            [created_at, expires_at, keep_until],
            precedence,
            (size, recalls),
            recipients,
            said,
        )| {
            let relayed = |(recipient, relay, taken)| SentRelayed {
                recipient,
                relay,
                taken,
            };
            SentRow {
                relayed: said.into_iter().map(relayed).collect(),
                keep_until,
                recalls,
                incarnation: Incarnation(created_at / 5),
                anew_before: (created_at % 5) as u8,
                envelope_id: EnvelopeId(id),
                created_at,
                expires_at,
                precedence,
                size,
                recipients,
            }
        },
    )
}

fn id_row() -> impl Strategy<Value = IdRow> {
    prop_oneof![
        leaf().prop_map(|submitted| IdRow::Sent { submitted }),
        (
            leaf(),
            party(),
            any::<u64>(),
            proptest::option::of(seq()),
            precedence(),
            (any::<[u64; 2]>(), recalls())
        )
            .prop_map(|(received, originator, inc, seq, precedence, kept)| {
                let ([created_at, keep_until], recalls) = kept;
                IdRow::Received {
                    keep_until,
                    recalls,
                    received,
                    originator,
                    incarnation: Incarnation(inc),
                    seq,
                    precedence,
                    created_at,
                }
            }),
        (leaf(), leaf(), 0..22i32).prop_map(|(received, outcome, kind)| IdRow::Held {
            received,
            outcome,
            kind: v1::LeafKind::try_from(kind).unwrap(),
        }),
    ]
}

fn inbox() -> impl Strategy<Value = InboxRow> {
    let all = (
        (any::<[u8; 32]>(), leaf(), party(), any::<u64>(), seq()),
        (
            precedence(),
            any::<[u64; 3]>(),
            proptest::option::of(leaf()),
        ),
    );
    all.prop_map(
        |((id, received, originator, inc, seq), (precedence, [a, b, keep_until], first_read))| {
            InboxRow {
                keep_until,
                envelope_id: EnvelopeId(id),
                received,
                originator,
                incarnation: Incarnation(inc),
                seq,
                precedence,
                created_at: a,
                delivered_at: b,
                first_read,
            }
        },
    )
}

fn mark() -> impl Strategy<Value = MarkRow> {
    let steps = proptest::collection::vec((2..9u64, 0..9u64), 0..6);
    (0..99u64, steps).prop_map(|(contiguous, steps)| {
        let mut end = contiguous;
        let range = |(gap, length)| {
            let first = end + gap;
            end = first + length;
            (first, end)
        };
        MarkRow {
            contiguous,
            above: steps.into_iter().map(range).collect(),
        }
    })
}

/// Reads back what was written, and neither a piece of it nor more than it.
fn exact<T: PartialEq + std::fmt::Debug>(
    row: &T,
    value: Vec<u8>,
    decode: impl Fn(&[u8]) -> Result<T, RowError>,
) {
    assert_eq!(&decode(&value).unwrap(), row);
    for cut in 0..value.len() {
        assert!(decode(&value[..cut]).is_err(), "cut at {cut}");
    }
    assert!(decode(&[&value[..], &[0]].concat()).is_err());
    let mut other = value;
    other[0] = 1;
    assert!(matches!(
        decode(&other),
        Err(RowError::Version { version: 1, .. })
    ));
}

proptest! {
    #[test]
    fn rows_come_back_and_nothing_else_is_a_row(
        sent in sent(), id in id_row(), inbox in inbox(), mark in mark(), next in seq(),
        queue in (any::<[u64; 2]>(), leaf(), leaf(), any::<u32>()), position in leaf(),
    ) {
        exact(&sent, sent.encode(), SentRow::decode);
        exact(&id, id.encode(), IdRow::decode);
        exact(&inbox, inbox.encode(), InboxRow::decode);
        exact(&mark, mark.encode(), MarkRow::decode);
        let stream = StreamRow { next };
        exact(&stream, stream.encode(), StreamRow::decode);
        let ([created_at, expires_at], submitted, queued, size) = queue;
        let queue = QueueRow { submitted, queued, seq: next, life: Incarnation(created_at), created_at, expires_at, size };
        exact(&queue, queue.encode(), QueueRow::decode);
        let applied = AppliedRow { position, incarnation: Incarnation(size.into()) };
        exact(&applied, applied.encode(), AppliedRow::decode);
        let contradiction = ContradictionRow { leaf: position };
        exact(&contradiction, contradiction.encode(), ContradictionRow::decode);
        let trust = TrustRow { leaf: position };
        exact(&trust, trust.encode(), TrustRow::decode);
        let held = HeldRow {
            incarnation: Incarnation(1),
            size: expires_at,
            root: LeafHash(sent.envelope_id.0),
            checkpoint: Bytes::from_static(b"a note"),
        };
        let reason = v1::VoidReason::try_from(1 + (size % 4) as i32).unwrap();
        let ended = EndedRow { leaf: position, reason, envelope_id: sent.recalls };
        exact(&ended, ended.encode(), EndedRow::decode);
        let key = EndedRow::key(inbox.originator, next);
        prop_assert_eq!(EndedRow::parse_key(&key).unwrap(), (inbox.originator, next));
        let ranges = mark.above.iter().map(|&(first, last)| (first, last, reason));
        let voided = VoidedRow { ranges: ranges.collect() };
        exact(&voided, voided.encode(), VoidedRow::decode);
        let key = VoidedRow::key(inbox.originator, inbox.incarnation);
        prop_assert_eq!(VoidedRow::parse_key(&key).unwrap(), (inbox.originator, inbox.incarnation));
        prop_assert_eq!(HeldRow::decode(&held.encode()).unwrap(), held);
    }

    #[test]
    fn rows_about_kept_content_come_back(
        leaves in proptest::collection::vec(proptest::option::of(leaf()), 6), times in any::<[u64; 2]>(),
        why in 0..3i32, at in leaf(), originator in party(), id in any::<[u8; 32]>(),
    ) {
        let care = CareRow {
            delivered: leaves[0],
            extended: times[0],
            hold: leaves[1],
            asked: leaves[2],
            begun: leaves[3],
            scrubbed: leaves[4],
            why: v1::ScrubWhy::try_from(why).unwrap(),
            recalled: leaves[5],
        };
        exact(&care, care.encode(), CareRow::decode);
        let due = DueRow::Received { delivered: at };
        exact(&due, due.encode(), DueRow::decode);
        exact(&DueRow::Sent, DueRow::Sent.encode(), DueRow::decode);
        exact(&DueRow::Carried, DueRow::Carried.encode(), DueRow::decode);
        let envelope_id = EnvelopeId(id);
        let hold = HoldRow { envelope_id };
        exact(&hold, hold.encode(), HoldRow::decode);
        let waiting = WaitingRow { until: times[1] };
        exact(&waiting, waiting.encode(), WaitingRow::decode);
        prop_assert_eq!(DueRow::parse_key(&DueRow::key(times[0], at)).unwrap(), (times[0], at));
        prop_assert!(DueRow::key(times[0], at) < DueRow::until(times[0]));
        prop_assert_eq!(HoldRow::parse_key(&HoldRow::key(at)).unwrap(), at);
        prop_assert!(AskedRow::parse_key(&BegunRow::key(at)).is_err());
        let key = WaitingRow::key(originator, &envelope_id);
        prop_assert_eq!(WaitingRow::parse_key(&key).unwrap(), (originator, envelope_id));
        let key = ToldRow::key(originator, at);
        prop_assert_eq!(ToldRow::parse_key(&key).unwrap(), (originator, at));
    }

    #[test]
    fn rows_about_what_is_carried_come_back(
        ids in any::<[[u8; 32]; 2]>(), originator in party(), times in any::<[u64; 2]>(),
        size in any::<u32>(), relayed in leaf(), outcome in proptest::option::of(leaf()),
        precedence in precedence(),
    ) {
        let [created_at, expires_at] = times;
        let envelope_id = EnvelopeId(ids[0]);
        let row = CarriedRow { envelope_id, originator, created_at, expires_at, size };
        exact(&row, row.encode(), CarriedRow::decode);
        let key = CarriedRow::key(originator, precedence, relayed);
        prop_assert_eq!(CarriedRow::parse_key(&key).unwrap(), (originator, precedence, relayed));
        let seq_commit = abeng_wire::Digest(ids[1]);
        let id = CarriedIdRow { relayed, originator, precedence, seq_commit, outcome };
        exact(&id, id.encode(), CarriedIdRow::decode);
        prop_assert_eq!(id.answer(), outcome.unwrap_or(relayed));
    }

    #[test]
    fn garbage_is_refused_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let versioned = [&[3], &bytes[..]].concat();
        for value in [&bytes, &versioned] {
            let _ = SentRow::decode(value).map(|row| assert_eq!(&row.encode(), value));
            let _ = IdRow::decode(value).map(|row| assert_eq!(&row.encode(), value));
            let _ = InboxRow::decode(value).map(|row| assert_eq!(&row.encode(), value));
            let _ = MarkRow::decode(value).map(|row| assert_eq!(&row.encode(), value));
            let _ = QueueRow::decode(value).map(|row| assert_eq!(&row.encode(), value));
            let _ = HeldRow::decode(value).map(|row| assert_eq!(&row.encode(), value));
            let _ = CareRow::decode(value).map(|row| assert_eq!(&row.encode(), value));
            let _ = DueRow::decode(value).map(|row| assert_eq!(&row.encode(), value));
            let _ = HoldRow::decode(value).map(|row| assert_eq!(&row.encode(), value));
            let _ = EndedRow::decode(value).map(|row| assert_eq!(&row.encode(), value));
            let _ = VoidedRow::decode(value).map(|row| assert_eq!(&row.encode(), value));
            let _ = WaitingRow::decode(value).map(|row| assert_eq!(&row.encode(), value));
            let _ = CarriedRow::decode(value).map(|row| assert_eq!(&row.encode(), value));
            let _ = CarriedIdRow::decode(value).map(|row| assert_eq!(&row.encode(), value));
        }
    }

    #[test]
    fn queue_keys_sort_as_notices_are_sent(
        a in (party(), precedence(), leaf()), b in (party(), precedence(), leaf()),
    ) {
        let key = |(party, precedence, queued)| QueueRow::key(party, precedence, queued);
        let order = |(party, precedence, queued): (PartyCode, v1::Precedence, LeafIndex)| {
            (party, precedence as i32, queued)
        };
        prop_assert_eq!(key(a).cmp(&key(b)), order(a).cmp(&order(b)));
        prop_assert_eq!(QueueRow::parse_key(&key(a)).unwrap(), a);
        prop_assert!(SentRow::parse_key(&key(a)).is_err());
    }
}

/// Whoever changes a layout gives it another version: a view of before is then built anew, and not
/// read wrongly.
#[test]
fn the_layout_of_a_sent_row_belongs_to_its_version() {
    let row = SentRow {
        envelope_id: EnvelopeId([0xaa; 32]),
        created_at: 1,
        expires_at: 2,
        precedence: v1::Precedence::Flash,
        size: 3,
        keep_until: 4,
        recalls: None,
        incarnation: Incarnation(5),
        anew_before: 6,
        recipients: vec![SentTo {
            party: PartyCode::new("TT").unwrap(),
            seq: StreamSeq::FIRST,
            queued: LeafIndex(7),
            outcome: SentOutcome::Queued,
            read: None,
            anew: Some(LeafIndex(8)),
            replaced: Some(LeafIndex(9)),
        }],
        relayed: Vec::new(),
    };
    let written: String = row.encode().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(
        written,
        concat!(
            "04aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa000000000000000100000000000000",
            "020100000003000000000000000400000000000000000000000000000000000000000000000000000000000000000000",
            "000000000005060001545400000000000000000000000000000000000000000001000000000000000700ffffffffffff",
            "ffff000000000000000800000000000000090000",
        )
    );
}
