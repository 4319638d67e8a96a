use super::*;
use crate::{Batch, Disk, Journal, Record, Step, sim::SimDisk};
use abeng_wire::{LeafIndex, v1};
use bytes::Bytes;

mod crash;
mod damage;
mod faults;
mod full;
mod limits;
mod model;

const SMALL: OpenOptions = OpenOptions {
    segment_bytes: 64 * 1024,
};

fn identity() -> JournalIdentity {
    JournalIdentity { key: [7; 32] }
}

/// A record like those of the engine; `body` bytes of `fill`.
fn record(time: u64, body: usize, fill: u8) -> Record {
    let leaf = v1::Leaf {
        version: 1,
        kind: v1::LeafKind::Received.into(),
        actor: "JM".into(),
        incarnation: 5,
        time,
        envelope_id: vec![time as u8; 32].into(),
        ..Default::default()
    };
    let record = Record::new(leaf);
    if body == 0 {
        return record;
    }
    record
        .with_private(&v1::PrivatePart {
            salt: vec![9; 32].into(),
            officer: "Officer".into(),
            ..Default::default()
        })
        .with_body(&v1::BodyPart {
            stanzas: vec![],
            body: vec![fill; body].into(),
        })
}

fn step(records: Vec<Record>) -> Step<u64> {
    Step {
        facts: records,
        gated: vec![1],
    }
}

fn create<D: Disk>(disk: D) -> Journal<D> {
    let first = Batch {
        steps: vec![Step {
            facts: vec![record(0, 0, 0)],
            gated: vec![],
        }],
        outside: vec![],
    };
    Journal::create(disk, identity(), SMALL, first).unwrap()
}

fn held(origin: &str, note: &'static [u8]) -> Outside {
    Outside::HeldCheckpoint {
        origin: origin.into(),
        note: Bytes::from_static(note),
        peaks: vec![],
    }
}

/// All records, by scan, compared with single reads.
fn all(journal: &Journal<SimDisk>) -> Vec<Record> {
    let reader = journal.reader();
    let scanned: Vec<Record> = reader
        .scan(LeafIndex(0))
        .map(|stored| stored.unwrap().record)
        .collect();
    assert_eq!(scanned.len() as u64, journal.size());
    for (i, record) in scanned.iter().enumerate() {
        let read = reader.read(LeafIndex(i as u64)).unwrap();
        assert_eq!(read.record, *record);
    }
    scanned
}
