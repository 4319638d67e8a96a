//! The view of a scrubbed journal is the scrubbed view of the journal: no row is made from what
//! can be scrubbed. With the real journal, and everything in it scrubbed.

use super::{net::Node, rules::folded};
use abeng_audit_log::{
    Batch, Journal, JournalIdentity, OpenOptions, Record, Step, scrub, sim::SimDisk,
};
use abeng_wire::{LeafIndex, v1};
use bytes::Bytes;

const SMALL: OpenOptions = OpenOptions {
    segment_bytes: 256 * 1024,
};

/// A log written to a journal and scrubbed whole, by the three steps; as it is read back after a
/// start.
fn scrubbed(log: &[Record]) -> Vec<Record> {
    let disk = SimDisk::new();
    let step = |facts| Step {
        facts,
        gated: vec![()],
    };
    let identity = JournalIdentity { key: [7; 32] };
    let first = Batch {
        steps: vec![Step {
            facts: log[..1].to_vec(),
            gated: vec![],
        }],
        outside: vec![],
    };
    let mut journal = Journal::create(disk.clone(), identity, SMALL, first).unwrap();
    for records in log[1..].chunks(5) {
        journal = journal.append(vec![step(records.to_vec())]).unwrap().0;
    }
    let indexes: Vec<LeafIndex> = (0..log.len() as u64).map(LeafIndex).collect();
    let (leaf, begun) = scrub::begun(&indexes, v1::ScrubWhy::KeepUntil, Bytes::new());
    let (journal, _) = journal
        .append(vec![step(vec![Record::new(leaf).with_proof(&begun)])])
        .unwrap();
    let journal = journal.seal_segment().unwrap();
    let job = journal.reader().scrub_job(&indexes).unwrap();
    job.run(|| ()).unwrap();
    let Some(v1::proof_part::Of::Scrub(what)) = begun.of else {
        panic!("a scrub");
    };
    let (leaf, proof) = scrub::done(&what);
    let (journal, _) = journal
        .append(vec![step(vec![Record::new(leaf).with_proof(&proof)])])
        .unwrap();
    drop(journal);
    let (journal, _) = Journal::open(disk, SMALL).unwrap();
    let scan = journal.reader().scan(LeafIndex(0));
    scan.map(|stored| stored.unwrap().record).collect()
}

/// How many records lost something.
pub(super) fn changes_no_row(node: &Node) -> u64 {
    if node.log.is_empty() {
        return 0;
    }
    let after = scrubbed(&node.log);
    let (ours, two) = after.split_at(node.log.len());
    let mut gone = 0;
    for (after, before) in ours.iter().zip(&node.log) {
        assert_eq!(after.leaf(), before.leaf());
        assert_eq!(after.proof_bytes(), before.proof_bytes());
        assert_eq!((after.private_bytes(), after.body_bytes()), (None, None));
        let had = before.private_bytes().is_some() || before.body_bytes().is_some();
        assert_eq!(after.is_scrubbed(), had);
        gone += u64::from(had);
    }
    let mut same = node.log.clone();
    // The leaves that tell of it are in both.
    same.extend_from_slice(two);
    assert_eq!(folded(&after), folded(&same));
    gone
}
