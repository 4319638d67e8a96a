//! A long log, once through, each figure beside its floor in the same run. Prints one JSON value.
//!
//! `cargo bench -p abeng-audit-log --bench long`; ABENG_BENCH_LEAVES (10,000,000) and
//! ABENG_BENCH_GIB (2) make it shorter, TMPDIR says where. Needs about 400 bytes of disk a leaf.

#![allow(missing_docs, clippy::unwrap_used)]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measuring program: the bare file is what the journal is compared with"
)]

use abeng_audit_log::{
    Batch, Journal, JournalIdentity, LogReport, OpenOptions, RealDisk, Record, Step,
    merkle::{Frontier, leaf_hash, node_hash},
    subject, verify_log,
};
use abeng_keys::{Entropy, Keyring, SignatureType, Signer};
use abeng_roster::{
    Trust,
    founding::{FoundingParty, FoundingRequest, found},
    sign_incarnation,
};
use abeng_wire::{Incarnation, LeafIndex, PartyCode, encode, v1};
use std::{
    fs::File,
    hint::black_box,
    os::unix::fs::FileExt,
    path::Path,
    time::{Duration, Instant},
};

const NOW: u64 = 1_790_000_000_000;
const LIFE: Incarnation = Incarnation(NOW << 16);
const BODY: usize = 2048;
const BATCH: u64 = 64;

struct Counting(u64);

impl Entropy for Counting {
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            self.0 += 1;
            chunk.copy_from_slice(&leaf_hash(&self.0.to_be_bytes()).0[..chunk.len()]);
        }
    }
}

fn founded() -> (Trust, Keyring) {
    let party = |text: &str| FoundingParty {
        code: PartyCode::new(text).unwrap(),
        name: text.into(),
        country: text.into(),
        kind: v1::PartyKind::Member,
        addresses: vec!["localhost:4600".into()],
        relay: false,
    };
    let parties = vec![party("JM"), party("TT")];
    let request = FoundingRequest::new("test".parse().unwrap(), parties, NOW);
    let mut founding = found(request, &mut Counting(0)).unwrap();
    let trust = Trust::from_bundle(&founding.bundle, Some(founding.root_digest), NOW).unwrap();
    let of_jm = |k: &Keyring| k.party.as_str() == "JM";
    let at = founding.keyrings.iter().position(of_jm).unwrap();
    (trust, founding.keyrings.swap_remove(at))
}

fn leaf(trust: &Trust, at: u64) -> v1::Leaf {
    v1::Leaf {
        version: 1,
        kind: v1::LeafKind::Expired.into(),
        actor: "JM".into(),
        incarnation: LIFE.0,
        time: NOW + at,
        roster: Some(trust.roster.reference()),
        envelope_id: leaf_hash(&at.to_be_bytes()).0.to_vec().into(),
        originator: "JM".into(),
        recipient: "TT".into(),
        seq_commit: vec![at as u8 | 3; 32].into(),
        ..v1::Leaf::default()
    }
}

fn steps(trust: &Trust, from: u64, count: u64, body: usize) -> Vec<Step<()>> {
    let step = |at: u64| {
        let record = Record::new(leaf(trust, at));
        let bytes: Vec<u8> = (0..body).map(|i| (i as u64 * 31 + at) as u8 | 1).collect();
        let record = if body == 0 {
            record
        } else {
            record.with_body(&v1::BodyPart {
                stanzas: vec![],
                body: bytes.into(),
            })
        };
        Step {
            facts: vec![record],
            gated: vec![()],
        }
    };
    (from..from + count).map(step).collect()
}

fn create(dir: &Path, trust: &Trust, keys: &Keyring) -> Journal<RealDisk> {
    let statement = v1::Incarnation {
        party: "JM".into(),
        incarnation: LIFE.0,
        reason: "bench".into(),
        ..v1::Incarnation::default()
    };
    let signed = sign_incarnation(&**keys.org_sign(), statement).unwrap();
    let about = subject(SignatureType::INCARNATION.name(), &signed.bytes);
    let first = v1::Leaf {
        kind: v1::LeafKind::Incarnation.into(),
        subject: about.to_bytes(),
        incarnation: LIFE.0,
        version: 1,
        actor: "JM".into(),
        time: NOW,
        roster: Some(trust.roster.reference()),
        ..v1::Leaf::default()
    };
    let proof = v1::ProofPart {
        of: Some(v1::proof_part::Of::Statement(signed)),
    };
    let facts = vec![Record::new(first).with_proof(&proof)];
    let first = Batch::from(vec![Step {
        facts,
        gated: vec![],
    }]);
    let identity = JournalIdentity { key: [7; 32] };
    Journal::create(RealDisk::new(dir), identity, OpenOptions::default(), first).unwrap()
}

/// Zeroes segments ahead, as a node does on a thread of its own.
fn prepare(journal: &Journal<RealDisk>) {
    if journal.reserve().0 == 0 {
        journal.prepare_ahead().unwrap().run(|| ()).unwrap();
    }
}

fn scratch() -> tempfile::TempDir {
    tempfile::TempDir::new().unwrap()
}

fn setting(name: &str, otherwise: u64) -> u64 {
    let set = std::env::var(name).ok().and_then(|v| v.parse().ok());
    set.unwrap_or(otherwise)
}

fn rate(count: u64, took: Duration) -> u64 {
    (count as f64 / took.as_secs_f64()) as u64
}

/// The journal's appends and the bare loop take turns, a segment's room each, so that both meet
/// the same device in the same mood. Only write and sync of the bare loop, and only `append` of
/// the journal, are counted.
fn appends(trust: &Trust, keys: &Keyring, gib: u64) -> serde_json::Value {
    const SEGMENT: u64 = 64 << 20;
    let (dir, bare) = (scratch(), scratch());
    let mut journal = create(dir.path(), trust, keys);
    let (mut spent, mut floor) = (Duration::ZERO, Duration::ZERO);
    let (mut written, mut bare_written, mut leaves, mut bare_batches) = (0, 0, 0, 0_u64);
    let mut length = 0;
    for turn in 0.. {
        if written >= gib << 30 {
            break;
        }
        let begin = written;
        while written - begin < SEGMENT {
            prepare(&journal);
            let batch = steps(trust, leaves, BATCH, BODY);
            let before = journal.reserve().1;
            let start = Instant::now();
            journal = black_box(journal.append(batch).unwrap()).0;
            spent += start.elapsed();
            leaves += BATCH;
            let used = before.checked_sub(journal.reserve().1);
            length = used.unwrap_or(length);
            written += length;
        }
        let path = bare.path().join("bare");
        let file = File::create(path).unwrap();
        for at in 0..SEGMENT / (256 << 10) {
            file.write_all_at(&[0; 256 << 10], at * (256 << 10))
                .unwrap();
            file.sync_data().unwrap();
        }
        file.sync_all().unwrap();
        let content: Vec<u8> = (0..length).map(|i| (i * 7 + turn) as u8 | 1).collect();
        let mut at = 0;
        while at + length <= SEGMENT {
            let start = Instant::now();
            file.write_all_at(&content, at).unwrap();
            file.sync_data().unwrap();
            floor += start.elapsed();
            at += length;
            bare_batches += 1;
            bare_written += length;
        }
    }
    let (own, bare) = (rate(leaves, spent), rate(bare_batches * BATCH, floor));
    serde_json::json!({
        "leaves_per_s": own,
        "floor_leaves_per_s": bare,
        "share_of_floor": own as f64 / bare as f64,
        "bytes": written, "floor_bytes": bare_written, "batch_bytes": length,
    })
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS")).unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        * 1024
}

fn open(dir: &Path) -> (Journal<RealDisk>, Duration, u64) {
    let start = Instant::now();
    let (journal, found) = Journal::open(RealDisk::new(dir), OpenOptions::default()).unwrap();
    (journal, start.elapsed(), found.tiles_rebuilt)
}

/// Everything that is asked of a log that is long.
fn long(trust: &Trust, keys: &Keyring, size: u64) -> serde_json::Value {
    let dir = scratch();
    let mut journal = create(dir.path(), trust, keys);
    let mut rss = Vec::new();
    while journal.size() < size {
        prepare(&journal);
        let count = 4000.min(size - journal.size());
        let batch = steps(trust, journal.size(), count, 0);
        journal = journal.append(batch).unwrap().0;
        if journal.size() % (size / 10) < 4000 {
            rss.push(resident() >> 20);
        }
    }
    let reader = journal.reader();
    let (mut at, proofs) = (0, 20_000);
    for _ in 0..proofs {
        at = (at + 7919 * 31) % size;
        black_box(reader.inclusion(LeafIndex(at), size).unwrap());
    }
    let start = Instant::now();
    for _ in 0..proofs {
        at = (at + 7919 * 31) % size;
        black_box(reader.inclusion(LeafIndex(at), size).unwrap());
    }
    let inclusion = start.elapsed() / proofs;
    let start = Instant::now();
    let read = reader.scan(LeafIndex(0)).filter(Result::is_ok).count() as u64;
    let view = rate(read, start.elapsed());
    assert_eq!(read, size);
    drop((reader, journal));
    let (journal, opened, rebuilt) = open(dir.path());
    assert_eq!(rebuilt, 0);
    drop(journal);
    for file in std::fs::read_dir(dir.path().join("tiles")).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    let (journal, anew, _) = open(dir.path());
    assert_eq!(journal.size(), size);
    drop(journal);
    let start = Instant::now();
    let me = PartyCode::new("JM").unwrap();
    let report: LogReport = verify_log(&RealDisk::new(dir.path()), trust, me, |_| ()).unwrap();
    let verified = rate(report.leaves, start.elapsed());
    serde_json::json!({
        "leaves": size,
        "inclusion_us": inclusion.as_secs_f64() * 1e6,
        "open_ms": opened.as_millis() as u64,
        "tiles_rebuilt_leaves_per_s": rate(size, anew),
        "verified_leaves_per_s": verified,
        "read_leaves_per_s": view,
        "floor": hashing(trust, size.min(1_000_000)),
        "rss_mib_at_each_tenth": rss,
    })
}

/// What any program must do to have the tree: hash each leaf and each node once.
fn hashing(trust: &Trust, count: u64) -> serde_json::Value {
    let bytes = encode(&leaf(trust, 1));
    let start = Instant::now();
    let mut frontier = Frontier::new();
    for _ in 0..count {
        frontier.push(leaf_hash(black_box(&bytes)));
    }
    black_box(frontier.root());
    let tree = rate(count, start.elapsed());
    let start = Instant::now();
    let mut node = leaf_hash(&bytes);
    for _ in 0..40 * 25 {
        node = node_hash(&node, &node);
    }
    black_box(node);
    let path = start.elapsed() / 40;
    serde_json::json!({
        "tree_leaves_per_s": tree,
        "inclusion_us": path.as_secs_f64() * 1e6,
        "leaf_bytes": bytes.len(),
    })
}

fn signatures(keys: &Keyring) -> u64 {
    let key = keys.org_sign();
    let signature = key.sign_message(b"a message").unwrap();
    let start = Instant::now();
    for _ in 0..10_000 {
        let verified = key
            .verify_key()
            .verify_message(black_box(b"a message"), &signature);
        verified.unwrap();
    }
    rate(10_000, start.elapsed())
}

fn main() {
    // `cargo test --benches` builds this and must not run it.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let (trust, keys) = founded();
    let value = serde_json::json!({
        "cores": std::thread::available_parallelism().unwrap().get(),
        "load_before": std::fs::read_to_string("/proc/loadavg").unwrap().trim(),
        "append": appends(&trust, &keys, setting("ABENG_BENCH_GIB", 2)),
        "signatures_per_s_and_core": signatures(&keys),
        "long": long(&trust, &keys, setting("ABENG_BENCH_LEAVES", 10_000_000)),
    });
    println!("{value:#}");
}
