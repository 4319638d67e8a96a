//! What the journal costs beside the bare disk: appending, receipts, reading, opening.
//!
//! `floor_*` is one write and one `fdatasync` of as many bytes into a zero-written file;
//! `cpu_*` is the same append on a file system in memory, so without the device.

#![allow(missing_docs, clippy::unwrap_used)]

use abeng_audit_log::{
    Batch, Checkpoint, Durable, Journal, JournalIdentity, Leaf, OpenOptions, RealDisk, Record,
    Settled, Step, receipt,
};
use abeng_keys::SoftSigner;
use abeng_wire::{LeafIndex, v1};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::{cell::RefCell, hint::black_box, path::Path, time::Duration};
use tempfile::TempDir;

const MILLION: u64 = 1_000_000;

fn record(i: u64, body: usize) -> Record {
    let leaf = v1::Leaf {
        version: 1,
        kind: v1::LeafKind::Delivered.into(),
        actor: "JM".into(),
        incarnation: 1_790_000_000_000 << 16,
        time: 1_790_000_000_000 + i,
        roster: Some(v1::RosterRef {
            version: 3,
            digest: vec![1; 32].into(),
        }),
        envelope_id: vec![i as u8 | 1; 32].into(),
        originator: "TT".into(),
        recipient: "JM".into(),
        seq_commit: vec![i as u8 | 3; 32].into(),
        ..Default::default()
    };
    let record = Record::new(leaf);
    if body == 0 {
        return record;
    }
    let body: Vec<u8> = (0..body).map(|at| (at as u64 * 31 + i) as u8).collect();
    record.with_body(&v1::BodyPart {
        stanzas: vec![],
        body: body.into(),
    })
}

fn steps(count: u64, body: usize) -> Vec<Step<()>> {
    let step = |i| Step {
        facts: vec![record(i, body)],
        gated: vec![()],
    };
    (0..count).map(step).collect()
}

fn create(dir: &Path) -> Journal<RealDisk> {
    let identity = JournalIdentity { key: [7; 32] };
    let first = Batch {
        steps: steps(1, 0),
        outside: vec![],
    };
    let disk = RealDisk::new(dir);
    Journal::create(disk, identity, OpenOptions::default(), first).unwrap()
}

fn append(journal: &mut Option<Journal<RealDisk>>, steps: Vec<Step<()>>) -> Vec<Settled<()>> {
    let (next, settled) = journal.take().unwrap().append(steps).unwrap();
    *journal = Some(next);
    settled
}

/// Zeroes segments ahead, as a node does on a thread of its own.
fn prepare(journal: &Option<Journal<RealDisk>>) {
    let journal = journal.as_ref().unwrap();
    if journal.reserve().0 == 0 {
        journal.prepare_ahead().unwrap().run(|| ()).unwrap();
    }
}

type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;

/// Appends, without the making of records and of segments ahead.
fn measure(group: &mut Group<'_>, name: &str, dir: &TempDir, count: u64, body: usize) -> usize {
    let journal = RefCell::new(Some(create(dir.path())));
    let batch = || {
        prepare(&journal.borrow());
        steps(count, body)
    };
    group.bench_function(name, |b| {
        let run = |s| append(&mut journal.borrow_mut(), s);
        b.iter_batched(batch, run, criterion::BatchSize::PerIteration);
    });
    let left = |j: &RefCell<Option<Journal<RealDisk>>>| j.borrow().as_ref().unwrap().reserve().1;
    let mut bytes = 0;
    while bytes == 0 {
        let before = left(&journal);
        let steps = batch();
        append(&mut journal.borrow_mut(), steps);
        bytes = before.saturating_sub(left(&journal));
    }
    bytes as usize
}

fn appends(c: &mut Criterion) {
    let mut group = c.benchmark_group("append");
    for (name, count, body) in [
        ("1", 1, 0),
        ("1_body_2k", 1, 2200),
        ("64_body_2k", 64, 2200),
    ] {
        group.throughput(Throughput::Elements(count));
        let dir = TempDir::new().unwrap();
        let bytes = measure(&mut group, &format!("journal_{name}"), &dir, count, body);
        floor(&mut group, name, bytes);
        let memory = Path::new("/dev/shm");
        if memory.exists() {
            let dir = TempDir::new_in(memory).unwrap();
            measure(&mut group, &format!("cpu_{name}"), &dir, count, body);
        }
    }
    group.finish();
}

#[allow(
    clippy::disallowed_methods,
    reason = "the bare file that the journal is compared with"
)]
fn floor(group: &mut Group<'_>, name: &str, bytes: usize) {
    use std::{fs::File, os::unix::fs::FileExt};
    const LENGTH: usize = 64 << 20;
    let dir = TempDir::new().unwrap();
    let file = File::create(dir.path().join("bare")).unwrap();
    file.write_all_at(&vec![0; LENGTH], 0).unwrap();
    file.sync_all().unwrap();
    let content = vec![0x5a; bytes];
    let mut at = 0;
    group.bench_function(format!("floor_{name}"), |b| {
        b.iter(|| {
            file.write_all_at(&content, at as u64).unwrap();
            file.sync_data().unwrap();
            at = (at + bytes) % (LENGTH - bytes) / 4096 * 4096;
        });
    });
}

fn million(dir: &Path) -> Journal<RealDisk> {
    let mut journal = Some(create(dir));
    while journal.as_ref().unwrap().size() < MILLION {
        prepare(&journal);
        append(&mut journal, steps(4000, 0));
    }
    journal.take().unwrap()
}

fn reads(c: &mut Criterion) {
    let dir = TempDir::new().unwrap();
    let mut journal = Some(million(dir.path()));
    let settled = append(&mut journal, steps(256, 2200));
    let facts: Vec<Durable<Leaf>> = settled.into_iter().flat_map(|s| s.facts).collect();
    let reader = journal.as_ref().unwrap().reader();
    let head = reader.head();
    let key = SoftSigner::from_seed(&[4; 32]).unwrap();
    let checkpoint = Checkpoint::sign("abeng/test/JM/0", head.size, head.root, &key).unwrap();
    let mut group = c.benchmark_group("read");
    group.bench_function("receipts_256_of_the_last_batch", |b| {
        b.iter(|| {
            for fact in &facts {
                black_box(receipt::build_shared(fact, None, &reader, &checkpoint).unwrap());
            }
        });
    });
    let mut at = 0;
    let mut next = move || {
        at = (at + 7919 * 31) % MILLION;
        LeafIndex(at)
    };
    group.bench_function("one_record", |b| b.iter(|| reader.read(next()).unwrap()));
    group.bench_function("inclusion_of_an_old_leaf", |b| {
        b.iter(|| reader.inclusion(next(), head.size).unwrap());
    });
    group.sample_size(10);
    group.throughput(Throughput::Elements(MILLION));
    group.bench_function("scan_a_million", |b| {
        b.iter(|| reader.scan(LeafIndex(0)).filter(Result::is_ok).count());
    });
    drop(journal);
    group.bench_function("open_a_million_after_a_crash", |b| {
        b.iter(|| {
            let disk = RealDisk::new(dir.path());
            let (_, found) = Journal::open(disk, OpenOptions::default()).unwrap();
            assert_eq!(found.tiles_rebuilt, 0);
        });
    });
    group.finish();
}

fn quick() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .sample_size(30)
        .without_plots()
}

criterion_group! { name = benches; config = quick(); targets = appends, reads }
criterion_main!(benches);
