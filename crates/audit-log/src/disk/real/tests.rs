use super::*;
use crate::{Batch, Journal, JournalIdentity, OpenError, OpenOptions, Record, Step};
use abeng_wire::{LeafIndex, v1};
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

const SMALL: OpenOptions = OpenOptions {
    segment_bytes: 64 * 1024,
};

fn step(time: u64) -> Step<()> {
    let leaf = v1::Leaf {
        version: 1,
        time,
        ..Default::default()
    };
    let body = v1::BodyPart {
        stanzas: vec![],
        body: vec![3; 3000].into(),
    };
    Step {
        facts: vec![Record::new(leaf).with_body(&body)],
        gated: vec![],
    }
}

#[test]
fn a_journal_on_real_files_comes_back_and_a_flipped_bit_is_named() {
    let dir = TempDir::new().unwrap();
    let disk = RealDisk::new(dir.path().join("data"));
    let identity = JournalIdentity { key: [1; 32] };
    let first = Batch::from(vec![step(0)]);
    let mut journal = Journal::create(disk.clone(), identity, SMALL, first).unwrap();
    for time in 1..60 {
        journal = journal.append(vec![step(time)]).unwrap().0;
    }
    let job = journal.prepare_ahead().unwrap();
    std::thread::scope(|s| s.spawn(|| job.run(|| ())).join().unwrap().unwrap());
    let root = journal.root();
    journal.close().unwrap();
    let key = disk.root().join("journal/key").metadata().unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    let (journal, found) = Journal::open(disk.clone(), SMALL).unwrap();
    assert!(found.clean && found.size == 60 && journal.root() == root);
    assert_eq!(journal.reserve().0, 1);
    let times = journal.reader().scan(LeafIndex(30));
    let times: Vec<u64> = times
        .map(|stored| stored.unwrap().record.leaf().message().time)
        .collect();
    assert_eq!(times, (30..60).collect::<Vec<_>>());
    drop(journal);
    let names = disk.list("journal").unwrap();
    let newest = names.iter().rfind(|n| n.ends_with(".seg")).unwrap();
    let newest = format!("journal/{newest}");
    let file = disk.open(&newest, Access::Write).unwrap();
    let mut byte = [0];
    DiskFile::read_at(&file, &mut byte, 5000).unwrap();
    DiskFile::write_at(&file, &[byte[0] ^ 4], 5000).unwrap();
    let refused = Journal::open(disk, SMALL).map(|_| ()).unwrap_err();
    assert!(matches!(&refused, OpenError::Damaged { file, .. } if *file == newest));
    assert!(refused.to_string().contains("Nothing was changed"));
}

#[test]
fn two_processes_do_not_share_a_directory() {
    let dir = TempDir::new().unwrap();
    let disk = RealDisk::new(dir.path());
    let held = disk.lock().unwrap();
    assert!(held.is_some());
    assert!(disk.lock().unwrap().is_none());
    drop(held);
    assert!(disk.lock().unwrap().is_some());
}
