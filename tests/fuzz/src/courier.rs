//! A stick from anyone.

use crate::world::world;
use abeng_evidence::courier::{CourierReader, CourierWriter, Found, Item};
use abeng_seal::Arrived;
use abeng_wire::{encode, v1};

/// A courier file in pieces: read to its end, or to where nothing can be read. What is called whole
/// is exactly what would be written.
pub fn file(data: &[u8]) -> bool {
    let piece = usize::from(data.len() as u16 % 251) + 1;
    let mut reader = CourierReader::new();
    let (mut header, mut items, mut damaged) = (None, Vec::new(), false);
    for bytes in data.chunks(piece) {
        reader.feed(bytes);
        loop {
            match reader.read() {
                Ok(Some(Found::Header(found))) => header = Some(*found),
                Ok(Some(Found::Item(item))) => {
                    if let Item::Envelope(frame) = &item {
                        let _ = Arrived::parse(frame);
                    }
                    items.push(item);
                }
                Ok(Some(Found::Damaged { .. })) => damaged = true,
                Ok(Some(Found::Close)) => {}
                Ok(None) => break,
                Err(_) => return false,
            }
            assert!(reader.at() <= data.len() as u64);
        }
    }
    if reader.end().is_err() {
        return false;
    }
    let header = header.expect("a whole file has a header");
    // A header alone may hold fields of a later version.
    let written = written(&header, &items);
    assert!(damaged || written.len() <= data.len());
    true
}

fn written(header: &v1::CourierHeader, items: &[Item]) -> Vec<u8> {
    let (mut writer, begin) = CourierWriter::begin(header);
    let mut file = begin.to_vec();
    for item in items {
        file.extend_from_slice(&writer.item(item));
    }
    file.extend_from_slice(&writer.close());
    file
}

/// A file with one of each kind.
pub fn files() -> Vec<Vec<u8>> {
    let world = world();
    let sealed = &world.sealed;
    let header = v1::CourierHeader {
        version: 1,
        network: "test".into(),
        from: "JM".into(),
        to: "LC".into(),
        incarnation: 7,
        created_at: 1_790_000_000_000,
        envelopes: 1,
        ..Default::default()
    };
    let envelope = v1::Envelope {
        hdr: sealed.hdr().bytes().clone(),
        sig: sealed.sig().clone(),
        stanzas: vec![vec![7; 1240].into(), bytes::Bytes::new()],
        body: vec![9; 300].into(),
    };
    let items = [
        Item::Trust(world.founding.bundle.clone()),
        Item::Checkpoint(v1::CheckpointFrame {
            checkpoint: world.own.checkpoint.clone(),
            ..Default::default()
        }),
        Item::Want(v1::Want {
            originator: "LC".into(),
            incarnation: 7,
            first: 2,
            last: 3,
            byte_budget: 0,
            recipient: String::new(),
        }),
        Item::Void(v1::Signed::default()),
        Item::Receipts(v1::Receipts::default()),
        Item::Envelope(encode(&envelope)),
        Item::AttachmentWant(v1::AttachmentWant::default()),
        Item::Attachment(v1::CourierAttachment {
            envelope_id: sealed.id().to_bytes(),
            length: 17,
            ..Default::default()
        }),
        Item::Piece(vec![7; 17].into()),
    ];
    vec![written(&header, &items)]
}
