use super::*;
use proptest::prelude::*;

fn header() -> v1::CourierHeader {
    v1::CourierHeader {
        version: VERSION,
        network: "test".into(),
        from: "LC".into(),
        to: "JM".into(),
        incarnation: 7,
        created_at: 1_790_000_000_000,
        envelopes: 2,
        receipts: 1,
        ..Default::default()
    }
}

fn attachment() -> v1::CourierAttachment {
    v1::CourierAttachment {
        envelope_id: Bytes::from_static(&[1; 32]),
        root: Bytes::from_static(&[2; 32]),
        length: 17,
        first_piece: 0,
        hashes: Bytes::from_static(&[2; 32]),
    }
}

fn items() -> Vec<Item> {
    vec![
        Item::Trust(v1::TrustBundle::default()),
        Item::Checkpoint(v1::CheckpointFrame {
            checkpoint: Bytes::from_static(b"note"),
            ..Default::default()
        }),
        Item::Want(v1::Want {
            originator: "JM".into(),
            incarnation: 9,
            first: 3,
            last: 4,
            byte_budget: 0,
            recipient: String::new(),
        }),
        Item::Void(v1::Signed::default()),
        Item::Receipts(v1::Receipts::default()),
        Item::Envelope(Bytes::from_static(&[7; 300])),
        Item::Envelope(Bytes::new()),
        Item::AttachmentWant(v1::AttachmentWant {
            root: Bytes::from_static(&[3; 32]),
            length: 17,
            ..Default::default()
        }),
        Item::Attachment(attachment()),
        Item::Piece(Bytes::from_static(&[5; 17])),
    ]
}

fn file(items: &[Item]) -> Vec<u8> {
    let (mut writer, mut file) = {
        let (writer, begin) = CourierWriter::begin(&header());
        (writer, begin.to_vec())
    };
    for item in items {
        file.extend_from_slice(&writer.item(item));
    }
    file.extend_from_slice(&writer.close());
    file
}

fn read(file: &[u8], piece: usize) -> (Vec<Found>, Result<(), CourierFault>) {
    let mut reader = CourierReader::new();
    let mut found = Vec::new();
    for bytes in file.chunks(piece.max(1)) {
        reader.feed(bytes);
        loop {
            match reader.read() {
                Ok(Some(next)) => found.push(next),
                Ok(None) => break,
                Err(fault) => return (found, Err(fault)),
            }
        }
    }
    (found, reader.end())
}

fn whole(items: &[Item]) -> Vec<Found> {
    let begin = [Found::Header(Box::new(header()))];
    let items = items.iter().cloned().map(Found::Item);
    begin
        .into_iter()
        .chain(items)
        .chain([Found::Close])
        .collect()
}

#[test]
fn what_is_written_is_read_in_pieces_of_any_size() {
    let file = file(&items());
    for piece in [1, 2, 5, 64, 4096] {
        assert_eq!(read(&file, piece), (whole(&items()), Ok(())));
    }
}

#[test]
fn a_cut_file_gives_what_is_whole_and_says_where() {
    let file = file(&items());
    let whole = whole(&items());
    for cut in 0..file.len() {
        let (found, end) = read(&file[..cut], 64);
        assert!(whole.starts_with(&found) && found.len() < whole.len());
        match end {
            Err(CourierFault::NotCourier) => assert!(cut < FIRST_LINE.len()),
            Err(CourierFault::Cut { at, length }) => {
                assert_eq!(length, cut as u64);
                assert!(at <= cut as u64 && at >= FIRST_LINE.len() as u64);
            }
            other => panic!("{cut}: {other:?}"),
        }
    }
}

#[test]
fn a_changed_bit_anywhere_is_found_out() {
    let file = file(&items());
    for bit in 0..file.len() * 8 {
        let mut changed = file.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let (found, end) = read(&changed, 100);
        assert!(end.is_err(), "bit {bit}: {found:?}");
    }
}

#[test]
fn giant_lengths_are_refused_before_their_bytes_come() {
    let (_, begin) = CourierWriter::begin(&header());
    for kind in 0..=255u8 {
        let file = [&begin[..], &[kind, 0xff, 0xff, 0xff, 0xff]].concat();
        let (_, end) = read(&file, 1);
        assert!(
            matches!(end, Err(CourierFault::Length { at, .. }) if at == begin.len() as u64),
            "{kind}: {end:?}"
        );
    }
    use CourierKind::{CourierAttachment, CourierPiece, CourierReceipts};
    for kind in [CourierReceipts, CourierAttachment, CourierPiece] {
        let most = limit(kind).unwrap() as u32;
        let announced = |length: u32| {
            let file = [&begin[..], &[kind as u8], &length.to_be_bytes()].concat();
            read(&file, 7).1
        };
        let over = announced(most + 1);
        assert!(matches!(over, Err(CourierFault::Length { .. })), "{over:?}");
        let within = announced(most);
        assert!(
            matches!(within, Err(CourierFault::Cut { .. })),
            "{within:?}"
        );
    }
}

/// The largest file's hashes, and the largest piece, go into a frame.
#[test]
fn the_largest_attachment_has_room() {
    let hashes = limits::ATTACHMENT.div_ceil(limits::ATTACHMENT_PIECE as u64) as usize * 32;
    let items = [
        Item::Attachment(v1::CourierAttachment {
            length: limits::ATTACHMENT,
            first_piece: 2047,
            hashes: vec![7; hashes].into(),
            ..attachment()
        }),
        Item::Piece(vec![1; limits::ATTACHMENT_PIECE].into()),
    ];
    assert_eq!(read(&file(&items), 100_000), (whole(&items), Ok(())));
}

/// What a second implementation writes for a file of 17 bytes and one byte of it.
#[test]
fn the_frames_of_an_attachment_are_pinned() {
    let (mut writer, _) = CourierWriter::begin(&header());
    let frame = writer.item(&Item::Attachment(attachment()));
    let name = |field: u8, byte: u8| [&[field << 3 | 2, 32][..], &[byte; 32]].concat();
    let message = [name(1, 1), name(2, 2), vec![3 << 3, 17], name(5, 2)].concat();
    let length = message.len() as u8;
    assert_eq!(frame, [&[8, 0, 0, 0, length][..], &message].concat());
    let piece = writer.item(&Item::Piece(Bytes::from_static(b"p")));
    assert_eq!(piece[..], [9, 0, 0, 0, 1, b'p']);
}

#[test]
fn one_bad_frame_costs_itself_alone() {
    let (mut writer, begin) = CourierWriter::begin(&header());
    let mut file = begin.to_vec();
    let at = file.len() as u64;
    // Field 1 of Want with the wrong wire type.
    file.extend_from_slice(&[CourierKind::CourierWant as u8, 0, 0, 0, 2, 0x08, 0x01]);
    // Of a later version.
    file.extend_from_slice(&[99, 0, 0, 0, 1, 0]);
    let envelope = Item::Envelope(Bytes::from_static(b"sealed"));
    file.extend_from_slice(&writer.item(&envelope));
    let (found, end) = read(&file, 3);
    assert!(matches!(&found[1], Found::Damaged { at: a, why: Damage::Malformed(_) } if *a == at));
    let unknown = Damage::UnknownKind(99);
    assert!(matches!(&found[2], Found::Damaged { why, .. } if *why == unknown));
    assert_eq!(found[3], Found::Item(envelope));
    assert!(matches!(end, Err(CourierFault::Cut { .. })));
}

#[test]
fn another_file_a_later_version_and_something_at_the_end() {
    assert_eq!(read(b"hello", 5).1, Err(CourierFault::NotCourier));
    assert_eq!(read(b"", 5).1, Err(CourierFault::NotCourier));
    let later = v1::CourierHeader {
        version: 2,
        ..header()
    };
    let (_, begin) = CourierWriter::begin(&later);
    assert_eq!(read(&begin, 9).1, Err(CourierFault::Version(2)));
    let whole = file(&items());
    let more = [&whole[..], b"x"].concat();
    let at = whole.len() as u64;
    assert_eq!(read(&more, 1000).1, Err(CourierFault::Trailing { at }));
    let twice = [&begin[..FIRST_LINE.len()], &begin[..]].concat();
    assert_eq!(read(&twice, 9).1, Err(CourierFault::Header));
}

fn any_item() -> impl Strategy<Value = Item> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..400).prop_map(Bytes::from);
    prop_oneof![
        bytes().prop_map(Item::Envelope),
        bytes().prop_map(Item::Piece),
        bytes().prop_map(|hashes| Item::Attachment(v1::CourierAttachment {
            hashes,
            ..attachment()
        })),
        any::<u64>().prop_map(|first_piece| Item::AttachmentWant(v1::AttachmentWant {
            first_piece,
            ..Default::default()
        })),
        bytes().prop_map(|checkpoint| Item::Checkpoint(v1::CheckpointFrame {
            checkpoint,
            ..Default::default()
        })),
        bytes().prop_map(|checkpoint| Item::Receipts(v1::Receipts {
            checkpoint,
            ..Default::default()
        })),
        (any::<u64>(), any::<u64>()).prop_map(|(first, last)| Item::Want(v1::Want {
            originator: "JM".into(),
            first,
            last,
            ..Default::default()
        })),
    ]
}

proptest! {
    #[test]
    fn any_items_go_there_and_back(
        items in proptest::collection::vec(any_item(), 0..12),
        piece in 1usize..700,
    ) {
        prop_assert_eq!(read(&file(&items), piece), (whole(&items), Ok(())));
    }

    #[test]
    fn nothing_makes_the_reader_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        piece in 1usize..700,
        keep in any::<bool>(),
    ) {
        let (_, begin) = CourierWriter::begin(&header());
        let bytes = match keep {
            true => [&begin[..], &bytes[..]].concat(),
            false => bytes,
        };
        let (found, end) = read(&bytes, piece);
        prop_assert!(end.is_err() || found.last() == Some(&Found::Close));
    }

    #[test]
    fn what_was_left_out_or_put_in_is_found_out(
        items in proptest::collection::vec(any_item(), 2..8),
        at in any::<proptest::sample::Index>(),
    ) {
        let mut fewer = items.clone();
        fewer.remove(at.index(items.len()));
        let close = file(&items).split_off(file(&items).len() - 41);
        let mut changed = file(&fewer);
        changed.truncate(changed.len() - 41);
        changed.extend_from_slice(&close);
        prop_assert!(read(&changed, 64).1.is_err());
    }
}
