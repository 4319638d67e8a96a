use super::*;
use crate::{Batch, Journal, JournalIdentity, OpenError, OpenOptions, Record, Step};
use abeng_wire::{LeafIndex, v1};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
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
fn a_scrub_on_real_files_leaves_no_trace_and_gives_room_back() {
    let dir = TempDir::new().unwrap();
    let disk = RealDisk::new(dir.path().join("data"));
    let identity = JournalIdentity { key: [1; 32] };
    let options = OpenOptions {
        segment_bytes: 1 << 20,
    };
    let secret = |time: u64| format!("<<secret {time}>>").into_bytes();
    let mut journal = Journal::create(
        disk.clone(),
        identity,
        options.clone(),
        vec![step(0)].into(),
    );
    for time in 1..=2 {
        let mut facts = step(time);
        let body = v1::BodyPart {
            stanzas: vec![],
            body: secret(time).repeat(20_000).into(),
        };
        facts.facts = vec![facts.facts.remove(0).with_body(&body)];
        journal = journal.map(|journal| journal.append(vec![facts]).unwrap().0);
    }
    let journal = journal.unwrap().seal_segment().unwrap();
    let holds = |bytes: &[u8]| {
        let names = disk.list("journal").unwrap().into_iter();
        let files = names.map(|name| std::fs::read(disk.root().join("journal").join(name)));
        let mut found = files.filter(|file| {
            let file = file.as_ref().unwrap();
            file.windows(bytes.len()).any(|w| w == bytes)
        });
        found.next().is_some()
    };
    assert!(holds(&secret(1)) && holds(&secret(2)));
    let first = disk.root().join("journal/00000000000000000000.seg");
    let before = first.metadata().unwrap();
    let job = journal.reader().scrub_job(&[LeafIndex(1)]).unwrap();
    assert_eq!(job.run(|| ()).unwrap().records, 1);
    assert!(!holds(&secret(1)) && holds(&secret(2)));
    let after = first.metadata().unwrap();
    assert_eq!(after.len(), before.len());
    assert!(after.blocks() < before.blocks(), "{after:?}");
    assert_eq!(after.permissions().mode() & 0o777, 0o600);
    drop(journal);
    let (journal, found) = Journal::open(disk, options).unwrap();
    assert_eq!(found.size, 3);
    assert!(
        journal
            .reader()
            .read(LeafIndex(1))
            .unwrap()
            .record
            .is_scrubbed()
    );
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
